#!/usr/bin/env python3
"""Drives the `sfumato` command as a person would: pictures in and out, bad input, batch, interruption. TAP.
cli.py SFUMATO MODELS: MODELS holds sfumato-mini."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import fcntl
import json
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import struct
import subprocess
import termios
import time

from command import (
    ENV,
    MODELS,
    NO_DEVICE,
    SFUMATO,
    TMP,
    at_step_2,
    case,
    end,
    fails,
    has_device,
    photo,
    png,
    read_png,
    run,
)

DEVICE = has_device()
small = png(TMP / "small.png", 96, 80, photo)
hole = png(TMP / "hole.png", 96, 80, lambda x, y: (255 if 40 <= x < 60 and 30 <= y < 50 else 0,), color=0)


@case("usage, help, version")
def _():
    assert run().returncode == 2 and run("--help").returncode == 0 and run("--version").stdout.startswith("sfumato ")
    r = run("inpaint", "--help")
    assert r.returncode == 0 and "--feather" in r.stdout and "--mask" in r.stdout and "--scale" not in r.stdout
    assert run("nonsense").returncode == 2


@case("help keeps to the terminal's width; through a pipe its lines are whole")
def _():
    main, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen([SFUMATO, "inpaint", "--help"], stdout=child, env=ENV)
    os.close(child)
    shown = b""
    while True:
        try:
            shown += os.read(main, 4096)
        except OSError:  # how Linux tells that the other end is closed
            break
    assert process.wait() == 0
    lines = shown.decode().splitlines()
    whole = run("inpaint", "--help").stdout
    assert "strengthens a word, [word] weakens it" in whole
    assert " ".join(" ".join(lines).split()) == " ".join(whole.split())
    assert not [s for s in lines if len(s) > 80 and len(s.split()) > 1 and not s.startswith("usage")], lines


@case("the model in the box is found from the build folder, with nothing installed or set")
def _():
    env = {k: v for k, v in ENV.items() if k != "SFUMATO_MODELS"}
    r = run("models", env=env)
    assert r.returncode == 0 and "sfumato-mini" in r.stdout, (r.stdout, r.stderr)


@case("models that can be downloaded are listed by sfumato-fetch")
def _():
    r = run("models", "--available")
    assert "is not installed" in r.stderr or (r.returncode == 0 and "license: " in r.stdout), r.stderr
    assert run("models", "get", "no-such-model").returncode == 1


@case("every parameter is a flag, a row of the reference, a line of the man page and a word of the completion")
def _():
    names = [line.split("|")[1].strip() for line in run("params").stdout.splitlines()[2:]]
    man, bash = run("man").stdout, run("completion", "bash").stdout
    assert len(names) > 20
    for n in names:
        assert "\\-\\-" + n.replace("_", "\\-") in man and "--" + n.replace("_", "-") in bash, n
    assert subprocess.run(["bash", "-n"], input=bash, text=True).returncode == 0
    assert run("completion", "csh").returncode == 2


@case("bad options: one sentence, status 2")
def _():
    fails(run("inpaint", small, TMP / "x.png", "--mask", hole, "--colour", "3"), 2, "--colour")
    fails(run("inpaint", small, TMP / "x.png", "--mask", hole, "--steps", "many"), 2, "many")
    fails(run("inpaint", small, TMP / "x.png", "--mask", hole, "--steps", "-4"), 2, "steps")
    fails(run("inpaint", small, TMP / "x.png", "--mask", hole, "--seed"), 2, "seed")
    fails(run("inpaint", small, TMP / "x.png"), 2, "--mask")
    fails(run("inpaint", small), 2, "usage")
    fails(run("devices", "--memory", "lots"), 2, "lots")
    fails(run("devices", "--memory", "0.1"), 2, "0.1")  # not 0, which is no budget
    fails(run("inpaint", small, TMP / "x.png", "--mask", hole, "--depth", "12"), 2, "depth")


@case("an option that the command would pass over is refused, and a switch can be switched off")
def _():
    inpaint = ("inpaint", small, TMP / "x.png", "--mask", hole)
    for command, option in (
        (("txt2img", TMP / "x.png"), ("--mask", hole)),
        (("upscale", small, TMP / "x.png"), ("--mask", hole)),
        (("upscale", small, TMP / "x.png"), ("--save-latent", TMP / "x.st")),
        (("img2img", small, TMP / "x.png"), ("--exclude", hole)),
        (inpaint, ("--shard", "1/2")),
        (inpaint, ("--claim",)),
        (inpaint, ("--type", "f16")),
        (("devices",), ("--depth", "8")),
    ):
        fails(run(*command, *option), 2, f"{option[0]} does not apply to {command[0]}")
        assert option[0] not in run(command[0], "--help").stdout, option
    flags = re.findall(r"^  (--\S+)", run("convert", "--help").stdout, re.M)
    assert "--lora" in flags and not {"--prompt", "--steps", "--model"} & set(flags), flags
    fails(run(*inpaint, "--json=maybe"), 2, "maybe")
    for option in ("--mask", "--exclude", "--from", "--noise", "--save-latent", "--trace"):
        fails(run(*inpaint, option, ""), 2, f"{option} needs a value")
    os.mkfifo(TMP / "pipe")
    for endless in (TMP / "pipe", "/dev/zero"):
        fails(run(*inpaint, "--from", endless), 2, "cannot be read")
    fails(run("devices", "--memory", "x", "--no-json"), 2, "x")
    if not DEVICE:
        return NO_DEVICE
    masks = [TMP / f"inverted-{k}.png" for k in range(2)]
    for option, out in zip(("--seed=1", "--no-invert-mask"), masks):
        r = run("inpaint", small, out, "--mask", hole, "--seed", 1, "--no-json", "--quiet=false", option)
        assert r.returncode == 0 and out.name in r.stdout and "{" not in r.stdout, (r.stdout, r.stderr)
    assert masks[0].read_bytes() == masks[1].read_bytes()
    for path in (small, TMP / "x.png"):
        fails(run(*inpaint, "--save-latent", path), 2, "both")
    jobs = TMP / "masked.jsonl"
    jobs.write_text(json.dumps({"task": "upscale", "in": str(small), "out": str(TMP / "x.png"), "scale": 2}))
    r = run("batch", jobs, "--mask", hole)
    assert r.returncode == 1 and "mask does not apply to upscale" in r.stderr, r.stderr
    assert not (TMP / "x.png").exists()


@case("bad files: one sentence, nothing written")
def _():
    if not DEVICE:
        return NO_DEVICE
    (TMP / "no.png").write_bytes(b"not a picture")
    (TMP / "pickle.ckpt").write_bytes(b"\x80\x02" + b"N0" * 8 + b"}q\x00.")
    out = TMP / "never.png"
    r = run("inpaint", TMP / "gone.png", out, "--mask", hole)
    fails(r, 2, "gone.png")
    assert run("inpaint", TMP / "no.png", out, "--mask", hole).returncode == 2
    fails(run("inpaint", small, out, "--mask", hole, "--model", TMP / "gone.safetensors"), 1, "gone.safetensors")
    fails(run("inpaint", small, out, "--mask", hole, "--model", TMP / "pickle.ckpt"), 1, "bare pickle")
    fails(run("inspect", TMP / "pickle.ckpt"), 1, "pickle.ckpt")
    black = png(TMP / "black.png", 96, 80, lambda x, y: (0,), color=0)
    assert run("inpaint", small, out, "--mask", black).returncode == 2
    fails(run("upscale", small, TMP / "nowhere" / "a.png", "--scale", 2), 2, "nowhere")
    assert not out.exists()
    fails(run("inpaint", small, out, "--mask", hole, "--device", "no such device"), 1, "no such device")


@case("without /sys, where PoCL would end the process, a sentence says so with the numbers")
def _():
    hide = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs none /sys && exec "$@"', "sh"]
    if not shutil.which("unshare") or subprocess.run([*hide, "true"], capture_output=True, check=False).returncode:
        return "/sys cannot be hidden here"
    if "Portable Computing Language" not in run("devices").stdout:
        return "no PoCL here"
    r = subprocess.run(
        [*hide, SFUMATO, "upscale", small, TMP / "never.png"], capture_output=True, text=True, timeout=170, env=ENV
    )
    if r.returncode:  # else there is another device
        fails(r, 1, "PoCL", " 0 bytes", "128 MiB", "/sys")


@case("a disk that is full where kernels would be kept, and where temporary files go: the sentence names it")
def _():
    disk = TMP / "full-disk"
    disk.mkdir()
    full = f'mount -t tmpfs -o size=64k none "{disk}" && exec "$@"'
    inside = ["unshare", "--map-root-user", "--mount", "sh", "-c", full, "sh"]
    if not shutil.which("unshare") or subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        return "no disk can be mounted here"
    if "Portable Computing Language" not in run("devices").stdout:
        return "no PoCL here"
    places = {"SFUMATO_CACHE": "s", "POCL_CACHE_DIR": "p", "XDG_CACHE_HOME": "x", "TMPDIR": ""}
    env = ENV | {name: str(disk / place) for name, place in places.items()}
    r = subprocess.run(
        [*inside, SFUMATO, "upscale", small, TMP / "never.png"], capture_output=True, text=True, timeout=170, env=env
    )
    assert r.returncode and str(disk) in r.stderr and "No space left on device" in r.stderr, (r.returncode, r.stderr)


@case("limits under which babl or PoCL would crash are said with their numbers")
def _():
    for kind, limit, words in (
        (resource.RLIMIT_AS, 300 << 20, ("ulimit -v", "300 MiB")),
        (resource.RLIMIT_STACK, 64 << 10, ("ulimit -s", "64 KiB", "128")),
    ):
        hard = resource.getrlimit(kind)[1]
        r = subprocess.run(
            [SFUMATO, "upscale", small, TMP / "never.png"],
            capture_output=True,
            text=True,
            timeout=170,
            env=ENV,
            preexec_fn=lambda kind=kind, limit=limit, hard=hard: resource.setrlimit(kind, (limit, hard)),
        )
        if "Sanitizer" in r.stderr:
            return "sanitizers need more"
        fails(r, 1, *words)
    return None


@case("a registered driver whose library is missing is named")
def _():
    folder = TMP / "vendors"
    folder.mkdir()
    env = {k: v for k, v in ENV.items() if k != "OCL_ICD_FILENAMES"} | {"OCL_ICD_VENDORS": f"{folder}/"}
    fails(run("devices", env=env), 1, "no OpenCL driver is installed")
    (folder / "broken.icd").write_text("libnosuch.so.1\n")
    fails(run("devices", env=env), 1, str(folder / "broken.icd"), "libnosuch.so.1")
    if DEVICE:
        for icd in pathlib.Path("/etc/OpenCL/vendors").glob("*.icd"):
            shutil.copy(icd, folder)
        r = run("devices", env=env)
        assert r.returncode != 0 or "broken.icd" in r.stderr, r.stderr


@case("devices and models as JSON")
def _():
    if not DEVICE:
        return NO_DEVICE
    for line in run("devices", "--json").stdout.splitlines():
        assert json.loads(line)["event"] == "device"
    names = [json.loads(line)["name"] for line in run("models", "--json").stdout.splitlines()]
    assert "sfumato-mini" in names, names
    assert json.loads(run("inspect", pathlib.Path(MODELS) / "sfumato-mini", "--json").stdout)["unexpected"] == []


@case("inpaint: outside the mask bit-identical, metadata written and read back, the seed decides")
def _():
    if not DEVICE:
        return NO_DEVICE
    a, b, c = TMP / "a.png", TMP / "b.png", TMP / "c.png"
    r = run("inpaint", small, a, "--mask", hole, "--seed", 5, "--steps", 2, "--grow", 2, "--feather", 4, "--json")
    assert r.returncode == 0, r.stderr
    events = [json.loads(line) for line in r.stdout.splitlines()]
    assert events[-1]["event"] == "result" and events[-1]["seed"] == "5"
    assert int(events[-1]["peak_bytes"]) > 1 << 20
    fractions = [e["fraction"] for e in events if e["event"] == "progress"]
    assert fractions == sorted(fractions) and 0 <= fractions[0] <= fractions[-1] <= 1
    w, h, bits, color, rows, text = read_png(a)
    before = read_png(small)[4]
    assert (w, h, bits, color) == (96, 80, 8, 2) and "Seed: 5" in text["parameters"], text
    reach = 2 + 4 + 2  # grow, feather, rounding
    far = {
        (x, y)
        for y in range(80)
        for x in range(96)
        if not (40 - reach <= x < 60 + reach and 30 - reach <= y < 50 + reach)
    }
    changed = {
        (x, y) for y in range(80) for x in range(96) if rows[y][3 * x : 3 * x + 3] != before[y][3 * x : 3 * x + 3]
    }
    assert changed, "nothing changed"
    assert not changed & far, f"{len(changed & far)} pixels outside the feathered mask changed"
    assert run("inpaint", small, b, "--mask", hole, "--from", a).returncode == 0
    assert read_png(b)[4] == rows, "--from gives another picture"
    assert run("inpaint", small, c, "--mask", hole, "--from", a, "--seed", 6).returncode == 0
    assert read_png(c)[4] != rows, "another seed gives the same picture"


@case("16-bit, gray and alpha pictures keep depth and channels; alpha is not touched")
def _():
    if not DEVICE:
        return NO_DEVICE
    deep = png(TMP / "deep.png", 64, 64, lambda x, y: photo(x, y, 65535), bits=16)
    gray = png(TMP / "gray.png", 64, 64, lambda x, y: photo(x, y)[:1], color=0)
    alpha = png(TMP / "alpha.png", 64, 64, lambda x, y: photo(x, y) + ((x * 4) & 255,), color=6)
    m = png(TMP / "m64.png", 64, 64, lambda x, y: (255 if 20 <= x < 40 and 20 <= y < 40 else 0,), color=0)
    for src, want in ((deep, (16, 2)), (gray, (8, 0)), (alpha, (8, 6))):
        out = TMP / ("out-" + src.name)
        r = run("inpaint", src, out, "--mask", m, "--steps", 1, "--seed", 1)
        assert r.returncode == 0, r.stderr
        w, h, bits, color, rows, _ = read_png(out)
        assert (w, h) == (64, 64) and (bits, color) == want, (src.name, bits, color)
        if color == 6:
            assert all(rows[y][4 * x + 3] == (x * 4) & 255 for y in range(64) for x in range(64)), "alpha changed"


@case("upscale and outpaint give the size that was asked for")
def _():
    if not DEVICE:
        return NO_DEVICE
    r = run("upscale", small, TMP / "big.png", "--scale", 2, "--steps", 1)
    assert r.returncode == 0, r.stderr
    assert read_png(TMP / "big.png")[:2] == (192, 160)
    r = run("outpaint", small, TMP / "wide.png", "--left", 16, "--bottom", 8, "--steps", 1)
    assert r.returncode == 0, r.stderr
    w, h, _, _, rows, _ = read_png(TMP / "wide.png")
    assert (w, h) == (112, 88)


@case(
    "sfumato-mini: its enlarger alone gives what it gives, its fill follows the seed, no file outside its folder is read"
)
def _():
    if not DEVICE:
        return NO_DEVICE
    mini = pathlib.Path(MODELS) / "sfumato-mini"
    pictures = []
    for i, model in enumerate((mini, mini / "enlarger" / "x2.safetensors")):
        r = run("upscale", small, TMP / f"by{i}.png", "--scale", 2, "--model", model)
        assert r.returncode == 0, r.stderr
        pictures.append(read_png(TMP / f"by{i}.png")[4])
    assert pictures[0] == pictures[1]
    leaves = png(
        TMP / "leaves.png", 96, 80, lambda x, y: tuple((x * x * 7 + y * 13 + x * y * (3 + k)) % 251 for k in range(3))
    )
    fills = []
    for i, seed in enumerate((3, 3, 4)):
        r = run("inpaint", leaves, TMP / f"fill{i}.png", "--mask", hole, "--model", mini, "--seed", seed)
        assert r.returncode == 0, r.stderr
        fills.append(read_png(TMP / f"fill{i}.png")[4])
    assert fills[0] == fills[1], "the same seed gives another picture"
    assert fills[0] != fills[2], "another seed gives the same picture"
    other = TMP / "moved" / "mini"
    shutil.copytree(mini, other)
    index = (other / "model_index.json").read_text()
    for name in ("../x2.safetensors", str((mini / "enlarger" / "x2.safetensors").resolve())):
        (other / "model_index.json").write_text(index.replace("enlarger/x2.safetensors", name))
        fails(
            run("upscale", small, TMP / "no.png", "--scale", 2, "--model", other),
            1,
            "is not a file in the model's folder",
        )


@case("folder upscaling skips what is there")
def _():
    if not DEVICE:
        return NO_DEVICE
    (TMP / "in").mkdir()
    png(TMP / "in" / "a.png", 32, 32, photo)
    png(TMP / "in" / "b.png", 32, 24, photo)
    (TMP / "outdir").mkdir()
    (TMP / "outdir" / "a.png").write_bytes(b"kept")
    r = run("upscale", TMP / "in", TMP / "outdir", "--scale", 2, "--steps", 1)
    assert r.returncode == 0, r.stderr
    assert (TMP / "outdir" / "a.png").read_bytes() == b"kept" and read_png(TMP / "outdir" / "b.png")[:2] == (64, 48)


@case("batch: jobs, skipping, shards, a bad line does not stop the rest")
def _():
    if not DEVICE:
        return NO_DEVICE
    jobs = TMP / "jobs.jsonl"
    line = {"task": "inpaint", "in": str(small), "mask": str(hole), "steps": 1}
    jobs.write_text(
        "# comment\n"
        + "".join(json.dumps(dict(line, out=str(TMP / f"j{i}.png"), seed=i)) + "\n" for i in range(2))
        + json.dumps({"task": "dance", "out": "x"})
        + "\n"
    )
    r = run("batch", jobs, "--shard", "2/2")
    assert r.returncode == 0 and not (TMP / "j0.png").exists() and (TMP / "j1.png").exists(), r.stderr
    r = run("batch", jobs)
    assert r.returncode == 1 and "line 4" in r.stderr and "1 done, 1 there already, 1 failed" in r.stderr, r.stderr
    fails(run("batch", jobs, "--shard", "3/2"), 2, "3/2")


@case("batch: files as Windows writes them, members of another kind, and one output for two jobs")
def _():
    if not DEVICE:
        return NO_DEVICE
    jobs, line = TMP / "odd.jsonl", {"task": "inpaint", "in": str(small), "mask": str(hole), "steps": 1}
    for i, code in enumerate(("utf-8-sig", "utf-16", "utf-16-be")):
        mark = "\ufeff" if code == "utf-16-be" else ""
        jobs.write_bytes(
            (
                mark
                + "".join(
                    json.dumps(dict(line, out=str(TMP / f"odd{i}{k}.png"), prompt="Z\u00fcrich"), ensure_ascii=False)
                    + "\r\n"
                    for k in "ab"
                )
            ).encode(code)
        )
        r = run("batch", jobs)
        assert r.returncode == 0 and "2 done, 0 there already, 0 failed" in r.stderr, (code, r.stderr)
    jobs.write_text(json.dumps(dict(line, out=str(TMP / "other.png"), scale=3, width=64)))
    r = run("batch", jobs)
    assert r.returncode == 0 and all(
        f'"{n}" does not apply to inpaint' in r.stderr for n in ("scale", "width")
    ), r.stderr
    jobs.write_bytes(
        json.dumps(dict(line, out=str(TMP / "cut.png"))).encode()
        + b"\n\0\n"
        + json.dumps(dict(line, out=str(TMP / "lost.png"))).encode()
    )
    fails(run("batch", jobs), 2, "odd.jsonl")
    assert not (TMP / "cut.png").exists()
    out = str(TMP / "odd.png")
    jobs.write_text(
        "".join(
            json.dumps(dict(line, **more)) + "\n"
            for more in (
                {"out": out, "mask": 5},
                {"out": [out]},
                {"out": "b.png", "in": {"file": str(small)}},
                {"out": "c.png", "exclude": True},
            )
        )
    )
    r = run("batch", jobs)
    assert (
        r.returncode == 1 and "0 done, 0 there already, 4 failed" in r.stderr and r.stderr.count("must be a text") == 4
    ), r.stderr
    assert not (TMP / "odd.png").exists()
    first = json.dumps(dict(line, out=out, seed=1)) + "\n"
    jobs.write_text(first + first + json.dumps(dict(line, out=str(TMP / "." / "odd.png"), seed=2)) + "\n")
    for shard in ("1/1", "2/3"):  # the other job may be another worker's
        r = run("batch", jobs, "--force", "--shard", shard)
        assert (r.returncode, "that of line 1" in r.stderr) == ((1, True) if shard == "1/1" else (0, False)), r.stderr
    assert "2 done, 0 there already, 1 failed" in run("batch", jobs, "--force").stderr
    assert "0 done, 2 there already, 1 failed" in run("batch", jobs).stderr


@case("batch --claim: workers share the jobs, each is done once, and a killed worker's job is taken over")
def _():
    if not DEVICE:
        return NO_DEVICE
    jobs = TMP / "shared.jsonl"
    outs = [TMP / f"s{i}.png" for i in range(8)]
    jobs.write_text(
        "".join(
            json.dumps({"task": "inpaint", "in": str(small), "mask": str(hole), "steps": 1, "seed": i, "out": str(out)})
            + "\n"
            for i, out in enumerate(outs)
        )
    )
    workers = [
        subprocess.Popen(
            [SFUMATO, "batch", jobs, "--claim"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENV
        )
        for _ in range(3)
    ]
    victim = workers.pop()
    for _ in range(1000):
        mine = [p for p in TMP.glob("s*.png.claim") if p.read_text(errors="replace").strip().endswith(f" {victim.pid}")]
        if mine or victim.poll() is not None:
            break
        time.sleep(0.01)
    victim.kill()
    victim.wait()
    said = [w.communicate(timeout=150)[1] for w in workers]
    assert all(w.returncode == 0 for w in workers), said
    done = [int(re.search(r"(\d+) done", s)[1]) for s in said]
    assert all(out.exists() for out in outs) and not list(TMP.glob("s*.claim")), said
    by_victim = len(outs) - sum(done)
    assert 0 <= by_victim < len(outs), said
    fails(run("batch", jobs, "--claim", "--shard", "1/2"), 2, "--claim")
    assert "0 done, 8 there already" in run("batch", jobs, "--claim").stderr


@case("Ctrl-C stops the run and leaves no file")
def _():
    if not DEVICE:
        return NO_DEVICE
    large = png(TMP / "large.png", 256, 256, photo)
    m = png(TMP / "m256.png", 256, 256, lambda x, y: (255 if 60 <= x < 200 and 60 <= y < 200 else 0,), color=0)
    p = subprocess.Popen(
        [SFUMATO, "inpaint", large, TMP / "stopped.png", "--mask", m, "--steps", "500", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENV,
    )
    for out in p.stdout:
        if '"step":2' in out.replace(" ", "").replace(".0", ""):
            break
    p.send_signal(signal.SIGINT)
    t = time.time()
    p.communicate(timeout=60)
    assert p.returncode == 130 and time.time() - t < 20, (p.returncode, time.time() - t)
    assert not list(TMP.glob("*stopped*")) and not list(TMP.glob(".sfumato-*"))


@case("a signal at any moment, also while kernels are compiled: status 130, one word, no file")
def _():
    if not DEVICE:
        return NO_DEVICE
    for i in range(4):
        cache = TMP / f"cold-{i}"
        env = dict(ENV, SFUMATO_CACHE=str(cache / "programs"), POCL_CACHE_DIR=str(cache / "pocl"), SFUMATO_COMPILE="")
        p = subprocess.Popen(
            [SFUMATO, "inpaint", TMP / "large.png", TMP / "early.png", "--mask", TMP / "m256.png", "--steps", "500"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
        )
        time.sleep(0.3 + 0.5 * i)
        p.send_signal((signal.SIGTERM, signal.SIGINT)[i % 2])
        _, said = p.communicate(timeout=60)
        shutil.rmtree(cache, ignore_errors=True)
        assert p.returncode in (130, -signal.SIGTERM, -signal.SIGINT), (i, p.returncode, said[-500:])
        assert "ancelled" in said or p.returncode < 0, (i, said[-500:])
        assert "failed to build" not in said or said.rstrip().endswith("Cancelled."), (i, said[-500:])
        assert not list(TMP.glob("*early*")) and not list(TMP.glob(".sfumato-*"))


@case("a terminal that closes stops the run, unless nohup guards it")
def _():
    if not DEVICE:
        return NO_DEVICE
    for ignored in (False, True):
        p = subprocess.Popen(
            [
                SFUMATO,
                "inpaint",
                TMP / "large.png",
                TMP / "hung-up.png",
                "--mask",
                TMP / "m256.png",
                "--steps",
                "3" if ignored else "500",
                "--json",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENV,
            # Whoever runs this test may ignore them, too.
            preexec_fn=lambda: [
                signal.signal(s, signal.SIG_IGN if ignored else signal.SIG_DFL) for s in (signal.SIGHUP, signal.SIGINT)
            ],
        )
        for out in p.stdout:
            if '"step":2' in out.replace(" ", "").replace(".0", ""):
                break
        for s in (signal.SIGHUP, signal.SIGINT) if ignored else (signal.SIGHUP,):
            p.send_signal(s)
        _, said = p.communicate(timeout=60)
        assert (p.returncode, (TMP / "hung-up.png").exists()) == ((0, True) if ignored else (130, False)), (
            ignored,
            p.returncode,
            said,
        )


SMALL = ("inpaint", small, "--mask", hole)


@case("signals that ask for an end stop the run, and the old file stays; those of closed pipes do not")
def _():
    if not DEVICE:
        return NO_DEVICE
    old = TMP / "old.png"
    for s in (signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU):
        old.write_bytes(b"old")
        # Whoever runs this test may ignore them.
        p = at_step_2(*SMALL, old, "--steps", 1000, preexec_fn=lambda s=s: signal.signal(s, signal.SIG_DFL))
        p.send_signal(s)
        _, said = p.communicate(timeout=170)
        assert p.returncode == 130 and said == "sfumato: Cancelled.\n", (s, p.returncode, said)
        assert old.read_bytes() == b"old" and not list(TMP.glob(".sfumato-*")), s
    p = at_step_2(*SMALL, old, "--steps", 8)
    p.stdout.close()  # every further line of JSON meets a closed pipe
    p.send_signal(signal.SIGPIPE)
    assert p.wait(timeout=170) == 0 and read_png(old)[:2] == (96, 80), p.stderr.read()


@case("a folder that goes away during the run: the picture is kept elsewhere, and the error says where")
def _():
    if not DEVICE:
        return NO_DEVICE
    spare = TMP / "spare"
    spare.mkdir()
    for count in (1, 2):
        folder = TMP / "going"
        folder.mkdir()
        latents = ("--save-latent", folder / "latent.safetensors") if count == 1 else ()
        options = ("--steps", 8, "--count", count, *latents)
        p = at_step_2(*SMALL, folder / "out.png", *options, env=dict(ENV, TMPDIR=str(spare)))
        shutil.rmtree(folder)
        _, said = p.communicate(timeout=170)
        kept = re.findall(r"out\S*\.png cannot be written: .*; the picture is kept in (\S+)", said)
        assert p.returncode != 0 and len(kept) == count, (p.returncode, said)
        assert all(read_png(pathlib.Path(k))[:2] == (96, 80) and k.startswith(str(spare)) for k in kept), kept
        assert ("latent.safetensors" in said) == (count == 1), said
        for k in kept:
            shutil.rmtree(pathlib.Path(k).parent)


@case("a result that is too large for its format is kept as PNG, and the error says where")
def _():
    if not DEVICE:
        return NO_DEVICE
    wide = png(TMP / "wide.png", 8200, 2, photo)  # twice of it is more than WebP's 16,383
    r = run("upscale", wide, TMP / "wide.webp", env=dict(ENV, TMPDIR=str(TMP / "spare")))
    kept = re.findall(r"; the picture is kept in (\S+\.webp\.png)$", r.stderr, re.M)
    assert r.returncode != 0 and len(kept) == 1 and "WebP" in r.stderr, (r.returncode, r.stderr)
    assert read_png(pathlib.Path(kept[0]))[:2] == (16400, 4)


@case("latents that cannot be written any more cost no picture, and the run has failed")
def _():
    if not DEVICE:
        return NO_DEVICE
    (TMP / "lost").mkdir()
    out = TMP / "without-latents.png"
    p = at_step_2(*SMALL, out, "--steps", 8, "--save-latent", TMP / "lost" / "latent.safetensors")
    shutil.rmtree(TMP / "lost")
    _, said = p.communicate(timeout=170)
    assert p.returncode == 1 and "latent.safetensors" in said and said.count("\n") == 1, (p.returncode, said)
    assert read_png(out)[:2] == (96, 80)


@case("latents, traces and converted models on a disk that is full or read-only: one sentence with the place, no rest")
def _():
    if not DEVICE:
        return NO_DEVICE
    disk = TMP / "odd-disk"
    disk.mkdir()
    mounts = 'mount -t tmpfs -o $0 none "%s" && { "$@"; s=$?; ls -A "%s" >&2; exit $s; }' % (disk, disk)
    inside = ["unshare", "--map-root-user", "--mount", "sh", "-c", mounts]
    if not shutil.which("unshare") or subprocess.run([*inside, "ro", "true"], capture_output=True).returncode:
        return "no disk can be mounted here"
    net = pathlib.Path(MODELS) / "sfumato-mini" / "enlarger" / "x2.safetensors"
    jobs = {
        "--trace": [*SMALL, TMP / "of-odd.png", "--trace", disk],
        "--save-latent": [*SMALL, TMP / "of-odd.png", "--save-latent", disk / "l.safetensors"],
        "convert": ["convert", net, disk / "x.gguf", "--type", "q8_0"],
    }
    for options in ("ro", "size=4k"):
        for name, args in jobs.items():
            (TMP / "of-odd.png").unlink(missing_ok=True)
            command = [*inside, options, SFUMATO, *map(str, args)]
            r = subprocess.run(command, capture_output=True, text=True, timeout=170, env=ENV, check=False)
            sentence = [line for line in r.stderr.splitlines() if line.startswith("sfumato: ")]
            reason = "Read-only" if options == "ro" else " left" if name == "convert" else "No space left"
            assert r.returncode and len(sentence) == 1 and reason in sentence[0], (options, name, r.stderr)
            assert sentence[0].startswith(f"sfumato: {disk}/"), (options, name, r.stderr)
            assert r.stderr.splitlines()[-1] == sentence[0], (options, name, r.stderr)  # the disk is empty
            if options == "ro":
                assert not (TMP / "of-odd.png").exists(), name  # found before the work


end()
