#!/bin/sh
# Ends a run, or with --all every run of Magnetar's, and waits until Chaos Mesh has healed everything.
# NAMESPACE: where; TIMEOUT: how long it may take, 2m. Exit status 0: nothing is in force. 1: something may be.
set -eu
: "${NAMESPACE:?say where}"
timeout=${TIMEOUT:-2m}
case ${1:?name a run, or --all} in
    --all) chosen=magnetar.io/run ;;
    *) chosen=magnetar.io/run=$1 ;;
esac

names=$(kubectl get workflows.chaos-mesh.org -n "$NAMESPACE" -l "$chosen" -o 'jsonpath={.items[*].metadata.name}')
# Foreground: the workflow is gone only after its faults are, and a fault only after it is healed.
kubectl delete workflows.chaos-mesh.org -n "$NAMESPACE" -l "$chosen" --cascade=foreground --wait --timeout="$timeout"
for name in $names; do
    left=$(kubectl get podchaos,networkchaos,iochaos -n "$NAMESPACE" -l "chaos-mesh.org/workflow=$name" -o name)
    if [ -n "$left" ]; then
        echo "still in force: $left" >&2
        exit 1
    fi
done
