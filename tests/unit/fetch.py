#!/usr/bin/env python3
"""Drives sfumato-fetch against a web server on this machine that can break off, lie about sizes, change the file,
refuse, or know no ranges. TAP. fetch.py SFUMATO_FETCH CATALOGUE"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import atexit
import hashlib
import http.server
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import tap

FETCH, CATALOGUE = sys.argv[1], sys.argv[2]
TMP = pathlib.Path(tempfile.mkdtemp(prefix="sfumato-fetch-"))
atexit.register(shutil.rmtree, TMP, ignore_errors=True)
PIECE = 8 << 20
random.seed(5)
BIG, SMALL = random.randbytes(2 * PIECE + 12345), random.randbytes(1000)
OTHER = bytes(BIG[:-1]) + bytes([BIG[-1] ^ 1])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    mode, seen, served, slow = "", [], 0, 0

    def log_message(self, *args):
        pass

    def do_GET(self):
        cls = Handler
        cls.seen.append((self.path, self.headers.get("Range")))
        data = {"/big": BIG, "/small": SMALL}.get(self.path.split("?")[0])
        mode = cls.mode
        if mode.isdigit() or data is None:
            self.send_response(int(mode) if mode.isdigit() else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if mode == "redirect":
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if mode == "changed":
            data = OTHER
        if mode == "grown":
            data = data + b"more"
        wanted = self.headers.get("Range")
        start, end = 0, len(data) - 1
        ranged = wanted and mode != "no-ranges"
        if ranged:
            a, b = wanted.removeprefix("bytes=").split("-")
            start, end = int(a), min(int(b), len(data) - 1)
        body = data[start : end + 1]
        self.send_response(206 if ranged else 200)
        if ranged:
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
        self.send_header("Content-Length", str(len(body)))
        if mode == "breaks" and cls.served < 3:
            self.send_header("Connection", "close")
        self.end_headers()
        try:
            if mode == "breaks" and cls.served < 3:  # half of it, then the connection goes
                cls.served += 1
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
                return
            if mode == "always-breaks":
                self.wfile.write(body[:100])
                self.close_connection = True
                return
            for i in range(0, len(body), 1 << 18):
                self.wfile.write(body[i : i + (1 << 18)])
                if cls.slow:
                    time.sleep(cls.slow)
        except (BrokenPipeError, ConnectionResetError):
            pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *args: None  # clients that hang up are part of the test
threading.Thread(target=server.serve_forever, daemon=True).start()
BASE = f"http://127.0.0.1:{server.server_port}"


def sha(data):
    return hashlib.sha256(data).hexdigest()


def catalogue(path="m.safetensors", data=BIG, url=None, **more):
    file = {"url": url or BASE + "/big", "path": path, "sha256": sha(data), "bytes": len(data)}
    file.update(more)
    file = {k: v for k, v in file.items() if v is not None}
    to = TMP / "catalogue.json"
    to.write_text(json.dumps({"models": [{"name": "m", "license": "MIT", "tasks": ["inpaint"], "files": [file]}]}))
    return to


def fetch(*words, folder, cat=None, env=None, limit=None, wait=True):
    e = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "SFUMATO_MIRROR"}
    command = [FETCH, *words, "--folder", str(folder), "--catalogue", str(cat or TMP / "catalogue.json")]
    before = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
    p = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(e, **(env or {})),
        preexec_fn=before,
    )
    if not wait:
        return p
    p.out, p.err = p.communicate(timeout=100)
    return p


def case(name):
    """A case that is given a folder for models, and a server that has forgotten the last one."""

    def wrap(fn):
        @tap.case(name)
        def _():
            Handler.mode, Handler.seen, Handler.served, Handler.slow = "", [], 0, 0
            fn(TMP / f"models-{tap.count}")

    return wrap


def refused(p, *words, status=1):
    assert p.returncode == status, (p.returncode, p.err)
    last = p.err.strip().splitlines()[-1]
    assert last.startswith("sfumato-fetch: "), p.err
    for w in words:
        assert w in last, (w, last)


def whole(folder, path="m.safetensors", data=BIG):
    assert (folder / path).read_bytes() == data
    assert not list(folder.rglob(".*")), list(folder.rglob(".*"))


@case("a file arrives in pieces over several connections and appears only when it is whole")
def _(folder):
    catalogue("sub/m.safetensors")
    p = fetch("get", "m", folder=folder)
    assert p.returncode == 0, p.err
    whole(folder, "sub/m.safetensors")
    assert len(Handler.seen) == 3 and len({r for _, r in Handler.seen}) == 3, Handler.seen
    Handler.seen = []
    assert fetch("get", "m", folder=folder).returncode == 0 and not Handler.seen  # it is there already


@case("a small file, and one whose size the catalogue does not know")
def _(folder):
    catalogue(data=SMALL, url=BASE + "/small", bytes=None)
    assert fetch("get", "m", folder=folder).returncode == 0
    whole(folder, data=SMALL)


@case("broken connections are taken up where they ended")
def _(folder):
    Handler.mode = "breaks"
    catalogue()
    p = fetch("get", "m", folder=folder)
    assert p.returncode == 0, p.err
    whole(folder)


@case("a server that always breaks off is given up after some tries, and a later call goes on")
def _(folder):
    catalogue()
    Handler.slow = 0.05
    p = fetch("get", "m", "--json", folder=folder, wait=False)
    for line in p.stdout:
        if json.loads(line).get("done", 0) > PIECE:
            break
    p.send_signal(signal.SIGTERM)
    p.err = p.communicate(timeout=30)[1]
    refused(p, "kept", status=130)
    assert not (folder / "m.safetensors").exists()
    Handler.slow, Handler.seen = 0, []
    assert fetch("get", "m", folder=folder).returncode == 0
    whole(folder)
    assert len(Handler.seen) < 3, Handler.seen  # at least one piece had arrived


@case("a server without ranges sends all at once")
def _(folder):
    Handler.mode = "no-ranges"
    catalogue()
    p = fetch("get", "m", folder=folder)
    assert p.returncode == 0, p.err
    whole(folder)


@case("statuses: login, gone, refused, overloaded, each in words; nothing is left")
def _(folder):
    catalogue()
    for mode, word in (
        ("401", "license"),
        ("403", "license"),
        ("404", "no longer there"),
        ("400", "refused"),
        ("503", "try again later"),
    ):
        Handler.mode = mode
        refused(fetch("get", "m", folder=folder), word, mode)
        assert not (folder / "m.safetensors").exists()


@case("another size, another content: said, discarded, and an old file stays")
def _(folder):
    folder.mkdir()
    (folder / "m.safetensors").write_bytes(b"old")
    catalogue()
    Handler.mode = "grown"
    refused(fetch("get", "m", folder=folder), "another file")
    Handler.mode = "changed"
    refused(fetch("get", "m", folder=folder), "SHA-256")
    assert (folder / "m.safetensors").read_bytes() == b"old" and not list(folder.glob(".*.state"))
    Handler.mode = ""
    assert fetch("get", "m", folder=folder).returncode == 0
    whole(folder)


@case("a redirect to plain http is refused")
def _(folder):
    catalogue()
    Handler.mode = "redirect"
    refused(fetch("get", "m", folder=folder), "not safe")


@case("catalogues that would write elsewhere or ask unsafe addresses are refused")
def _(folder):
    outside = TMP / "outside"
    for path in ("../outside/x", "/etc/x", "a/../../x", ".hidden", "a//b", "a\\b", "c:x", "", "x\ny"):
        refused(fetch("get", "m", folder=folder, cat=catalogue(path)), "outside")
    for url in (
        "http://example.org/x",
        "ftp://example.org/x",
        "file:///etc/passwd",
        "https://user:pw@example.org/x",
        "https://",
        "x",
    ):
        refused(fetch("get", "m", folder=folder, cat=catalogue(url=url)), "https")
    refused(fetch("get", "m", folder=folder, cat=catalogue(sha256="00")), "SHA-256")
    folder.mkdir(exist_ok=True)
    outside.mkdir()
    (folder / "sub").symlink_to(outside)
    refused(fetch("get", "m", folder=folder, cat=catalogue("sub/m")), "leads out")
    (folder / ".m.safetensors.part").symlink_to(outside / "victim")
    refused(fetch("get", "m", folder=folder, cat=catalogue()), ".part")
    assert not list(outside.iterdir())


@case("broken catalogues: one sentence")
def _(folder):
    bad = TMP / "bad.json"
    for text in (
        "",
        "[]",
        "{}",
        '{"models": 3}',
        '{"models": [3]}',
        '{"models": [{"name": "m"}]}',
        "[" * 100000,
        '{"models": [{"name": "m", "license": "MIT"}]}',
        '{"models": [{"name": "m", "license": "MIT", "files": [3]}]}',
        '{"models": [{"name": "../m", "license": "MIT", "files": []}]}',
    ):
        bad.write_text(text)
        refused(fetch("list", folder=folder, cat=bad))
    refused(fetch("list", folder=folder, cat=TMP / "none.json"), "catalogue")
    catalogue()
    refused(fetch("get", "other", folder=folder), '"other"')


@case("no connection; no name")
def _(folder):
    catalogue(url="http://127.0.0.1:1/big")
    refused(fetch("get", "m", folder=folder), "cannot be reached")
    catalogue(url="https://nowhere.invalid/big")
    refused(fetch("get", "m", folder=folder), "online")


@case("the plug-in's windows show its sentences in their language")
def _(folder):
    if not shutil.which("msgfmt"):
        return "needs msgfmt"
    messages = folder / "locale/de/LC_MESSAGES"
    messages.mkdir(parents=True)
    po = pathlib.Path(__file__).resolve().parents[2] / "ui/po/de.po"
    subprocess.run(["msgfmt", "-o", messages / "sfumato.mo", po], check=True)
    catalogue(url="http://127.0.0.1:1/big")
    german = {"LC_ALL": "C.UTF-8", "LANGUAGE": "de"}
    refused(fetch("get", "m", folder=folder, env=german), "cannot be reached")
    refused(fetch("get", "m", folder=folder, env={**german, "SFUMATO_LOCALE": str(folder / "locale")}), "nicht zu err")
    return None


@case("a full disk, an unwritable folder")
def _(folder):
    catalogue()
    p = fetch("get", "m", folder=folder, limit=PIECE + 1)
    refused(p, "cannot be written")
    assert not (folder / "m.safetensors").exists()
    plain = TMP / "plain"
    plain.write_text("a file, not a folder")
    refused(fetch("get", "m", folder=plain), "plain")


@case("two at once: the second waits for nobody and says so")
def _(folder):
    catalogue()
    Handler.slow = 0.02
    first = fetch("get", "m", folder=folder, wait=False)
    while not Handler.seen:
        time.sleep(0.02)
    refused(fetch("get", "m", folder=folder), "another process")
    first.communicate(timeout=60)
    assert first.returncode == 0
    whole(folder)


@case("a mirror: a folder, or an address in place of the host")
def _(folder):
    mirror = TMP / "mirror"
    mirror.mkdir()
    catalogue(url="https://example.invalid/big")
    refused(fetch("get", "m", folder=folder, env={"SFUMATO_MIRROR": str(mirror)}), "mirror")
    (mirror / "m.safetensors").write_bytes(OTHER)
    refused(fetch("get", "m", folder=folder, env={"SFUMATO_MIRROR": str(mirror)}), "SHA-256")
    (mirror / "m.safetensors").write_bytes(BIG)
    assert fetch("get", "m", folder=folder, env={"SFUMATO_MIRROR": str(mirror)}).returncode == 0
    whole(folder)
    (folder / "m.safetensors").unlink()
    assert fetch("get", "m", "--mirror", BASE + "/", folder=folder).returncode == 0
    whole(folder)


@case("remove deletes the file and what was left of a download")
def _(folder):
    catalogue("sub/m.safetensors")
    assert fetch("get", "m", folder=folder).returncode == 0
    (folder / "sub" / ".m.safetensors.part").write_bytes(b"x")
    assert fetch("remove", "m", folder=folder).returncode == 0
    assert not (folder / "sub").exists()


@case("remove leaves a file that another model needs")
def shared(folder):
    models = [
        {
            "name": name,
            "license": "MIT",
            "tasks": [],
            "files": [
                {"url": BASE + "/small", "path": path, "sha256": sha(SMALL), "bytes": len(SMALL)}
                for path in (f"{name}.gguf", "text/shared.gguf")
            ],
        }
        for name in ("one", "two", "three")
    ]
    (TMP / "catalogue.json").write_text(json.dumps({"models": models}))
    assert fetch("get", "one", "two", folder=folder).returncode == 0
    p = fetch("remove", "one", folder=folder)
    assert p.returncode == 0 and "shared.gguf, which two needs" in p.out, p.out
    assert not (folder / "one.gguf").exists() and (folder / "text/shared.gguf").exists()
    assert fetch("remove", "two", folder=folder).returncode == 0  # "three" is not there
    assert not (folder / "text").exists()


@case("every sentence that GIMP's windows show is in their language")
def _(folder):
    po = pathlib.Path(__file__).resolve().parents[2] / "ui/po/de.po"
    to = TMP / "locale/de/LC_MESSAGES"
    if not shutil.which("msgfmt"):
        return
    to.mkdir(parents=True)
    subprocess.run(["msgfmt", "-o", to / "sfumato.mo", po], check=True)
    german = {"SFUMATO_LOCALE": str(TMP / "locale"), "LANGUAGE": "de", "LC_ALL": "C.UTF-8"}
    catalogue(bytes=1)
    refused(fetch("get", "m", folder=folder, env=german), "der Katalog sagt 1")
    catalogue(path="../m.safetensors")
    refused(fetch("get", "m", folder=folder, env=german), "würde außerhalb des Modellordners schreiben")
    catalogue(sha256=None)
    refused(fetch("list", folder=folder, env=german), "eine Datei ohne SHA-256")
    catalogue()
    refused(fetch("get", "nobody", folder=folder, env=german), "Der Katalog hat kein Modell »nobody«")
    refused(fetch("get", "m", folder="/proc/nowhere", env=german), "kann nicht angelegt werden")
    refused(fetch("get", "m", folder=folder, env=dict(german, SFUMATO_MIRROR="/nowhere")), "des Spiegels")
    refused(fetch("list", folder=folder, cat="/nowhere", env=german), "Der Katalog kann nicht gelesen werden")


@case("the shipped catalogue: licenses, hashes, https; what is non-commercial says so")
def _(folder):
    p = fetch("list", "--json", folder=folder, cat=CATALOGUE)
    assert p.returncode == 0, p.err
    rows = [json.loads(line) for line in p.out.splitlines()]
    assert len(rows) > 5 and all(r["license"] and r["license_url"].startswith("https://") for r in rows)
    assert len({r["name"] for r in rows}) == len(rows)
    raw = json.loads(pathlib.Path(CATALOGUE).read_text())["models"]
    assert all(f["url"].startswith("https://") for m in raw for f in m["files"])
    assert not any(m["non_commercial"] != ("commercial" in m["license"].lower()) for m in raw)
    assert fetch("list", folder=folder, cat=CATALOGUE).out.count("license: ") == len(rows)


tap.end()
