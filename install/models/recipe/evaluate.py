#!/usr/bin/env python3
"""Measure an exported sfumato-mini on the held-out pictures, against OpenCV's inpainting, GIMP's Resynthesizer and plain resampling.

    evaluate.py --model FOLDER --data DIR --out DIR [--every N] [--linear FILE] [--only inpaint|upscale] [--jobs N]
    evaluate.py --inputs --data DIR --out DIR

Writes results.md (tables), results.json (every number) and contact-sheet.jpg (24 pictures chosen by the fixed list,
not by eye) to --out. --inputs only writes the holed pictures to --out/inputs (transparent where the hole is); resynthesizer.sh
then fills them by GIMP, and later runs find what it wrote. Reference implementation: PyTorch and diffusers, fp32; the engine's own
run is measured by its tests.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""
import argparse
import concurrent.futures
import json
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

import linear
import networks
from export import load_enlarger, load_folder
from measures import ALL, BETTER, psnr
from pictures import enlarge, fill_hole, fill_smooth, load, strokes

SIDE = 512
KINDS = ("strokes", "boxes", "free-form")
ENLARGEMENTS = ((2, 0, "area"), (2, 0, "bicubic"), (4, 0, "area"), (2, 60, "area"), (4, 60, "area"))  # factor, JPEG quality, kernel


def held_out(folder, every=1):
    """(number, name, picture) in the order of names: the middle 512 x 512, or what the picture has, in multiples of 32."""
    for number, path in list(enumerate(sorted(Path(folder).iterdir())))[::every]:
        picture = load(path)
        h, w = (min(SIDE, d // 32 * 32) for d in picture.shape[:2])
        y, x = (picture.shape[0] - h) // 2, (picture.shape[1] - w) // 2
        yield number, path.stem, np.ascontiguousarray(picture[y:y + h, x:x + w])


def mask_of(kind, number, h, w):
    """Always the same for a picture, whatever else is measured."""
    rng = np.random.default_rng((number, KINDS.index(kind)))
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
        self.enlargers = {}
        for factor, how in index["upscale"].items():
            if isinstance(how, dict) and "enlarger" in how:
                self.enlargers[int(factor)] = load_enlarger(Path(folder) / how["enlarger"]).eval().to(memory_format=torch.channels_last)

    @torch.no_grad()
    def run(self, picture, mask, task, residual=False, variants=({},)):
        """picture uint8 or float [h, w, 3] with its hole filled, or enlarged -> the model's picture, float, for each of
        the variants of sample()'s arguments. residual: the change that the network made to the condition, as pixels, is
        added to the picture; what the autoencoder itself loses is not lost then."""
        x = (torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        m = torch.from_numpy(mask)[None, None].float()
        cond = self.encode(x)
        plain = self.decode(cond) if residual else 0.0
        out = []
        for how in variants:
            z = networks.sample(self.unet, self.cfg, cond, networks.mask_cells(m, m.shape[2] // cond.shape[2]), task, **how)
            y = self.decode(z)
            y = x + y - plain if residual else y
            out.append(((y[0].permute(1, 2, 0) + 1) * 127.5).numpy())
        return out

    def inpaint(self, picture, mask, *variants):
        """By the fill alone if the flow has no steps."""
        how, out = self.cfg["sfumato"], []
        for variant in variants:
            made = fill_hole(picture, mask, how["mask_fill"], variant.get("seed", 0))
            if variant.get("n_steps", how["inpaint"]["steps"]):
                made, = self.run(made, mask, networks.INPAINT, how["inpaint"].get("residual", False), (variant,))
            out.append(np.where(mask[..., None] > 0, pixels(made), picture))
        return out

    @torch.no_grad()
    def enlarge(self, small, factor):
        """The condition, float [h, w, 3] in 0..255."""
        if factor not in self.enlargers:
            return enlarge(small, small.shape[0] * factor, small.shape[1] * factor).astype(np.float32)
        x = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255
        return (self.enlargers[factor](x)[0].permute(1, 2, 0) * 255).numpy()

    def upscale(self, small, factor, *variants):
        """By the enlarger alone if the flow has no steps for this factor."""
        how = self.cfg["sfumato"]["upscale"]
        big = self.enlarge(small, factor)
        task = networks.UPSCALE2 if factor == 2 else networks.UPSCALE4
        made = []
        for variant in variants:
            if variant.get("n_steps", how[str(factor)]["steps"]) == 0:
                made.append(pixels(big))
                continue
            y, = self.run(big, np.ones(big.shape[:2], np.uint8), task, how["residual"], (variant,))
            made.append(pixels(back_project(y, small) if how["back_project"] else y))
        return made


def pixels(x):
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


def back_project(made, small):
    """What shrinks to something else than the small picture is corrected by the enlarged difference, once."""
    h, w = made.shape[:2]
    low = cv2.resize(made, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA)
    return made + cv2.resize(small.astype(np.float32) - low, (w, h), interpolation=cv2.INTER_CUBIC)


def shrink(picture, factor, jpeg, kernel):
    size = picture.shape[1] // factor, picture.shape[0] // factor
    if kernel == "area":
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    else:
        small = np.array(Image.fromarray(picture).resize(size, Image.BICUBIC))
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


def inpaintings(model, number, name, picture, args):
    """(group, method, made, mask, before for the sheet or None) of one picture."""
    for kind in KINDS:
        mask = mask_of(kind, number, *picture.shape[:2])
        group = f"Inpainting, {kind}, inside the mask"
        bgr = picture[..., ::-1].copy()
        yield group, "OpenCV Telea", cv2.inpaint(bgr, mask, 5, cv2.INPAINT_TELEA)[..., ::-1], mask, None
        yield group, "OpenCV Navier-Stokes", cv2.inpaint(bgr, mask, 5, cv2.INPAINT_NS)[..., ::-1], mask, None
        by_gimp = args.out / "inputs" / f"{name}.{kind}.resynthesizer.png"
        if by_gimp.exists():
            yield group, "GIMP Resynthesizer", np.where(mask[..., None] > 0, load(by_gimp), picture), mask, None
        yield group, "smooth fill", fill_smooth(picture, mask), mask, None
        made, stepped = model.inpaint(picture, mask, {"seed": number}, {"seed": number, "n_steps": 1})
        yield group, "sfumato-mini", made, mask, np.where(mask[..., None] > 0, 128, picture).astype(np.uint8)
        yield group, "sfumato-mini, one step of its flow", stepped, mask, None


def upscalings(model, number, picture):
    h, w = picture.shape[:2]
    for factor, jpeg, kernel in ENLARGEMENTS:
        small = shrink(picture, factor, jpeg, kernel)
        how = f"JPEG quality {jpeg}" if jpeg else "clean" if kernel == "area" else f"clean, shrunk by {kernel}"
        group = f"Super-resolution x{factor}, {how}"
        big = enlarge(small, h, w)
        yield group, "bicubic", big, None, None
        yield group, "Lanczos", cv2.resize(small, (w, h), interpolation=cv2.INTER_LANCZOS4), None, None
        made, = model.upscale(small, factor, {"seed": number})
        yield group, "sfumato-mini", made, None, big


def one(job):
    """All of one picture: (codec's PSNR, {group: {method: measures}}, {group: (before, after)})."""
    number, name, picture = job
    began, measured, sheet = time.process_time(), {}, {}
    with torch.no_grad():
        middle = np.ascontiguousarray(picture[:256, :256])
        x = torch.from_numpy(middle).permute(2, 0, 1)[None].float() / 127.5 - 1
        codec = psnr(((MODEL.decode(MODEL.encode(x))[0].permute(1, 2, 0) + 1) * 127.5).clamp(0, 255).numpy(), middle)
    made = [] if ARGS.only == "upscale" else [inpaintings(MODEL, number, name, picture, ARGS)]
    made += [] if ARGS.only == "inpaint" else [upscalings(MODEL, number, picture)]
    for group, method, after, mask, before in (row for rows in made for row in rows):
        values = {k: f(after.astype(np.float32), picture.astype(np.float32), mask) for k, f in ALL.items()}
        measured.setdefault(group, {})[method] = values | {"picture": name}
        if before is not None:
            sheet[group] = before, after
    print(f"{name}: {time.process_time() - began:.0f} s", flush=True)
    return codec, measured, sheet


def start(args):
    global MODEL, ARGS
    torch.set_num_threads(args.threads)
    ARGS, MODEL = args, Model(args.model, args.linear)


def write_inputs(args):
    folder = args.out / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    for number, name, picture in held_out(Path(args.data) / "test", args.every):
        for kind in KINDS:
            mask = mask_of(kind, number, *picture.shape[:2])
            cv2.imwrite(str(folder / f"{name}.{kind}.png"), np.dstack([picture[..., ::-1] * (1 - mask[..., None]), 255 * (1 - mask)]))


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--model")
    ap.add_argument("--data", default="data")
    ap.add_argument("--out", type=Path, default=Path("evaluation"))
    ap.add_argument("--every", type=int, default=1, help="take every n-th held-out picture")
    ap.add_argument("--linear", help="linear.pt: the codec that the autoencoder holds, in its place; twice as fast while the "
                                     "decoder's branches are untrained, and within 0.3 dB")
    ap.add_argument("--only", choices=["inpaint", "upscale"])
    ap.add_argument("--inputs", action="store_true", help="write the holed pictures and end")
    ap.add_argument("--jobs", type=int, default=2, help="processes")
    ap.add_argument("--threads", type=int, default=1, help="of each process")
    args = ap.parse_args()
    if args.inputs:
        write_inputs(args)
        return
    args.out.mkdir(parents=True, exist_ok=True)
    results, sheet, codec = {}, {}, []
    with concurrent.futures.ProcessPoolExecutor(args.jobs, initializer=start, initargs=(args,)) as pool:
        for psnr_of_codec, measured, pairs in pool.map(one, held_out(Path(args.data) / "test", args.every)):
            codec.append(psnr_of_codec)
            for group, methods in measured.items():
                for method, values in methods.items():
                    results.setdefault(group, {}).setdefault(method, []).append(values)
            for group, pair in pairs.items():
                sheet.setdefault(group, []).append(pair)
            write(args.out, codec, results, sheet)  # after each, so that a run cut short leaves what it has
    print((args.out / "results.md").read_text())


def write(out, codec, results, sheet):
    """results.md, results.json, contact-sheet.jpg of what has been measured so far."""
    text = [f"{len(codec)} held-out pictures. Autoencoder at 256x256: {np.mean(codec):.2f} dB (mean; worst {min(codec):.2f}).\n"]
    text += [table(group, rows) for group, rows in results.items()]
    (out / "results.md").write_text("\n".join(text))
    (out / "results.json").write_text(json.dumps({"codec_psnr": codec, "results": results}, indent=0))
    pairs = []
    for group, n, offset in (("Inpainting, strokes, inside the mask", 4, 0), ("Inpainting, boxes, inside the mask", 5, 4),
                             ("Inpainting, free-form, inside the mask", 5, 9), ("Super-resolution x2, clean", 3, 14),
                             ("Super-resolution x4, clean", 4, 17), ("Super-resolution x4, JPEG quality 60", 3, 12)):
        have = sheet.get(group, [])
        pairs += [have[(offset + i) % len(have)] for i in range(n) if have]
    tiles = [np.hstack([cv2.resize(p[:s, :s], (256, 256), interpolation=cv2.INTER_AREA) for p in pair])
             for pair in pairs for s in [min(pair[0].shape[:2])]]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 3)
    rows = [np.hstack(tiles[i:i + 3]) for i in range(0, len(tiles), 3)]
    cv2.imwrite(str(out / "contact-sheet.jpg"), np.vstack(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
