#!/usr/bin/env python3
"""Runs a program on a screen of its own (Xvfb), and passes its TAP on. usage: dialogs.py PROGRAM"""
# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import os
import shutil
import subprocess
import sys
import tempfile

import dialog


def main():
    if not shutil.which("Xvfb"):
        print("1..0 # SKIP no Xvfb")
        return 0
    server, display = dialog.screen()
    # No bus: nothing is to be asked of the user's own session.
    cache = tempfile.mkdtemp(prefix="sfumato-dialogs-")
    env = dict(os.environ, DISPLAY=display, NO_AT_BRIDGE="1", LC_ALL="C.UTF-8", LANGUAGE="", XDG_CACHE_HOME=cache)
    try:
        return subprocess.run([sys.argv[1]], env=env, check=False, timeout=280).returncode
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(cache, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
