{{- /*
Copyright The nflog_exporter Authors
SPDX-License-Identifier: Apache-2.0
*/ -}}

{{- /*
The arguments of the exporter, as a YAML list. An empty value makes no argument, so that the exporter's default applies.
Numbers go through int64, because Helm would render numbers from a million on as 1e+06.
*/ -}}
{{- define "nflog-exporter.args" -}}
{{- include "nflog-exporter.check" . -}}
{{- $args := include "nflog-exporter.argsOfValues" . | trim -}}
{{- include "nflog-exporter.checkExtraArgs" (dict "args" (fromYamlArray $args) "extra" .Values.extraArgs) -}}
{{ $args }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "nflog-exporter.argsOfValues" -}}
{{- with .Values.nflog }}
{{- range .groups }}
- --nflog.group={{ int64 . }}
{{- end }}
{{- with .copyRange }}
- --nflog.copy-range={{ . }}
{{- end }}
{{- with .queueThreshold }}
- --nflog.queue-threshold={{ int64 . }}
{{- end }}
{{- with .queueTimeout }}
- --nflog.queue-timeout={{ . }}
{{- end }}
{{- with .batchBuffer }}
- --nflog.batch-buffer={{ . }}
{{- end }}
{{- with .socketBuffer }}
- --nflog.socket-buffer={{ . }}
{{- end }}
{{- end }}
{{- with .Values.collector }}
{{- with .labels }}
- --collector.labels={{ join "," . }}
{{- end }}
{{- with .protocols }}
- --collector.protocols={{ join "," . }}
{{- end }}
{{- with .markMask }}
- --collector.mark-mask={{ . }}
{{- end }}
{{- with .destinationPorts }}
- --collector.destination-ports={{ include "nflog-exporter.numbers" . }}
{{- end }}
{{- with .topSources }}
- --collector.top-sources={{ int64 . }}
{{- end }}
{{- with .topSourcesNetworkLength }}
- --collector.top-sources-network-length={{ int64 . }}
{{- end }}
{{- range .interfacePatterns }}
{{- /* The kubelet replaces $$ by a dollar sign, and $(NAME) by a variable's value. */}}
- {{ printf "--collector.interface-pattern=%s" . | replace "$" "$$" | quote }}
{{- end }}
{{- if not .packetSize }}
- --no-collector.packet-size
{{- else }}
{{- with .histogramLabels }}
- --collector.histogram-labels={{ join "," . }}
{{- end }}
{{- with .packetSizeBuckets }}
- --collector.packet-size-buckets={{ include "nflog-exporter.numbers" . }}
{{- end }}
{{- end }}
{{- if not .ruleset }}
- --no-collector.ruleset
{{- end }}
{{- with .maxLabelSets }}
- --collector.max-label-sets={{ int64 . }}
{{- end }}
{{- with .idleTimeout }}
- --collector.idle-timeout={{ . }}
{{- end }}
{{- with .deletedInterfaceTimeout }}
- --collector.deleted-interface-timeout={{ . }}
{{- end }}
{{- end }}
{{- if include "nflog-exporter.configMap" . }}
- --config.file=/etc/nflog_exporter/config/nflog.yml
{{- with .Values.configReloadInterval }}
- --config.reload-interval={{ . }}
{{- end }}
{{- end }}
{{- with .Values.web }}
- {{ printf "--web.listen-address=%s:%d" (include "nflog-exporter.listenHost" .) (int64 .port) | quote }}
{{- if .config.secrets }}
- --web.config.file=/etc/nflog_exporter/web/{{ .config.file }}
{{- end }}
- --web.telemetry-path={{ .telemetryPath }}
{{- if not .exporterMetrics }}
- --web.disable-exporter-metrics
{{- end }}
{{- if .enableLifecycle }}
- --web.enable-lifecycle
{{- end }}
{{- if ne (toString .maxRequests) "" }}
- --web.max-requests={{ int64 .maxRequests }}
{{- end }}
{{- end }}
- --log.level={{ .Values.log.level }}
- --log.format={{ .Values.log.format }}
{{- end }}

{{- define "nflog-exporter.numbers" -}}
{{- range $i, $n := . }}{{ if $i }},{{ end }}{{ int64 $n }}{{ end }}
{{- end }}

{{- /* Whether NODE_IP is an IPv4 or IPv6 address is known only on the node. Brackets also work with IPv4. */ -}}
{{- define "nflog-exporter.listenHost" -}}
{{- if or (contains ":" .address) (contains "$" .address) -}}
[{{ .address }}]
{{- else -}}
{{ .address }}
{{- end -}}
{{- end }}
