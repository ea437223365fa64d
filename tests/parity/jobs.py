"""Model files and jobs for tests that run the command: safetensors as dictionaries, pictures' pixels, batches.
Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later"""

import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "unit"))
from tap import own_cache  # noqa: E402

SAME, OTHER = "the same picture", "another picture"


def read(path):
    data = path.read_bytes()
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + n])
    header.pop("__metadata__", None)
    return {
        k: (v["dtype"], v["shape"], data[8 + n + v["data_offsets"][0] : 8 + n + v["data_offsets"][1]])
        for k, v in header.items()
    }


def write(path, tensors):
    header, at = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    path.unlink(missing_ok=True)  # it may be a link to the sound one
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))


def pixels(path):
    """The compressed pixels of a PNG; NULL if it is not there."""
    if not path.exists():
        return None
    data, at, idat = path.read_bytes(), 8, b""
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at : at + 8])
        idat += data[at + 8 : at + 8 + n] if kind == b"IDAT" else b""
        at += 12 + n
    return idat


def difference(right, result, expected):
    """What is wrong about a (picture, message), beside the right picture: expected is SAME, OTHER, or words of the
    message of a job that makes no picture. "": nothing."""
    picture, said = result
    got = None if picture is None else SAME if picture == right else OTHER
    if got != expected and (got or expected not in said or expected in (SAME, OTHER)):
        return f"wanted {expected!r}, got {got}, {said!r}"
    return ""


def report(number, what, bad):
    """A line of TAP, and what is wrong behind it. Returns whether anything is."""
    print(f"{'not ok' if bad else 'ok'} {number} - {what}", *bad, sep="\n# ", flush=True)
    return bool(bad)


def leave(main, folder):
    """Ends the test with what main() returns, without its folder."""
    try:
        status = main()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(status)


class Bench:
    """A folder for a test's files, and the command. Its models' folders are those in it."""

    def __init__(self, sfumato, write_model, name):
        self.sfumato, self.write_model = map(os.path.abspath, (sfumato, write_model))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"sfumato-{name}-"))
        self.env = dict(os.environ, LC_ALL="C.UTF-8", XDG_DATA_HOME=str(self.folder / "data"))
        self.env.update(own_cache(self.folder / "own-cache"), TMPDIR=str(self.folder / "tmp"))
        (self.folder / "tmp").mkdir()  # what the command leaves where it finds no cache goes with the rest

    def has_device(self):
        return subprocess.run([self.sfumato, "devices"], capture_output=True, env=self.env).returncode == 0

    def model(self, key, to, data="pipelines"):
        """A small model of DATA.json.gz, written to a path that is not there."""
        subprocess.run([self.write_model, key, to, data], check=True)
        return to

    def run(self, jobs):
        """-> for each job its picture's pixels or None, and what was said of it; and all that was said."""
        outs = [self.folder / f"out-{i}.png" for i in range(len(jobs))]
        same = {
            "task": "txt2img",
            "prompt": "a cat",
            "steps": 2,
            "sampler": "euler",
            "width": 64,
            "height": 64,
            "seed": 7,
        }
        lines = [
            json.dumps(
                {**same, "out": str(out), **{k: str(v) if isinstance(v, pathlib.Path) else v for k, v in job.items()}}
            )
            for out, job in zip(outs, jobs)
        ]
        (self.folder / "jobs.jsonl").write_text("".join(line + "\n" for line in lines))
        r = subprocess.run(
            [self.sfumato, "batch", self.folder / "jobs.jsonl"],
            capture_output=True,
            text=True,
            env=self.env,
            timeout=380,
        )
        said = {int(m[1]): m[2] for m in re.finditer(r"line (\d+): (.*)", r.stderr)}
        results = [(pixels(out), said.get(i + 1, "")) for i, out in enumerate(outs)]
        for out in outs:
            out.unlink(missing_ok=True)
        return results, r.stderr
