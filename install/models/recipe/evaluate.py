#!/usr/bin/env python3
"""Measure an exported sfumato-mini on the held-out pictures, against OpenCV's inpainting and plain resampling.

    evaluate.py --model FOLDER --data DIR --out DIR [--every N] [--linear FILE] [--quick]

Writes results.md (tables), results.json (every number) and contact-sheet.jpg (24 pictures chosen by the fixed list,
not by eye) to --out. Reference implementation: PyTorch and diffusers, fp32; the engine's own run is measured by its tests.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""
import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np
import torch

import linear
import networks
from export import load_folder
from measures import ALL, BETTER, psnr
from pictures import enlarge, fill_smooth, load, strokes

SIDE = 512


def held_out(folder, every):
    """(name, picture) in the order of names: the middle 512 x 512, or what the picture has, in multiples of 32."""
    for path in sorted(Path(folder).iterdir())[::every]:
        picture = load(path)
        h, w = (min(SIDE, d // 32 * 32) for d in picture.shape[:2])
        y, x = (picture.shape[0] - h) // 2, (picture.shape[1] - w) // 2
        yield path.stem, np.ascontiguousarray(picture[y:y + h, x:x + w])


def mask_of(kind, rng, h, w):
    side = max(h, w)
    if kind == "strokes":
        return strokes(rng, side, 8, 9)[:h, :w]
    if kind == "boxes":
        mask = np.zeros((h, w), np.uint8)
        for _ in range(4):
            y, x = rng.integers(0, h - 63), rng.integers(0, w - 63)
            mask[y:y + 64, x:x + 64] = 1
        return mask
    while True:
        mask = strokes(rng, side, rng.integers(1, 5), side * rng.uniform(0.06, 0.2))[:h, :w]
        if 0.05 <= mask.mean() <= 0.25:
            return mask


class Model:
    def __init__(self, folder, linear_file=None):
        vae, self.unet = (m.eval().to(memory_format=torch.channels_last) for m in load_folder(folder))
        self.encode, self.decode = lambda x: networks.encode(vae, x), lambda z: networks.decode(vae, z)
        if linear_file:
            codec = linear.Linear(torch.eye(48), vae.config.latent_channels)
            codec.load_state_dict(torch.load(linear_file))
            codec = codec.requires_grad_(False).to(memory_format=torch.channels_last)
            self.encode, self.decode = codec.encode, codec.decode
        index = json.loads((Path(folder) / "model_index.json").read_text())["sfumato"]
        shift = json.loads((Path(folder) / "scheduler" / "scheduler_config.json").read_text())["shift"]
        self.cfg = {"sfumato": index, "context_size": index["context"]["size"], "shift": shift}

    @torch.no_grad()
    def run(self, picture, mask, task, residual=False, variants=({},)):
        """picture uint8 [h, w, 3] with its hole filled smoothly, or enlarged -> the model's picture, uint8, for each of
        the variants of sample()'s arguments. residual: the change that the network made to the condition, as pixels, is
        added to the picture; what the autoencoder itself loses is not lost then."""
        x = (torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        m = torch.from_numpy(mask)[None, None].float()
        cond = self.encode(x)
        plain = self.decode(cond) if residual else 0.0
        out = []
        for how in variants:
            z = networks.sample(self.unet, self.cfg, cond, networks.shrink_mask(m, *cond.shape[2:]), task, **how)
            y = self.decode(z)
            y = x + y - plain if residual else y
            out.append(((y[0].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).byte().numpy())
        return out

    def inpaint(self, picture, mask, *variants):
        made = self.run(fill_smooth(picture, mask), mask, networks.INPAINT, variants=variants)
        return [np.where(mask[..., None] > 0, m, picture) for m in made]

    def upscale(self, small, factor, *variants):
        h, w = small.shape[0] * factor, small.shape[1] * factor
        big = enlarge(small, h, w)
        task = networks.UPSCALE2 if factor == 2 else networks.UPSCALE4
        how = self.cfg["sfumato"]["upscale"]
        made = self.run(big, np.ones((h, w), np.uint8), task, how["residual"], variants)
        return [back_project(m, small) for m in made] if how["back_project"] else made


def back_project(made, small):
    """What shrinks to something else than the small picture is corrected by the enlarged difference, once."""
    h, w = made.shape[:2]
    low = cv2.resize(made.astype(np.float32), (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA)
    more = cv2.resize(small.astype(np.float32) - low, (w, h), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(made + more), 0, 255).astype(np.uint8)


def shrink(picture, factor, jpeg):
    small = cv2.resize(picture, (picture.shape[1] // factor, picture.shape[0] // factor), interpolation=cv2.INTER_AREA)
    if jpeg:
        small = cv2.imdecode(cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, jpeg])[1], 1)[..., ::-1]
    return np.ascontiguousarray(small)


def table(title, rows):
    """rows {method: [measures of each picture]} as Markdown with means."""
    out = [f"### {title}", "", "| method | " + " | ".join(f"{k} ({BETTER[k]})" for k in ALL) + " |", "|---|" + "---:|" * len(ALL)]
    for method, values in rows.items():
        mean = {k: np.nanmean([v[k] for v in values]) for k in ALL}
        out.append(f"| {method} | {mean['PSNR']:.2f} | {mean['SSIM']:.4f} | {mean['GMSD']:.4f} | {mean['SWD']:.2f} |")
    return "\n".join(out) + "\n"


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--model", required=True)
    ap.add_argument("--data", default="data")
    ap.add_argument("--out", type=Path, default=Path("evaluation"))
    ap.add_argument("--every", type=int, default=1, help="take every n-th held-out picture")
    ap.add_argument("--linear", help="linear.pt: the codec that the autoencoder holds, in its place; twice as fast while the "
                                     "decoder's branches are untrained, and within 0.3 dB")
    ap.add_argument("--quick", action="store_true", help="one mask kind and clean x2 only")
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    model = Model(args.model, args.linear)
    results, sheet, codec = {}, {}, []
    began = time.process_time()
    for number, (name, picture) in enumerate(held_out(Path(args.data) / "test", args.every)):
        h, w = picture.shape[:2]
        rng = np.random.default_rng(number)

        def note(group, method, made, mask=None):
            values = {k: f(made.astype(np.float32), picture.astype(np.float32), mask) for k, f in ALL.items()}
            results.setdefault(group, {}).setdefault(method, []).append(values | {"picture": name})

        with torch.no_grad():
            middle = picture[:min(h, 256), :min(w, 256)]
            x = torch.from_numpy(middle).permute(2, 0, 1)[None].float() / 127.5 - 1
            y = model.decode(model.encode(x))[0].permute(1, 2, 0)
            codec.append(psnr(((y + 1) * 127.5).clamp(0, 255).numpy(), middle))
        for kind in ("strokes", "boxes", "free-form")[:1 if args.quick else 3]:
            mask = mask_of(kind, rng, h, w)
            group = f"Inpainting, {kind}, inside the mask"
            bgr = picture[..., ::-1].copy()
            note(group, "OpenCV Telea", cv2.inpaint(bgr, mask, 5, cv2.INPAINT_TELEA)[..., ::-1], mask)
            note(group, "OpenCV Navier-Stokes", cv2.inpaint(bgr, mask, 5, cv2.INPAINT_NS)[..., ::-1], mask)
            note(group, "smooth fill (the condition)", fill_smooth(picture, mask), mask)
            variants = [{"seed": number}] + [{"n_steps": 1, "start_noise": 0.0}] * (kind == "strokes")
            made, *one = model.inpaint(picture, mask, *variants)
            note(group, "sfumato-mini", made, mask)
            for picture_of_one in one:
                note(group, "sfumato-mini, 1 step without noise", picture_of_one, mask)
            sheet.setdefault(kind, []).append((np.where(mask[..., None] > 0, 128, picture).astype(np.uint8), made))
        for factor, jpeg in ((2, 0), (4, 0), (2, 60), (4, 60))[:1 if args.quick else 4]:
            small = shrink(picture, factor, jpeg)
            group = f"Super-resolution x{factor}, {f'JPEG quality {jpeg}' if jpeg else 'clean'}"
            big = enlarge(small, h, w)
            note(group, "bicubic", big)
            note(group, "Lanczos", cv2.resize(small, (w, h), interpolation=cv2.INTER_LANCZOS4))
            variants = [{"seed": number}] + [{"n_steps": 3, "start_noise": 0.25}] * (factor == 4 and not jpeg)
            made, *one = model.upscale(small, factor, *variants)
            note(group, "sfumato-mini", made)
            for picture_of_one in one:
                note(group, "sfumato-mini, 3 steps from noise 0.25", picture_of_one)
            sheet.setdefault(f"x{factor}{'j' if jpeg else ''}", []).append((big, made))
        print(f"{name}: {time.process_time() - began:.0f} s", flush=True)
        write(args.out, codec, results, sheet)  # after each, so that a run cut short leaves what it has
    print((args.out / "results.md").read_text())


def write(out, codec, results, sheet):
    """results.md, results.json, contact-sheet.jpg of what has been measured so far."""
    text = [f"{len(codec)} held-out pictures. Autoencoder at 256x256: {np.mean(codec):.2f} dB (mean; worst {min(codec):.2f}).\n"]
    text += [table(group, rows) for group, rows in results.items()]
    (out / "results.md").write_text("\n".join(text))
    (out / "results.json").write_text(json.dumps({"codec_psnr": codec, "results": results}, indent=0))
    pairs = []
    for kind, n, offset in (("strokes", 4, 0), ("boxes", 5, 4), ("free-form", 5, 9), ("x2", 3, 14), ("x4", 4, 17), ("x4j", 3, 12)):
        have = sheet.get(kind, [])
        pairs += [have[(offset + i) % len(have)] for i in range(n) if have]
    tiles = [np.hstack([cv2.resize(p[:s, :s], (256, 256), interpolation=cv2.INTER_AREA) for p in pair])
             for pair in pairs for s in [min(pair[0].shape[:2])]]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 3)
    rows = [np.hstack(tiles[i:i + 3]) for i in range(0, len(tiles), 3)]
    cv2.imwrite(str(out / "contact-sheet.jpg"), np.vstack(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
