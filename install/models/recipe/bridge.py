"""The network that refines a filled hole: one step of a bridge from the fill to the picture, in pixels.

A bridge is a diffusion model whose chain starts at the fill and not at noise: at time t in 0..1 the state is
z = (1 - t) picture + t (fill + noise), and the network predicts start - picture, so the picture is known after any
step. Without noise one step from t = 1 is the whole chain. The latent is the picture itself, each cell of f x f pixels
as channels (pixel unshuffle), and the network an ordinary UNet2DConditionModel.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import csv
import itertools
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file

import bank
from export import export
from networks import CONTEXT_SIZE, context_tokens, mask_cells, read_config
from optimizer import Optimizer, compute_dtype
from pictures import Pictures

HERE = Path(__file__).resolve().parent


def make_net(cfg):
    """cfg as "bridge" of config.json: cell, widths, layers, groups, attention (the levels that have it)."""
    cells, n = cfg["cell"] ** 2, len(cfg["widths"])
    attention = cfg.get("attention", [])
    down = ["CrossAttnDownBlock2D" if i in attention else "DownBlock2D" for i in range(n)]
    up = ["CrossAttnUpBlock2D" if i in attention else "UpBlock2D" for i in reversed(range(n))]
    mid = "UNetMidBlock2DCrossAttn" if n - 1 in attention else "UNetMidBlock2D"
    net = UNet2DConditionModel(
        in_channels=10 * cells,
        out_channels=3 * cells,
        down_block_types=down,
        up_block_types=up,
        mid_block_type=mid,
        block_out_channels=cfg["widths"],
        layers_per_block=cfg["layers"],
        norm_num_groups=cfg["groups"],
        attention_head_dim=[max(1, w // 32) for w in cfg["widths"]],  # heads of 32
        cross_attention_dim=3 * cells + 1,
        use_linear_projection=True,
        act_fn="silu",
    )
    torch.nn.init.zeros_(net.conv_out.weight)  # untrained, it leaves the fill as it is
    torch.nn.init.zeros_(net.conv_out.bias)
    return net


def refine(net, cell, fill, smooth, mask, t=None, z=None):
    """x0 from the state z (default: the fill itself, at t = 1). fill, smooth [n, 3, h, w]
    in -1..1; mask [n, 1, h, w]; t [n] -> [n, 3, h, w] fp32."""
    z = fill if z is None else z
    t = torch.ones(len(z), device=z.device) if t is None else t
    x = F.pixel_unshuffle(torch.cat([z, fill, smooth, mask], 1), cell).to(next(net.parameters()).dtype)
    x = x.contiguous(memory_format=torch.channels_last)
    tokens = context_tokens(F.pixel_unshuffle(fill, cell), mask_cells(mask, cell), CONTEXT_SIZE).to(x.dtype)
    v = net(x, (t * 1000).to(x.dtype), encoder_hidden_states=tokens).sample
    return z - t[:, None, None, None] * F.pixel_shuffle(v.float(), cell)


def tensors(rows):
    """[n, 10, h, w] uint8 -> picture, fill, smooth fill in -1..1, mask."""
    return (*(rows[:, k : k + 3].float() / 127.5 - 1 for k in (0, 3, 6)), rows[:, 9:10].float())


def planes(rows, device):
    """[n, h, w, 10] uint8 as a tensor [n, 10, h, w]."""
    return torch.from_numpy(np.array(rows)).to(device).permute(0, 3, 1, 2)


class DeviceBank:
    """The bank's examples on a GPU: they are drawn, turned and flipped there."""

    def __init__(self, path, capacity, device):
        self.path, self.source = path, np.memmap(path, np.uint8, "r").reshape(-1, bank.SIDE, bank.SIDE, bank.DEPTH)
        self.rows = torch.empty(capacity, bank.DEPTH, bank.SIDE, bank.SIDE, dtype=torch.uint8, device=device)
        self.n = 0

    def refresh(self, at_most=512):
        """Take over what has been made since; returns how many examples are there."""
        end = min(bank.ready(self.path), len(self.rows), self.n + at_most)
        if end > self.n:
            self.rows[self.n : end] = planes(self.source[self.n : end], self.rows.device)
            self.n = end
        return self.n

    def draw(self, n, side):
        """[n, 10, side, side]; windows of one call lie at the same place in eight groups of turns and flips."""
        y, x = (random.randrange(0, bank.SIDE - side + 1) for _ in range(2))
        rows = self.rows[torch.randint(self.n, (n,), device=self.rows.device), :, y : y + side, x : x + side]
        turned = []
        for k, part in enumerate(rows.chunk(8)):
            part = part.flip(-1) if k % 2 else part
            part = part.flip(-2) if k in (2, 3) else part  # upright pictures are the rule
            turned.append(part.transpose(-1, -2) if k > 6 else part)
        return torch.cat(turned)


def inside(values, mask):
    """Mean over each example's masked pixels, [n]."""
    return (values.mean(1, keepdim=True) * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1)


PATCH_PX, N_DIRECTIONS, N_PATCHES = 7, 24, 512


def texture_distance(made, target, mask):
    """Sliced Wasserstein distance between the patches about masked pixels, [n], in -1..1. Blur enlarges it; the
    absolute error rewards blur."""
    n = len(made)
    directions = torch.randn(N_DIRECTIONS, 3 * PATCH_PX**2, device=made.device)
    directions[::2] -= directions[::2].mean(1, keepdim=True)  # half of them blind to mean colour
    kernels = F.normalize(directions).view(N_DIRECTIONS, 3, PATCH_PX, PATCH_PX)
    at = torch.multinomial(mask.flatten(1) + 1e-9, N_PATCHES, replacement=True)
    at = at[:, None].expand(n, N_DIRECTIONS, N_PATCHES)

    def projections(x):
        return F.conv2d(x, kernels, padding=PATCH_PX // 2).flatten(2).gather(2, at).sort(2).values

    return (projections(made) - projections(target)).abs().mean((1, 2))


def loss_of(net, args, cell, picture, fill, smooth, mask):
    t = z = None
    if args.noise:  # a part of the examples is met on the way, so that several steps are possible
        n = len(picture)
        t = torch.where(torch.rand(n) < args.noise_share, torch.rand(n), torch.ones(n)).to(picture.device)
        s = torch.where(torch.rand(n) < args.noise_share, args.noise, 0.0).to(picture.device)
        t = torch.where(s > 0, t, torch.ones_like(t))  # without noise the state would tell the picture
        tt, ss = t[:, None, None, None], s[:, None, None, None]
        z = (1 - tt) * picture + tt * (fill + ss * mask * torch.randn_like(fill))
    made = refine(net, cell, fill, smooth, mask, t, z)
    difference = made - picture
    loss = (
        inside(difference.abs(), mask).mean() + args.square * (inside(difference.square(), mask) + 1e-4).sqrt().mean()
    )
    if args.texture:
        whole = fill + (made - fill) * mask
        loss = loss + args.texture * texture_distance(whole, picture, mask).mean()
    return loss


@torch.no_grad()
def measure(net, cell, groups):
    """Decibels above the fill inside the mask, and the texture distance as a multiple of the fill's, by group."""
    out = {}
    for name, rows in groups.items():
        gains, textures = [], []
        for i in range(0, len(rows), 8):
            picture, fill, smooth, mask = tensors(planes(rows[i : i + 8], next(net.parameters()).device))
            made = (fill + (refine(net, cell, fill, smooth, mask) - fill) * mask).clamp(-1, 1)
            a, b = (inside((x - picture).square(), mask) for x in (made, fill))
            gains += (10 * torch.log10((b + 1e-6) / (a + 1e-6))).tolist()
            with torch.random.fork_rng():
                torch.manual_seed(5)
                textures.append([texture_distance(x, picture, mask).sum().item() for x in (made, fill)])
        textures = np.sum(textures, 0)
        out |= {
            f"{name}_gain": round(float(np.mean(gains)), 4),
            f"{name}_texture": round(float(textures[0] / textures[1]), 4),
        }
    return out


def held_out(args):
    """The same examples in every run: 24 thin strokes, 24 larger holes."""
    path = Path(args.work) / "held-out.npz"
    if not path.exists():
        pictures, rng = Pictures(Path(args.data) / "test"), np.random.default_rng(2)
        rows = {
            name: np.stack([bank.example(pictures, rng, k) for _ in range(24)])
            for k, name in enumerate(("strokes", "holes"))
        }
        with open(f"{path}.new", "wb") as f:
            np.savez(f, **rows)
        os.replace(f"{path}.new", path)
    return dict(np.load(path))


def add_options(ap):
    ap.add_argument("--name", default="bridge", help="bridge: name of the checkpoint and the log, to tell races apart")
    ap.add_argument(
        "--net", type=json.loads, default={}, help="bridge: what differs from config.json's bridge, as JSON"
    )
    ap.add_argument("--bank-file", help="bridge: default WORK/bank.u8")
    ap.add_argument("--no-loader", action="store_true", help="bridge: another run renews the bank")
    ap.add_argument("--texture", type=float, default=0.0, help="weight of the texture distance")
    ap.add_argument("--square", type=float, default=0.0, help="bridge: weight of the root of the mean square error")
    ap.add_argument(
        "--noise", type=float, default=0.0, help="bridge: deviation of the noise added to the fill at t = 1"
    )
    ap.add_argument("--noise-share", type=float, default=0.5, help="bridge: share of the examples that have it")
    ap.add_argument(
        "--cooldown", type=float, default=0.0, help="bridge: minutes at the end over which the learning rate falls"
    )


def start_loader(args, bank_file):
    """The niced process that fills the bank and keeps renewing it."""
    return subprocess.Popen(
        [
            sys.executable,
            HERE / "bank.py",
            "--data",
            args.data,
            "--bank",
            bank_file,
            "--examples",
            str(args.bank),
            "--pause",
            Path(args.work) / "pause",
            "--jobs",
            str(args.loaders),
        ],
        preexec_fn=lambda: os.nice(19),
    )


def write(folder, net_cfg, weights):
    """The model folder with the averaged weights as fp16, and the bridge's configuration beside: --init goes on from
    it."""
    net = make_net(net_cfg)
    net.load_state_dict({k: v.float() for k, v in weights.items()})
    export(folder, read_config() | {"bridge": net_cfg}, bridge=net)
    (Path(folder) / "unet" / "bridge.json").write_text(json.dumps(net_cfg) + "\n")


def load_export(folder):
    """(configuration, network in fp32) of a model folder."""
    net_cfg = json.loads((Path(folder) / "unet" / "bridge.json").read_text())
    net = make_net(net_cfg)
    net.load_state_dict(load_file(Path(folder) / "unet" / "diffusion_pytorch_model.safetensors"))
    return net_cfg, net


def save(path, state):
    torch.save(state, f"{path}.new")
    os.replace(f"{path}.new", path)


def begin(args, cfg, device):
    """(configuration, network, optimizer, seconds worked so far), from WORK/NAME.pt, --init or nothing."""
    path = Path(args.work) / f"{args.name}.pt"
    earlier = torch.load(path, map_location="cpu") if path.exists() and not args.restart else None
    if args.init and not earlier:
        net_cfg, net = load_export(args.init)
    else:
        net_cfg = earlier["cfg"] if earlier else cfg["bridge"] | args.net
        net = make_net(net_cfg)
    opt = Optimizer(net.to(device), args.lr, args.lr * 0.25, ema_decay=0.999)  # its masters are fp32
    net.to(compute_dtype(device)).to(memory_format=torch.channels_last)
    if earlier:
        opt.load(earlier["opt"])
        print(f"{args.name}: going on from step {opt.n}, {earlier['seconds'] / 60:.1f} minutes", flush=True)
    return net_cfg, net, opt, earlier["seconds"] if earlier else 0.0


class Log:
    """WORK/NAME.csv: a row a measurement, appended to by every stretch."""

    def __init__(self, path):
        self.empty, self.file = not path.exists(), open(path, "a", newline="")

    def write(self, row):
        table = csv.DictWriter(self.file, row.keys())
        if self.empty:
            table.writeheader()
            self.empty = False
        table.writerow(row)
        self.file.flush()
        print(row, flush=True)


def scale_of(args, n_steps, fresh, left_minutes):
    """Of the learning rate: up over the first steps, level, and down over the last --cooldown minutes of the call."""
    cool = min(1.0, max(0.03, left_minutes / args.cooldown)) if args.cooldown else 1.0
    return min(1.0, (n_steps + 1) / (100 if fresh else 10)) * cool


def drawing(bank_file, capacity, device):
    """The function (n, side) that draws examples [n, 10, side, side]."""
    if device.type == "cpu":
        rows = bank.Reader(bank_file)
        return lambda n, side: planes(rows.draw(n, side), device)
    rows = DeviceBank(bank_file, capacity, device)
    rows.refresh(capacity)
    calls = itertools.count()

    def draw(n, side):
        if next(calls) % 50 == 0:
            rows.refresh()
        return rows.draw(n, side)

    return draw


def train(args, cfg, device):
    """Go on until the minutes (of processor time, on a CPU) are used up; WORK/pause holds it, WORK/stop ends it after
    saving."""
    work = Path(args.work)
    work.mkdir(parents=True, exist_ok=True)
    now = time.process_time if device.type == "cpu" else time.monotonic
    net_cfg, net, opt, earlier = begin(args, cfg, device)
    bank_file = Path(args.bank_file or work / "bank.u8")
    bank.open_bank(bank_file, args.bank)
    loader = start_loader(args, bank_file) if not args.no_loader else None
    test = held_out(args)
    while bank.ready(bank_file) < 256:
        time.sleep(2)
    draw = drawing(bank_file, args.bank, device)
    log = Log(work / f"{args.name}.csv")
    average, worked, n_start, ended = None, 0.0, opt.n, False
    last_saved = last_measured = time.monotonic()
    net.train()
    while not ended:
        while (work / "pause").exists():
            time.sleep(2)
        began = now()
        side = 128 if random.random() < args.small_share else 256
        n = args.batch if side == 128 else max(1, args.batch // 4)
        loss = loss_of(net, args, net_cfg["cell"], *tensors(draw(n, side)))
        loss.backward()
        opt.step(scale_of(args, opt.n - n_start, n_start == 0, args.minutes - worked / 60))
        if device.type == "cpu" or opt.n % 20 == 0:  # asking a GPU for a value holds it up
            average = loss.item() if average is None else 0.98 * average + 0.02 * loss.item()
        worked += now() - began
        ended = worked >= args.minutes * 60 or (work / "stop").exists()
        if ended or time.monotonic() - last_measured > args.measure * 60:
            with opt.averaged():
                row = {
                    "step": opt.n,
                    "seconds": round(earlier + worked, 1),
                    "loss": round(average, 5),
                    **measure(net, net_cfg["cell"], test),
                }
            log.write(row | {"bank": bank.ready(bank_file), "time": time.strftime("%m-%d %H:%M")})
            last_measured = time.monotonic()
        if ended or time.monotonic() - last_saved > args.save * 60:
            save(work / f"{args.name}.pt", {"opt": opt.state(), "seconds": earlier + worked, "cfg": net_cfg})
            write(work / f"{args.name}-export", net_cfg, opt.ema)
            last_saved = time.monotonic()
    if loader:
        loader.terminate()
