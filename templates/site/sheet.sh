#!/bin/sh
# From git-ar, for the cluster {{ cluster }}, to be run there by hand. What it prints is the receipt:
#   sh SHEET >RECEIPT
# It does, in this order, and never a second time what must happen once:
{% for step in steps %}#   {{ loop.index }}. {{ step.what }}
{% endfor %}umask 022
LC_ALL=C
export LC_ALL
{% if let Some(path) = path %}PATH={{ path }}:$PATH
export PATH
{% endif %}ar_folder=$(mktemp -d "${TMPDIR:-/tmp}/git-ar.XXXXXX") || exit 1
trap 'rm -rf "$ar_folder"' EXIT
: >"$ar_folder/receipt"

# Stores the input of a step under a name, whole or not at all.
ar_input() {
  cat >"$1.ar-part" && [ "$(wc -c <"$1.ar-part")" -eq "$ar_size" ] && mv -f "$1.ar-part" "$1" || { rm -f "$1.ar-part"; return 1; }
}

# One step: its key, what it is for.
ar_step() {
  printf 'git-ar: %s\n' "$2" >&2
  (
    cd "$HOME" || exit 96
    . "$ar_folder/script"
  ) <"$ar_folder/input" >"$ar_folder/out" 2>"$ar_folder/err"
  ar_code=$?
  {
    printf 'call %s %s\n' "$1" "$ar_code"
    base64 <"$ar_folder/out"
    echo stderr
    base64 <"$ar_folder/err"
    echo end
  } >>"$ar_folder/receipt"
}

# The receipt, with a digest of itself.
ar_receipt() {
  {
    echo 'git-ar receipt 1 {{ id }}'
    cat "$ar_folder/receipt"
  } >"$ar_folder/all"
  cat "$ar_folder/all"
  printf 'sum %s\n' "$(sha256sum <"$ar_folder/all" | cut -d ' ' -f 1)"
  exit 0
}

{% for step in steps %}# --- {{ loop.index }}. {{ step.what }}
cat >"$ar_folder/script" <<'ar-end-{{ step.key }}'
{{ step.script }}
ar-end-{{ step.key }}
base64 -d >"$ar_folder/input" <<'ar-end-{{ step.key }}'
{{ step.input }}ar-end-{{ step.key }}
ar_size={{ step.size }}
ar_step {{ step.key }} '{{ step.what }}'
{% if step.assumed %}[ "$ar_code" -eq 0 ] || ar_receipt
{% endif %}{% endfor %}ar_receipt
