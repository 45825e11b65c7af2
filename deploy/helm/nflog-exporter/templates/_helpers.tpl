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

{{- define "nflog-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "nflog-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "nflog-exporter.chartLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "nflog-exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* Labels of an object. The argument root is the chart's root. If names collide, the chart's labels win over the object's own, and these over commonLabels. */ -}}
{{- define "nflog-exporter.labels" -}}
{{- $chart := include "nflog-exporter.chartLabels" .root | fromYaml -}}
{{ merge (dict) $chart (default (dict) .labels) .root.Values.commonLabels | toYaml }}
{{- end }}

{{- define "nflog-exporter.serviceAccountName" -}}
{{- $default := .Values.serviceAccount.create | ternary (include "nflog-exporter.fullname" .) "default" -}}
{{ default $default .Values.serviceAccount.name }}
{{- end }}

{{- define "nflog-exporter.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
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

{{- /* What GOMEMLIMIT is in bytes: four fifths of the memory limit. Empty without a limit, and if extraEnv has the variable. */ -}}
{{- define "nflog-exporter.memoryLimit" -}}
{{- $units := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $limit := get (get (.Values.resources | default dict) "limits" | default dict) "memory" | default "" -}}
{{- $limit = kindIs "string" $limit | ternary $limit (printf "%d" (int64 $limit)) -}}
{{- $unit := regexReplaceAll "^[0-9.]+" $limit "" -}}
{{- $set := false -}}
{{- range .Values.extraEnv }}{{ $set = or $set (eq .name "GOMEMLIMIT") }}{{ end -}}
{{- if and $limit (hasKey $units $unit) (not $set) -}}
{{ mulf (trimSuffix $unit $limit | float64) (get $units $unit) 0.8 | int64 }}
{{- end -}}
{{- end }}
