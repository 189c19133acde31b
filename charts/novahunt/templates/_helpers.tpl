{{/* The chart's name, shortened to what a label may hold. */}}
{{- define "novahunt.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the release's objects: at most 55 characters, so that "-metrics" still fits a Service's 63. */}}
{{- define "novahunt.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 55 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 55 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 55 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* The name of objects that have no namespace: two releases of one name may live in two namespaces. */}}
{{- define "novahunt.clusterName" -}}
{{- printf "%s:%s" .Release.Namespace (include "novahunt.fullname" .) }}
{{- end }}

{{- define "novahunt.intakeName" -}}
{{- printf "%s-intake" (include "novahunt.fullname" .) }}
{{- end }}

{{- define "novahunt.metricsName" -}}
{{- printf "%s-metrics" (include "novahunt.fullname" .) }}
{{- end }}

{{/* The Lease that says which replica is active. */}}
{{- define "novahunt.leaseName" -}}
{{- printf "%s-leader" (include "novahunt.fullname" .) }}
{{- end }}

{{- define "novahunt.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "novahunt.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name must be set where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* What finds the operator's pods; it never changes, because a Deployment's selector can't. */}}
{{- define "novahunt.selectorLabels" -}}
app.kubernetes.io/name: {{ include "novahunt.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "novahunt.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: novahunt
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "novahunt.labels" -}}
{{ include "novahunt.selectorLabels" . }}
{{ include "novahunt.commonLabels" . }}
{{- end }}

{{/* The watched namespaces as a JSON list, none twice. */}}
{{- define "novahunt.namespaces" -}}
{{- .Values.watchNamespaces | default (list .Release.Namespace) | uniq | toJson }}
{{- end }}

{{/* A full image name from (dict "image" values "key" where they stand). */}}
{{- define "novahunt.image" -}}
{{- if or (not .image.repository) (not (or .image.tag .image.digest)) }}
{{- fail (printf "%s names no image, and none is published: build both with `make images` and set image.repository, image.tag, collector.image.repository and collector.image.tag (or the digests instead of the tags)" .key) }}
{{- end }}
{{- if .image.digest }}
{{- printf "%s@%s" .image.repository .image.digest }}
{{- else }}
{{- printf "%s:%s" .image.repository .image.tag }}
{{- end }}
{{- end }}

{{/*
What the operator may do where it watches; each verb is used.
It can't read Secrets or make pods: collectors get their key from the kubelet, and pods from the Job controller.
Checking collectors' tokens needs no rule here: the cluster's signing keys (/openid/v1/jwks and
/.well-known/openid-configuration) are open to every service account by Kubernetes' own ClusterRoleBinding
system:service-account-issuer-discovery.
*/}}
{{- define "novahunt.rules" -}}
- apiGroups: [novahunt.io]
  resources: [domaincollections]
  verbs: [get, list, watch, delete]
- apiGroups: [novahunt.io]
  resources: [domaincollections/status]
  verbs: [patch]
- apiGroups: [novahunt.io]
  resources: [domainresults]
  verbs: [list, watch, create, update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# domainsFrom and suppression lists are read, stored documents written, read back and removed; parts of unfinished ones
# are found by listing metadata.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, create, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}
