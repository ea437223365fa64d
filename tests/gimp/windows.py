#!/usr/bin/env python3
"""Uses Sfumato as a person does, in GIMP with its windows under Xvfb: keys set as shortcuts, the mouse wheel over the
controls, Esc with results that were not added, what was kept, canceling in GIMP's own window, and Help.

usage: windows.py GIMP PLUG-IN CHECK      GIMP: the program with windows; the others as for run.py
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

FILL, REMOVE, REFINE = "F9", "F7", "F4"  # F6 and F8 never arrive: GIMP's own panes take them
# With xkb-data 2.48 (Debian unstable), xdotool presses Alt with a function key of this name.
F_KEYCODES = {"F4": 70, "F7": 73, "F9": 75}
N_TESTS = 15
BUSY = 100  # seconds to wait on a busy machine

# An image of which a part is selected, in a window.
SCENES = {
    2: """(let* ((img (car (gimp-image-new 200 150 RGB)))
       (l (car (gimp-layer-new img 200 150 RGB-IMAGE "work" 100 LAYER-MODE-NORMAL))))
  (gimp-image-insert-layer img l 0 0) (gimp-drawable-fill l FILL-BACKGROUND)
  (gimp-image-select-rectangle img CHANNEL-OP-REPLACE 60 40 50 40)
  (gimp-display-new img))""",
    3: """(let* ((img (car (gimp-image-new 200 150 RGB)))
       (l (car (gimp-layer-new img "work" 200 150 RGB-IMAGE 100 LAYER-MODE-NORMAL))))
  (gimp-image-insert-layer img l 0 0) (gimp-drawable-fill l FILL-BACKGROUND)
  (gimp-image-select-rectangle img CHANNEL-OP-REPLACE 60 40 50 40)
  (gimp-display-new img))""",
}


def set_shortcuts(gimp, home):
    keys = {"fill": FILL, "remove": REMOVE, "refine": REFINE}
    if run.version(gimp) >= 3:
        text = "(file-version 1)\n" + "".join(
            f'(action "plug-in-sfumato-{name}" "{key}")\n' for name, key in keys.items()
        )
        path = f"{home}/shortcutsrc"
    else:
        text = "".join(
            f'(gtk_accel_path "<Actions>/plug-in/plug-in-sfumato-{name}" "{key}")\n' for name, key in keys.items()
        )
        path = f"{home}/menurc"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    with open(f"{home}/gimprc", "w", encoding="utf-8") as f:
        f.write("(show-tips no)\n(show-welcome-dialog no)\n" if run.version(gimp) >= 3 else "(save-accels no)\n")


def install_manual(home):
    """The manual beside the plug-in, and a browser that notes what it is to show. Returns the file with its notes."""
    manual = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "install", "doc")
    shutil.copytree(manual, f"{home}/plug-ins/sfumato/doc")
    notes, browser = f"{home}/shown", f"{home}/browser"
    with open(browser, "w", encoding="utf-8") as f:
        f.write(f'#!/bin/sh\necho "$1" >>"{notes}"\n')
    os.chmod(browser, 0o755)
    os.makedirs(f"{home}/data/applications")
    with open(f"{home}/data/applications/note.desktop", "w", encoding="utf-8") as f:
        f.write(f"[Desktop Entry]\nType=Application\nName=Note\nExec={browser} %u\nMimeType=text/html;\n")
    os.makedirs(f"{home}/config")
    with open(f"{home}/config/mimeapps.list", "w", encoding="utf-8") as f:
        f.write("[Default Applications]\ntext/html=note.desktop\n")
    return notes


class Screen:
    """GIMP's windows."""

    def __init__(self, display):
        self.display = display

    def xdotool(self, *words):
        return dialog.xdotool(self.display, *words)

    def find(self, name):
        """The window whose title matches, or None."""
        found = self.xdotool("search", "--onlyvisible", "--name", name)
        return found[-1] if found else None

    def wait(self, name, seconds=30):
        return dialog.wait(lambda: self.find(name), seconds)

    def wait_gone(self, name, seconds=30):
        return dialog.wait(lambda: not self.find(name), seconds)

    def title(self, name):
        return " ".join(self.xdotool("getwindowname", self.find(name) or "0"))

    def keys(self, window, *keys):
        self.xdotool("windowfocus", window)
        time.sleep(0.3)
        for key in keys:
            self.xdotool("key", re.sub(r"F\d+$", lambda f: str(F_KEYCODES[f[0]]), key))
            time.sleep(0.3)

    def answer(self, key, name, ask=None):
        """Presses the key until the window whose title matches has gone: a question comes late on a busy machine. ask:
        the key that brings the question, pressed each time before; where the question stands it takes it away."""

        def gone():
            if ask:
                self.keys(self.find(name) or "0", ask)
                time.sleep(1)
            self.xdotool("key", key)
            return self.wait_gone(name, 3)

        return dialog.wait(gone, BUSY)

    def click_from_end(self, window, right, bottom):
        """Clicks so many pixels from the window's lower right corner."""
        words = self.xdotool("getwindowgeometry", "--shell", window)
        size = dict(word.split("=") for word in words)
        self.xdotool(
            "mousemove",
            "--window",
            window,
            str(int(size["WIDTH"]) - right),
            str(int(size["HEIGHT"]) - bottom),
            "click",
            "1",
        )

    def n_layers(self):
        found = re.search(r"(\d+) layer", self.title("200x150"))
        return int(found.group(1)) if found else 0

    def shot(self, name):
        folder = os.environ.get("SFU_SHOTS")
        if folder:
            env = dict(os.environ, DISPLAY=self.display)
            subprocess.run(["import", "-window", "root", f"{folder}/{name}.png"], env=env, check=False)


def main():
    gimp, plugin, check = sys.argv[1:4]
    print(f"1..{N_TESTS}")
    if not shutil.which("Xvfb") or not shutil.which("xdotool"):
        for i in range(1, N_TESTS + 1):
            print(f"ok {i} - windows # SKIP no Xvfb or xdotool")
        return
    server, display = dialog.screen()
    home = run.folder(gimp, plugin, check)
    set_shortcuts(gimp, home)
    notes = install_manual(home)
    log = f"{home}/standin.log"
    number = 0

    def report(ok, name):
        nonlocal number
        number += 1
        print(f"{'ok' if ok else 'not ok'} {number} - {name}", flush=True)
        screen.shot(f"gimp{run.version(gimp)}-{number}")

    def runs():
        return open(log, encoding="utf-8").read().splitlines() if os.path.exists(log) else []

    def begun():
        return dialog.begun(log)

    screen = Screen(display)
    output = open(f"{home}/output", "w+", encoding="utf-8")
    env = {"SFU_STANDIN_LOG": log, "SFU_STANDIN_STEP_MS": "150", "XDG_DATA_HOME": f"{home}/data"}
    process = run.start(gimp, home, SCENES[run.version(gimp)], env, output, display, windows=True, stays=True)
    try:
        image = screen.wait("200x150", 120)
        time.sleep(3)  # the menus
        if image:
            walk(screen, image, runs, begun, report)
            ask_for_help(screen, image, notes, report)
            choose_from_menu(screen, image, run.version(gimp), report)
    finally:
        while number < N_TESTS:
            report(False, "not reached")
        process.kill()
        process.wait()
        output.seek(0)
        for line in output.read().splitlines()[-20:]:
            print("#", line)
        server.terminate()
        server.wait()
        shutil.rmtree(home, ignore_errors=True)


def without_seed(line):
    return re.sub(r"seed \d+", "", line)


def walk(screen, image, runs, begun, report):
    screen.keys(image, "Tab")  # without docks, the status bar is as wide as the window
    screen.keys(image, FILL)
    fill = screen.wait("Sfumato: Fill", BUSY)
    report(fill, f"{FILL}, set as shortcut, opens Fill Selection")
    if not fill:
        return
    make_variants(screen, image, fill, runs, begun, report)
    add_what_was_kept(screen, image, runs, report)
    remove_and_cancel(screen, image, runs, begun, report)
    type_after_settings(screen, image, runs, report)
    search(screen, image, report)


def make_variants(screen, image, fill, runs, begun, report):
    """Three times three variants, which are kept when the dialog closes."""
    screen.keys(fill, "alt+g")
    report(dialog.wait(lambda: len(runs()) == 3, BUSY), "Generate makes three variants")
    time.sleep(1)
    for y in range(60, 620, 9):  # over every control of the panel, wherever it stands
        screen.xdotool("mousemove", "--window", fill, "130", str(y), "click", "5", "click", "4", "click", "5")
    screen.keys(fill, "alt+g")
    dialog.wait(lambda: len(runs()) == 6, BUSY)
    lines = [without_seed(line) for line in runs()]
    report(len(lines) == 6 and len(set(lines)) == 1, "the wheel over the controls changes none of them")
    if len(set(lines)) != 1:
        print("#", "\n# ".join(runs()))

    n_begun = begun()
    screen.keys(fill, "alt+g")
    started = dialog.wait(lambda: begun() > n_begun, BUSY)
    screen.keys(image, "Escape")
    report(
        started and dialog.wait(lambda: len(runs()) == 9, BUSY) and screen.find("Sfumato: Fill"),
        "Esc in GIMP's window stops no run of the dialog",
    )
    time.sleep(3)
    screen.keys(fill, "Escape")
    time.sleep(1)
    report(screen.find("Sfumato: Fill"), "Esc asks about results that were not added, and closes nothing")
    report(screen.answer("alt+k", "Sfumato: Fill") and screen.n_layers() == 1, "Keep closes the dialog, adds nothing")


def add_what_was_kept(screen, image, runs, report):
    screen.keys(image, FILL)
    screen.wait("Sfumato: Fill", BUSY)
    end = time.monotonic() + BUSY
    fill = screen.find("Sfumato: Fill")
    while fill and time.monotonic() < end:  # until what was kept has been read
        screen.keys(fill, "alt+l")
        time.sleep(2)
        fill = screen.find("Sfumato: Fill")
    report(
        dialog.wait(lambda: screen.n_layers() == 2, BUSY) and len(runs()) == 9,
        "what was kept is there again, and is added without another run",
    )


def remove_and_cancel(screen, image, runs, begun, report):
    n_layers, n_runs = screen.n_layers(), len(runs())
    screen.keys(image, REMOVE)
    report(dialog.wait(lambda: screen.n_layers() == n_layers + 1 and len(runs()) == n_runs + 1, BUSY), "Remove")
    screen.keys(image, "ctrl+z")
    dialog.wait(lambda: screen.n_layers() == n_layers, BUSY)
    n_begun = begun()
    screen.keys(image, REMOVE)
    started = dialog.wait(lambda: begun() > n_begun, BUSY)
    end = time.monotonic() + 4
    while time.monotonic() < end:  # the status bar's end, where Cancel stands in a run
        screen.click_from_end(image, 40, 22)
        time.sleep(0.1)
    report(
        started and len(runs()) == n_runs + 1 and screen.n_layers() == n_layers and screen.find("200x150"),
        "Cancel in the status bar ends the run and changes nothing",
    )
    screen.keys(image, REMOVE)
    report(dialog.wait(lambda: screen.n_layers() == n_layers + 1, BUSY), "the next Remove works")


def search(screen, image, report):
    """GIMP's search for actions, by words of the field."""
    found = []
    for word, title in (("outpaint", "Sfumato: Expand"), ("upscale", "Sfumato: Enlarge")):
        screen.keys(image, "slash")
        actions = screen.wait("Search Actions")
        screen.xdotool("windowfocus", actions or image)
        time.sleep(1)
        screen.xdotool("type", "--delay", "90", word)
        time.sleep(2)
        screen.xdotool("key", "Return")
        dialog_window = screen.wait(title, 60)
        found.append(dialog_window)
        if dialog_window:
            screen.keys(dialog_window, "Escape")
            screen.wait_gone(title)
    report(all(found), "the action search finds Expand by 'outpaint' and Enlarge by 'upscale'")


def ask_for_help(screen, image, notes, report):
    """Help opens the page of the action whose dialog it is in."""
    screen.keys(image, REFINE)
    refine = screen.wait("Sfumato: Refine", BUSY)
    screen.keys(refine or image, "alt+h")

    def pages():
        return open(notes, encoding="utf-8").read().split() if os.path.exists(notes) else []

    dialog.wait(pages, BUSY)
    ok = len(pages()) == 1 and re.match(r"(file://)?/.*/plug-ins/sfumato/doc/refine.html$", pages()[0])
    report(ok, "Help opens the manual at the action's page")
    if not ok:
        print("#", pages())
    screen.keys(refine or image, "Escape")
    screen.wait_gone("Sfumato: Refine")


# Keys that lead from the open menu Filters to Filters > Sfumato, and which entries open which dialog, from 0.
MENU_KEYS = {2: ["Up"] * 3, 3: ["Up"]}
MENU_PLACES = {
    2: {0: "Fill Selection", 2: "Edit by Words", 4: "Expand"},  # GIMP 2.10 sorts what comes after Remove
    3: {0: "Fill Selection", 2: "Expand", 5: "Enlarge", 7: "Edit by Words", 9: "Restore", 12: "Models and Settings"},
}


def choose_from_menu(screen, image, version, report):
    """Fill and Remove come first in the menu; in GIMP 3 every entry has its place."""
    wrong = []
    for place, title in MENU_PLACES[version].items():
        screen.keys(image, "alt+r", *MENU_KEYS[version], "Right", *["Down"] * place, "Return")
        opened = screen.wait("Sfumato: " + title, 40)
        if not opened:
            wrong.append(title)
        screen.keys(opened or image, "Escape")
        screen.wait_gone("Sfumato: " + title)
    report(not wrong, "the menu is in the order of use")
    if wrong:
        print("# not in its place:", ", ".join(wrong))


def type_after_settings(screen, image, runs, report):
    """What is typed after Settings must not reach GIMP, where each letter is a shortcut."""
    n_runs = len(runs())
    screen.keys(image, REFINE)
    refine = screen.wait("Sfumato: Refine", BUSY)
    time.sleep(2)  # until the models are found
    for answer in ("Escape", "alt+s"):  # canceled, and saved
        screen.keys(refine or image, "alt+s")
        screen.wait("Models and Settings", BUSY)
        time.sleep(1)
        screen.xdotool("key", answer)
        screen.wait_gone("Models and Settings")
        time.sleep(1)
        screen.xdotool("type", "--delay", "60", "red bench ")
    screen.xdotool("key", "alt+g")
    ok = dialog.wait(lambda: len(runs()) > n_runs, BUSY) and runs()[n_runs].endswith("prompt red bench red bench")
    report(ok, "what is typed after Settings is in the dialog")
    if not ok:
        print("#", "\n# ".join(runs()[n_runs:]))
    screen.keys(refine or image, "Escape")  # stops
    closed = screen.answer("alt+d", "Sfumato: Refine", ask="Escape")
    report(closed and screen.find("200x150"), "Discard closes the dialog, GIMP goes on")


if __name__ == "__main__":
    main()
