#!/usr/bin/env python3
"""Makes schedule.golden.gz: prompts with [from:to:when], [a|b] and AND, and what AUTOMATIC1111's web UI makes of them.
Its rules stand here once more, so that the engine's parser is compared with something written apart from it; the
examples of the web UI's documentation are checked first. usage: schedule_make.py OUT [SEED]"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import gzip
import json
import random
import re
import sys

NUMBER = re.compile(r"\s*([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*$")


def brackets(text):
    """{start: (end, kind, marks)} of the brackets that are well formed; None: the prompt is plain text."""
    found, open_, lost_bar, i = {}, [], False, 0

    def drop():
        nonlocal lost_bar
        lost_bar |= any(text[k] == "|" for b in open_ for k in b[2])
        open_.clear()

    while i < len(text):
        c = text[i]
        if c == "\\":
            if i + 1 == len(text) or text[i + 1] == "\n":
                return None
            i += 1
        elif c in "([":
            open_.append((i, c, []))
        elif c in ":|":
            if open_:
                open_[-1][2].append(i)
            elif c == "|":
                return None
        elif c in ")]" and open_:
            start, kind, marks = open_[-1]
            signs = "".join(text[k] for k in marks)
            what = None
            if (kind == "(") == (c == ")"):
                if kind == "(":
                    what = "weight" if signs in ("", ":") else None
                elif signs == "":
                    what = "weight"
                elif set(signs) == {"|"}:
                    what = "alternate"
                elif signs in (":", "::") and NUMBER.match(text[marks[-1] + 1 : i]):
                    what = "scheduled"
            if what:
                open_.pop()
                found[start] = (i, what, marks)
            else:
                drop()
        i += 1
    drop()
    return None if lost_bar else found


def schedule(text, steps):
    """[[last step, words], ...]"""
    found = brackets(text)
    if found is None:
        return [[steps, text]]

    def when(end, marks):
        n = NUMBER.match(text[marks[-1] + 1 : end]).group(1)
        return min(steps, int(float(n) * steps if "." in n else float(n)))

    def at(first, last, step):
        out, i = "", first
        while i < last:
            if text[i] == "\\":
                out += text[i : i + 2]
                i += 2
                continue
            if i not in found:
                out += text[i]
                i += 1
                continue
            end, what, marks = found[i]
            if what == "weight":
                out += text[i] + at(i + 1, end, step) + text[end]
            elif what == "alternate":
                cuts = [i] + marks + [end]
                k = (step - 1) % (len(cuts) - 1)
                out += at(cuts[k] + 1, cuts[k + 1], step)
            elif step <= when(end, marks):
                out += at(i + 1, marks[0], step) if len(marks) == 2 else ""
            else:
                out += at((marks[0] if len(marks) == 2 else i) + 1, marks[-1], step)
            i = end + 1
        return out

    ends = {steps}
    for end, what, marks in found.values():
        if what == "alternate":
            ends |= set(range(1, steps + 1))
        elif what == "scheduled" and when(end, marks) >= 1:
            ends.add(when(end, marks))
    return [[s, at(0, len(text), s)] for s in sorted(ends)]


AND = re.compile(r"\bAND\b")
WEIGHT = re.compile(r"^((?:\s|.)*?)(?:\s*:\s*([-+]?(?:\d+\.?|\d*\.\d+)))?\s*$")


def plan(text, steps, negative):
    """[[weight, schedule], ...]; the negative prompt knows no AND and no weight of its own."""
    if negative:
        return [[1.0, schedule(text, steps)]]
    out = []
    for part in AND.split(text):
        words, weight = WEIGHT.search(part).groups()
        out.append([float(weight) if weight is not None else 1.0, schedule(words, steps)])
    return out


def words_at(steps, call):
    """What the call-th pass of the network (from 0) sees."""
    return next((words for end, words in steps if call <= end), steps[0][1])


DOCUMENTED = {  # of the web UI's own documentation, for 10 steps
    "test": [[10, "test"]],
    "a [b:3]": [[3, "a "], [10, "a b"]],
    "a [b: 3]": [[3, "a "], [10, "a b"]],
    "a [[[b]]:2]": [[2, "a "], [10, "a [[b]]"]],
    "[(a:2):3]": [[3, ""], [10, "(a:2)"]],
    "a [b : c : 1] d": [[1, "a b  d"], [10, "a  c  d"]],
    "a[b:[c:d:2]:1]e": [[1, "abe"], [2, "ace"], [10, "ade"]],
    "a [unbalanced": [[10, "a [unbalanced"]],
    "a [b:.5] c": [[5, "a  c"], [10, "a b c"]],
    "((a][:b:c [d:3]": [[3, "((a][:b:c "], [10, "((a][:b:c d"]],
    "[a|(b:1.1)]": [[k, "(b:1.1)" if k % 2 == 0 else "a"] for k in range(1, 11)],
    "[fe|]male": [[k, "male" if k % 2 == 0 else "female"] for k in range(1, 11)],
    "[fe|||]male": [[k, "female" if k % 4 == 1 else "male"] for k in range(1, 11)],
}
LONG = (
    "fantasy landscape with a [mountain:lake:0.25] and [an oak:a christmas tree:0.75][ in foreground::0.6][ in background:0.25] "
    "[shoddy:masterful:0.5]"
)
OTHERS = [
    LONG,
    "a cat AND a dog",
    "a cat :1.2 AND a dog :-0.5",
    "AND",
    "a AND",
    "BAND AND SAND",
    "x AND y:0",
    "a_AND_b",
    "picture 16:9",
    "cat:1.",
    "cat : .5 ",
    "cat:1..5",
    "cat:",
    "a [b AND c:0.5]",
    "[a:b:0.5] AND [c|d] :2",
    "a | b",
    "a [b|c] | d",
    "[(a|b):3]",
    "[[a|b]:3]",
    "[a|[b|c]]",
    "[a:b:c:3]",
    "[a:b]",
    "[::3]",
    "[a::3]",
    "[:b:3]",
    "[a\\:b:3]",
    "\\[a:b:3\\]",
    "a\\",
    "a\\\n[b:3]",
    "[a:b:0]",
    "[a:b:-1]",
    "[a:b:1e1]",
    "[a:b:99]",
    "[a:b:3.]",
    "[a:b:1.0]",
    "[a: 0.5 ]",
    "[a:+3]",
    "[3:3:3]",
    "([a:b:3]:1.2)",
    "(a:b:3)",
    "[a:3\n]",
    "[a|b\n|c]",
    "(x [y:3]",
    "[x (y [d:3] : 5]",
    "\xe4\xf6 [\xfc:\xdf:0.5] \U0001f431 AND \xe9",
    # spaces and digits of other scripts: a step has plain digits, a weight any
    "[a:b:\u30000.5]",
    "[a:b:\xa03\u2009]",
    "[a:b:\u0663]",
    "[a:b:\uff13]",
    "cat\u3000:\u30001.5 AND\u3000dog",
    "cat :\uff11.\uff15",
    "cat :-\u0661.\u0665 AND dog",
    "cat :\xbd",
    # full-width punctuation is text
    "[a\uff1ab\uff1a0.5]",
    "\uff3ba:b:3\uff3d AND b \uff1a1.5",
    # marks and other scripts
    "\u0645 [\u0639:\u0628:0.5]",
    "a AND\u0301 b",
    "[e\u0301:o\u0308:2]",
    "[\U0001f98a|\U0001f43a]",
    # brackets that miss something
    "[a|b|]",
    "[|]",
    "[]",
    "[:]",
    "[::5]",
    "[a:b:0.5",
    "[a:b:0x3]",
    "[a:b:1_0]",
    "[a:b:3,5]",
    "[a:b:50%]",
    "[a:b:1e-400]",
    "(a:1.2))[b",
    "a AND AND b",
    "a AND b :nan",
    "a AND b:1e3",
]


def main():
    for text, want in DOCUMENTED.items():
        assert schedule(text, 10) == want, (text, schedule(text, 10))
    random.seed(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    pieces = [
        "[",
        "]",
        "(",
        ")",
        ":",
        "|",
        "a",
        "b ",
        " ",
        "3",
        ".5",
        ":0.3]",
        ":2]",
        "[",
        "[a:",
        "\\",
        "x:",
        "|c]",
        "\n",
        " AND ",
        ":1.5",
    ]
    made = ["".join(random.choice(pieces) for _ in range(random.randint(1, 16))) for _ in range(1500)]
    cases = []
    for k, text in enumerate(list(DOCUMENTED) + OTHERS + made):
        steps = [10, 1, 7][k % 3] if k >= len(DOCUMENTED) else 10
        for negative in (False, True):
            parts = plan(text, steps, negative)
            cases.append(
                {
                    "text": text,
                    "steps": steps,
                    "negative": negative,
                    "parts": [[w, [words_at(s, call) for call in range(steps)]] for w, s in parts],
                }
            )
    with open(sys.argv[1], "wb") as f, gzip.GzipFile(fileobj=f, mode="wb", mtime=0) as z:
        z.write(json.dumps(cases, separators=(",", ":")).encode())
    print(len(cases), "cases")


main()
