#!/usr/bin/env python3
"""Keeps ARCHITECTURE.md's rules: who may include whom, no circles of calls, no family named elsewhere. TAP."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import fnmatch
import pathlib
import re
import sys

TOP = pathlib.Path(sys.argv[1])
# folder -> prefixes of quoted includes that it may use
ALLOWED = {
    "opencl/runtime": ("runtime/",),
    "opencl/ops": ("runtime/", "ops/"),
    "engine/file": ("runtime/", "file/"),
    "engine/model": ("runtime/", "file/", "model/"),
    "engine/text": ("runtime/", "text/"),
    "engine/sample": ("sample/",),
    "engine/region": ("region/", "sfumato.h"),
    "engine/fill": ("fill/",),
    # the choices of samplers and schedules are sample's table; JSON from pictures and parasites goes through the one
    # guarded reader; what a prompt leaves to chance is text's to say
    "engine/params": ("params/", "sample/", "text/wildcards.h", "file/json.h", "sfumato.h"),
    "engine/net": ("runtime/", "ops/", "file/", "model/", "net/"),
    "engine/family": (
        "runtime/",
        "file/",
        "model/",
        "net/",
        "family/",
        "sample/",
        "sfumato.h",
    ),  # sample: names of samplers
    "engine/pipe": (
        "runtime/",
        "ops/",
        "file/",
        "model/",
        "text/",
        "net/",
        "family/",
        "sample/",
        "region/",
        "fill/",
        "params/",
        "pipe/",
        "sfumato.h",
    ),
    "engine/cli": ("sfumato.h", "cli/"),
    "install/fetch": ("file/",),  # its guarded JSON
    "ui": ("sfumato.h", "ui/", "plugin/"),
    "plugin": ("sfumato.h", "plugin/", "ui/"),
}
EXTRA = {
    "engine/cli/bench": ("runtime/", "ops/", "model/", "net/", "family/", "text/")
}  # measures ops and networks directly
# system headers that belong to some folders only
SYSTEM = {
    r"<CL/|<clblast": ("opencl/",),
    r"<libgimp": ("plugin/gimp2/", "plugin/gimp3/"),
    r"<gtk/|<gdk/": ("ui/", "plugin/"),
    r"<curl/": ("install/",),
    r"<gegl": ("engine/sfumato.h", "engine/region/", "engine/pipe/", "engine/cli/", "plugin/", "ui/"),
}

plan, failed = 0, 0


def case(ok, name, detail=()):
    global plan, failed
    plan += 1
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {plan} - {name}")
    for line in detail:
        print("#", line)


sources = sorted(p for top in ("opencl", "engine", "plugin", "ui", "install") for p in TOP.glob(top + "/**/*.[ch]"))
for folder, allowed in ALLOWED.items():
    bad, seen = [], 0
    for path in sources:
        rel = path.relative_to(TOP).as_posix()
        if not rel.startswith(folder + "/"):
            continue
        seen += 1
        extra = next((v for k, v in EXTRA.items() if rel.startswith(k)), ())
        for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.M):
            homes = [path.parent] + (
                [TOP / "plugin", TOP / "ui"] if rel.startswith(("ui/", "plugin/")) else []
            )  # one program
            local = "/" not in name and any((home / name).exists() for home in homes)
            if not local and not name.startswith(allowed + extra) and name not in ("config.h",):
                bad.append(f'{rel} includes "{name}"')
    case(not bad and seen > 0, f"includes of {folder}", bad or ([] if seen else ["no source there"]))
for pattern, homes in SYSTEM.items():
    bad = []
    for path in sources:
        rel = path.relative_to(TOP).as_posix()
        if not rel.startswith(homes) and re.search(r"^\s*#\s*include\s+(" + pattern + ")", path.read_text(), re.M):
            bad.append(f"{rel} includes {pattern}")
    case(not bad, f"system header {pattern}", bad)
# A family is named in its own file and in the registry only; who needs to know something about a model asks the struct.
# ("vae" and "taesd" are also parameters.)
ids = {
    w
    for p in sources
    if "engine/family/" in p.as_posix()
    for m in re.findall(r'\.id = "([^"]+)",\s*\.name = "([^"]+)"(?!,\s*\.part)', p.read_text())
    for w in m
}
named = re.compile(r"\bsfu_family_(?!take\b|refuse\b)\w+|SFU_FAMILY_|" + "|".join(rf'"{re.escape(i)}"' for i in ids))
bad = []
for path in sources:
    rel = path.relative_to(TOP).as_posix()
    if not rel.startswith("engine/family/"):
        bad += [
            f"{rel}:{n}: {line.strip()}"
            for n, line in enumerate(path.read_text().splitlines(), 1)
            if named.search(line) and "#include" not in line
        ]
case(not bad and len(ids) > 5, "no family is named outside of engine/family", bad or ids)


def strip_comments(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"'(\\.|[^'\\])'", "0", text)  # '"' begins no string
    return re.sub(r'"(\\.|[^"\\])*"', '""', text)


def call_cycles(folder):
    """Groups of files of one folder that call each other in a circle, by the public functions they define and name."""
    texts = {p: strip_comments(p.read_text()) for p in sorted((TOP / folder).glob("*.c"))}
    home = {}
    for p, t in texts.items():
        for m in re.finditer(r"^(?!static)[A-Za-z_][^;{}()=]*?\b(sfu_\w+)\([^;{}]*\)\s*\{", t, re.M):
            home[m[1]] = p
    calls = {p: {home[n] for n in re.findall(r"\bsfu_\w+", t) if n in home and home[n] != p} for p, t in texts.items()}

    def reach(p):
        seen, todo = set(), [p]
        while todo:
            for q in calls[todo.pop()] - seen:
                seen.add(q)
                todo.append(q)
        return seen

    return sorted(p.name for p in texts if p in reach(p))


# Not in the list: opencl/runtime, where memory, weights and programs need the queue and it needs them; ui, whose
# callbacks do.
for folder in (
    "opencl/ops",
    "opencl/ops/conv",
    "opencl/ops/attention",
    "engine/cli",
    "engine/cli/picture",
    "engine/family",
    "engine/file",
    "engine/fill",
    "engine/model",
    "engine/net",
    "engine/params",
    "engine/pipe",
    "engine/region",
    "engine/sample",
    "engine/text",
    "install/fetch",
    "plugin",
):
    circle = call_cycles(folder)
    case(not circle, f"no circle of calls in {folder}", circle)
# Every public function has a caller outside the tests; these are theirs.
FOR_TESTS = {
    "sfu_tuning_set",
    "sfu_queue_used_bytes",
    "sfu_randn",
    "sfu_styles_count",
    "sfu_unet_unload",
}
texts = {p: strip_comments(p.read_text()) for p in [*sources, *TOP.glob("engine/**/*.inc")]}
defined, counts = {}, {}
for p, text in texts.items():
    for m in re.finditer(r"^(?!static)[A-Za-z_][^;{}()=#]*?\b(sfu_\w+)\([^;{}]*\)\s*\{", text, re.M):
        defined[m[1]] = p
    # Declarations are no calls: of a header, only macros and inline functions count.
    bodies = re.findall(r"\n\{.*?\n\}", text, re.S) + re.findall(r"#define(?:.*\\\n)*.*\n", text)
    calls = "".join(bodies) if p.suffix == ".h" else text
    for name in re.findall(r"\bsfu_\w+", calls):
        counts[name] = counts.get(name, 0) + 1
idle = [
    f"{p.relative_to(TOP)}: {name}" for name, p in defined.items() if counts.get(name, 0) < 2 and name not in FOR_TESTS
]
case(not idle and len(defined) > 500, "every public function has a caller outside tests", idle)
long = [f"{p.relative_to(TOP)}: {n} lines" for p in sources if (n := len(p.read_text().splitlines())) > 1500]
case(not long, "no file over 1,500 lines", long)
# Two source files of one name are a family and its network, the same job in GIMP 2.10 and 3, or a program's main.c.
homes = {}
for p in sources:
    folder = p.parent.relative_to(TOP).as_posix()
    if p.name != "main.c" and not folder.startswith("tests"):
        homes.setdefault(p.name, set()).add(folder)
pairs = ({"engine/family", "engine/net"}, {"plugin/gimp2", "plugin/gimp3"})
twice = [f"{name}: {sorted(at)}" for name, at in homes.items() if len(at) > 1 and at not in pairs]
case(not twice, "files of one name belong together", twice)
# Files that the documents name are there; a name without its whole path may stand in any folder.
gone = []
folders = ("engine", "install", "opencl", "plugin", "tests", "ui")
there = [f"/{p.relative_to(TOP).as_posix()}" for top in folders for p in (TOP / top).glob("**/*.*")]
for doc in TOP.glob("*.md"):
    for name in re.findall(r"`([\w./*-]+\.(?:c|h|cl|py|inc|po|md|scm|csv|svg))`", doc.read_text()):
        made_up = "NAME" in name or "KERNEL" in name
        if (
            not made_up
            and not (doc.parent / name).exists()
            and not any(fnmatch.fnmatch(p, "*/" + name.lstrip("./")) for p in there)
        ):
            gone.append(f"{doc.relative_to(TOP)} names {name}")
case(not gone, "files that the documents name exist", gone)
header = (TOP / "engine/sfumato.h").read_text()
case(
    len(header.splitlines()) <= 200 and "CL/" not in header and "SfuTensor" not in header,
    "sfumato.h: 200 lines, no OpenCL, no tensor",
)
print(f"1..{plan}")
sys.exit(failed > 0)
