//! Tells the linker where libtorch is: for `git-ar-train` and the tests, never for `git-ar`.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    if std::env::var_os("CARGO_FEATURE_TRAIN").is_none() {
        return;
    }
    let Some(libraries) = std::env::var("DEP_TCH_LIBTORCH_LIB").ok() else { return };
    for target in ["bin=git-ar-train", "tests"] {
        println!("cargo:rustc-link-arg-{target}=-Wl,-rpath,{libraries}");
    }
    // The linker drops a library that nothing names; libtorch finds its CUDA half only when it is loaded.
    if Path::new(&libraries).join("libtorch_cuda.so").exists() {
        for target in ["bin=git-ar-train", "tests"] {
            println!("cargo:rustc-link-arg-{target}=-Wl,--no-as-needed,-ltorch_cuda,-ltorch,--as-needed");
        }
    }
    unit_tests_find(Path::new(&libraries));
}

/// Cargo puts a search folder inside the build folder on the library path of what it runs, which the library's unit tests
/// need: link arguments do not reach them.
#[cfg(unix)]
fn unit_tests_find(libraries: &Path) {
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let link = Path::new(&out).join("libtorch");
    std::fs::remove_file(&link).ok();
    std::os::unix::fs::symlink(libraries, &link).expect("a symbolic link in the build folder");
    println!("cargo:rustc-link-search=native={}", link.display());
}

#[cfg(not(unix))]
fn unit_tests_find(_: &Path) {}
