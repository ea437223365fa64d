#!/usr/bin/env python3
"""The completions of the three shells offer what --help lists: every command, and each command's own flags. TAP.
completions.py SFUMATO MODELS"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import re
import shutil
import subprocess

from command import case, end, run

COMMANDS = re.findall(r"^  (\S+) +\S", run("--help").stdout, re.M)
SCRIPTS = {shell: run("completion", shell).stdout for shell in ("bash", "zsh", "fish")}


def flags_of_help(command):
    return set(re.findall(r"^  (?:-\w, )?(--[a-z0-9-]+)", run(command, "--help").stdout, re.M))


def choices_of_help(command):
    """{flag: words} of the parameters that have a list of them."""
    found = re.findall(r"^  (--[a-z0-9-]+) .*\n +one of: (.*)", run(command, "--help").stdout, re.M)
    return {flag: words.split(", ") for flag, words in found}


def ask_bash(*words):
    """What bash offers for the last of these words."""
    script = SCRIPTS["bash"] + 'COMP_WORDS=(sfumato "$@"); COMP_CWORD=$#; _sfumato; printf \'%s\\n\' "${COMPREPLY[@]}"'
    r = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True)
    assert not r.stderr, r.stderr
    return r.stdout.rstrip("\n").split("\n") if r.stdout.strip() else []


@case("every shell knows every command")
def _():
    assert len(COMMANDS) > 10 and set(ask_bash("")) == set(COMMANDS)
    assert set(re.search(r"CURRENT == 2 .*?compadd -- (.*?);", SCRIPTS["zsh"])[1].split()) == set(COMMANDS)
    assert set(re.search(r"__fish_use_subcommand -a '(.*?)'", SCRIPTS["fish"])[1].split()) == set(COMMANDS)


@case("bash offers each command's flags")
def _():
    for command in COMMANDS:
        assert set(ask_bash(command, "--")) == flags_of_help(command), command


@case("zsh offers each command's flags")
def _():
    for command in COMMANDS:
        offered = re.search(rf"^    {command}\) flags=\((.*)\) ;;$", SCRIPTS["zsh"], re.M)[1]
        assert set(offered.split()) == flags_of_help(command), command


@case("fish offers each command's flags")
def _():
    rows = re.findall(r"__fish_seen_subcommand_from ([^']*)' -l (\S+)", SCRIPTS["fish"])
    for command in COMMANDS:
        assert {"--" + flag for takers, flag in rows if command in takers.split()} == flags_of_help(command), command


@case("words that a flag takes are offered after it")
def _():
    for flag, words in choices_of_help("inpaint").items():
        assert ask_bash("inpaint", flag, "") == words, flag
        quoted = "' '".join(words)
        assert f"    {flag}) compadd -- '{quoted}'; return ;;" in SCRIPTS["zsh"], flag
        assert re.search(rf"-l {flag[2:]} -x -a \"'{re.escape(quoted)}'\"", SCRIPTS["fish"]), flag
    types = re.search(r"--type TYPE +convert: (.*) or (\w+) ", run("convert", "--help").stdout)
    assert ask_bash("convert", "--type", "") == re.sub(r"\([^)]*\)", "", types[1]).replace(",", " ").split() + [
        types[2]
    ]


@case("the shells that are here take their scripts")
def _():
    for shell in SCRIPTS:
        if shutil.which(shell):
            r = subprocess.run([shell, "-n"], input=SCRIPTS[shell], text=True, capture_output=True, check=False)
            assert r.returncode == 0, (shell, r.stderr)


end()
