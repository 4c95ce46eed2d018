//! L2: the git repository. Reads go through gix and start no process; [`git`] is the one place that spawns git,
//! [`store`] the one place that writes files, by the calls of [`effect`].

mod apart;
mod changes;
pub mod code;
mod commit;
mod commit_tree;
pub mod disk;
pub mod effect;
pub mod fail;
mod filters;
pub mod git;
mod history;
pub mod hooks;
mod index_tree;
pub mod journal;
pub mod litter;
mod objects;
mod open;
pub mod process;
mod receive;
mod rewind;
pub mod signals;
pub mod store;
mod transaction;
mod unfinished;

pub use apart::{Apart, Checkout, OVERTAKEN};
pub use changes::After;
pub use commit::{Committed, Dirty, How};
pub use commit_tree::CommitTree;
pub use disk::DiskTree;
pub use history::CommitInfo;
pub use index_tree::IndexTree;
pub use open::{Environment, Head, Repo};
pub use rewind::Uncommitted;
pub use transaction::Transaction;
pub use unfinished::Recovered;
