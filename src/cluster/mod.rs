//! L3: where jobs run. A site is a profile; [`transport`] is the one place that starts a job's processes and reaches
//! other machines.

pub mod cause;
pub mod credentials;
pub mod environment;
pub mod legal;
pub mod live;
pub mod local;
pub mod profile;
pub mod reply;
pub mod scheduler;
pub mod script;
pub mod shell;
pub mod site;
pub mod transport;
pub mod walltime;
