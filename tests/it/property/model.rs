//! What may happen: the operations, and the table of legal steps, written down a second time.

use std::collections::BTreeMap;

use super::chance::Chance;

/// One operation. Numbers choose an iteration, whichever there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// `iter new`.
    New,
    /// `phase next`.
    Next(usize),
    /// `phase back` by one phase.
    Back(usize),
    /// `iter abandon`.
    Abandon(usize),
    /// Writes what the survey asks for, and waives the gates of the later phases.
    Prepare(usize),
    /// One more item in a list of the iteration.
    Note(usize),
    /// A jump in the file, committed by hand.
    Jump(usize),
    /// A rewritten step, committed by hand.
    Rewrite(usize),
    /// A verb while git has something stashed.
    Stashed(usize),
    /// The other branch.
    Switch,
    /// `git merge` of the other branch.
    Merge,
    /// `git merge --squash` of the other branch, and a commit.
    Squash,
    /// `git rebase` on the other branch.
    Rebase,
    /// `git cherry-pick` of the other branch's last commit.
    Pick,
    /// `git commit --amend`.
    Amend,
    /// `git reset --hard HEAD~1`.
    Reset,
    /// A verb that is killed: at this effect where the build has failpoints.
    Killed(usize, usize),
    /// A jump that goes round every hook; only the test of the shrinker does this.
    Forged(usize),
}

impl Op {
    /// An operation; common ones come often.
    pub(super) fn random(chance: &mut Chance) -> Self {
        let which = chance.below(4);
        match chance.below(24) {
            0..=2 => Self::New,
            3..=6 => Self::Next(which),
            7 => Self::Back(which),
            8 => Self::Abandon(which),
            9..=11 => Self::Prepare(which),
            12 | 13 => Self::Note(which),
            14 => Self::Jump(which),
            15 => Self::Rewrite(which),
            16 => Self::Stashed(which),
            17 | 18 => Self::Switch,
            19 => Self::Merge,
            20 => [Self::Squash, Self::Rebase][which % 2],
            21 => [Self::Pick, Self::Amend][which % 2],
            22 => Self::Reset,
            _ => Self::Killed(which, 1 + chance.below(30)),
        }
    }
}

/// The road, and the steps back.
const ROAD: [&str; 7] = ["planned", "survey", "implement", "experiment", "analyze", "conclude", "concluded"];
const BACK: [(&str, &str); 4] =
    [("implement", "survey"), ("experiment", "implement"), ("analyze", "experiment"), ("analyze", "implement")];

/// The phase one step forward.
pub(super) fn next(phase: &str) -> Option<&'static str> {
    let at = ROAD.iter().position(|known| *known == phase)?;
    ROAD.get(at + 1).copied()
}

/// A phase one step back.
pub(super) fn back(phase: &str) -> Option<&'static str> {
    BACK.iter().find(|(from, _)| *from == phase).map(|(_, to)| *to)
}

/// An iteration: its folder's name, its phase, and each step as `phase@time`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Iteration {
    pub(super) folder: String,
    pub(super) phase: String,
    pub(super) steps: Vec<String>,
}

impl Iteration {
    /// What is wrong with it by the table.
    pub(super) fn wrong(&self) -> Option<String> {
        let mut phase = "planned";
        for step in &self.steps {
            let to = step.split('@').next().unwrap_or_default();
            let end = matches!(phase, "concluded" | "abandoned");
            let legal = next(phase) == Some(to) || BACK.contains(&(phase, to)) || to == "abandoned";
            if end || !legal {
                return Some(format!("{}: a step from {phase} to {to}", self.folder));
            }
            phase = to;
        }
        (self.phase != phase).then(|| format!("{}: phase {}, steps end in {phase}", self.folder, self.phase))
    }
}

/// The iterations of a commit by folder.
pub(super) type State = BTreeMap<String, Iteration>;

/// Whether a merge of two states needs no person: no id twice, and of each iteration one list of steps holds both.
pub(super) fn merges(ours: &State, theirs: &State) -> bool {
    let id = |folder: &String| folder.split('-').next().unwrap_or_default().to_string();
    let one = |folder: &String, iteration: &Iteration| match ours.get(folder) {
        Some(mine) => mine.steps.starts_with(&iteration.steps) || iteration.steps.starts_with(&mine.steps),
        None => !ours.keys().any(|other| id(other) == id(folder)),
    };
    theirs.iter().all(|(folder, iteration)| one(folder, iteration))
}

/// What of `part` is missing in `whole`.
pub(super) fn lost(part: &State, whole: &State) -> Option<String> {
    let holds = |folder: &String, iteration: &Iteration| {
        whole.get(folder).is_some_and(|found| found.steps.starts_with(&iteration.steps))
    };
    part.iter().find(|(folder, iteration)| !holds(folder, iteration)).map(|(folder, _)| format!("{folder} lost steps"))
}
