#!/usr/bin/env python3
"""Reads what the engine tracks with the real packages: `wandb sync` to a server on loopback, and TensorBoard.

usage: tracking.py GIT-AR-TRAIN        needs: pip install wandb tensorboard

A small training writes an offline run and event files. `wandb sync` uploads the run to a server in this program that
answers as far as an upload needs and keeps what comes; TensorBoard's reader reads the event files. Every value of every
epoch must be the one in metrics.json. Then the run's log is cut in its middle, as a kill does, and uploaded again: the
whole rows before the cut must arrive.
"""
import importlib.metadata, json, os, pathlib, shutil, subprocess, sys, tempfile, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

EPOCHS = 40
CONFIG = f"""epochs: {EPOCHS}
batch_size: 64
dataset: {{name: digits}}
model: {{name: ffnn, hidden: [32]}}
optimizer: {{name: adam, lr: 0.003}}
wandb: {{enabled: true, project: readers}}
tensorboard: {{enabled: true}}
device: cpu
"""


class Server(ThreadingHTTPServer):
    """Answers an upload and keeps it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.rows, self.runs, self.files = {}, [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def graphql(self, query, variables):
        if "upsertBucket" in query:
            self.runs.append(variables)
            project = {"name": variables.get("project"), "entity": {"name": "loopback"}}
            bucket = {"id": "1", "name": variables["name"], "displayName": variables.get("displayName"), "project": project}
            bucket |= {"historyLineCount": 0, "config": "{}", "sweepName": None}
            return {"upsertBucket": {"bucket": bucket, "inserted": True}}
        if "createRunFiles" in query:
            files = [{"name": name, "uploadUrl": f"{self.url}/put/{name}"} for name in variables["files"]]
            return {"createRunFiles": {"runID": "1", "uploadHeaders": [], "files": files}}
        if "viewer" in query:
            return {"viewer": {"id": "1", "entity": "loopback", "username": "loopback", "flags": "{}", "teams": {"edges": []}}}
        return {}

    def stream(self, files):
        """Rows of a file from a line on, as the uploader sends them."""
        history = files.get("wandb-history.jsonl", {"offset": 0, "content": []})
        for index, line in enumerate(history["content"]):
            self.rows[history["offset"] + index] = json.loads(line)

    def handle_error(self, *_):
        """An uploader that hangs up is no matter."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, value):
        text = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        asked = json.loads(self.body() or b"{}")
        if self.path.endswith("/graphql"):
            return self.answer({"data": self.server.graphql(asked["query"], asked.get("variables") or {})})
        if self.path.endswith("/file_stream"):
            self.server.stream(asked.get("files") or {})
        self.answer({})

    def do_PUT(self):
        self.body()
        self.server.files.append(self.path.removeprefix("/put/"))
        self.answer({})

    def do_GET(self):
        self.answer({})

    def log_message(self, *_):
        pass


def sync(folder, home):
    """What arrives when a run is uploaded, the exit status, and the words."""
    server = Server()
    settings = {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": "0" * 40, "HOME": str(home), "WANDB_ERROR_REPORTING": "false"}
    settings |= {f"WANDB_{name}_DIR": str(home) for name in ("CACHE", "CONFIG", "DATA")}
    command = [sys.executable, "-m", "wandb", "sync", "--yes", str(folder)]
    told = subprocess.run(command, env={**os.environ, **settings}, cwd=home, capture_output=True, text=True, timeout=300)
    server.shutdown()
    return server, told.returncode, told.stdout + told.stderr


def wrong(rows, curve):
    """The values that arrived and are not those of the curve."""
    found = []
    for place, row in rows.items():
        for name, values in curve.items():
            if row.get(name) != values[place] or row.get("_step") != place + 1:
                found.append((place, name, row.get(name), values[place]))
    return found


def main():
    print(f"wandb {importlib.metadata.version('wandb')}, tensorboard {importlib.metadata.version('tensorboard')}")
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "config.yaml").write_text(CONFIG)
    command = [sys.argv[1], "--config", folder / "config.yaml", "--run-dir", folder, "--seed", "0"]
    subprocess.run(command, check=True, capture_output=True)
    seed = folder / "seed-0"
    curve = json.loads((seed / "metrics.json").read_text())["curve"]
    good = True

    def judge(what, words, right):
        nonlocal good
        good &= right
        print(f"{what:24} {words}  {'right' if right else 'WRONG'}")

    (run,) = seed.glob("wandb/offline-run-*")
    (log,) = run.glob("*.wandb")
    whole = log.read_bytes()
    server, code, words = sync(run, folder)
    judge("wandb sync", f"exit {code}, {len(server.rows)} of {EPOCHS} rows", (code, len(server.rows), wrong(server.rows, curve)) == (0, EPOCHS, []))
    told = server.runs[0]
    known = json.loads(told["config"])["epochs"]["value"] == EPOCHS and log.with_name(log.name + ".synced").exists()
    judge("  as", f"{told['displayName']} in {told['project']}, with its config", known)

    shutil.rmtree(run)
    run.mkdir()
    log.write_bytes(whole[: len(whole) // 2])
    server, code, words = sync(run, folder)
    kept = len(server.rows) > EPOCHS // 3 and not wrong(server.rows, curve) and "incomplete record" in words
    judge("wandb sync, log cut", f"{len(server.rows)} rows, and the cut is told", kept)

    events = EventAccumulator(str(seed / "tensorboard"), size_guidance={"scalars": 0})
    events.Reload()
    read = {name: [point.value for point in events.Scalars(name)] for name in events.Tags()["scalars"]}
    near = all(len(read[name]) == EPOCHS and all(abs(a - b) <= 1e-6 * abs(b) for a, b in zip(read[name], curve[name])) for name in curve)
    judge("TensorBoard", f"{sum(map(len, read.values()))} values of {len(read)} series", near)
    shutil.rmtree(folder)
    sys.exit(not good)


if __name__ == "__main__":
    main()
