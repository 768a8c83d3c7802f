#!/usr/bin/env bash
# Beam's pool of workers calls it as it calls a container's boot: it becomes a Java worker, in a process of its own.
# usage: java-worker.sh --id=ID --logging_endpoint=URL --control_endpoint=URL ...   (CLASSPATH names the jars)
set -euo pipefail
for option in "$@"; do
  value=${option#*=}
  case $option in
    --id=*) export HARNESS_ID=$value ;;
    --logging_endpoint=*) export LOGGING_API_SERVICE_DESCRIPTOR="url: \"$value\"" ;;
    --control_endpoint=*) export CONTROL_API_SERVICE_DESCRIPTOR="url: \"$value\"" ;;
  esac
done
export PIPELINE_OPTIONS='{}'
# The pool never reads what its workers print.
exec java -Xmx384m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn org.apache.beam.fn.harness.FnHarness >&2
