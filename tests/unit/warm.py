#!/usr/bin/env python3
"""`sfumato warm` compiles what a job needs before it, helpers (sfumato-compile) while it runs: what they do, and that a
job does not need them. TAP. warm.py SFUMATO MODELS."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import os
import pathlib
import shutil
import signal
import subprocess
import time

from command import ENV, MODELS, NO_DEVICE, SFUMATO, TMP, case, end, has_device, png, read_png, run

DEVICE = has_device()
ENV["SFUMATO_CACHE"] = str(TMP / "cache")  # PoCL's own cache stays the shared one: compiling takes long
HELPER = (pathlib.Path(SFUMATO).parent / "../../opencl/sfumato-compile").resolve()
SMALL = png(TMP / "small.png", 96, 80, lambda x, y: (2 * x, 3 * y, (x * y) % 256))
runs = 0


def programs():
    """What Sfumato knows to be compiled: a file a program."""
    return sorted(p.name for p in (TMP / "cache").glob("*/*.bin"))


@case("warm prepares the model in the box for filling and enlarging, and a job then compiles no program")
def _():
    if not DEVICE:
        return NO_DEVICE
    r = run("warm", "sfumato-mini")
    assert r.returncode == 0, r.stderr
    for what in ("inpaint", "upscale x2", "upscale x4"):
        assert f"ready for {what}" in r.stdout, r.stdout
    before = programs()
    assert len(before) > 5, before
    small = png(TMP / "small.png", 256, 256, lambda x, y: (x, y, 99))
    r = run("upscale", small, TMP / "large.png", "--scale", 2)
    assert r.returncode == 0, r.stderr
    assert programs() == before, set(programs()) - set(before)
    return None


@case("warm says which model it does not find, and takes one")
def _():
    r = run("warm", "/nowhere/at-all.safetensors")
    assert r.returncode == 1 and "/nowhere/at-all.safetensors" in r.stderr and r.stdout == "", (r.returncode, r.stderr)
    (TMP / "away").mkdir()
    shutil.copytree(pathlib.Path(MODELS) / "sfumato-mini", TMP / "away" / "mini")
    for name in ("mini", "./mini", "../away/mini/"):  # not in a folder of models, and not as the list spells it
        r = run("warm", name, cwd=TMP / "away")
        assert r.returncode == 0 and "ready for inpaint" in r.stdout, (name, r.stderr)
    r = run("warm", "a", "b")
    assert r.returncode == 2 and "one model" in r.stderr, (r.returncode, r.stderr)


def with_helper(helper, cache):
    return dict(ENV, SFUMATO_CACHE=str(cache), SFUMATO_COMPILE=str(helper))


def enlarge(helper, cache=None):
    """Enlarges SMALL with that folder of programs, or an empty one. -> pixels, folder; no process of the helper's name
    is left."""
    global runs
    runs += 1
    cache, out = cache or TMP / f"cache{runs}", TMP / f"large{runs}.png"
    r = run("upscale", SMALL, out, "--scale", 2, env=with_helper(helper, cache))
    assert r.returncode == 0, r.stderr
    assert not helper or not running(helper), running(helper)
    return read_png(out)[4], cache


def running(helper):
    found = []
    for p in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(helper).encode() in p.read_bytes().split(b"\0"):
                found.append(p.parent.name)
        except OSError:
            pass
    return found


def script(name, text):
    path = TMP / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def marks(cache):
    """What is compiled: a file a kernel."""
    return sorted(p.name for p in cache.glob("*/*.bin.*"))


@case("helpers compile beside a job, the picture is the same, and the next job starts none")
def _():
    if not DEVICE:
        return NO_DEVICE
    started = TMP / "started"
    helper = script("helps", f'echo >> {started}\nexec {HELPER} "$@"\n')
    alone = enlarge("")[0]
    helped, cache = enlarge(helper)
    assert helped == alone
    n = len(os.sched_getaffinity(0)) - 1
    assert started.exists() == (n > 0) and len(marks(cache)) > 3, marks(cache)
    started.unlink(missing_ok=True)
    assert enlarge(helper, cache)[0] == alone
    assert not started.exists()
    return None


@case("a helper compiles the kernels of its lines, for the job's work-groups")
def _():
    if not DEVICE:
        return NO_DEVICE
    if len(os.sched_getaffinity(0)) == 1:
        return "one core"
    lines, words, pocl = TMP / "lines", TMP / "words", TMP / "pocl-of-helper"
    enlarge(script("saves", f'cat > {lines}.$$\necho "$@" > {words}\nmv {lines}.$$ {lines}\n'))
    if not lines.exists() or "\t1 1 1\t" not in lines.read_text():
        return "this driver compiles whole programs"
    device, family, _ = words.read_text().split()
    env = dict(ENV, POCL_CACHE_DIR=str(pocl))
    with lines.open() as text:
        subprocess.run([HELPER, device, family, str(os.getpid())], stdin=text, env=env, check=True)
    made = [p.relative_to(pocl).as_posix() for p in pocl.glob("**/*.so")]
    assert len(made) == len(lines.read_text().splitlines()), made
    assert all("/1-1-1" in name for name in made), made
    return None


@case("a helper that hangs, is killed, fails or is not there changes nothing")
def _():
    if not DEVICE:
        return NO_DEVICE
    alone = enlarge("")[0]
    hangs = script("hangs", "exec sleep 600\n")
    killed = script("killed", f'(sleep 0.2; kill -9 $$) &\nexec {HELPER} "$@"\n')
    for helper in (hangs, killed, script("fails", "exit 3\n"), TMP / "nowhere"):
        assert enlarge(helper)[0] == alone, helper
    return None


@case("a helper ends with the process that it helps")
def _():
    if not DEVICE:
        return NO_DEVICE
    if len(os.sched_getaffinity(0)) == 1:
        return "one core"
    helper = TMP / "helper-of-a-killed-job"
    helper.symlink_to(HELPER)
    env = with_helper(helper, TMP / "cache-killed") | {"POCL_CACHE_DIR": str(TMP / "pocl")}
    job = subprocess.Popen(
        [SFUMATO, "upscale", SMALL, TMP / "never.png", "--scale", "2"],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not running(helper) and job.poll() is None:
        time.sleep(0.01)
    assert running(helper)
    job.send_signal(signal.SIGKILL)
    job.wait()
    for _ in range(500):
        if not running(helper):
            break
        time.sleep(0.01)
    assert not running(helper)
    return None


end()
