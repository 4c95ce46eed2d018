# Functions that every step of a submit shares. Before it: ar_base, the repository's folder on this site.
LC_ALL=C
export LC_ALL
umask 022
# What was begun when a step fails, such as on a full disk.
ar_rest=
ar_fail() {
    printf '%s\n' "$*" >&2
    [ -z "$ar_rest" ] || rm -rf "$ar_rest" "$ar_rest.tar" "$ar_rest.list"
    exit 3
}
