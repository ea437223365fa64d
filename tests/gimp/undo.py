#!/usr/bin/env python3
"""Runs GIMP with its windows under Xvfb, lets the test plug-in call the procedures, and presses Ctrl+Z and Ctrl+Y where
that asks for it: one undo must restore everything, one redo must bring the result back. It also
catches what the status bar says.

usage: undo.py GIMP PLUG-IN CHECK      GIMP: the program with windows; the others as for run.py
"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import os
import re
import shutil
import subprocess
import sys
import time

import dialog
import run


def main():
    gimp, plugin, check = sys.argv[1:4]
    if not shutil.which("Xvfb") or not shutil.which("xdotool"):
        print("1..0 # SKIP no Xvfb or xdotool")
        return
    server, display = dialog.screen()
    home = run.folder(gimp, plugin, check)
    results = f"{home}/results.tap"
    hand = results + ".key"
    output = open(f"{home}/output", "w+", encoding="utf-8")
    process = run.start(
        gimp,
        home,
        run.check_call(gimp, results, "undo"),
        {"SFU_STANDIN_LOG": f"{home}/log", "SFU_STANDIN_STEP_MS": "70"},
        output,
        display,
        windows=True,
    )
    end = time.monotonic() + 550
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
        if not os.path.exists(hand):
            continue
        time.sleep(0.3)  # the menus come to know that there is something to undo
        key = open(hand, encoding="utf-8").read()
        # The image's window: its title has the size.
        windows = dialog.xdotool(display, "search", "--onlyvisible", "--name", "[0-9]+x[0-9]+")
        if not key or not windows:
            continue
        dialog.xdotool(display, "windowfocus", windows[-1])
        dialog.xdotool(display, "key", key)
        os.remove(hand)
    if process.poll() is None:
        process.kill()
    lines = open(results, encoding="utf-8").read().splitlines() if os.path.exists(results) else []
    if not lines or not lines[-1].startswith("1.."):
        output.seek(0)
        for line in output:
            print("#", line.rstrip())
        n = sum(bool(re.match(r"(not )?ok", line)) for line in lines)
        lines += [f"not ok {n + 1} - GIMP or the tests ended before their end", f"1..{n + 1}"]
    print("\n".join(lines))
    server.terminate()
    server.wait()
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
