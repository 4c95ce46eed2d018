import json, os, random, re, signal, sys

seed = int(os.environ["AR_SEED"])
out = os.path.join(os.environ["AR_RUN_DIR"], f"seed-{seed}")
os.makedirs(out, exist_ok=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # save a checkpoint here, if there is one
config = open(os.environ["AR_CONFIG"]).read()  # yaml.safe_load in a real trainer
epochs = 1 if os.environ.get("AR_SMOKE") == "1" else int(re.search(r"^epochs: (\d+)", config, re.M)[1])

random.seed(seed)  # here stands the training
curve = [1 - 0.5 / (epoch + 1 + random.random()) for epoch in range(epochs)]

best = max(range(epochs), key=curve.__getitem__)
metric = {"final": curve[-1], "best": curve[best], "best_epoch": best + 1, "direction": "maximize"}
result = {"schema": 1, "run": os.environ["AR_RUN"], "seed": seed, "commit": os.environ["AR_COMMIT"],
          "config_digest": os.environ["AR_CONFIG_DIGEST"], "status": "completed", "epochs_planned": epochs,
          "epochs_run": epochs, "best_epoch": best + 1, "metrics": {"val/accuracy": metric}, "curve": {"val/accuracy": curve}}
with open(os.path.join(out, "metrics.json.part"), "w") as file:
    json.dump(result, file)
os.replace(file.name, os.path.join(out, "metrics.json"))
