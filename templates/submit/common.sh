# Functions that every step of a submit shares. Before it: ar_base, the repository's folder on this site.
LC_ALL=C
export LC_ALL
umask 022
ar_fail() {
    printf '%s\n' "$*" >&2
    exit 3
}
