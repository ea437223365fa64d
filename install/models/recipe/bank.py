#!/usr/bin/env python3
"""The bank: a fixed number of ready-made inpainting examples in one file. The patch fill costs more than the network.

    bank.py --data W/data --bank FILE [--examples N] [--jobs N]

fills FILE and then goes round it for ever, so that an example is replaced by a fresh one; train.py starts this niced,
as its loader. An example is [256, 256, 10] uint8: picture 3, patch fill 3, smooth fill 3, mask 1 (0 or 1). Readers map
the file and take what FILE.count says is ready.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import argparse
import itertools
import multiprocessing
import os
import random
import time
from pathlib import Path

import numpy as np

from pictures import Pictures, fill_patches, fill_smooth, random_mask

SIDE = 256
DEPTH = 10  # bytes a pixel
AHEAD = 8  # examples that a process makes in one go


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
            window = row[y : y + side, x : x + side]
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
    ap.add_argument("--jobs", type=int, default=1, help="processes")
    ap.add_argument(
        "--rest", type=float, default=3.0, help="once the bank is full: seconds of rest after a second of work"
    )
    args = ap.parse_args()
    rows = open_bank(args.bank, args.examples)
    parent, n = os.getppid(), ready(args.bank)
    for made in endless(Pictures(args.data / "train"), args):
        if os.getppid() != parent:  # it ends with the training that started it
            break
        rows[n % args.examples] = made
        n += 1
        write_count(args.bank, n)


def endless(pictures, args):
    """Examples without end, from --jobs processes that share the pictures in memory."""
    global PICTURES
    PICTURES = pictures
    n_left = args.examples - ready(args.bank)
    with multiprocessing.get_context("fork").Pool(args.jobs, initializer=os.nice, initargs=(1,)) as pool:
        for seed in itertools.count(random.randrange(2**60), args.jobs * AHEAD):
            while args.pause and args.pause.exists():
                time.sleep(2)
            began = time.monotonic()
            yield from pool.imap_unordered(made_from, range(seed, seed + args.jobs * AHEAD))
            n_left -= args.jobs * AHEAD
            if n_left <= 0:
                time.sleep(args.rest * (time.monotonic() - began))


def made_from(seed):
    return example(PICTURES, np.random.default_rng(seed))


if __name__ == "__main__":
    main()
