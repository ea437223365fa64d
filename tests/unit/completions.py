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
    r = run(command, "--help")
    assert r.returncode == 0 and re.match(r"usage:", r.stdout, re.I), (command, r.stderr)
    return set(re.findall(r"^  (?:-\w, )?(--[a-z0-9-]+)", r.stdout, re.M))


def words_of_usage(command):
    """The words of the usage line that are typed as they are, and are neither values nor common options."""
    usage = run(command, "--help").stdout.partition("\n\n")[0].partition(command)[2]
    if "|" not in usage:
        return set()
    first = {part.strip(" []").split()[0] for part in re.sub(r"\[--json\]", "", usage).split("|")}
    return {w for w in first if re.fullmatch(r"(--)?[a-z0-9]+", w) and w not in flags_of_help(command)}


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
    assert set(re.search(r"else compadd -- (.*?);", SCRIPTS["zsh"])[1].split()) == set(COMMANDS)
    assert set(re.search(r"__fish_use_subcommand -a '(.*?)'", SCRIPTS["fish"])[1].split()) == set(COMMANDS)


@case("every shell knows what may follow a command, and the flags without a command")
def _():
    assert set(ask_bash("--")) == {"--help", "--version"}
    assert all(run(flag).returncode == 0 for flag in ask_bash("--"))
    assert "compadd -- --help --version;" in SCRIPTS["zsh"]
    assert {"help", "version"} <= set(re.findall(r"__fish_use_subcommand -l (\w+)", SCRIPTS["fish"]))
    found = 0
    for command in COMMANDS:
        words = words_of_usage(command)
        found += len(words)
        own = set(ask_bash(command, "")) | set(ask_bash(command, "--avail"))
        assert words <= own, (command, words, own)
        zsh = re.search(rf"^    {command}\) own=\((.*)\) ;;$", SCRIPTS["zsh"], re.M)
        assert (set(zsh[1].split()) if zsh else set()) == words, (command, words)
        fish = re.search(rf"__fish_seen_subcommand_from {command}; and test [^']*' -a '(.*)'", SCRIPTS["fish"])
        assert (set(fish[1].split()) if fish else set()) == words, (command, words)
    assert found == 6, found


@case("bash offers each command's flags")
def _():
    for command in COMMANDS:
        assert set(ask_bash(command, "--")) - words_of_usage(command) == flags_of_help(command), command


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
    choices = choices_of_help("convert") | choices_of_help("batch")  # between them they take all flags
    assert {"--type", "--precision", "--depth", "--sampler"} <= set(choices), choices
    for flag, words in choices.items():
        assert ask_bash("convert", flag, "") == words, flag
        quoted = "' '".join(words)
        assert f"    {flag}) compadd -- '{quoted}'; return ;;" in SCRIPTS["zsh"], flag
        assert re.search(rf"-l {flag[2:]} -x -a \"'{re.escape(quoted)}'\"", SCRIPTS["fish"]), flag


@case("the shells that are here take their scripts")
def _():
    for shell in SCRIPTS:
        if shutil.which(shell):
            r = subprocess.run([shell, "-n"], input=SCRIPTS[shell], text=True, capture_output=True, check=False)
            assert r.returncode == 0, (shell, r.stderr)


end()
