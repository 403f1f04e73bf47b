#!/bin/sh
# Makes the namespace and its search attributes, and keeps closed runs for the retention period.
set -eu

until temporal operator cluster health; do
    sleep 2
done

temporal operator namespace describe -n "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create -n "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
temporal operator namespace update -n "$TEMPORAL_NAMESPACE" --retention "$RETENTION"

# A new namespace is known to the front end only after its cache is read again.
until temporal operator search-attribute list -n "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; do
    sleep 2
done
known=$(temporal operator search-attribute list -n "$TEMPORAL_NAMESPACE")
for attribute in $SEARCH_ATTRIBUTES; do
    name=${attribute%%=*}
    echo "$known" | grep -qw "$name" ||
        temporal operator search-attribute create -n "$TEMPORAL_NAMESPACE" --name "$name" --type "${attribute#*=}"
done
