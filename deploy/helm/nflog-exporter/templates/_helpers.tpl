{{- /*
Copyright The nflog_exporter Authors
SPDX-License-Identifier: Apache-2.0
*/ -}}

{{- define "nflog-exporter.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* If the release's name contains the chart's name, the objects have the release's name. */ -}}
{{- define "nflog-exporter.fullname" -}}
{{- $name := include "nflog-exporter.name" . -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{ default $full .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "nflog-exporter.namespace" -}}
{{ default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- /* Names are quoted: a release can be called 100 or on, which YAML takes for a number and for true. */ -}}
{{- define "nflog-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "nflog-exporter.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "nflog-exporter.chartLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{ include "nflog-exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- end }}

{{- /* Labels of an object. The argument root is the chart's root. If names collide, the chart's labels win over the object's own, and these over commonLabels. */ -}}
{{- define "nflog-exporter.labels" -}}
{{- $chart := include "nflog-exporter.chartLabels" .root | fromYaml -}}
{{ merge (dict) $chart (default (dict) .labels) .root.Values.commonLabels | toYaml }}
{{- end }}

{{- /*
The metadata of an object. Arguments: root; optionally name, namespace, labels and annotations, which take precedence over
commonAnnotations.
*/ -}}
{{- define "nflog-exporter.metadata" -}}
name: {{ default (include "nflog-exporter.fullname" .root) .name | quote }}
namespace: {{ default (include "nflog-exporter.namespace" .root) .namespace | quote }}
labels:
  {{- include "nflog-exporter.labels" (dict "root" .root "labels" .labels) | nindent 2 }}
{{- with merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "nflog-exporter.serviceAccountName" -}}
{{- $default := .Values.serviceAccount.create | ternary (include "nflog-exporter.fullname" .) "default" -}}
{{ default $default .Values.serviceAccount.name }}
{{- end }}

{{- define "nflog-exporter.image" -}}
{{- $repository := include "nflog-exporter.fromRegistry" (dict "root" . "image" .Values.image.repository) -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ $repository }}@{{ .digest }}
{{- else -}}
{{ $repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* An image of global.imageRegistry, instead of the registry in its name. A registry has a dot or a port, or is localhost. */ -}}
{{- define "nflog-exporter.fromRegistry" -}}
{{- $image := .image -}}
{{- with .root.Values.global.imageRegistry -}}
{{- $first := splitList "/" $image | first -}}
{{- if and (contains "/" $image) (or (regexMatch "[.:]" $first) (eq $first "localhost")) -}}
{{- $image = trimPrefix (printf "%s/" $first) $image -}}
{{- end -}}
{{- $image = printf "%s/%s" . $image -}}
{{- end -}}
{{ $image }}
{{- end }}

{{- /* imagePullSecrets of a pod, as a YAML list: those of global can be names alone. Empty without any. */ -}}
{{- define "nflog-exporter.imagePullSecrets" -}}
{{- $secrets := .Values.imagePullSecrets -}}
{{- range .Values.global.imagePullSecrets -}}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) -}}
{{- end -}}
{{- with $secrets | uniq -}}
{{ toYaml . }}
{{- end -}}
{{- end }}

{{- /* Whether the exporter has a configuration file, and the name of its ConfigMap. Empty for no. */ -}}
{{- define "nflog-exporter.configMap" -}}
{{- if .Values.existingConfigMap -}}
{{ .Values.existingConfigMap }}
{{- else if .Values.config -}}
{{ include "nflog-exporter.fullname" . }}
{{- end -}}
{{- end }}

{{- /* HTTP or HTTPS, as probes spell it. */ -}}
{{- define "nflog-exporter.scheme" -}}
{{ .Values.web.config.tls | ternary "HTTPS" "HTTP" }}
{{- end }}

{{- /* The host that a probe connects to, if it is not the address that Kubernetes has for the node. */ -}}
{{- define "nflog-exporter.probeHost" -}}
{{- if not (has .Values.web.address (list "" "0.0.0.0" "::" "$(NODE_IP)")) -}}
{{ .Values.web.address }}
{{- end -}}
{{- end }}

{{- /* The action of a probe. The argument path is the path that it requests. */ -}}
{{- define "nflog-exporter.probeAction" -}}
{{- if .root.Values.web.config.authentication -}}
tcpSocket:
  port: metrics
{{- else -}}
httpGet:
  path: {{ .path }}
  port: metrics
  scheme: {{ include "nflog-exporter.scheme" .root }}
{{- end }}
{{- with include "nflog-exporter.probeHost" .root }}
  host: {{ . | quote }}
{{- end }}
{{- end }}

{{- /* A probe of the container, unless it is switched off. Arguments: root; the name of the probe; the path that it requests. */ -}}
{{- define "nflog-exporter.probe" -}}
{{- $probe := get .root.Values .name -}}
{{- if $probe.enabled -}}
{{ .name }}:
  {{- include "nflog-exporter.probeAction" (dict "root" .root "path" .path) | nindent 2 }}
  {{- omit $probe "enabled" | toYaml | nindent 2 }}
{{- end -}}
{{- end }}
