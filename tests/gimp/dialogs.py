#!/usr/bin/env python3
"""Runs a program on a screen of its own (Xvfb), and passes its TAP on. usage: dialogs.py PROGRAM [SFUMATO_FETCH]

With sfumato-fetch there is a catalogue of models on a web server of this machine that breaks off, lies, changes a file
and refuses."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import hashlib
import http.server
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import dialog

DATA = random.Random(7).randbytes(24 << 20)
BROKEN = {"left": 2}  # requests that break off


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        what = self.path.strip("/")
        if what == "refused":
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = DATA[1:] + b"x" if what == "changed" else DATA + b"more" if what == "lies" else DATA
        start, end = (
            int(n) for n in (self.headers.get("Range") or f"bytes=0-{len(data) - 1}").removeprefix("bytes=").split("-")
        )
        end = min(end, len(data) - 1)
        self.send_response(206 if self.headers.get("Range") else 200)
        self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
        self.send_header("Content-Length", str(end + 1 - start))
        self.end_headers()
        try:
            for at in range(start, end + 1, 1 << 18):
                if what == "good" and BROKEN["left"] and at > start:
                    BROKEN["left"] -= 1
                    self.close_connection = True
                    return
                self.wfile.write(data[at : min(at + (1 << 18), end + 1)])
                if what == "good":
                    time.sleep(0.3)
        except (BrokenPipeError, ConnectionResetError):
            pass


def offer(base, name, **more):
    return {
        "name": name,
        "title": name.capitalize(),
        "summary": "A model",
        "family": "x",
        "license": "MIT",
        "license_url": "https://example.org/",
        "tasks": ["inpaint"],
        "non_commercial": False,
        "memory_bytes": 3 << 30,
        "tera_ops": 10,
        "files": [
            {
                "url": f"{base}/{name}",
                "path": f"{name}.safetensors",
                "sha256": hashlib.sha256(DATA).hexdigest(),
                "bytes": len(DATA),
            }
        ],
        **more,
    }


def program_with_server(fetch, folder):
    """A program that is sfumato-fetch with the catalogue and the folder of the test."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *args: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    models = [
        offer(base, "refused", tera_ops=50),
        offer(base, "good"),
        offer(base, "changed", tera_ops=40),
        offer(base, "lies", tera_ops=30),
        offer(base, "huge", memory_bytes=1 << 42, tera_ops=1),
        offer(base, "private", non_commercial=True, tera_ops=2),
        offer(base, "wordless", wordless=True, tera_ops=1),
        offer(base, "large", tasks=["upscale"], tera_ops=5),
    ]
    with open(f"{folder}/catalogue.json", "w", encoding="utf-8") as f:
        json.dump({"models": models}, f)
    path = f"{folder}/fetch"
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'#!/bin/sh\nexec "{fetch}" "$@" --catalogue "{folder}/catalogue.json" --folder "{folder}/models"\n')
    os.chmod(path, 0o755)
    return path


def main():
    if not shutil.which("Xvfb"):
        print("1..0 # SKIP no Xvfb")
        return 0
    server, display = dialog.screen()
    folder = tempfile.mkdtemp(prefix="sfumato-dialogs-")
    # No bus: nothing is to be asked of the user's own session, and GTK's file chooser saves nothing there.
    env = dict(
        os.environ,
        DISPLAY=display,
        NO_AT_BRIDGE="1",
        GSETTINGS_BACKEND="memory",
        LC_ALL="C.UTF-8",
        LANGUAGE="",
        XDG_CACHE_HOME=folder,
        no_proxy="127.0.0.1",
    )
    env.pop("SFUMATO_MIRROR", None)
    if len(sys.argv) > 2:
        env.update(SFUMATO_FETCH=program_with_server(sys.argv[2], folder), SFU_TEST_MODELS=f"{folder}/models")
    try:
        return subprocess.run([sys.argv[1]], env=env, check=False, timeout=280).returncode
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
