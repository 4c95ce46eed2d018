//! L3: a run from config to result: its directory, its snapshot, the contract with the trainer.

pub mod contract;
pub mod digits;
pub mod reference;
pub mod reference_files;
pub mod scratch;
