#!/usr/bin/env python3
"""Compares learning curves of the feed-forward network with PyTorch: same initial weights, same order of images.

usage: curve.py GIT-AR-TRAIN [--data DIR] [--epochs N]        needs: pip install torch numpy
       curve.py --record FILE

The engine draws initial weights and orders from SplitMix64; this program draws the same numbers and lets PyTorch train
(nn.Linear, cross_entropy, optim.Adam). With a data folder both train 784-256-128-10 on MNIST, else 64-32-10 on the
digits. Printed: loss and accuracy of every epoch from both, and how far apart they are. --record writes PyTorch's
curve on the digits, which tests/train/curve.rs compares with the engine's.
"""
import argparse, gzip, json, pathlib, subprocess, tempfile

import numpy as np
import torch
import torch.nn.functional as F

TOP = pathlib.Path(__file__).resolve().parents[2]
MASK, SEED, LR = (1 << 64) - 1, 5, 0.001
WEIGHTS, ORDER, SPLIT = 0x1417, 0x0BDE, 1998


class Random:
    """SplitMix64 with a stream for each key."""

    def __init__(self, *key):
        self.state = 0x6A09E667F3BCC908
        for part in key:
            self.state ^= part
            self.state = self.bits()

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def shuffled(self, count):
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            chosen = (self.bits() * (last + 1)) >> 64
            order[last], order[chosen] = order[chosen], order[last]
        return order

    def uniform(self, shape, bound):
        units = np.array([self.bits() >> 40 for _ in range(int(np.prod(shape)))], dtype=np.float32) / np.float32(1 << 24)
        return torch.tensor((np.float32(2) * units - np.float32(1)) * np.float32(bound)).view(*shape)


def digits():
    rows = np.loadtxt(gzip.open(TOP / "data/digits/digits.csv.gz", "rt"), delimiter=",")
    rows = rows[Random(SPLIT).shuffled(len(rows))]
    x, y = torch.tensor(rows[:, :64] / 16, dtype=torch.float32), torch.tensor(rows[:, 64]).long()
    scaled = x * np.float32(1 / np.float32(0.3760)) + np.float32(-np.float32(0.3050) / np.float32(0.3760))
    return [(scaled[a:b], y[a:b]) for a, b in ((0, 1257), (1257, 1437))]


def mnist(folder):
    def read(name):
        for path in (folder / "mnist" / name, folder / name):
            if path.with_suffix(".gz").exists() or pathlib.Path(f"{path}.gz").exists():
                return gzip.open(f"{path}.gz").read()
            if path.exists():
                return path.read_bytes()
        raise SystemExit(f"{folder} has no {name}")

    pixels = np.frombuffer(read("train-images-idx3-ubyte"), np.uint8, offset=16).reshape(-1, 784)
    labels = np.frombuffer(read("train-labels-idx1-ubyte"), np.uint8, offset=8)
    order = Random(SPLIT).shuffled(60000)
    factor = np.float32(1) / (np.float32(255) * np.float32(0.3081))
    x = torch.tensor(pixels[order].astype(np.float32)) * factor + np.float32(-np.float32(0.1307) / np.float32(0.3081))
    y = torch.tensor(labels[order].astype(np.int64))
    return [(x[:55000], y[:55000]), (x[55000:], y[55000:])]


def network(sizes):
    random, layers = Random(SEED, WEIGHTS), []
    for into, out in zip(sizes, sizes[1:]):
        layer, bound = torch.nn.Linear(into, out), 1 / into**0.5
        layer.weight.data, layer.bias.data = random.uniform((out, into), bound), random.uniform((out,), bound)
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def pytorch(parts, sizes, batch, epochs):
    """train/loss, val/loss and val/accuracy of every epoch."""
    (x, y), (vx, vy) = parts
    model = network(sizes)
    adam, curve = torch.optim.Adam(model.parameters(), LR), {"train/loss": [], "val/loss": [], "val/accuracy": []}
    for epoch in range(epochs):
        order, total = torch.tensor(Random(SEED, ORDER, epoch).shuffled(len(y))), 0.0
        for places in order.split(batch):
            adam.zero_grad()
            loss = F.cross_entropy(model(x[places]), y[places])
            loss.backward()
            adam.step()
            total += loss.item() * len(places)
        with torch.no_grad():
            scores = model(vx)
        curve["train/loss"].append(total / len(y))
        curve["val/loss"].append(F.cross_entropy(scores, vy).item())
        curve["val/accuracy"].append((scores.argmax(1) == vy).double().mean().item())
    return curve


def config(data, hidden, batch, epochs):
    return (
        f"epochs: {epochs}\nbatch_size: {batch}\ndataset: {{name: {data}, normalize: true}}\n"
        f"model: {{name: ffnn, hidden: {hidden}}}\noptimizer: {{name: adam, lr: {LR}}}\ndevice: cpu\n"
    )


def engine(program, text, data):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "config.yaml"
        file.write_text(text)
        options = ["--config", file, "--run-dir", folder, "--seed", str(SEED), *(["--data", data] if data else [])]
        subprocess.run([program, *options], check=True, capture_output=True)
        return json.loads((pathlib.Path(folder) / f"seed-{SEED}/metrics.json").read_text())["curve"]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program", nargs="?")
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--record")
    asked = parser.parse_args()
    versions = f"torch {torch.__version__}, numpy {np.__version__}"
    if asked.record:
        curve, text = pytorch(digits(), (64, 32, 10), 64, 10), config("digits", [32], 64, 10)
        found = {"by": f"tests/oracle/curve.py, {versions}", "seed": SEED, "config": text, "curve": curve}
        pathlib.Path(asked.record).write_text(json.dumps(found, indent=1) + "\n")
        return
    print(versions)
    if asked.data:
        theirs = pytorch(mnist(asked.data), (784, 256, 128, 10), 128, asked.epochs)
        ours = engine(asked.program, config("mnist", [256, 128], 128, asked.epochs), asked.data)
    else:
        theirs = pytorch(digits(), (64, 32, 10), 64, asked.epochs)
        ours = engine(asked.program, config("digits", [32], 64, asked.epochs), None)
    for name, curve in theirs.items():
        for epoch, (a, b) in enumerate(zip(curve, ours[name]), 1):
            print(f"epoch {epoch}  {name:12}  PyTorch {a:.6f}  engine {b:.6f}  apart {abs(a - b):.1e}")


if __name__ == "__main__":
    main()
