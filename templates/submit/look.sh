# Makes the folders of the repository and says where they are and whether the snapshot ar_tree (manifest ar_manifest)
# is there. The Python environment ar_venv, where there is one, must stand.
mkdir -p "$ar_base/snapshots" "$ar_base/runs" && cd "$ar_base" || ar_fail "$ar_base cannot be used"
[ -z "$ar_venv" ] || [ -f "$ar_venv/.ar-whole" ] || ar_fail "the Python environment $ar_venv is not there yet"
if [ ! -d "snapshots/$ar_tree" ]; then
    state=absent
elif ar_whole "snapshots/$ar_tree" "$ar_manifest"; then
    state=whole
else
    state=changed
fi
printf 'snapshot %s\n' "$state"
printf 'base %s\n' "$(pwd -P)"
