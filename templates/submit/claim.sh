# Claims attempt ar_attempt of run ar_run, which can be done only once, and submits it; or, with ar_void=1, claims it so
# that it can never be submitted any more. Claims up to number ar_dead are known to have come to nothing.
# Its input is the tar archive of the run's files. It prints
#   claim NUMBER fresh|old done|open|void EXIT-STATUS young|old JOB
# (JOB is the id by the job's own word, `?` while it says none, `-` where none has begun)
# and then what the scheduler said, on both outputs.
# The connection may break at any moment; what was begun here goes on to its end.
trap '' HUP PIPE
mkdir -p "$ar_base/runs/$ar_run" && cd "$ar_base/runs/$ar_run" || ar_fail "$ar_base/runs/$ar_run cannot be made"
# What the job itself says of its id once it has begun.
job=-
ar_began() {
    for beat in "heartbeat-$ar_attempt" "heartbeat-$ar_attempt".*; do
        [ -f "$beat" ] || continue
        read -r at job <"$beat" || at=
        [ -n "$at" ] && [ -n "$job" ] || job='?'
        return 0
    done
    return 1
}
files=.in-$ar_attempt-$$.tar
[ -n "$ar_void" ] || ar_input "$files" || ar_fail "the run's files did not arrive whole, or cannot be stored in $PWD"
k=0
who=
while [ -z "$who" ]; do
    k=$((k + 1))
    claim=claim-$ar_attempt
    [ "$k" -eq 1 ] || claim=$claim.$k
    [ "$k" -gt "$ar_dead" ] || continue
    # Whoever made the next claim knew that this one had come to nothing.
    [ ! -d "claim-$ar_attempt.$((k + 1))" ] || continue
    if mkdir "$claim" 2>/dev/null; then
        who=fresh
    elif [ ! -d "$claim" ]; then
        ar_fail "$PWD/$claim cannot be made"
    elif [ -n "$ar_void" ] || [ ! -f "$claim/void" ]; then
        who=old
    fi
done
if [ "$who" = fresh ] && [ -n "$ar_void" ]; then
    : >"$claim/void"
elif [ "$who" = fresh ]; then
    if ! tar -xof "$files"; then
        : >"$claim/void"
        rm -f "$files"
        ar_fail "the run's files cannot be unpacked in $PWD"
    fi
    printf '%s\n' "$ar_name" >"$claim/name"
    ar_submit >"$claim/out" 2>"$claim/err" </dev/null
    code=$?
    if [ "$code" -eq 0 ]; then
        tail -n 1 "$claim/out" >"$claim/id.part" && mv -f "$claim/id.part" "$claim/id"
    fi
    printf '%s\n' "$code" >"$claim/code.part" && mv -f "$claim/code.part" "$claim/code"
else
    # Whoever claimed it may be at it right now.
    n=0
    while [ "$n" -lt "$ar_wait" ] && [ ! -f "$claim/code" ] && [ ! -f "$claim/void" ] && ! ar_began; do
        sleep 1
        n=$((n + 1))
    done
fi
rm -f "$files"
state=open
code=0
if [ -f "$claim/void" ]; then
    state=void
elif [ -f "$claim/code" ]; then
    state='done'
    code=$(cat "$claim/code")
fi
ar_began
age=young
[ -z "$(find "$claim" -prune -mmin +2 2>/dev/null)" ] || age=old
printf 'claim %s %s %s %s %s %s\n' "$k" "$who" "$state" "$code" "$age" "$job"
[ "$state" != 'done' ] || { cat "$claim/out" && cat "$claim/err" >&2; }
exit 0
