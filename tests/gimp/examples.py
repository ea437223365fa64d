#!/usr/bin/env python3
"""Runs every example for Script-Fu that is shipped, in a GIMP with the stand-in engine, and looks at what they write.

usage: examples.py GIMP PLUG-IN CHECK EXAMPLES      EXAMPLES: the .scm file; the others as for run.py
"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import os
import re
import shutil
import struct
import subprocess
import sys
import zlib

import run

W, H = 96, 64
# name of the example: file that it writes, scale of the picture, arguments after the two files
CALLS = {
    "sfumato-example-remove": ("remove.xcf", 1, "20 10 30 24"),
    "sfumato-example-fill": ("fill.xcf", 1, '"a red door" 20 10 30 24'),
    "sfumato-example-enlarge": ("enlarge.png", 2, ""),
    "sfumato-example-enlarge-image": ("image.xcf", 2, ""),
    "sfumato-example-exclude": ("exclude.xcf", 1, "20 10 30 24 60 10 20 20"),
    "sfumato-example-edit": ("edit.xcf", 1, '"make it winter"'),
}


def write_png(path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"".join(bytes((2 * x, 3 * y, x ^ y)) for x in range(W)) for y in range(H))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 8, 2, 0, 0, 0)))
        f.write(chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def size_of(path):
    """Width and height of a PNG or an XCF; None: there is none."""
    if not os.path.exists(path):
        return None
    with open(path, "rb") as f:
        head = f.read(26)
    if head.startswith(b"gimp xcf "):
        return struct.unpack(">II", head[14:22])
    return struct.unpack(">II", head[16:24]) if head.startswith(b"\x89PNG") else None


def main():
    gimp, plugin, check, examples = sys.argv[1:5]
    home = run.folder(gimp, plugin, check)
    photo = f"{home}/in/photo.png"
    for folder in ("in", "out", "batch"):
        os.makedirs(f"{home}/{folder}")
    write_png(photo)
    calls = [f'({name} "{photo}" "{home}/out/{file}" {rest})' for name, (file, _, rest) in CALLS.items()]
    calls.append(f'(sfumato-example-texture "{home}/out/texture.png" "moss on a wall")')
    calls.append(f'(sfumato-batch-enlarge "{home}/in/*.png" "{home}/batch/")')
    script = f'(begin (load "{examples}") {" ".join(calls)})'
    process = run.start(gimp, home, script, {"SFU_STANDIN_LOG": f"{home}/log"})
    try:
        output, _ = process.communicate(timeout=250)
    except subprocess.TimeoutExpired:
        process.kill()
        output = process.communicate()[0] + "\n(stopped after 250 s)"
    with open(examples, encoding="utf-8") as f:
        shipped = set(re.findall(r"\(define \((sfumato-[a-z-]+)", f.read()))
    sizes = {name: (size_of(f"{home}/out/{file}"), (W * scale, H * scale)) for name, (file, scale, _) in CALLS.items()}
    wrong = [f"{name}: {is_} instead of {must}" for name, (is_, must) in sizes.items() if is_ != must]
    batch = size_of(f"{home}/batch/photo.png")
    texture = size_of(f"{home}/out/texture.png")
    results = [
        (
            shipped == {*CALLS, "sfumato-example-texture", "sfumato-batch-enlarge"},
            "each example that is shipped is run",
            sorted(shipped),
        ),
        (not wrong, "the examples write pictures of the right size", wrong),
        (texture is not None and texture[0] == texture[1], "a texture needs no image", [str(texture)]),
        (batch == (2 * W, 2 * H), "a folder's pictures are enlarged", [str(batch)]),
    ]
    print(f"1..{len(results)}")
    for i, (ok, what, details) in enumerate(results, 1):
        print(f"{'ok' if ok else 'not ok'} {i} - {what}")
        for line in [] if ok else details + output.splitlines()[-30:]:
            print("#", line)
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
