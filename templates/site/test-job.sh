#!/bin/sh
{% for line in directives %}{{ line }}
{% endfor %}# The test job of git ar cluster setup: says what a node has, and trains nothing.
cd "${{ folder }}" || exit 1
ar_environment() {
{{ environment }}
}
{% if let Some(venv) = venv %}ar_base=$(cd ../.. && pwd -P)
ar_venv={{ venv }}
{% endif %}{
  if ar_words=$(ar_environment 2>&1); then
    echo "ran on $(uname -n), $(getconf GNU_LIBC_VERSION 2>/dev/null);"
  else
    echo "ran on $(uname -n), but the environment failed: $(printf '%s\n' "$ar_words" | tail -n 1);"
  fi
{% if venv.is_some() %}  ar_words=$(ar_environment >/dev/null 2>&1 && "$ar_venv/bin/python" --version 2>&1) || ar_words="the Python environment cannot be used: $ar_words"
  echo "$ar_words;"
{% endif %}  if command -v nvidia-smi >/dev/null 2>&1; then
    nvidia-smi -L 2>&1 | head -n 4 | sed 's/ (UUID.*//'
  else
    echo "no nvidia-smi"
  fi
} >result.part </dev/null
mv -f result.part result
