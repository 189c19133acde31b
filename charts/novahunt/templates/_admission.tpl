{{/*
The first part of policies' names. A policy's name takes no colon; no namespace's name has a dot, so that the first dot
ends it and no two releases share a name.
*/}}
{{- define "novahunt.policyName" -}}
{{- printf "%s.%s" .Release.Namespace (include "novahunt.fullname" .) }}
{{- end }}

{{/* Text as CEL reads it. */}}
{{- define "novahunt.celText" -}}
{{- printf "'%s'" (. | replace "\\" "\\\\" | replace "'" "\\'") }}
{{- end }}

{{- define "novahunt.operatorAlone" -}}
- name: operator
  expression: "request.userInfo.username == 'system:serviceaccount:{{ .Release.Namespace }}:{{ include "novahunt.serviceAccountName" . }}'"
{{- end }}

{{/* The labels of the object as it was and as it will be; null where there is none. */}}
{{- define "novahunt.labelsBeforeAndAfter" -}}
- name: before
  expression: "oldObject == null ? null : oldObject.metadata.?labels.orValue({})"
- name: after
  expression: "object == null ? null : object.metadata.?labels.orValue({})"
{{- end }}

{{/* What puts a policy into force, from (dict "root" the chart's scope "name" the policy's last part). */}}
{{- define "novahunt.policyBinding" }}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ include "novahunt.policyName" .root }}.{{ .name }}
  labels:
    {{- include "novahunt.labels" .root | nindent 4 }}
spec:
  policyName: {{ include "novahunt.policyName" .root }}.{{ .name }}
  validationActions: [Deny]
{{- end }}
