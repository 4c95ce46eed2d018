//! The rules of the code base that no compiler checks: layers, doors, sizes. Each failure names the file and the rule.

use std::path::{Path, PathBuf};

/// What each layer may name, itself apart. `train` is a side branch that nobody names.
const LAYERS: [(&str, &[&str]); 9] = [
    ("state", &[]),
    ("config", &["state"]),
    ("repo", &["state", "config"]),
    ("cluster", &["state", "config", "repo", "runs"]),
    ("runs", &["state", "config", "repo", "cluster"]),
    ("leaderboard", &["state", "config", "repo", "cluster", "runs"]),
    ("ops", &["state", "config", "repo", "cluster", "runs", "leaderboard"]),
    ("cli", &["state", "config", "repo", "cluster", "runs", "leaderboard", "ops"]),
    ("train", &["state", "config", "runs"]),
];

/// Longest file, tests inside it apart.
const FILE_LINES: usize = 400;
/// Longest function.
const FUNCTION_LINES: usize = 60;

/// Words that only some files may use: what, where it is allowed, and whose business it is.
const DOORS: [(&[&str], &[&str], &str); 7] = [
    (
        &["io::stdout(", "io::stderr("],
        &[
            "src/cli/output.rs",
            "src/cli/session.rs",
            "src/cli/board.rs",
            "src/cluster/transport/process.rs",
            "src/train/",
        ],
        "what is shown passes cli::output, where hidden characters are made visible",
    ),
    (&["ureq::"], &["src/runs/fetch/http.rs"], "the network is reached only in runs::fetch::http"),
    (
        &["Command::new("],
        &["src/repo/git.rs", "src/repo/git/", "src/cluster/"],
        "a process starts only in repo::git and in cluster",
    ),
    (
        &[
            "fs::write(",
            "fs::rename(",
            "fs::copy(",
            "fs::remove_file(",
            "fs::remove_dir",
            "fs::create_dir",
            "File::create",
            "OpenOptions::new(",
            "fs::set_permissions(",
            "fs::hard_link(",
            "fs::symlink(",
            "File::options(",
            "sync_all(",
            "set_permissions(",
            ".set_len(",
            "tempfile::",
        ],
        &["src/repo/effect.rs", "src/repo/fail/present.rs", "src/train/"],
        "a disk is changed only by the calls of repo::effect (each passes a failpoint), through repo::store or runs::scratch",
    ),
    (
        &["println!", "print!("],
        &["src/cli/", "src/bin/", "src/train/"],
        "the library does not print; return a value that cli shows",
    ),
    (
        &["env::var(", "env::var_os(", "env::vars", "env::current_dir(", "env::args"],
        &["src/cli/", "src/bin/", "src/train/"],
        "the environment is read in cli and handed down as values",
    ),
    (
        &["Timestamp::now(", "SystemTime::now(", "Zoned::now("],
        &["src/cli/", "src/bin/", "src/train/", "src/cluster/", "src/runs/"],
        "the clock is read in cli (and where a job runs) and handed down as a value",
    ),
];

/// One source file.
struct Source {
    /// Path from the top of the repository.
    path: String,
    /// All of it.
    text: String,
}

impl Source {
    /// The text without comment lines and without the tests at its end.
    fn code(&self) -> String {
        let lines = self.text.lines().take_while(|l| !l.starts_with("#[cfg(test)]"));
        lines.filter(|l| !l.trim_start().starts_with("//")).map(|l| format!("{l}\n")).collect()
    }

    /// Whether it is made of tests only.
    fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.ends_with("tests.rs") || self.path.contains("/tests/")
    }

    /// The layer it belongs to: the folder, or the file's name, under `src/`.
    fn layer(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("src/")?;
        let layer = rest.split('/').next()?;
        Some(layer.strip_suffix(".rs").unwrap_or(layer)).filter(|l| *l != "lib" && *l != "bin")
    }
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file with an extension below a folder, in order.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(top().join(folder)).sort_by_file_name();
    let found = walk.into_iter().filter_map(Result::ok).map(walkdir::DirEntry::into_path);
    found.filter(|p| p.extension().is_some_and(|e| e == extension)).collect()
}

fn sources(folders: &[&str]) -> Vec<Source> {
    let paths = folders.iter().flat_map(|folder| files(folder, "rs"));
    let read = |path: PathBuf| Source {
        path: path.strip_prefix(top()).unwrap().to_string_lossy().replace('\\', "/"),
        text: std::fs::read_to_string(&path).unwrap(),
    };
    paths.map(read).collect()
}

fn report(broken: &[String]) {
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n"));
}

/// The first path component after each `root` (`crate::` or `git_ar::`), groups in braces included.
fn named(code: &str, root: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(root) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + root.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(heads(group)),
            None => found.push(word(rest)),
        }
    }
    found
}

/// The first word of each item at the outer level of a group whose brace is open.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut item, mut found) = (0, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => found.push(word(std::mem::take(&mut item).trim())),
            _ if depth == 0 => item.push(c),
            _ => {}
        }
    }
    found.push(word(item.trim()));
    found.retain(|w| !w.is_empty());
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn the_layer_scan_sees_every_form_of_import() {
    let code = "use crate::{ops::a, state::{b, c}};\nlet x = crate::cli::run();\n$crate::not";
    assert_eq!(named(code, "crate::"), ["ops", "state", "cli"]);
}

#[test]
fn no_layer_names_a_higher_one() {
    let mut broken = Vec::new();
    for source in sources(&["src"]) {
        let Some(layer) = source.layer() else { continue };
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            broken.push(format!("{}: `{layer}` is no layer of docs/ARCHITECTURE.md", source.path));
            continue;
        };
        let code: String =
            source.text.lines().filter(|l| !l.trim_start().starts_with("//")).map(|l| format!("{l}\n")).collect();
        for name in named(&code, "crate::") {
            let is_layer = LAYERS.iter().any(|(layer, _)| *layer == name);
            if is_layer && name != layer && !allowed.contains(&name.as_str()) {
                broken.push(format!("{}: {layer} names crate::{name}; it may see {allowed:?}", source.path));
            }
        }
    }
    report(&broken);
}

#[test]
fn each_binary_names_what_it_is_for() {
    let mut broken = Vec::new();
    for source in sources(&["src/bin"]) {
        let engine = source.path.contains("git-ar-train");
        let allowed: &[&str] = if engine { &["state", "config", "runs"] } else { &["cli"] };
        for name in named(&source.text, "git_ar::").into_iter().filter(|name| !allowed.contains(&name.as_str())) {
            broken.push(format!("{}: names git_ar::{name}; this binary may name {allowed:?}", source.path));
        }
    }
    report(&broken);
}

#[test]
fn the_engine_is_no_part_of_the_library() {
    let library = std::fs::read_to_string(top().join("src/lib.rs")).unwrap();
    assert!(!library.contains("mod train"), "docs/decisions/0009-engine-in-its-binary.md says why");
}

#[test]
fn doors_are_the_only_way_out() {
    let mut broken = Vec::new();
    for source in sources(&["src"]).into_iter().filter(|s| !s.is_test()) {
        let code = source.code();
        for (words, allowed, rule) in DOORS {
            let exempt = allowed.iter().any(|place| source.path.starts_with(place));
            for word in words.iter().filter(|word| !exempt && code.contains(*word)) {
                broken.push(format!("{}: `{word}`: {rule}", source.path));
            }
        }
    }
    report(&broken);
}

#[test]
fn every_file_says_its_job_first() {
    let missing = sources(&["src", "xtask/src", "tests"]).into_iter().filter(|s| !s.text.starts_with("//! "));
    report(&missing.map(|s| format!("{}: the first line is no `//!` line", s.path)).collect::<Vec<_>>());
}

#[test]
fn files_are_short() {
    let mut broken = Vec::new();
    for source in sources(&["src", "xtask/src"]).into_iter().filter(|s| !s.is_test()) {
        let lines = source.text.lines().take_while(|l| !l.starts_with("#[cfg(test)]")).count();
        if lines > FILE_LINES {
            broken.push(format!("{}: {lines} lines; split above {FILE_LINES}", source.path));
        }
    }
    report(&broken);
}

/// Name, first line and length of each function. rustfmt puts the closing brace under the first letter.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        let signature = body.split("fn ").next().unwrap_or_default();
        let is_function = body.contains("fn ")
            && signature.split_whitespace().all(|w| {
                matches!(w, "pub" | "const" | "unsafe" | "async" | "extern" | "pub(crate)" | "pub(super)")
                    || w.starts_with("pub(in")
            });
        if !is_function || line.ends_with(';') || line.ends_with('}') {
            continue;
        }
        let close = format!("{}}}", &line[..line.len() - body.len()]);
        if let Some(length) = lines[start..].iter().position(|l| *l == close) {
            let name = word(body[signature.len() + 3..].trim_start());
            found.push((name, start + 1, length + 1));
        }
    }
    found
}

#[test]
fn functions_are_short() {
    let mut broken = Vec::new();
    for source in sources(&["src", "xtask/src"]) {
        for (name, line, length) in functions(&source.text) {
            if length > FUNCTION_LINES {
                broken.push(format!("{}:{line}: fn {name} has {length} lines; at most {FUNCTION_LINES}", source.path));
            }
        }
    }
    report(&broken);
}

#[test]
fn no_test_file_is_forgotten() {
    let main = std::fs::read_to_string(top().join("tests/it/main.rs")).unwrap();
    let mut broken = Vec::new();
    for entry in std::fs::read_dir(top().join("tests/it")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().replace(".rs", "");
        if name != "main" && !main.lines().any(|l| l.trim_start_matches("pub ") == format!("mod {name};")) {
            broken.push(format!("tests/it/{name}: not listed in tests/it/main.rs"));
        }
    }
    report(&broken);
}

#[test]
fn each_dependency_says_what_it_is_for() {
    let manifest = std::fs::read_to_string(top().join("Cargo.toml")).unwrap();
    let section = manifest.split("[dependencies]\n").nth(1).and_then(|s| s.split("\n[").next()).unwrap();
    let mut told = false;
    let mut broken = Vec::new();
    for line in section.lines() {
        match line {
            _ if line.starts_with('#') => told = true,
            "" => told = false,
            _ if line.contains('=') && !told && !line.contains("optional = true") => {
                broken.push(format!("Cargo.toml: {line}: no comment above says what it is for"));
            }
            _ => {}
        }
    }
    report(&broken);
}

/// Every Markdown document of this repository that a person wrote or reads.
fn documents() -> Vec<PathBuf> {
    let at_top = std::fs::read_dir(top()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = at_top.filter(|p| p.extension().is_some_and(|e| e == "md")).collect();
    found.extend(files("docs", "md"));
    found.sort();
    found
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(top()).unwrap().display();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let is_file = !target.is_empty() && !target.contains("://") && !target.contains(' ');
            if is_file && !path.parent().unwrap().join(target).exists() {
                broken.push(format!("{shown}: links to {target}, which does not exist"));
            }
        }
        let is_path =
            |word: &&str| word.starts_with("src/") && !word.contains("NAME") && !word.contains(['<', ' ', '*']);
        for named in text.split('`').skip(1).step_by(2).filter(is_path) {
            if !top().join(named).exists() {
                broken.push(format!("{shown}: names {named}, which does not exist"));
            }
        }
    }
    report(&broken);
}

#[test]
fn every_test_that_a_promise_names_exists() {
    let text = std::fs::read_to_string(top().join("docs/reliability.md")).unwrap();
    let sources = sources(&["src", "tests"]);
    let mut broken = Vec::new();
    for named in text.split('`').skip(1).step_by(2).filter(|word| word.contains("::") && !word.contains(' ')) {
        let (module, name) = named.rsplit_once("::").unwrap();
        let function = format!("fn {name}(");
        let of_it = |source: &&Source| Path::new(&source.path).with_extension("").ends_with(module.replace("::", "/"));
        let is_test = |source: &Source| {
            let before = source.text.split(&function).next().unwrap_or_default();
            before.len() < source.text.len() && before.lines().rev().take(5).any(|line| line.trim() == "#[test]")
        };
        if !sources.iter().filter(of_it).any(is_test) {
            broken.push(format!("docs/reliability.md: names {named}, and there is no such test"));
        }
    }
    report(&broken);
}
