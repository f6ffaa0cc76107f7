#!/bin/sh
# May chaos begin here? Strikes nothing. NAMESPACE: where; the manifest is the first argument.
# Exit status 0: yes. 1: no, and it says why.
set -eu
manifest=$1

refuse() {
    echo "refused: $1" >&2
    exit 1
}

allowed=$(kubectl get namespace "$NAMESPACE" -o 'jsonpath={.metadata.annotations.chaos-mesh\.org/inject}') ||
    refuse "namespace $NAMESPACE cannot be read"
[ "$allowed" = enabled ] || refuse "namespace $NAMESPACE is not annotated chaos-mesh.org/inject=enabled"

meant=$(kubectl create --dry-run=client -o 'jsonpath={.metadata.namespace}' -f "$manifest") ||
    refuse "$manifest is no manifest that can be created"
[ "$meant" = "$NAMESPACE" ] || refuse "$manifest is for namespace $meant, and this is $NAMESPACE"

others=$(kubectl get workflows.chaos-mesh.org,podchaos,networkchaos,iochaos -n "$NAMESPACE" -o name) ||
    refuse "the resources of Chaos Mesh cannot be listed"
[ -z "$others" ] || refuse "chaos is there already; see to it first: $others"

ready=$(kubectl get pods -n "$NAMESPACE" --field-selector=status.phase!=Succeeded -l app!=magnetar-chaos \
    -o 'jsonpath={range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status} {end}') ||
    refuse "the pods of $NAMESPACE cannot be listed"
[ -n "$ready" ] || refuse "there is no pod in $NAMESPACE"
for pod in $ready; do
    [ "${pod#*=}" = True ] || refuse "pod ${pod%%=*} is not ready: begin from a steady state"
done

check='jsonpath={.spec.templates[?(@.templateType=="StatusCheck")].statusCheck.http.url}'
url=$(kubectl create --dry-run=client -o "$check" -f "$manifest") || refuse "$manifest cannot be read"
[ -n "$url" ] || refuse "$manifest has no abort rule"
curl --silent --show-error --fail --max-time 10 --output /dev/null "$url" ||
    refuse "the abort rule would end it at once: see magnetar_chaos_abort in Prometheus, or load abort.rules.yaml"
