//! A board as JSON, for programs: every number that the Markdown rounds, and the file behind each.

use serde_json::{Value, json};

use super::table::Board;

/// The text of `leaderboard/<board>.json`.
pub(super) fn board(board: &Board) -> String {
    let mut value = json!({"schema": 1});
    let config = &board.config;
    value["title"] = json!(config.title);
    for (key, setting) in [
        ("dataset", json!(config.dataset)),
        ("source", json!(config.source)),
        ("metric", json!(config.metric)),
        ("statistic", json!(config.statistic)),
        ("test_metric", json!(config.test_metric)),
        ("direction", json!(config.direction)),
        ("policy", json!(config.policy)),
        ("ties", json!(config.ties)),
    ] {
        value[key] = setting;
    }
    if let (Value::Object(all), Ok(Value::Object(own))) = (&mut value, serde_json::to_value(board)) {
        all.extend(own);
    }
    serde_json::to_string_pretty(&value).expect("a board holds text keys and finite numbers") + "\n"
}
