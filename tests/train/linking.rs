//! `git-ar` never needs libtorch, also when it is built together with the engine.

/// What the dynamic section of a program names: libraries and the folders where they are looked for.
fn dynamic_names(program: &str) -> Vec<String> {
    let bytes = std::fs::read(program).unwrap();
    assert_eq!(&bytes[..6], b"\x7fELF\x02\x01", "a 64-bit little-endian program");
    let number = |at: usize, len: usize| bytes[at..at + len].iter().rev().fold(0usize, |n, b| n << 8 | usize::from(*b));
    let (table, size, count) = (number(0x28, 8), number(0x3a, 2), number(0x3c, 2));
    // Of a section: its kind, its place, its length and the section of its names.
    let section = |index: usize| {
        let at = table + index * size;
        (number(at + 4, 4), number(at + 0x18, 8), number(at + 0x20, 8), number(at + 0x28, 4))
    };
    const DYNAMIC: usize = 6;
    let (_, start, len, names) = (0..count).map(section).find(|s| s.0 == DYNAMIC).expect("a dynamic section");
    let names = section(names).1;
    let entries = (start..start + len).step_by(16).map(|at| (number(at, 8), number(at + 8, 8)));
    const NEEDED: usize = 1;
    const PATHS: [usize; 2] = [15, 29];
    let named = entries.filter(|(tag, _)| *tag == NEEDED || PATHS.contains(tag));
    named.map(|(_, at)| bytes[names + at..].iter().take_while(|b| **b != 0).map(|b| char::from(*b)).collect()).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn git_ar_does_not_need_libtorch() {
    let names = dynamic_names(env!("CARGO_BIN_EXE_git-ar"));
    assert!(names.iter().any(|name| name.starts_with("libc.so")), "{names:?}");
    let torch = |name: &&String| ["torch", "c10", "cuda", "gomp"].iter().any(|word| name.contains(word));
    assert_eq!(names.iter().find(torch), None, "{names:?}");
    let engine = dynamic_names(env!("CARGO_BIN_EXE_git-ar-train"));
    assert!(engine.iter().any(|name| name.starts_with("libtorch_cpu.so")), "{engine:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_engine_needs_libtorchs_cuda_half_where_there_is_one() {
    let names = dynamic_names(env!("CARGO_BIN_EXE_git-ar-train"));
    let folders = names.iter().flat_map(|name| name.split(':')).filter(|name| name.starts_with('/'));
    let has_cuda = folders.map(std::path::Path::new).any(|folder| folder.join("libtorch_cuda.so").exists());
    assert_eq!(names.iter().any(|name| name == "libtorch_cuda.so"), has_cuda, "{names:?}");
}
