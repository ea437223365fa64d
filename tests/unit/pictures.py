#!/usr/bin/env python3
"""People's own files: formats x ways to be broken, masks, places to write to, folders, environments. Each cell is tried
once: it gives the right picture, or it fails by one sentence, and nothing is lost. TAP. pictures.py SFUMATO MODELS:
MODELS holds sfumato-mini."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import ctypes
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import zlib

from command import ENV, MODELS, NO_DEVICE, SFUMATO, TMP, at_step_2, case, end, fails, has_device, png, read_png, run
from picture_files import (
    CMYK_JPEG,
    GOOD,
    H,
    JPEG,
    LENIENT,
    NOT_COLORS,
    PLAIN,
    RGB_ROWS,
    W,
    batch,
    bmp,
    chunked,
    color,
    differs,
    gif,
    gray,
    inpaint,
    lines,
    mask_for,
    tiff,
    to_srgb,
    words,
    write,
    xbm,
)

DEVICE = has_device()
results = {}


def try_all():
    jobs = {}
    for name, data, _, *rest in GOOD:
        size = rest[1] if len(rest) > 1 else (W, H)
        mask = mask_for(*size)
        jobs[name] = inpaint(write("good/" + name, data), TMP / f"of-{name}.png", mask)
        jobs["misnamed " + name] = inpaint(
            write("good/" + name + (".jpg" if not name.endswith(".jpg") else ".png"), data),
            TMP / f"of-{name}-2.png",
            mask,
        )
        for what, cut in (
            ("cut in the middle", len(data) // 2),
            ("cut near its end", len(data) - 3),
            ("cut in its header", 11),
        ):
            jobs[f"{what} {name}"] = inpaint(write(f"{what}/{name}", data[:cut]), TMP / f"{what}-{name}.png", mask)
    for name, data in (
        ("empty.png", b""),
        ("text.jpg", b"not a picture\n"),
        ("zeros.tif", bytes(500)),
        ("damaged.png", chunked(2, 8, RGB_ROWS).replace(b"IDAT", b"IDAX")),
        ("huge.png", chunked(2, 8, b"", w=2**31 - 1, h=2**31 - 1)),
        ("huge.ppm", b"P6\n4000000000 4000000000\n255\n"),
        ("huge.bmp", bmp()[:18] + b"\xff\xff\xff\x7f" * 2 + bmp()[26:]),
        ("raw.dng", tiff(lines(color), more=[(254, 4, [1])])),
        ("cfa.tif", tiff(lines(gray), kind=32803, samples=1)),
        ("document.pdf", b"%PDF-1.4\n"),
        ("layers.psd", b"8BPS\0\1" + bytes(40)),
        ("archive.zip", b"PK\3\4" + bytes(60)),
        ("nothing.exr", b"\x76\x2f\x31\x01\x02\0\0\0"),
        *NOT_COLORS,
    ):
        jobs["bad " + name] = inpaint(write("bad/" + name, data), TMP / f"bad-{name}.png", mask_for(W, H))
    jobs["bad a folder"] = inpaint(TMP, TMP / "bad-folder.png", mask_for(W, H))
    jobs["bad nothing"] = inpaint(TMP / "gone.png", TMP / "bad-gone.png", mask_for(W, H))
    errors, r = batch(jobs)
    results.update(errors=errors, r=r, jobs=jobs)


if DEVICE:
    try_all()


@case("every format is read as it is, whatever its name: pixels outside the mask, depth, alpha")
def _():
    if not DEVICE:
        return NO_DEVICE
    for name, _, pixel, *rest in GOOD:
        allowed, size = rest[0] if rest else 0, rest[1] if len(rest) > 1 else (W, H)
        for job, out in ((name, f"of-{name}.png"), ("misnamed " + name, f"of-{name}-2.png")):
            assert results["errors"][job] is None, (job, results["errors"][job])
            w, h, _, _, rows, _ = read_png(TMP / out)
            assert (w, h) == size, (job, w, h)
            wrong = pixel and differs(rows, pixel, w, h, allowed)
            assert not wrong, (job, wrong)
    cut = [line for line in results["r"].stderr.splitlines() if "its last number may be incomplete" in line]
    assert len(cut) == 4 and all("letters.ppm" in c or "thousand.pgm" in c or "no-last-line" in c for c in cut), cut
    for name in ("light.hdr", "flat.hdr"):
        bits, kind, rows = read_png(TMP / f"of-{name}.png")[2:5]
        assert (bits, kind) == (16, 2) and [round(v / 257) for v in rows[9][30:33]] == [
            to_srgb((100 + 20 * k) / 256) for k in range(3)
        ], (name, rows[9][30:33])
    floats = read_png(TMP / "of-floats.pfm.png")
    assert [round(v / 257) for v in floats[4][9][30:33]] == [to_srgb(v) for v in (0.25, 0.5, 1)], floats[4][9][30:33]


@case("cut, damaged, absurd and foreign files fail by one sentence that names them, and the run goes on")
def _():
    if not DEVICE:
        return NO_DEVICE
    for job, error in results["errors"].items():
        if not job.startswith(("cut", "bad")) or (job.startswith("cut near") and job.split()[-1] in LENIENT):
            continue
        assert error, f"{job}: taken for whole"
        named = results["jobs"][job]["in"]
        assert named in error and "\n" not in error and len(error) < 600, (job, error)
        assert not pathlib.Path(results["jobs"][job]["out"]).exists(), job
    n_failed = sum(e is not None for e in results["errors"].values())
    assert results["r"].returncode == 1 and f" {n_failed} failed\n" in results["r"].stderr, results["r"].stderr[-300:]
    assert not list(TMP.glob(".sfumato-*"))


@case("in X11's bitmaps a 1 is the foreground, which is black; only their name tells them from other text")
def _():
    if not DEVICE:
        return NO_DEVICE
    files = {n: write(n, data) for n, data in (("bits.xbm", xbm()), ("cut.xbm", xbm()[:300]), ("bits.jpg", xbm()))}
    errors, _ = batch({n: inpaint(f, TMP / f"of-{n}.png", mask_for(W, H)) for n, f in files.items()})
    assert errors.pop("bits.xbm") is None and all(errors.values()), errors
    wrong = differs(read_png(TMP / "of-bits.xbm.png")[4], lambda x, y: (0 if x in (0, 9) else 255,) * 3, W, H, 0)
    assert not wrong, wrong  # as the client `bitmap`, GIMP and ImageMagick draw it; Pillow draws a 1 white


# ---- masks ----


@case("masks: other sizes, alpha, palettes, one bit, 16 bits and profiles mean the same as the plain one")
def _():
    if not DEVICE:
        return NO_DEVICE
    w, h = 64, 48

    def inside(x, y):
        return 20 <= x < 40 and 16 <= y < 32

    picture = png(TMP / "in.png", w, h, lambda x, y: (x * 4, y * 5, (x * 7 + y * 3) % 256))
    profile = (b"gAMA", struct.pack(">I", 100000))  # linear light: a picture's curve is none of a mask's business
    bits = b"".join(
        b"\0" + bytes(sum(1 << (7 - i) for i in range(8) if inside(8 * b + i, y)) for b in range(w // 8))
        for y in range(h)
    )
    masks = {
        "plain": png(TMP / "m.png", w, h, lambda x, y: (255 * inside(x, y),), color=0),
        "double": png(TMP / "m2.png", 2 * w, 2 * h, lambda x, y: (255 * inside(x // 2, y // 2),), color=0),
        "white alpha": png(TMP / "m3.png", w, h, lambda x, y: (255, 255, 255, 255 * inside(x, y)), color=6),
        "black alpha": png(TMP / "m4.png", w, h, lambda x, y: (0, 0, 0, 255 * inside(x, y)), color=6),
        "opaque alpha": png(TMP / "m5.png", w, h, lambda x, y: (255 * inside(x, y),) * 3 + (255,), color=6),
        "16 bits": png(TMP / "m6.png", w, h, lambda x, y: (65535 * inside(x, y),), bits=16, color=0),
        "one bit": write("m7.png", chunked(0, 1, bits, w=w, h=h)),
        "palette": write(
            "m8.png",
            chunked(
                3,
                8,
                lines(lambda x, y: (3 * inside(x, y),), w, h, b"\0"),
                (b"PLTE", bytes(9) + b"\xff\xff\xff"),
                w=w,
                h=h,
            ),
        ),
        "inverted": png(TMP / "m9.png", w, h, lambda x, y: (255 * (not inside(x, y)),), color=0),
        "gray": png(TMP / "g1.png", w, h, lambda x, y: (128 * inside(x, y),), color=0),
        "gray, 16 bits": png(TMP / "g2.png", w, h, lambda x, y: (128 * 257 * inside(x, y),), bits=16, color=0),
        "gray, linear": write(
            "g3.png", chunked(0, 8, lines(lambda x, y: (128 * inside(x, y),), w, h, b"\0"), profile, w=w, h=h)
        ),
        "gray alpha": png(TMP / "g4.png", w, h, lambda x, y: (255, 0, 0, 128 * inside(x, y)), color=6),
        "half": png(TMP / "m10.png", w // 2, h // 2, lambda x, y: (255 * inside(2 * x, 2 * y),), color=0),
        "other shape": png(TMP / "m11.png", h, h, lambda x, y: (255,), color=0),
        "ones": png(TMP / "m13.png", w, h, lambda x, y: (1 * inside(x, y),), color=0),
        "classes": png(TMP / "m14.png", w, h, lambda x, y: (20 * inside(x, y),), color=0),
        "nothing": png(TMP / "m12.png", w, h, lambda x, y: (0,), color=0),
    }
    jobs = {
        n: inpaint(picture, TMP / f"masked-{i}.png", m) for i, (n, m) in enumerate(masks.items()) if n != "inverted"
    }
    errors, _ = batch(jobs)
    assert (
        "48 x 48" in errors.pop("other shape")
        and "64 x 48" in batch({"other shape": jobs["other shape"]})[0]["other shape"]
    )
    assert "empty" in errors.pop("nothing")
    assert "0.39 % of white" in errors.pop("ones") and "7.8 % of white" in errors.pop("classes")
    assert not any(errors.values()), errors
    made = {n: read_png(pathlib.Path(j["out"]))[4] for n, j in jobs.items() if n in errors}
    before = read_png(picture)[4]
    for n in ("white alpha", "black alpha", "opaque alpha", "16 bits", "one bit", "palette"):
        assert made[n] == made["plain"], n
    for n in ("gray, 16 bits", "gray, linear", "gray alpha"):
        assert max(abs(a - b) for r, s in zip(made[n], made["gray"]) for a, b in zip(r, s)) <= 1, n
    for n in ("plain", "double", "half"):
        far = [(x, y) for y in range(h) for x in range(w) if not (19 <= x < 41 and 15 <= y < 33)]
        assert all(made[n][y][3 * x : 3 * x + 3] == before[y][3 * x : 3 * x + 3] for x, y in far), n
    assert sum(a != b for r, s in zip(made["half"], before) for a, b in zip(r, s)) > 100

    # A gray of 128 repaints by a half.
    full = sum(abs(made["plain"][y][i] - before[y][i]) for y in range(h) for i in range(3 * w))
    part = sum(abs(made["gray"][y][i] - before[y][i]) for y in range(h) for i in range(3 * w))
    assert abs(part / full - 128 / 255) < 0.05, part / full
    r = run(
        "inpaint",
        picture,
        TMP / "turned.png",
        "--mask",
        masks["inverted"],
        "--invert-mask",
        "--model",
        PLAIN,
        "--grow",
        0,
        "--feather",
        0,
        "--seed",
        3,
    )
    assert r.returncode == 0 and read_png(TMP / "turned.png")[4] == made["plain"], r.stderr


# ---- places to write to ----

WRITTEN = ("png", "tif", "tiff", "jpg", "jpeg", "webp", "exr", "ppm", "pnm")
LOSSLESS = {"png", "tif", "tiff", "exr", "ppm", "pnm"}


@case("every ending that is written gives that format, whole; the others are refused before the work, with the list")
def _():
    if not DEVICE:
        return NO_DEVICE
    source, mask = write("rgb.png", chunked(2, 8, RGB_ROWS)), mask_for(W, H)
    signs = {
        "png": b"\x89PNG",
        "tif": (b"II*", b"MM\0*"),
        "jpg": b"\xff\xd8\xff",
        "jpe": b"\xff\xd8\xff",
        "web": b"RIFF",
        "exr": b"\x76\x2f\x31\x01",
        "ppm": b"P6",
        "pnm": b"P6",
    }
    errors, _ = batch({e: inpaint(source, TMP / f"written.{e}", mask) for e in WRITTEN})
    assert not any(errors.values()), errors
    assert all((TMP / f"written.{e}").read_bytes().startswith(signs[e[:3]]) for e in WRITTEN)
    errors, _ = batch({e: inpaint(TMP / f"written.{e}", TMP / f"again-{e}.png", mask) for e in WRITTEN})
    assert not any(errors.values()), errors
    for e in LOSSLESS:
        wrong = differs(
            [tuple(round(v / 257) for v in row) if e == "exr" else row for row in read_png(TMP / f"again-{e}.png")[4]],
            color,
            W,
            H,
            0,
        )
        assert not wrong, (e, wrong)
    refused = {
        e: inpaint(source, TMP / f"refused.{e}", mask)
        for e in ("bmp", "gif", "avif", "jp2", "pdf", "psd", "xyz", "pgm", "hdr")
    }
    errors, _ = batch(refused)
    for e, message in errors.items():
        assert message and ("PGM" in message if e == "pgm" else ".png .jpg" in message and "'" + e + "'" in message), (
            e,
            message,
        )
    fails(run("inpaint", source, TMP / "noending", "--mask", mask), 2, ".png")
    fails(run("inpaint", source, TMP / "deep.jpg", "--mask", mask, "--depth", 16), 2, "JPEG", "16")
    assert not list(TMP.glob("refused.*")) and not list(TMP.glob("deep.jpg"))


@case("an old profile of sRGB, which libpng calls incorrect, goes through a picture as it is")
def _():
    if not DEVICE:
        return NO_DEVICE
    source, out = pathlib.Path(__file__).parents[1] / "parity/chelsea.png", TMP / "old-profile.png"
    errors, _ = batch({"old": inpaint(source, out, mask_for(128, 96))})
    assert not any(errors.values()), errors

    def profile(path):  # behind a name and the compression's number
        return zlib.decompressobj().decompress(path.read_bytes().split(b"iCCP")[1].split(b"\0", 1)[1][1:])

    assert profile(source) == profile(out), (len(profile(source)), len(profile(out)))


@case("no room: the old file stays, the cause is named, nothing is left behind, for every format")
def _():
    if not DEVICE:
        return NO_DEVICE
    dice = random.Random(1)
    noise = png(TMP / "noise.png", 96, 64, lambda x, y: tuple(dice.randrange(256) for k in range(3)))
    mask = mask_for(96, 64)
    assert (
        run("inpaint", noise, TMP / "warm.png", "--model", PLAIN, "--mask", mask).returncode == 0
    )  # kernels are compiled and stored now
    (TMP / "full").mkdir()
    for e in ("png", "tif", "jpg", "webp", "exr", "ppm"):
        out = write(f"full/old.{e}", b"the old file")
        r = subprocess.run(
            [SFUMATO, "inpaint", noise, out, "--mask", mask, "--model", PLAIN],
            capture_output=True,
            text=True,
            timeout=170,
            env=ENV,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)),
        )
        fails(r, 1, f"old.{e}", "File too large")
        assert out.read_bytes() == b"the old file", e
    assert len(list((TMP / "full").iterdir())) == 6


@case("places that cannot be written to are found before the work; a link leads to its file")
def _():
    if not DEVICE:
        return NO_DEVICE
    source, mask = write("rgb.png", chunked(2, 8, RGB_ROWS)), mask_for(W, H)
    (TMP / "folder.png").mkdir()
    os.mkfifo(TMP / "pipe.png")
    for out, word in (
        (TMP / "nowhere" / "a.png", "nowhere"),
        ("/proc/a.png", "/proc"),
        (TMP / "folder.png", "folder"),
        (TMP / "pipe.png", "not a file"),
        (source / "a.png", "rgb.png"),
    ):
        fails(run("inpaint", source, out, "--mask", mask, "--model", PLAIN), 2, word)
    fails(
        run("inpaint", source, TMP / "x.png", "--mask", mask, "--save-latent", TMP / "nowhere" / "l.safetensors"),
        2,
        "nowhere",
    )
    victim = write("victim", b"old")
    (TMP / "link.png").symlink_to(victim)
    assert run("inpaint", source, TMP / "link.png", "--mask", mask, "--model", PLAIN).returncode == 0
    assert (TMP / "link.png").is_symlink() and read_png(victim)[:2] == (W, H)
    os.chmod(TMP / "link.png", 0o640)
    assert run("inpaint", source, TMP / "link.png", "--mask", mask, "--model", PLAIN).returncode == 0
    assert (TMP / "link.png").stat().st_mode & 0o777 == 0o640
    assert not list(TMP.glob(".sfumato-*"))


def names_made(folder, work):
    """Names that came to be in a folder while work() ran, those of files that are gone again as well (inotify)."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert watch >= 0 and libc.inotify_add_watch(watch, str(folder).encode(), 0x100) >= 0  # IN_CREATE
    work()
    events, names = os.read(watch, 1 << 16), []
    os.close(watch)
    while events:
        n_bytes = struct.unpack_from("=iIII", events)[3]
        names.append(events[16 : 16 + n_bytes].rstrip(b"\0").decode())
        events = events[16 + n_bytes :]
    return names


@case("nobody can foretell the names of files that are being written")
def _():
    if not DEVICE:
        return NO_DEVICE
    folder = TMP / "parts"
    folder.mkdir()
    source, mask = write("rgb.png", chunked(2, 8, RGB_ROWS)), mask_for(W, H)

    def paint():
        assert run("inpaint", source, folder / "out.png", "--mask", mask, "--model", PLAIN).returncode == 0

    def convert():
        out = folder / "half.safetensors"
        out.unlink(missing_ok=True)
        assert run("convert", f"{MODELS}/sfumato-mini/enlarger/x2.safetensors", out, "--type", "f16").returncode == 0

    for work in (paint, convert):
        first, second = (names_made(folder, work) for _ in range(2))
        assert first and second and not set(first) & set(second), (first, second)
        assert all(re.search(r"[A-Za-z0-9]{6}$", name) for name in first + second), first + second
    assert sorted(p.name for p in folder.iterdir()) == ["half.safetensors", "out.png"]
    return None


@case("--trace makes its folder")
def _():
    if not DEVICE:
        return NO_DEVICE
    r = run(
        "inpaint",
        write("rgb.png", chunked(2, 8, RGB_ROWS)),
        TMP / "traced.png",
        "--mask",
        mask_for(W, H),
        "--trace",
        TMP / "blocks" / "here",
    )
    assert r.returncode == 0 and (TMP / "blocks" / "here").is_dir(), r.stderr


@case("values above 1 that a format cuts are said; TIFF with floats keeps them outside the mask")
def _():
    if not DEVICE:
        return NO_DEVICE
    bright = tiff(words(lambda x, y: (x / 4, 0.5, 0.25), "<", "f"), bits=32, form=3)
    plain = tiff(words(lambda x, y: (x / 24, 0.5, 0.25), "<", "f"), bits=32, form=3)
    options = ("--mask", mask_for(W, H), "--model", PLAIN, "--seed", 1, "--grow", 0, "--feather", 0)
    for data, name, said in ((bright, "cut.png", True), (bright, "kept.tif", False), (plain, "in-range.png", False)):
        r = run("inpaint", write("bright.tif", data), TMP / name, *options)
        assert r.returncode == 0 and ("above 1" in r.stderr) == said, (name, r.stderr)
    r = run("inpaint", TMP / "kept.tif", TMP / "cut2.png", *options)
    assert r.returncode == 0 and "above 1" in r.stderr, r.stderr
    assert read_png(TMP / "cut2.png")[4][2:] == read_png(TMP / "cut.png")[4][2:]  # below the hole


# ---- folders and batches ----


@case("a folder goes on after files that fail, leaves what is no picture, and sums up")
def _():
    if not DEVICE:
        return NO_DEVICE
    for name, data in (
        ("a.png", chunked(2, 8, RGB_ROWS)),
        ("b.jpg", chunked(2, 8, RGB_ROWS)),
        ("c.jpg", JPEG[:300]),
        ("d.jpg", b""),
        ("e.gif", gif()),
        ("f.txt", b"notes\n"),
        ("g.jpg", JPEG),
        (".hidden.png", b""),
        ("h \u00e4 %d.png", chunked(2, 8, RGB_ROWS)),
    ):
        write("many/" + name, data)
    (TMP / "many" / "sub").mkdir()
    r = run("upscale", TMP / "many", TMP / "made", "--scale", 1)
    assert r.returncode == 1 and "5 done, 0 there already, 2 failed, 1 not pictures" in r.stderr, r.stderr
    assert sorted(p.name for p in (TMP / "made").iterdir()) == [
        "a.png",
        "b.jpg",
        "e.gif.png",
        "g.jpg",
        "h \u00e4 %d.png",
    ]
    assert (TMP / "made" / "b.jpg").read_bytes()[:2] == b"\xff\xd8"
    r = run("upscale", TMP / "many", TMP / "made", "--scale", 1)
    assert r.returncode == 1 and "0 done, 5 there already, 2 failed" in r.stderr, r.stderr


@case("a batch knows the files of a job with count > 1")
def _():
    if not DEVICE:
        return NO_DEVICE
    job = inpaint(write("rgb.png", chunked(2, 8, RGB_ROWS)), TMP / "twice.png", mask_for(W, H), count=2)
    path = write("count.jsonl", json.dumps(job).encode())
    assert "1 done, 0 there already" in run("batch", path).stderr
    assert (TMP / "twice-1.png").exists() and (TMP / "twice-2.png").exists() and not (TMP / "twice.png").exists()
    assert "0 done, 1 there already" in run("batch", path).stderr
    (TMP / "twice-2.png").unlink()
    assert "1 done, 0 there already" in run("batch", path).stderr


# ---- environments ----


@case("a home that cannot be written, no home, no TMPDIR, the C locale, odd names, closed output: the picture is made")
def _():
    if not DEVICE:
        return NO_DEVICE
    source, mask = write("rgb.png", chunked(2, 8, RGB_ROWS)), mask_for(W, H)
    job = ("inpaint", source, "--mask", mask, "--model", PLAIN)
    bare = {k: v for k, v in ENV.items() if not k.startswith("XDG_") and k not in ("SFUMATO_CACHE", "POCL_CACHE_DIR")}
    nowhere = dict(bare, HOME="/proc/nobody")
    for i, env in enumerate(
        (nowhere, {k: v for k, v in bare.items() if k != "HOME"}, dict(ENV, TMPDIR="/proc/none"), dict(ENV, LC_ALL="C"))
    ):
        out = TMP / f"env-{i}-\u00e4 %s\n.png"
        # Without a home all kernels are compiled anew: one of the enlargers has few.
        r = run("upscale", source, out, "--scale", 2, env=env) if i < 2 else run(*job, out, env=env)
        assert r.returncode == 0 and out.exists(), (i, r.stderr)
        assert env is not nowhere or "/proc/nobody" in r.stderr, r.stderr
    for closed in ("exec >&-", "exec 2>&-", "exec <&-", "exec >/dev/full"):
        out = TMP / "closed.png"
        out.unlink(missing_ok=True)
        r = subprocess.run(
            ["sh", "-c", closed + '; exec "$@"', "sh", SFUMATO, *job, out], capture_output=True, timeout=170, env=ENV
        )
        lost = closed == "exec >/dev/full"  # the picture is made, and what was to be printed is missed
        assert r.returncode == lost and read_png(out)[:2] == (W, H), (closed, r.returncode, r.stderr)
    latin = os.fsencode(TMP) + b"/caf\xe9.png"  # no UTF-8
    r = subprocess.run([SFUMATO, *job, latin, "--json"], capture_output=True, timeout=170, env=ENV)
    events = [json.loads(line.decode()) for line in r.stdout.splitlines()]
    assert r.returncode == 0 and os.path.exists(latin) and events[-1]["file"].endswith("caf\ufffd.png"), (
        r.returncode,
        r.stderr,
    )
    r = subprocess.run(
        [SFUMATO, "inpaint", "rgb.png", *job[2:], "--", "-odd.png"], capture_output=True, timeout=170, env=ENV, cwd=TMP
    )
    assert r.returncode == 0 and (TMP / "-odd.png").exists(), r.stderr


@case("output through links: the file at their end is written and they stay; loops and names too long are found before")
def _():
    if not DEVICE:
        return NO_DEVICE
    folder = TMP / "links"
    (folder / "there").mkdir(parents=True)
    source, mask = write("rgb.png", chunked(2, 8, RGB_ROWS)), mask_for(W, H)
    job = ("inpaint", source, "--mask", mask, "--model", PLAIN, "--seed", 1)
    (folder / "there" / "old.png").write_bytes(b"old")
    for name, to in (("a.png", "there/old.png"), ("b.png", "there/new.png"), ("c.png", "a.png"), ("d.png", "d.png")):
        (folder / name).symlink_to(to)
    for name, end in (("a.png", "old.png"), ("b.png", "new.png"), ("c.png", "old.png")):
        (folder / "there" / end).write_bytes(b"old") if name == "c.png" else None
        r = run(*job, folder / name)
        assert r.returncode == 0 and (folder / name).is_symlink(), (name, r.stderr)
        assert read_png(folder / "there" / end)[:2] == (W, H) and not (folder / "there" / end).is_symlink()
    fails(run(*job, folder / "d.png"), 2, "d.png cannot be written", "symbolic links")
    (folder / "e.png").symlink_to("gone/new.png")
    fails(run(*job, folder / "e.png"), 2, "e.png cannot be written", "gone")
    for more in ((folder / ("x" * 252 + ".png"),), (folder / ("x" * 249 + ".png"), "--count", 10)):
        r = run(*job, *more)
        assert r.returncode == 2 and "name too long" in r.stderr, (r.returncode, r.stderr[-300:])
    assert sorted(p.name for p in folder.iterdir()) == ["a.png", "b.png", "c.png", "d.png", "e.png", "there"]
    assert sorted(p.name for p in (folder / "there").iterdir()) == ["new.png", "old.png"]


@case("a model that becomes shorter while it is mapped: one sentence that names it, and no picture")
def _():
    if not DEVICE:
        return NO_DEVICE
    shutil.copytree(pathlib.Path(MODELS) / "sfumato-mini", TMP / "shrinking")
    unet = TMP / "shrinking" / "unet" / "diffusion_pytorch_model.safetensors"
    job = (
        "inpaint",
        png(TMP / "large.png", 256, 256, lambda x, y: (x, y, 0)),
        TMP / "never.png",
        "--model",
        TMP / "shrinking",
        "--mask",
        png(TMP / "large-hole.png", 256, 256, lambda x, y: (255 * (60 <= x < 200),), color=0),
    )
    p = at_step_2(
        *job, "--steps", 500, "--memory", "120M"
    )  # so little that weights are read from the file in every step
    os.truncate(unet, 1 << 20)
    _, said = p.communicate(timeout=100)
    assert (
        p.returncode == 1
        and "unet/diffusion_pytorch_model.safetensors became shorter" in said
        and "Traceback" not in said
    ), (p.returncode, said)
    # Of the same length, but with other weights: no picture either. One that is replaced stays mapped.
    sound = pathlib.Path(MODELS) / "sfumato-mini" / "unet" / "diffusion_pytorch_model.safetensors"
    for replace in (False, True):
        shutil.copy(sound, unet)
        out = TMP / "while-written.png"
        p = at_step_2(*job[:2], out, *job[3:], "--steps", 6)
        if replace:
            unet.rename(TMP / "moved.safetensors")
            unet.write_bytes(b"new")
        else:
            with unet.open("r+b") as f:
                f.seek(1 << 19)
                f.write(bytes(1 << 19))
        _, said = p.communicate(timeout=170)
        assert (p.returncode, out.exists(), "was written to" in said) == (
            (0, True, False) if replace else (1, False, True)
        ), (replace, p.returncode, said)
    # Between the look at the file and the copy it may still happen: then the kernel sends SIGBUS. LLVM in the driver
    # wants that signal, too.
    shutil.copy(sound, unet)
    p = at_step_2(*job, "--steps", 500)
    p.send_signal(signal.SIGBUS)
    _, said = p.communicate(timeout=100)
    assert p.returncode == 1 and "became shorter" in said and not (TMP / "never.png").exists(), (p.returncode, said)


@case("GEGL's folder for large pictures: another one if it cannot be written, and a sentence if it is full")
def _():
    if not DEVICE:
        return NO_DEVICE
    side = 512  # 3 MB as float, and GEGL keeps 1 MB
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    source = png(TMP / "wide.png", side, side, lambda x, y: (x & 255, y & 255, x * y & 255))
    hole = png(TMP / "wide-hole.png", side, side, lambda x, y: (255 * (400 <= x < 440 and 400 <= y < 440),), color=0)
    job = ("inpaint", source, TMP / "wide-out.png", "--mask", hole, "--steps", 1)
    small = dict(ENV, GEGL_CACHE_SIZE="1")
    small.pop("GEGL_SWAP", None)
    r = run(
        *job,
        env=dict(
            small,
            XDG_CACHE_HOME="/dev/null",
            SFUMATO_CACHE=str(cache / "sfumato/programs"),
            POCL_CACHE_DIR=str(cache / "pocl/kcache"),
        ),
    )
    assert r.returncode == 0, r.stderr
    before, after = read_png(source)[4], read_png(TMP / "wide-out.png")[4]
    changed = [
        (x, y)
        for y in range(side)
        if before[y] != after[y]
        for x in range(side)
        if before[y][3 * x : 3 * x + 3] != after[y][3 * x : 3 * x + 3]
    ]
    assert changed and all(360 < x < 480 and 360 < y < 480 for x, y in changed)
    (TMP / "wide-out.png").unlink()
    (TMP / "swap").mkdir()
    r = subprocess.run(
        [SFUMATO, *map(str, job)],
        capture_output=True,
        text=True,
        timeout=170,
        env=dict(small, GEGL_SWAP=str(TMP / "swap")),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400000, 400000)),
    )
    assert r.returncode == 1 and "swap: " in r.stderr and not (TMP / "wide-out.png").exists(), r.stderr


@case("a damaged picture as long as a disk is refused without reading all of it")
def _():
    if not DEVICE:
        return NO_DEVICE
    mask = png(TMP / "long-mask.png", 16, 16, lambda x, y: (255 * (x < 4),), color=0)
    for name, data, n_bytes, words in (
        ("cut.jpg", CMYK_JPEG[: len(CMYK_JPEG) // 2], 64 << 30, "pixels do not end"),
        ("long.bmp", bmp(), 64 << 30, "too many"),
        ("long.ppm", b"P3\n# ", 64 << 30, "Netpbm"),
        ("long.hdr", b"#?RADIANCE\n", 64 << 30, "Radiance"),
        ("long.webp", b"RIFF\0\0\0\0WEBP", 64 << 30, "WebP"),
    ):
        path = TMP / name
        path.write_bytes(data)
        os.truncate(path, n_bytes)  # no block of it exists
        r = run("inpaint", path, TMP / "long.png", "--mask", mask)
        path.unlink()
        fails(r, 2, words)
        assert not (TMP / "long.png").exists()


end()
