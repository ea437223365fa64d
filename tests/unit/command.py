"""What the tests of the `sfumato` command share: pictures written and read, the command run, cases as TAP.
The program that imports this is called with SFUMATO MODELS: the command, and the folder that holds sfumato-mini."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import atexit
import math
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

from tap import case, end, own_cache  # noqa: F401 (for those that import this)

SFUMATO, MODELS = os.path.abspath(sys.argv[1]), sys.argv[2]  # cases change the folder
TMP = pathlib.Path(tempfile.mkdtemp(prefix="sfumato-cli-"))
(TMP / "tmp").mkdir()  # what the command leaves where it finds no cache goes with the rest
ENV = dict(
    os.environ,
    SFUMATO_MODELS=MODELS,
    LC_ALL="C.UTF-8",
    XDG_DATA_HOME=str(TMP / "data"),
    TMPDIR=str(TMP / "tmp"),
    **own_cache(TMP / "own-cache"),
)
NO_DEVICE = "no OpenCL device"
atexit.register(shutil.rmtree, TMP, ignore_errors=True)


def png(path, w, h, pixel, bits=8, color=2):
    """Writes a PNG; pixel(x, y) -> tuple of samples. color 0 gray, 2 RGB, 6 RGBA (PNG specification, 11.2.1)."""
    fmt = ">%dB" if bits == 8 else ">%dH"
    rows = b"".join(
        b"\0" + b"".join(struct.pack(fmt % len(p), *p) for p in (pixel(x, y) for x in range(w))) for y in range(h)
    )

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, bits, color, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return path


def read_png(path):
    """-> width, height, bits, color, rows of samples, {keyword: text}."""
    data, at, idat, text = path.read_bytes(), 8, b"", {}
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + n]
        assert struct.unpack(">I", data[at + 8 + n : at + 12 + n])[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            w, h, bits, color, _, _, lace = struct.unpack(">IIBBBBB", body)
            assert lace == 0
        elif kind == b"IDAT":
            idat += body
        elif kind == b"iTXt":
            key, rest = body.split(b"\0", 1)
            text[key.decode()] = rest[2:].split(b"\0", 2)[2].decode()
        at += 12 + n
    chans = {0: 1, 2: 3, 4: 2, 6: 4}[color]
    bpp, raw, rows, prev = chans * bits // 8, zlib.decompress(idat), [], None
    stride = w * bpp
    for y in range(h):
        f, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        prev = prev or bytearray(stride)
        for i in range(stride):
            a, b, c = (line[i - bpp] if i >= bpp else 0), prev[i], (prev[i - bpp] if i >= bpp else 0)
            p = a + b - c
            line[i] = (
                line[i]
                + (
                    0,
                    a,
                    b,
                    (a + b) // 2,
                    (
                        a
                        if abs(p - a) <= abs(p - b) and abs(p - a) <= abs(p - c)
                        else (b if abs(p - b) <= abs(p - c) else c)
                    ),
                )[f]
            ) & 255
        rows.append(struct.unpack((">%dB" if bits == 8 else ">%dH") % (w * chans), line))
        prev = line
    return w, h, bits, color, rows, text


def run(*args, timeout=400, env=None, cwd=None):
    return subprocess.run(
        [SFUMATO, *map(str, args)], capture_output=True, text=True, timeout=timeout, env=env or ENV, cwd=cwd
    )


def photo(x, y, top=255):
    return tuple(int(top * (0.5 + 0.4 * math.sin(0.07 * x + k) * math.cos(0.05 * y - k))) for k in range(3))


def fails(r, status, *words):
    assert r.returncode == status, (r.returncode, r.stderr)
    assert r.stderr.startswith("sfumato: ") and r.stderr.count("\n") == 1, r.stderr
    for w in words:
        assert w in r.stderr, (w, r.stderr)


def has_device():
    return run("devices").returncode == 0


def at_step_2(*args, **options):
    """Starts a run of many steps and returns when it has taken two of them."""
    p = subprocess.Popen(
        [SFUMATO, *map(str, args), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **{"env": ENV, **options},
    )
    for out in p.stdout:
        if '"step":2' in out.replace(" ", "").replace(".0", ""):
            break
    return p
