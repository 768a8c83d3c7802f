#!/usr/bin/env bash
# Replaces the running stream by that of another image, in place: it keeps its state and loses no message.
# Not possible where labels, names of state or coders have changed; that is tried first: by the test that freezes them
# on this working tree, and by comparing what it freezes between the commit of the running job and that of the new image.
#
# usage: update.sh [--settings FILE] [--job NAME] name=value...
#   --settings   KEY=VALUE lines of Terraform (deploy/settings.env); IMAGE is the new image, with its commit as tag
#   --job        name of the job (uncommon-im)
#   name=value   all parameters of the stream, also those that stay as they are
set -euo pipefail
# shellcheck source=deploy/dataflow/common.sh
source "$(dirname "$0")/common.sh"
read_arguments stream uncommon-im "" "$@"
need_parameters "the new job is given all of them again"
running=$(running_job "$job")
[[ -n $running ]] || die "no job $job runs: launch.sh starts one"
before=$(gcloud dataflow jobs describe "$running" --project "${setting[PROJECT]}" --region "${setting[REGION]}" \
  --format 'value(labels.revision)')
[[ -n $before ]] || die "the job $running does not say which revision it runs: restart.sh replaces it"

contract=tests/golden/stream/contract.json
"${PYTHON:-$top/.venv/bin/python}" -m pytest --quiet "$top/tests/transforms/stream/test_update_contract.py" >&2 ||
  die "the working tree breaks its own update contract: see tests/transforms/stream/test_update_contract.py"
for commit in "$before" "$(revision)"; do
  git -C "$top" cat-file -e "$commit:$contract" 2>/dev/null || die "$commit is no commit of this repository with $contract"
done
git -C "$top" diff --quiet "$before" "$(revision)" -- "$contract" ||
  die "$before and $(revision) differ in $contract, so the job cannot be updated: restart.sh replaces it"

# No --transform-name-mappings: labels are frozen, none has another name.
run_template stream --enable-streaming-engine --update
