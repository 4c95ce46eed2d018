//! Tells the linker where libtorch is: for `git-ar-train` alone, never for `git-ar`.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    if std::env::var_os("CARGO_FEATURE_TRAIN").is_none() {
        return;
    }
    // `torch-sys` tells it to those who depend on it directly.
    let Ok(libraries) = std::env::var("DEP_TCH_LIBTORCH_LIB") else { return };
    println!("cargo:rustc-link-arg-bin=git-ar-train=-Wl,-rpath,{libraries}");
    // The linker drops a library that nothing names; libtorch finds its CUDA half only when it is loaded.
    if Path::new(&libraries).join("libtorch_cuda.so").exists() {
        println!("cargo:rustc-link-arg-bin=git-ar-train=-Wl,--no-as-needed,-ltorch_cuda,-ltorch,--as-needed");
    }
}
