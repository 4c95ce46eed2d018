#!/usr/bin/env python3
"""Compares one training step of every model of the engine with PyTorch.

usage: step.py GIT-AR-TRAIN        needs: pip install torch numpy safetensors

The engine trains two epochs of one step each (all digits images in one batch, plain descent, lr 0.1). Between the
checkpoint after the first epoch and the one after the second lies exactly one step. PyTorch takes the first one's
weights, computes loss and gradients on the same images, and both are compared with what the engine found.
"""
import gzip, json, pathlib, subprocess, sys, tempfile

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file

TOP = pathlib.Path(__file__).resolve().parents[2]
LR = 0.1
MODELS = {
    "ffnn": "{name: ffnn, hidden: [32, 16]}",
    "cnn": "{name: cnn, channels: [8, 12], kernel: 3}",
    "rnn": "{name: rnn, hidden: 24, layers: 2}",
    "gru": "{name: gru, hidden: 24, layers: 2}",
    "lstm": "{name: lstm, hidden: 24, layers: 2}",
    "resnet18": "{name: resnet18, width: 8, blocks: [2, 2, 2, 2]}",
}


def training_images():
    """The training part of the digits, cut as the engine cuts it (SplitMix64, Fisher-Yates, seed 1998)."""
    mask, state = (1 << 64) - 1, 0x6A09E667F3BCC908

    def bits():
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    state ^= 1998
    state = bits()
    rows = np.loadtxt(gzip.open(TOP / "data/digits/digits.csv.gz", "rt"), delimiter=",")
    order = list(range(len(rows)))
    for last in range(len(order) - 1, 0, -1):
        chosen = (bits() * (last + 1)) >> 64
        order[last], order[chosen] = order[chosen], order[last]
    rows = rows[order[:1257]]
    return torch.tensor(rows[:, :64] / 16, dtype=torch.float32).view(-1, 1, 8, 8), torch.tensor(rows[:, 64]).long()


def recurrent(kind, w, x):
    net = kind(8, 24, 2, batch_first=True)
    own = {name.removeprefix("cells."): value for name, value in w.items() if name.startswith("cells.")}
    out = torch.func.functional_call(net, own, (x.squeeze(1),))[0]
    return F.linear(out[:, -1], w["output.weight"], w["output.bias"])


def norm(w, name, x):
    return F.batch_norm(x, None, None, w[f"{name}.weight"], w[f"{name}.bias"], True, 0.1, 1e-5)


def resnet(w, x):
    h = F.relu(norm(w, "bn1", F.conv2d(x, w["conv1.weight"], padding=1)))
    for stage in range(4):
        for index in range(2):
            block, stride = f"layer{stage + 1}.{index}", 2 if stage and not index else 1
            y = F.relu(norm(w, f"{block}.bn1", F.conv2d(h, w[f"{block}.conv1.weight"], stride=stride, padding=1)))
            y = norm(w, f"{block}.bn2", F.conv2d(y, w[f"{block}.conv2.weight"], padding=1))
            if f"{block}.skip.conv.weight" in w:
                h = norm(w, f"{block}.skip.bn", F.conv2d(h, w[f"{block}.skip.conv.weight"], stride=stride))
            h = F.relu(y + h)
    return F.linear(h.mean((2, 3)), w["output.weight"], w["output.bias"])


def forward(name, w, x):
    if name == "ffnn":
        h = x.flatten(1)
        for layer in ("hidden1", "hidden2"):
            h = F.relu(F.linear(h, w[f"{layer}.weight"], w[f"{layer}.bias"]))
        return F.linear(h, w["output.weight"], w["output.bias"])
    if name == "cnn":
        for layer in ("conv1", "conv2"):
            x = F.max_pool2d(F.relu(F.conv2d(x, w[f"{layer}.weight"], w[f"{layer}.bias"], padding=1)), 2)
        return F.linear(x.flatten(1), w["output.weight"], w["output.bias"])
    if name == "resnet18":
        return resnet(w, x)
    return recurrent({"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[name], w, x)


def weights(file):
    found = {name.removeprefix("model."): torch.tensor(v) for name, v in load_file(file).items() if name.startswith("model.")}
    return {name: value for name, value in found.items() if "running" not in name}


def compare(engine, name, folder):
    config = folder / "config.yaml"
    config.write_text(
        f"epochs: 2\nbatch_size: 1257\ndataset: {{name: digits, normalize: false}}\nmodel: {MODELS[name]}\n"
        f"optimizer: {{name: sgd, lr: {LR}}}\ndevice: cpu\n"
    )
    subprocess.run([engine, "--config", config, "--run-dir", folder, "--seed", "0"], check=True, capture_output=True)
    seed = folder / "seed-0"
    before, after = weights(seed / "checkpoint.previous.safetensors"), weights(seed / "checkpoint.safetensors")
    leaves = {key: value.clone().requires_grad_() for key, value in before.items()}
    x, y = training_images()
    loss = F.cross_entropy(forward(name, leaves, x), y)
    loss.backward()
    told = json.loads((seed / "metrics.json").read_text())["curve"]["train/loss"][1]
    apart = [abs(told - loss.item()) / loss.item()]
    for key, leaf in leaves.items():
        gradient = (before[key] - after[key]) / LR
        apart.append(((gradient - leaf.grad).norm() / leaf.grad.norm().clamp_min(1e-3)).item())
    return apart


def main():
    print(f"torch {torch.__version__}, numpy {np.__version__}")
    failed = False
    for name in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            loss, *gradients = compare(sys.argv[1], name, pathlib.Path(folder))
        good = loss < 1e-5 and max(gradients) < 1e-3
        failed |= not good
        print(f"{name:9} loss {loss:.1e}  gradients {max(gradients):.1e} of {len(gradients)}  {'equal' if good else 'NOT EQUAL'}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
