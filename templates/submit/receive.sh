# Its input is the tar archive of the snapshot ar_tree with the manifest ar_manifest.
cd "$ar_base/snapshots" || ar_fail "$ar_base/snapshots cannot be used"
new=.new-$ar_tree-$$
ar_rest=$ar_base/snapshots/$new
ar_input "$new.tar" || ar_fail "the archive did not arrive whole, or cannot be stored in $ar_base"
mkdir "$new" && (cd "$new" && tar -xof "../$new.tar") || ar_fail "the archive cannot be unpacked in $ar_base"
rm -f "$new.tar"
ar_place "$new" "$ar_tree" "$ar_manifest"
