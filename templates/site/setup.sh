# shellcheck shell=sh disable=SC2154,SC1090,SC1091,SC2015,SC2016 # what is not set here comes from git-ar
# Makes what is missing on a site, one step after another; what is there stays as it is.
# From git-ar: ar_base, ar_clone, ar_url, ar_branch, ar_root, ar_program, ar_job (the folder of the test job, empty for
# none), ar_name; for a Python environment ar_venv (its folder, empty for none), ar_python, ar_requirements (the text),
# ar_wheels; functions ar_environment (modules, setup) and ar_submit. Its input is the test job's script.
# Each step says: step, a tab, its name, a tab, done, already, waiting or failed, a tab, words.
step() {
  printf 'step\t%s\t%s\t%s\n' "$1" "$2" "$(printf '%s' "$3" | LC_ALL=C tr '\000-\037\177' ' ')"
  if [ "$2" = failed ]; then exit 0; fi
}
trap '' HUP PIPE

if [ -d "$ar_base/snapshots" ] && [ -d "$ar_base/runs" ]; then
  step folders already "$ar_base"
else
  ar_words=$(mkdir -p "$ar_base/snapshots" "$ar_base/runs" 2>&1) || step folders failed "$ar_words"
  step folders "done" "$ar_base"
fi

if [ -n "$ar_clone" ]; then
  if [ -d "$ar_clone/.git" ]; then
    if (cd "$ar_clone" && git cat-file -e "$ar_root^{commit}") 2>/dev/null; then
      step clone already "$ar_clone"
    else
      step clone failed "$ar_clone is a clone of another repository"
    fi
  elif [ -e "$ar_clone" ]; then
    step clone failed "$ar_clone is there and is no clone"
  else
    ar_words=$(mkdir -p "$(dirname "$ar_clone")" 2>&1 &&
      GIT_TERMINAL_PROMPT=0 git clone -q -b "$ar_branch" -- "$ar_url" "$ar_clone.part" 2>&1 </dev/null &&
      mv "$ar_clone.part" "$ar_clone" 2>&1) || step clone failed "$ar_words"
    step clone "done" "$ar_clone"
  fi
fi

ar_words=$(ar_environment 2>&1 </dev/null) || step environment failed "$(printf '%s\n' "$ar_words" | tail -n 2)"

# Makes the virtual environment; says why when it cannot.
ar_make() (
  ar_environment >/dev/null 2>&1 </dev/null
  unset PYTHONPATH PYTHONHOME
  ar_last() { grep -v '^ *$' "$ar_venv.log" | tail -n "$1"; }
  if ! command -v "$ar_python" >/dev/null 2>&1; then
    echo "there is no $ar_python after the modules and the setup lines: name a module that has it under \`modules:\`," \
      "or another Python under \`environment: {python: ...}\`"
    exit 1
  fi
  if ! "$ar_python" -m venv "$ar_venv" >"$ar_venv.log" 2>&1 </dev/null; then
    if grep -q ensurepip "$ar_venv.log"; then
      echo "$ar_python cannot make virtual environments: its ensurepip is missing. Name a module with a whole Python" \
        "under \`modules:\`, or ask the site for its package (python3-venv on Debian)"
    else
      ar_last 2
    fi
    exit 1
  fi
  if [ -n "$ar_requirements" ]; then
    printf '%s\n' "$ar_requirements" >"$ar_venv/requirements.txt" || exit 1
    set -- --no-input --disable-pip-version-check --no-cache-dir -r "$ar_venv/requirements.txt"
    if [ -n "$ar_wheels" ]; then set -- "$@" --no-index --find-links "$ar_wheels"; fi
    if ! "$ar_venv/bin/python" -m pip install "$@" >>"$ar_venv.log" 2>&1 </dev/null; then
      ar_last 2
      if grep -qE 'NewConnectionError|name resolution|Network is unreachable|timed out' "$ar_venv.log"; then
        echo "(where the site reaches no package index: copy wheels there and name their folder under" \
          "\`environment: {wheels: ...}\`)"
      fi
      echo "($ar_venv.log has all of it)"
      exit 1
    fi
  fi
  "$ar_venv/bin/python" --version >"$ar_venv/.ar-part" 2>&1 && mv -f "$ar_venv/.ar-part" "$ar_venv/.ar-whole"
)
if [ -n "$ar_venv" ]; then
  if [ -f "$ar_venv/.ar-whole" ]; then
    step python already "$(cat "$ar_venv/.ar-whole") in $ar_venv"
  elif [ -d "$ar_venv.busy" ] && [ -n "$(find "$ar_venv.log" -prune -mmin -10 2>/dev/null)" ]; then
    step python waiting "another setup is at it; its latest words: $(tail -n 1 "$ar_venv.log")"
    exit 0
  else
    ar_words=$(mkdir -p "$ar_venv.busy" 2>&1 && : >"$ar_venv.log") || step python failed "$ar_words"
    if ar_words=$(ar_make 2>&1); then ar_state="done"; else ar_state="failed"; fi
    rmdir "$ar_venv.busy"
    if [ "$ar_state" = "done" ]; then ar_words="$(cat "$ar_venv/.ar-whole") in $ar_venv"; fi
    step python "$ar_state" "$ar_words"
  fi
fi

ar_words=$( (
  ar_environment || exit 1
  if [ -n "$ar_venv" ]; then PATH=$ar_venv/bin:$PATH; fi
  [ -z "$ar_program" ] || command -v "$ar_program" >/dev/null ||
    { echo "$ar_program is not found after the modules and the setup"; exit 1; }
) 2>&1 </dev/null) || step environment failed "$(printf '%s\n' "$ar_words" | tail -n 2)"
step environment already "${ar_program:-the modules and the setup} can be used on this node"

if [ -z "$ar_job" ]; then exit 0; fi
mkdir -p "$ar_base/setup" && cd "$ar_base/setup" || step job failed "$ar_base/setup cannot be made"
if mkdir "$ar_job" 2>/dev/null; then
  cd "$ar_job" || step job failed "$ar_job cannot be used"
  ar_input job.sh || step job failed "the test job's script did not arrive whole"
  if ar_submit >out 2>err </dev/null; then
    head -n 1 out >id.part && mv -f id.part id
    step job "done" "$(cat id)"
    exit 0
  fi
  ar_words=$(cat err)
  cd .. && mv "$ar_job" "refused-$(date +%s)-$$"
  step job failed "$ar_words"
fi
ar_id=$(cat "$ar_job/id" 2>/dev/null)
if [ -f "$ar_job/result" ]; then
  step job already "$(tr '\n' ' ' <"$ar_job/result")"
else
  step job waiting "${ar_id:-no id is known; its name is $ar_name}"
fi
