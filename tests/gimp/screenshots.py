#!/usr/bin/env python3
"""Makes the pictures of dialogs in README and manual: drives GIMP under Xvfb with the plug-in of a build. What needs a
large model is shown before a run, with the tests' stand-in engine; everything else is made by the model in the box.

usage: screenshots.py BUILD [NAME ...]     NAME: of a picture, without .png (default: all that this build's GIMP shows)

Needs Xvfb, xdotool, ImageMagick, pngquant, openbox (for title bars) and gtk2-engines-pixbuf (for the theme of GIMP
2.10). Look at every picture before it is committed. For the pictures of GIMP 3 run it where GIMP 3 is, for instance in
the folder of run-gimp3.
"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import os
import shutil
import subprocess
import sys
import time

import dialog
import run
import windows

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEY = "F9"  # opens the action of the picture
LARGEST = 200_000  # bytes of a picture
MAST = (414, 97, 78, 303)  # ellipse around what is removed from rocket.jpg: x, y, width, height
WAITING = 180  # seconds at most for a run, and for the compiler before it


class Picture:
    """gimp: the version; action: what is opened; photograph: of install/pictures; title: of the window that is shown;
    keys: pressed in it, typed ("type: TEXT"), or a click so far from the lower right corner ("click: X Y");
    large: models that the box does not have; selection: an ellipse.
    """

    def __init__(self, gimp, action, photograph, title, keys=(), large=False, selection=None):
        self.gimp, self.action, self.photograph, self.title = gimp, action, photograph, title
        self.keys, self.large, self.selection = keys, large, selection


def before_run(action, title, words=None):
    """A dialog that needs a large model."""
    return Picture(2, action, "chelsea.jpg", "Sfumato: " + title, [f"type: {words}"] if words else [], large=True)


SHOTS, MANUAL = "install/screenshots/", "install/doc/pictures/"
PICTURES = {
    SHOTS + "gimp-2.10-remove": Picture(2, "remove", "rocket.jpg", "2 layers", selection=MAST),
    SHOTS
    + "gimp-2.10-enlarge": Picture(
        2, "enlarge", "chelsea.jpg", "Sfumato: Enlarge", ["alt+e", "alt+o", "click: 59 290"]
    ),
    SHOTS + "gimp-2.10-models": Picture(2, "settings", "chelsea.jpg", "Models and Settings", ["ctrl+Page_Down"]),
    SHOTS + "gimp-3.0-fill": Picture(3, "fill", "rocket.jpg", "Sfumato: Fill", ["alt+g", "alt+o"], selection=MAST),
    MANUAL + "edit-dialog": before_run("edit", "Edit by Words", "make it winter"),
    MANUAL + "expand-dialog": Picture(2, "expand", "chelsea.jpg", "Sfumato: Expand"),
    MANUAL + "generate-dialog": before_run("generate", "Generate", "a lighthouse at dusk"),
    MANUAL + "refine-dialog": before_run("refine", "Refine", "sharp fur"),
    MANUAL + "restore-dialog": before_run("restore", "Restore"),
    MANUAL + "restyle-dialog": before_run("restyle", "Restyle"),
    MANUAL + "seamless-dialog": before_run("seamless", "Seamless Texture", "moss on a wall"),
}

SCENES = {
    2: """(let* ((img (car (gimp-file-load RUN-NONINTERACTIVE "{0}" "{0}"))))
  {1}
  (gimp-display-new img))""",
    3: """(let* ((img (car (gimp-file-load RUN-NONINTERACTIVE "{0}"))))
  (gimp-image-set-file img "{0}.xcf") ; else it has no name
  {1}
  (gimp-display-new img))""",
}


def start_gimp(gimp, home, build, picture, display):
    version = run.version(gimp)
    key = (
        f'(action "plug-in-sfumato-{picture.action}" "{KEY}")'
        if version >= 3
        else (f'(gtk_accel_path "<Actions>/plug-in/plug-in-sfumato-{picture.action}" "{KEY}")')
    )
    with open(f"{home}/{'shortcutsrc' if version >= 3 else 'menurc'}", "w", encoding="utf-8") as f:
        f.write(("(file-version 1)\n" if version >= 3 else "") + key + "\n")
    with open(f"{home}/gimprc", "a", encoding="utf-8") as f:
        f.write("(show-tips no)\n(show-welcome-dialog no)\n" if version >= 3 else "(save-accels no)\n")
    select = "(gimp-image-select-ellipse img CHANNEL-OP-REPLACE {} {} {} {})".format(*picture.selection or (0, 0, 0, 0))
    script = SCENES[version].format(f"{TOP}/install/pictures/{picture.photograph}", picture.selection and select or "")
    with open(f"{home}/gtkrc", "w", encoding="utf-8") as f:
        f.write("gtk-cursor-blink = 0\n")
    os.makedirs(f"{home}/config/gtk-3.0")
    with open(f"{home}/config/gtk-3.0/settings.ini", "w", encoding="utf-8") as f:
        f.write("[Settings]\ngtk-cursor-blink = 0\n")
    env = {
        "SFUMATO_MODELS": f"{TOP}/install/models",
        "SFUMATO_FETCH": f"{build}/install/fetch/sfumato-fetch",
        "XDG_DATA_HOME": f"{home}/data",
        "XDG_CACHE_HOME": os.path.expanduser("~/.cache"),  # what is compiled already shows the usual time
    }
    return run.start(gimp, home, script, env, subprocess.DEVNULL, display, windows=True, stays=True, bare=False)


def shot(screen, window, path):
    """The window with its frame. Returns the bytes of the file."""
    env = dict(os.environ, DISPLAY=screen.display)
    subprocess.run(["import", "-frame", "-window", window, path], env=env, check=True)
    with open(path, "rb") as f:
        return f.read()


def wait_until_still(screen, window, path, seconds):
    """Until the window has looked the same for so long: a run, and the compiler before it, have ended."""
    end, last, since = time.monotonic() + WAITING, None, 0
    while time.monotonic() < end:
        now = shot(screen, window, path)
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > seconds:
            return
        time.sleep(0.5)
    sys.exit(f"{path}: the window does not come to rest")


def make(gimp, build, name, picture):
    version = run.version(gimp)
    plugin = (
        f"{build}/tests/gimp/sfumato-standin-gimp{version}"
        if picture.large
        else (f"{build}/plugin/gimp{version}/sfumato")
    )
    server, display = dialog.screen()
    manager = subprocess.Popen(
        ["openbox"], env=dict(os.environ, DISPLAY=display), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    home = run.folder(gimp, plugin, f"{build}/tests/gimp/sfumato-check-gimp{version}")
    process = start_gimp(gimp, home, build, picture, display)
    screen = windows.Screen(display)
    path = f"{home}/picture.png"
    try:
        image = screen.wait("1 layer", 120)
        screen.xdotool("windowsize", image, "1270", "780")
        time.sleep(5)  # the menus
        welcome = screen.find("Welcome to GIMP")
        if welcome:
            screen.keys(welcome, "Escape")
        screen.keys(image, "e", KEY)  # as after a selection by hand
        window = screen.wait(picture.title, WAITING)
        if picture.title.startswith("Sfumato"):
            screen.xdotool("windowsize", window, "980", "660")
        if window == image:  # the border of its selection moves
            time.sleep(3)
            shot(screen, window, path)
        else:
            wait_until_still(screen, window, path, 3 if picture.large else 10)
        for key in picture.keys:
            if key.startswith("type: "):
                screen.xdotool("type", "--delay", "40", key[6:])
            elif key.startswith("click: "):
                screen.click_from_end(window, *map(int, key[7:].split()))
            else:
                screen.keys(window, key)
            wait_until_still(screen, window, path, 3 if picture.large else 10)
        subprocess.run(["pngquant", "--force", "--strip", "--skip-if-larger", "--output", path, path], check=False)
        if os.path.getsize(path) > LARGEST:
            sys.exit(f"{name}: {os.path.getsize(path)} bytes, more than {LARGEST}")
        shutil.copy(path, f"{TOP}/{name}.png")
        print(f"{name}.png: {os.path.getsize(path)} bytes")
    finally:
        for p in (process, manager, server):
            p.kill()
            p.wait()
        shutil.rmtree(home, ignore_errors=True)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build, names = os.path.abspath(sys.argv[1]), sys.argv[2:]
    for name, picture in PICTURES.items():
        programs = ["gimp-2.10"] if picture.gimp == 2 else ["gimp-3.0", "gimp-3.2"]
        gimp = next(filter(None, map(shutil.which, programs)), None)
        if gimp and os.path.exists(f"{build}/plugin/gimp{picture.gimp}/sfumato"):
            if not names or os.path.basename(name) in names:
                make(gimp, build, name, picture)


if __name__ == "__main__":
    main()
