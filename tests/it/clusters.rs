//! `cluster list|show`: the sites of a repository, valid or not.

use crate::sandbox::Sandbox;

const SITE: &str = "schema: 1\nscheduler: pbs\ntransport: ssh\nhost: site\nscratch: /lustre/$USER/ar\naccount_required: true\n\
                    default_queue: gpu_1\nqueues:\n  gpu_1: {max_walltime: \"12:00:00\", cores: [1, 10], gpus: [1, 1], max_running: 2}\n";

fn repository() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.run("init --runs-only");
    sandbox.write("configs/cluster/site.yaml", SITE);
    sandbox
}

#[test]
fn clusters_are_listed_and_shown() {
    let sandbox = repository();
    sandbox.write(
        "configs/cluster/broken.yaml",
        "schema: 1\nscheduler: pbs\ntransport: ssh\nhost: -oProxyCommand=x\nscratch: /s\n",
    );
    let list = sandbox.run("cluster");
    assert!(list.contains("local   local  this machine"), "{list}");
    assert!(list.contains("site    pbs    ssh site  queues: gpu_1"), "{list}");
    assert!(list.contains("broken  invalid: `-oProxyCommand=x`"), "{list}");
    assert!(!list.contains("[exit"), "{list}");
    let show = sandbox.run("cluster show si");
    assert!(show.contains("gpu_1         12:00:00        ?      1-10     1       2      ?  default"), "{show}");
    assert!(show.contains("open: cluster site refuses jobs without an account"), "{show}");
    assert!(show.contains("open: 0 GPUs do not fit queue gpu_1"), "{show}");
    let broken = sandbox.run("cluster show broken");
    assert!(broken.contains("--> configs/cluster/broken.yaml:4") && broken.contains("[exit 5]"), "{broken}");
    let missing = sandbox.run("cluster show sitte");
    assert!(missing.contains("did you mean `site`?") && missing.contains("[exit 2]"), "{missing}");
    let json: serde_json::Value =
        serde_json::from_slice(&sandbox.ar(&["cluster", "show", "site", "--json"]).stdout).unwrap();
    assert_eq!(json["data"]["profile"]["queues"]["gpu_1"]["max_running"], 2);
}

#[test]
fn the_profiles_of_this_repository_are_valid() {
    let sandbox = repository();
    for name in ["lengau", "slurm-local"] {
        let path = format!("{}/configs/cluster/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        sandbox.write(&format!("configs/cluster/{name}.yaml"), &std::fs::read_to_string(path).unwrap());
    }
    let lengau = sandbox.run("cluster show lengau");
    assert!(lengau.contains("gpu_long") && lengau.contains("144:00:00") && lengau.contains("90 days"), "{lengau}");
    assert!(lengau.contains("open: cluster lengau refuses jobs without an account"), "{lengau}");
    assert_eq!(lengau.matches("open:").count(), 1, "{lengau}");
    let slurm = sandbox.run("cluster show slurm-local");
    assert!(slurm.contains("slurm, this machine") && !slurm.contains("open:"), "{slurm}");
}
