//! Any text as the reply of a scheduler: the dialects take what they know, and never panic.
#![no_main]

use git_ar::cluster::live;
use git_ar::cluster::reply::Reply;
use git_ar::cluster::scheduler::Scheduler;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str, &str)| {
    let (code, stdout, stderr) = input;
    let reply = Reply { code: code.into(), stdout: stdout.into(), stderr: stderr.into() };
    for scheduler in [Scheduler::Pbs, Scheduler::Slurm] {
        let _ = live::queues(scheduler, &reply);
    }
    let ids: Vec<String> = ["1", "2.vm", "8[]"].map(String::from).to_vec();
    for dialect in [Scheduler::Pbs, Scheduler::Slurm].into_iter().filter_map(Scheduler::dialect) {
        let _ = (dialect.job_id(&reply), dialect.found(&reply), dialect.states(&ids, &reply));
    }
});
