//! What is built from: published packages of known licences that build with the Rust that Cargo.toml names. Whether one of
//! them has a known flaw is asked of a service, not of a test.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Licences under which a package may be used here.
const LICENCES: [&str; 14] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "BSL-1.0",
    "Unlicense",
    "Unicode-3.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
];

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The packages of a plain build on this machine, as cargo knows them without a network.
fn packages() -> Vec<Value> {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .current_dir(top())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    value["packages"].as_array().unwrap().clone()
}

/// Whether one of the alternatives of a licence expression is among those allowed.
fn allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], "");
    let known = |one: &str| LICENCES.contains(&one.trim());
    expression.split(" AND ").all(|part| part.split(" OR ").any(known))
}

#[test]
fn packages_are_published_ones_of_known_licences() {
    let lock = std::fs::read_to_string(top().join("Cargo.lock")).unwrap();
    let foreign: Vec<&str> =
        lock.lines().filter(|l| l.starts_with("source = ") && !l.contains("\"registry+")).collect();
    assert_eq!(foreign, Vec::<&str>::new(), "only published versions can be looked up and built again");
    let of = |package: &Value| package["license"].as_str().unwrap_or("none").to_string();
    let others = packages().into_iter().filter(|p| !p["source"].is_null() && !allowed(&of(p)));
    let others: Vec<String> = others.map(|p| format!("{}: {}", p["name"], of(&p))).collect();
    assert_eq!(others, Vec::<String>::new());
}

#[test]
fn packages_build_with_the_rust_that_is_promised() {
    let number = |text: &str| text.split('.').map(|n| n.parse::<u32>().unwrap()).collect::<Vec<_>>();
    let packages = packages();
    let ours = packages.iter().find(|p| p["name"] == "git-ar").unwrap()["rust_version"].as_str().unwrap().to_string();
    let newer = packages.iter().filter_map(|p| {
        let wanted = p["rust_version"].as_str()?;
        (number(wanted) > number(&ours)).then(|| format!("{} {} asks for {wanted}", p["name"], p["version"]))
    });
    assert_eq!(newer.collect::<Vec<_>>(), Vec::<String>::new(), "Cargo.toml promises Rust {ours}");
}
