#!/usr/bin/env bash
# Replaces the running stream where it cannot be updated in place, or starts it again after it has failed:
# a snapshot of what it learned, the old job cancelled (never drained: that judges open hours too early), the
# subscription taken back to the snapshot's day, the new job from the snapshot. Nothing is lost: messages stay
# on the subscription for 3 days, acknowledged or not. Alerts are files and rows by their id, so those said twice are one.
# The old job is cancelled before the seek, for both would else share the messages of one subscription.
#
# usage: restart.sh [--settings FILE] [--job NAME] --as-of DAY --learned DIR --baselines DIR [--baseline-in DIR] name=value...
#   --settings      KEY=VALUE lines of Terraform (deploy/settings.env)
#   --job           name of the job (uncommon-im)
#   --as-of         the day after the newest complete day (LEARNED/DAY/_SUCCESS), at most 3 days ago
#   --learned       the stream's --sightings-out
#   --baselines     where snapshots are: the new one will be BASELINES/DAY
#   --baseline-in   the snapshot that the old stream itself started from
#   name=value      parameters of the new stream, without baseline_in; pubsub_subscription or notifications_subscription
#                   is the one that is taken back
set -euo pipefail
# shellcheck source=deploy/dataflow/common.sh
source "$(dirname "$0")/common.sh"
KEPT_DAYS=3
read_arguments stream uncommon-im "as-of learned baselines baseline-in" "$@"
for name in as-of learned baselines; do need_option "$name"; done
need_day as-of
subscription=
for parameter in "${parameters[@]}"; do
  case $parameter in
    pubsub_subscription=* | notifications_subscription=*) subscription=${parameter#*=} ;;
    baseline_in=*) die "baseline_in is the new snapshot: leave it out" ;;
  esac
done
[[ -n $subscription ]] || die "give pubsub_subscription=... or notifications_subscription=...: it is taken back to --as-of"
oldest=$(date -u -d "-$KEPT_DAYS days" +%s)
(($(date -u -d "${option[as-of]}" +%s) >= oldest)) ||
  die "--as-of ${option[as-of]}: messages are kept for $KEPT_DAYS days; start from a backfill's snapshot instead (docs/operations/runbook.md)"

snapshot=${option[baselines]%/}/${option[as-of]}
before=()
[[ -z ${option[baseline-in]:-} ]] || before=(--baseline-in "${option[baseline-in]}")
"${UNCOMMON_IM:-$top/.venv/bin/uncommon-im}" snapshot --sightings "${option[learned]}" --as-of "${option[as-of]}" \
  --baseline-out "$snapshot" "${before[@]}"

running=$(running_job "$job")
if [[ -n $running ]]; then
  gcloud dataflow jobs cancel "$running" --project "${setting[PROJECT]}" --region "${setting[REGION]}"
  for ((tries = 0; ; tries++)); do
    [[ -n $(running_job "$job") ]] || break
    ((tries < ${CANCEL_TRIES:-60})) || die "the job $running does not end: see its log, then run this again"
    sleep "${CANCEL_SECONDS:-10}"
  done
fi
gcloud pubsub subscriptions seek "$subscription" --time "${option[as-of]}T00:00:00Z"
parameters+=("baseline_in=$snapshot")
run_template stream --enable-streaming-engine
