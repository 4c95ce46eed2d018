//! What git's filters (line ends, `clean` and `smudge`, git-lfs) make of a file on its way into the repository and out
//! of it: a file on the disk need not have the bytes of its object.

use super::Repo;
use super::git::failed;
use crate::state::problem::Problem;

impl Repo {
    /// The id under which git would store these bytes at a path. Nothing is stored.
    ///
    /// # Errors
    /// [`Kind::Io`](crate::state::problem::Kind::Io) when git or a filter fails.
    pub fn stored_as(&self, path: &str, bytes: &[u8]) -> Result<String, Problem> {
        let id = self.filtered(&["hash-object", "--stdin", "--path", path], bytes)?;
        Ok(String::from_utf8_lossy(&id).trim().to_string())
    }

    /// The bytes that git would write to the disk for a committed file.
    ///
    /// # Errors
    /// [`Kind::Io`](crate::state::problem::Kind::Io) when there is no such file, or git or a filter fails.
    pub fn checked_out(&self, commit: &str, path: &str) -> Result<Vec<u8>, Problem> {
        self.filtered(&["cat-file", "--filters", &format!("{commit}:{path}")], b"")
    }

    fn filtered(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, Problem> {
        let output = self.git().run(arguments, input)?;
        if output.status.success() { Ok(output.stdout) } else { Err(failed(arguments, &output)) }
    }
}
