#!/usr/bin/env bash
# Runs a backfill on Dataflow. A rerun of a range replaces what its first run wrote.
#
# usage: backfill.sh [--settings FILE] [--job NAME] name=value...
#   --settings   KEY=VALUE lines of Terraform (deploy/settings.env)
#   --job        name of the job (uncommon-im-backfill)
#   name=value   parameters of the template (backfill.json), for example
#                input=gs://LAKE/dt={date}/*.parquet start=2026-03-01 end=2026-04-01 output=gs://B/runs/2026-03
set -euo pipefail
# shellcheck source=deploy/dataflow/common.sh
source "$(dirname "$0")/common.sh"
read_arguments backfill uncommon-im-backfill "" "$@"
[[ " ${parameters[*]} " =~ \ input(_query)?= ]] || die "no input=...: say what is read (see --help)"
need_no_job "wait for it, or give this one another --job"
run_template backfill
