#!/usr/bin/env python3
"""Train sfumato-mini, network by network. CPU or GPU, resumable, one folder of state.

    train.py {enlarger2,enlarger4,bridge} --data DIR --work DIR --minutes M [--init FOLDER]

Every --save minutes DIR/STAGE.pt (masters, averages, optimizer) and an fp16 export in DIR/export are written; a later
call goes on from STAGE.pt. --init starts from an exported folder instead. Losses go to DIR/STAGE.csv. bridge has a loop
of its own (bridge.py), and exports to DIR/NAME-export.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import argparse
import copy
import csv
import os
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import bridge
from export import export, load_enlarger
from networks import make_enlarger, read_config
from optimizer import Optimizer, compute_dtype
from pictures import Pictures, enlarge, prefetch, shrink

# Share of the weight of texture for a damaged picture: what is sharpened there is damage, too.
DAMAGED_TEXTURE = 0.25


class Clock:
    """Minutes of training that were really worked: a pause (SIGSTOP, sleep) does not use up the schedule."""

    def __init__(self, minutes, done=0.0):
        self.total, self.done, self.last = minutes * 60, done, time.monotonic()
        self.usual = None

    def tick(self):
        dt = time.monotonic() - self.last
        self.last = time.monotonic()
        self.usual = dt if self.usual is None else min(dt, 0.9 * self.usual + 0.1 * dt)
        self.done += min(dt, 5 * self.usual + 1)

    def rate(self, n, n_warm):
        """Warm up over n_warm steps, hold, and fall linearly to 4 % over the last third."""
        left = 1 - self.done / self.total
        return min(1.0, (n + 1) / n_warm) * max(0.04, min(1.0, left / 0.33))


def to_tensor(tiles, device):
    x = torch.from_numpy(np.stack(tiles)).to(device)
    return x.permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1


def train_enlarger(args, cfg, device, dtype):
    """The small network that enlarges. That for 4 starts from that for 2, but for the last layer."""
    factor = int(args.stage[-1])
    net = make_enlarger(cfg, factor)
    folder = Path(args.init or Path(args.work) / "export") / "enlarger"
    if (folder / f"x{factor}.safetensors").exists():
        net.take(load_enlarger(folder / f"x{factor}.safetensors").state_dict())
    elif (folder / "x2.safetensors").exists():
        net.take(load_enlarger(folder / "x2.safetensors").state_dict())
    net = net.to(device, dtype).to(memory_format=torch.channels_last)
    opt = Optimizer(net, args.lr, args.lr * 0.25, edges=net.edges())
    pictures = Pictures(Path(args.data) / "train")
    held_out = Pictures(Path(args.data) / "test")
    side = 48 * factor if factor == 2 else 32 * factor

    def small_pixels(rows):
        return (to_tensor(rows, device) + 1) / 2

    def make(rng):
        tiles = [pictures.crop(rng, side) for _ in range(args.batch)]
        kinds = rng.choice(["clean", "jpeg", "damaged"], len(tiles), p=[0.5, 0.25, 0.25])
        trust = [1.0 if k == "clean" else DAMAGED_TEXTURE for k in kinds]
        return [shrink(rng, t, factor, k) for t, k in zip(tiles, kinds)], tiles, trust

    rng = np.random.default_rng(2)
    test = {}
    for kind in ("clean", "jpeg"):
        tiles = [held_out.crop(rng, 256) for _ in range(24)]
        small = [shrink(rng, t, factor, kind) for t in tiles]
        cubic = [np.square(enlarge(s, 256, 256).astype(np.float32) - t).mean() for s, t in zip(small, tiles)]
        test[kind] = small_pixels(small), small_pixels(tiles), np.array(cubic) / 255**2

    def step(n, made):
        x, y = (small_pixels(rows) for rows in made[:2])
        out = net(x.contiguous(memory_format=torch.channels_last))
        loss = ((out - y).square() + 1e-5).sqrt().mean()
        if args.texture:
            # patches at one place within the cells of the pixel shuffle: a grid of dots is no texture
            cells = torch.zeros_like(y[:, :1])
            cells[:, :, random.randrange(factor) :: factor, random.randrange(factor) :: factor] = 1
            far = bridge.texture_distance(out, y, cells)
            loss = loss + args.texture * (far * torch.tensor(made[2], device=device)).mean()
        loss.backward()
        return 100 * loss.item(), {}

    def measure():
        """Of whole held-out crops, fp32: mean decibels above bicubic, and the texture distance in steps of 1/255."""
        exact = copy.deepcopy(net).float()
        exact.requires_grad_(False)
        values = {}
        for kind, (small, large, cubic) in test.items():
            made = [exact(x[None]).clamp(0, 1) for x in small]
            errors = np.array([(a[0] - b).square().mean().item() for a, b in zip(made, large)])
            texture = [
                bridge.texture_distance(a, b[None], torch.ones_like(a[:, :1])).item() for a, b in zip(made, large)
            ]
            values[f"test_{kind}_gain"] = float(np.mean(10 * np.log10(cubic / errors)))
            values[f"test_{kind}_texture"] = 255 * float(np.mean(texture))
        return values

    def export_now():
        with torch.no_grad():
            whole = make_enlarger(cfg, factor)
            whole.load_state_dict(opt.ema)
        export(Path(args.work) / "export", cfg, enlarger=whole)

    run(args, args.stage, net, opt, make, step, measure, export_now)


def run(args, stage, net, opt, make, step, measure, export_now):
    """The loop that both stages share: schedule, log, measure, save, export."""
    work = Path(args.work)
    work.mkdir(parents=True, exist_ok=True)
    clock = Clock(args.minutes)
    path = work / f"{stage}.pt"
    earlier = 0.0
    if path.exists() and not args.restart:
        state = torch.load(path, map_location="cpu")
        opt.load(state["opt"])
        earlier = state["seconds"]
        print(f"going on from step {opt.n}, {earlier / 60:.1f} minutes", flush=True)
    log = open(work / f"{stage}.csv", "a", newline="")
    table = None

    def save():
        torch.save({"opt": opt.state(), "seconds": earlier + clock.done}, f"{path}.new")
        os.replace(f"{path}.new", path)

    def report(extra):
        nonlocal table
        row = {"step": opt.n, "seconds": round(earlier + clock.done, 1), "loss": round(smooth, 5), **extra}
        if table is None:
            table = csv.DictWriter(log, row.keys(), extrasaction="ignore")
            if log.tell() == 0:
                table.writeheader()
        table.writerow(row)
        log.flush()
        print(row, flush=True)

    smooth, last_saved, last_measured, n_start = 0.0, 0.0, -1e9, opt.n
    batches = prefetch(make, 6 * args.loaders, random.randrange(2**60), args.loaders)
    while clock.done < clock.total:
        value, extra = step(opt.n, next(batches))
        opt.step(clock.rate(opt.n - n_start, 50 if n_start == 0 else 8))
        smooth = value if smooth == 0.0 else 0.97 * smooth + 0.03 * value
        clock.tick()
        if clock.done - last_measured > 60 * args.measure or clock.done >= clock.total:
            with opt.averaged():
                net.eval()
                measured = measure()
                if clock.done - last_saved > 60 * args.save or clock.done >= clock.total:
                    export_now()
                    save()
                    last_saved = clock.done
                net.train()
            last_measured = clock.done
            report({k: round(v, 5) for k, v in measured.items()} | {k: round(v, 5) for k, v in extra.items()})
            clock.last = time.monotonic()


TRAINERS = {
    "enlarger2": train_enlarger,
    "enlarger4": train_enlarger,
    "bridge": lambda args, cfg, device, dtype: bridge.train(args, cfg, device),
}


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("stage", choices=list(TRAINERS))
    ap.add_argument("--data", default="data", help="folder that gather.py wrote")
    ap.add_argument("--work", default="work", help="state, log and export")
    ap.add_argument("--minutes", type=float, default=30.0, help="length of this call's schedule")
    ap.add_argument("--init", help="an exported model folder to start from")
    ap.add_argument("--restart", action="store_true", help="ignore a saved state")
    ap.add_argument(
        "--batch",
        type=int,
        default=0,
        help="pictures a step, as many pixels as that of 128 px (default 16 for bridge, else 8)",
    )
    ap.add_argument("--lr", type=float, default=0.0, help="Muon's learning rate (default 3e-3 for bridge, else 2e-3)")
    ap.add_argument("--save", type=float, default=10.0, help="minutes between checkpoints and exports")
    ap.add_argument("--measure", type=float, default=2.0, help="minutes between measurements")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--loaders", type=int, default=1, help="threads that cut and damage pictures")
    ap.add_argument(
        "--small-share", type=float, default=0.7, help="bridge: share of steps on 128 px crops; the rest on 256 px"
    )
    ap.add_argument("--bank", type=int, default=6000, help="bridge: examples kept for reuse")
    bridge.add_options(ap)
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    cfg = read_config()
    args.batch = args.batch or {"bridge": 16}.get(args.stage, 8)
    args.lr = args.lr or {"bridge": 3e-3}.get(args.stage, 2e-3)
    TRAINERS[args.stage](args, cfg, device, compute_dtype(device))


if __name__ == "__main__":
    main()
