#!/usr/bin/env python3
"""What picture files tell beside their pixels: color profiles and numbers, EXIF, XMP, IPTC, the resolution. TAP.
picture-meta.py SFUMATO MODELS: MODELS holds sfumato-mini."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import itertools
import struct
import zlib

from command import NO_DEVICE, TMP, case, end, has_device, png, read_png, run
from picture_files import (
    H,
    JPEG,
    PLAIN,
    RGB_ROWS,
    W,
    WEBP,
    batch,
    chunked,
    color,
    differs,
    gray,
    inpaint,
    lines,
    mask_for,
    tiff,
    write,
)

DEVICE = has_device()


def app(marker, data):
    return struct.pack(">HH", 0xFF00 + marker, len(data) + 2) + data


def directory(entries, at, after=0):
    """One EXIF directory at the offset `at` (little-endian); entries: tag -> (type, count, value or bytes)."""
    table, more = b"", b""
    for tag, (kind, n, v) in sorted(entries.items()):
        body = v if isinstance(v, bytes) else struct.pack("<H" if kind == 3 else "<I", v)
        if len(body) > 4:
            place = at + 2 + 12 * len(entries) + 4 + len(more)
            more += body + bytes(len(body) & 1)
            body = struct.pack("<I", place)
        table += struct.pack("<HHI", tag, kind, n) + body.ljust(4, b"\0")
    return struct.pack("<H", len(entries)) + table + struct.pack("<I", after) + more


def exif(orientation=6, interop=b"R98\0", comment="old words, Steps: 20", maker=b""):
    words = b"UNICODE\0" + comment.encode("utf-16-be")
    sub = {0x9286: (7, len(words), words), 0xA002: (4, 1, W), 0xA003: (3, 1, H)}
    if maker:
        sub[0x927C] = (7, len(maker), maker)
    first = {0x010F: (2, 8, b"Cameras\0"), 0x0112: (3, 1, orientation), 0x8769: (4, 1, 0)}
    at_sub = 8 + len(directory(first, 8))
    first[0x8769] = (4, 1, at_sub)
    sub[0xA005] = (4, 1, 0)
    at_interop = at_sub + len(directory(sub, at_sub))
    sub[0xA005] = (4, 1, at_interop)
    third = directory({1: (2, 4, interop)}, at_interop)
    at_second = at_interop + len(third)
    small = {0x0201: (4, 1, 0), 0x0202: (4, 1, 9)}
    small[0x0201] = (4, 1, at_second + len(directory(small, at_second)))
    return (
        b"II*\0\x08\0\0\0"
        + directory(first, 8, at_second)
        + directory(sub, at_sub)
        + third
        + directory(small, at_second)
        + b"THUMBNAIL"
    )


def exif_value(data, tag):
    at = data.index(struct.pack("<H", tag))  # each occurs once in what exif() makes
    return struct.unpack("<I", data[at + 8 : at + 12])[0] & (0xFFFF if data[at + 2] == 3 else 0xFFFFFFFF)


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" dc:creator="Ada"/></x:xmpmeta>'
BLOCKS = (
    b"8BIM\x04\x0c\0\0"
    + struct.pack(">I", 5)
    + b"SMALL\0"
    + b"8BIM\x04\x04\0\0"
    + struct.pack(">I", 7)
    + b"\x1c\2\x50\0\2Jo\0"
    + b"8BIM\x07\xd0\4path\0"
    + struct.pack(">I", 2)
    + b"xy"
)


def with_meta(**more):
    """JPEG with EXIF, XMP, IPTC and 300 pixels an inch."""
    jfif = JPEG.index(b"JFIF\0") + 7
    plain = JPEG[:jfif] + b"\1" + struct.pack(">HH", 300, 300) + JPEG[jfif + 5 :]
    return (
        plain[:20]
        + app(0xE1, b"Exif\0\0" + exif(**more))
        + app(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)
        + app(0xED, b"Photoshop 3.0\0" + BLOCKS)
        + plain[20:]
    )


@case("EXIF, XMP, IPTC and the resolution are kept, but not how the picture stood, nor small copies of it")
def _():
    if not DEVICE:
        return NO_DEVICE
    source, names = write("meta.jpg", with_meta()), ("meta1.jpg", "meta1.png", "meta1.webp", "meta1.tif")
    errors, _ = batch({n: inpaint(source, TMP / n, mask_for(H, W)) for n in names})
    assert not any(errors.values()), errors
    errors, _ = batch(
        {n: inpaint(TMP / n, TMP / ("again-" + n), mask_for(H, W)) for n in names}
    )  # what was written is read
    assert not any(errors.values()), errors
    for n in names + tuple("again-" + n for n in names):
        data, kind = (TMP / n).read_bytes(), n.rsplit(".", 1)[1]
        for word in (b"THUMBNAIL", b"SMALL", "old words".encode("utf-16-be"), b'tiff:Orientation="6"'):
            assert word not in data, (n, word)
        if kind in ("jpg", "webp"):
            assert data.count("Seed: 3".encode("utf-16-be")) == 1, n  # of this run
        assert b'dc:creator="Ada"' in data and b'tiff:Orientation="1"' in data, n
        if kind == "tif":
            assert data.count(b"Cameras\0") >= 1 and data.count(b"\x1c\2\x50\0\2Jo") == 1, n
            assert struct.pack("<HHII", 0xA002, 4, 1, H) + struct.pack("<HHIHH", 0xA003, 3, 1, W, 0) in data, n
            assert data.count("Seed: 3".encode("utf-16-be")) == 1, n
        else:
            block = data[data.index(b"II*\0") :]
            assert block[:200].count(b"Cameras\0") == 1 and exif_value(block, 0x0112) == 1, n
            assert (exif_value(block, 0xA002), exif_value(block, 0xA003)) == (H, W), n  # it stands upright now
        if kind == "jpg":
            assert data[13:18] == b"\1" + struct.pack(">HH", 300, 300) and data.count(b"\x1c\2\x50\0\2Jo") == 1, n
        if kind == "png":
            assert data.count(b"zTXtRaw profile type iptc\0") == 1, n
            assert b"pHYs" + struct.pack(">IIB", 11811, 11811, 1) in data and read_png(TMP / n)[:2] == (H, W), n
        if kind == "tif":
            assert struct.pack("<f", 300) in data or struct.pack("<II", 300, 1) in data, n
    whole = ("--mask", mask_for(H, W), "--model", PLAIN, "--seed", 3)
    for n in ("new.jpg", "new.webp"):  # without any EXIF before, and read back where gexiv2 is there
        assert (
            run(
                "inpaint", TMP / "meta1.tif", TMP / n, "--mask", mask_for(H, W), "--model", PLAIN, "--seed", 77
            ).returncode
            == 0
        )
        assert (TMP / n).read_bytes().count("Seed: 77".encode("utf-16-be")) == 1, n
    for n in ("back.tif", "back.png"):  # from there into JPEG again
        assert run("inpaint", TMP / n.replace("back", "meta1"), TMP / (n + ".jpg"), *whole).returncode == 0, n
        data = (TMP / (n + ".jpg")).read_bytes()
        block = data[data.index(b"Exif\0\0") + 6 :]
        assert (exif_value(block, 0xA002), exif_value(block, 0xA003)) == (H, W) and b"Cameras\0" in data[:800], n
        assert data.count(b"\x1c\2\x50\0\2Jo") == 1, n
    own = write("own.jpg", with_meta(comment="A day in May"))
    assert run("inpaint", own, TMP / "own1.jpg", "--mask", mask_for(H, W), "--model", PLAIN).returncode == 0
    data = (TMP / "own1.jpg").read_bytes()
    assert "A day in May".encode("utf-16-be") in data and "Steps:".encode("utf-16-be") not in data
    r = run("upscale", source, TMP / "large-meta.jpg", "--scale", 2)
    data = (TMP / "large-meta.jpg").read_bytes()
    block = data[data.index(b"II*\0") :]
    assert r.returncode == 0 and (exif_value(block, 0xA002), exif_value(block, 0xA003)) == (2 * H, 2 * W), r.stderr


def big_tiff(order, place):
    """One strip of colors; EXIF of 40 bytes behind 8-byte places, whose type is `place` (BigTIFF, Adobe's design)."""
    u16, u32, u64 = order + "H", order + "I", order + "Q"

    def big_directory(entries, at):
        table, more = b"", b""
        for tag, kind, n, body in sorted(entries):
            if len(body) > 8:
                spot = at + 8 + 20 * len(entries) + 8 + len(more)
                more, body = more + body, struct.pack(u64, spot)
            table += struct.pack(order + "HHQ", tag, kind, n) + body.ljust(8, b"\0")
        return struct.pack(u64, len(entries)) + table + bytes(8) + more

    def of(tag, value, kind=3):
        return tag, kind, 1, struct.pack({3: u16, 4: u32, 16: u64, 18: u64, 13: u32}[kind], value)

    pixels = lines(color)
    sub = [(0x829A, 5, 1, struct.pack(order + "II", 1, 250)), (0x9286, 7, 18, b"ASCII\0\0\0of May Day")]
    sub += [(0x8827, 3, 1, struct.pack(u16, 400)), of(0xA002, W, 4)]
    at_sub = 16 + len(pixels)
    at = at_sub + len(big_directory(sub, at_sub))
    tags = [of(256, W), of(257, H), (258, 3, 3, struct.pack(order + "3H", 8, 8, 8)), of(259, 1), of(262, 2)]
    tags += [of(273, 16, 16), of(277, 3), of(278, H), of(279, len(pixels), 16), of(284, 1)]
    tags += [(0x010F, 2, 8, b"Cameras\0"), (0x0110, 2, 4, b"Ten\0"), of(0x8769, at_sub, place)]
    return (
        (b"II" if order == "<" else b"MM")
        + struct.pack(order + "HHHQ", 43, 8, 0, at)
        + pixels
        + big_directory(sub, at_sub)
        + big_directory(tags, at)
    )


@case("EXIF of BigTIFF files is kept, in the layout that EXIF has elsewhere")
def _():
    if not DEVICE:
        return NO_DEVICE
    for order, place in (("<", 18), (">", 16), ("<", 4), (">", 13)):
        source, out = write("big.tif", big_tiff(order, place)), TMP / "of-big.jpg"
        r = run("inpaint", source, out, "--mask", mask_for(W, H), "--model", PLAIN, "--seed", 3)
        assert r.returncode == 0, r.stderr
        data = out.read_bytes()
        block = data[data.index(b"Exif\0\0") + 6 :][:500]
        assert block[:4] == (b"II*\0" if order == "<" else b"MM\0*"), block[:8]
        tags = {}

        def read(at, block=block, order=order, tags=tags):
            for i in range(struct.unpack(order + "H", block[at : at + 2])[0]):
                tag, kind, n, value = struct.unpack(order + "HHII", block[at + 2 + 12 * i :][:12])
                tags[tag] = (kind, n, block[value:] if tag != 0x0110 else struct.pack(order + "I", value))
                if tag == 0x8769:
                    read(value)
                if kind == 3 or tag == 0xA002:
                    tags[tag] = value >> 16 if kind == 3 and order == ">" else value

        read(struct.unpack(order + "I", block[4:8])[0])
        assert tags[0x010F][2].startswith(b"Cameras\0") and tags[0x0110][2] == b"Ten\0", (order, place)
        assert tags[0x829A][2][:8] == struct.pack(order + "II", 1, 250) and tags[0x8827] == 400, (order, place)
        assert tags[0x9286][2].startswith(b"ASCII\0\0\0of May Day") and tags[0xA002] == W, (order, place)


@case("metadata that the new file has no room for are left out with a note; the parameters are written")
def _():
    if not DEVICE:
        return NO_DEVICE
    large = exif(maker=b"MAKER" * 20000, comment="")[: -len(b"THUMBNAIL")]
    near = exif(maker=b"MAKER" * 12800, comment="")
    deep = write("deep-meta.png", chunked(2, 8, RGB_ROWS, (b"eXIf", large)))
    for source, n, said, maker, parameters in (
        (deep, "jpg", "at most 64 KB", False, True),
        (deep, "png", None, True, True),
        (deep, "webp", None, True, True),
        (deep, "tif", None, True, True),
        (deep, "ppm", "holds no metadata", False, False),
        (
            write("near-meta.png", chunked(2, 8, RGB_ROWS, (b"eXIf", near))),
            "jpg",
            "no room for the parameters",
            True,
            False,
        ),
        (write("iptc.jpg", with_meta()), "webp", "no IPTC", False, True),
    ):
        w, h = (H, W)  # its orientation is 6
        out = TMP / f"room-{source.stem}.{n}"
        r = run("inpaint", source, out, "--mask", mask_for(w, h), "--model", PLAIN, "--seed", 31, "--prompt", "x" * 900)
        assert r.returncode == 0 and r.stderr.count("note:") == (said is not None), (n, r.stderr)
        assert said is None or said in r.stderr, (n, r.stderr)
        data = out.read_bytes()
        assert (b"MAKER" * 100 in data) == maker, n
        words = "parameters".encode() if n == "png" else "Seed: 31".encode("utf-16-be")
        assert (words in data) == parameters, n


@case("a WebP file without loss stays one: nothing changes outside the mask")
def _():
    if not DEVICE:
        return NO_DEVICE
    jobs = {
        "made": inpaint(write("sharp.webp", WEBP), TMP / "sharp1.webp", mask_for(W, H)),
        "read": inpaint(TMP / "sharp1.webp", TMP / "sharp2.png", mask_for(W, H)),
    }
    errors, _ = batch(jobs)
    assert not any(errors.values()), errors
    wrong = differs(read_png(TMP / "sharp2.png")[4], color, W, H, 0)
    assert not wrong and b"VP8L" in (TMP / "sharp1.webp").read_bytes()[:64], wrong


@case("a JPEG file of high quality is not written with less")
def _():
    if not DEVICE:
        return NO_DEVICE

    def steps(data):
        """The quantization tables of 8 bits: {number: 64 steps} (ITU T.81, B.2.4.1)."""
        at, found = 2, {}
        while data[at + 1] not in (0xDA, 0xD9):
            n = struct.unpack(">H", data[at + 2 : at + 4])[0]
            for k in range(at + 4, at + 2 + n, 65) if data[at + 1] == 0xDB else ():
                found[data[k]] = data[k + 1 : k + 65]
            at += 2 + n
        return found

    fine = JPEG
    for table in steps(JPEG).values():
        fine = fine.replace(table, bytes([2] * 64))
    jobs = {
        n: inpaint(write(f"{n}.jpg", data), TMP / f"{n}1.jpg", mask_for(W, H))
        for n, data in (("fine", fine), ("coarse", JPEG))
    }
    errors, _ = batch(jobs)
    assert not any(errors.values()), errors
    assert set(steps((TMP / "fine1.jpg").read_bytes()).values()) == {bytes([2] * 64)}
    assert all(
        sum(a) > sum(b) for a, b in zip(steps(JPEG).values(), steps((TMP / "coarse1.jpg").read_bytes()).values())
    )


def profile(space, *tags):
    """An ICC profile of these tags (ICC.1:2010): {name: data}."""
    table, data = b"", b""
    for name, body in tags:
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    n = 128 + 4 + len(table) + len(data)
    head = (
        struct.pack(">I4sI4s4s4s", n, b"none", 0x02400000, b"mntr", space, b"XYZ ")
        + bytes(12)
        + b"acsp"
        + bytes(28)
        + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    )
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def xyz(*v):
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * f) for f in v))


def curve(gamma):
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(256 * gamma))


GRAY_PROFILE = profile(b"GRAY", (b"wtpt", xyz(0.9642, 1, 0.8249)), (b"kTRC", curve(3)))
RGB_PROFILE = profile(
    b"RGB ",
    (b"wtpt", xyz(0.9642, 1, 0.8249)),
    (b"rXYZ", xyz(0.6097, 0.3111, 0.0195)),
    (b"gXYZ", xyz(0.2053, 0.6257, 0.0609)),
    (b"bXYZ", xyz(0.1492, 0.0632, 0.7446)),
    *((c + b"TRC", curve(2.2)) for c in (b"r", b"g", b"b")),
)


def iccp(data):
    return b"iCCP", b"x\0\0" + zlib.compress(data)


def icc_of(path):
    data = path.read_bytes()
    return (
        zlib.decompress(data.split(b"iCCP")[1].split(b"\0", 1)[1][1 : data.index(b"IDAT")]) if b"iCCP" in data else None
    )


@case(
    "profiles and color numbers: kept where they fit the pixels, left where they do not, refused where the numbers mean HDR"
)
def _():
    if not DEVICE:
        return NO_DEVICE
    numbers = {
        "p3": (12, 13, 0, 1),
        "srgb": (1, 13, 0, 1),
        "video": (1, 1, 0, 1),
        "unknown": (2, 2, 0, 1),
        "pq": (9, 16, 0, 1),
        "hlg": (9, 18, 0, 1),
        "narrow": (1, 13, 0, 0),
    }
    pictures = {
        "cicp-" + n: (chunked(2, 8, RGB_ROWS, (b"cICP", bytes(v)), (b"gAMA", struct.pack(">I", 100000))), color)
        for n, v in numbers.items()
    }
    at = RGB_PROFILE.index(b"wtpt") + 4  # the tag's data once more behind all, one byte further
    odd = bytearray(RGB_PROFILE + b"\0" + xyz(0.9642, 1, 0.8249) + bytes(3))
    odd[at : at + 4], odd[:4] = struct.pack(">I", len(RGB_PROFILE) + 1), struct.pack(">I", len(odd))
    damage = {
        "curve": RGB_PROFILE.replace(b"curv\0", b"curv\1"),
        "matrix": RGB_PROFILE.replace(xyz(0.2053, 0.6257, 0.0609), xyz(0, 0, 0)),
        "cut": RGB_PROFILE[:200],
        "space": RGB_PROFILE.replace(b"XYZ \0\0\0\0\0\0", b"XYZ?\0\0\0\0\0\0"),
        "tags": RGB_PROFILE[:128] + b"\xff" + RGB_PROFILE[129:],
        "kind": RGB_PROFILE.replace(b"mntr", b"link"),
        "connection": RGB_PROFILE[:20] + b"Luv " + RGB_PROFILE[24:],
        "empty": b"x",
    }
    pictures |= {"damaged-" + n: (tiff(lines(color), more=[(34675, 7, list(d))]), color) for n, d in damage.items()}
    pictures |= {
        "adobe": (with_meta(orientation=1, interop=b"R03\0"), None),
        "plain": (with_meta(orientation=1), None),
        "rgb-in-rgb": (tiff(lines(color), more=[(34675, 7, list(RGB_PROFILE))]), color),
        "gray-in-rgb": (tiff(lines(color), more=[(34675, 7, list(GRAY_PROFILE))]), color),
        "gray-in-gray": (tiff(lines(gray), kind=1, samples=1, more=[(34675, 7, list(GRAY_PROFILE))]), gray),
        "rgb-in-gray": (
            tiff(lines(gray), kind=1, samples=1, more=[(34675, 7, list(RGB_PROFILE))]),
            lambda x, y: gray(x, y) * 3,
        ),
        "odd-places": (tiff(lines(color), more=[(34675, 7, list(odd))]), color),
        "ink-in-rgb": (tiff(lines(color), more=[(34675, 7, list(RGB_PROFILE.replace(b"RGB ", b"CMYK")))]), color),
    }
    errors, r = batch(
        {
            n: inpaint(write(f"profiles/{n}", data), TMP / f"profile-{n}.png", mask_for(W, H))
            for n, (data, _) in pictures.items()
        }
    )
    for n, (_, pixel) in pictures.items():
        out, refused = TMP / f"profile-{n}.png", n in ("cicp-pq", "cicp-hlg", "cicp-narrow")
        assert bool(errors[n]) == refused and (not refused or "HDR" in errors[n] and not out.exists()), (n, errors[n])
        if not refused and pixel:
            wrong = differs(read_png(out)[4], pixel, W, H, 0)
            assert not wrong, (n, wrong)
    for n, profile_is in (
        ("rgb-in-rgb", RGB_PROFILE),
        ("gray-in-gray", GRAY_PROFILE),
        ("rgb-in-gray", RGB_PROFILE),
        ("gray-in-rgb", None),
        ("ink-in-rgb", None),
        ("cicp-srgb", None),
        ("cicp-video", None),
        ("cicp-unknown", None),
        ("plain", None),
    ):
        assert icc_of(TMP / f"profile-{n}.png") == profile_is, n
    assert r.stderr.count("damaged color profile") == len(damage) and all(
        icc_of(TMP / f"profile-damaged-{n}.png") is None for n in damage
    ), r.stderr[-900:]
    assert icc_of(TMP / "profile-odd-places.png") == bytes(odd)
    for n in ("cicp-p3", "adobe"):  # as a profile, which every program reads
        assert (icc_of(TMP / f"profile-{n}.png") or b"")[16:20] == b"RGB ", n
    adobe, plain = (read_png(TMP / f"profile-{n}.png")[4] for n in ("adobe", "plain"))
    assert all(adobe[y][6:] == plain[y][6:] for y in range(H))  # right of the hole
    animated = write("moving.png", chunked(2, 8, RGB_ROWS, (b"acTL", struct.pack(">II", 2, 0))))
    assert (
        "several frames"
        in run("inpaint", animated, TMP / "still.png", "--mask", mask_for(W, H), "--model", PLAIN).stderr
    )


def ink_profile():
    """A CMYK profile in Lab with two points a side (ICC.1:2022, 10.10: lut8Type)."""

    def tag(kind, data):
        return kind + bytes(4) + data + bytes(-len(data) % 4)

    one, white = 65536, struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    lut = b""
    for c, m, y, k in itertools.product((0, 1), repeat=4):
        light = max(20, 255 - 60 * c - 50 * m - 20 * y - 170 * k)
        a, b = (128, 128) if k else (128 - 45 * c + 70 * m - 5 * y, 128 - 50 * c - 5 * m + 90 * y)
        lut += bytes([light, a, b])
    table = bytes([4, 3, 2, 0]) + struct.pack(">9i", one, 0, 0, 0, one, 0, 0, 0, one) + bytes(range(256)) * 4 + lut
    tags = {
        b"desc": tag(b"desc", struct.pack(">I", 5) + b"inks\0" + bytes(78)),
        b"wtpt": tag(b"XYZ ", white),
        b"A2B0": tag(b"mft1", table + bytes(range(256)) * 3),
    }
    at, index = 132 + 12 * len(tags), struct.pack(">I", len(tags))
    for name, data in tags.items():
        index += name + struct.pack(">II", at, len(data))
        at += len(data)
    head = struct.pack(">III", at, 0, 0x02400000) + b"prtrCMYKLab " + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    return head + bytes(28) + white + bytes(48) + index + b"".join(tags.values())


# Inks of 0..255 and their sRGB, by Pillow 12.0's ImageCms (lcms 2.19) with ink_profile(): relative colorimetric, with
# BLACKPOINTCOMPENSATION and NOOPTIMIZE. Without NOOPTIMIZE lcms looks 8-bit colors up in a coarse table of its own,
# which is off by up to 42 where sRGB ends.
INKS = {
    (0, 0, 0, 0): (255, 255, 255),
    (255, 0, 0, 0): (0, 213, 255),
    (0, 255, 0, 0): (255, 138, 212),
    (0, 0, 255, 0): (255, 233, 0),
    (0, 0, 0, 255): (78, 78, 78),
    (100, 60, 20, 10): (188, 211, 238),
    (30, 200, 180, 40): (235, 134, 89),
    (128, 128, 128, 128): (81, 120, 134),
    (20, 40, 200, 5): (251, 216, 91),
}


@case("inks with a profile become the colors that lcms computes, with black point compensation")
def _():
    if not DEVICE:
        return NO_DEVICE
    inks = list(INKS)
    pixels = b"".join(bytes(inks[i % len(inks)]) for i in range(W * H))
    data = tiff(pixels, kind=5, samples=4, more=[(34675, 7, list(ink_profile()))])
    mask = png(TMP / "ink-mask.png", W, H, lambda x, y: (255 * (x == W - 1 and y == H - 1),), color=0)
    r = run("inpaint", write("inks.tif", data), TMP / "inks.png", "--mask", mask, "--grow", 0, "--feather", 0)
    assert r.returncode == 0, r.stderr
    rows = read_png(TMP / "inks.png")[4]
    for i in range(W * H // 2):  # 1: rounding
        x, ink = i % W, inks[i % len(inks)]
        got = tuple(rows[i // W][3 * x : 3 * x + 3])
        assert all(abs(a - b) <= 1 for a, b in zip(got, INKS[ink])), (ink, got, INKS[ink])


end()
