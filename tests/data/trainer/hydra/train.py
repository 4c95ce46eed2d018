"""A trainer as a group has it: Hydra composes the config, the loop trains. `python train.py experiment=mlp` runs it."""
import math, random

import hydra

try:
    import torch
except ImportError:  # the loop below is plain Python, so that it runs anywhere
    torch = None


def fit(cfg, seed, epochs, state=None):
    """Logistic regression on two clouds of points; yields its state after every epoch."""
    if torch is not None:
        torch.manual_seed(seed)
    points = random.Random(seed)
    data = [(points.gauss(2 * label - 1, 1.0), points.gauss(label, 1.0), label) for label in (0, 1) for _ in range(200)]
    state = state or {"epoch": 0, "w": [0.0, 0.0, 0.0], "curve": []}
    while state["epoch"] < epochs:
        for x, y, label in random.Random(f"{seed} {state['epoch']}").sample(data, len(data)):
            a, b, c = state["w"]
            wrong = 1 / (1 + math.exp(-(a * x + b * y + c))) - label
            state["w"] = [a - cfg.optimizer.lr * wrong * x, b - cfg.optimizer.lr * wrong * y, c - cfg.optimizer.lr * wrong]
        a, b, c = state["w"]
        right = sum((a * x + b * y + c > 0) == (label == 1) for x, y, label in data)
        state = {"epoch": state["epoch"] + 1, "w": [a, b, c], "curve": [*state["curve"], right / len(data)]}
        yield state


@hydra.main(version_base=None, config_path="configs", config_name="config")
def main(cfg):
    for state in fit(cfg, cfg.seed, cfg.epochs):
        print(f"epoch {state['epoch']}: {state['curve'][-1]:.4f}")


if __name__ == "__main__":
    main()
