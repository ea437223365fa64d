"""Picture files made without any library, and the command run on many of them at once, for the tests of pictures."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import base64
import json
import pathlib
import shutil
import struct
import zlib

from command import MODELS, TMP, png, run

W, H = 24, 16
HOLE = {(x, y) for x in range(2) for y in range(2)}


def color(x, y):
    return x * 10, y * 15, (x * 7 + y * 3) % 256


def gray(x, y):
    return (x * 10,)


# color() as encoded by Pillow 10 (JPEG: quality 60; TURNED_JPEG: EXIF orientation 6; CMYK_JPEG: 16 x 16 of (200, 100,
# 50); WebP: lossless, ANIMATED_WEBP: two frames, the second inverted).
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNS"
    "Mj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P"
    "T0//wAARCAAQABgDASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQID"
    "AAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlq"
    "c3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3"
    "+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEI"
    "FEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImK"
    "kpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDj"
    "LfTuny1p2+ndPlrat9O6fLWnb6d0+WsKWJObB5j5mJb6d0+Wiutt9O6fLRXdHE6H0dLMfd3P/9k="
)
GRAY_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNS"
    "Mj5aYVpQYEpRUk//wAALCAAQABgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9"
    "AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZn"
    "aGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP0"
    "9fb3+Pn6/9oACAEBAAA/AOMt9O6fLWnb6d0+WtK307p8tWLfTuny1p2+ndPlrSt9O6fLX//Z"
)
TURNED_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAV"
    "ExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09P"
    "T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAAQABgDASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAA"
    "AAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRol"
    "JicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5"
    "usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREA"
    "AgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZH"
    "SElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX"
    "2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDjLfTuny1p2+ndPlrat9O6fLWnb6d0+WsKWJObB5j5mJb6d0+Wiutt9O6f"
    "LRXdHE6H0dLMfd3P/9k="
)
CMYK_JPEG = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoKCgYI"
    "CwwLCgwJCgoK/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMF"
    "BQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldY"
    "WVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn"
    "6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD9IK8Pr8x6/fyiiiiiiiiiiiiv/9k="
)
WEBP = base64.b64decode("UklGRiwAAABXRUJQVlA4TB8AAAAvF8ADALkKRPQ/dsWP6H9ASEB44P9jURyFOYgErroZAA==")
ANIMATED_WEBP = base64.b64decode(
    "UklGRjIBAABXRUJQVlA4WAoAAAACAAAAFwAADwAAQU5JTQYAAAAAAAAAAABBTk1GfgAAAAAAAAAAABcAAA8AAAAAAAJWUDhMZQAAAC8X"
    "wAMAzXQhov8BBW3bSGZw/OH+FwhiwaR7/qIZiAWTvvm7BhAK3LZRhseQ/UIBAAAAAAAAAIDxXWajhjUYO8emNHweWZbcd/63PYB8D3qi"
    "+nDrb/hTzN95XJjAZ2In/FyTXBQAAEFOTUaAAAAAAAAAAAAAFwAADwAAAAAAAFZQOExnAAAALxfAAwDNdCGi/wEFbRs55s/2EezRYyAW"
    "TDLIX3S3WDAJIH/XfaHAbRtlzDv4RS8AAAAAAAAAANC+fQwIaVuJceQSumq/xj3vS69zvI3nKd5UOETl1Pc9k/ctbD2eMvyS+O3XN8a/"
    "BQA="
)

# ---- small pictures without any library ----


def chunked(kind, bits, data, *more, lace=0, w=W, h=H):
    """A PNG of raw scanlines; more: chunks before IDAT."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, bits, kind, 0, 0, lace))
        + b"".join(chunk(n, b) for n, b in more)
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


def lines(pixel, w=W, h=H, before=b"", pad=1):
    """Rows of pixels, each with `before` in front of it, padded to a multiple of `pad` bytes."""
    out = b""
    for y in range(h):
        row = b"".join(bytes(pixel(x, y)) for x in range(w))
        out += before + row + bytes(-len(row) % pad)
    return out


def interlaced():
    """Adam7 (PNG specification, third edition, 8.2)."""
    data = b""
    for x0, y0, dx, dy in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        for y in range(y0, H, dy):
            data += b"\0" + b"".join(bytes(color(x, y)) for x in range(x0, W, dx))
    return chunked(2, 8, data, lace=1)


def palette_png(transparent=False):
    colors = [color(x, 0) for x in range(W)]
    more = [(b"PLTE", b"".join(map(bytes, colors)))] + ([(b"tRNS", b"\xff" * 5 + b"\x40")] if transparent else [])
    return chunked(3, 8, lines(lambda x, y: (x,), before=b"\0"), *more)


def bits_png():
    rows = b"".join(
        b"\0" + bytes(sum(1 << (7 - i) for i in range(8) if (8 * b + i) % 3 == 0) for b in range(W // 8))
        for y in range(H)
    )
    return chunked(0, 1, rows)


def bmp(bits=24):
    data = b"".join(b"".join(bytes(color(x, y)[::-1]) for x in range(W)) for y in reversed(range(H)))
    if bits == 8:
        data = b"".join(bytes(range(W)) for y in range(H))
    table = b"".join(bytes(v % 256 for v in color(x, 0)[::-1]) + b"\0" for x in range(256)) if bits == 8 else b""
    start = 54 + len(table)
    return (
        b"BM"
        + struct.pack("<IHHI", start + len(data), 0, 0, start)
        + struct.pack("<IiiHHIIiiII", 40, W, H, 1, bits, 0, len(data), 2835, 2835, 0, 0)
        + table
        + data
    )


def xbm():
    """The lowest bit of a byte is the leftmost pixel (X Window System, Xlib: file format of bitmaps)."""
    rows = ",\n".join("0x01, 0x02, 0x00" for y in range(H))
    return f"#define b_width {W}\n#define b_height {H}\nstatic unsigned char b_bits[] = {{\n{rows}}};\n".encode()


def gif():
    """LZW of 7-bit codes, with a clear code every 100 pixels so that they stay 8 bits wide."""
    codes, pixels = [], [x for y in range(H) for x in range(W)]
    for i in range(0, len(pixels), 100):
        codes += [128] + pixels[i : i + 100]
    data = bytes(codes + [129])
    table = b"".join(bytes(color(x, 0)) if x < W else bytes(3) for x in range(128))
    blocks = b"".join(bytes([len(data[i : i + 255])]) + data[i : i + 255] for i in range(0, len(data), 255))
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", W, H, 0xF6, 0, 0)
        + table
        + b","
        + struct.pack("<HHHHB", 0, 0, W, H, 0)
        + b"\x07"
        + blocks
        + b"\0;"
    )


def tiff(data, order="<", kind=2, bits=8, samples=3, form=1, more=(), tile=None, planes=1, counts=None, packing=1):
    """One picture; packing: its compression, which has been done. kind: photometric interpretation; form: 1 integers, 3
    floats (TIFF 6.0)."""
    counts = counts or [len(data)]
    tags = [
        (256, 3, [W]),
        (257, 3, [H]),
        (258, 3, [bits] * samples),
        (259, 3, [packing]),
        (262, 3, [kind]),
        (277, 3, [samples]),
        (284, 3, [planes]),
        (339, 3, [form] * samples),
        *more,
    ]
    blocks = [(322, 3, [tile]), (323, 3, [tile]), (325, 4, counts)] if tile else [(278, 3, [H]), (279, 4, counts)]
    tags += blocks + [(324 if tile else 273, 4, [0] * len(counts))]
    size = {3: 2, 4: 4, 7: 1}
    start = 8 + 2 + 12 * len(tags) + 4
    first = start + sum(len(v) * size[t] for _, t, v in tags if len(v) * size[t] > 4)  # of the pixels, which come last
    tags[-1] = (tags[-1][0], 4, [first + sum(counts[:i]) for i in range(len(counts))])
    extra, table = b"", b""
    for tag, type_, values in sorted(tags):
        body = struct.pack(order + {3: "H", 4: "I", 7: "B"}[type_] * len(values), *values)
        table += struct.pack(order + "HHI", tag, type_, len(values))
        if len(body) > 4:
            table += struct.pack(order + "I", start + len(extra))
            extra += body
        else:
            table += body.ljust(4, b"\0")
    return (
        (b"II*\0" if order == "<" else b"MM\0*")
        + struct.pack(order + "IH", 8, len(tags))
        + table
        + bytes(4)
        + extra
        + data
    )


def packed(x, y, k, bits):
    return (x * 377 + y * 1009 + k * 3001) % 2**bits


def packed_tiff(bits, samples, planes, order):
    """Samples bit behind bit, the highest first, each row to a whole byte (TIFF 6.0, section 3). Without a fourth
    sample: alpha."""

    def rows(of):
        out = b""
        for y in range(H):
            line = "".join(f"{packed(x, y, k, bits):0{bits}b}" for x in range(W) for k in of)
            line += "0" * (-len(line) % 8)
            out += int(line, 2).to_bytes(len(line) // 8, "big")
        return out

    parts = [rows([k]) for k in range(samples)] if planes == 2 else [rows(range(samples))]
    return tiff(
        b"".join(parts),
        order,
        kind=2 if samples > 1 else 1,
        bits=bits,
        samples=samples,
        planes=planes,
        counts=[len(p) for p in parts],
        more=[(338, 3, [2])] if samples == 4 else (),
    )


def tiled():
    return b"".join(
        bytes(color(x, y)) if x < W else bytes(3) for x0 in (0, 16) for y in range(16) for x in range(x0, x0 + 16)
    )


def words(pixel, order, code="H"):
    return b"".join(struct.pack(order + code * len(p), *p) for p in (pixel(x, y) for y in range(H) for x in range(W)))


def samples(bits, top):
    """A gray PNG whose samples are less than a byte: (x + y) % top."""
    each = 8 // bits
    return chunked(
        0,
        bits,
        b"".join(
            b"\0"
            + bytes(sum((x + k + y) % top << (8 - bits * (k + 1)) for k in range(each)) for x in range(0, W, each))
            for y in range(H)
        ),
    )


def dib(header, pixels, more=b""):
    """A BMP: the file's header, `header` with what it needs behind it, the pixels."""
    return (
        b"BM"
        + struct.pack("<IHHI", 14 + len(header + more + pixels), 0, 0, 14 + len(header + more))
        + header
        + more
        + pixels
    )


def info(bits, packing=0, h=H, size=40, masks=b""):
    return struct.pack("<IiiHHIIiiII", size, W, h, 1, bits, packing, 0, 2835, 2835, 0, 0) + masks.ljust(
        size - 40, b"\0"
    )


def bgr(h=range(H), more=b""):
    return b"".join(bytes(color(x, y)[::-1]) + more for y in h for x in range(W))


TABLE = b"".join(bytes(color(x, 0)[::-1]) + b"\0" if x < W else bytes(4) for x in range(256))
UP = range(H - 1, -1, -1)
RUNS = b"".join(bytes([4, 7, 0, W - 4]) + bytes(range(4, W)) + b"\0\0" for y in UP) + b"\0\1"
TURNED = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 274, 3, 1, 6, 0)  # EXIF: orientation 6


def srgb_to_light(v):
    return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4


def exr(pixel, names="BGR", kind="f", more=()):
    """Rows without compression, channels by name ("OpenEXR File Layout"); kind: e half, f float; pixel(x, y) -> {name:
    value}."""

    def attribute(name, type_, body):
        return name + b"\0" + type_ + b"\0" + struct.pack("<I", len(body)) + body

    channels = (
        b"".join(n.encode() + b"\0" + struct.pack("<IIii", {"e": 1, "f": 2}[kind], 0, 1, 1) for n in sorted(names))
        + b"\0"
    )
    box = struct.pack("<4i", 0, 0, W - 1, H - 1)
    head = (
        b"\x76\x2f\x31\x01\2\0\0\0"
        + b"".join(
            attribute(*a)
            for a in (
                (b"channels", b"chlist", channels),
                (b"compression", b"compression", b"\0"),
                (b"dataWindow", b"box2i", box),
                (b"displayWindow", b"box2i", box),
                (b"lineOrder", b"lineOrder", b"\0"),
                (b"pixelAspectRatio", b"float", struct.pack("<f", 1)),
                (b"screenWindowCenter", b"v2f", bytes(8)),
                (b"screenWindowWidth", b"float", struct.pack("<f", 1)),
                *more,
            )
        )
        + b"\0"
    )
    rows = [
        b"".join(struct.pack("<" + kind, pixel(x, y)[n]) for n in sorted(names) for x in range(W)) for y in range(H)
    ]
    places = [len(head) + 8 * H + y * (8 + len(rows[0])) for y in range(H)]
    return (
        head
        + struct.pack("<%dQ" % H, *places)
        + b"".join(struct.pack("<iI", y, len(r)) + r for y, r in enumerate(rows))
    )


def light(x, y):
    return dict(zip("RGB", (srgb_to_light(v / 255) for v in color(x, y))), Y=srgb_to_light(x * 10 / 255), A=1, Z=1e5)


def flat_hdr():
    return b"#?RGBE\nFORMAT=32-bit_rle_rgbe\n\n-Y 16 +X 24\n" + lines(lambda x, y: (100, 120, 140, 128))


def hdr():
    rows = b"".join(
        b"\2\2"
        + struct.pack(">H", W)
        + b"".join(bytes([128 + W, 100 + 20 * k]) for k in range(3))
        + bytes([128 + W, 128])
        for y in range(H)
    )
    return b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % (H, W) + rows


def lab(x, y):
    return 40 + x, (x - 12) * 2, (y - 8) * 3


def of_lab(x, y):
    """Lab of D50 to sRGB: CIE 15, the Bradford adaptation to D65 in the matrix."""
    v, a, b = lab(x, y)
    f = (v + 16) / 116
    light_of = [
        w * (t**3 if t > 6 / 29 else (t - 4 / 29) * 3 * (6 / 29) ** 2)
        for w, t in ((0.9642, f + a / 500), (1, f), (0.8249, f - b / 200))
    ]
    rows = ((3.1339, -1.6169, -0.4906), (-0.9788, 1.9161, 0.0335), (0.0719, -0.2290, 1.4052))
    return tuple(min(255, max(0, to_srgb(max(0, sum(m * c for m, c in zip(row, light_of)))))) for row in rows)


def to_srgb(v):
    return round(255 * (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055))


def deep(x, y):
    return x * 2500 + y, y * 4000 + x, (x * 1700 + y * 301) % 65536


def tga(kind, bits, descriptor, data, colors=b"", first=0):
    """TGA 2.0; descriptor: bits of alpha, 0x10 from the right, 0x20 from the top."""
    n = len(colors) // 3
    head = (0, n > 0, kind, first, n, 24 if n else 0, 0, 0, W, H, bits, descriptor)
    return struct.pack("<BBBHHBHHHHBB", *head) + colors + data


RGB_ROWS = lines(color, before=b"\0")
TABLE_24 = b"".join(bytes(color(x, 0)[::-1]) for x in range(W))
PAM = b"P7\nWIDTH 24\nHEIGHT 16\nDEPTH %d\nMAXVAL 255\nTUPLTYPE %s\nENDHDR\n"
RAW_EXIF = b"\nexif\n%8d\n%s\n" % (6 + len(TURNED), (b"Exif\0\0" + TURNED).hex().encode())  # ImageMagick's
SRGB = (
    31270,
    32900,
    64000,
    33000,
    30000,
    60000,
    15000,
    6000,
)  # as ImageMagick writes it: white, red, green, blue, x and y
# name, bytes, what its pixels are (a function, or none: only that it can be read), tolerance, size, may its end be
# missing unnoticed?
GOOD = [
    ("rgb.png", chunked(2, 8, RGB_ROWS), color),
    ("interlaced.png", interlaced(), color),
    ("palette.png", palette_png(), lambda x, y: color(x, 0)),
    ("see-through.png", palette_png(True), lambda x, y: color(x, 0) + (0x40 if x == 5 else 255,)),
    ("bits.png", bits_png(), lambda x, y: (255 * (x % 3 == 0),)),
    (
        "deep.png",
        chunked(2, 16, b"".join(b"\0" + b"".join(struct.pack(">3H", *deep(x, y)) for x in range(W)) for y in range(H))),
        deep,
    ),
    ("color.jpg", JPEG, color, 24),
    ("gray.jpg", GRAY_JPEG, None),
    ("turned.jpg", TURNED_JPEG, lambda x, y: color(y, H - 1 - x), 24, (H, W)),
    ("ink.jpg", CMYK_JPEG, lambda x, y: (200, 100, 50), 2, (16, 16)),
    ("still.webp", WEBP, color),
    ("moving.webp", ANIMATED_WEBP, lambda x, y: color(x, y) + (255,)),
    ("rgb.tif", tiff(lines(color)), color),
    ("big-endian.tif", tiff(lines(color), ">"), color),
    ("turned.tif", tiff(lines(color), more=[(274, 3, [6])]), lambda x, y: color(y, H - 1 - x), 0, (H, W)),
    ("deep.tif", tiff(words(deep, "<"), bits=16), deep),
    ("deep-big-endian.tif", tiff(words(deep, ">"), ">", bits=16), deep),
    ("white-is-zero.tif", tiff(lines(gray), kind=0, samples=1), lambda x, y: (255 - x * 10,)),
    (
        "alpha.tif",
        tiff(lines(lambda x, y: color(x, y) + (x * 10,)), samples=4, more=[(338, 3, [2])]),
        lambda x, y: color(x, y) + (x * 10,),
    ),
    (
        "planes.tif",
        tiff(
            b"".join(bytes(color(x, y)[k] for y in range(H) for x in range(W)) for k in range(3)),
            planes=2,
            counts=[W * H] * 3,
        ),
        color,
    ),
    *(
        (
            f"bits-{bits}-{samples}-{planes}-{order == '<'}.tif",
            packed_tiff(bits, samples, planes, order),
            lambda x, y, bits=bits, samples=samples: tuple(
                (packed(x, y, k, bits) * 65535 + (2**bits - 1) // 2) // (2**bits - 1) for k in range(samples)
            ),
        )
        for bits in (9, 10, 12, 14, 15)
        for samples, planes, order in ((1, 1, "<"), (3, 1, ">"), (3, 2, "<"), (4, 1, "<"))
    ),
    ("tiles.tif", tiff(tiled(), tile=16, counts=[768, 768]), color),
    ("ink.tif", tiff(lines(lambda x, y: (0, 128, 191, 55)), kind=5, samples=4), lambda x, y: (200, 100, 50), 1),
    (
        "floats.tif",
        tiff(words(lambda x, y: tuple(v / 255 for v in color(x, y)), "<", "f"), bits=32, form=3),
        lambda x, y: tuple(v * 257 for v in color(x, y)),
        1,
    ),
    (
        "table.tif",
        tiff(
            lines(lambda x, y: (x,)),
            kind=3,
            samples=1,
            more=[(320, 3, [color(i, 0)[k] * 257 if i < W else 0 for k in range(3) for i in range(256)])],
        ),
        lambda x, y: color(x, 0),
    ),
    ("rgb.ppm", b"P6\n# a comment\n24 16\n255\n" + lines(color), color),
    (
        "letters.ppm",
        b"P3 24 16 255\n" + b" ".join(b"%d %d %d" % color(x, y) for y in range(H) for x in range(W)) + b"\n",
        color,
    ),
    ("deep.ppm", b"P6\n24 16\n65535\n" + words(deep, ">"), deep),
    ("five.pgm", b"P5\n24 16\n5\n" + lines(lambda x, y: (x % 6,)), lambda x, y: (x % 6 * 51,)),
    ("bits.pbm", b"P4\n24 16\n" + b"\x80\0\0" * H, lambda x, y: (0 if x == 0 else 255,)),
    (
        "alpha.pam",
        b"P7\nWIDTH 24\nHEIGHT 16\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
        + lines(lambda x, y: color(x, y) + (x * 10,)),
        lambda x, y: color(x, y) + (x * 10,),
    ),
    ("floats.pfm", b"PF\n24 16\n-1.0\n" + words(lambda x, y: (0.25, 0.5, 1), "<", "f"), None),
    (
        "gray-and-alpha.png",
        chunked(4, 8, lines(lambda x, y: (x * 10, y * 9), before=b"\0")),
        lambda x, y: (x * 10, y * 9),
    ),
    ("two-bits.png", samples(2, 4), lambda x, y: ((x + y) % 4 * 85,)),
    ("four-bits.png", samples(4, 16), lambda x, y: ((x + y) % 16 * 17,)),
    (
        "one-gray-clear.png",
        chunked(0, 8, lines(gray, before=b"\0"), (b"tRNS", b"\0\x32")),
        lambda x, y: (x * 10, 0 if x == 5 else 255),
    ),
    (
        "one-deep-clear.png",
        chunked(
            2,
            16,
            b"".join(b"\0" + b"".join(struct.pack(">3H", *deep(x, y)) for x in range(W)) for y in range(H)),
            (b"tRNS", struct.pack(">3H", *deep(5, 3))),
        ),
        lambda x, y: deep(x, y) + (0 if (x, y) == (5, 3) else 65535,),
    ),
    ("linear.png", chunked(2, 8, RGB_ROWS, (b"gAMA", struct.pack(">I", 100000))), color),
    ("no-primaries.png", chunked(2, 8, RGB_ROWS, (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", bytes(32))), color),
    (
        "srgb-by-numbers.png",
        chunked(
            0, 8, lines(gray, before=b"\0"), (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", struct.pack(">8I", *SRGB))
        ),
        gray,
    ),
    ("broken-profile.png", chunked(2, 8, RGB_ROWS, (b"iCCP", b"x\0\0" + zlib.compress(b"garbage" * 30))), color),
    ("turned.png", chunked(2, 8, RGB_ROWS, (b"eXIf", TURNED)), lambda x, y: color(y, H - 1 - x), 0, (H, W)),
    (
        "half.tif",
        tiff(words(lambda x, y: tuple(v / 255 for v in color(x, y)), "<", "e"), bits=16, form=3),
        lambda x, y: tuple(v * 257 for v in color(x, y)),
        40,
    ),
    (
        "double.tif",
        tiff(words(lambda x, y: tuple(v / 255 for v in color(x, y)), "<", "d"), bits=64, form=3),
        lambda x, y: tuple(v * 257 for v in color(x, y)),
        1,
    ),
    (
        "white-is-zero-floats.tif",
        tiff(words(lambda x, y: (x / 25,), "<", "f"), kind=0, bits=32, samples=1, form=3),
        lambda x, y: (65535 - round(x * 65535 / 25),),
        1,
    ),
    (
        "gray-and-alpha.tif",
        tiff(lines(lambda x, y: (x * 10, y * 9)), kind=1, samples=2, more=[(338, 3, [2])]),
        lambda x, y: (x * 10, y * 9),
    ),
    (
        "two-extra.tif",
        tiff(lines(lambda x, y: color(x, y) + (x * 10, 7)), samples=5, more=[(338, 3, [2, 0])]),
        lambda x, y: color(x, y) + (x * 10,),
    ),
    (
        "see-through-ink.tif",
        tiff(lines(lambda x, y: (0, 128, 191, 55, x * 10)), kind=5, samples=5, more=[(338, 3, [2])]),
        lambda x, y: (200, 100, 50, x * 10),
        1,
    ),
    (
        "five-inks.tif",
        tiff(lines(lambda x, y: (0, 128, 191, 55, x * 10)), kind=5, samples=5, more=[(338, 3, [0])]),
        lambda x, y: (200, 100, 50),
        1,
    ),
    (
        "lab.tif",
        tiff(lines(lambda x, y: (round(lab(x, y)[0] * 2.55), lab(x, y)[1] % 256, lab(x, y)[2] % 256)), kind=8),
        of_lab,
        4,
    ),
    (
        "icc-lab.tif",
        tiff(lines(lambda x, y: (round(lab(x, y)[0] * 2.55), lab(x, y)[1] + 128, lab(x, y)[2] + 128)), kind=9),
        of_lab,
        4,
    ),
    (
        "deep-lab.tif",
        tiff(
            words(
                lambda x, y: (round(lab(x, y)[0] * 655.35), lab(x, y)[1] * 256 % 65536, lab(x, y)[2] * 256 % 65536), "<"
            ),
            kind=8,
            bits=16,
        ),
        lambda x, y: tuple(v * 257 for v in of_lab(x, y)),
        500,
    ),
    (
        "deep-ink.tif",
        tiff(words(lambda x, y: (0, 128 * 257, 191 * 257, 55 * 257), "<"), kind=5, bits=16, samples=4),
        lambda x, y: tuple(round(65535 * (1 - c / 255) * 200 / 255) for c in (0, 128, 191)),
        2,
    ),
    ("packed.tif", tiff(zlib.compress(lines(color)), packing=8), color),
    (
        "gray-and-alpha.pam",
        b"P7\nWIDTH 24\nHEIGHT 16\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n"
        + lines(lambda x, y: (x * 10, y * 9)),
        lambda x, y: (x * 10, y * 9),
    ),
    ("deep.pam", b"P7\nWIDTH 24\nHEIGHT 16\nDEPTH 3\nMAXVAL 65535\nTUPLTYPE RGB\nENDHDR\n" + words(deep, ">"), deep),
    (
        "thousand.pgm",
        b"P2 24 16 # wide\n# deep\n 1000\n" + b" ".join(b"%d" % (x * 40) for y in range(H) for x in range(W)) + b"\n",
        lambda x, y: (round(x * 40 * 65535 / 1000),),
        1,
    ),
    ("rgb.exr", exr(light), lambda x, y: tuple(v * 257 for v in color(x, y)), 1),
    ("half.exr", exr(light, kind="e"), lambda x, y: tuple(v * 257 for v in color(x, y)), 40),
    ("gray.exr", exr(light, "Y"), lambda x, y: (x * 2570,), 1),
    ("depth-too.exr", exr(light, "RGBZ"), lambda x, y: tuple(v * 257 for v in color(x, y)), 1),
    ("light.hdr", hdr(), None),
    ("flat.hdr", flat_hdr(), None),
    ("top-down.bmp", dib(info(24, h=-H), bgr()), color),
    ("old.bmp", dib(struct.pack("<IHHHH", 12, W, H, 1, 24), bgr(UP)), color),
    ("spare-byte.bmp", dib(info(32), bgr(UP, b"\0")), color),
    (
        "alpha.bmp",
        dib(info(32, 3, size=124, masks=struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)), bgr(UP, b"\x50")),
        lambda x, y: color(x, y) + (80,),
    ),
    (
        "words.bmp",
        dib(
            info(16, 3),
            b"".join(struct.pack("<H", (x & 31) << 11 | (y & 63) << 5 | 9) for y in UP for x in range(W)),
            struct.pack("<3I", 0xF800, 0x7E0, 0x1F),
        ),
        lambda x, y: (round(x * 255 / 31), round(y * 255 / 63), round(9 * 255 / 31)),
        1,
    ),
    ("runs.bmp", dib(info(8, 1), RUNS, TABLE), lambda x, y: color(7 if x < 4 else x, 0)),
    ("rgb.bmp", bmp(), color),
    ("palette.bmp", bmp(8), lambda x, y: color(x, 0)),
    ("up.tga", tga(2, 24, 0, bgr(UP)), color),
    ("from-the-right.tga", tga(2, 24, 0x30, lines(lambda x, y: color(W - 1 - x, y)[::-1])), color),
    ("spare-byte.tga", tga(2, 32, 0x20, bgr(more=b"\x50")), color),
    ("alpha.tga", tga(2, 32, 0x28, bgr(more=b"\x50")), lambda x, y: color(x, y) + (80,)),
    ("alpha-never-set.tga", tga(2, 32, 0x28, bgr(more=b"\0")), color),
    ("gray.tga", tga(3, 8, 0x20, lines(gray)), gray),
    ("palette.tga", tga(1, 8, 0x20, lines(lambda x, y: (x + 5,)), TABLE_24, 5), lambda x, y: color(x, 0)),
    (
        "runs.tga",
        tga(10, 24, 0x20, b"".join(b"\x97" + bytes(color(9, y)[::-1]) for y in range(H))),
        lambda x, y: color(9, y),
    ),
    ("ink.pam", PAM % (4, b"CMYK") + lines(lambda x, y: (0, 128, 191, 55)), lambda x, y: (200, 100, 50), 1),
    ("no-last-line.pgm", b"P2 24 16 255\n" + b" ".join(b"%d" % (x * 10) for y in range(H) for x in range(W)), gray),
    (
        "turned-by-text.png",
        chunked(2, 8, RGB_ROWS, (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(RAW_EXIF))),
        lambda x, y: color(y, H - 1 - x),
        0,
        (H, W),
    ),
    (
        "float-ink.tif",
        tiff(words(lambda x, y: (0, 128 / 255, 191 / 255, 55 / 255), "<", "f"), kind=5, bits=32, samples=4, form=3),
        lambda x, y: tuple(round(65535 * (1 - c / 255) * 200 / 255) for c in (0, 128, 191)),
        2,
    ),
    (
        "eight-bands.tif",
        tiff(lines(lambda x, y: (x * 10,) + (9,) * 7), kind=1, samples=8, more=[(338, 3, [0] * 7)]),
        gray,
    ),
    ("palette.gif", gif(), lambda x, y: color(x, 0)),
]
# Their pixels are there: gdk-pixbuf takes such a GIF for whole, runs need no mark at their end, and a number may end
# with the file.
LENIENT = {"palette.gif", "runs.bmp", "letters.ppm", "no-last-line.pgm", "thousand.pgm"}
NOT_COLORS = [
    ("flow.pam", PAM % (3, b"FLOW") + lines(color)),
    ("signed.tif", tiff(words(lambda x, y: deep(x, y)[:1], "<"), kind=1, bits=16, samples=1, form=2)),
    ("complex.tif", tiff(words(lambda x, y: (1, 0), "<", "f"), kind=1, bits=64, samples=1, form=6)),
    ("layer.exr", exr(lambda x, y: {"a.R": 1, "a.G": 1, "a.B": 1}, ["a.R", "a.G", "a.B"])),
    ("depth.exr", exr(light, "Z")),
    ("turned.hdr", flat_hdr().replace(b"-Y", b"+Y")),
    ("xyz.hdr", flat_hdr().replace(b"rle_rgbe", b"rle_xyze")),
]


def write(name, data):
    path = TMP / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def mask_for(w, h):
    path = TMP / f"hole-{w}x{h}.png"
    return path if path.exists() else png(path, w, h, lambda x, y: (255 if (x, y) in HOLE else 0,), color=0)


def batch(jobs, *options):
    """Runs jobs {name: job} in one process -> {name: None, or its error}, stderr, status."""
    path, names = TMP / "jobs.jsonl", list(jobs)
    path.write_text("".join(json.dumps(jobs[n]) + "\n" for n in names))
    r = run("batch", path, "--json", "--force", *options)
    errors, ended = dict.fromkeys(names), 0
    for line in r.stdout.splitlines():
        assert line.startswith("{"), line
        event = json.loads(line)
        ended += event["event"] in ("failed", "result")
        if event["event"] == "failed":
            errors[names[int(event["job"].rsplit(" ", 1)[1]) - 1]] = event["message"]
    assert r.returncode in (0, 1) and ended == len(
        names
    ), f"status {r.returncode} after {ended} of {len(names)} jobs: {r.stderr[-600:]}"
    return errors, r


def inpaint(path, out, mask, **more):
    return dict(
        {
            "task": "inpaint",
            "in": str(path),
            "out": str(out),
            "mask": str(mask),
            "grow": 0,
            "feather": 0,
            "seed": 3,
            "model": str(PLAIN),
        },
        **more,
    )


def differs(rows, pixel, w, h, allowed):
    """The first pixel outside of the hole that is not as expected."""
    for y in range(h):
        for x in range(w):
            want = pixel(x, y)
            got = rows[y][x * len(want) : (x + 1) * len(want)]
            if (x, y) not in HOLE and (
                len(rows[y]) != w * len(want) or any(abs(a - b) > allowed for a, b in zip(got, want))
            ):
                return f"at {x}, {y}: {tuple(got)}, not {want}; {len(rows[y])} samples a row"
    return None


def plain_model():
    """sfumato-mini without its step: most cells are about files, and a driver that runs no kernels writes none of its
    own."""
    plain = TMP / "plain" / "mini"
    shutil.copytree(pathlib.Path(MODELS) / "sfumato-mini", plain)
    index = json.loads((plain / "model_index.json").read_text())
    index["sfumato"]["steps"] = 0
    (plain / "model_index.json").write_text(json.dumps(index))
    return plain


PLAIN = plain_model()
