#!/usr/bin/env python3
"""Inputs as people have them, one line each: picture files (outside the mask Sfumato and Pillow see the same pixels),
masks, options, files of jobs, names. Pictures and masks are skipped without Pillow 11. TAP. inputs.py SFUMATO
MODELS: MODELS holds sfumato-mini."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import io
import json
import pathlib
import shutil
import struct
import subprocess
import warnings
import zlib

from command import ENV, MODELS, NO_DEVICE, SFUMATO, TMP, case, end, fails, has_device, png, read_png, run
from picture_files import HOLE, PLAIN, batch, exr, inpaint, light, mask_for, write
from picture_files import H as EXR_H
from picture_files import W as EXR_W

try:
    from PIL import Image, ImageCms, ImageOps
except ImportError:
    Image = None

DEVICE = has_device()
# Older ones do not turn TIFF files.
TOO_OLD = not Image or int(Image.__version__.split(".")[0]) < 11
MISSING = "no Pillow 11 or later" if TOO_OLD else None if DEVICE else NO_DEVICE
W, H = 37, 21  # odd on both sides, larger than a tile of TIFF


def color(x, y):
    return x * 6, y * 11, (x * 7 + y * 3) % 256, (x * 5 + y * 9) % 256


def picture(mode, w=W, h=H):
    """color() in one of Pillow's modes. 16 bits: the same with another low byte."""
    im = Image.new("RGBA", (w, h))
    im.putdata([color(x, y) for y in range(h) for x in range(w)])
    if mode == "I;16":
        deep = b"".join(struct.pack("<H", color(x, y)[2] * 257 ^ 0x35) for y in range(h) for x in range(w))
        return Image.frombytes("I;16", (w, h), deep)
    if mode == "F":
        im = Image.new("F", (w, h))
        im.putdata([color(x, y)[2] / 255 for y in range(h) for x in range(w)])
        return im
    if mode == "LA":
        return Image.merge("LA", (im.getchannel("B"), im.getchannel("A")))
    if mode == "P":
        return im.convert("RGB").quantize(17)
    if mode == "CMYK":
        return Image.merge("CMYK", im.split())
    return im.getchannel("B") if mode == "L" else im.convert("RGB").convert(mode) if mode != "RGBA" else im


def saved(kind, mode, **how):
    """Pillow's file of picture(mode); `more`: further frames as modes."""
    out = io.BytesIO()
    more = how.pop("more", None)
    if more:
        how.update(save_all=True, append_images=[ImageOps.invert(picture(m).convert("RGB")) for m in more])
    size = how.pop("size", (W, H))
    picture(mode, *size).save(out, kind, **how)
    return out.getvalue()


def turned(kind, orientation, mode="RGB", **how):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(kind, mode, exif=exif, **how)


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunk(data, *chunks, before=b"IDAT"):
    """A PNG with more chunks before its pixels."""
    at = data.index(before) - 4
    return data[:at] + b"".join(chunk(*c) for c in chunks) + data[at:]


def profile(space):
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()


def icc(space, *tags):
    """An ICC profile of these tags (ICC.1:2010, 7)."""
    table, data = b"", b""
    for name, body in tags:
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    n = 132 + len(table) + len(data)
    head = struct.pack(">I4sI4s4s4s", n, b"none", 0x02400000, b"mntr", space, b"XYZ ") + bytes(12) + b"acsp"
    head += bytes(28) + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def xyz(*v):
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * f) for f in v))


def rgb_profile(red, green, blue, curve):
    colors = zip((b"rXYZ", b"gXYZ", b"bXYZ"), (red, green, blue))
    curves = ((name, curve) for name in (b"rTRC", b"gTRC", b"bTRC"))
    return icc(b"RGB ", (b"wtpt", xyz(0.9642, 1, 0.8249)), *((n, xyz(*v)) for n, v in colors), *curves)


def gamma(v):
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(256 * v))


LINEAR = b"curv" + bytes(8)
OF_SRGB = (
    b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *(round(65536 * v) for v in (2.4, 0.9479, 0.0521, 0.0774, 0.04045)))
)
ADOBE = rgb_profile((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446), gamma(2.2))
P3 = rgb_profile((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841), OF_SRGB)
PROPHOTO = rgb_profile((0.7977, 0.2880, 0), (0.1352, 0.7119, 0), (0.0313, 0.0001, 0.8249), gamma(1.8))
LINEAR_SRGB = rgb_profile((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141), LINEAR)
GRAY_22 = icc(b"GRAY", (b"wtpt", xyz(0.9642, 1, 0.8249)), (b"kTRC", gamma(2.2)))
GRAY_LINEAR = icc(b"GRAY", (b"wtpt", xyz(0.9642, 1, 0.8249)), (b"kTRC", LINEAR))
PROFILES = {"adobe": ADOBE, "p3": P3, "prophoto": PROPHOTO, "linear": LINEAR_SRGB}
GRAYS = {"gray": GRAY_22, "gray-linear": GRAY_LINEAR}


# name, how its bytes are made, and the difference that is allowed of 255 (0: the same to the bit; None: it is read), or
# a word: Sfumato refuses it by a sentence with that word.
k = {"png": "PNG", "tif": "TIFF"}
PICTURES = [
    *((f"{m}.png", lambda m=m: saved("PNG", m), 0) for m in ("1", "L", "LA", "P", "I;16", "RGB", "RGBA")),
    *((f"orientation-{o}.png", lambda o=o: turned("PNG", o), 0) for o in range(1, 9)),
    *((f"orientation-{o}.jpg", lambda o=o: turned("JPEG", o, quality=95), 3) for o in range(1, 9)),
    *((f"orientation-{o}.webp", lambda o=o: turned("WEBP", o, lossless=True), 0) for o in range(1, 9)),
    *((f"orientation-{o}.tif", lambda o=o: saved("TIFF", "RGB", tiffinfo={274: o}), 0) for o in range(1, 9)),
    ("orientation-0.jpg", lambda: turned("JPEG", 0, quality=95), 3),
    ("orientation-9.png", lambda: turned("PNG", 9), 0),
    ("palette-alpha.png", lambda: saved("PNG", "P", transparency=bytes(range(0, 255, 15))), 0),
    ("palette-one-clear.png", lambda: saved("PNG", "P", transparency=3), 0),
    ("palette-bits.png", lambda: saved("PNG", "P", bits=8), 0),
    ("gray-one-clear.png", lambda: saved("PNG", "L", transparency=21), 0),
    ("rgb-one-clear.png", lambda: saved("PNG", "RGB", transparency=(12, 22, 20)), 0),
    ("bit-one-clear.png", lambda: with_chunk(saved("PNG", "1"), (b"tRNS", b"\0\1")), None),  # Pillow 11 calls it opaque
    ("rgb.jpg", lambda: saved("JPEG", "RGB", quality=95), 3),
    ("gray.jpg", lambda: saved("JPEG", "L", quality=95), 3),
    ("ink.jpg", lambda: saved("JPEG", "CMYK", quality=95), 3),
    ("progressive.jpg", lambda: saved("JPEG", "RGB", progressive=True, quality=95), 3),
    ("subsampled-422.jpg", lambda: saved("JPEG", "RGB", subsampling="4:2:2", quality=95), 3),
    ("subsampled-420.jpg", lambda: saved("JPEG", "RGB", subsampling="4:2:0", quality=95), 3),
    ("subsampled-411.jpg", lambda: saved("JPEG", "RGB", subsampling="4:1:1", quality=95), 3),
    ("poor.jpg", lambda: saved("JPEG", "RGB", quality=1), 3),
    ("best.jpg", lambda: saved("JPEG", "RGB", quality=100, subsampling=0), 3),
    ("restarts.jpg", lambda: saved("JPEG", "RGB", restart_marker_blocks=1, quality=95), 3),
    ("no-transform.jpg", lambda: saved("JPEG", "RGB", keep_rgb=True, quality=95), 3),
    ("two.mpo", lambda: saved("MPO", "RGB", more=["RGB"], quality=95), 3),
    *((f"{m}.tif", lambda m=m: saved("TIFF", m), 0) for m in ("1", "L", "LA", "P", "I;16", "F", "RGB", "RGBA")),
    ("rgbx.tif", lambda: saved("TIFF", "RGBX"), None),
    ("ink.tif", lambda: saved("TIFF", "CMYK"), 1),
    ("ycc.tif", lambda: saved("TIFF", "YCbCr"), 2),
    ("big.tif", lambda: saved("TIFF", "RGB", big_tiff=True), 0),
    ("pages.tif", lambda: saved("TIFF", "RGB", more=["RGB", "L"]), 0),
    *(
        (f"{c}-{m}.tif", lambda c=c, m=m: saved("TIFF", m, compression=c), 0)
        for c in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd", "lzma")
        for m in ("L", "RGB", "RGBA", "I;16", "P")
    ),
    *((f"{c}.tif", lambda c=c: saved("TIFF", "1", compression=c), 0) for c in ("group3", "group4", "tiff_ccitt")),
    ("jpeg-rgb.tif", lambda: saved("TIFF", "RGB", compression="jpeg", quality=95), 3),
    ("jpeg-gray.tif", lambda: saved("TIFF", "L", compression="jpeg", quality=95), 3),
    ("jpeg-ycc.tif", lambda: saved("TIFF", "YCbCr", compression="jpeg", quality=95), 4),
    ("predictor.tif", lambda: saved("TIFF", "RGB", compression="tiff_lzw", tiffinfo={317: 2}), 0),
    ("strips.tif", lambda: saved("TIFF", "RGB", compression="tiff_lzw", strip_size=W * 3), 0),
    *((f"{m}.webp", lambda m=m: saved("WEBP", m, lossless=True, exact=True), 0) for m in ("L", "RGB", "RGBA")),
    ("lossy.webp", lambda: saved("WEBP", "RGB", quality=90), 0),
    ("lossy-alpha.webp", lambda: saved("WEBP", "RGBA", quality=90), 0),
    ("moving.webp", lambda: saved("WEBP", "RGB", more=["RGB"], lossless=True), 0),
    *((f"{m}.gif", lambda m=m: saved("GIF", m), 0) for m in ("1", "L", "P")),
    ("clear.gif", lambda: saved("GIF", "P", transparency=3), 0),
    ("interlaced.gif", lambda: saved("GIF", "P", interlace=1), 0),
    ("moving.gif", lambda: saved("GIF", "P", more=["RGB"], loop=0, disposal=2), 0),
    *((f"{m}.bmp", lambda m=m: saved("BMP", m), 0) for m in ("1", "L", "P", "RGB", "RGBA")),
    ("1.pbm", lambda: saved("PPM", "1"), 0),
    ("L.pgm", lambda: saved("PPM", "L"), 0),
    ("deep.pgm", lambda: saved("PPM", "I;16"), 0),
    ("RGB.ppm", lambda: saved("PPM", "RGB"), 0),
    ("F.pfm", lambda: saved("PPM", "F"), None),
    *((f"{m}.tga", lambda m=m: saved("TGA", m), 0) for m in ("L", "LA", "P", "RGB", "RGBA")),
    *(
        (f"runs-{m}.tga", lambda m=m: saved("TGA", m, compression="tga_rle"), 0)
        for m in ("L", "LA", "P", "RGB", "RGBA")
    ),
    ("top.tga", lambda: saved("TGA", "RGB", orientation=1), 0),
    ("icon-bmp.ico", lambda: saved("ICO", "RGBA", size=(32, 32), sizes=[(32, 32)], bitmap_format="bmp"), 0),
    ("adobe.png", lambda: saved("PNG", "RGB", icc_profile=profile("sRGB")), 0),
    ("srgb.jpg", lambda: saved("JPEG", "RGB", icc_profile=profile("sRGB"), quality=95), 3),
    ("lab.tif", lambda: saved("TIFF", "LAB"), None),
    *((f"one.{e}", lambda k=k: saved(k, "RGB", size=(1, 1)), 3) for e, k in (("png", "PNG"), ("jpg", "JPEG"))),
    ("row.png", lambda: saved("PNG", "RGB", size=(500, 1)), 0),
    ("column.png", lambda: saved("PNG", "RGB", size=(1, 500)), 0),
    ("gamma.png", lambda: with_chunk(saved("PNG", "RGB"), (b"gAMA", struct.pack(">I", 55555))), 0),
    ("srgb-chunk.png", lambda: with_chunk(saved("PNG", "RGB"), (b"sRGB", b"\0")), 0),
    ("background.png", lambda: with_chunk(saved("PNG", "RGBA"), (b"bKGD", bytes(6))), 0),
    ("significant.png", lambda: with_chunk(saved("PNG", "RGB"), (b"sBIT", b"\5\6\5")), 0),
    ("unknown-chunk.png", lambda: with_chunk(saved("PNG", "RGB"), (b"vpAg", bytes(9))), 0),
    *(
        (f"{n}-{m}.{e}", lambda e=e, m=m, p=p: saved(k[e], m, icc_profile=p), 0)
        for n, p in PROFILES.items()
        for e, m in (("png", "RGB"), ("png", "RGBA"), ("tif", "RGB"), ("tif", "RGBA"))
    ),
    *(
        (f"{n}-{m}.{e}", lambda e=e, m=m, p=p: saved(k[e], m, icc_profile=p), 0)
        for n, p in GRAYS.items()
        for e, m in (("png", "L"), ("png", "LA"), ("png", "I;16"), ("tif", "L"), ("tif", "LA"))
    ),
    *((f"{n}.jpg", lambda p=p: saved("JPEG", "RGB", icc_profile=p, quality=95), 3) for n, p in PROFILES.items()),
    ("x.pcx", lambda: saved("PCX", "RGB"), "PCX"),
    ("x.sgi", lambda: saved("SGI", "RGB"), "SGI"),
    ("x.dds", lambda: saved("DDS", "RGB"), "DDS"),
    ("x.jp2", lambda: saved("JPEG2000", "RGB"), "JPEG 2000"),
    ("x.qoi", lambda: saved("QOI", "RGB"), "QOI"),
    ("x.pdf", lambda: saved("PDF", "RGB"), "PDF"),
    ("x.eps", lambda: saved("EPS", "RGB"), "PostScript"),
    ("x.psd", lambda: b"8BPS\0\1" + bytes(40), "Photoshop"),
    ("x.xcf", lambda: b"gimp xcf v011\0" + bytes(40), "GIMP"),
    ("x.kra", lambda: b"PK\3\4" + bytes(60), "Krita"),
    ("x.mp4", lambda: b"\0\0\0\x20ftypisom" + bytes(40), "video"),
    ("x.html", lambda: b"<!DOCTYPE html><title>404</title>", "web page"),
    ("empty.png", lambda: b"", "empty"),
]


def seen(path):
    """What Pillow sees, upright, as RGBA; 16 bits by their upper byte."""
    im = Image.open(path)
    im = ImageOps.exif_transpose(im)
    if im.mode.startswith("I"):
        deep = im.tobytes()
        im = Image.frombytes("L", im.size, deep[1::4] if im.mode == "I" else deep[im.mode != "I;16B" :: 2])
    elif im.mode == "F":
        im = im.point(lambda v: v * 255 + 0.5).convert("L")
    return im.convert("RGBA")


def difference(a, b, allowed):
    """The first pixel outside the hole that differs; clear ones have no color."""
    if a.size != b.size:
        return f"{a.size}, not {b.size}"
    pa, pb = a.load(), b.load()
    for y in range(a.height):
        for x in range(a.width):
            p, q = pa[x, y], pb[x, y]
            if (x > 1 or y > 1) and p != q and (p[3] or q[3]) and any(abs(m - n) > allowed for m, n in zip(p, q)):
                return f"at {x}, {y}: {p}, not {q}"
    return None


def inputs():
    """{name: its file}; what this Pillow cannot write is left out."""
    made = {}
    for name, make, _ in PICTURES:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made[name] = write("in/" + name, make())
        except Exception as e:
            print(f"# {name} is not made: {e!r}")
    return made


results = {}
if not MISSING:
    files = inputs()
    jobs = {}
    refused = {name for name, _, kind in PICTURES if isinstance(kind, str)}
    for n, f in list(files.items()):
        try:
            size = (W, H) if n in refused else seen(f).size
        except Exception as e:
            print(f"# {n} is left out: this Pillow does not read its own file: {e!r}")
            del files[n]
            continue
        jobs[n] = inpaint(f, TMP / f"of-{n}.png", mask_for(*size))
    results["errors"], results["r"] = batch(jobs)


@case("picture files as Pillow writes them: the same pixels outside the mask, and the profile kept byte for byte")
def _():
    if MISSING:
        return MISSING
    wrong = []
    for name, _, kind in PICTURES:
        if name not in files or isinstance(kind, str):
            continue
        problem, out = results["errors"][name], TMP / f"of-{name}.png"
        if not problem and kind is not None:
            problem = difference(seen(out), seen(files[name]), kind)
        if not problem and name.split("-")[0].split(".")[0] in ("adobe", "p3", "prophoto", "linear", "gray"):
            old, new = Image.open(files[name]).info.get("icc_profile"), Image.open(out).info.get("icc_profile")
            problem = None if old == new else f"another profile ({len(old or '')} and {len(new or '')} bytes)"
        if problem:
            wrong.append(f"{name}: {problem}")
    assert not wrong, "\n".join(wrong)


@case("picture files of other formats are refused by one sentence that names the format")
def _():
    if MISSING:
        return MISSING
    for name, _, word in PICTURES:
        if name in files and isinstance(word, str):
            error = results["errors"][name] or "it is read"
            assert word in error and str(files[name]) in error and "\n" not in error, (name, error)


# ---- masks: a square inside a picture of 64 x 48; the pixels that may change ----

MW, MH = 64, 48
SQUARE = (10, 5, 30, 15)


def square(mode="L", on=255, off=0, size=(MW, MH)):
    im = Image.new(mode, size, off)
    im.paste(on, tuple(v * s // (MW if i % 2 == 0 else MH) for i, (v, s) in enumerate(zip(SQUARE, size * 2))))
    return im


def table(colors, **how):
    im = square("P", 1, 0)
    im.putpalette(colors)
    return im, how


def oriented(o, im):
    exif = Image.Exif()
    exif[0x0112] = o
    return im, {"exif": exif}


# name, the mask (and how it is saved), what changes: the square (True), all (None), or a word of the refusal
MASKS = [
    ("gray.png", lambda: square(), True),
    ("color.png", lambda: square("RGB", (255, 255, 255), (0, 0, 0)), True),
    ("bit.png", lambda: square("1", 1, 0), True),
    ("bit.tif", lambda: (square("1", 1, 0), {"compression": "group4"}), True),
    ("bit.pbm", lambda: square("1", 1, 0), True),
    ("plain.bmp", lambda: square(), True),
    ("plain.gif", lambda: square(), True),
    ("deep.png", lambda: square("I;16", 65535, 0), True),
    ("float.tif", lambda: square("F", 1.0, 0.0), True),
    ("float-255.tif", lambda: square("F", 255.0, 0.0), True),
    ("table.png", lambda: table([0, 0, 0, 255, 255, 255]), True),
    ("table-clear.png", lambda: table([0, 0, 0, 255, 255, 255], transparency=0), True),
    ("classes.png", lambda: table([0, 0, 0, 128, 0, 0]), True),
    ("painted.png", lambda: square("RGBA", (255, 0, 0, 255), (0, 0, 0, 0)), True),
    ("black-on-clear.png", lambda: square("RGBA", (0, 0, 0, 255), (0, 0, 0, 0)), True),
    ("gray-alpha.png", lambda: square("LA", (255, 255), (0, 255)), True),
    ("magenta.png", lambda: square("RGB", (255, 0, 255), (0, 0, 0)), True),
    ("white.png", lambda: Image.new("L", (MW, MH), 255), None),
    ("double.png", lambda: square(size=(2 * MW, 2 * MH)).resize((2 * MW, 2 * MH)), True),
    ("black.png", lambda: Image.new("L", (MW, MH), 0), "empty"),
    ("ones.png", lambda: square("L", 1, 0), "brightest"),
    ("signed.tif", lambda: square("I", 65535, 0), "signed"),
    ("cut.png", lambda: square().crop((0, 0, 60, 48)), "another shape"),
    ("on-its-side.png", lambda: square().transpose(Image.Transpose.ROTATE_90), "another shape"),
    ("tagged.png", lambda: oriented(6, square().transpose(Image.Transpose.ROTATE_90)), True),
]
# The same for a picture that its file stores on its side, orientation 6: the mask may stand or lie.
TURNED_MASKS = [
    ("upright.png", lambda: square(), True),
    ("as-stored.png", lambda: square().transpose(Image.Transpose.ROTATE_90), True),
    ("tagged.png", lambda: oriented(6, square().transpose(Image.Transpose.ROTATE_90)), True),
    ("half-as-stored.png", lambda: square(size=(32, 24)).transpose(Image.Transpose.ROTATE_90), "another shape"),
]


def noise():
    return bytes((x * x * 31 + x * 7) % 251 for x in range(MW * MH * 3))


@case("masks change their own pixels and no other, or are refused by one sentence")
def _():
    if MISSING:
        return MISSING
    upright = Image.frombytes("RGB", (MW, MH), noise())
    upright.save(TMP / "upright-noise.png")
    lying, how = oriented(6, upright.transpose(Image.Transpose.ROTATE_90))
    lying.save(TMP / "lying-noise.png", **how)
    jobs, rows = {}, {}
    for picture_file, masks in (("upright-noise.png", MASKS), ("lying-noise.png", TURNED_MASKS)):
        for name, make, expected in masks:
            made = make()
            im, how = made if isinstance(made, tuple) else (made, {})
            path = TMP / f"mask-{picture_file[0]}-{name}"
            im.save(path, **how)
            key = f"{picture_file} {name}"
            jobs[key], rows[key] = inpaint(TMP / picture_file, TMP / f"masked-{len(jobs)}.png", path), expected
    errors, _ = batch(jobs)
    wrong, whole = [], upright.tobytes()
    for key, expected in rows.items():
        if isinstance(expected, str) or errors[key]:
            if not isinstance(expected, str) or expected not in (errors[key] or ""):
                wrong.append(f"{key}: {errors[key]}")
            continue
        got = Image.open(jobs[key]["out"]).convert("RGB").tobytes()
        changed = {(i // 3 % MW, i // 3 // MW) for i in range(len(whole)) if got[i : i + 1] != whole[i : i + 1]}
        x0, y0, x1, y1 = SQUARE
        allowed = {(x, y) for y in range(y0, y1) for x in range(x0, x1)}
        near = {(x + dx, y + dy) for x, y in allowed for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
        room = near if "double" in key else allowed
        if expected and not (len(changed) > len(allowed) * 0.9 and changed <= room):
            wrong.append(f"{key}: {len(changed)} pixels change, {len(changed - room)} outside")
        if expected is None and len(changed) < MW * MH * 0.9:
            wrong.append(f"{key}: only {len(changed)} pixels change")
    assert not wrong, "\n".join(wrong)


@case(
    "pixels of OpenEXR files without a number: the hole is repaired, no other pixel changes; an infinite mask is white"
)
def _():
    if not DEVICE:
        return NO_DEVICE
    inf, nan, jobs = float("inf"), float("nan"), {}

    def file(name, bad, at):
        values = exr(lambda x, y: {**light(x, y), **(bad if (x, y) == at else {})})
        return write(f"{name}.exr", values)

    for at in ((0, 0), (1, 1), (8, 8)):
        for name, bad in (("none", {}), ("inf", {"R": inf}), ("-inf", {"G": -inf}), ("nan", {"B": nan})):
            name = f"number-{name}-{at[0]}"
            jobs[name] = inpaint(file(name, bad, at), TMP / f"of-{name}.png", mask_for(EXR_W, EXR_H))
    for name, value in (("one", 1), ("inf", inf)):
        mask = write(f"mask-{name}.exr", exr(lambda x, y: dict.fromkeys("BGR", value if (x, y) in HOLE else 0)))
        jobs[name] = inpaint(TMP / "number-none-0.exr", TMP / f"of-mask-{name}.png", mask)
    errors, r = batch(jobs)
    assert not any(errors.values()), errors
    events = [json.loads(line) for line in r.stdout.splitlines()]
    notes = {name: e["note"] for name, job in jobs.items() for e in events if e.get("file") == job["out"]}
    rows = {name: read_png(pathlib.Path(job["out"]))[4] for name, job in jobs.items()}
    assert rows["one"] == rows["inf"] == rows["number-none-0"]
    for name, got in rows.items():
        clean = rows["number-none-0"]
        if name.endswith(("-0", "-1")):  # though a tiny hole is filled at a larger scale
            assert got == clean, name
        assert ("1 pixels of the picture are not numbers" in notes[name]) == ("number" in name and "none" not in name)
        changed = {
            (i // 3, y)
            for y in range(EXR_H)
            for i in range(3 * EXR_W)
            if got[y][i] != clean[y][i] and (i // 3, y) not in HOLE
        }
        assert changed <= {(8, 8)}, (name, changed)


# ---- options: arguments behind IN OUT, exit status, a word of what is said ----

UPSCALES = [
    *(([f"--scale={v}"], 2, "must lie between") for v in ("0", "-1", "nan", "inf", "-inf", "1e99", "16.1", "1e-3")),
    *(([f"--scale={v}"], 2, "must be a number") for v in ("2,0", "2x", "", "٢", "two")),
    *(([f"--scale={v}"], 0, "") for v in ("0x2", "+2", "2e0", ".5")),
    *(([f"--seed={v}"], 2, "seed") for v in ("-2", "nan", "9223372036854775808", "1.5", "1,000", "3=4")),
    *(([f"--memory={v}"], 2, "amount of memory") for v in ("0", "-1", "1e30", "nan", "2X")),
    *(([f"--depth={v}"], 2, "8, 16 or 32") for v in ("12", "08", "8.0")),
    (["--strength=1.1"], 2, "between 0 and 1"),
    (["--steps=2.5"], 2, "whole number"),
    (["--tta=maybe"], 2, "true or false"),
    (["--no-tta=true"], 2, "takes no value"),
    (["--no-seed"], 2, "unknown option"),
    (["--mask", "x.png"], 2, "does not apply"),
    (["--prompt"], 2, "needs a value"),
    (["--Scale", "2"], 2, "unknown option"),
    (["-s3"], 2, "unknown option"),
    (["--device", "nosuch"], 1, "no OpenCL device"),
    (["--precision", "fp64"], 2, "one of auto"),
    (["--scale", "3", "--scale", "2"], 0, ""),
    (["--prompt", "x"], 0, "has no use for these settings: Prompt."),
    (["--lora", "x"], 0, "has no use for these settings: LoRA."),
    (["--prompt="], 0, ""),
    (["--", "more"], 2, "usage"),
]


@case("options: numbers of every kind, units, switches, repetitions")
def _():
    if not DEVICE:
        return NO_DEVICE
    small = png(TMP / "small.png", 8, 6, lambda x, y: (x * 30, y * 40, 9))
    for args, status, word in UPSCALES:
        r = run("upscale", small, TMP / "o.png", *args)
        assert r.returncode == status and word in r.stderr, (args, r.returncode, r.stderr)
        assert status == 0 or r.stderr.count("\n") == 1, (args, r.stderr)


# ---- settings that a model has no use for ----

# All that can be given without a file; "" and zeros ask for nothing.
GIVEN = {
    **dict.fromkeys(("prompt", "negative", "text", "text_2", "text_embedding"), "x"),
    **{"lora": ["x"], "sampler": "lcm", "schedule": "karras", "rng": "philox", "style": "cinematic"},
    **{"guidance": 3, "guidance_rescale": 0.5, "eta": 0.5, "clip_skip": 2, "strength": 0.5, "refiner_start": 0.5},
    **dict.fromkeys(("original_width", "original_height", "crop_left", "crop_top"), 9),
    **{"aesthetic_score": 3, "negative_aesthetic_score": 3, "step_cache": 2, "preview_with": "linear", "tta": False},
}
NOT_USED = (
    "Prompt, Negative prompt, Style, Text encoder, Second text encoder, Refiner start, Text embedding, LoRA, Strength, "
    "Guidance, Guidance rescale, Sampler, Schedule, Eta, Clip skip, Original width, Original height, Crop left, "
    "Crop top, Aesthetic score, Negative aesthetic score, Noise source, %sStep cache, Preview with."
)


@case("settings that the model has no use for are named, all of them and no other")
def _():
    if not DEVICE:
        return NO_DEVICE
    png(TMP / "used.png", 12, 9, lambda x, y: (x * 20, y * 20, 9))
    hole = png(TMP / "used-mask.png", 12, 9, lambda x, y: (255 * (x < 3),), color=0)
    nothing = dict.fromkeys(("prompt", "negative", "text", "vae"), "") | dict.fromkeys(("clip_skip", "crop_left"), 0)
    jobs = {
        "fill": inpaint(TMP / "used.png", TMP / "used-1.png", hole, masked_content="noise", **GIVEN),
        "nothing": inpaint(TMP / "used.png", TMP / "used-2.png", hole, grow=2, background=1, **nothing),
        "network": {
            **{"task": "upscale", "in": str(TMP / "used.png"), "out": str(TMP / "used-3.png"), **GIVEN},
            **{"model": str(pathlib.Path(MODELS) / "sfumato-mini" / "enlarger" / "x2.safetensors")},
        },
    }
    errors, r = batch(jobs)
    assert not any(errors.values()), errors
    notes = {e["file"]: e["note"] for e in map(json.loads, r.stdout.splitlines()) if e["event"] == "result"}
    fill, nothing, network = (notes[job["out"]] for job in jobs.values())
    assert fill == f"{PLAIN} has no use for these settings: {NOT_USED % 'Start from, '}", fill
    assert nothing == "", nothing
    assert network.endswith(f"x2.safetensors has no use for these settings: {NOT_USED % ''}"), network


@case("what a picture says of its parameters makes the same picture again: every value that can be given")
def _():
    if not DEVICE:
        return NO_DEVICE
    png(TMP / "again.png", 40, 30, lambda x, y: (x * 6, y * 8, (x * y) % 256))
    hole = png(TMP / "again-mask.png", 40, 30, lambda x, y: (255 * (8 < x < 20 and 9 < y < 22),), color=0)
    kept = {k: v for k, v in GIVEN.items() if k not in ("text", "text_2", "text_embedding", "lora", "preview_with")}
    kept |= {"prompt": 'a (cat:1.2), "x": y\nSteps: 3, z', "negative": "dog, Seed: 4", "seed": 9007199254740995}
    fill = {"masked_content": "noise", "background": 1.5, "grow": 8, "feather": 3, "padding": 9, "context": 32}
    fill |= {"working_size": 64, "color_match": False, "refine": False, "show_mask": True, "keep_references": True}
    sides = {"left": 8, "right": 9, "top": 10, "bottom": 11, "tile": 64}
    jobs = {
        "inpaint": {"mask": str(hole), **kept, **fill},
        "outpaint": {**kept, **fill, **sides},
        "upscale": {**kept, "scale": 1.5, "noise_level": 33, "tta": True, "tile": 64},
    }
    for task, values in jobs.items():
        common = {"task": task, "in": str(TMP / "again.png"), "model": str(PLAIN)}
        common |= {"mask": str(hole)} if task == "inpaint" else {}
        first, second = TMP / f"again-{task}-1.png", TMP / f"again-{task}-2.png"
        errors, _ = batch({"1": {**common, **values, "out": str(first)}})
        assert not any(errors.values()), errors
        errors, _ = batch({"2": {**common, "out": str(second)}}, "--from", first)
        assert not any(errors.values()), errors
        old, new = read_png(first), read_png(second)
        assert old[4] == new[4] and old[5]["parameters"] == new[5]["parameters"], (task, old[5], new[5])
        for name in values.keys() - {"prompt", "negative", "style", "mask", "sampler", "tta", "preview_with"}:
            value = values[name]
            word = (
                {"philox": "NV", True: "1", False: "0"}.get(value, value) if isinstance(value, (str, bool)) else value
            )
            assert str(word).lower() in old[5]["parameters"].lower(), (task, name, old[5])


# ---- where results go: IN, OUT, exit status, a word; {} is a folder with a.png and the mask m.png ----

PLACES = [
    ("a.png", "{}", 2, "is a folder"),
    ("a.png", "noending", 2, "no ending"),
    ("a.png", "-", 2, "no ending"),
    ("a.png", "/dev/stdout", 2, "no ending"),
    ("a.png", "", 2, "no ending"),
    ("a.png", "x.gif", 2, "not a format that Sfumato writes"),
    ("a.png", "gone/x.png", 2, "No such file"),
    ("gone.png", "x.png", 2, "No such file"),
    ("/dev/null", "x.png", 2, "a pipe or a device"),
    ("{}", "{}", 2, "another folder"),
    ("{}", ".", 2, "another folder"),
    ("a.png", "%s%n.PNG", 0, ""),
    ("a.png", "new\nline.png", 0, ""),
    ("a.png", "a.png", 0, ""),
]


@case("where results go: folders, names without an ending, the input itself")
def _():
    if not DEVICE:
        return NO_DEVICE
    folder = TMP / "places"
    folder.mkdir()
    for in_, out, status, word in PLACES:
        png(folder / "a.png", 8, 6, lambda x, y: (x * 30, y * 40, 9))
        args = [a.replace("{}", str(folder)) for a in (in_, out)]
        args = [a if a in ("", "-") or a.startswith("/") else str(folder / a) for a in args]
        r = run("upscale", *args)
        assert r.returncode == status and word in r.stderr, (in_, out, r.returncode, r.stderr)
    same = TMP / "same-names"
    (same / "in").mkdir(parents=True)
    for name in ("e", "e.png"):
        png(same / "in" / name, 8, 6, lambda x, y: (x * 30, y * 40, 9))
    r = run("upscale", same / "in", same / "out")
    assert r.returncode == 1 and "as that of" in r.stderr and "1 done" in r.stderr, r.stderr


# ---- standard streams and limits: what a shell puts around `sfumato upscale hdr.pfm o.png`, exit status, a word ----

STREAMS = [
    ("{} <&-", 0, "clipped"),
    ("{} >&-", 0, "clipped"),
    ("{} 2>&-", 0, ""),
    ("{} <&- >&- 2>&-", 0, ""),
    ("{} >/dev/full", 1, "standard output cannot be written"),
    ("{} --json >/dev/full", 1, "standard output cannot be written"),
    ("{} --json | true", 0, ""),
    ("ulimit -f 2; {} --scale 8", 1, "File too large"),
    ("ulimit -n 8; {}", 1, "ulimit -n"),
    ("LC_ALL=tr_TR.UTF-8 {}", 0, "clipped"),
    ("unset HOME XDG_CACHE_HOME SFUMATO_CACHE POCL_CACHE_DIR; {}", 0, "clipped"),
    ("TMPDIR=/nonexistent {}", 0, "clipped"),
]


@case("standard streams that are closed or full, limits, environments: the same picture, or a sentence")
def _():
    if not DEVICE:
        return NO_DEVICE
    values = (struct.pack("<3f", x / 5 - 0.5, y / 4, 1.5) for y in range(6) for x in range(8))
    source = write("hdr.pfm", b"PF\n8 6\n-1.0\n" + b"".join(values))
    out, pictures = TMP / "streams.png", set()
    for around, status, word in STREAMS:
        out.unlink(missing_ok=True)
        command = f"'{SFUMATO}' upscale '{source}' '{out}' --seed 1"
        r = subprocess.run(["bash", "-c", around.format(command)], capture_output=True, text=True, env=ENV)
        assert r.returncode == status and word in r.stderr, (around, r.returncode, r.stderr)
        if status == 0:
            pictures.add(out.read_bytes())
    assert len(pictures) == 1


# ---- values below 0 and above 1: arguments of `sfumato`, the one note that is said; "": none ----

LOST = "models know no others"
KEPT_BY = "OpenEXR and TIFF with --depth 32 keep them"
RANGES = [
    (["upscale", "hdr.pfm", "o.png", "--scale", "2"], LOST),
    (["upscale", "hdr.pfm", "o.tif", "--scale", "2"], LOST),
    (["upscale", "hdr.pfm", "o.tif", "--scale", "2", "--depth", "8"], LOST),
    (["upscale", "hdr.pfm", "o.png", "--scale", "1"], KEPT_BY),
    (["upscale", "hdr.pfm", "o.exr", "--scale", "1"], ""),
    (["upscale", "ldr.pfm", "o.png", "--scale", "2"], ""),
    (["inpaint", "hdr.pfm", "o.png", "--mask", "m.png"], KEPT_BY),
    (["inpaint", "hdr.pfm", "o.exr", "--mask", "m.png"], ""),
]


@case("values below 0 and above 1: one note says what becomes of them, and only that format that keeps them is advised")
def _():
    if not DEVICE:
        return NO_DEVICE
    folder = TMP / "ranges"
    folder.mkdir()
    for name, low, high in (("hdr", -0.5, 1.5), ("ldr", 0, 1)):
        values = (
            struct.pack("<3f", low + (high - low) * x / 7, y / 5, (x + y) % 2) for y in range(6) for x in range(8)
        )
        (folder / f"{name}.pfm").write_bytes(b"PF\n8 6\n-1.0\n" + b"".join(values))
    png(folder / "m.png", 8, 6, lambda x, y: (255 * (x < 3),), color=0)
    for args, word in RANGES:
        r = run(*args, cwd=folder)
        said = [line for line in r.stderr.splitlines() if "values below 0 or above 1" in line]
        assert r.returncode == 0 and len(said) == bool(word) and all(word in s for s in said), (args, r.stderr)


# ---- files of jobs: the text, exit status, words; J is a job without its end ----

J = '{"task":"inpaint","in":"a.png","mask":"m.png",'
JOBS = [
    (J + '"out":"1.png"}\n', 0, "1 done"),
    ("\ufeff" + J + '"out":"1.png"}\r\n\r\n# c\r\n', 0, "1 done"),
    ("", 0, "0 done"),
    ("# nothing\n", 0, "0 done"),
    ("[" + J + '"out":"1.png"}]', 2, "a list begins here"),
    ("{\n" + J[1:] + '"out":"1.png"}\n', 2, "does not end here"),
    ("task,in,mask,out\ninpaint,a.png,m.png,1.png\n", 2, "this is not a job"),
    (J + '"out":"1.png"} more\n', 1, "behind the last one"),
    (J + '"out":"1.png",}\n', 1, "no JSON"),
    (J + '"out":"1.png","sede":3}\n', 1, "no parameter"),
    (J + '"out":"1.png","seed":3.5}\n', 1, "whole number"),
    (J + '"out":"1.png","seed":true}\n', 1, "must be a number"),
    (J + '"out":"1.png","prompt":5}\n', 1, "takes text"),
    (J + '"out":9}\n', 1, "text in quotes"),
    ('{"task":"inpaint","in":"a.png","out":"1.png"}\n', 1, "needs a mask"),
    ('{"task":"Inpaint","in":"a.png","out":"1.png"}\n', 1, 'a job needs "task"'),
    (J + '"out":"1.png"}\n' + J + '"out":"./1.png","seed":3}\n', 1, "also that of line 1"),
    (J + '"out":"1.png","count":2}\n' + J + '"out":"1-2.png","seed":3}\n', 1, "also that of line 1"),
    (J + '"out":"1.png"}\n' + J + '"out":"link/1.png","seed":3}\n', 1, "also that of line 1"),
    (J + '"out":"a.png"}\n', 1, "is the picture itself"),
    (J + '"out":"m.png"}\n', 1, "is the mask"),
    (J + '"out":"1.png"}\n{"task":"upscale","in":"1.png","out":"2.png","scale":2}\n', 0, "2 done"),
]


@case("files of jobs: marks, line ends, other forms, wrong types, results that meet")
def _():
    if not DEVICE:
        return NO_DEVICE
    for i, (text, status, word) in enumerate(JOBS):
        folder = TMP / f"jobs-{i}"
        folder.mkdir()
        (folder / "link").symlink_to(".")
        png(folder / "a.png", 12, 9, lambda x, y: (x * 20, y * 20, 9))
        mask = png(folder / "m.png", 12, 9, lambda x, y: (255 * (x < 3),), color=0)
        before = mask.read_bytes()
        (folder / "jobs.jsonl").write_bytes(text.encode())
        force = ["--force"] if "is the mask" in word else []
        r = run("batch", "jobs.jsonl", "--model", PLAIN, *force, cwd=folder)
        assert r.returncode == status and word in r.stderr, (text, r.returncode, r.stderr)
        assert mask.read_bytes() == before, text


@case("models are found by file, name, title and the catalogue's words; two that are meant are named, none is guessed")
def _():
    if not DEVICE:
        return NO_DEVICE
    small = png(TMP / "small.png", 8, 6, lambda x, y: (x * 30, y * 40, 9))
    mini, folder, out = pathlib.Path(MODELS) / "sfumato-mini", TMP / "named", TMP / "named.png"
    x2 = mini / "enlarger" / "x2.safetensors"
    (folder / "more").mkdir(parents=True)
    (TMP / "named-later").mkdir()
    for name in ("own", "twin-1", "twin-2"):
        shutil.copytree(mini, folder / name)
        index = (folder / name / "model_index.json").read_text()
        title = "Zwölf Farben" if name == "own" else "Twins"
        (folder / name / "model_index.json").write_text(index.replace('"name": "Sfumato mini"', f'"name": "{title}"'))
    for place in ("net.safetensors", "more/deep.safetensors", "more/x.safetensors", "x.safetensors"):
        shutil.copy(x2, folder / place)
    shutil.copy(
        mini / "model_index.json", TMP / "named-later" / "net.safetensors"
    )  # hidden by that of the first folder
    (folder / "link.safetensors").symlink_to("net.safetensors")
    models = [
        {"name": "box-2", "title": "Net From Far", "files": [{"path": "more/deep.safetensors"}, {"path": "gone"}]},
        {"name": "gone-3", "title": "Gone", "files": [{"path": "gone.safetensors"}]},
        {"name": "odd", "files": [7]},
        "odd",
    ]
    (folder / "catalogue.json").write_text(json.dumps({"version": 1, "models": models}))
    env = dict(ENV, SFUMATO_MODELS=f"{folder}:{TMP / 'named-later'}")
    wanted = run("upscale", small, out, "--model", x2, "--scale", 2, env=env) and read_png(out)[4]
    for name in ("net", "net.safetensors", "NET", "link", "deep", "box-2", "Net from far", "BOX-2"):
        r = run("upscale", small, out, "--model", name, "--scale", 2, env=env)
        assert r.returncode == 0 and read_png(out)[4] == wanted, (name, r.stderr)
    for name in ("Zwölf Farben", "ZWÖLF FARBEN", "own"):
        r = run("upscale", small, out, "--model", name, env=env)
        assert r.returncode == 0 and "own" in read_png(out)[5]["parameters"], (name, r.stderr)
        assert str(folder / "own") in run("inspect", name, env=env).stdout
    for name, *words in (
        ("twins", str(folder / "twin-1"), str(folder / "twin-2"), "by its path"),
        ("x", str(folder / "x.safetensors"), str(folder / "more" / "x.safetensors")),
        ("gone-3", "`sfumato models get gone-3`"),
        ("gone", "`sfumato models get gone-3`"),
        ("odd", "no model"),
        ("own2", "no model"),
    ):
        fails(run("upscale", small, out, "--model", name, env=env), 1, *words)
    fails(run("warm", "gone-3", env=env), 1, "`sfumato models get gone-3`")
    assert "`sfumato models get gone-3`" in run("bench", "--model", "gone-3", env=env).stderr
    fails(run("convert", "gone-3", TMP / "gone.gguf", "--type", "q8_0", env=env), 1, "`sfumato models get gone-3`")
    own = TMP / "of-own.png"
    assert run("upscale", small, own, "--model", "own", env=env).returncode == 0
    fails(run("upscale", small, out, "--from", own), 1, '"own"', str(own), "--model")
    assert run("upscale", small, out, "--from", own, "--model", mini).returncode == 0
    jobs = TMP / "from.jsonl"
    jobs.write_text(json.dumps({"task": "upscale", "in": str(small), "out": str(TMP / "never.png")}))
    r = run("batch", jobs, "--from", own)
    assert r.returncode == 1 and "--model chooses another" in r.stderr, r.stderr
    assert any(json.loads(s)["title"] == "Twins" for s in run("models", "--json", env=env).stdout.splitlines())


end()
