//! One attempt on its way to a scheduler, never twice: claimed on the site before it is submitted, found again by its
//! claim or by its name, and claimed for ever when it is given up.

use crate::cluster::reply::Reply;
use crate::cluster::scheduler::Submitted;
use crate::cluster::shell::{line, quote};
use crate::ops::site::Site;
use crate::state::ids::RunId;
use crate::state::problem::{Kind, Problem};
use crate::state::text::printable;

const COMMON: &str = include_str!("../../../templates/submit/common.sh");
const CLAIM: &str = include_str!("../../../templates/submit/claim.sh");
/// Claims of one attempt that are looked at; each one before the last came to nothing.
const MOST: usize = 20;
/// How long somebody else who is submitting the attempt is waited for, in seconds.
const LONGEST_WAIT_S: u64 = 20;

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// The scheduler has it.
    Job {
        /// Its id there.
        id: String,
        /// It was submitted by this very call.
        fresh: bool,
    },
    /// The scheduler said no, in these words.
    Refused(String),
    /// It never reached the scheduler, and never will.
    Nothing,
}

/// An attempt as the site knows it.
#[derive(Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) site: &'a Site,
    pub(super) run: &'a RunId,
    pub(super) attempt: u32,
    /// The job's name at the scheduler.
    pub(super) name: &'a str,
}

/// What the site says of a claim.
struct Answer {
    number: usize,
    /// It was made by this very call.
    fresh: bool,
    state: State,
    /// It is old enough that nobody can still be at it.
    old: bool,
    /// What the job itself says of its id.
    began: Began,
    /// What the scheduler said.
    reply: Reply,
}

#[derive(PartialEq, Eq)]
enum State {
    /// The scheduler was asked.
    Done,
    /// It is about to be asked, or its asker was killed.
    Open,
    /// It was given up.
    Void,
}

/// Whether the job has begun, by its own word.
enum Began {
    /// Nothing is seen of it.
    No,
    /// Under this id.
    As(String),
    /// It is about to say under which.
    Unnamed,
}

impl Claim<'_> {
    /// Submits the attempt, with the archive of its files and its script among them; or finds that it was submitted.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when nobody can say what became of it: the next call finds out.
    pub(super) fn submit(&self, files: &[u8], script: &str) -> Result<Came, Problem> {
        self.settle(Some((files, script)))
    }

    /// Finds out what became of an attempt whose answer was lost. One that never reached the scheduler is claimed, so
    /// that it cannot get there any more.
    ///
    /// # Errors
    /// As [`Claim::submit`].
    pub(super) fn look(&self) -> Result<Came, Problem> {
        self.settle(None)
    }

    fn settle(&self, work: Option<(&[u8], &str)>) -> Result<Came, Problem> {
        let mut dead = 0;
        while dead < MOST {
            let answer = self.call(dead, work)?;
            let why = match answer.state {
                State::Void => return Ok(Came::Nothing),
                State::Open => "another submit of it is under way there, or was cut off a moment ago".to_string(),
                State::Done => match self.site.dialect.job_id(&answer.reply) {
                    Submitted::Id(id) => return Ok(Came::Job { id, fresh: answer.fresh }),
                    Submitted::Refused(words) if answer.fresh || work.is_none() => return Ok(Came::Refused(words)),
                    // Refused earlier, and what was in the way may be mended.
                    Submitted::Refused(words) | Submitted::Unavailable(words) => words,
                },
            };
            if let Some(id) = self.there(&answer)? {
                return Ok(Came::Job { id, fresh: answer.fresh });
            }
            let over = answer.old || (answer.state == State::Done && !answer.fresh);
            match (over, work) {
                (true, None) => return Ok(Came::Nothing),
                (true, Some(_)) => dead = answer.number,
                (false, _) => return Err(self.unavailable(&why)),
            }
        }
        Err(self.unavailable(&format!("it was tried {MOST} times")))
    }

    /// The job, by its own word or by its name. A scheduler forgets jobs that are over, at once where it keeps no
    /// history.
    fn there(&self, answer: &Answer) -> Result<Option<String>, Problem> {
        match &answer.began {
            Began::As(id) => Ok(Some(id.clone())),
            Began::Unnamed => Err(self.unavailable("its job has just begun")),
            Began::No => self.find(),
        }
    }

    /// The job of this name, also when it is over.
    fn find(&self) -> Result<Option<String>, Problem> {
        let reply = self.site.ask("look for a job by its name", &self.site.dialect.find(self.name))?;
        let mut ids = self.site.dialect.found(&reply).map_err(|words| self.unavailable(&words))?;
        ids.sort();
        Ok(ids.into_iter().next())
    }

    fn call(&self, dead: usize, work: Option<(&[u8], &str)>) -> Result<Answer, Problem> {
        let submit = work.map_or_else(|| ":".into(), |(_, script)| line(&self.site.dialect.submit(script)));
        let values = [
            ("ar_run", quote(self.run.as_str())),
            ("ar_attempt", self.attempt.to_string()),
            ("ar_name", quote(self.name)),
            ("ar_dead", dead.to_string()),
            ("ar_void", if work.is_none() { "1".into() } else { String::new() }),
            ("ar_wait", (self.site.patience().as_secs() / 2).min(LONGEST_WAIT_S).to_string()),
        ];
        let function = format!("ar_submit() {{ {submit}; }}\n");
        let input = work.map_or(&b""[..], |(files, _)| files);
        let what = if work.is_some() { "submit a job" } else { "see what became of a submit" };
        let reply = self.site.script(what, &values, &[COMMON, &function, CLAIM], input, self.site.patience())?;
        let began = |own: &str| match own {
            "-" => Began::No,
            own => self.site.dialect.id_of(own).map_or(Began::Unnamed, Began::As),
        };
        parse(reply, began).ok_or_else(|| self.unavailable("the answer does not read"))
    }

    fn unavailable(&self, why: &str) -> Problem {
        let message = format!("nobody can say yet whether {} is queued on {}: {why}", self.name, self.site.name);
        Problem::new(Kind::Unavailable, "unavailable", printable(&message))
            .hint("repeat the command later, or git ar tick: it looks for the job before anything is sent again")
    }
}

fn parse(reply: Reply, began: impl Fn(&str) -> Began) -> Option<Answer> {
    let (first, rest) = reply.stdout.split_once('\n')?;
    let words: Vec<&str> = first.split(' ').collect();
    let ["claim", number, who, state, code, age, job] = words[..] else { return None };
    let state = match state {
        "done" => State::Done,
        "open" => State::Open,
        "void" => State::Void,
        _ => return None,
    };
    let scheduler = Reply { code: code.parse().ok()?, stdout: rest.to_string(), stderr: reply.stderr };
    let (number, fresh, old) = (number.parse().ok()?, who == "fresh", age == "old");
    Some(Answer { number, fresh, state, old, began: began(job), reply: scheduler })
}
