# shellcheck shell=sh disable=SC2154,SC1090,SC1091,SC2016 # what is not set here comes from git-ar
# What a site has: one line for each fact, a name, a tab and the value. Changes nothing.
# From git-ar: ar_base, ar_scratch, ar_image, ar_clone, ar_venv (empty where there is none), ar_days, ar_modules, ar_tools.
say() { printf '%s\t%s\n' "$1" "$(printf '%s' "$2" | LC_ALL=C tr '\000-\037\177' ' ')"; }
first() { head -n 1 2>/dev/null; }

say now "$(date +%s)"
say host "$(uname -n)"
say user "$(id -un)"
say kernel "$(uname -r)"
say system "$( (. /etc/os-release && printf '%s' "$PRETTY_NAME") 2>/dev/null || first </etc/redhat-release)"
say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
say git "$(git --version 2>/dev/null)"
say python "$(python3 --version 2>&1 | first)"
# Ours, where a person put it: jobs need none, but it must start if it is there.
for ar_file in "$(command -v git-ar 2>/dev/null)" "$HOME/bin/git-ar" "$HOME/.local/bin/git-ar" "$HOME/.cargo/bin/git-ar"; do
  if [ -f "$ar_file" ] && [ -x "$ar_file" ]; then
    if ar_words=$("$ar_file" --version 2>&1 </dev/null); then say git-ar "$ar_words, $ar_file"; else
      say badgit-ar "$ar_file: $(printf '%s\n' "$ar_words" | first)"
    fi
    break
  fi
done
for ar_tool in $ar_tools; do
  if ! command -v "$ar_tool" >/dev/null 2>&1; then
    ar_found=$(bash -lc "command -v $ar_tool" </dev/null 2>/dev/null | tail -n 1)
    say lacks "$ar_tool $ar_found"
  fi
done
for ar_tool in sh cat mv mkdir tar date sed awk tr cut ps find; do
  command -v "$ar_tool" >/dev/null 2>&1 || say basic "$ar_tool"
done
command -v sha256sum >/dev/null 2>&1 || command -v shasum >/dev/null 2>&1 || say basic sha256sum

ar_at=$ar_scratch
while [ ! -e "$ar_at" ] && [ "$ar_at" != / ]; do ar_at=$(dirname "$ar_at"); done
if [ -d "$ar_scratch" ]; then say scratch "$ar_scratch"; fi
if [ -d "$ar_base/runs" ]; then say base "$ar_base"; fi
if [ -w "$ar_at" ]; then say writable "$ar_at"; fi
say free "$(df -Pk "$ar_at" 2>/dev/null | awk 'NR == 2 { print $4 }')"
say inodes "$(df -Pi "$ar_at" 2>/dev/null | awk 'NR == 2 { print $4 }')"
if command -v lfs >/dev/null 2>&1; then
  lfs quota -hu "$(id -un)" "$ar_at" 2>/dev/null | head -n 4 | while IFS= read -r ar_line; do say quota "$ar_line"; done
elif command -v quota >/dev/null 2>&1; then
  quota -s -w 2>/dev/null </dev/null | head -n 4 | while IFS= read -r ar_line; do say quota "$ar_line"; done
fi
if [ -n "$ar_image" ]; then if [ -r "$ar_image" ]; then say image yes; else say image no; fi; fi

for ar_module in $ar_modules; do
  (
    if ! command -v module >/dev/null 2>&1; then
      for ar_file in /etc/profile.d/modules.sh /etc/profile.d/lmod.sh /usr/share/modules/init/sh; do
        if [ -r "$ar_file" ]; then . "$ar_file"; break; fi
      done
    fi
    command -v module >/dev/null 2>&1 || { echo 'there is no `module` command'; exit 1; }
    module load "$ar_module" 2>&1 || exit 1
    # Old versions of module end with 0 whatever happens.
    case :${LOADEDMODULES:-}: in
      *:"$ar_module":* | *:"$ar_module"/*) ;;
      *) echo "it is not loaded"; exit 1 ;;
    esac
  ) >"${TMPDIR:-/tmp}/ar-look.$$" 2>&1 </dev/null
  ar_code=$?
  ar_words=$(tail -n 1 "${TMPDIR:-/tmp}/ar-look.$$")
  if [ "$ar_code" = 0 ]; then say module "$ar_module"; else say badmodule "$ar_module: $ar_words"; fi
  rm -f "${TMPDIR:-/tmp}/ar-look.$$"
done

if [ -n "$ar_clone" ]; then
  if [ -d "$ar_clone/.git" ]; then
    say clone "$(cd "$ar_clone" && git rev-parse --abbrev-ref HEAD 2>/dev/null) $(cd "$ar_clone" && git rev-parse HEAD 2>/dev/null)"
    say dirty "$(cd "$ar_clone" && git status --porcelain -uno 2>/dev/null | first)"
  fi
fi
if [ -n "$ar_venv" ]; then
  if [ -f "$ar_venv/.ar-whole" ]; then say venv "$(cat "$ar_venv/.ar-whole")"; fi
fi
# Since when each snapshot and each run is as it is, and its size in KiB. Where measuring takes too long, some have none.
ar_tab=$(printf '\t')
ar_measure=
if command -v timeout >/dev/null 2>&1; then ar_measure='timeout 30'; fi
for ar_kind in snapshots runs; do
  cd "$ar_base/$ar_kind" 2>/dev/null || continue
  find . ! -name . -prune -type d -exec stat -c "since$ar_tab$ar_kind %Y %n" {} + 2>/dev/null
  # shellcheck disable=SC2086 # a program and its limit
  $ar_measure find . ! -name . -prune -type d -exec du -sk {} + 2>/dev/null | sed "s/^/size$ar_tab$ar_kind /"
done
cd "$HOME" || exit 1
if [ -n "$ar_days" ] && [ -d "$ar_base/runs" ]; then
  find "$ar_base/runs/." ! -name . -prune -type d -mtime "+$ar_days" | head -n 50 | while IFS= read -r ar_run; do
    say old "$(basename "$ar_run")"
  done
fi
:
