# Copyright The nflog_exporter Authors
# SPDX-License-Identifier: Apache-2.0

# Build it with make image, which passes REVISION. It takes BuildKit, podman or buildah. The legacy builder of docker does not
# set BUILDPLATFORM, and may lose the file's capability.

ARG GO_VERSION=1.26.8

FROM --platform=${BUILDPLATFORM} golang:${GO_VERSION} AS build
ARG GOPROXY
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH TARGETVARIANT
ARG VERSION=0.5.0
ARG REVISION
RUN GOOS=${TARGETOS} GOARCH=${TARGETARCH} GOARM=${TARGETVARIANT#v} make build && \
    go run ./tools/filecap/permit nflog_exporter

FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=0.5.0
ARG REVISION
LABEL org.opencontainers.image.title="nflog-exporter" \
      org.opencontainers.image.description="A Prometheus exporter for what Linux firewalls log to NFLOG." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/nflog-exporter/nflog_exporter" \
      org.opencontainers.image.documentation="https://github.com/nflog-exporter/nflog_exporter#readme"
COPY --from=build /src/LICENSE /
# The file has CAP_NET_ADMIN permitted, not effective. So it also starts in a container without that capability, and reports
# that it is missing.
COPY --from=build /src/nflog_exporter /
USER 65532:65532
EXPOSE 10100
ENTRYPOINT ["/nflog_exporter"]
