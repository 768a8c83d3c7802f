# shellcheck shell=bash
# What launch.sh, update.sh, restart.sh and backfill.sh share: settings, checks, and the one way in which a template is run.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SETTINGS=$top/deploy/settings.env
declare -A setting=()
parameters=()

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 2
}

# The head of the script that asks for it, without the marks of a comment.
usage() {
  sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"
}

# Reads options given as --name VALUE or --name=VALUE into `option`, and name=value into `parameters` of a template.
# Messages show no values: they may be those of passwords. The job is called `job`, unless --job says something else.
# usage: read_arguments stream|backfill JOB "names of further options" ARGUMENT...
declare -A option=()
read_arguments() {
  local template=$1 known=" settings job $3 " name
  job=$2
  shift 3
  while (($#)); do
    case $1 in
      --help) usage && exit 0 ;;
      --*=*)
        name=${1%%=*} && name=${name#--}
        [[ $known == *" $name "* ]] || die "unknown option --$name (see --help)"
        option[$name]=${1#*=}
        ;;
      --*)
        name=${1#--}
        [[ $known == *" $name "* ]] || die "unknown option --$name (see --help)"
        (($# > 1)) || die "--$name needs a value"
        option[$name]=$2
        shift
        ;;
      [a-z]*=*)
        [[ $1 != *'~'* ]] || die "${1%%=*}: a parameter cannot hold ~"
        need_parameter "$template" "${1%%=*}"
        parameters+=("$1")
        ;;
      *) die "${1%%=*}: expected --option VALUE or a template's parameter as name=value (see --help)" ;;
    esac
    shift
  done
  read_settings "${option[settings]:-$SETTINGS}"
  job=${option[job]:-$job}
}

# Settings are lines of KEY=VALUE, as `terraform output -raw settings` prints them; nothing in them is run.
read_settings() {
  local line key number=0
  [[ -r $1 ]] || die "$1 cannot be read: terraform -chdir=deploy/terraform output -raw settings > deploy/settings.env"
  while IFS= read -r line; do
    number=$((number + 1))
    [[ -z $line || $line == '#'* ]] && continue
    [[ $line == [A-Z]*=* ]] || die "$1: line $number: expected KEY=VALUE"
    setting[${line%%=*}]=${line#*=}
  done <"$1"
  for key in PROJECT REGION IMAGE TEMPLATES TEMP SERVICE_ACCOUNT SUBNETWORK MACHINE_TYPE MAX_WORKERS; do
    [[ -n ${setting[$key]:-} ]] || die "$1 says no $key"
  done
}

# What is misspelt would only be left out by the launcher.
need_parameter() {
  grep -q "\"name\": \"$2\"" "$top/deploy/dataflow/$1.json" ||
    die "$2 is no parameter of the template: deploy/dataflow/$1.json lists them"
}

need_parameters() {
  ((${#parameters[@]})) || die "no parameters: $1 (see --help)"
}

need_option() {
  [[ -n ${option[$1]:-} ]] || die "--$1 is missing (see --help)"
}

need_day() {
  local written
  written=$(date -u -d "${option[$1]}" +%F 2>/dev/null) || written=
  [[ $written == "${option[$1]}" ]] || die "--$1 ${option[$1]}: write the day as YYYY-MM-DD"
}

# The commit that an image was built from is its tag; each job is labelled with its own.
revision() {
  printf '%s' "${setting[IMAGE]##*:}"
}

# The id of the running job of a name; nothing if none runs.
running_job() {
  gcloud dataflow jobs list --project "${setting[PROJECT]}" --region "${setting[REGION]}" --status active \
    --filter "name=$1" --format 'value(id)'
}

# usage: need_no_job "what to do about one that runs"
need_no_job() {
  local running
  running=$(running_job "$job")
  [[ -z $running ]] || die "the job $job runs already ($running): $1"
}

# usage: run_template stream|backfill [options of gcloud...]
run_template() {
  local template=$1 given
  shift
  [[ $job =~ ^[a-z]([-a-z0-9]*[a-z0-9])?$ ]] || die "$job is no name of a job: lower case letters, digits and dashes"
  given=$(printf '~%s' "command=$template" "sdk_container_image=${setting[IMAGE]}" "${parameters[@]}")
  local kms=()
  [[ -z ${setting[KMS_KEY]:-} ]] || kms=(--dataflow-kms-key "${setting[KMS_KEY]}")
  gcloud dataflow flex-template run "$job" \
    --project "${setting[PROJECT]}" \
    --region "${setting[REGION]}" \
    --template-file-gcs-location "${setting[TEMPLATES]}/$(revision)/$template.json" \
    --service-account-email "${setting[SERVICE_ACCOUNT]}" \
    --subnetwork "${setting[SUBNETWORK]}" \
    --disable-public-ips \
    --staging-location "${setting[TEMP]}/staging" \
    --temp-location "${setting[TEMP]}/temp" \
    --worker-machine-type "${setting[MACHINE_TYPE]}" \
    --max-workers "${setting[MAX_WORKERS]}" \
    --additional-user-labels "revision=$(revision)" \
    --parameters "^~^${given:1}" \
    "${kms[@]}" "$@"
}
