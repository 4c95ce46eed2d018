//! A submit on the site itself, whose clone never commits: a receipt beside the run is recorded from elsewhere.

use super::intent::Intent;
use crate::cluster::shell::quote;
use crate::ops::site::Site;
use crate::runs::pack;
use crate::state::problem::{Kind, Problem};

/// Puts the input, a tar archive of receipts, into the folder of receipts.
const LEAVE: &str = "mkdir -p \"$ar_base/receipts\" && cd \"$ar_base/receipts\" || exit 3\n\
    ar_input \".in-$$.tar\" && tar -xof \".in-$$.tar\" && rm -f \".in-$$.tar\" || exit 3\n";
/// Prints every receipt with its name and length.
const LIST: &str = "cd \"$ar_base/receipts\" 2>/dev/null || exit 0\n\
    for name in *.json; do [ -f \"$name\" ] || continue\n\
    printf '%s %s\\n' \"$(($(wc -c <\"$name\")))\" \"$name\"; cat \"$name\"; printf '\\n'; done\n";
/// Puts receipts that were recorded aside.
const TAKE: &str =
    "cd \"$ar_base/receipts\" || exit 3\nfor name in $ar_names; do mv -f \"$name\" \"$name.taken\"; done\n";

/// An attempt that was submitted on the site itself.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Receipt {
    /// What records it.
    pub intent: Intent,
    /// The scheduler's id.
    pub job: String,
}

/// Leaves receipts on the site.
pub(super) fn leave(site: &Site, sent: &[(Intent, String)]) -> Result<(), Problem> {
    let file = |(intent, job): &(Intent, String)| {
        let receipt = Receipt { intent: intent.clone(), job: job.clone() };
        let text = serde_json::to_string_pretty(&receipt).expect("text and numbers");
        (name(intent), text + "\n")
    };
    let archive = pack::files(&sent.iter().map(file).collect::<Vec<_>>())?;
    site.script("leave a receipt", &[], &[LEAVE], &archive, site.patience()).map(drop)
}

fn name(intent: &Intent) -> String {
    format!("{}.{}.json", intent.run, intent.attempt)
}

/// The receipts that lie on a site.
///
/// # Errors
/// [`Kind::Unavailable`] when the site does not answer, [`Kind::Invalid`] for a receipt that does not read.
pub fn receipts(site: &Site) -> Result<Vec<Receipt>, Problem> {
    let reply = site.script("look for receipts", &[], &[LIST], b"", site.patience())?;
    let mut rest = reply.stdout.as_str();
    let mut found = Vec::new();
    while let Some((line, after)) = rest.split_once('\n') {
        let cut =
            || Problem::new(Kind::Unavailable, "receipts", "the receipts did not arrive whole").hint("git ar tick");
        let (length, name) = line.split_once(' ').ok_or_else(cut)?;
        let (text, after) = length.parse().ok().and_then(|at| after.split_at_checked(at)).ok_or_else(cut)?;
        let receipt = serde_json::from_str(text).map_err(|error| {
            Problem::new(Kind::Invalid, "receipt", format!("receipts/{name} on {} does not read: {error}", site.name))
                .hint("it is written by git ar run submit --here; another version may have written it")
        })?;
        found.push(receipt);
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    Ok(found)
}

/// Puts receipts aside that were recorded.
///
/// # Errors
/// [`Kind::Unavailable`] when the site does not answer; they are found again then, and recorded already.
pub fn take(site: &Site, receipts: &[Receipt]) -> Result<(), Problem> {
    let names: Vec<String> = receipts.iter().map(|receipt| name(&receipt.intent)).collect();
    site.script("put receipts aside", &[("ar_names", quote(&names.join(" ")))], &[TAKE], b"", site.patience()).map(drop)
}
