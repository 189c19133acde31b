{{/* What finds the pod of `helm test`. */}}
{{- define "novahunt.selftestSelectorLabels" -}}
app.kubernetes.io/name: {{ include "novahunt.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: selftest
{{- end }}

{{- define "novahunt.selftestLabels" -}}
{{ include "novahunt.selftestSelectorLabels" . }}
{{ include "novahunt.commonLabels" . }}
{{- end }}

{{/* What makes an object a part of `helm test`, in the order of its weight. Of a test that failed all is kept. */}}
{{- define "novahunt.selftestHook" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
