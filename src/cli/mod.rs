//! L6: words, colours, exit codes. One file per noun; the work is in `ops`.
//!
//! A verb is an `Args` struct whose doc comments are its help, and a `run` that turns typed words into plain
//! values, calls one use case and returns a [`Reply`].

mod board;
mod check;
mod claim;
mod cluster;
mod completions;
mod config;
mod data;
mod demo;
mod doctor;
mod gate;
mod handoff;
mod hook;
mod init;
mod iter;
mod job;
mod man;
mod merge_driver;
mod migrate;
mod output;
mod phase;
mod project;
mod run;
mod run_judge;
mod run_submit;
mod schema;
mod session;
mod start;
mod status;
mod taint;
mod tick;
mod train;
mod trust;
mod undo;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::repo::signals;
use crate::state::problem::{Kind, Problem, Problems};
pub use output::Reply;
pub use session::{Recording, Session};

/// Run research on a PBS cluster with all of its state in git
#[derive(Parser)]
#[command(
    name = "git-ar",
    bin_name = "git ar",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = false
)]
#[command(
    after_help = "First steps:\n  git ar demo                       watch one iteration from survey to board\n  \
    git ar init                       make a research repository here\n  git ar start \"TOPIC\"              begin\n  \
    git ar status                     where everything stands\n\n`git ar --help` asks git for a manual page; `git ar -h` and `git ar help VERB` always work."
)]
pub struct Cli {
    /// Print one JSON envelope on stdout instead of text
    #[arg(long, global = true)]
    json: bool,
    /// Act as if started in this folder
    #[arg(short = 'C', global = true, value_name = "DIR")]
    directory: Option<std::path::PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Args),
    Start(start::Args),
    Status(status::StatusArgs),
    Phase(phase::Args),
    Run(run::Args),
    Tick(tick::Args),
    Job(job::Args),
    Board(board::Args),
    Demo(demo::Args),
    Next(status::NextArgs),
    Resume(status::ResumeArgs),
    Check(check::Args),
    Project(project::Args),
    Iter(iter::Args),
    Cluster(cluster::Args),
    Gate(gate::Args),
    Claim(claim::Args),
    Taint(taint::Args),
    Config(config::Args),
    Train(train::Args),
    Data(data::Args),
    Handoff(handoff::Args),
    Hook(hook::Args),
    Trust(trust::Args),
    Migrate(migrate::Args),
    Undo(undo::Args),
    Doctor(doctor::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
    #[command(hide = true)]
    MergeDriver(merge_driver::Args),
    #[command(hide = true)]
    ReferenceTrainer(train::ReferenceArgs),
}

/// The clap command, for man pages, completions and the reference.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Parse, run, print: the whole program.
pub fn main() -> ExitCode {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let json = arguments.iter().any(|a| a == "--json");
    let outcome = std::panic::catch_unwind(|| start(arguments));
    outcome.unwrap_or_else(|_| {
        let bug = Problem::new(Kind::Bug, "bug", "git-ar failed in a way that it should not")
            .hint("please report the lines above with the command you typed");
        output::failure("", &bug.into(), json)
    })
}

fn start(arguments: Vec<std::ffi::OsString>) -> ExitCode {
    let json = arguments.iter().any(|a| a == "--json");
    let matches = match Cli::command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return output::usage(&error, json),
    };
    let verb = verb_of(&matches);
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return output::usage(&error, json),
    };
    // The words after `handoff` are another command's; how to print is this one's.
    let json = cli.json || matches!(&cli.command, Command::Handoff(args) if args.wants_json());
    let session = match Session::new(json, cli.directory) {
        Ok(session) => session,
        Err(problem) => return output::failure(&verb, &problem.into(), json),
    };
    match dispatch(&session, cli.command) {
        Ok(reply) => {
            let code = output::success(&verb, &reply, json);
            // What was asked for is done, and whoever sent the signal learns that it was heard.
            signals::asked().map_or(code, |signal| ExitCode::from(128 + signal))
        }
        Err(problems) => output::failure(&verb, &problems, json),
    }
}

fn dispatch(session: &Session, command: Command) -> Result<Reply, Problems> {
    match command {
        Command::Init(args) => init::run(session, &args),
        Command::Start(args) => start::run(session, &args),
        Command::Status(args) => status::status(session, &args),
        Command::Phase(args) => phase::run(session, &args),
        Command::Run(args) => run::run(session, args),
        Command::Tick(args) => tick::run(session, &args),
        Command::Job(args) => job::run(session, args),
        Command::Demo(args) => demo::run(session, &args),
        Command::Resume(args) => status::resume(session, &args),
        Command::Next(args) => status::next(session, &args),
        Command::Check(args) => check::run(session, &args),
        Command::Config(args) => config::run(session, &args),
        Command::Board(args) => board::run(session, &args),
        Command::Project(args) => project::run(session, &args),
        Command::Iter(args) => iter::run(session, &args),
        Command::Cluster(args) => cluster::run(session, &args),
        Command::Train(args) => train::run(session, args),
        Command::MergeDriver(args) => merge_driver::run(session, &args),
        Command::Data(args) => data::run(session, args),
        Command::ReferenceTrainer(args) => train::reference(session, &args),
        Command::Gate(args) => gate::run(session, &args),
        Command::Migrate(args) => migrate::run(session, &args),
        Command::Trust(args) => trust::run(session, &args),
        Command::Claim(args) => claim::run(session, args),
        Command::Taint(args) => taint::run(session, args),
        Command::Handoff(args) => handoff::run(session, &args),
        Command::Hook(args) => hook::run(session, &args),
        Command::Undo(args) => undo::run(session, &args),
        Command::Doctor(args) => doctor::run(session, &args),
        Command::Schema(args) => schema::run(session, &args),
        Command::Completions(args) => completions::run(session, &args),
        Command::Man(args) => man::run(session, &args),
    }
}

/// Run words as if they had been typed, without printing anything.
fn typed(session: &Session, words: &[&str]) -> Result<Reply, Problems> {
    let arguments = ["git-ar"].into_iter().chain(words.iter().copied());
    let cli = Cli::try_parse_from(arguments).map_err(|error| output::mistyped(&error))?;
    dispatch(session, cli.command)
}

/// The words of the verb that was typed, such as `phase next`.
fn verb_of(matches: &clap::ArgMatches) -> String {
    let mut words = Vec::new();
    let mut level = matches;
    while let Some((word, below)) = level.subcommand() {
        words.push(word.to_string());
        level = below;
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_formed() {
        super::command().debug_assert();
    }
}
