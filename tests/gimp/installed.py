#!/usr/bin/env python3
"""Installs Sfumato into folders of the test's own, for all users (meson install with DESTDIR) and for one
(install-plugin.py), and asks GIMP whether it finds the plug-in there.

usage: installed.py GIMP BUILD SOURCE NAME PLUG-IN-FOLDER      NAME: gimp2 or gimp3; PLUG-IN-FOLDER: where meson install
puts the plug-in"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import glob
import os
import shutil
import subprocess
import sys
import tempfile

import run

# Script-Fu makes a function of every procedure that GIMP knows.
ASK = """(let ((p (open-output-file "{0}"))) (write (defined? 'plug-in-sfumato-enlarge) p) (close-output-port p))"""


def finds(gimp, home):
    """Whether GIMP knows the plug-in's procedure, with the given folder as its own."""
    answer = f"{home}/answer"
    process = run.start(gimp, home, ASK.format(answer))
    output, _ = process.communicate(timeout=250)
    text = open(answer, encoding="utf-8").read().strip() if os.path.exists(answer) else "no answer"
    if text != "#t":
        print("#", text, *output.splitlines(), sep="\n# ")
    return text == "#t"


def report(number, ok, name):
    print(f"{'ok' if ok else 'not ok'} {number} - {name}", flush=True)


def installed_files(folder, models):
    return (
        os.access(f"{folder}/sfumato", os.X_OK)
        and os.path.exists(f"{folder}/locale/de/LC_MESSAGES/sfumato.mo")
        and bool(glob.glob(f"{models}/sfumato/models/*/model_index.json"))
    )


def main():
    gimp, build, source, name, folder = sys.argv[1:6]
    print("1..4")
    root = tempfile.mkdtemp(prefix="sfumato-installed-")
    dest = f"{root}/dest"
    meson = subprocess.run(
        ["meson", "install", "-C", build, "--no-rebuild", "--quiet"],
        env=dict(os.environ, DESTDIR=dest),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    data = [os.path.dirname(p) for p in glob.glob(f"{dest}/**/share/sfumato", recursive=True)]
    ok = meson.returncode == 0 and bool(data) and installed_files(dest + folder, data[0])
    if not ok:
        print("#", *meson.stdout.splitlines()[-20:], sep="\n# ")
    report(1, ok, "meson install puts plug-in, catalogue and model under DESTDIR")
    home = f"{root}/home"
    os.makedirs(home)
    with open(f"{home}/gimprc", "w", encoding="utf-8") as f:
        f.write(f'(plug-in-path "{os.path.dirname(dest + folder)}:${{gimp_plug_in_dir}}/plug-ins")\n')
    report(2, finds(gimp, home), "GIMP finds what meson install has put there")

    env = dict(os.environ, XDG_CONFIG_HOME=f"{root}/config", XDG_DATA_HOME=f"{root}/data")
    for variable in ("GIMP2_DIRECTORY", "GIMP3_DIRECTORY"):
        env.pop(variable, None)
    user = subprocess.run(
        [sys.executable, f"{source}/install/install-plugin.py", "user", build, source],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    pattern = f"{root}/config/GIMP/{'2.10' if name == 'gimp2' else '3.*'}"
    homes = glob.glob(pattern)
    ok = user.returncode == 0 and len(homes) == 1 and installed_files(f"{homes[0]}/plug-ins/sfumato", f"{root}/data")
    if not ok:
        print("#", *user.stdout.splitlines(), sep="\n# ")
    report(3, ok, "install-plugin-user puts plug-in, catalogue and model into the user's folders")
    report(4, bool(homes) and finds(gimp, homes[0]), "GIMP finds what is in the user's folder")
    shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
