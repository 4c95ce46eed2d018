//! The engine `git-ar-train`.
fn main() {}
