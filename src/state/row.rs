//! The name of a row: `<project>/<iteration>/<experiment>`, or `<project>/<experiment>` with `loop: off`.

use std::fmt;
use std::str::FromStr;

use super::ids::{IterId, Slug};

/// A row's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowName {
    /// The project.
    pub project: Slug,
    /// The iteration; none with `loop: off`.
    pub iteration: Option<IterId>,
    /// The experiment.
    pub experiment: String,
}

impl FromStr for RowName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "`{}` is no row; write <project>/<iteration>/<experiment>, such as anp-snn/8b/mnist_scnn",
                super::text::printable(text)
            )
        };
        let (project, rest) = text.split_once('/').ok_or_else(bad)?;
        let project = Slug::try_from(project).map_err(|_| bad())?;
        let named = rest.split_once('/').and_then(|(id, experiment)| Some((id.parse().ok()?, experiment)));
        let (iteration, experiment) = named.map_or((None, rest), |(id, experiment)| (Some(id), experiment));
        if experiment.is_empty() {
            return Err(bad());
        }
        Ok(Self { project, iteration, experiment: experiment.to_string() })
    }
}

impl fmt::Display for RowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.project)?;
        if let Some(id) = self.iteration {
            write!(f, "{id}/")?;
        }
        f.write_str(&self.experiment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for text in ["anp-snn/8b/mnist_scnn", "p/1/group/x", "p/x"] {
            assert_eq!(text.parse::<RowName>().unwrap().to_string(), text);
        }
        for bad in ["", "x", "P/1/x", "p/", "p/1/"] {
            assert!(bad.parse::<RowName>().is_err(), "{bad}");
        }
    }
}
