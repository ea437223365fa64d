#!/usr/bin/env python3
"""Starts GIMP in batch with Sfumato and the test plug-in in a folder of its own, and passes their TAP on.

usage: run.py GIMP PLUG-IN CHECK WHAT     GIMP: the console program; PLUG-IN: sfumato with the stand-in engine; CHECK:
sfumato-check WHAT: quick (single cases), third (those and a third of the matrix: what `meson test` runs), all (the
whole matrix), late (images that change meanwhile), failures, two (GIMPs at once with one folder), hundred (generations
in a row, memory flat)"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile


def folder(gimp, plugin, check, fast_babl=True):
    """A fresh GIMP folder with the two plug-ins, laid out as GIMP wants it. Without fast_babl, babl has no look-up
    tables in the plug-ins, and in GIMP 2 its reference code alone: slower for large pictures, faster for the tests'."""
    home = tempfile.mkdtemp(prefix="sfumato-gimp-")
    for source, name in ((plugin, "sfumato"), (check, "sfumato-check")):
        os.makedirs(f"{home}/plug-ins/{name}")
        shutil.copy(source, f"{home}/plug-ins/{name}/{name}")
    with open(f"{home}/gimprc", "w", encoding="utf-8") as f:
        f.write("(tile-cache-size 1024m)\n")  # as tests/meson.build gives GEGL elsewhere
        theirs = os.environ.get("SFUMATO_GIMP_PLUG_INS")
        if theirs:  # GIMP would start each of its own plug-ins once, to ask it what it does
            os.makedirs(f"{home}/few")
            for name in ("script-fu", "file-png", "file-glob"):
                os.symlink(f"{theirs}/{name}", f"{home}/few/{name}")
            f.write(f'(plug-in-path "{home}/plug-ins:{home}/few")\n')
    # Variables of the plug-ins, not of GIMP. Each start of a plug-in would load the decoders of GEGL's file formats,
    # and babl would fill 256 MiB to measure a look-up table as soon as it has a fast way from 8-bit RGBA to float.
    os.makedirs(f"{home}/environ")
    with open(f"{home}/environ/plug-ins.env", "w", encoding="utf-8") as f:
        modules = os.environ.get("SFUMATO_GEGL_MODULES")
        if modules:
            os.makedirs(f"{home}/gegl")
            for path in glob.glob(f"{modules}/*"):
                if re.match(r"(gegl-(core|common|transformops)(-x86.*)?|transformops)\.", os.path.basename(path)):
                    os.symlink(path, f"{home}/gegl/{os.path.basename(path)}")
            f.write(f"GEGL_PATH={home}/gegl\n")
        if not fast_babl:  # newer babl than GIMP 2.10's reads the first, and needs no more
            f.write("BABL_LUT=0\n" + (f"BABL_PATH={home}/no-babl\nBABL_INHIBIT_CACHE=1\n" if version(gimp) < 3 else ""))
    for name in ("brushes", "dynamics", "patterns", "gradients", "palettes", "tool-presets", "fonts", "tmp"):
        os.makedirs(f"{home}/{name}", exist_ok=True)
    return home


def version(gimp):
    text = subprocess.run([gimp, "--version"], capture_output=True, text=True, timeout=60).stdout
    return int(re.search(r"(\d+)\.\d+", text).group(1))


def start(gimp, home, script, extra=None, log=None, display=None, windows=False, stays=False, bare=True):
    """Starts GIMP on one Scheme expression; returns the process. windows: the program with its own windows, on the
    display. stays: it does not quit after the expression. bare: without brushes, fonts and the like."""
    env = {
        **os.environ,
        "GIMP2_DIRECTORY": home,
        "GIMP3_DIRECTORY": home,
        "GSETTINGS_BACKEND": "memory",  # GTK's file chooser saves its size in the user's session
        "LC_ALL": "C.UTF-8",
        "XDG_CACHE_HOME": home + "/cache",
        "XDG_CONFIG_HOME": home + "/config",
        **(extra or {}),
    }
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        env.pop(name, None)
    if display:
        env["DISPLAY"] = display
    command = [gimp, "-s"] + (["-d", "-f"] if bare else []) + (["-n"] if windows else ["-i"])
    if version(gimp) >= 3:
        command += ["--batch-interpreter", "plug-in-script-fu-eval", "-b", script]
        command += [] if stays else ["--quit"]
    else:
        command += ["-b", script] + ([] if stays else ["-b", "(gimp-quit 1)"])
    return subprocess.Popen(command, env=env, stdout=log or subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def check_call(gimp, results, what):
    if version(gimp) >= 3:
        return f'(sfumato-check #:file "{results}" #:what "{what}")'
    return f'(sfumato-check "{results}" "{what}")'


def lines_of(process, results, what, timeout):
    """Waits for a GIMP; returns its TAP lines, and after those that speak of its end what it has printed."""
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        output = process.communicate()[0] + f"\n(stopped after {timeout} s)"
    lines = open(results, encoding="utf-8").read().splitlines() if os.path.exists(results) else []
    complete = bool(lines) and lines[-1].startswith("1..")
    lines = [line for line in lines if not line.startswith("1..")]
    critical = re.search(r"\(sfumato[^)]*\).*CRITICAL", output)  # GIMP has some of its own
    if not complete:
        n = sum(bool(re.match(r"(not )?ok\b", line)) for line in lines)
        lines.append(
            f"not ok - {what}: GIMP or the tests ended before their end, with status {process.returncode} after {n} cases"
        )
    if critical:
        lines.append(f"not ok - {what}: no critical warnings")
    if not complete or critical:
        lines += ["# " + line for line in output.splitlines()[-60:]]
    return lines


def run(gimp, plugin, check, what, extra=None):
    """One GIMP with one set of cases; returns its TAP lines."""
    home = folder(gimp, plugin, check, fast_babl=what in ("whole", "third"))
    results = f"{home}/results.tap"
    env = {"SFU_STANDIN_LOG": f"{home}/standin.log", **(extra or {})}
    process = start(gimp, home, check_call(gimp, results, what), env)
    lines = lines_of(process, results, what, 7000 if what == "all" else 1700)  # on a busy machine
    shutil.rmtree(home, ignore_errors=True)
    return lines


def two_at_once(gimp, plugin, check):
    """Two GIMPs with the same folder; the TAP lines of both."""
    home = folder(gimp, plugin, check, fast_babl=False)
    pair = [
        start(gimp, home, check_call(gimp, f"{home}/{i}.tap", "shared"), {"SFU_STANDIN_LOG": f"{home}/{i}.log"})
        for i in (1, 2)
    ]
    lines = []
    for i, process in enumerate(pair, 1):
        for line in lines_of(process, f"{home}/{i}.tap", "shared", 1700):
            lines.append(re.sub(r"^((?:not )?ok\b)( \d+)?( - )?", rf"\1 - GIMP {i} of two with one folder: ", line))
    shutil.rmtree(home, ignore_errors=True)
    return lines


def main():
    gimp, plugin, check, what = sys.argv[1:5]
    if what == "failures":
        lines = []
        for which in ("device", "model", "memory", "kill"):
            lines += run(gimp, plugin, check, "fail-" + which, {"SFU_STANDIN_FAIL": which})
    elif what == "two":
        lines = two_at_once(gimp, plugin, check)
    else:
        lines = run(gimp, plugin, check, what)
    n = 0
    for line in lines:
        if re.match(r"(not )?ok\b", line):
            n += 1
            line = re.sub(r"^((?:not )?ok)( \d+)?", rf"\1 {n}", line)
        print(line)
    print(f"1..{n}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
