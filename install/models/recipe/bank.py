#!/usr/bin/env python3
"""The bank: a fixed number of ready-made inpainting examples in one file. The patch fill costs more than the network.

    bank.py --data W/data --bank FILE [--examples N]

fills FILE and then goes round it for ever, so that an example is replaced by a fresh one; train.py starts this niced,
as its loader. An example is [256, 256, 10] uint8: picture 3, patch fill 3, smooth fill 3, mask 1 (0 or 1). Readers map
the file and take what FILE.count says is ready.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""
import argparse
import os
import random
import time
from pathlib import Path

import numpy as np

from pictures import Pictures, fill_patches, fill_smooth, random_mask

SIDE = 256
DEPTH = 10  # bytes a pixel


def example(pictures, rng, kind=None):
    """One example [256, 256, 10]; kind as random_mask() takes it."""
    tile = pictures.crop(rng, SIDE)
    mask = random_mask(rng, SIDE, kind)
    filled = fill_patches(tile, mask, int(rng.integers(2**31)))
    return np.dstack([tile, filled, fill_smooth(tile, mask), mask])


def open_bank(path, n_examples):
    """The file, mapped for writing; made with its full (sparse) size if it is not there."""
    size = n_examples * SIDE * SIDE * DEPTH
    if not path.exists() or path.stat().st_size != size:
        with open(path, "wb") as f:
            f.truncate(size)
        write_count(path, 0)
    return np.memmap(path, np.uint8, "r+", shape=(n_examples, SIDE, SIDE, DEPTH))


def write_count(path, n):
    part = Path(f"{path}.count.new")
    part.write_text(str(n))
    os.replace(part, f"{path}.count")


def ready(path):
    """How many examples have ever been written; at most the file's capacity of them are there."""
    try:
        return int(Path(f"{path}.count").read_text())
    except (FileNotFoundError, ValueError):
        return 0


class Reader:
    """Random windows of the bank's examples, turned and flipped."""

    def __init__(self, path):
        self.path = Path(path)
        self.rows = np.memmap(path, np.uint8, "r").reshape(-1, SIDE, SIDE, DEPTH)
        self.rng = np.random.default_rng(random.randrange(2**60))

    def draw(self, n, side):
        """[n, side, side, 10]; at least 2 % of each window is masked."""
        n_ready = min(ready(self.path), len(self.rows))
        return np.stack([self.window(n_ready, side) for _ in range(n)])

    def window(self, n_ready, side):
        rng = self.rng
        for _ in range(40):
            row = self.rows[rng.integers(n_ready)]
            y, x = rng.integers(0, SIDE - side + 1, 2)
            window = row[y:y + side, x:x + side]
            if window[..., 9].mean() > 0.02:
                break
        if rng.random() < 0.5:
            window = window[:, ::-1]
        if rng.random() < 0.2:
            window = window[::-1]
        if rng.random() < 0.2:
            window = window.transpose(1, 0, 2)
        return window


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--data", type=Path, default=Path("data"))
    ap.add_argument("--bank", type=Path, default=Path("bank.u8"))
    ap.add_argument("--examples", type=int, default=6000)
    ap.add_argument("--pause", type=Path, help="nothing is made while this file exists")
    ap.add_argument("--rest", type=float, default=3.0,
                    help="once the bank is full: seconds of rest after a second of work")
    args = ap.parse_args()
    rows = open_bank(args.bank, args.examples)
    rng = np.random.default_rng(random.randrange(2**60))
    pictures, known = None, None
    parent = os.getppid()
    n = ready(args.bank)
    while os.getppid() == parent:  # ends with the training that started it
        if args.pause and args.pause.exists():
            time.sleep(2)
            continue
        changed = (args.data / "manifest.json").stat().st_mtime
        if changed != known:  # more pictures were gathered
            pictures, known = Pictures(args.data / "train"), changed
        began = time.monotonic()
        rows[n % args.examples] = example(pictures, rng)
        n += 1
        write_count(args.bank, n)
        if n >= args.examples:
            time.sleep(args.rest * (time.monotonic() - began))


if __name__ == "__main__":
    main()
