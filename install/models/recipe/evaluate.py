#!/usr/bin/env python3
"""Measure an exported sfumato-mini on the held-out pictures, beside OpenCV's inpainting, GIMP's Resynthesizer and
plain resampling.

    evaluate.py --model FOLDER --data DIR --out DIR [--every N] [--only inpaint|upscale] [--jobs N]
    evaluate.py --inputs --data DIR --out DIR

Writes results.md (tables), results.json (every number) and contact-sheet.jpg (24 pictures chosen by the fixed list,
not by eye) to --out. --inputs only writes the holed pictures to --out/inputs (transparent where the hole is);
resynthesizer.scm then fills them in GIMP, and later runs find what it wrote. Reference implementation: PyTorch and
diffusers, fp32; the engine's own run is measured by its tests.

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

import bridge
from export import load_enlarger
from measures import ALL, BETTER
from pictures import enlarge, fill_patches, fill_smooth, keep_deep, load, strokes

SIDE = 512
KINDS = ("strokes", "boxes", "free-form")
ENLARGEMENTS = (
    (2, 0, "area"),
    (2, 0, "bicubic"),
    (4, 0, "area"),
    (2, 60, "area"),
    (4, 60, "area"),
)  # factor, JPEG quality, kernel


def held_out(folder, every=1):
    """(number, name, picture) in the order of names: the middle 512 x 512, or what there is, in multiples of 32."""
    for number, path in list(enumerate(sorted(Path(folder).iterdir())))[::every]:
        picture = load(path)
        h, w = (min(SIDE, d // 32 * 32) for d in picture.shape[:2])
        y, x = (picture.shape[0] - h) // 2, (picture.shape[1] - w) // 2
        yield number, path.stem, np.ascontiguousarray(picture[y : y + h, x : x + w])


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
            mask[y : y + 64, x : x + 64] = 1
        return mask
    while True:
        mask = strokes(rng, side, rng.integers(1, 5), side * rng.uniform(0.06, 0.2))[:h, :w]
        if 0.05 <= mask.mean() <= 0.25:
            return mask


class Model:
    def __init__(self, folder):
        net_cfg, net = bridge.load_export(folder)
        self.cell, self.net = net_cfg["cell"], net.eval().to(memory_format=torch.channels_last)
        how = json.loads((Path(folder) / "model_index.json").read_text())["sfumato"]
        self.reach, self.deep = how["inpaint"].get("reach", 0.0), how["inpaint"].get("deep", 0)
        self.enlargers = {
            int(k): load_enlarger(Path(folder) / v["enlarger"]).eval().to(memory_format=torch.channels_last)
            for k, v in how["upscale"].items()
            if isinstance(v, dict)
        }

    @torch.no_grad()
    def inpaint(self, picture, mask, seed):
        """(refined by one step of the bridge, the same trusted everywhere, the patch fill it starts from),
        [h, w, 3] uint8."""
        filled = fill_patches(picture, mask, seed)
        rows = np.dstack([picture, filled, fill_smooth(picture, mask), mask])[None]
        _, fill, smooth, holes = bridge.tensors(bridge.planes(rows, "cpu"))
        plain = (bridge.refine(self.net, self.cell, fill, smooth, holes)[0].permute(1, 2, 0).numpy() + 1) * 127.5
        made = keep_deep(plain, filled, mask, self.reach, self.deep) if self.reach else plain
        return *(np.where(mask[..., None] > 0, pixels(x), picture) for x in (made, plain)), filled

    @torch.no_grad()
    def upscale(self, small, factor):
        x = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255
        return pixels(self.enlargers[factor](x)[0].permute(1, 2, 0).numpy() * 255)


def pixels(x):
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


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
    out = [
        f"### {title}",
        "",
        "| method | " + " | ".join(f"{k} ({BETTER[k]})" for k in ALL) + " |",
        "|---|" + "---:|" * len(ALL),
    ]
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
        made, plain, filled = model.inpaint(picture, mask, number)
        yield group, "patch fill", filled, mask, None
        yield group, "sfumato-mini trusted everywhere", plain, mask, None
        yield group, "sfumato-mini", made, mask, np.where(mask[..., None] > 0, 128, picture).astype(np.uint8)


def upscalings(model, number, picture):
    h, w = picture.shape[:2]
    for factor, jpeg, kernel in ENLARGEMENTS:
        small = shrink(picture, factor, jpeg, kernel)
        how = f"JPEG quality {jpeg}" if jpeg else "clean" if kernel == "area" else f"clean, shrunk by {kernel}"
        group = f"Super-resolution x{factor}, {how}"
        big = enlarge(small, h, w)
        yield group, "bicubic", big, None, None
        yield group, "Lanczos", cv2.resize(small, (w, h), interpolation=cv2.INTER_LANCZOS4), None, None
        yield group, "sfumato-mini", model.upscale(small, factor), None, big


def one(job):
    """All of one picture: ({group: {method: measures}}, {group: (before, after)})."""
    number, name, picture = job
    began, measured, sheet = time.process_time(), {}, {}
    made = [] if ARGS.only == "upscale" else [inpaintings(MODEL, number, name, picture, ARGS)]
    made += [] if ARGS.only == "inpaint" else [upscalings(MODEL, number, picture)]
    for group, method, after, mask, before in (row for rows in made for row in rows):
        values = {k: f(after.astype(np.float32), picture.astype(np.float32), mask) for k, f in ALL.items()}
        measured.setdefault(group, {})[method] = values | {"picture": name}
        if before is not None:
            sheet[group] = before, after
    print(f"{name}: {time.process_time() - began:.0f} s", flush=True)
    return measured, sheet


def start(args):
    global MODEL, ARGS
    torch.set_num_threads(args.threads)
    ARGS, MODEL = args, Model(args.model)


def write_inputs(args):
    folder = args.out / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    for number, name, picture in held_out(Path(args.data) / "test", args.every):
        for kind in KINDS:
            mask = mask_of(kind, number, *picture.shape[:2])
            cv2.imwrite(
                str(folder / f"{name}.{kind}.png"),
                np.dstack([picture[..., ::-1] * (1 - mask[..., None]), 255 * (1 - mask)]),
            )


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--model")
    ap.add_argument("--data", default="data")
    ap.add_argument("--out", type=Path, default=Path("evaluation"))
    ap.add_argument("--every", type=int, default=1, help="take every n-th held-out picture")
    ap.add_argument("--only", choices=["inpaint", "upscale"])
    ap.add_argument("--inputs", action="store_true", help="write the holed pictures and end")
    ap.add_argument("--jobs", type=int, default=2, help="processes")
    ap.add_argument("--threads", type=int, default=1, help="of each process")
    args = ap.parse_args()
    if args.inputs:
        write_inputs(args)
        return
    args.out.mkdir(parents=True, exist_ok=True)
    results, sheet, n = {}, {}, 0
    with concurrent.futures.ProcessPoolExecutor(args.jobs, initializer=start, initargs=(args,)) as pool:
        for measured, pairs in pool.map(one, held_out(Path(args.data) / "test", args.every)):
            n += 1
            for group, methods in measured.items():
                for method, values in methods.items():
                    results.setdefault(group, {}).setdefault(method, []).append(values)
            for group, pair in pairs.items():
                sheet.setdefault(group, []).append(pair)
            write(args.out, n, results, sheet)  # after each, so that a run cut short leaves what it has
    print((args.out / "results.md").read_text())


def write(out, n, results, sheet):
    """results.md, results.json, contact-sheet.jpg of what has been measured so far."""
    text = [f"{n} held-out pictures.\n"]
    text += [table(group, rows) for group, rows in results.items()]
    (out / "results.md").write_text("\n".join(text))
    (out / "results.json").write_text(json.dumps({"results": results}, indent=0))
    pairs = []
    for group, n, offset in (
        ("Inpainting, strokes, inside the mask", 4, 0),
        ("Inpainting, boxes, inside the mask", 5, 4),
        ("Inpainting, free-form, inside the mask", 5, 9),
        ("Super-resolution x2, clean", 3, 14),
        ("Super-resolution x4, clean", 4, 17),
        ("Super-resolution x4, JPEG quality 60", 3, 12),
    ):
        have = sheet.get(group, [])
        pairs += [have[(offset + i) % len(have)] for i in range(n) if have]
    tiles = [
        np.hstack([cv2.resize(p[:s, :s], (256, 256), interpolation=cv2.INTER_AREA) for p in pair])
        for pair in pairs
        for s in [min(pair[0].shape[:2])]
    ]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 3)
    rows = [np.hstack(tiles[i : i + 3]) for i in range(0, len(tiles), 3)]
    cv2.imwrite(str(out / "contact-sheet.jpg"), np.vstack(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
