//! Failpoints: every effect on a disk, on git and on another machine passes one, so that a test can make each fail
//! in turn. Only a build with the feature `failpoints` has them; in any other they are nothing at all.

#[cfg(not(feature = "failpoints"))]
#[path = "fail/absent.rs"]
mod points;
#[cfg(feature = "failpoints")]
#[path = "fail/present.rs"]
mod points;

pub use points::{arm, done, point, shield};
