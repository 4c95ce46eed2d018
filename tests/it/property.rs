//! Random sequences of verbs and git operations, each judged against a model of the state; what fails is shrunk.
//!
//! The model is a table of its own: which phase follows which. After every operation the steps of each iteration are
//! what the table and the operation allow, nothing that was there is lost, and the work tree is clean.
//! `GIT_AR_PROPERTY=SEED:COUNT` tries other sequences; the seeds of the test itself are fixed.

mod chance;
mod model;
mod world;

use chance::Chance;
use model::Op;
use world::World;

/// How long a sequence is.
const LENGTH: usize = 14;

/// Runs a sequence in a world of its own.
fn verdict(ops: &[Op]) -> Result<(), String> {
    let mut world = World::new();
    for (number, op) in ops.iter().enumerate() {
        world.apply(*op).map_err(|wrong| format!("step {}, {op:?}: {wrong}", number + 1))?;
    }
    world.end()
}

/// The shortest part of a sequence that still fails, and how: pieces are left out, halves first.
fn shrunk(mut ops: Vec<Op>, mut wrong: String) -> (Vec<Op>, String) {
    let mut size = ops.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < ops.len() {
            let without: Vec<Op> =
                ops.iter().enumerate().filter(|(n, _)| !(at..at + size).contains(n)).map(|(_, op)| *op).collect();
            match verdict(&without) {
                Err(same) => (ops, wrong) = (without, same),
                Ok(()) => at += size,
            }
        }
        size /= 2;
    }
    (ops, wrong)
}

fn holds(seed: u64) {
    let mut chance = Chance::new(seed);
    let ops: Vec<Op> = (0..LENGTH).map(|_| Op::random(&mut chance)).collect();
    if let Err(wrong) = verdict(&ops) {
        let (ops, wrong) = shrunk(ops, wrong);
        panic!("seed {seed}, shrunk to {} steps: {ops:#?}\n{wrong}", ops.len());
    }
}

#[test]
fn no_sequence_loses_a_step_or_takes_an_illegal_one() {
    let wanted = std::env::var("GIT_AR_PROPERTY").unwrap_or_default();
    let (first, count) = wanted.split_once(':').unwrap_or(("1", "6"));
    let (first, count): (u64, u64) = (first.parse().unwrap(), count.parse().unwrap());
    (first..first + count).for_each(holds);
}

/// The operations do what they are named for: otherwise nothing above would mean anything.
#[test]
fn a_prepared_iteration_walks_the_whole_road_and_merges() {
    let mut world = World::new();
    let road = [Op::New, Op::Next(0), Op::Prepare(0), Op::Switch, Op::New, Op::Merge, Op::Switch];
    for op in road.into_iter().chain([Op::Next(0); 5]).chain([Op::Note(0), Op::Switch, Op::Reset, Op::Merge]) {
        world.apply(op).unwrap();
    }
    assert_eq!(world.phases(), ["concluded"]);
    world.end().unwrap();
}

#[test]
fn a_failing_sequence_is_shrunk_to_what_matters() {
    // A person who goes round every rung: the model must see it, and the shrinker must find it.
    let ops = [Op::New, Op::Note(0), Op::Next(0), Op::Note(0), Op::Forged(0), Op::Note(0)];
    let wrong = verdict(&ops).unwrap_err();
    let (ops, wrong) = shrunk(ops.to_vec(), wrong);
    assert_eq!(ops, [Op::New, Op::Forged(0)], "{wrong}");
    assert!(wrong.contains("Forged"), "{wrong}");
}
