//! L0: the loop as values and rules. No input or output, no clock, nothing of the other layers.

pub mod board;
pub mod claims;
pub mod compare;
pub mod entities;
pub mod exclusion;
pub mod health;
pub mod ids;
pub mod json;
pub mod load;
pub mod markdown;
pub mod merge;
pub mod migrate;
pub mod overlay;
pub mod phase;
pub mod pool;
pub mod problem;
pub mod project;
pub mod record;
pub mod region;
pub mod resolved;
pub mod row;
pub mod rules;
pub mod stats;
pub mod text;
pub mod tree;
pub mod yaml;
