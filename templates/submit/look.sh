# Makes the folders of the repository and says where they are and whether the snapshot ar_tree (manifest ar_manifest)
# is there.
mkdir -p "$ar_base/snapshots" "$ar_base/runs" && cd "$ar_base" || ar_fail "$ar_base cannot be used"
if [ ! -d "snapshots/$ar_tree" ]; then
    state=absent
elif ar_whole "snapshots/$ar_tree" "$ar_manifest"; then
    state=whole
else
    state=changed
fi
printf 'snapshot %s\n' "$state"
printf 'base %s\n' "$(pwd -P)"
