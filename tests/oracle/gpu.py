#!/usr/bin/env python3
"""Training steps a second on a GPU, with the share of the time that the GPU is busy.

usage: gpu.py GIT-AR-TRAIN [MODEL…] [--precision KIND…] [--batch N] [--gpu N]        needs: nvidia-smi

Runs `git-ar-train bench --device cuda` for each model and precision. Beside it `nvidia-smi` tells ten times a second
for what share of the time since it last looked the GPU had something to do. Printed are images a second and the median
of these shares in the second half of the run, when everything is warm.
"""
import argparse, json, statistics, subprocess

MODELS = ["ffnn", "cnn", "rnn", "gru", "lstm", "resnet18"]
PRECISIONS = ["float32", "bfloat16", "float16"]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("models", nargs="*")
    parser.add_argument("--precision", nargs="+", default=PRECISIONS)
    parser.add_argument("--batch", default="128")
    parser.add_argument("--gpu", default="0")
    asked = parser.parse_args()
    for model in asked.models or MODELS:
        for precision in asked.precision:
            query = ["nvidia-smi", f"--id={asked.gpu}", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
            watch = subprocess.Popen([*query, "--loop-ms=100"], stdout=subprocess.PIPE, text=True)
            bench = [asked.program, "bench", model, "--json", "--device", f"cuda:{asked.gpu}", "--batch", asked.batch]
            try:
                told = subprocess.run([*bench, "--precision", precision], check=True, stdout=subprocess.PIPE, text=True)
            finally:
                watch.terminate()
            shares = [int(line) for line in watch.communicate()[0].split()]
            row = json.loads(told.stdout)["data"][0]
            layout = "channels last" if row["channels_last"] else "contiguous"
            busy = statistics.median(shares[len(shares) // 2:])
            print(f"{model:9} {precision:9} {layout:14} {row['samples_per_s']:10.0f} images/s  {busy:3.0f} % busy", flush=True)


if __name__ == "__main__":
    main()
