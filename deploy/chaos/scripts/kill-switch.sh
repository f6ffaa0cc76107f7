#!/bin/sh
# Ends a run, or with --all every run of Magnetar's, and waits until Chaos Mesh has healed everything.
# NAMESPACE: where; TIMEOUT: how long it may take, 2m. Exit status 0: nothing is in force. 1: something may be.
set -eu
: "${NAMESPACE:?say where}"
case ${1:?name a run, or --all} in
    --all) chosen=magnetar.io/run ending= ;;
    *) chosen=magnetar.io/run=$1 ending=-$1 ;;
esac

# Foreground: the workflow is gone only after its faults are, and a fault only after it is healed.
kubectl delete workflows.chaos-mesh.org -n "$NAMESPACE" -l "$chosen" --cascade=foreground --wait --timeout="${TIMEOUT:-2m}"

# A workflow that somebody deleted before may have left faults: they have its name, and that ends with the run.
faults=$(kubectl get podchaos,networkchaos,iochaos -n "$NAMESPACE" \
    -o 'jsonpath={range .items[*]}{.kind}/{.metadata.name}={.metadata.labels.chaos-mesh\.org/workflow} {end}')
status=0
for fault in $faults; do
    case ${fault#*=} in
        magnetar-*"$ending")
            echo "still in force: ${fault%%=*}" >&2
            status=1
            ;;
    esac
done
exit "$status"
