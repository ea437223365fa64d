#!/usr/bin/env python3
"""`sfumato warm`: what a job needs is compiled before it. TAP. warm.py SFUMATO MODELS."""
# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
from command import ENV, NO_DEVICE, TMP, case, end, has_device, png, run

DEVICE = has_device()
ENV["SFUMATO_CACHE"] = str(TMP / "cache")  # PoCL's own cache stays the shared one: compiling takes long


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
    r = run("warm", "a", "b")
    assert r.returncode == 2 and "one model" in r.stderr, (r.returncode, r.stderr)


end()
