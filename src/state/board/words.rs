//! The words of a board's file: sections, columns, predicates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::state::text::nearest;

/// What a row must fulfil.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^(valid|converged|seeds >= [1-9][0-9]*)$"))]
pub enum Predicate {
    /// Every seed that was asked for and not excluded has a result.
    Valid,
    /// No seed was still improving when it ended.
    Converged,
    /// At least so many seeds.
    Seeds(usize),
}

impl Predicate {
    pub(super) fn usual() -> Vec<Self> {
        vec![Self::Valid]
    }
}

impl TryFrom<String> for Predicate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["valid"] => Ok(Self::Valid),
            ["converged"] => Ok(Self::Converged),
            ["seeds", ">=", n] if n.parse::<usize>().is_ok_and(|n| n > 0) => {
                Ok(Self::Seeds(n.parse().expect("checked above")))
            }
            _ => Err(format!("`{text}` is no predicate; there are valid, converged and \"seeds >= N\"")),
        }
    }
}

impl From<Predicate> for String {
    fn from(predicate: Predicate) -> Self {
        match predicate {
            Predicate::Valid => "valid".into(),
            Predicate::Converged => "converged".into(),
            Predicate::Seeds(n) => format!("seeds >= {n}"),
        }
    }
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident $word:literal $title:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// All of them with their words in files.
            pub const ALL: &[(&'static str, $name)] = &[$(($word, $name::$variant),)*];

            /// The heading.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

words! {
    /// A section of a board.
    Section {
        /// Rows that fulfil the policy, best first.
        Ranked "ranked" "Ranked",
        /// Runs that have no verdict yet.
        Active "active" "Active",
        /// What iterations plan and have not run.
        Planned "planned" "Planned",
        /// Results that do not fulfil the policy, with reasons.
        NotRanked "not_ranked" "Not ranked",
        /// Runs set aside, with reasons.
        Excluded "excluded" "Excluded",
        /// Figures from elsewhere.
        Reported "reported" "Reported elsewhere",
        /// The notes that rows name.
        Footnotes "footnotes" "Footnotes",
        /// What was found.
        Findings "findings" "Findings",
    }
}

impl Section {
    pub(super) fn all() -> Vec<Self> {
        Self::ALL.iter().map(|(_, section)| *section).collect()
    }
}

words! {
    /// A column whose meaning is built in.
    Known {
        /// Place in the ranking; rows of one tier share it.
        Rank "rank" "#",
        /// Rows that are not told apart share a tier.
        Tier "tier" "Tier",
        /// The project.
        Project "project" "Project",
        /// The iteration.
        Iteration "iteration" "Iter",
        /// The row's label.
        Model "model" "Model",
        /// The ranked metric.
        Mean "mean" "Mean",
        /// The metric beside it.
        Test "test" "Test",
        /// Difference to the row that its iteration compares with.
        Delta "delta" "Delta",
        /// The figure reported elsewhere for the same experiment.
        Reported "reported" "Reported",
        /// How many seeds.
        Seeds "seeds" "Seeds",
        /// Trained numbers of the model.
        Parameters "parameters" "Parameters",
        /// Epochs run, over the seeds.
        Epochs "epochs" "Epochs",
        /// Wall-clock time of a seed.
        Time "time" "Time",
        /// How many seeds trained without trouble.
        Health "health" "Healthy",
        /// Footnote keys.
        Notes "notes" "Notes",
    }
}

/// A column: one of the built-in words, or `Title=path.in.config`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub enum Column {
    /// A built-in one.
    Known(Known),
    /// A value of the run's config under a title.
    Config {
        /// The heading.
        title: String,
        /// Keys joined by dots.
        path: String,
    },
}

impl Column {
    pub(super) fn usual() -> Vec<Self> {
        use Known::{Delta, Iteration, Mean, Model, Notes, Project, Rank, Reported, Test};
        [Rank, Project, Iteration, Model, Mean, Test, Delta, Reported, Notes].map(Self::Known).to_vec()
    }
}

impl TryFrom<String> for Column {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some((title, path)) = text.split_once('=').map(|(title, path)| (title.trim(), path.trim()))
            && !title.is_empty()
            && !path.is_empty()
        {
            return Ok(Self::Config { title: title.into(), path: path.into() });
        }
        if let Some((_, known)) = Known::ALL.iter().find(|(word, _)| *word == text) {
            return Ok(Self::Known(*known));
        }
        Err(match nearest(&text, Known::ALL.iter().map(|(word, _)| *word)) {
            Some(near) => format!("`{text}` is no column; did you mean `{near}`?"),
            None => format!("`{text}` is no column; a value of the config is written Title=path.in.config"),
        })
    }
}

impl From<Column> for String {
    fn from(column: Column) -> Self {
        match column {
            Column::Config { title, path } => format!("{title}={path}"),
            Column::Known(known) => {
                let word = Known::ALL.iter().find(|(_, k)| *k == known).map(|(word, _)| *word);
                word.expect("every column is in its own list").into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_predicates_read_back_what_they_write() {
        for text in ["rank", "notes", "Optimizer=optimizer.name"] {
            let column = Column::try_from(text.to_string()).unwrap();
            assert_eq!(String::from(column), text);
        }
        for text in ["valid", "converged", "seeds >= 5"] {
            assert_eq!(String::from(Predicate::try_from(text.to_string()).unwrap()), text);
        }
        for bad in ["", "seeds >= 0", "seeds>=5", "valid "] {
            assert_eq!(Predicate::try_from(bad.to_string()).is_ok(), bad == "valid ", "{bad}");
        }
        assert!(Column::try_from("=a".to_string()).is_err());
    }
}
