//! L3: where jobs run. A site is a profile; [`transport`] is the one place that starts a job's processes.

pub mod local;
pub mod profile;
pub mod transport;
