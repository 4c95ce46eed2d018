//! `git ar board`.

use std::io::IsTerminal;

use clap::Subcommand;

use super::{Recording, Reply, Session};
use crate::ops::board;
use crate::state::problem::{Kind, Problems};

/// List boards, render them, and say what stands behind a row
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  git ar board                     the boards, with their first rows\n  git ar board show mnist\n  git ar board explain anp-snn/8b/mnist_scnn\n  git ar board render              write leaderboard/ and README's regions, and commit them\n  git ar board check               what is behind, as a diff; ends with 6 then\n  git ar board diff HEAD~1         which rows entered, left or moved"
)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Write every board from the committed results, and commit the files
    ///
    /// With --no-commit the boards are those of the work tree, and the files are left staged.
    #[command(after_help = "Example:\n  git ar board render --push")]
    Render {
        #[command(flatten)]
        recording: Recording,
    },
    /// Show how the generated files differ from what the results give
    ///
    /// Changes nothing. Ends with 6 when something is behind.
    #[command(after_help = "Example:\n  git ar board check || git ar board render")]
    Check,
    /// Show a board as tables
    #[command(after_help = "Example:\n  git ar board show mnist")]
    Show {
        /// The board; the only one otherwise
        board: Option<String>,
    },
    /// Show which rows entered, left or moved between two commits
    ///
    /// Ends with 1 when some row differs.
    #[command(
        after_help = "Examples:\n  git ar board diff                 HEAD against the work tree\n  git ar board diff HEAD~3\n  git ar board diff v1..develop --board mnist"
    )]
    Diff {
        /// The earlier commit, or A..B; HEAD otherwise
        from: Option<String>,
        /// The later commit; the work tree otherwise
        to: Option<String>,
        /// Look at this board only
        #[arg(long)]
        board: Option<String>,
    },
    /// Name the files and numbers behind a row
    #[command(
        after_help = "Examples:\n  git ar board explain anp-snn/8b/mnist_scnn\n  git ar board explain 1 --board mnist"
    )]
    Explain {
        /// The row's id or its beginning, its experiment, label or run, or its place
        row: String,
        /// Look on this board only
        #[arg(long)]
        board: Option<String>,
    },
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    let width = width(session);
    match &args.verb {
        Some(Verb::Render { recording }) => session.with(*recording, |context| {
            let rendered = board::render(context)?;
            Ok(Reply::new(&rendered).warn(rendered.recorded.warnings.clone()))
        }),
        Some(Verb::Check) => session.with(Recording::default(), |context| {
            let drift = board::check(context)?;
            let reply = Reply::new(&drift);
            let problems = drift.problems();
            Ok(if problems.is_empty() {
                reply
            } else {
                reply.warn(problems).next("git ar board render").code(Kind::Stale)
            })
        }),
        Some(Verb::Diff { from, to, board }) => session.with(Recording::default(), |context| {
            let differences = board::diff(context, from.as_deref(), to.as_deref(), board.as_deref(), width)?;
            let reply = Reply::new(&differences);
            Ok(if differences.rows.is_empty() { reply } else { reply.code(Kind::Found) })
        }),
        Some(Verb::Explain { row, board }) => session.with(Recording::default(), |context| {
            Ok(Reply::new(&board::explain(context, row, board.as_deref(), width)?))
        }),
        Some(Verb::Show { board }) => {
            session.with(Recording::default(), |context| match board::show(context, board.as_deref(), width)? {
                Some(shown) => Ok(Reply::new(&shown)),
                None => list(context, width),
            })
        }
        None => session.with(Recording::default(), |context| list(context, width)),
    }
}

fn list(context: &crate::ops::Context<'_>, width: Option<u16>) -> Result<Reply, Problems> {
    let listed = board::list(context, width)?;
    let show = listed.boards.first().map(|b| format!("git ar board show {}", b.name));
    Ok(Reply::new(&listed).nexts(show))
}

/// How wide tables may be: the terminal's width where it is told, no limit into a pipe.
pub(super) fn width(session: &Session) -> Option<u16> {
    let columns = session.env("COLUMNS").and_then(|c| c.parse().ok()).filter(|c| *c >= 40);
    columns.or_else(|| std::io::stdout().is_terminal().then_some(120))
}
