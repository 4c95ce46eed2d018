//! The entities of the loop as they stand in their files: settings and iteration.
//!
//! Every struct is one file's content or a part of it. Nothing that can be derived is in here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::IterId;
use super::phase::Phase;

/// `configs/ar.yaml`: what a repository sets once.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// File version.
    pub schema: u32,
    /// The branch that holds the program's state.
    #[serde(default = "develop")]
    pub branch: String,
    /// Whether phases and gates are on.
    #[serde(default, rename = "loop")]
    pub phases: Switch,
    /// What trains: `reference`, `engine`, or a command of one's own.
    #[serde(default)]
    pub trainer: Trainer,
    /// Where the configs are.
    #[serde(default = "configs")]
    pub config_dir: String,
    /// Paths that make up the code tree; everything when empty.
    #[serde(default)]
    pub code: Vec<String>,
    /// The cluster where experiments run when nothing else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The oldest git-ar that may work here.
    #[serde(default)]
    pub min_version: Option<String>,
}

impl Settings {
    /// The first key whose value cannot be meant, and why. The values go to git and to the file system.
    #[must_use]
    pub fn wrong(&self) -> Option<(&'static str, String)> {
        let inside = |path: &str| {
            let part = |p: &str| !matches!(p, "" | "." | "..") && !p.chars().any(char::is_control);
            path.split('/').all(part)
        };
        let word = |c: char| c.is_alphanumeric() || "-_./+@#=".contains(c);
        let branch = &self.branch;
        if branch.is_empty() || branch.starts_with('-') || branch.contains("..") || !branch.chars().all(word) {
            return Some(("branch", format!("`{}` is no name of a branch", super::text::printable(branch))));
        }
        if !inside(self.config_dir.trim_end_matches('/')) {
            return Some((
                "config_dir",
                format!("`{}` is no folder of this repository", super::text::printable(&self.config_dir)),
            ));
        }
        if let Some(path) = self.code.iter().find(|path| !inside(path.trim_end_matches('/'))) {
            return Some(("code", format!("`{}` is no path of this repository", super::text::printable(path))));
        }
        match &self.trainer {
            Trainer::Command(words) if words.first().is_none_or(|w| w.trim().is_empty()) => {
                Some(("trainer", "`trainer` names no program".into()))
            }
            _ => None,
        }
    }
}

fn develop() -> String {
    "develop".into()
}

fn configs() -> String {
    "configs".into()
}

/// `on` or `off`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// On.
    #[default]
    On,
    /// Off.
    Off,
}

/// What trains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Trainer {
    /// `reference` or `engine`.
    Named(BuiltIn),
    /// Program and arguments.
    Command(Vec<String>),
}

impl Default for Trainer {
    fn default() -> Self {
        Self::Named(BuiltIn::Engine)
    }
}

impl Trainer {
    /// Whether it comes with git-ar, so that the keys it reads are known.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        matches!(self, Self::Named(_))
    }
}

/// The trainers that come with git-ar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BuiltIn {
    /// The reference trainer: the contract as one short file, on the digits images only.
    Reference,
    /// `git-ar-train`.
    Engine,
}

/// `projects/<slug>/iterations/<id>-<slug>/iteration.yaml`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Iteration {
    /// File version.
    pub schema: u32,
    /// Where it stands; equals the last step.
    pub phase: Phase,
    /// Every step so far, oldest first. Append-only.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What is asked.
    #[serde(default)]
    pub question: String,
    /// What is believed.
    #[serde(default)]
    pub hypothesis: String,
    /// What will be measured if the belief is right.
    #[serde(default)]
    pub prediction: Option<Prediction>,
    /// The experiments that are to be run.
    #[serde(default)]
    pub plan: Vec<Planned>,
    /// The reason, when the iteration is declared a negative result.
    #[serde(default)]
    pub negative: Option<String>,
    /// Directions that follow from it; `none` is a direction too.
    #[serde(default)]
    pub next: Vec<String>,
    /// Gates that are set aside.
    #[serde(default)]
    pub waivers: Vec<Waiver>,
    /// The iteration that this one replaces.
    #[serde(default)]
    pub supersedes: Option<IterId>,
    /// The row that its rows are compared with: `<project>/<iteration>/<experiment>`.
    #[serde(default)]
    pub compare_to: Option<String>,
    /// How its rows look on a board.
    #[serde(default)]
    pub display: Display,
}

/// One move between phases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Where it led.
    pub to: Phase,
    /// When, UTC, RFC 3339.
    pub at: jiff::Timestamp,
    /// Why, for a step back and for `abandoned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What is predicted, before any full run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// The metric, such as `val/accuracy`.
    pub metric: String,
    /// Which way is better.
    pub direction: Direction,
    /// The row to beat, `<project>/<iteration>/<experiment>`, or `none`.
    pub baseline: String,
    /// Why there is no baseline.
    #[serde(default)]
    pub reason: Option<String>,
    /// The smallest difference that counts, as a fraction; with `baseline: none` the value to reach.
    pub minimal_effect: f64,
    /// Seeds per cell.
    pub seeds: u32,
}

/// Which way a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Higher is better.
    Maximize,
    /// Lower is better.
    Minimize,
}

/// One line of the plan: an experiment, its overrides (a sweep makes several cells) and its seeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// A config under `configs/experiment/`.
    pub experiment: String,
    /// Overrides, as on the command line.
    #[serde(default)]
    pub overrides: Vec<String>,
    /// Seeds of every cell.
    pub seeds: Seeds,
    /// The cluster where it is to run; the one of configs/ar.yaml when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The queue there; the profile's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The walltime of a job, `HH:MM:SS`; estimated when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walltime: Option<String>,
}

/// A gate set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The gate's name.
    pub gate: String,
    /// Why.
    pub reason: String,
    /// The last day it holds, UTC.
    pub expires: jiff::civil::Date,
}

/// How an iteration's rows look on a board.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Display {
    /// Row labels by experiment.
    #[serde(default)]
    pub rows: std::collections::BTreeMap<String, String>,
    /// Footnote keys by experiment.
    #[serde(default)]
    pub footnotes: std::collections::BTreeMap<String, Vec<String>>,
}

/// A list of seeds, written `[0, 1, 2]` or `0-4` or `0-2,7`; sorted, without repeats.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "SeedsText", into = "Vec<u64>")]
pub struct Seeds(Vec<u64>);

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum SeedsText {
    List(#[schemars(length(min = 1))] Vec<u64>),
    One(u64),
    Text(#[schemars(regex(pattern = r"^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$"))] String),
}

impl Seeds {
    /// At most this many seeds in one list.
    pub const MOST: usize = 10_000;

    /// The seeds in order.
    #[must_use]
    pub fn as_slice(&self) -> &[u64] {
        &self.0
    }
}

impl TryFrom<Vec<u64>> for Seeds {
    type Error = String;

    fn try_from(mut seeds: Vec<u64>) -> Result<Self, String> {
        let given = seeds.len();
        seeds.sort_unstable();
        seeds.dedup();
        match seeds.len() {
            0 => Err("no seeds; write them as [0, 1, 2] or 0-4".into()),
            n if n < given => Err("a seed is given twice".into()),
            n if n > Self::MOST => Err(format!("more than {} seeds", Self::MOST)),
            _ => Ok(Self(seeds)),
        }
    }
}

impl std::str::FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number =
            |t: &str| t.trim().parse::<u64>().map_err(|_| format!("`{text}` is no list of seeds; write 0-4 or 0,1,2"));
        let mut seeds = Vec::new();
        for part in text.split(',') {
            match part.split_once('-') {
                Some((first, last)) => {
                    let (first, last) = (number(first)?, number(last)?);
                    if last < first || last - first >= Self::MOST as u64 {
                        return Err(format!("`{part}` is no range of seeds"));
                    }
                    seeds.extend(first..=last);
                }
                None => seeds.push(number(part)?),
            }
        }
        seeds.try_into()
    }
}

impl TryFrom<SeedsText> for Seeds {
    type Error = String;

    fn try_from(text: SeedsText) -> Result<Self, String> {
        match text {
            SeedsText::List(seeds) => seeds.try_into(),
            SeedsText::One(seed) => vec![seed].try_into(),
            SeedsText::Text(text) => text.parse(),
        }
    }
}

impl From<Seeds> for Vec<u64> {
    fn from(seeds: Seeds) -> Self {
        seeds.0
    }
}

impl std::fmt::Display for Seeds {
    /// Ranges where there are any: `0-4,7`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0.as_slice();
        let mut comma = "";
        while let Some(first) = rest.first() {
            let run = rest.iter().zip(*first..).take_while(|(seed, want)| **seed == *want).count();
            match run {
                1 => write!(f, "{comma}{first}")?,
                _ => write!(f, "{comma}{first}-{}", rest[run - 1])?,
            }
            rest = &rest[run..];
            comma = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::yaml::{from_str, to_string};

    #[test]
    fn seeds_read_and_show_ranges() {
        let seeds: Seeds = "0-2,7".parse().unwrap();
        assert_eq!(seeds.as_slice(), [0, 1, 2, 7]);
        assert_eq!(seeds.to_string(), "0-2,7");
        for bad in ["", "a", "2-1", "0,0", "1-", "0-99999999999"] {
            assert!(bad.parse::<Seeds>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_plan_reads_every_form_of_seeds() {
        let plan: Vec<Planned> =
            from_str("- {experiment: a, seeds: 0-1}\n- {experiment: b, seeds: [3]}\n- {experiment: c, seeds: 4}\n")
                .unwrap();
        assert_eq!(
            plan.iter().map(|p| p.seeds.as_slice().to_vec()).collect::<Vec<_>>(),
            [vec![0, 1], vec![3], vec![4]]
        );
        assert_eq!(from_str::<Vec<Planned>>(&to_string(&plan)).unwrap(), plan);
    }

    #[test]
    fn settings_have_defaults() {
        let settings: Settings = from_str("schema: 1\nloop: off\ntrainer: [python, train.py]\n").unwrap();
        assert_eq!((settings.branch.as_str(), settings.phases), ("develop", Switch::Off));
        assert_eq!(settings.trainer, Trainer::Command(vec!["python".into(), "train.py".into()]));
    }
}
