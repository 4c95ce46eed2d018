//! `git ar schema`: JSON Schema of the files of the loop.

use serde_json::{Value, json};

use super::{Reply, Session};
use crate::ops::schema::{SCHEMAS, schema};
use crate::state::problem::Problems;

/// Print the JSON Schema of a kind of file, or list the kinds
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar schema\n  git ar schema metrics > metrics.schema.json")]
pub(super) struct Args {
    /// The kind of file, such as metrics or iteration
    name: Option<String>,
}

pub(super) fn run(_: &Session, args: &Args) -> Result<Reply, Problems> {
    let Some(name) = &args.name else {
        let lines = SCHEMAS.iter().map(|e| format!("{:<12} {}\n", e.name, e.files)).collect();
        let names: Vec<Value> = SCHEMAS.iter().map(|e| json!({"name": e.name, "files": e.files})).collect();
        return Ok(Reply::parts(json!({ "schemas": names }), lines).next("git ar schema metrics"));
    };
    let schema = schema(name)?;
    let text = serde_json::to_string_pretty(&schema).expect("a JSON value can be written");
    Ok(Reply::parts(json!({"name": name, "schema": schema}), text))
}
