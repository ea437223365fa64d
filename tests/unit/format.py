#!/usr/bin/env python3
"""Every source has the format of .clang-format, .editorconfig and black. TAP. format.py TOP; --write formats."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import pathlib
import re
import shutil
import subprocess
import sys

from tap import case, end

TOP = pathlib.Path(sys.argv[1])
WRITE = "--write" in sys.argv
FOLDERS = (".ci", "engine", "install", "opencl", "plugin", "tests", "ui")
COLUMNS = 120

files = [p for p in TOP.iterdir() if p.is_file()]
files += [p for folder in FOLDERS for p in (TOP / folder).rglob("*") if p.is_file()]
files = sorted(p for p in files if not {"corpus", "__pycache__"} & set(p.parts))


def is_script(path, word):
    """Whether a file without an ending begins with #! and names that interpreter."""
    if path.suffix:
        return False
    with path.open("rb") as f:
        first = f.readline(200)
    return first.startswith(b"#!") and re.search(rb"\b" + word + rb"\b", first) is not None


c_files = [p for p in files if p.suffix in (".c", ".h", ".inc")]
kernels = [p for p in files if p.suffix == ".cl"]
python_files = [p for p in files if p.suffix == ".py" or is_script(p, b"python3")]
shell_files = [p for p in files if p.suffix == ".sh" or is_script(p, b"(?:ba)?sh")]
prose_files = [p for p in files if p.suffix == ".md"]
builds = [p for p in files if p.name in ("meson.build", "meson.options", "meson_options.txt")]

# clang-format takes a macro before `for` for a type. While it formats, macro and `for` are one word of the same length
# (.clang-format lists these words), so that no line changes its width.
LOOP_MACROS = ("UNROLL", "SHORT", '_Pragma("unroll")')


def loop_word(macro):
    return re.sub(r"\W", "_", macro) + "_for"


def clang_formatted(text):
    for macro in LOOP_MACROS:
        text = text.replace(f"{macro} for (", f"{loop_word(macro)} (")
    command = [clang_format, f"--style=file:{TOP}/.clang-format", "--assume-filename=kernel.c"]
    text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    for macro in LOOP_MACROS:
        text = text.replace(f"{loop_word(macro)} (", f"{macro} for (")
    return text


def version(program):
    words = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"(\d+)\.\d", words)[1])


clang_format = next((p for p in ("clang-format-14", "clang-format") if shutil.which(p) and version(p) == 14), None)


@case("C and headers: .clang-format")
def _():
    if not clang_format:
        return "needs clang-format 14"
    assert len(c_files) > 400
    mode = ["-i"] if WRITE else ["--dry-run"]
    r = subprocess.run([clang_format, *mode, *c_files], capture_output=True, text=True, check=True)
    assert not r.stderr, r.stderr
    return None


@case("kernels: .clang-format")
def _():
    if not clang_format:
        return "needs clang-format 14"
    wrong = []
    for path in kernels:
        text = path.read_text()
        formatted = clang_formatted(text)
        if WRITE and text != formatted:
            path.write_text(formatted)
        elif text != formatted:
            wrong.append(path.name)
    assert len(kernels) > 20 and not wrong, wrong
    return None


@case("Python: black")
def _():
    if not shutil.which("black") or version("black") < 23:
        return "needs black 23 or later"
    command = ["black", "-q", "-l", str(COLUMNS), *python_files]
    assert len(python_files) > 50
    if WRITE:
        subprocess.run(command, check=True)
        return None
    r = subprocess.run([*command[:1], "--check", *command[2:]], capture_output=True, text=True, check=False)
    assert r.returncode == 0, r.stderr
    return None


@case("shell: shellcheck")
def _():
    if not shutil.which("shellcheck"):
        return "needs shellcheck"
    r = subprocess.run(["shellcheck", "-f", "gcc", *shell_files], capture_output=True, text=True, check=False)
    assert len(shell_files) > 10 and r.returncode == 0, r.stdout
    return None


@case("all text: UTF-8, no tab, no space at the end of a line, one line feed at the end")
def _():
    wrong = []
    for path in c_files + kernels + python_files + shell_files + prose_files + builds:
        text = path.read_bytes().decode("utf-8")
        if re.search(r"\r|[ \t]$|(?<!\n)\Z|\n\n\Z", text, re.M) or "\t" in text:
            wrong.append(str(path.relative_to(TOP)))
    assert not wrong, wrong


def too_wide(path):
    """Lines wider than .editorconfig says. Prose may have wide tables, pictures, code and addresses; Python may have a
    text that cannot be broken."""
    fence = False
    for i, line in enumerate(path.read_text().splitlines(), 1):
        fence ^= path.suffix == ".md" and line.startswith("```")
        free = path.suffix == ".md" and (fence or line.startswith(("|", "!")) or " " not in line.strip())
        free |= path.suffix == ".py" and re.fullmatch(r"""\s*[rbf]*(["']).*\1,?""", line) is not None
        if len(line) > COLUMNS and not free:
            yield f"{path.relative_to(TOP)}:{i}"


# Texts for tokenizers and for GIMP stay as they are.
LONG_TEXTS = {"text_strings.py", "byte_tokens_make.py", "dialog.py"}


@case(f"no line is wider than {COLUMNS} columns")
def _():
    texts = c_files + kernels + python_files + shell_files + prose_files + builds
    wide = [w for path in texts if path.name not in LONG_TEXTS for w in too_wide(path)]
    assert not wide, wide


end()
