//! The phases of an iteration and the steps between them: one table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an iteration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Before the first step.
    Planned,
    /// Reading, asking, predicting.
    Survey,
    /// Code, configs, smoke runs.
    Implement,
    /// Full runs.
    Experiment,
    /// Health, comparison, the prediction's score.
    Analyze,
    /// Findings and what comes next.
    Conclude,
    /// Done; never reopened.
    Concluded,
    /// Given up, with a reason.
    Abandoned,
}

/// Every phase in order.
pub const PHASES: [Phase; 8] = [
    Phase::Planned,
    Phase::Survey,
    Phase::Implement,
    Phase::Experiment,
    Phase::Analyze,
    Phase::Conclude,
    Phase::Concluded,
    Phase::Abandoned,
];

/// What kind of move a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// One phase on; the gate of the phase that is left must hold.
    Forward,
    /// Back, with a reason.
    Back,
    /// To `abandoned`, with a reason.
    Abandon,
}

/// The forward and back steps. `abandoned` is reached from every phase that is not an end.
pub const TRANSITIONS: [(Phase, Phase, Move); 10] = [
    (Phase::Planned, Phase::Survey, Move::Forward),
    (Phase::Survey, Phase::Implement, Move::Forward),
    (Phase::Implement, Phase::Experiment, Move::Forward),
    (Phase::Experiment, Phase::Analyze, Move::Forward),
    (Phase::Analyze, Phase::Conclude, Move::Forward),
    (Phase::Conclude, Phase::Concluded, Move::Forward),
    (Phase::Implement, Phase::Survey, Move::Back),
    (Phase::Experiment, Phase::Implement, Move::Back),
    (Phase::Analyze, Phase::Experiment, Move::Back),
    (Phase::Analyze, Phase::Implement, Move::Back),
];

impl Phase {
    /// The word in files and commands.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Survey => "survey",
            Self::Implement => "implement",
            Self::Experiment => "experiment",
            Self::Analyze => "analyze",
            Self::Conclude => "conclude",
            Self::Concluded => "concluded",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether no step leads on from here.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Concluded | Self::Abandoned)
    }

    /// Whether an iteration in this phase is being worked on.
    #[must_use]
    pub fn is_active(self) -> bool {
        !self.is_end() && self != Self::Planned
    }

    /// The phase one step forward.
    #[must_use]
    pub fn next(self) -> Option<Phase> {
        TRANSITIONS.iter().find(|(from, _, kind)| *from == self && *kind == Move::Forward).map(|(_, to, _)| *to)
    }

    /// What kind of step leads from here to `to`; `None` when there is none.
    #[must_use]
    pub fn step(self, to: Phase) -> Option<Move> {
        if to == Self::Abandoned && !self.is_end() {
            return Some(Move::Abandon);
        }
        TRANSITIONS.iter().find(|(from, end, _)| *from == self && *end == to).map(|(_, _, kind)| *kind)
    }

    /// Every phase that one step reaches from here.
    #[must_use]
    pub fn reachable(self) -> Vec<Phase> {
        PHASES.into_iter().filter(|to| self.step(*to).is_some()).collect()
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_road_has_no_short_cut() {
        let mut phase = Phase::Planned;
        let mut seen = vec![phase];
        while let Some(next) = phase.next() {
            seen.push(next);
            phase = next;
        }
        assert_eq!(seen, PHASES[..7]);
        assert_eq!(Phase::Survey.step(Phase::Experiment), None);
        assert_eq!(Phase::Concluded.reachable(), []);
        assert_eq!(Phase::Analyze.step(Phase::Implement), Some(Move::Back));
        assert_eq!(Phase::Planned.step(Phase::Abandoned), Some(Move::Abandon));
    }
}
