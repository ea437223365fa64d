#!/usr/bin/env python3
"""Build the picture set of sfumato-mini from Debian packages: fetch, unpack, pick, shrink, split.

    gather.py [--work DIR] [--pack FILE]

Writes DIR/data/{train,test}/*.jpg|png and manifest.json (author, licence, size of every picture; the one beside this
file is the same, shorter). Train and
test never share a photograph: the split is by file, in sources.json. --pack also writes a tar of the data at
a smaller size (under 60 MiB) to carry to a borrowed GPU.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import argparse
import fnmatch
import io
import json
import re
import struct
import subprocess
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from pictures import patch_library

HERE = Path(__file__).resolve().parent
Image.MAX_IMAGE_PIXELS = None  # wallpapers of 40 megapixels are expected here
TRAIN_LONG_SIDE_PX = 2048  # larger ones are soft at full size; halving makes their detail real
TEST_LONG_SIDE_PX = 1536


def read_rcc(path):
    """Yield (name, bytes) of every uncompressed file in a Qt resource container.

    Layout: magic, version, then offsets of tree, data and names (big-endian u32). A tree node is
    name offset u32, flags u16, then (folder) count u32 + first child u32 or (file) locale 2 x u16 + data offset u32,
    and from version 2 on a u64 time.
    """
    blob = path.read_bytes()
    magic, version, tree, data, names = struct.unpack(">4sIIII", blob[:20])
    if magic != b"qres":
        raise ValueError(f"{path}: not a Qt resource container")
    step = 22 if version >= 2 else 14

    def name(node):
        at = names + struct.unpack_from(">I", blob, tree + node * step)[0]
        n_chars = struct.unpack_from(">H", blob, at)[0]
        return blob[at + 6 : at + 6 + 2 * n_chars].decode("utf-16-be")

    def walk(node, prefix):
        at = tree + node * step
        flags = struct.unpack_from(">H", blob, at + 4)[0]
        if flags & 2:
            count, first = struct.unpack_from(">II", blob, at + 6)
            for child in range(first, first + count):
                yield from walk(child, f"{prefix}/{name(child)}")
        elif not flags & 5:  # 1, 4: zlib, zstd; pictures are stored plain
            start = data + struct.unpack_from(">I", blob, at + 10)[0]
            n_bytes = struct.unpack_from(">I", blob, start)[0]
            yield prefix, blob[start + 4 : start + 4 + n_bytes]

    yield from walk(0, "")


def read_copyright(path):
    """Paragraphs of a Debian copyright file as (patterns, authors, licence)."""
    out = []
    for block in re.split(r"\n\s*\n", path.read_text(errors="replace")):
        field, fields = None, {}
        for line in block.splitlines():
            m = re.match(r"([A-Za-z-]+):\s*(.*)", line)
            if m:
                field = m.group(1).lower()
                fields[field] = [m.group(2)]
            elif field and line[:1] in " \t":
                fields[field].append(line.strip())
        if "files" in fields and "license" in fields:
            patterns = [p.rstrip(",") for p in " ".join(fields["files"]).split()]
            authors = [a for a in fields.get("copyright", []) if a]
            out.append((patterns, authors, fields["license"][0]))
    return out


def licence_of(paragraphs, name):
    """The last paragraph that matches wins, as Debian's format says. Extensions differ inside rcc files (webp)."""
    found = ([], "")
    stem = name.rsplit(".", 1)[0]
    for patterns, authors, licence in paragraphs:
        if any(fnmatch.fnmatch(name, p) or fnmatch.fnmatch(stem, p.rsplit(".", 1)[0]) for p in patterns):
            found = (authors, licence)
    return found


def fetch(package, debs, root):
    if not list(debs.glob(f"{package}_*.deb")):
        subprocess.run(["apt-get", "download", "-qq", package], cwd=debs, check=True)
    target = root / package
    if not target.exists():
        subprocess.run(["dpkg", "-x", str(next(debs.glob(f"{package}_*.deb"))), str(target)], check=True)
    return target


def matches(name, patterns):
    return any(fnmatch.fnmatch(name, p) for p in patterns)


def files_of(spec, root):
    """(name inside the source, bytes) of every candidate of one package."""
    base = root / spec["root"]
    if spec.get("container") == "zip":
        for path in sorted(p for p in base.rglob("*") if p.suffix in (".zip", ".pk3")):
            with zipfile.ZipFile(path) as archive:
                for name in sorted(archive.namelist()):
                    if matches(name, spec["train"]) and not matches(name.lower(), spec.get("skip", [])):
                        yield name, archive.read(name)
    elif spec.get("container") == "rcc":
        for path in sorted(base.glob("*.rcc")):
            for name, blob in read_rcc(path):
                yield name.lstrip("/"), blob
    else:
        for path in sorted(base.rglob("*")):
            if path.is_file() and not path.is_symlink():  # one file, many sizes by name
                yield str(path.relative_to(base)), path.read_bytes()


def prepare(blob, long_side, min_side):
    picture = Image.open(io.BytesIO(blob))
    if picture.mode in ("RGBA", "LA", "P"):
        rgba = picture.convert("RGBA")
        if min(rgba.getchannel("A").getextrema()) < 255:
            box = rgba.getchannel("A").point(lambda a: 255 * (a == 255)).getbbox()
            # cut-outs: keep the lower part that is wholly opaque
            w, h = rgba.size
            top = h
            alpha = rgba.getchannel("A")
            while top > 0 and box and alpha.crop((0, top - 1, w, top)).getextrema()[0] == 255:
                top -= 1
            rgba = rgba.crop((0, top, w, h))
        picture = rgba
    picture = picture.convert("RGB")
    if min(picture.size) < min_side:
        return None
    scale = long_side / max(picture.size)
    if scale < 1:
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.LANCZOS)
    return picture


def is_texture(picture):
    """Whether a game's picture shows a surface or a scene: no cut-out or atlas (transparent, or one exact colour on
    much of it), no map of normals, heights or gloss (bluish or without colour)."""
    rgba = np.asarray(picture.convert("RGBA"))[::2, ::2]
    rgb = rgba[..., :3].astype(int)
    if (rgba[..., 3] < 250).mean() > 0.01 or rgb.std() < 8:
        return False
    codes = rgb @ np.array([65536, 256, 1])
    if np.unique(codes, return_counts=True)[1].max() > 0.06 * codes.size:
        return False
    mean = rgb.reshape(-1, 3).mean(0)
    if mean[2] > 150 and abs(mean[:2] - 128).max() < 25:
        return False
    return bool(np.ptp(rgb, axis=2).mean() > 3)


def grouped(manifest):
    """The manifest for the repository: pictures of one package, licence and author together, each as name: [split,
    width, height]."""
    groups = {}
    for m in manifest:
        groups.setdefault((m["package"], m["licence"], m["author"]), {})[m["name"]] = [m["split"], *m["size"]]
    rows = [{"package": p, "licence": l, "author": a, "pictures": pictures} for (p, l, a), pictures in groups.items()]
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"


def pack(data, target):
    """Training and test pictures at most 1280 px long as JPEG of quality 90."""
    with tarfile.open(target, "w") as tar:
        for path in sorted(data.rglob("*")):
            if path.suffix not in (".jpg", ".png"):
                continue
            picture = Image.open(path).convert("RGB")
            picture.thumbnail((1280, 1280), Image.LANCZOS)
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=90, subsampling=0)
            info = tarfile.TarInfo(f"data/{path.parent.name}/{path.stem}.jpg")
            info.size = buffer.tell()
            buffer.seek(0)
            tar.addfile(info, buffer)
        patch_library()
        tar.add(HERE / "libpatchfill.so", "libpatchfill.so")  # the GPU machine may lack GLib's headers
    print(f"{target}: {target.stat().st_size / 2**20:.1f} MiB")


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--work", type=Path, default=Path("."), help="folder for packages and data")
    ap.add_argument("--pack", type=Path, help="also write the small tar for a borrowed GPU")
    args = ap.parse_args()
    sources = json.loads((HERE / "sources.json").read_text())
    accepted = set(sources["accepted_licences"])
    debs, unpacked, data = args.work / "debs", args.work / "x", args.work / "data"
    for folder in (debs, unpacked, data / "train", data / "test"):
        folder.mkdir(parents=True, exist_ok=True)
    manifest, seen = [], set()
    for spec in sources["packages"]:
        package = spec["package"]
        root = fetch(package, debs, unpacked)
        paragraphs = read_copyright(root / "usr/share/doc" / package / "copyright")
        for name, blob in files_of(spec, root):
            split = "test" if matches(name, spec["test"]) else "train" if matches(name, spec["train"]) else None
            if split is None or matches(name.lower(), spec.get("skip", [])):
                continue
            stated = name
            if spec.get("container") == "rcc":  # .../src/activities/NAME/resource/FILE
                stated = name[name.find("src/") :]
            elif "copyright_root" in spec:
                stated = spec["copyright_root"] + name
            authors, licence = spec["stated"] if "stated" in spec else licence_of(paragraphs, stated)
            if not licence.split(" ")[0].rstrip(",") in accepted:
                print(f"left out, licence {licence!r}: {package} {name}")
                continue
            try:
                if spec.get("textures") and not is_texture(Image.open(io.BytesIO(blob))):
                    continue
                train_side = spec.get("long_side", TRAIN_LONG_SIDE_PX)
                picture = prepare(
                    blob, train_side if split == "train" else TEST_LONG_SIDE_PX, spec.get("min_side", 256)
                )
            except (OSError, NotImplementedError):
                continue  # not a picture
            if picture is None:
                continue
            digest = hash(picture.resize((32, 32)).tobytes())
            if digest in seen:  # games ship a texture several times
                continue
            seen.add(digest)
            out = re.sub(r"[^A-Za-z0-9]+", "_", f"{package}_{re.sub('.*activities/', '', name).rsplit('.', 1)[0]}")
            if split == "train":
                picture.save(data / "train" / f"{out}.jpg", quality=95, subsampling=0)
            else:
                picture.save(data / "test" / f"{out}.png")
            manifest.append(
                {
                    "file": out,
                    "split": split,
                    "package": package,
                    "name": name,
                    "licence": licence,
                    "author": "; ".join(authors[:3]),
                    "size": list(picture.size),
                    "weight": spec.get("weight", 1.0),
                }
            )
    (data / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    (HERE / "manifest.json").write_text(grouped(manifest))
    for split in ("train", "test"):
        rows = [m for m in manifest if m["split"] == split]
        print(f"{split}: {len(rows)} pictures, {sum(m['size'][0] * m['size'][1] for m in rows) / 1e6:.0f} megapixels")
    if args.pack:
        pack(data, args.pack)


if __name__ == "__main__":
    main()
