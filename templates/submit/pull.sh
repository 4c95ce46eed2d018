# Brings the clone ar_clone on this site to the branch's newest commit, by fast-forward only, and takes the snapshot
# ar_tree from its commit ar_commit. Its input is the manifest. Git 1.8.3 is enough.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
cd "$ar_clone" 2>/dev/null || ar_fail "there is no folder $ar_clone"
git rev-parse --git-dir >/dev/null 2>&1 || ar_fail "$ar_clone is no clone of the repository"
head=$(git rev-parse -q --verify HEAD) || ar_fail "$ar_clone has no commit yet"
branch=$(git symbolic-ref -q --short HEAD)
[ "$branch" = "$ar_branch" ] ||
    ar_fail "$ar_clone is on ${branch:-no branch} at $head; the run's commit $ar_commit belongs to $ar_branch"
dirty=$(git status --porcelain -uno | head -n 3)
[ -z "$dirty" ] || ar_fail "$ar_clone at $head has edited files, so commit $ar_commit is not pulled: $dirty"
if ! git merge-base --is-ancestor "$ar_commit" HEAD 2>/dev/null; then
    said=$(GIT_TERMINAL_PROMPT=0 git pull -q --ff-only </dev/null 2>&1 >/dev/null) ||
        ar_fail "$ar_clone stays at $head; commit $ar_commit is not there, and git pull --ff-only says: $(printf '%s\n' "$said" | tail -n 3)"
fi
git merge-base --is-ancestor "$ar_commit" HEAD 2>/dev/null ||
    ar_fail "$ar_clone is at $(git rev-parse HEAD), which does not hold commit $ar_commit: it was not pushed to where this clone pulls from"
# The working tree of this clone is nobody's snapshot: what waits in the queue must not change with the next pull.
new=$ar_base/snapshots/.new-$ar_tree-$$
ar_rest=$new
mkdir "$new" && ar_input "$new/.ar-manifest" || ar_fail "$new cannot be written"
sed 's/^[0-9]* [0-9a-f]*  //' "$new/.ar-manifest" | tr '\n' '\000' >"$new.list"
git archive --format=tar "$ar_commit" | (cd "$new" && tar -xof - --null -T "../${new##*/}.list") ||
    ar_fail "git archive in $ar_clone failed for commit $ar_commit"
rm -f "$new.list"
cd "$ar_base/snapshots" && ar_place "${new##*/}" "$ar_tree" "$ar_manifest"
