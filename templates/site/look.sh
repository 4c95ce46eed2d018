# shellcheck shell=sh disable=SC2154,SC1090,SC1091,SC2016 # what is not set here comes from git-ar
# What a site has: one line for each fact, a name, a tab and the value. Changes nothing.
# From git-ar: ar_base, ar_scratch, ar_image, ar_clone (empty where there is none), ar_days, ar_modules, ar_tools.
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
say git-ar "$(git-ar --version 2>/dev/null | first)"
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
if [ -d "$ar_base/snapshots" ]; then
  say snapshots "$(find "$ar_base/snapshots/." ! -name . -prune -type d | wc -l) $(du -sk "$ar_base/snapshots" 2>/dev/null | cut -f 1)"
fi
if [ -n "$ar_days" ] && [ -d "$ar_base/runs" ]; then
  find "$ar_base/runs/." ! -name . -prune -type d -mtime "+$ar_days" | head -n 50 | while IFS= read -r ar_run; do
    say old "$(basename "$ar_run")"
  done
fi
:
