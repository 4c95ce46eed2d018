//! L3: a run from config to result: its directory, its snapshot, the contract with the trainer.

pub mod collect;
pub mod contract;
pub mod datasets;
pub mod digits;
pub mod fetch;
pub mod gather;
pub mod id;
pub mod layout;
pub mod pack;
pub mod reference;
pub mod reference_files;
pub mod scratch;
pub mod snapshot;
pub mod trainer;
