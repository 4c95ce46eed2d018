//! How long a composition takes: this program's own tree, an experiment with overrides, resolved.
//!
//! `cargo bench --bench compose`; `docs/benchmarks.md` has the figures and how Hydra was measured.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use git_ar::config::{Composer, Job, Request, compose};
use git_ar::repo::DiskTree;

fn overrides(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn compositions(c: &mut Criterion) {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let tree = DiskTree::new(&configs);
    let env = |_: &str| None;
    let words = overrides(&["experiment=mnist_cnn_adam", "optimizer.lr=3e-4", "seed=1"]);
    let name = Some("config");
    let job = Job::default();

    c.bench_function("1000 compositions, files read each time", |b| {
        let request = Request { tree: &tree, dir: "", name, overrides: &words, env: &env, job };
        b.iter(|| {
            for _ in 0..1000 {
                black_box(compose(&request).and_then(|composed| composed.resolved()).expect("it composes"));
            }
        });
    });
    c.bench_function("1000 compositions, files read once", |b| {
        b.iter(|| {
            let mut composer = Composer::new(&tree, "", &env);
            for _ in 0..1000 {
                let composed = composer.compose(name, &words, job);
                black_box(composed.and_then(|composed| composed.resolved()).expect("it composes"));
            }
        });
    });
    c.bench_function("a sweep of 100 jobs", |b| {
        let words = overrides(&["experiment=mnist_cnn_adam", "seed=range(10)", "batch_size=range(10,110,10)"]);
        b.iter(|| black_box(Composer::new(&tree, "", &env).expand(name, &words, job).expect("it expands")));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = compositions
}
criterion_main!(benches);
