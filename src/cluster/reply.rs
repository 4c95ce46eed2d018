//! What one command said.

/// The reply of one command, of a scheduler or of a site's shell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Its exit status.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}
