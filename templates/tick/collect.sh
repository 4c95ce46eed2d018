# Shows what lies in run directories: POSIX sh, run in the folder of all runs. Its input has one line per run:
#   look RUN ATTEMPT              how old the heartbeat is
#   take RUN ATTEMPT SEED...      everything that an attempt left behind
# Files are shown as a line with their length, then their bytes. Nothing is written, nothing is followed by a link.
LC_ALL=C
export LC_ALL

# A whole file, or only its length when that is above the second argument.
ar_put() {
    [ -f "$1" ] && [ ! -L "$1" ] || return 0
    n=$(($(wc -c <"$1")))
    if [ "$n" -gt "$2" ]; then
        printf 'large %s %s\n' "$n" "$1"
    else
        printf 'file %s %s\n' "$n" "$1"
        head -c "$n" "$1"
        printf '\n'
    fi
}

# The end of a file that may still grow.
ar_end() {
    [ -f "$1" ] && [ ! -L "$1" ] || return 0
    n=$(($(wc -c <"$1")))
    [ "$n" -le "$2" ] || n=$2
    printf 'file %s %s\n' "$n" "$1"
    tail -c "$n" "$1" | head -c "$n"
    printf '\n'
}

# Sizes and times of what a trainer keeps for itself in a seed's folder: its checkpoint.
ar_list() {
    [ -d "$1" ] && [ ! -L "$1" ] || return 0
    list=$(
        cd "$1" && find . -type f ! -name log ! -name done ! -name metrics.json ! -name '.*' -print |
            sort | head -n 200 | while read -r name; do
            stat -c '%s %Y %n' "$name" 2>/dev/null || ls -ln "$name"
        done
    )
    printf 'file %s %s/.list\n%s\n' "${#list}" "$1" "$list"
}

ar_take() {
    run=$1
    number=$2
    shift 2
    if [ ! -d "$run" ]; then
        printf 'absent 0 %s\n' "$run"
        return 0
    fi
    printf 'run %s %s\n' "$number" "$run"
    for name in "$run/start-$number.json" "$run/start-$number".*.json "$run/exit-$number.json" "$run/exit-$number".*.json; do
        ar_put "$name" 65536
    done
    for name in "$run/job-$number.err" "$run/job-$number".*.err "$run/job-$number.out" "$run/job-$number".*.out; do
        ar_end "$name" 4096
    done
    for seed; do
        ar_put "$run/seed-$seed/done" 256
        ar_put "$run/seed-$seed/metrics.json" 4194304
        [ -f "$run/seed-$seed/done" ] || ar_end "$run/seed-$seed/log" 4096
        ar_list "$run/seed-$seed"
    done
}

printf 'clock %s now\n' "$(date +%s)"
beats=
while read -r what run number seeds; do
    case $what in
    # shellcheck disable=SC2086 # numbers, one word each
    take) ar_take "$run" "$number" $seeds ;;
    look) ;;
    *) continue ;;
    esac
    beats="$beats $run/heartbeat-$number $run/heartbeat-$number.*"
done
# shellcheck disable=SC2086 # ids hold letters, digits, - and _; a pattern is filled in here
[ -z "$beats" ] || stat -c 'beat %Y %n' $beats 2>/dev/null
printf 'end 0 .\n'
