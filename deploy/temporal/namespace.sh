#!/bin/sh
# Makes the namespace and its search attributes, and keeps closed runs for the retention period; a second run changes nothing.
set -eu

# A server that has just started, and a namespace that has just been made, are known to the front end after some
# seconds only: each step is tried again until it is through, at most two minutes, and says at the end why it was not.
patiently() {
    tries=60
    until said=$("$@" 2>&1); do
        tries=$((tries - 1))
        if [ "$tries" -le 0 ]; then
            echo "$said" >&2
            echo "namespace.sh: gave up: $*" >&2
            exit 1
        fi
        sleep 2
    done
    echo "$said"
}

# Another one that makes it at the same time is as good.
make_namespace() {
    temporal operator namespace describe -n "$TEMPORAL_NAMESPACE" 2>/dev/null ||
        temporal operator namespace create -n "$TEMPORAL_NAMESPACE" --retention "$RETENTION" ||
        temporal operator namespace describe -n "$TEMPORAL_NAMESPACE"
}

patiently temporal operator cluster health
patiently make_namespace
patiently temporal operator namespace update -n "$TEMPORAL_NAMESPACE" --retention "$RETENTION"

known=$(patiently temporal operator search-attribute list -n "$TEMPORAL_NAMESPACE")
for attribute in $SEARCH_ATTRIBUTES; do
    name=${attribute%%=*}
    echo "$known" | grep -qw "$name" ||
        patiently temporal operator search-attribute create -n "$TEMPORAL_NAMESPACE" --name "$name" --type "${attribute#*=}"
done
