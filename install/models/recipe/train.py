#!/usr/bin/env python3
"""Train sfumato-mini: `train.py all`, or stage by stage. CPU or GPU, resumable, one folder of state.

    train.py {all,linear,enlarger2,enlarger4,unet,vae,bridge} --data DIR --work DIR --minutes M [--init FOLDER]

Every --save minutes DIR/STAGE.pt (masters, averages, optimizer) and an fp16 export in DIR/export are written; a later call
goes on from STAGE.pt. --init starts from an exported folder instead. Losses go to DIR/STAGE.csv. bridge has a loop of its own
(bridge.py).

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
import linear
from export import export, load_enlarger, load_folder
from networks import INPAINT, UPSCALE2, UPSCALE4, decode, encode, factor, make_enlarger, make_unet, make_vae, mask_cells, predict, read_config
from optimizer import Optimizer
from pictures import Pictures, enlarge, fill_patches, prefetch, random_mask, reachable, shrink


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


def gradient_loss(a, b):
    """L1 of differences to the right and below, at three scales: edges weigh more than L1 alone gives them."""
    loss = 0.0
    for _ in range(3):
        d = a - b
        loss = loss + (d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean()
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return loss / 3


def train_vae(args, cfg, device, dtype):
    """The decoder; the encoder stays the lapped transform it is, so that latents, and the UNet, stay valid."""
    vae = load_folder(args.init or Path(args.work) / "export", with_unet=False)[0].to(device, dtype)
    layout(vae, device)
    vae.encoder.eval().requires_grad_(False)
    opt = Optimizer(vae.decoder, args.lr, args.lr * 0.5)
    pictures = Pictures(Path(args.data) / "train")
    held_out = Pictures(Path(args.data) / "test")
    to_latent, _ = codec(args, vae, dtype)
    rng = np.random.default_rng(1)
    test = [to_tensor([held_out.crop(rng, 256)], device) for _ in range(24)]

    def make(rng):
        side = 128 if rng.random() < 0.8 else 256
        return [pictures.crop(rng, side) for _ in range(args.batch if side == 128 else max(1, args.batch // 4))]

    def step(n, tiles):
        x = to_tensor(tiles, device)
        z = to_latent(x)
        z = z + 0.06 * torch.rand(len(z), 1, 1, 1, device=device) * torch.randn_like(z)  # what the UNet gives is not exact
        y = decode(vae, z.to(dtype)).float()
        mse = F.mse_loss(y, x)
        loss = (y - x).abs().mean() + 0.5 * gradient_loss(y, x) + 4.0 * mse
        loss.backward()
        return loss.item(), {"mse": mse.item()}

    def measure():
        with torch.no_grad():
            errors = [(decode(vae, to_latent(x).to(dtype)).float().clamp(-1, 1) - x).square().mean().item() for x in test]
        return {"test_psnr": float((10 * np.log10(4 / np.array(errors))).mean())}

    run(args, "vae", vae.decoder, opt, make, step, measure, lambda: export(args.work, cfg, vae=vae))


def codec(args, vae, dtype):
    """(pictures to latents, latents to pictures), by the linear codec itself where it is at hand, which costs a hundredth of the network."""
    path = Path(args.work) / "linear.pt"
    if path.exists():
        net = linear.Linear(torch.eye(48), vae.config.latent_channels)
        net.load_state_dict(torch.load(path, map_location="cpu"))
        to_picture = net.collapsed()
        net = net.requires_grad_(False).to(next(vae.parameters()).device)
        return net.encode, to_picture

    def slow(x):
        with torch.no_grad():
            return encode(vae, x.to(dtype)).float()
    return slow, lambda z: decode(vae, z.to(dtype)).float()


def train_linear(args, cfg, device, dtype):
    """The start of the autoencoder, and with it the latents (see linear.py)."""
    pictures = Pictures(Path(args.data) / "train")
    batches = prefetch(lambda rng: [pictures.crop(rng, 96) for _ in range(8)], 8, 1)
    path = Path(args.work) / "linear.pt"
    Path(args.work).mkdir(parents=True, exist_ok=True)
    earlier = torch.load(path) if path.exists() and not args.restart else None
    net = linear.fit(lambda: to_tensor(next(batches), "cpu"), cfg["vae"]["latent_channels"], args.minutes * 60,
                     2e-3 if earlier else 3e-3, earlier, lambda s: print(s, flush=True))
    linear.normalise(net, torch.cat([to_tensor(next(batches), "cpu") for _ in range(40)]))
    torch.save(net.state_dict(), path)
    vae = make_vae(cfg)
    linear.write_into(vae, net)
    export(args.work, cfg, vae=vae)
    held_out, rng = Pictures(Path(args.data) / "test"), np.random.default_rng(1)
    errors = []
    for _ in range(24):
        x = to_tensor([held_out.crop(rng, 256)], "cpu")
        with torch.no_grad():
            errors.append([F.mse_loss(y.clamp(-1, 1), x).item() for y in (net.decode(net.encode(x)), decode(vae, encode(vae, x)))])
    print("held-out PSNR of the linear codec and of the network that holds it:", (10 * np.log10(4 / np.array(errors))).mean(0))


def train_enlarger(args, cfg, device, dtype):
    """The small network that enlarges; the flow starts from its picture. That for 4 starts from that for 2, but for the last layer."""
    factor = int(args.stage[-1])
    net = make_enlarger(cfg, factor)
    folder = Path(args.init or Path(args.work) / "export") / "enlarger"
    if (folder / f"x{factor}.safetensors").exists():
        net = load_enlarger(folder / f"x{factor}.safetensors")
    elif (folder / "x2.safetensors").exists():
        net.body[:-1].load_state_dict(load_enlarger(folder / "x2.safetensors").body[:-1].state_dict())
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
        return [shrink(rng, t, factor, k) for t, k in zip(tiles, kinds)], tiles

    rng = np.random.default_rng(2)
    test = {}
    for kind in ("clean", "jpeg"):
        tiles = [held_out.crop(rng, 256) for _ in range(24)]
        small = [shrink(rng, t, factor, kind) for t in tiles]
        cubic = [np.square(enlarge(s, 256, 256).astype(np.float32) - t).mean() for s, t in zip(small, tiles)]
        test[kind] = small_pixels(small), small_pixels(tiles), np.array(cubic) / 255 ** 2

    def step(n, made):
        x, y = (small_pixels(rows) for rows in made)
        x = x.contiguous(memory_format=torch.channels_last)
        change = F.pixel_shuffle(net.body(x.to(dtype)).float(), factor)
        out = change + F.interpolate(x, scale_factor=factor)
        loss = ((out - y).square() + 1e-5).sqrt().mean()
        loss.backward()
        return 100 * loss.item(), {}

    def measure():
        """Mean decibels above bicubic of whole held-out crops, fp32."""
        exact = copy.deepcopy(net).float()
        exact.requires_grad_(False)
        return {f"test_{kind}_gain": float(np.mean([10 * np.log10(c / (exact(a[None]).clamp(0, 1)[0] - b).square().mean().item())
                                                    for a, b, c in zip(*rows)])) for kind, rows in test.items()}

    def export_now():
        with torch.no_grad():
            whole = make_enlarger(cfg, factor)
            whole.load_state_dict(opt.ema)
        export(args.work, cfg, enlarger=whole)

    run(args, args.stage, net, opt, make, step, measure, export_now)


class Bank:
    """Encoded examples of one size, used several times each with fresh noise and time, since encoding costs half a step."""

    def __init__(self, capacity):
        self.capacity, self.rows = capacity, []

    def add(self, rows):
        for row in rows:
            if len(self.rows) < self.capacity:
                self.rows.append(row)
            else:
                self.rows[random.randrange(self.capacity)] = row

    def draw(self, n):
        rows = random.choices(self.rows, k=n)
        return [torch.stack(column) for column in zip(*rows)]


def example(pictures, rng, side, upscale_share, enlargers, kind=None):
    """(picture to reach, condition picture, weight of each pixel, mask, task); pictures uint8. kind asks for one of the test's groups."""
    tile = pictures.crop(rng, side)
    if rng.random() < upscale_share:
        task, factor = (UPSCALE2, 2) if (rng.random() < 0.3 if kind is None else kind == 2) else (UPSCALE4, 4)
        small = shrink(rng, tile, factor, rng.choice(["clean", "jpeg", "damaged"], p=[0.5, 0.25, 0.25]))
        return tile, enlargers(small, factor), np.ones((side, side), np.float32), np.ones((side, side), np.uint8), task
    mask = random_mask(rng, side, kind)
    filled = fill_patches(tile, mask, int(rng.integers(2**31)))
    target, weight = reachable(tile, filled, mask)
    return target, filled, weight, mask, INPAINT


def enlarge_by(folder):
    """(small picture, factor) -> enlarged picture, uint8, by the enlargers of an exported folder; bicubically where there is none."""
    nets = {f: load_enlarger(path).eval() for f in (2, 4) if (path := Path(folder) / "enlarger" / f"x{f}.safetensors").exists()}

    def run_one(small, factor):
        if factor not in nets:
            return enlarge(small, small.shape[0] * factor, small.shape[1] * factor)
        with torch.no_grad():
            y = nets[factor](torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255)
        return (y[0].permute(1, 2, 0) * 255).round().clamp(0, 255).byte().numpy()
    return run_one


def weighted_error(made, target, weight):
    """Mean square over the weighted pixels, [n]."""
    return ((made - target).square().mean(1, keepdim=True) * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1.0)


PATCH_PX = 7  # as measures.sliced_wasserstein() looks at
N_DIRECTIONS = 24
N_PATCHES = 512  # of a picture
TEXTURE_WEIGHT = 0.4


def texture_distance(made, target, weight):
    """Sliced Wasserstein distance between the patches of two pictures [n, 3, h, w] about pixels with a weight [n, 1, h, w], which a
    mean of what may be there (blur) enlarges and squared error does not see. -> [n], in the unit of pixels."""
    n = len(made)
    directions = torch.randn(N_DIRECTIONS, 3 * PATCH_PX ** 2, device=made.device)
    directions[::2] -= directions[::2].mean(1, keepdim=True)  # half of them blind to mean colour
    kernels = F.normalize(directions).view(N_DIRECTIONS, 3, PATCH_PX, PATCH_PX)
    at = torch.multinomial((weight > 0).float().flatten(1) + 1e-9, N_PATCHES, replacement=True)[:, None].expand(n, N_DIRECTIONS, N_PATCHES)

    def projections(x):
        return F.conv2d(x, kernels, padding=PATCH_PX // 2).flatten(2).gather(2, at).sort(2).values

    return (projections(made) - projections(target)).abs().mean((1, 2))


def step_loss(unet, cfg, to_picture, cond, lost, target, weight, mask, task):
    """One Euler step from the condition itself, measured in pixels: the network predicts condition - x0 at t = 1, and what the engine
    adds to the condition picture is decode(condition - v) - decode(condition), which shall be what is missing. cond [n, c, h, w] latents;
    lost = condition picture - decode(condition) and target [n, 3, 4h, 4w] in -1..1; weight [n, 1, 4h, 4w]; mask as mask_cells() gives it.
    Returns (loss, weighted_error(), texture_distance())."""
    dtype = next(unet.parameters()).dtype
    t = torch.ones(len(cond), device=cond.device)
    v = predict(unet, cfg, cond.to(dtype), t.to(dtype), cond.to(dtype), mask.to(dtype), task).float()
    made = to_picture(cond - v) + lost
    error, texture = weighted_error(made, target, weight), texture_distance(made, target, weight)
    return (error + 1e-4).sqrt().mean() + TEXTURE_WEIGHT * texture.mean(), error.detach(), texture.detach()


def train_unet(args, cfg, device, dtype):
    folder = args.init or Path(args.work) / "export"
    vae, unet = load_folder(folder, with_unet=bool(args.init))
    if unet is None:
        unet = make_unet(cfg)
        linear.pass_through(unet)
    vae = vae.to(device, dtype).eval().requires_grad_(False)
    unet = layout(unet.to(device, dtype), device).train()
    to_latent, to_picture = codec(args, vae, dtype)
    enlargers = enlarge_by(folder)
    opt = Optimizer(unet, args.lr, args.lr * 0.5)
    pictures = Pictures(Path(args.data) / "train")
    held_out = Pictures(Path(args.data) / "test")
    f = factor(cfg)
    batches = {128: args.batch, 256: max(1, args.batch // 4)}
    banks = {side: Bank(args.bank * n // args.batch) for side, n in batches.items()}

    def encoded(rows):
        x = to_tensor([r[0] for r in rows], device)
        c = to_tensor([r[1] for r in rows], device)
        weight = torch.from_numpy(np.stack([r[2] for r in rows])).to(device)[:, None]
        mask = torch.from_numpy(np.stack([r[3] for r in rows])).to(device)[:, None].float()
        task = torch.tensor([r[4] for r in rows], device=device)
        with torch.no_grad():
            cond = to_latent(c)
            lost = c - to_picture(cond)
        return list(zip(cond, lost, x, weight, mask_cells(mask, f), task))

    def make(rng):
        side = 128 if rng.random() < args.small_share else 256
        return side, [example(pictures, rng, side, args.upscale_share, enlargers) for _ in range(max(1, batches[side] // args.reuse))]

    rng = np.random.default_rng(2)
    test = {name: encoded([example(held_out, rng, 256, float(k > 1), enlargers, k) for _ in range(16)])
            for k, name in enumerate(("strokes", "holes", "x2", "x4"))}

    def step(n, made):
        side, rows = made
        bank = banks[side]
        bank.add(encoded(rows))
        while len(bank.rows) < 4 * batches[side]:  # before the first step
            bank.add(encoded([example(pictures, np.random.default_rng(random.randrange(2**60)), side, args.upscale_share, enlargers)
                              for _ in range(8)]))
        loss, _, _ = step_loss(unet, cfg, to_picture, *bank.draw(batches[side]))
        loss.backward()
        return loss.item(), {"side": side}

    def measure():
        """By task, over the held-out set, of the averaged weights: decibels above the condition, and texture_distance() as a multiple of the condition's."""
        unet.eval()
        gains = {}
        with torch.no_grad():
            for name, rows in test.items():
                errors, textures = [], []
                for i in range(0, len(rows), 8):
                    cond, lost, target, weight, mask, task = (torch.stack(column) for column in zip(*rows[i:i + 8]))
                    plain = to_picture(cond) + lost
                    _, error, texture = step_loss(unet, cfg, to_picture, cond, lost, target, weight, mask, task)
                    errors += zip(error.tolist(), weighted_error(plain, target, weight).tolist())
                    textures += [texture, texture_distance(plain, target, weight)]
                gains[f"test_{name}_gain"] = float(np.mean([10 * np.log10((b + 1e-6) / (e + 1e-6)) for e, b in errors]))
                gains[f"test_{name}_texture"] = float(sum(textures[::2]).mean() / sum(textures[1::2]).mean())
        unet.train()
        return gains

    run(args, "unet", unet, opt, make, step, measure, lambda: export(args.work, cfg, unet=half_step(unet)))


@torch.no_grad()
def half_step(unet):
    """A copy that goes half the way: least squares asks for the mean of what may be there, and half of that way costs less texture than it wins in error."""
    half = copy.deepcopy(unet)
    half.conv_out.weight.mul_(0.5)
    half.conv_out.bias.mul_(0.5)
    return half


def layout(net, device):
    """Channels last on GPUs; on CPUs plain bf16 is faster (group norm is slow on channels last there)."""
    return net.to(memory_format=torch.channels_last) if device.type == "cuda" else net


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


TRAINERS = {"linear": train_linear, "enlarger2": train_enlarger, "enlarger4": train_enlarger, "unet": train_unet, "vae": train_vae,
            "bridge": lambda args, cfg, device, dtype: bridge.train(args, cfg, device)}
SHARES = {"linear": 0.04, "enlarger2": 0.3, "enlarger4": 0.16, "unet": 0.5}  # of the minutes of `all`; the decoder is good enough without `vae`


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("stage", choices=["all", *TRAINERS])
    ap.add_argument("--data", default="data", help="folder that gather.py wrote")
    ap.add_argument("--work", default="work", help="state, log and export")
    ap.add_argument("--minutes", type=float, default=30.0, help="length of this call's schedule; of all stages together for `all`")
    ap.add_argument("--init", help="an exported model folder to start from")
    ap.add_argument("--restart", action="store_true", help="ignore a saved state")
    ap.add_argument("--batch", type=int, default=0, help="pictures a step, as many pixels as that of 128 px (default 24 for unet, else 8)")
    ap.add_argument("--lr", type=float, default=0.0, help="Muon's learning rate (default 3e-3 for unet, else 2e-3)")
    ap.add_argument("--save", type=float, default=10.0, help="minutes between checkpoints and exports")
    ap.add_argument("--measure", type=float, default=2.0, help="minutes between measurements")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--loaders", type=int, default=1, help="threads that cut and damage pictures")
    ap.add_argument("--upscale-share", type=float, default=0.1, help="share of super-resolution examples")
    ap.add_argument("--small-share", type=float, default=0.7, help="share of steps on 128 px crops; the rest on 256 px")
    ap.add_argument("--bank", type=int, default=0, help="examples kept for reuse (default 6000 for bridge, else 4096)")
    bridge.add_options(ap)
    ap.add_argument("--reuse", type=int, default=4, help="how often an encoded example is drawn, on average")
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    cfg = read_config()
    stages = {args.stage: 1.0} if args.stage != "all" else SHARES
    for stage, share in stages.items():
        if args.stage == "all" and stage == "linear" and (args.init or (Path(args.work) / "linear.pt").exists()):
            continue  # other latents would make a trained UNet worthless
        mine = argparse.Namespace(**vars(args))
        mine.stage, mine.minutes = stage, args.minutes * share
        mine.batch = args.batch or {"unet": 24, "bridge": 16}.get(stage, 8)
        mine.bank = args.bank or (6000 if stage == "bridge" else 4096)
        mine.lr = args.lr or (3e-3 if stage in ("unet", "bridge") else 2e-3)
        TRAINERS[stage](mine, cfg, device, torch.bfloat16)


if __name__ == "__main__":
    main()
