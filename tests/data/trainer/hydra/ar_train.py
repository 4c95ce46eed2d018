import json, os, signal, sys
from omegaconf import OmegaConf
from train import fit  # the group's own loop, as it is

env, cfg = os.environ, OmegaConf.load(os.environ["AR_CONFIG"])
seed, epochs = int(env["AR_SEED"]), 1 if env.get("AR_SMOKE") == "1" else cfg.epochs
out = os.path.join(env["AR_RUN_DIR"], f"seed-{seed}")
os.makedirs(out, exist_ok=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the checkpoint of the last epoch is there

def put(name, value):  # with PyTorch: torch.save for the checkpoint
    with open(os.path.join(out, name + ".part"), "w") as file:
        json.dump(value, file)
    os.replace(file.name, os.path.join(out, name))

checkpoint = os.path.join(out, "checkpoint.json")
state = json.load(open(checkpoint)) if os.path.exists(checkpoint) else None
for state in fit(cfg, seed, epochs, state):
    put("checkpoint.json", state)
    print(f"epoch {state['epoch']}: {state['curve'][-1]:.4f}", flush=True)
curve = state["curve"]
best = max(range(len(curve)), key=curve.__getitem__)
accuracy = {"final": curve[-1], "best": curve[best], "best_epoch": best + 1, "direction": "maximize"}
put("metrics.json", {"schema": 1, "run": env["AR_RUN"], "seed": seed, "commit": env["AR_COMMIT"],
    "config_digest": env["AR_CONFIG_DIGEST"], "status": "completed", "epochs_planned": epochs, "epochs_run": len(curve),
    "metrics": {"val/accuracy": accuracy}, "curve": {"val/accuracy": curve}})
