//! What the layers of a model do on one image, noted while it passes through: for `describe`.

use std::cell::RefCell;

use tch::Tensor;

/// One layer's work.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// Its name, the first part of its parameters' names.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// What comes out for one image.
    pub output: Vec<i64>,
    /// Trained numbers.
    pub params: usize,
    /// Multiplications with an addition, for one image.
    pub macs: usize,
}

thread_local! {
    static ROWS: RefCell<Option<Vec<Row>>> = const { RefCell::new(None) };
}

/// Whether somebody listens.
#[must_use]
pub fn is_on() -> bool {
    ROWS.with_borrow(Option::is_some)
}

/// Notes a layer's work when somebody listens.
pub fn note(name: &str, kind: &'static str, output: &Tensor, own: &[&Tensor], macs: usize) {
    ROWS.with_borrow_mut(|rows| {
        if let Some(rows) = rows {
            let params = own.iter().map(|tensor| tensor.numel()).sum();
            rows.push(Row { name: name.to_string(), kind, output: output.size()[1..].to_vec(), params, macs });
        }
    });
}

/// What is noted while `work` runs.
pub fn listen(work: impl FnOnce()) -> Vec<Row> {
    ROWS.set(Some(Vec::new()));
    work();
    ROWS.take().unwrap_or_default()
}
