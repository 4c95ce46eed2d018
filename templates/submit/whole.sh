# Functions about snapshots: whether one is whole, and how one is made. Behind common.sh.
command -v sha256sum >/dev/null 2>&1 || sha256sum() { shasum -a 256 "$@"; }

# Whether the folder $1 holds exactly the files of the manifest whose digest is $2.
ar_whole() (
    cd "$1" 2>/dev/null && [ -f .ar-manifest ] || exit 1
    set -- "$(sha256sum <.ar-manifest)" "$2"
    [ "${1%% *}" = "$2" ] || exit 1
    [ "$(find . ! -type d | wc -l)" -eq "$(($(wc -l <.ar-manifest) + 1))" ] || exit 1
    if grep -q '^100' .ar-manifest; then
        sed -n 's/^100[67][45][45] //p' .ar-manifest | sha256sum -c - >/dev/null 2>&1 || exit 1
    fi
    while read -r mode sum path; do
        case $mode in
        100755) [ -f "$path" ] && [ ! -L "$path" ] && [ -x "$path" ] || exit 1 ;;
        100644) [ -f "$path" ] && [ ! -L "$path" ] || exit 1 ;;
        120000)
            set -- "$(printf %s "$(readlink "$path")" | sha256sum)"
            [ "${1%% *}" = "$sum" ] || exit 1
            ;;
        *) exit 1 ;;
        esac
    done <.ar-manifest
)

# Makes the unpacked folder $1 the read-only snapshot $2 with the manifest $3.
ar_place() {
    if ! ar_whole "$1" "$3"; then
        rm -rf "$1"
        ar_fail "the files that arrived are not those of the manifest"
    fi
    chmod -R a-w,a+rX "$1"
    if [ -d "$2" ] && ! ar_whole "$2" "$3"; then
        # Never used, never deleted.
        n=1
        while [ -e "$2.changed-$n" ]; do n=$((n + 1)); done
        mv "$2" "$2.changed-$n"
    fi
    if [ ! -d "$2" ]; then
        mv -T "$1" "$2" 2>/dev/null || { [ ! -d "$2" ] && mv "$1" "$2"; }
    fi
    # Somebody else was faster.
    [ ! -d "$1" ] || { chmod -R u+w "$1" && rm -rf "$1"; }
    ar_whole "$2" "$3" || ar_fail "the snapshot $2 cannot be made"
}
