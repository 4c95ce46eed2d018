//! The real thing: one repository with hooks, two branches, the real programs.

use git_ar::repo::{Environment, Repo};
use git_ar::state::ids::Slug;
use git_ar::state::load;
use git_ar::state::rules::GATES;
use git_ar::state::tree::Tree as _;
use git_ar::state::yaml::edit;

use super::model::{Iteration, Op, State, back, lost, merges, next};
use crate::sandbox::Sandbox;

const SURVEY: &str = "## What is known\nMuch [@x].\n\n## What is missing\nWidth.\n\n## What we expect\nMore.\n";
const PREDICTION: &str =
    "{metric: val/accuracy, direction: maximize, baseline: none, reason: first, minimal_effect: 0.9, seeds: 2}";

type Checked = Result<(), String>;

pub(super) struct World {
    sandbox: Sandbox,
    /// The first commit: nothing goes before it.
    root: String,
    made: usize,
}

impl World {
    pub(super) fn new() -> Self {
        let sandbox = Sandbox::repository();
        sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
        sandbox.write("projects/p/project.yaml", "schema: 1\ntitle: P\nquestion: Q\n");
        let read = "schema: 1\nreferences:\n  - {key: x, title: X, doi: 10.1000/x, says: much}\n";
        sandbox.write("projects/p/references.yaml", read);
        sandbox.git("add -A");
        sandbox.git("commit -q -m start");
        sandbox.run("hook install");
        sandbox.git("branch side");
        let root = sandbox.git("rev-parse HEAD").trim().to_string();
        Self { sandbox, root, made: 0 }
    }

    /// Does one operation and judges what came of it.
    pub(super) fn apply(&mut self, op: Op) -> Checked {
        let (head, before) = (self.head(), self.state("HEAD")?);
        match op {
            Op::New => self.new_iteration(&before),
            Op::Next(which) => self.step(&before, which, "phase next", next),
            Op::Back(which) => self.step(&before, which, "phase back --reason why", back),
            Op::Abandon(which) => self.step(&before, which, "iter abandon --reason why", |phase| {
                (!matches!(phase, "concluded" | "abandoned")).then_some("abandoned")
            }),
            Op::Prepare(which) => self.prepare(&before, which),
            Op::Note(which) => self.note(&before, which),
            Op::Jump(which) => self.by_hand(&before, which, |text| edit::set(text, "phase", "conclude").unwrap()),
            Op::Rewrite(which) => self.by_hand(&before, which, |text| text.replace("at: \"2026", "at: \"2025")),
            Op::Stashed(which) => self.stashed(&before, which),
            Op::Switch => self.switch(),
            Op::Merge => self.merge(&head, &before),
            Op::Squash => self.squash(&head, &before),
            Op::Rebase => self.replayed("rebase", &head, &before),
            Op::Pick => self.replayed("cherry-pick", &head, &before),
            Op::Amend => self.amend(&head, &before),
            Op::Reset => self.reset(&head),
            Op::Killed(which, at) => self.killed(&before, which, at),
            Op::Forged(which) => self.forged(&before, which),
        }?;
        self.sound()
    }

    /// Whether every commit of both branches passes the rungs behind the hooks.
    pub(super) fn end(&self) -> Checked {
        for branch in ["develop", "side"] {
            let said = self.sandbox.run(&format!("check --range {}..{branch}", self.root));
            if said.contains("[exit") && !said.contains("board render") {
                return Err(format!("{branch}: {said}"));
            }
        }
        Ok(())
    }

    /// The phases that the iterations are in.
    pub(super) fn phases(&self) -> Vec<String> {
        self.state("HEAD").unwrap().into_values().map(|iteration| iteration.phase).collect()
    }

    fn git(&self, words: &str) -> String {
        self.sandbox.try_git(self.sandbox.top(), words)
    }

    fn head(&self) -> String {
        self.sandbox.git("rev-parse HEAD").trim().to_string()
    }

    fn other(&self) -> &'static str {
        if self.git("branch --show-current").trim() == "side" { "develop" } else { "side" }
    }

    /// The iterations of a commit, read from its tree.
    fn state(&self, rev: &str) -> Result<State, String> {
        let repo = Repo::discover(self.sandbox.top(), Environment::Ignored).map_err(|e| e.to_string())?;
        let tree = repo.commit_tree(rev).map_err(|e| e.to_string())?;
        let mut state = State::new();
        for view in load::iterations(&tree, &Slug::try_from("p").unwrap()).map_err(|e| e.to_string())? {
            let folder = view.folder.rsplit('/').next().unwrap_or_default().to_string();
            let steps = view.iteration.steps.iter().map(|step| format!("{}@{}", step.to, step.at)).collect();
            let phase = view.iteration.phase.to_string();
            state.insert(folder.clone(), Iteration { folder, phase, steps });
        }
        assert!(tree.read("configs/ar.yaml").unwrap().is_some());
        Ok(state)
    }

    /// Nothing is left lying about, and every iteration is legal.
    fn sound(&self) -> Checked {
        let status = self.git("status --porcelain");
        if !status.is_empty() {
            return Err(format!("the work tree is not clean:\n{status}"));
        }
        match self.state("HEAD")?.values().find_map(Iteration::wrong) {
            Some(wrong) => Err(wrong),
            None => Ok(()),
        }
    }

    fn unchanged(&self, before: &State, said: &str) -> Checked {
        if self.state("HEAD")? == *before { Ok(()) } else { Err(format!("the state is another one:\n{said}")) }
    }

    fn new_iteration(&mut self, before: &State) -> Checked {
        self.made += 1;
        let said = self.sandbox.run(&format!("iter new p t{}", self.made));
        let after = self.state("HEAD")?;
        match !said.contains("[exit") && after.len() == before.len() + 1 && lost(before, &after).is_none() {
            true => Ok(()),
            false => Err(format!("one more was wanted:\n{said}")),
        }
    }

    /// A verb that takes one step, or refuses and changes nothing.
    fn step(&self, before: &State, which: usize, verb: &str, to: impl Fn(&str) -> Option<&'static str>) -> Checked {
        let Some(iteration) = chosen(before, which) else { return Ok(()) };
        let wanted = to(&iteration.phase);
        let id = iteration.folder.split('-').next().unwrap_or_default();
        let (noun, options) = verb.split_at(verb.find(" --").unwrap_or(verb.len()));
        let target = wanted.filter(|_| noun == "phase back").map_or(String::new(), |to| format!(" --to {to}"));
        let said = self.sandbox.run(&format!("{noun} p/{id}{target}{options}"));
        let after = self.state("HEAD")?;
        let now = after.get(&iteration.folder).ok_or("the iteration is gone")?;
        let one_more = now.steps.len() == iteration.steps.len() + 1 && now.steps.starts_with(&iteration.steps);
        match wanted {
            Some(to) if one_more && now.phase == to && lost(before, &after).is_none() => Ok(()),
            _ if said.contains("[exit") || noun == "phase next" => self.unchanged(before, &said),
            _ => Err(format!("{wanted:?} was wanted:\n{said}")),
        }
    }

    /// Writes a file and commits everything; a refusal is taken back.
    fn commit(&self, files: &[(String, String)]) -> String {
        for (path, text) in files {
            self.sandbox.write(path, text);
        }
        self.git("add -A");
        let said = self.git("commit -q -m by-hand");
        if said.contains("[exit") {
            self.git("reset -q --hard");
        }
        said
    }

    fn prepare(&self, before: &State, which: usize) -> Checked {
        let Some(iteration) = chosen(before, which) else { return Ok(()) };
        let (path, mut text) = self.file(iteration);
        let later = GATES.iter().filter(|gate| gate.phase.word() != "survey");
        let waivers: String =
            later.map(|gate| format!("\n  - {{gate: {}, reason: not here, expires: 2027-01-01}}", gate.name)).collect();
        for (key, value) in [("hypothesis", "width helps"), ("prediction", PREDICTION), ("waivers", &waivers)] {
            text = edit::set(&text, key, value).unwrap();
        }
        let survey = format!("projects/p/iterations/{}/survey.md", iteration.folder);
        let said = self.commit(&[(path, text), (survey, SURVEY.to_string())]);
        self.unchanged(before, &said)
    }

    fn note(&mut self, before: &State, which: usize) -> Checked {
        let Some(iteration) = chosen(before, which) else { return Ok(()) };
        self.made += 1;
        let (path, text) = self.file(iteration);
        let text = edit::append(&text, "next", &format!("n{}", self.made)).unwrap();
        let said = self.commit(&[(path, text)]);
        if said.contains("[exit") {
            return Err(format!("a note was refused:\n{said}"));
        }
        self.unchanged(before, &said)
    }

    fn file(&self, iteration: &Iteration) -> (String, String) {
        let path = format!("projects/p/iterations/{}/iteration.yaml", iteration.folder);
        let text = self.sandbox.read(&path);
        (path, text)
    }

    /// An edit that no hook may let pass.
    fn by_hand(&self, before: &State, which: usize, edit: impl Fn(&str) -> String) -> Checked {
        let Some(iteration) = chosen(before, which).filter(|i| i.phase != "conclude") else { return Ok(()) };
        let (path, text) = self.file(iteration);
        let edited = edit(&text);
        if edited == text {
            return Ok(());
        }
        let said = self.commit(&[(path, edited)]);
        if !said.contains("[exit") {
            return Err("the hook let it pass".into());
        }
        self.unchanged(before, &said)
    }

    fn stashed(&self, before: &State, which: usize) -> Checked {
        let Some(iteration) = chosen(before, which) else { return Ok(()) };
        let (path, text) = self.file(iteration);
        self.sandbox.write(&path, &format!("{text}x-mine: half done\n"));
        self.git("stash -q");
        let taken = self.step(before, which, "phase next", next);
        let popped = self.git("stash pop -q");
        let (_, now) = self.file(iteration);
        let kept = now.contains("x-mine: half done");
        self.git("reset -q --hard");
        taken?;
        if kept { Ok(()) } else { Err(format!("the stashed edit did not come back:\n{popped}\n{now}")) }
    }

    fn switch(&self) -> Checked {
        let said = self.git(&format!("checkout -q {}", self.other()));
        if said.contains("[exit") { Err(said) } else { Ok(()) }
    }

    /// What both have is there afterwards; without a reason for a conflict there is none.
    fn merge(&self, head: &str, before: &State) -> Checked {
        let theirs = self.state(self.other())?;
        let said = self.git(&format!("merge --no-edit {}", self.other()));
        if !said.contains("[exit") {
            let after = self.state("HEAD")?;
            return lost(before, &after).or_else(|| lost(&theirs, &after)).map_or(Ok(()), Err);
        }
        let unmerged = self.git("diff --name-only --diff-filter=U");
        self.git(&format!("reset -q --hard {head}"));
        if merges(before, &theirs) && unmerged.contains("iteration.yaml") {
            return Err(format!("this merges without a person:\n{said}"));
        }
        self.unchanged(before, &said)
    }

    fn squash(&self, head: &str, before: &State) -> Checked {
        let theirs = self.state(self.other())?;
        let mut said = self.git(&format!("merge -q --squash {}", self.other()));
        if !said.contains("[exit") && !self.git("diff --cached --name-only").is_empty() {
            said = self.git("commit -q -m squashed");
        }
        if said.contains("[exit") {
            self.git(&format!("reset -q --hard {head}"));
            return self.unchanged(before, &said);
        }
        let after = self.state("HEAD")?;
        lost(before, &after).or_else(|| lost(&theirs, &after)).map_or(Ok(()), Err)
    }

    /// Commits that are made again elsewhere go round the hooks: the next rung finds what is wrong with them.
    fn replayed(&self, verb: &str, head: &str, before: &State) -> Checked {
        let said = self.git(&format!("{verb} {}", self.other()));
        let failed = said.contains("[exit");
        if failed {
            self.git(&format!("{verb} --abort"));
        }
        let from = if verb == "rebase" { self.other() } else { head };
        let found = self.sandbox.run(&format!("check --range {from}..HEAD"));
        if failed || found.contains("[exit") {
            let known = failed || found.contains("commit ") || found.contains("board render");
            self.git(&format!("reset -q --hard {head}"));
            return if known { self.unchanged(before, &said) } else { Err(format!("no commit is named:\n{found}")) };
        }
        let base = if verb == "rebase" { self.state(self.other())? } else { before.clone() };
        lost(&base, &self.state("HEAD")?).map_or(Ok(()), Err)
    }

    fn amend(&self, head: &str, before: &State) -> Checked {
        if head == self.root {
            return Ok(());
        }
        let said = self.git("commit -q --amend -m amended");
        self.unchanged(before, &said)
    }

    fn reset(&self, head: &str) -> Checked {
        if head == self.root {
            return Ok(());
        }
        let wanted = self.state("HEAD~1")?;
        let said = self.git("reset -q --hard HEAD~1");
        self.unchanged(&wanted, &said)
    }

    /// The step was taken or it was not, and the next command goes on from there.
    fn killed(&self, before: &State, which: usize, at: usize) -> Checked {
        let Some(iteration) = chosen(before, which) else { return Ok(()) };
        let id = iteration.folder.split('-').next().unwrap_or_default();
        // Without failpoints in the build nothing strikes, and it is a step like another.
        let line = format!("GIT_AR_FAIL=kill@{at} git-ar iter abandon p/{id} --reason killed");
        let said = self.sandbox.sh(self.sandbox.top(), &line);
        let lock = self.sandbox.top().join(".git/index.lock");
        // Git itself ends a moment after the command that started it.
        (0..500).take_while(|_| lock.exists()).for_each(|_| std::thread::sleep(std::time::Duration::from_millis(10)));
        let seen = self.sandbox.run("status");
        let after = self.state("HEAD")?;
        if seen.contains("[exit") || lost(before, &after).is_some() {
            return Err(format!("{said}\n{seen}"));
        }
        Ok(())
    }

    fn forged(&self, before: &State, which: usize) -> Checked {
        let Some(iteration) = chosen(before, which) else { return Ok(()) };
        let (path, text) = self.file(iteration);
        self.sandbox.write(&path, &edit::set(&text, "phase", "concluded").unwrap());
        self.git("commit -q -a --no-verify -m forged");
        Ok(())
    }
}

/// An iteration of the state.
fn chosen(state: &State, which: usize) -> Option<&Iteration> {
    state.values().nth(which % state.len().max(1))
}
