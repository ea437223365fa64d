#!/usr/bin/env python3
"""Puts the plug-in, its catalogues and the model in the box where GIMP and Sfumato look for them.

usage: install-plugin.py user BUILD SOURCE         into the user's GIMP folders (those of the GIMPs that it was built
for)
       install-plugin.py catalogues BUILD FOLDER   only the catalogues, beside an installed plug-in (respects DESTDIR)
"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import glob
import os
import shutil
import subprocess
import sys


def catalogues(build, folder):
    for mo in glob.glob(f"{build}/ui/po/*.mo"):
        language = os.path.basename(mo)[:-3]
        os.makedirs(f"{folder}/locale/{language}/LC_MESSAGES", exist_ok=True)
        shutil.copy(mo, f"{folder}/locale/{language}/LC_MESSAGES/sfumato.mo")


def gimp_folder(name):
    """The user's folder of the GIMP that the plug-in was built for: 2.10, 3.0, 3.2 ..."""
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    if name == "gimp2":
        return os.environ.get("GIMP2_DIRECTORY") or f"{config}/GIMP/2.10"
    version = subprocess.run(
        ["pkg-config", "--modversion", "gimp-3.0"], capture_output=True, text=True, check=True
    ).stdout
    return os.environ.get("GIMP3_DIRECTORY") or f"{config}/GIMP/{'.'.join(version.strip().split('.')[:2])}"


def user(build, source):
    for name in ("gimp2", "gimp3"):
        binary = f"{build}/plugin/{name}/sfumato"
        if not os.path.exists(binary):
            continue
        folder = f"{gimp_folder(name)}/plug-ins/sfumato"
        os.makedirs(folder, exist_ok=True)
        # A running GIMP may have the old one mapped: replace the name, not the contents.
        shutil.copy(binary, f"{folder}/sfumato.new")
        os.chmod(f"{folder}/sfumato.new", 0o755)
        os.replace(f"{folder}/sfumato.new", f"{folder}/sfumato")
        catalogues(build, folder)
        for part in ("doc", "screenshots"):  # the manual, which the Help buttons open
            shutil.copytree(
                f"{source}/install/{part}",
                f"{folder}/{part}",
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("*.py", "meson.build"),
            )
        # What the page "Get Models" runs, and what compiles kernels beside a job.
        for path in ("install/fetch/sfumato-fetch", "install/fetch/catalogue.json", "opencl/sfumato-compile"):
            helper = os.path.basename(path)
            if os.path.exists(f"{build}/{path}"):
                shutil.copy(f"{build}/{path}", f"{folder}/{helper}.new")
                os.replace(f"{folder}/{helper}.new", f"{folder}/{helper}")
        print(f"{folder}/sfumato")
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    for model in glob.glob(f"{source}/install/models/*/model_index.json"):
        folder = os.path.dirname(model)
        target = f"{data}/sfumato/models/{os.path.basename(folder)}"
        shutil.copytree(folder, target + ".new", dirs_exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(target + ".new", target)
        print(target)


if __name__ == "__main__":
    if sys.argv[1] == "user":
        user(sys.argv[2], sys.argv[3])
    else:
        catalogues(sys.argv[2], os.environ.get("DESTDIR", "") + sys.argv[3])
