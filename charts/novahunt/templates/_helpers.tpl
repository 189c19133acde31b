{{/* The chart's name, shortened to what a label may hold. */}}
{{- define "novahunt.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the release's objects: at most 55 characters, so that "-metrics" still fits a Service's 63. */}}
{{- define "novahunt.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- $full = .Values.fullnameOverride | default $full | replace "." "-" | trunc 55 | trimSuffix "-" }}
{{- if not (regexMatch "^[a-z]" $full) }}
{{- fail (printf "%s can't name a Service, whose name begins with a letter: set fullnameOverride" $full) }}
{{- end }}
{{- $full }}
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

{{/* The name of the gateway's objects: at most 55 characters, for the same reason. */}}
{{- define "novahunt.gatewayName" -}}
{{- printf "%s-gateway" (include "novahunt.fullname" . | trunc 47 | trimSuffix "-") }}
{{- end }}

{{- define "novahunt.gatewayMetricsName" -}}
{{- printf "%s-metrics" (include "novahunt.gatewayName" .) }}
{{- end }}

{{- define "novahunt.gatewayClusterName" -}}
{{- printf "%s:%s" .Release.Namespace (include "novahunt.gatewayName" .) }}
{{- end }}

{{/* The Secret with the intake's certificate. That of cert-manager has another name: neither Helm nor it takes over what
the other has made. */}}
{{- define "novahunt.certificateName" -}}
{{- $made := .Values.intake.tls.certManager.enabled | ternary "tls" "certificate" }}
{{- .Values.intake.tls.secretName | default (printf "%s-%s" (include "novahunt.fullname" .) $made) }}
{{- end }}

{{/* Not empty where somebody else keeps the intake's certificate. */}}
{{- define "novahunt.certificateIsExternal" -}}
{{- if or .Values.intake.tls.secretName .Values.intake.tls.certManager.enabled }}true{{ end }}
{{- end }}

{{/* Who keeps the gateway's certificate: operator, cert-manager or others; empty: it speaks plain HTTP. */}}
{{- define "novahunt.gatewayCertificateKeeper" -}}
{{- $tls := .Values.gateway.tls }}
{{- if and .Values.gateway.enabled $tls.enabled }}
{{- if and $tls.secretName $tls.certManager.enabled }}
{{- fail "gateway.tls.secretName names a Secret that is there, and certManager.enabled asks for one: set one of them" }}
{{- else if $tls.secretName }}others
{{- else if $tls.certManager.enabled }}cert-manager
{{- else if include "novahunt.certificateIsExternal" . }}
{{- fail "the operator keeps no certificate here: set gateway.tls.secretName or gateway.tls.certManager as well, or gateway.tls.enabled=false behind a proxy that ends TLS" }}
{{- else if not .Values.intake.tls.enabled }}
{{- fail "the operator keeps no certificate without intake.tls.enabled: set gateway.tls.secretName or gateway.tls.certManager, or gateway.tls.enabled=false behind a proxy that ends TLS" }}
{{- else if ne (include "novahunt.gatewayNamespace" .) .Release.Namespace }}
{{- fail (printf "the gateway runs in namespace %s, where the operator's certificate is not: set gateway.tls.secretName or gateway.tls.certManager, or gateway.namespace=%s, or gateway.tls.enabled=false behind a proxy that ends TLS" (include "novahunt.gatewayNamespace" .) .Release.Namespace) }}
{{- else }}operator
{{- end }}
{{- end }}
{{- end }}

{{- define "novahunt.gatewayCertificateName" -}}
{{- if eq (include "novahunt.gatewayCertificateKeeper" .) "operator" }}
{{- include "novahunt.certificateName" . }}
{{- else }}
{{- .Values.gateway.tls.secretName | default (printf "%s-certificate" (include "novahunt.gatewayName" .)) }}
{{- end }}
{{- end }}

{{/* Who issues a certificate, from (dict "issuer" value "key" where it stands). */}}
{{- define "novahunt.issuer" -}}
{{- $example := "{name: internal-ca, kind: ClusterIssuer}" }}
{{- $_ := required (printf "%s must name an issuer, for example %s" .key $example) .issuer.name }}
{{- toYaml .issuer }}
{{- end }}

{{/* How the gateway speaks. */}}
{{- define "novahunt.gatewayScheme" -}}
{{ ternary "https" "http" .Values.gateway.tls.enabled }}
{{- end }}

{{/* Port of the gateway's Service. */}}
{{- define "novahunt.gatewayPort" -}}
{{ .Values.gateway.service.port | default (ternary 443 80 .Values.gateway.tls.enabled) | int64 }}
{{- end }}

{{/* Names by which the gateway is called, as JSON. */}}
{{- define "novahunt.gatewayHosts" -}}
{{- $name := include "novahunt.gatewayName" . }}
{{- $namespace := include "novahunt.gatewayNamespace" . }}
{{- $own := list (printf "%s.%s.svc" $name $namespace) (printf "%s.%s" $name $namespace) $name "localhost" }}
{{- concat $own .Values.gateway.tls.hosts | toJson }}
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

{{- define "novahunt.gatewayServiceAccountName" -}}
{{- if .Values.gateway.serviceAccount.create }}
{{- default (include "novahunt.gatewayName" .) .Values.gateway.serviceAccount.name }}
{{- else }}
{{- required "gateway.serviceAccount.name must be set where gateway.serviceAccount.create is false" .Values.gateway.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* What finds the operator's pods; it never changes, because a Deployment's selector can't. */}}
{{- define "novahunt.selectorLabels" -}}
app.kubernetes.io/name: {{ include "novahunt.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{/* What finds the gateway's pods. */}}
{{- define "novahunt.gatewaySelectorLabels" -}}
app.kubernetes.io/name: {{ include "novahunt.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: gateway
{{- end }}

{{- define "novahunt.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: novahunt
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{- include "novahunt.refuseOwnLabels" (dict "labels" . "key" "commonLabels") }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Refuses labels from (dict "labels" map "key" where they stand) that the chart sets itself. */}}
{{- define "novahunt.refuseOwnLabels" -}}
{{- $own := list "helm.sh/chart" }}
{{- range list "name" "instance" "component" "version" "part-of" "managed-by" }}
{{- $own = append $own (printf "app.kubernetes.io/%s" .) }}
{{- end }}
{{- range $label := keys .labels | sortAlpha }}
{{- if has $label $own }}
{{- fail (printf "%s: the chart sets the label %s itself: take another one" $.key $label) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The chart's labels with those that a value adds, from (dict "own" text "added" map "key" where they stand). A label that
all objects have may have another value here.
*/}}
{{- define "novahunt.labelsWith" -}}
{{- include "novahunt.refuseOwnLabels" (dict "labels" .added "key" .key) }}
{{- merge (deepCopy .added) (.own | fromYaml) | toYaml }}
{{- end }}

{{- define "novahunt.labels" -}}
{{ include "novahunt.selectorLabels" . }}
{{ include "novahunt.commonLabels" . }}
{{- end }}

{{- define "novahunt.gatewayLabels" -}}
{{ include "novahunt.gatewaySelectorLabels" . }}
{{ include "novahunt.commonLabels" . }}
{{- end }}

{{/*
Constraints from (dict "constraints" list "labels" what finds the pods): one without a selector would count no pod.
*/}}
{{- define "novahunt.spread" -}}
{{- $own := dict "labelSelector" (dict "matchLabels" (.labels | fromYaml)) }}
{{- range .constraints }}
- {{ merge (deepCopy .) (hasKey . "labelSelector" | ternary (dict) $own) | toYaml | nindent 2 | trim }}
{{- end }}
{{- end }}

{{/* Labels of what belongs to no program of its own: claims and the key's Secret. */}}
{{- define "novahunt.sharedLabels" -}}
app.kubernetes.io/name: {{ include "novahunt.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{ include "novahunt.commonLabels" . }}
{{- end }}

{{/* The watched namespaces as a JSON list, none twice. */}}
{{- define "novahunt.namespaces" -}}
{{- .Values.watchNamespaces | default (list .Release.Namespace) | uniq | toJson }}
{{- end }}

{{/* The namespace that the gateway runs in and serves. */}}
{{- define "novahunt.gatewayNamespace" -}}
{{- .Values.gateway.namespace | default (include "novahunt.namespaces" . | fromJsonArray | first) }}
{{- end }}

{{/* All namespaces that the gateway serves as a JSON list, its own first, none twice. */}}
{{- define "novahunt.gatewayNamespaces" -}}
{{- $served := prepend .Values.gateway.namespaces (include "novahunt.gatewayNamespace" .) | uniq }}
{{- $watched := include "novahunt.namespaces" . | fromJsonArray }}
{{- range $served }}
{{- if not (or $.Values.clusterWide (has . $watched)) }}
{{- fail (printf "the gateway is to serve namespace %s, where nobody carries collections out: add it to watchNamespaces" .) }}
{{- end }}
{{- end }}
{{- $served | toJson }}
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

{{/*
What the gateway may do in each namespace that it serves; each verb is used.
It has nothing to do with Secrets, Jobs or pods. ConfigMaps hold the stored documents, and a rule can't name those that
are yet to be made.
*/}}
{{- define "novahunt.gatewayRules" -}}
- apiGroups: [novahunt.io]
  resources: [domaincollections]
  verbs: [get, list, watch, create, patch]
- apiGroups: [novahunt.io]
  resources: [domainresults]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get]
{{- end }}

{{/* What Prometheus scrapes of a Service for metrics, from the values below serviceMonitor. */}}
{{- define "novahunt.metricsEndpoint" -}}
- port: metrics
  path: /metrics
  # The label namespace of a collection's metrics is the collection's, not the pod's.
  honorLabels: true
  {{- with .interval }}
  interval: {{ . }}
  {{- end }}
  {{- with .scrapeTimeout }}
  scrapeTimeout: {{ . }}
  {{- end }}
  {{- with .relabelings }}
  relabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .metricRelabelings }}
  metricRelabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Rules of NetworkPolicies that several have: this one from the chart's scope, the others from networkPolicy. */}}
{{- define "novahunt.metricsIngress" -}}
# Metrics; the kubelet's probes come from the node, which no policy keeps out.
- ports:
    - port: health
      protocol: TCP
  {{- with .Values.networkPolicy.metrics.from }}
  from:
    {{- toYaml . | nindent 4 }}
    # And the pod of `helm test`.
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ $.Release.Namespace }}
      podSelector:
        matchLabels:
          {{- include "novahunt.selftestSelectorLabels" $ | nindent 10 }}
  {{- end }}
{{- end }}

{{- define "novahunt.dnsEgress" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
  {{- with .dns.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "novahunt.apiServerEgress" -}}
- ports:
    {{- range .apiServer.ports }}
    - port: {{ . | int64 }}
      protocol: TCP
    {{- end }}
  {{- with .apiServer.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* The way to where spans are sent; nothing where traces are off. */}}
{{- define "novahunt.tracingEgress" -}}
{{- if .endpoint }}
- ports:
    - port: {{ .port | int64 }}
      protocol: TCP
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
