{{- /*
Copyright The nflog_exporter Authors
SPDX-License-Identifier: Apache-2.0
*/ -}}

{{- /* Mistakes that the schema can't express. Kubernetes would refuse the pods, or the exporter would not start. */ -}}
{{- define "nflog-exporter.check" -}}
{{- if and .Values.nflog.groups .Values.config.groups }}
{{- fail "nflog.groups and config.groups: give one of them" }}
{{- end }}
{{- if and .Values.config .Values.existingConfigMap }}
{{- fail "config and existingConfigMap: give one of them" }}
{{- end }}
{{- include "nflog-exporter.checkGroup" (dict "where" "nflog" "copy" .Values.nflog.copyRange "timeout" .Values.nflog.queueTimeout "batch" .Values.nflog.batchBuffer "socket" .Values.nflog.socketBuffer) }}
{{- range .Values.config.groups }}
{{- include "nflog-exporter.checkGroup" (dict "where" (printf "config.groups, group %d" (int64 .group)) "copy" .copy_range "timeout" .queue_timeout "batch" .batch_buffer "socket" .socket_buffer) }}
{{- end }}
{{- include "nflog-exporter.checkDistinct" (dict "what" "config.groups: group" "names" (include "nflog-exporter.list" (dict "items" .Values.config.groups "key" "group"))) }}
{{- range .Values.config.prefix_rules }}
{{- include "nflog-exporter.checkPrefixRule" . }}
{{- end }}
{{- include "nflog-exporter.checkCollector" . }}
{{- include "nflog-exporter.checkTimeout" (dict "where" "configReloadInterval" "text" .Values.configReloadInterval) }}
{{- include "nflog-exporter.checkWeb" . }}
{{- include "nflog-exporter.checkPod" . }}
{{- end }}

{{- /* Settings of a group. Arguments: where, copy, timeout, batch, socket. */ -}}
{{- define "nflog-exporter.checkGroup" -}}
{{- include "nflog-exporter.checkSize" (dict "where" .where "what" "copy range" "text" .copy "min" 1 "max" 65531) }}
{{- include "nflog-exporter.checkSize" (dict "where" .where "what" "batch buffer" "text" .batch "min" 3776 "max" 131072) }}
{{- include "nflog-exporter.checkSize" (dict "where" .where "what" "socket buffer" "text" .socket "min" 4096 "max" 1073741824) }}
{{- with .timeout }}
{{- $ms := include "nflog-exporter.milliseconds" . | float64 }}
{{- if or (lt $ms 10.0) (gt $ms 3.6e6) (ne $ms (mulf 10 (floor (divf $ms 10)))) }}
{{- fail (printf "%s: the queue timeout %s must be a multiple of 10ms from 10ms to 1h" $.where .) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Arguments: where, what, text, min and max. */ -}}
{{- define "nflog-exporter.checkSize" -}}
{{- with .text }}
{{- $units := dict "" 1 "B" 1 "KiB" 1024 "MiB" 1048576 "GiB" 1073741824 }}
{{- $bytes := mulf (regexFind "^[0-9]+" . | float64) (get $units (regexFind "[A-Za-z]*$" .)) }}
{{- if or (lt $bytes (float64 $.min)) (gt $bytes (float64 $.max)) }}
{{- fail (printf "%s: the %s %s must be %dB to %dB" $.where $.what . (int64 $.min) (int64 $.max)) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* A duration such as 1h30m in milliseconds. */ -}}
{{- define "nflog-exporter.milliseconds" -}}
{{- $units := dict "ms" 1.0 "s" 1e3 "m" 6e4 "h" 3.6e6 -}}
{{- $sum := 0.0 -}}
{{- range regexFindAll "[0-9.]+[a-z]+" . -1 -}}
{{- $sum = addf $sum (mulf (regexFind "^[0-9.]+" . | float64) (get $units (regexFind "[a-z]+$" .))) -}}
{{- end -}}
{{ $sum }}
{{- end }}

{{- /* A timeout that can be never. Arguments: where, text. */ -}}
{{- define "nflog-exporter.checkTimeout" -}}
{{- with .text }}
{{- $ms := include "nflog-exporter.milliseconds" . | float64 }}
{{- if and (ne $ms 0.0) (or (lt $ms 1000.0) (gt $ms 3.6e10)) }}
{{- fail (printf "%s: %s must be 0s for never, or from 1s to 10000h" $.where .) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* mustRegexMatch fails with the mistake in the expression. */ -}}
{{- define "nflog-exporter.checkPrefixRule" -}}
{{- with .match }}
{{- $_ := mustRegexMatch . "" }}
{{- end }}
{{- $labels := keys (default (dict) .labels) }}
{{- range regexFindAll "[(][?]P?<[^>]*>" (default "" .match) -1 }}
{{- $labels = append $labels (regexReplaceAll "^[(][?]P?<|>$" . "") }}
{{- end }}
{{- $reserved := splitList " " "job instance le quantile prefix group family hook in_interface out_interface protocol mark uid gid vlan phys_in_interface phys_out_interface tcp_flags icmp_type conntrack_state dscp destination_port netns" }}
{{- range $labels }}
{{- if or (has . $reserved) (hasPrefix "__" .) }}
{{- fail (printf "config.prefix_rules: the label %s must not be one that Prometheus or the exporter sets itself" .) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "nflog-exporter.checkCollector" -}}
{{- with .Values.collector }}
{{- if and .packetSize .labels }}
{{- range .histogramLabels }}
{{- if not (has . (append $.Values.collector.labels "group")) }}
{{- fail (printf "collector.histogramLabels: collector.labels has no %s" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- $last := 0 }}
{{- range .packetSizeBuckets }}
{{- if lt (int64 .) (int64 $last) }}
{{- fail (printf "collector.packetSizeBuckets: must ascend, but %d comes after %d" (int64 .) (int64 $last)) }}
{{- end }}
{{- $last = . }}
{{- end }}
{{- range .interfacePatterns }}
{{- $_ := mustRegexMatch (regexReplaceAll "=[^=]*$" . "") "" }}
{{- end }}
{{- include "nflog-exporter.checkTimeout" (dict "where" "collector.idleTimeout" "text" .idleTimeout) }}
{{- include "nflog-exporter.checkTimeout" (dict "where" "collector.deletedInterfaceTimeout" "text" .deletedInterfaceTimeout) }}
{{- end }}
{{- end }}

{{- define "nflog-exporter.checkWeb" -}}
{{- with .Values.web }}
{{- if or (hasPrefix "/-/" .telemetryPath) (ne (clean .telemetryPath) (trimSuffix "/" .telemetryPath | default "/")) }}
{{- fail (printf "web.telemetryPath: %s must be a path like /metrics outside /-/" .telemetryPath) }}
{{- end }}
{{- if and (or .config.tls .config.authentication) (not .config.secrets) }}
{{- fail "web.config.tls and web.config.authentication: name the Secrets of the web configuration file in web.config.secrets" }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Names that Kubernetes needs to be distinct. */ -}}
{{- define "nflog-exporter.checkPod" -}}
{{- $configMap := include "nflog-exporter.configMap" . }}
{{- $checksum := and .Values.config (not .Values.existingConfigMap) (not .Values.configReloadInterval) }}
{{- if and $checksum (or (hasKey .Values.podAnnotations "checksum/config") (hasKey .Values.commonAnnotations "checksum/config")) }}
{{- fail "podAnnotations, commonAnnotations: the chart sets checksum/config itself" }}
{{- end }}
{{- $volumes := "" }}
{{- $mounts := "" }}
{{- if $configMap }}
{{- $volumes = print $volumes "config\n" }}
{{- $mounts = print $mounts "/etc/nflog_exporter/config\n" }}
{{- end }}
{{- if .Values.web.config.secrets }}
{{- $volumes = print $volumes "web\n" }}
{{- $mounts = print $mounts "/etc/nflog_exporter/web\n" }}
{{- end }}
{{- $env := contains "$(NODE_IP)" .Values.web.address | ternary "NODE_IP\n" "" }}
{{- $containers := append (concat .Values.extraInitContainers .Values.extraContainers) (dict "name" "nflog-exporter") }}
{{- range list
  (dict "what" "extraVolumes: the volume" "names" (print $volumes (include "nflog-exporter.list" (dict "items" .Values.extraVolumes "key" "name"))))
  (dict "what" "extraVolumeMounts: the path" "names" (print $mounts (include "nflog-exporter.list" (dict "items" .Values.extraVolumeMounts "key" "mountPath"))))
  (dict "what" "extraEnv: the variable" "names" (print $env (include "nflog-exporter.list" (dict "items" .Values.extraEnv "key" "name"))))
  (dict "what" "extraContainers, extraInitContainers: the container" "names" (include "nflog-exporter.list" (dict "items" $containers "key" "name")))
}}
{{- include "nflog-exporter.checkDistinct" . }}
{{- end }}
{{- end }}

{{- /* One field of each item, one a line. Arguments: items, key. */ -}}
{{- define "nflog-exporter.list" -}}
{{- $key := .key -}}
{{- range .items }}{{ get . $key }}{{ "\n" }}{{ end -}}
{{- end }}

{{- /* Arguments: names, one a line; what they are. */ -}}
{{- define "nflog-exporter.checkDistinct" -}}
{{- $seen := dict }}
{{- range splitList "\n" (trimSuffix "\n" .names) }}
{{- if and . (hasKey $seen .) }}
{{- fail (printf "%s %s is there twice" $.what .) }}
{{- end }}
{{- $_ := set $seen . true }}
{{- end }}
{{- end }}

{{- /* The exporter refuses most flags that are repeated. Arguments: args of the values, extra. */ -}}
{{- define "nflog-exporter.checkExtraArgs" -}}
{{- $repeatable := list "--nflog.group" "--nflog.netns" "--collector.interface-pattern" "--web.listen-address" }}
{{- $seen := dict }}
{{- range .args }}
{{- $_ := set $seen (splitList "=" . | first) true }}
{{- end }}
{{- range .extra }}
{{- $flag := splitList "=" . | first }}
{{- if and (hasKey $seen $flag) (not (has $flag $repeatable)) }}
{{- fail (printf "extraArgs: the chart sets %s already, or it is there twice: use the value of that name" $flag) }}
{{- end }}
{{- $_ := set $seen $flag true }}
{{- end }}
{{- end }}
