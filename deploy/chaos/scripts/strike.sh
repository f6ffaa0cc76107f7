#!/bin/sh
# Preflight, strike, wait for the end, and leave nothing in force, however it ends. NAMESPACE: where; the manifest is the
# first argument. Exit status 0: played to its end, and all is healed. 1: refused, aborted, or not healed.
set -eu
manifest=$1
here=$(dirname "$0")
sh "$here/preflight.sh" "$manifest"

run=$(kubectl create --dry-run=client -o 'jsonpath={.metadata.labels.magnetar\.io/run}' -f "$manifest")
name=$(kubectl create --dry-run=client -o 'jsonpath={.metadata.name}' -f "$manifest")
[ -n "$run" ] || { echo "refused: $manifest has no run id" >&2; exit 1; }

heal() {
    status=$?
    trap - EXIT INT TERM
    sh "$here/kill-switch.sh" "$run" || status=1
    exit "$status"
}
trap heal EXIT
trap 'exit 1' INT TERM

kubectl create -n "$NAMESPACE" -f "$manifest"
# In the background: a signal is heard while it waits, and not only after.
kubectl wait -n "$NAMESPACE" "workflows.chaos-mesh.org/$name" --for=condition=Accomplished --timeout=25m &
wait $!
aborted=$(kubectl get -n "$NAMESPACE" "workflows.chaos-mesh.org/$name" \
    -o 'jsonpath={.metadata.annotations.workflow\.chaos-mesh\.org/abort}')
[ "$aborted" != true ] || { echo "aborted: the business came to harm, or nobody could tell" >&2; exit 1; }
echo "played: $name. That a fault was in force is not shown by this: look at what it struck."
