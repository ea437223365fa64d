#!/usr/bin/env python3
"""The manual's pages: made into man pages, and checked.

usage: manual.py man PAGE.html                            prints it as a man page of section 7
       manual.py check FOLDER SFUMATO SFUMATO-FETCH REQUEST.C   TAP: links, pictures, options, procedures and tools
"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import html.parser
import pathlib
import re
import subprocess
import sys


class Page(html.parser.HTMLParser):
    """What a page holds: links, anchors, pictures, its text, and the same as roff."""

    def __init__(self, path):
        super().__init__()
        self.path, self.links, self.anchors, self.pictures, self.open = path, [], set(), [], []
        self.title, self.text, self.code, self.roff = "", "", "", []
        self.heads, self.cells, self.cell_at = [], [], 0  # of the table, of its row; where the cell begins in roff
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert not self.open, f"{path.name}: <{self.open[-1]}> is not closed"

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if "id" in a:
            self.anchors.add(a["id"])
        if tag == "a":
            self.links.append(a["href"])
        if tag == "link":
            self.links.append(a["href"])
        if tag == "img":
            self.pictures.append((a["src"], a.get("alt", "")))
            self.roff.append("[Picture: " + escape(" ".join(a.get("alt", "").split())) + "]")
        if tag in ("meta", "link", "img"):
            return
        self.open.append(tag)
        if tag == "table":
            self.heads = []
        elif tag == "tr":
            self.cells = []
        elif tag in ("td", "th"):
            self.cell_at = len(self.roff)
        begins = {
            "h2": "\n.SH ",
            "p": "\n.PP\n",
            "li": "\n.IP \\(bu 2\n",
            "pre": "\n.PP\n.RS 4\n.nf\n",
            "b": "\\fB",
            "code": "" if "pre" in self.open else "\\fB",
        }
        self.roff.append(begins.get(tag, ""))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"{self.path.name}: </{tag}> closes <{self.open[-1:]}>"
        self.open.pop()
        ends = {
            "h2": "\n",
            "pre": "\n.fi\n.RE\n",
            "b": "\\fR",
            "code": "" if "pre" in self.open else "\\fR",
        }
        self.roff.append(ends.get(tag, ""))
        if tag in ("td", "th"):
            cell = "".join(self.roff[self.cell_at :]).strip()
            del self.roff[self.cell_at :]
            (self.cells if tag == "td" else self.heads).append(cell)
        elif tag == "tr" and self.cells:
            self.roff.append(self.entry())

    def entry(self):
        """A row of a table as an entry of a list: its first cell, and below the others, with their heads if there are
        several."""
        first, *others = self.cells
        if len(others) > 1:
            others = [f"{head}: {cell}" for head, cell in zip(self.heads[1:], others) if cell]
        return "\n.TP\n\\fB" + first.replace("\\fR", "\\fB") + "\\fR\n" + "; ".join(others) + "\n"

    def handle_data(self, data):
        if "title" in self.open:
            self.title += data
        if "body" not in self.open or "nav" in self.open:
            return
        self.text += data
        if "pre" in self.open or "code" in self.open:
            self.code += data + "\n"
        if "h1" not in self.open and (data.strip() or self.open[-1] not in ("body", "ul", "ol", "table", "tr")):
            self.roff.append(escape(data if "pre" in self.open else re.sub(r"\s+", " ", data)))


def escape(text):
    return re.sub(r"(?m)^([.'])", r"\\&\1", text.replace("\\", "\\e").replace("-", "\\-"))


def man(page):
    name, title = page.path.stem, page.title.replace("Sfumato: ", "Sfumato's manual: ").replace(": The manual", "")
    body = re.sub(r"\n{2,}", "\n", "".join(page.roff))
    others = sorted({link.partition("#")[0].removesuffix(".html") for link in page.links if ".html" in link} - {name})
    also = "".join(f",\n.BR sfumato\\-{escape(other)} (7)" for other in others)
    return (
        f'.TH SFUMATO\\-{name.upper()} 7 "" Sfumato "Sfumato\'s manual"\n'
        f".SH NAME\nsfumato\\-{name} \\- {escape(title)}\n"
        f".SH DESCRIPTION{body}\n.SH SEE ALSO\n.BR sfumato (1),\n.BR sfumato\\-fetch (1){also}\n"
    )


def check(folder, sfumato, fetch, request):
    pages = {p.name: Page(p) for p in sorted(folder.glob("*.html"))}
    number = 0

    def case(name, wrong):
        nonlocal number
        number += 1
        print(("not ok" if wrong else "ok"), number, "-", name, *(f"\n# {w}" for w in wrong))

    dead = []
    for page in pages.values():
        for link in page.links:
            name, _, anchor = link.partition("#")
            target = folder / name if name else page.path
            if "://" in link:
                dead.append(f"{page.path.name}: {link} leads out of the manual")
            elif not target.is_file() or (anchor and anchor not in pages[target.name].anchors):
                dead.append(f"{page.path.name}: {link} leads nowhere")
    case("every link leads somewhere", dead)
    case(
        "every picture is there and is described",
        [
            f"{p.path.name}: {src}"
            for p in pages.values()
            for src, alt in p.pictures
            if not (folder / src).is_file() or not alt
        ],
    )
    used = {(folder / src).resolve() for p in pages.values() for src, _ in p.pictures}
    case("every picture is shown", [f.name for f in (folder / "pictures").iterdir() if f.resolve() not in used])
    reached, ahead = set(), ["index.html"]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += [link.partition("#")[0] for link in pages[name].links if link.partition("#")[0] in pages]
    case("every page is reached from the first one", sorted(set(pages) - reached))

    run = lambda *command: subprocess.run(command, capture_output=True, text=True, check=False).stdout
    known = set(re.findall(r"--[a-z][a-z0-9-]*", re.sub(r"\\(f.)?", "", run(sfumato, "man")) + run(fetch, "--help")))
    known |= {"--available", "--version", "--help"}
    mine = lambda line: re.match(r"(sfumato|--)", line)
    case(
        "every option of the command exists",
        [
            f"{p.path.name}: {flag}"
            for p in pages.values()
            for line in p.code.splitlines()
            if mine(line)
            for flag in re.findall(r"(?<!\S)--[a-z][a-z0-9-]*", line)
            if flag not in known
        ],
    )
    commands = set(re.findall(r"^  (\S+) +\S", run(sfumato, "--help"), re.M)) | {"COMMAND"}
    case(
        "every command exists",
        [
            f"{p.path.name}: sfumato {w}"
            for p in pages.values()
            for w in re.findall(r"^sfumato ([a-zA-Z]\w*)", p.code, re.M)
            if w not in commands
        ],
    )
    actions = re.findall(r'^    \{"(\w+)", "(plug-in-sfumato-\w+)"', request.read_text(encoding="utf-8"), re.M)
    assert len(actions) > 5
    case(
        "every tool has a page that names its procedure",
        [name for name, procedure in actions if procedure not in pages.get(f"{name}.html", pages["index.html"]).text],
    )
    bad = []
    for page in pages.values():
        r = (
            subprocess.run(
                ["groff", "-man", "-Tutf8", "-ww"], input=man(page).encode(), capture_output=True, check=False
            )
            if HAVE_GROFF
            else None
        )
        if r and (r.returncode or r.stderr):
            bad.append(f"{page.path.name}: {r.stderr.decode()[:200]}")
    case("man pages are made without a warning" + ("" if HAVE_GROFF else " # SKIP no groff"), bad)
    print(f"1..{number}")


HAVE_GROFF = subprocess.run(["sh", "-c", "command -v groff"], capture_output=True, check=False).returncode == 0
if sys.argv[1] == "man":
    sys.stdout.write(man(Page(pathlib.Path(sys.argv[2]))))
else:
    check(pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4], pathlib.Path(sys.argv[5]))
