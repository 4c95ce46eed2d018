//! The engine `git-ar-train`.

fn main() -> std::process::ExitCode {
    git_ar::train::cli::main()
}
