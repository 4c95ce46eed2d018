#!/usr/bin/env python3
"""Measures training steps a second beside PyTorch eager, in turn.

usage: throughput.py GIT-AR-TRAIN [MODEL…] [--threads N] [--batch N] [--rounds N] [--fused]
needs: pip install torch numpy

Both take full training steps (gather a batch, loss, gradient, Adam) of the same shapes on the same made-up images. In
each round both run their windows, one after the other, and every second round the other way round, so that whatever
else the machine does meets both. Printed: the medians, and of the rounds' ratios the median with its 95 % interval
(order statistics), by the clock and by processor time, which other work on the machine moves less. PyTorch's Adam is
the default one; --fused takes its fused kernel.
"""
import argparse, json, math, os, statistics, subprocess, time

import torch
import torch.nn as nn
import torch.nn.functional as F

BATCHES, WINDOW, WINDOWS = 16, 0.5, 3


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.cells, self.output = kind(28, 256, 2, batch_first=True), nn.Linear(256, 10)

    def forward(self, x):
        return self.output(self.cells(x.squeeze(1))[0][:, -1])


class Block(nn.Module):
    def __init__(self, into, out, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(into, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.skip = nn.Sequential()
        if stride != 1 or into != out:
            self.skip = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(h)) + self.skip(x))


def resnet18():
    layers, into = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()], 64
    for out, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Block(into, out, stride), Block(out, out, 1)]
        into = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def ffnn():
    sizes = ((784, 256), (256, 128))
    hidden = [layer for into, out in sizes for layer in (nn.Linear(into, out), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(128, 10))


def cnn():
    convs = [m for i, o in ((1, 32), (32, 64)) for m in (nn.Conv2d(i, o, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))]
    return nn.Sequential(*convs, nn.Flatten(), nn.Linear(3136, 10))


MODELS = {
    "ffnn": (ffnn, 1, 28),
    "cnn": (cnn, 1, 28),
    "rnn": (lambda: Recurrent(nn.RNN), 1, 28),
    "gru": (lambda: Recurrent(nn.GRU), 1, 28),
    "lstm": (lambda: Recurrent(nn.LSTM), 1, 28),
    "resnet18": (resnet18, 3, 32),
}


class PyTorch:
    """A model, Adam and the images that the engine's `bench` makes up."""

    def __init__(self, name, batch, fused):
        make, channels, side = MODELS[name]
        torch.manual_seed(0)
        self.batch, self.model = batch, make()
        self.adam = torch.optim.Adam(self.model.parameters(), 1e-3, fused=fused or None)
        count = BATCHES * batch
        self.x = torch.sin(torch.arange(count * channels * side * side) * 0.37).view(count, channels, side, side)
        self.y, self.order = torch.arange(count) % 10, (torch.arange(count) * 7919) % count
        self.steps(3)
        self.window = max(1, math.ceil(WINDOW * self.timed(2)[0] / batch))

    def steps(self, count):
        for step in range(count):
            places = self.order[step % BATCHES * self.batch:][:self.batch]
            x, y = self.x[places], self.y[places]
            self.adam.zero_grad()
            loss = F.cross_entropy(self.model(x), y)
            loss.backward()
            self.adam.step()
        assert math.isfinite(loss.item())

    def timed(self, count):
        """Images a second, and for each second of processor time."""
        began, worked = time.perf_counter(), time.process_time()
        self.steps(count)
        images = count * self.batch
        return images / (time.perf_counter() - began), images / (time.process_time() - worked)

    def rates(self):
        self.steps(self.window)
        return [statistics.median(rates) for rates in zip(*(self.timed(self.window) for _ in range(WINDOWS)))]


def engine(program, name, threads, batch):
    command = [program, "bench", name, "--json", "--device", "cpu", "--threads", str(threads)]
    told = subprocess.run([*command, "--batch", str(batch), "--windows", str(WINDOWS)], check=True, capture_output=True)
    row = json.loads(told.stdout)["data"][0]
    return [row["samples_per_s"], row["samples_per_cpu_s"]]


def interval(values):
    """The order statistics between which the median lies with 95 %."""
    values, n = sorted(values), len(values)
    below = [sum(math.comb(n, i) for i in range(k + 1)) / 2**n for k in range(n)]
    k = max((k for k in range(n // 2) if below[k] <= 0.025), default=0)
    return values[k], values[n - 1 - k]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("models", nargs="*")
    parser.add_argument("--threads", type=int, default=int(os.environ.get("OMP_NUM_THREADS", 1)))
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--fused", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    print(f"torch {torch.__version__}, {asked.threads} threads, batch {asked.batch}, {asked.rounds} rounds")
    print(f"{'model':9} {'PyTorch':>9} {'engine':>9}  {'ratio (95 %)':20}  by processor time")
    for name in asked.models or MODELS:
        rival = PyTorch(name, asked.batch, asked.fused)
        ours, theirs = [], []
        for round in range(asked.rounds):
            for own in (round % 2 == 0, round % 2 != 0):
                if own:
                    ours.append(engine(asked.program, name, asked.threads, asked.batch))
                else:
                    theirs.append(rival.rates())
        ratios = []
        for a, b in zip(zip(*ours), zip(*theirs)):
            values = [x / y for x, y in zip(a, b)]
            low, high = interval(values)
            ratios.append(f"{statistics.median(values):.2f} ({low:.2f} to {high:.2f})")
        medians = [statistics.median(rate for rate, _ in rows) for rows in (theirs, ours)]
        print(f"{name:9} {medians[0]:9.0f} {medians[1]:9.0f}  {ratios[0]:20}  {ratios[1]}", flush=True)


if __name__ == "__main__":
    main()
