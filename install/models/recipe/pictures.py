"""Random training crops, masks and damage. Pixels are float32 or uint8 RGB; masks are 1 where repainted.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import ctypes
import json
import math
import queue
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

cv2.setNumThreads(1)  # the training threads need the cores


def load(path):
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


class Pictures:
    """All pictures of a folder in memory, each with its halvings, and random crops of them."""

    def __init__(self, folder):
        self.levels = []
        weights = []
        manifest = (
            Path(folder).parent / "manifest.json"
        )  # textures have a weight of their own, or they would outnumber photographs
        share = {m["file"]: m.get("weight", 1.0) for m in json.loads(manifest.read_text())} if manifest.exists() else {}
        paths = [p for p in sorted(Path(folder).iterdir()) if p.suffix in (".jpg", ".png", ".webp")]
        with ThreadPoolExecutor() as pool:
            loaded = list(pool.map(load, paths))
        for path, picture in zip(paths, loaded):
            pyramid = [picture]
            while min(pyramid[-1].shape[:2]) >= 512:
                h, w = pyramid[-1].shape[:2]
                pyramid.append(cv2.resize(pyramid[-1], (w // 2, h // 2), interpolation=cv2.INTER_AREA))
            self.levels.append(pyramid)
            h, w = pyramid[0].shape[:2]
            # larger pictures hold more to learn, but less than their area says; flat ones little
            detail = float(cv2.Laplacian(cv2.cvtColor(pyramid[-1], cv2.COLOR_RGB2GRAY), cv2.CV_32F).std())
            weights.append((h * w) ** 0.35 * min(1.0, 0.15 + detail / 25.0) * share.get(path.stem, 1.0))
        if not weights:
            raise SystemExit(f"{folder}: no pictures; run gather.py first")
        self.weights = np.array(weights) / np.sum(weights)

    def crop(self, rng, side):
        """One square crop [side, side, 3] uint8, of 1 to 6 times the side shrunk to it, flipped at random."""
        for attempt in range(4):
            pyramid = self.levels[rng.choice(len(self.levels), p=self.weights)]
            short = min(pyramid[0].shape[:2])
            largest = min(short, side * 6)
            span = int(side * math.exp(rng.uniform(0.0, math.log(max(1.0, largest / side)))))
            level = 0
            while level + 1 < len(pyramid) and span // 2 >= side:
                level, span = level + 1, span // 2
            picture = pyramid[level]
            h, w = picture.shape[:2]
            span = min(span, h, w)
            y, x = rng.integers(0, h - span + 1), rng.integers(0, w - span + 1)
            tile = picture[y : y + span, x : x + span]
            if span != side:
                tile = cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA if span > side else cv2.INTER_CUBIC)
            small = cv2.resize(tile, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
            if small.std(axis=(0, 1)).mean() + np.abs(np.diff(small, axis=0)).mean() * 4 > rng.uniform(0, 40):
                break  # skies and walls are kept seldom
        if rng.random() < 0.5:
            tile = tile[:, ::-1]
        if rng.random() < 0.1:
            tile = tile[::-1]
        if rng.random() < 0.15:
            tile = tile.transpose(1, 0, 2)
        tile = np.ascontiguousarray(tile)
        if rng.random() < 0.3:  # exposure and tint
            gain = rng.uniform(0.75, 1.25) * rng.uniform(0.93, 1.07, size=3)
            tile = np.clip(tile * gain, 0, 255).astype(np.uint8)
        return tile


def strokes(rng, side, n, width):
    """n free-form strokes of random walks, widths in pixels up to width."""
    mask = np.zeros((side, side), np.uint8)
    for _ in range(n):
        p = rng.uniform(0, side, 2)
        angle = rng.uniform(0, 2 * math.pi)
        thick = max(2, int(rng.uniform(0.4, 1.0) * width))
        for _ in range(rng.integers(2, 9)):
            angle += rng.normal(0, 0.7)
            q = p + rng.uniform(0.06, 0.25) * side * np.array([math.cos(angle), math.sin(angle)])
            cv2.line(mask, tuple(int(v) for v in p), tuple(int(v) for v in q), 1, thick)
            cv2.circle(mask, tuple(int(v) for v in q), thick // 2, 1, -1)
            p = np.clip(q, 0, side - 1)
    return mask


def random_mask(rng, side, kind=None):
    """Thin strokes, thick ones, boxes, blobs, or a cut-off side; 2 to 50 % of the square. kind 0: thin strokes, 1:
    others. [side, side] uint8 of 0, 1."""
    low, high = {None: (0.0, 1.0), 0: (0.0, 0.5), 1: (0.5, 1.0)}[kind]
    for _ in range(20):
        drawn = rng.uniform(low, high)
        if drawn < 0.5:
            mask = strokes(rng, side, rng.integers(1, 7 if side <= 128 else 12), rng.uniform(3, 13))
        elif drawn < 0.7:
            mask = strokes(rng, side, rng.integers(1, 4), side * rng.uniform(0.08, 0.25))
        elif drawn < 0.85:
            mask = np.zeros((side, side), np.uint8)
            for _ in range(rng.integers(1, 4)):
                h, w = (rng.uniform(0.12, 0.55, 2) * side).astype(int)
                y, x = rng.integers(0, side - h + 1), rng.integers(0, side - w + 1)
                mask[y : y + h, x : x + w] = 1
        elif drawn < 0.95:
            coarse = rng.normal(size=(6, 6)).astype(np.float32)
            field = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
            mask = (field > np.quantile(field, 1 - rng.uniform(0.1, 0.4))).astype(np.uint8)
        else:
            mask = np.zeros((side, side), np.uint8)
            mask[:, : int(side * rng.uniform(0.15, 0.45))] = 1
            mask = np.ascontiguousarray(np.rot90(mask, rng.integers(0, 4)))
        if 0.02 < mask.mean() < 0.5:
            return mask
    return mask


def fill_smooth(picture, mask):
    """Fill the masked pixels from their surroundings by pull and push: [h, w, 3] uint8, mask [h, w] of 0, 1.

    Pull: halve picture and weight (1 = known) in 2x2 cells, colour = weighted mean, weight = min(1, sum). Push, from
    the coarsest level down: enlarge bilinearly (cell centres) to the finer level, blend colour * w + coarse * (1 - w),
    then eight times replace pixels by colour * w + (mean of the 3x3 neighbourhood, edges repeated) * (1 - w). A missing
    row or column of an odd size has weight 0. engine/fill/membrane.c does nearly the same at run time (a membrane by
    pyramid and relaxation).
    """
    colours = [picture.astype(np.float32)]
    weights = [1.0 - mask.astype(np.float32)]
    while min(weights[-1].shape) > 1 and weights[-1].min() < 1.0:
        c, w = colours[-1], weights[-1]
        ph, pw = w.shape[0] % 2, w.shape[1] % 2
        cw = np.pad(c * w[..., None], ((0, ph), (0, pw), (0, 0)))
        w = np.pad(w, ((0, ph), (0, pw)))
        total = w[0::2, 0::2] + w[1::2, 0::2] + w[0::2, 1::2] + w[1::2, 1::2]
        c = cw[0::2, 0::2] + cw[1::2, 0::2] + cw[0::2, 1::2] + cw[1::2, 1::2]
        colours.append(c / np.maximum(total, 1e-6)[..., None])
        weights.append(np.minimum(total, 1.0))
    fine = colours[-1]
    for c, w in zip(colours[-2::-1], weights[-2::-1]):
        h, wd = w.shape
        w = w[..., None]
        coarse = cv2.resize(fine, (fine.shape[1] * 2, fine.shape[0] * 2), interpolation=cv2.INTER_LINEAR)[:h, :wd]
        fine = c * w + coarse * (1 - w)
        for _ in range(8):
            fine = c * w + cv2.blur(fine, (3, 3), borderType=cv2.BORDER_REPLICATE) * (1 - w)
    return np.clip(np.rint(fine), 0, 255).astype(np.uint8)


class PatchOptions(ctypes.Structure):
    """SfuPatchOptions of engine/fill/patch_fill.h."""

    _fields_ = [
        ("excluded", ctypes.c_void_p),
        ("background", ctypes.c_float),
        ("guide", ctypes.c_void_p),
        ("thin_px", ctypes.c_double),
        ("seed", ctypes.c_uint64),
        ("tick", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
    ]


@cache
def patch_library():
    """The engine's own fill (engine/fill/patch_fill.c), compiled beside this file at first use: needs a C compiler and
    GLib."""
    here = Path(__file__).resolve().parent
    target = here / "libpatchfill.so"
    source = here.parents[2] / "engine" / "fill"
    newest = max(
        (p.stat().st_mtime for p in source.glob("*.[ch]")), default=0
    )  # a pack for a GPU machine has no sources
    if not target.exists() or target.stat().st_mtime < newest:
        flags = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "glib-2.0"], check=True, capture_output=True, text=True
        ).stdout.split()
        part = target.with_suffix(f".{threading.get_native_id()}.so")
        subprocess.run(
            [
                "cc",
                "-std=gnu11",
                "-O3",
                "-shared",
                "-fPIC",
                "-I",
                source.parent,
                "-o",
                part,
                source / "membrane.c",
                source / "reach.c",
                source / "blur.c",
                *sorted(source.glob("patch_*.c")),
                *flags,
                "-lm",
            ],
            check=True,
        )
        part.rename(target)
    library = ctypes.CDLL(str(target))
    call = library.sfu_patch_fill
    floats = np.ctypeslib.ndpointer(np.float32, flags="C_CONTIGUOUS")
    call.argtypes = [floats, ctypes.c_int, ctypes.c_int, floats, ctypes.POINTER(PatchOptions)]
    call.restype = ctypes.c_int
    reach = library.sfu_fill_reach
    reach.argtypes = [floats, floats, floats, ctypes.c_int, ctypes.c_int, ctypes.c_float, ctypes.c_int]
    reach.restype = ctypes.c_int
    return call, ctypes.c_double.in_dll(library, "sfu_patch_thin_px").value, reach


def fill_patches(picture, mask, seed=0):
    """Copy what fits from the surroundings; thin holes smoothly. [h, w, 3] uint8, mask [h, w] of 0, 1."""
    rgb = np.ascontiguousarray(picture, np.float32) / 255
    h, w = mask.shape
    call, thin_px, _ = patch_library()
    options = PatchOptions(thin_px=thin_px, seed=seed)
    if call(rgb, w, h, np.ascontiguousarray(mask, np.float32), ctypes.byref(options)):
        raise MemoryError(f"patch fill of {w} x {h} pixels")
    return np.clip(np.rint(rgb * 255), 0, 255).astype(np.uint8)


def keep_deep(made, filled, mask, reach_px, deep_px):
    """What a network made of the fill, near the edge of the hole; deeper, the fill and the low frequencies of what the
    network changed: engine/fill/reach.c. [h, w, 3] float32 of any unit, mask [h, w] of 0, 1."""
    made = np.ascontiguousarray(made, np.float32).copy()
    h, w = mask.shape
    filled, mask = (np.ascontiguousarray(x, np.float32) for x in (filled, mask))
    if not patch_library()[2](made, filled, mask, w, h, reach_px, deep_px):
        raise MemoryError(f"depths of {w} x {h} pixels")
    return made


def enlarge(small, h, w):
    """Bicubically with Keys' a = -0.5, as the engine does and OpenCV does not."""
    return np.array(Image.fromarray(small).resize((w, h), Image.BICUBIC))


def shrink(rng, tile, factor, kind):
    """Shrink by factor. "clean": by one of the kernels that programs shrink with; "jpeg": the same, then JPEG;
    "damaged": as cameras, editors and the web do, with blur, grain and JPEG. [side, side, 3] uint8 -> [side / factor,
    side / factor, 3]."""
    side = tile.shape[0] // factor
    if kind == "damaged":
        picture = tile
        if rng.random() < 0.6:
            picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.2, 0.6) * factor)
        how = [cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC][rng.integers(0, 3)]
        if how != cv2.INTER_AREA:  # these do not average by themselves
            picture = cv2.GaussianBlur(picture, (0, 0), 0.35 * factor)
        small = cv2.resize(picture, (side, side), interpolation=how)
        if rng.random() < 0.5:
            grain = rng.normal(0, rng.uniform(1, 10), small.shape)
            if rng.random() < 0.5:
                grain = grain.mean(axis=2, keepdims=True)
            small = np.clip(small + grain, 0, 255).astype(np.uint8)
    elif rng.random() < 0.6:
        small = cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA)
    else:  # widened with the factor, so that they average
        small = np.array(
            Image.fromarray(tile).resize((side, side), Image.BICUBIC if rng.random() < 0.7 else Image.LANCZOS)
        )
    if kind == "jpeg" or (kind == "damaged" and rng.random() < 0.7):
        ok, code = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(35, 95))])
        small = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return small


def prefetch(make, n_ahead, seed, n_threads=1):
    """Endless make(rng) results from background threads."""
    waiting = queue.Queue(n_ahead)

    def work(rng):
        while True:
            waiting.put(make(rng))

    for k in range(n_threads):
        threading.Thread(target=work, args=(np.random.default_rng(seed + k),), daemon=True).start()
    while True:
        yield waiting.get()
