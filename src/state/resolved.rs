//! Facts out of the resolved configs that runs keep (`config.yaml`), each distinct text parsed once.

use std::collections::HashMap;
use std::rc::Rc;

use super::problem::Problem;
use super::tree::{Tree, join};
use super::yaml::{self, Node, Value};

/// A run's resolved config.
#[derive(Clone, Debug)]
pub struct Resolved(Node);

impl Resolved {
    /// The config in a YAML text; what cannot be read holds nothing.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let empty = || Node { pos: yaml::Pos { line: 1, column: 1 }, tag: None, value: Value::Map(Vec::new()) };
        Self(yaml::parse(bytes, yaml::Limits::default()).ok().flatten().unwrap_or_else(empty))
    }

    /// The scalar at keys joined by dots, as text.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&str> {
        path.split('.').try_fold(&self.0, |node, key| node.get(key))?.text()
    }

    /// The dataset's name.
    #[must_use]
    pub fn dataset(&self) -> Option<&str> {
        self.at("dataset.name").or_else(|| self.at("dataset"))
    }

    /// How many classes there are to guess from: as the config says, or as everybody knows of the dataset.
    #[must_use]
    pub fn classes(&self) -> Option<u64> {
        let keys = ["dataset.classes", "model.classes", "model.outputs"];
        keys.iter().find_map(|key| self.at(key)?.parse().ok()).or_else(|| match self.dataset()? {
            "mnist" | "fashion_mnist" | "digits" | "cifar10" => Some(10),
            "cifar100" => Some(100),
            _ => None,
        })
    }
}

/// Resolved configs by their text: thousands of runs share a few.
#[derive(Default)]
pub struct Configs(HashMap<Vec<u8>, Rc<Resolved>>);

impl Configs {
    /// The config of the run in `folder`; empty when it has none.
    pub fn of(&mut self, tree: &dyn Tree, folder: &str) -> Result<Rc<Resolved>, Problem> {
        let bytes = tree.read(&join(folder, "config.yaml"))?.unwrap_or_default();
        if let Some(config) = self.0.get(&bytes) {
            return Ok(Rc::clone(config));
        }
        let config = Rc::new(Resolved::parse(&bytes));
        self.0.insert(bytes, Rc::clone(&config));
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_by_path() {
        let config = Resolved::parse(b"dataset: {name: mnist, classes: 10}\noptimizer: {lr: 1e-3}\n");
        assert_eq!(
            (config.dataset(), config.classes(), config.at("optimizer.lr")),
            (Some("mnist"), Some(10), Some("1e-3"))
        );
        assert_eq!(Resolved::parse(b"\xff\xfe").dataset(), None);
        assert_eq!(Resolved::parse(b"dataset: digits\n").dataset(), Some("digits"));
    }
}
