//! The command `git-ar`.
fn main() {}
