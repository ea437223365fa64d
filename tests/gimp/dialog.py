#!/usr/bin/env python3
"""Opens the dialog of Refine in GIMP under Xvfb and uses it from the keyboard: prompt typed, Generate, Stop, Generate,
Add as Layer, Close.

usage: dialog.py GIMP PLUG-IN CHECK      as for run.py
"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import os
import shutil
import subprocess
import sys
import time

import run

SCRIPTS = {
    2: """(let* ((img (car (gimp-image-new 200 150 RGB))) (l (car (gimp-layer-new img 200 150 RGB-IMAGE "work" 100 LAYER-MODE-NORMAL))))
  (gimp-image-insert-layer img l 0 0) (gimp-drawable-fill l FILL-BACKGROUND)
  (plug-in-sfumato-refine RUN-INTERACTIVE img l "" "" "none" "" 0.4 0 7 -1 1 0 0 "")
  (let ((p (open-output-file "{0}")))
    (write (list (car (gimp-image-get-layers img)) (car (gimp-item-get-name (car (gimp-image-get-active-layer img))))) p)
    (close-output-port p)))""",
    3: """(let* ((img (car (gimp-image-new 200 150 RGB))) (l (car (gimp-layer-new img "work" 200 150 RGB-IMAGE 100 LAYER-MODE-NORMAL))))
  (gimp-image-insert-layer img l 0 0) (gimp-drawable-fill l FILL-BACKGROUND)
  (plug-in-sfumato-refine #:run-mode RUN-INTERACTIVE #:image img #:drawables (vector l))
  (let ((p (open-output-file "{0}")))
    (write (list (vector-length (car (gimp-image-get-layers img)))
                 (car (gimp-item-get-name (vector-ref (car (gimp-image-get-selected-layers img)) 0)))) p)
    (close-output-port p)))""",
}


def xdotool(display, *words):
    """The words that xdotool prints. A search finds nothing when any window is closed meanwhile: it is repeated."""
    while True:
        done = subprocess.run(
            ["xdotool", *words], env=dict(os.environ, DISPLAY=display), capture_output=True, text=True, check=False
        )
        if words[0] != "search" or "X Error" not in done.stderr:
            return done.stdout.split()


def screen():
    """A screen of its own: the server's process, and its name."""
    for _ in range(5):  # a server that starts at the same time may take the number first
        read, write = os.pipe()
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x900x24"],
            pass_fds=[write],
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as pipe:  # to the end of the line: the server ends when it cannot write all
            number = pipe.readline().strip()
        if number:
            break
        server.wait()
    return server, ":" + number


def wait(condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.3)
    return None


def begun(log):
    """How many runs the stand-in has begun; see standin.c."""
    return os.path.getsize(log + ".begun") if os.path.exists(log + ".begun") else 0


def main():
    gimp, plugin, check = sys.argv[1:4]
    print("1..5")
    if not shutil.which("Xvfb") or not shutil.which("xdotool"):
        for i in range(1, 6):
            print(f"ok {i} - dialog # SKIP no Xvfb or xdotool")
        return
    server, display = screen()
    home = run.folder(gimp, plugin, check)
    result, log = f"{home}/result", f"{home}/standin.log"
    env = {"SFU_STANDIN_LOG": log, "SFU_STANDIN_STEP_MS": "250"}
    output = open(f"{home}/output", "w+", encoding="utf-8")
    process = run.start(gimp, home, SCRIPTS[run.version(gimp)].format(result), env, output, display)

    def runs():
        return len(open(log, encoding="utf-8").readlines()) if os.path.exists(log) else 0

    def report(number, ok, name):
        print(f"{'ok' if ok else 'not ok'} {number} - {name}")

    window = wait(lambda: xdotool(display, "search", "--onlyvisible", "--name", "Sfumato"), 120)
    report(1, window, "the dialog opens")
    if window:
        time.sleep(2)
        xdotool(display, "windowfocus", window[-1])
        xdotool(display, "type", "--delay", "40", "a red door")
        xdotool(display, "key", "Return")  # Enter in the prompt generates
        started = wait(lambda: begun(log), 60)
        xdotool(display, "key", "Escape")  # stops
        time.sleep(2)
        report(2, started and runs() == 0 and process.poll() is None, "Esc stops the run and leaves the dialog open")
        xdotool(display, "key", "Return")
        report(3, wait(lambda: runs() == 3, 40), "Enter generates again after a stop, three variants")
        time.sleep(2)
        xdotool(display, "key", "alt+a")  # Add as Layer
        time.sleep(2)
        xdotool(display, "key", "Escape")
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
    text = open(result, encoding="utf-8").read() if os.path.exists(result) else ""
    report(4, text.startswith("(2 "), f"the result is one more layer: {text}")
    report(5, "a red door" in text, "it is active and has the prompt's name")
    if "a red door" not in text:
        output.seek(0)
        for line in output:
            print("#", line.rstrip())
    server.terminate()
    server.wait()
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
