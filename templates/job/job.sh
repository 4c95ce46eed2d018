#!/bin/sh
{% for line in directives %}{{ line }}
{% endfor %}# Run {{ id }}, attempt {{ attempt }}. Plain POSIX sh; nothing of git-ar is needed on the node.
# Submit it from the run's own folder, where it lies.
# Functions are called by traps; what is read in lies on the site; the modules and the setup are the site's own.
# shellcheck disable=SC2317,SC1090,SC1091

ar_run={{ id }}
ar_attempt={{ attempt }}
ar_commit={{ commit }}
ar_code_tree={{ code_tree }}
ar_manifest={{ manifest }}
ar_config_file={{ config_file }}
ar_config_digest={{ config_digest }}

ar_say() { printf 'git-ar: %s\n' "$*" >&2; }

# --- Where everything is -----------------------------------------------------------------------------------------------
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX CDPATH SLURM_EXPORT_ENV
cd "${{ folder_variable }}" 2>/dev/null || cd "${PWD:-.}" || exit 78
AR_RUN_DIR=$(pwd -P)
if [ ! -f "$AR_RUN_DIR/job-$ar_attempt.sh" ] || [ ! -f "$AR_RUN_DIR/config.yaml" ]; then
  ar_say "$AR_RUN_DIR is not the folder of run $ar_run: cd there and submit again"
  exit 78
fi
AR_SITE=$(cd ../.. && pwd -P)
AR_SNAPSHOT=$AR_SITE/snapshots/$ar_code_tree
AR_CONFIG=$AR_RUN_DIR/config.yaml
{% if let Some(index) = index_variable %}ar_member=${{ index }}
ar_name=$ar_attempt.$ar_member
{% else %}ar_name=$ar_attempt
{% endif %}ar_job=${{ id_variable }}
ar_job=${ar_job:-$$}

# --- What is written ---------------------------------------------------------------------------------------------------
ar_now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
# Standard input becomes a file, whole or not at all.
ar_put() { cat >"$1.part.$$" && mv -f "$1.part.$$" "$1"; }
# A text as it stands between the quotes of JSON.
ar_text() { printf '%s' "$1" | LC_ALL=C tr -d '\000-\037\177' | sed 's/\\/\\\\/g; s/"/\\"/g'; }

ar_codes=
ar_signal=
ar_signals=0
ar_child=
ar_beat=
ar_exit() {
  ar_by=
  if [ -n "$ar_signal" ]; then ar_by=", \"signal\": \"$ar_signal\""; fi
  printf '{"at": "%s", "code": %s, "seeds": %s%s}\n' "$(ar_now)" "$1" "{$ar_codes}" "$ar_by" |
    ar_put "$AR_RUN_DIR/exit-$ar_name.json"
}

# --- Signals -----------------------------------------------------------------------------------------------------------
# The trainer and whatever it started, so that a wrapper in front of it does not keep the signal for itself.
ar_tell() {
  ar_all=$(ps -A -o pid= -o ppid= 2>/dev/null | awk -v top="$1" '
    { parent[$1] = $2 }
    END {
      for (pid in parent) {
        at = pid
        for (n = 0; n < 64 && at != top && (at in parent); n++) at = parent[at]
        if (at == top) level[n] = level[n] pid " "
      }
      # Parents first, so that no trainer sees a worker die before it knows why.
      for (n = 0; n < 64; n++) printf "%s", level[n]
    }')
  # shellcheck disable=SC2086 # a list of numbers
  kill -TERM ${ar_all:-$1} 2>/dev/null
}

ar_on() {
  ar_signals=$((ar_signals + 1))
  ar_signal=${ar_signal:-$1}
  # Should the end come before the checkpoint is written, this stands.
  ar_exit 143
  if [ "$1" = TERM ]; then
    # A scheduler signals every process of a job. A second one could end a trainer in the middle of its checkpoint, so
    # it is passed on only when the heartbeat, which dies of it, has not had it either.
    sleep 1
    kill -0 "$ar_beat" 2>/dev/null || return 0
  fi
  if [ -n "$ar_child" ]; then ar_tell "$ar_child"; fi
}

ar_end() {
  ar_status=$?
  trap '' TERM INT HUP USR1 EXIT
  if [ -n "$ar_beat" ]; then kill "$ar_beat" 2>/dev/null; fi
  ar_exit "$ar_status"
  exit "$ar_status"
}
trap ar_end EXIT
trap 'ar_on TERM' TERM
trap 'ar_on INT' INT
trap 'ar_on HUP' HUP
trap 'ar_on USR1' USR1

(
  trap 'kill "$ar_sleep" 2>/dev/null; exit 0' TERM
  while kill -0 "$$" 2>/dev/null; do
    # With the job's id, or its array's: the scheduler may have forgotten it before anybody asked.
    printf '%s %s\n' "$(ar_now)" "${SLURM_ARRAY_JOB_ID:-$ar_job}" >"$AR_RUN_DIR/heartbeat-$ar_name"
    sleep 60 &
    ar_sleep=$!
    wait "$ar_sleep"
  done
) </dev/null >/dev/null 2>&1 &
ar_beat=$!

# --- What is really here -----------------------------------------------------------------------------------------------
if command -v sha256sum >/dev/null 2>&1; then
  ar_sum=sha256sum
elif command -v shasum >/dev/null 2>&1; then
  ar_sum='shasum -a 256'
else
  ar_say "neither sha256sum nor shasum is here: the snapshot cannot be verified"
  exit 78
fi
# shellcheck disable=SC2086 # a program and its arguments
ar_digest() { $ar_sum | cut -d ' ' -f 1; }

# One line for each file, in byte order of the paths: mode, digest, path.
ar_files() (
  cd "$1" || exit 1
  # shellcheck disable=SC2016 # the name is put in by sh
  ar_plain='s/^\([0-9a-f]*\) [ *]\.\//\1  /'
  ar_odd='/^\\/{ s/^\\//; s/\\\\/\\/g; }'
  {
    # shellcheck disable=SC2086
    find . -type f ! -path ./.ar-manifest ! -perm -100 -exec $ar_sum {} + | sed "$ar_odd; $ar_plain; s/^/100644 /"
    # shellcheck disable=SC2086
    find . -type f ! -path ./.ar-manifest -perm -100 -exec $ar_sum {} + | sed "$ar_odd; $ar_plain; s/^/100755 /"
    find . -type l | while IFS= read -r ar_link; do
      ar_target=$(readlink "$ar_link")
      printf '120000 %s  %s\n' "$(printf '%s' "$ar_target" | ar_digest)" "${ar_link#./}"
    done
    find . ! -type f ! -type l ! -type d | sed 's/^\.\//000000 other  /'
  } | LC_ALL=C sort -t ' ' -k 4
)
ar_found=$(ar_files "$AR_SNAPSHOT" | ar_digest)
# A file system that failed to answer once is no changed snapshot.
if [ "$ar_found" != "$ar_manifest" ] && [ -z "$ar_signal" ]; then ar_found=$(ar_files "$AR_SNAPSHOT" | ar_digest); fi
ar_config_found=$(ar_digest <"$AR_CONFIG")
ar_wrong=
[ "$ar_found" = "$ar_manifest" ] ||
  ar_wrong="the files in $AR_SNAPSHOT are not those that run $ar_run was made with"
if [ "$ar_config_found" != "$ar_config_file" ]; then
  ar_wrong="config.yaml is not the one that run $ar_run was made with"
  ar_config_digest="file:$ar_config_found"
fi

ar_source=
# What is attested; where it is not what was to run, nothing is trained.
ar_attest() {
  # What was cut off by a signal says nothing about the files.
  if [ -n "$ar_signal" ]; then exit 143; fi
  ar_modules=$(ar_text "${LOADEDMODULES:-}" | sed 's/::*/", "/g')
  {
    printf '{"at": "%s", "host": "%s", ' "$(ar_now)" "$(ar_text "$(uname -n)")"
    printf '"commit": "%s", "manifest": "%s", ' "$ar_commit" "$ar_found"
    printf '"config_digest": "%s", "job": "%s"' "$(ar_text "$ar_config_digest")" "$(ar_text "$ar_job")"
    if [ -n "$ar_modules" ]; then printf ', "modules": ["%s"]' "$ar_modules"; fi
    if [ -n "$ar_source" ]; then printf ', "source": "%s"' "$(ar_text "$ar_source")"; fi
    printf '}\n'
  } | ar_put "$AR_RUN_DIR/start-$ar_name.json"
  if [ -n "$ar_wrong" ]; then
    ar_say "$ar_wrong; nothing is trained"
    exit 78
  fi
}
if [ -n "$ar_wrong" ]; then ar_attest; fi

# --- The environment ---------------------------------------------------------------------------------------------------
cd "$AR_SNAPSHOT" || exit 78
{% if !modules.is_empty() %}if ! command -v module >/dev/null 2>&1; then
  for ar_init in /etc/profile.d/modules.sh /etc/profile.d/lmod.sh /usr/share/modules/init/sh /usr/share/lmod/lmod/init/sh; do
    if [ -r "$ar_init" ]; then . "$ar_init"; fi
  done
fi
{% for module in modules %}module load {{ module }} || ar_wrong="the module {{ module }} cannot be loaded"
# Old versions of module end with 0 whatever happens.
case :${LOADEDMODULES:-}: in
  *:{{ module }}:* | *:{{ module }}/*) ;;
  *) ar_wrong="the module {{ module }} is not loaded" ;;
esac
{% endfor %}{% endif %}{% for (name, value) in env %}export {{ name }}={{ value }}
{% endfor %}export AR_RUN_DIR AR_SITE AR_SNAPSHOT AR_CONFIG
export AR_RUN="$ar_run" AR_ATTEMPT="$ar_attempt" AR_COMMIT="$ar_commit" AR_CONFIG_DIGEST="$ar_config_digest"
{% if smoke %}export AR_SMOKE=1
{% else %}unset AR_SMOKE
{% endif %}{% for line in setup %}{{ line }}
{% endfor %}{% if let Some(venv) = venv %}VIRTUAL_ENV={{ venv }}
if [ -f "$VIRTUAL_ENV/.ar-whole" ]; then
  unset PYTHONHOME
  PATH=$VIRTUAL_ENV/bin:$PATH
  export PATH VIRTUAL_ENV
else
  ar_wrong="the Python environment $VIRTUAL_ENV is not there: git ar cluster setup makes it"
fi
{% endif %}cd "$AR_SNAPSHOT" || exit 78
# The code at the anchor comes first, whatever is installed; nothing is written into it. What a person installed for
# themselves (`pip install --user`) stays visible: many sites have torch there, and where a module really comes from is
# looked at below.
export PYTHONPATH="$AR_SNAPSHOT${PYTHONPATH:+:$PYTHONPATH}" PYTHONDONTWRITEBYTECODE=1

{% if let Some(python) = python %}# Where the modules of this code would be imported from. An installed copy of the code would defeat the snapshot.
ar_probe='
import os, sys, sysconfig
try:
    from importlib.util import find_spec
except ImportError:
    sys.exit(0)
top = os.path.realpath(sys.argv[1])
libraries = [os.path.realpath(sysconfig.get_path(k)) + os.sep for k in ("stdlib", "platstdlib")]
inside = []
for folder in (top, os.path.join(top, "src")):
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        package = os.path.isfile(os.path.join(folder, name, "__init__.py"))
        if not (package or name.endswith(".py")):
            continue
        try:
            origin = getattr(find_spec(name if package else name[:-3]), "origin", None)
        except (ImportError, ValueError, AttributeError):
            continue
        if not origin or not os.path.exists(origin):
            continue
        origin = os.path.realpath(origin)
        if origin.startswith(top + os.sep):
            inside.append(os.path.relpath(origin, top))
        elif "site-packages" in origin or "dist-packages" in origin or not origin.startswith(tuple(libraries)):
            print("ar-source outside " + origin)
            sys.exit(0)
if inside:
    print("ar-source inside " + inside[0])
'
ar_answer=$({{ python }} -c "$ar_probe" "$AR_SNAPSHOT" </dev/null 2>/dev/null | sed -n 's/^ar-source //p' | tail -n 1)
ar_source=${ar_answer#* }
if [ "${ar_answer%% *}" = outside ]; then
  ar_wrong="the code would be imported from $ar_source, not from the snapshot"
  case $ar_source in "${HOME:-/nowhere}"/*) ar_source="~${ar_source#"$HOME"}" ;; esac
fi
{% endif %}ar_attest

# --- The seeds ---------------------------------------------------------------------------------------------------------
# A trapped signal interrupts `wait`; the trainer's own status is asked for again.
ar_wait() {
  ar_status=
  while :; do
    ar_seen=$ar_signals
    ar_before=$ar_status
    wait "$ar_child"
    ar_status=$?
    # A shell may have forgotten a trainer that ended meanwhile (127; bash: -1).
    if [ -n "$ar_before" ] && { [ "$ar_status" -eq 127 ] || [ "$ar_status" -lt 0 ]; }; then ar_status=$ar_before; fi
    if [ "$ar_seen" -eq "$ar_signals" ] || [ "$ar_signals" -gt 9 ]; then break; fi
  done
  ar_child=
}

# How many processes of this job outlived their parents: a wrapper that dies of a signal leaves its trainer behind, which
# may be in the middle of its checkpoint.
ar_orphans() {
  ps -A -o pid= -o ppid= -o pgid= -o stat= 2>/dev/null | awk -v me="$$" '
    { parent[$1] = $2; if ($4 !~ /^Z/) group[$1] = $3 }
    END {
      for (at = me; (at in parent) && !(at in above); at = parent[at]) above[at] = 1
      count = 0
      for (pid in group) {
        if (group[pid] != group[me] || (pid in above)) continue
        at = pid
        for (n = 0; n < 64 && at != me && (at in parent); n++) at = parent[at]
        if (at != me) count++
      }
      print count
    }'
}

ar_seed() {
  ar_folder=$AR_RUN_DIR/seed-$1
  mkdir -p "$ar_folder" || exit 78
  ar_metrics=$ar_folder/metrics.json
  if [ -f "$ar_folder/done" ] && [ -f "$ar_metrics" ] && [ "$(cat "$ar_folder/done")" = "$(ar_digest <"$ar_metrics")" ]; then
    ar_say "seed $1 is done"
    return 0
  fi
  (
    trap - TERM INT HUP USR1
    AR_SEED=$1
    export AR_SEED
    exec {{ command }}
  ) </dev/null >>"$ar_folder/log" 2>&1 &
  ar_child=$!
  ar_wait
  ar_turn=0
  while [ -n "$ar_signal" ] && [ "$ar_turn" -lt 8 ]; do
    ar_number=$(ar_orphans)
    if [ "${ar_number:-0}" -eq 0 ]; then break; fi
    sleep 1
    ar_turn=$((ar_turn + 1))
  done
  if [ "$ar_status" -eq 0 ] && [ -f "$ar_metrics" ]; then
    ar_digest <"$ar_metrics" | ar_put "$ar_folder/done"
  elif [ "$ar_status" -eq 0 ] && [ -n "$ar_signal" ]; then
    ar_status=143
  fi
  ar_codes="${ar_codes:+$ar_codes, }\"$1\": $ar_status"
  return "$ar_status"
}

set -- {{ seeds }}
{% if index_variable.is_some() %}shift "$ar_member" || exit 78
set -- "$1"
{% endif %}ar_code=0
ar_left=$#
for ar_one in "$@"; do
  if [ -n "$ar_signal" ]; then break; fi
  ar_seed "$ar_one"
  ar_last=$?
  ar_left=$((ar_left - 1))
  if [ "$ar_code" -eq 0 ]; then ar_code=$ar_last; fi
done
if [ "$ar_code" -eq 0 ] && [ "$ar_left" -eq 0 ]; then
  # Everything was done when the signal came.
  ar_signal=
elif [ "$ar_code" -eq 0 ]; then
  ar_code=143
fi
exit "$ar_code"
