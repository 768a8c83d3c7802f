#!/usr/bin/env bash
# Starts the stream on Dataflow.
#
# usage: launch.sh [--settings FILE] [--job NAME] name=value...
#   --settings   KEY=VALUE lines of Terraform (deploy/settings.env)
#   --job        name of the job (uncommon-im)
#   name=value   parameters of the template (stream.json), for example
#                pubsub_subscription=projects/P/subscriptions/events output=gs://B/stream
set -euo pipefail
# shellcheck source=deploy/dataflow/common.sh
source "$(dirname "$0")/common.sh"
read_arguments stream uncommon-im "" "$@"
need_parameters "say at least what is read and where alerts go"
need_no_job "update.sh or restart.sh replaces it"
run_template stream --enable-streaming-engine
