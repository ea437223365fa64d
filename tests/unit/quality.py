#!/usr/bin/env python3
"""What the model in the box makes of pictures whose truth is known: enlarged after shrinking, and with a hole. Not how
good it is (that is on its card), but that no noise, tint or shift gets in, at the number of steps that it asks for and
with one step. TAP. quality.py SFUMATO MODELS PHOTO: MODELS holds sfumato-mini; PHOTO is a PNG, 8-bit RGB, at least 96 x
96."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import math
import pathlib
import sys

from command import NO_DEVICE, TMP, case, end, has_device, png, read_png, run

SIDE = 96
DEVICE = has_device()


def cubic(t):
    """Keys' kernel with a = -0.5."""
    t = abs(t)
    return 1 - 2.5 * t * t + 1.5 * t**3 if t < 1 else 2 - 4 * t + 2.5 * t * t - 0.5 * t**3 if t < 2 else 0


def longer(line, factor):
    out = []
    for i in range(len(line) * factor):
        at = (i + 0.5) / factor - 0.5
        near = math.floor(at)
        out.append(sum(cubic(at - k) * line[min(max(k, 0), len(line) - 1)] for k in range(near - 1, near + 3)))
    return out


def bicubic(rows, factor):
    """Rows of RGB samples, enlarged."""
    planes = []
    for c in range(3):
        wide = [longer(row[c::3], factor) for row in rows]
        planes.append([longer(column, factor) for column in zip(*wide)])  # columns of the result
    return [
        [min(255, max(0, round(planes[c][x][y]))) for x in range(len(planes[0])) for c in range(3)]
        for y in range(len(rows) * factor)
    ]


def shrunk(rows, factor):
    """Means of squares of pixels."""
    side = len(rows) // factor
    return [
        [
            round(
                sum(rows[y * factor + j][3 * (x * factor + i) + c] for j in range(factor) for i in range(factor))
                / factor**2
            )
            for x in range(side)
            for c in range(3)
        ]
        for y in range(side)
    ]


def psnr(a, b):
    squares = [(p - q) ** 2 for row, other in zip(a, b) for p, q in zip(row, other)]
    return 10 * math.log10(255**2 / max(1e-9, sum(squares) / len(squares)))


def write(path, rows):
    return png(path, len(rows[0]) // 3, len(rows), lambda x, y: rows[y][3 * x : 3 * x + 3])


def drawn():
    """A textured disc with a hard edge on diagonal stripes."""
    rows = []
    for y in range(SIDE):
        row = []
        for x in range(SIDE):
            inside = 1 / (1 + math.exp(2 * math.hypot(x - 45, y - 48) - 60))
            waves = 0.5 + 0.25 * math.sin(0.35 * x + 0.2 * y)
            stripe = 1 / (1 + math.exp(-16 * math.sin(0.25 * (x - y))))
            row += [
                int(255 * (inside * (0.3 + 0.2 * k) * waves + (1 - inside) * (0.2 + 0.6 * stripe * (1 - 0.2 * k))))
                for k in range(3)
            ]
        rows.append(row)
    return rows


def photographed():
    w, h, bits, color, rows, _ = read_png(pathlib.Path(sys.argv[3]))
    assert w >= SIDE and h >= SIDE and (bits, color) == (8, 2)
    left = 3 * ((w - SIDE) // 2)
    return [list(row[left : left + 3 * SIDE]) for row in rows[(h - SIDE) // 2 : (h + SIDE) // 2]]


def steps_of(steps):
    return ["--steps", steps] if steps else []


for what, truth in (("a photograph", photographed()), ("a drawing", drawn())):
    for scale in (2, 4):
        for given in (None, 1):

            @case(
                f"{what} enlarged {scale} times, {f'{given} step' if given else 'as the model asks'}: no further from the truth than bicubic"
            )
            def _(truth=truth, scale=scale, given=given):
                if not DEVICE:
                    return NO_DEVICE
                small = shrunk(truth, scale)
                r = run(
                    "upscale",
                    write(TMP / "small.png", small),
                    TMP / "large.png",
                    "--scale",
                    scale,
                    "--seed",
                    3,
                    *steps_of(given),
                )
                assert r.returncode == 0, r.stderr
                got, bound = psnr(truth, read_png(TMP / "large.png")[4]), psnr(truth, bicubic(small, scale))
                assert got > bound - 0.3, f"{got:.2f} dB; bicubic has {bound:.2f}"


def smooth(x, y):
    return [int(255 * (0.5 + 0.3 * math.sin(0.03 * x + k) * math.cos(0.025 * y - k))) for k in range(3)]


def periodic(x, y):
    return [
        int(255 * (0.5 + (0.3 + 0.05 * k) * math.sin(2 * math.pi * x / 12) * math.cos(2 * math.pi * y / 16)))
        for k in range(3)
    ]


for what, pixel in (("smooth colours", smooth), ("a periodic texture", periodic)):
    for given in (None, 1):

        @case(
            f"a hole in {what}, {f'{given} step' if given else 'as the model asks'}: near the truth inside, exact outside"
        )
        def _(pixel=pixel, given=given):
            if not DEVICE:
                return NO_DEVICE
            w, h, left, top, right, bottom = 128, 112, 50, 40, 80, 66
            picture = png(TMP / "picture.png", w, h, pixel)
            hole = png(
                TMP / "hole.png", w, h, lambda x, y: (255 if left <= x < right and top <= y < bottom else 0,), color=0
            )
            r = run(
                "inpaint",
                picture,
                TMP / "filled.png",
                "--mask",
                hole,
                "--grow",
                0,
                "--feather",
                0,
                "--seed",
                3,
                *steps_of(given),
            )
            assert r.returncode == 0, r.stderr
            was, got = read_png(picture)[4], read_png(TMP / "filled.png")[4]
            squares = [(was[y][i] - got[y][i]) ** 2 for y in range(top, bottom) for i in range(3 * left, 3 * right)]
            error = math.sqrt(sum(squares) / len(squares))
            outside = sum(
                was[y][i] != got[y][i]
                for y in range(h)
                for i in range(3 * w)
                if not (top <= y < bottom and left <= i // 3 < right)
            )
            assert outside == 0, f"{outside} samples outside of the hole changed"
            assert error < 6, f"off by {error:.1f} of 255 inside"  # its mean colour would be off by 22 and 46


end()
