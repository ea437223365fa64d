#!/usr/bin/env python3
"""Prints `N passed, N failed, N skipped` from Meson's testlog.json, counting the cases inside each TAP program, and
before it what each failed program had to say: Meson itself shows nothing of a TAP program's standard output, which is
where the reasons are."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import json
import re
import sys

LONGEST = 80  # lines shown of one program


def reasons(test):
    """The failed cases of a program with the comments after them, and its last words."""
    shown, follows = [], False
    lines = (test.get("stdout") or "").splitlines()
    for line in lines:
        follows = bool(re.match(r"not ok\b|Bail out!", line)) or (follows and line.startswith("#"))
        if follows:
            shown.append(line)
    return (shown or lines[-20:])[:LONGEST] + (test.get("stderr") or "").splitlines()[-20:]


passed = failed = skipped = 0
with open(sys.argv[1], encoding="utf-8") as log:
    for line in log:
        if not line.endswith("\n"):  # the run was ended while Meson wrote
            print("the log ends in the middle")
            failed += 1
            break
        test = json.loads(line)
        before = passed, failed, skipped
        for tap in re.findall(r"^(not ok|ok)\b(.*)$", test.get("stdout") or "", re.M):
            if "# SKIP" in tap[1].upper():
                skipped += 1
            elif tap[0] == "ok":
                passed += 1
            else:
                failed += 1
        outcome = test["result"]
        if (passed, failed, skipped) == before:  # not TAP: the program is the case
            passed += outcome == "OK"
            skipped += outcome == "SKIP"
        if outcome not in ("OK", "SKIP", "EXPECTEDFAIL") and failed == before[1]:
            failed += 1  # crashed or timed out
        if failed > before[1]:
            print(f"{test['name']}: {outcome}", *reasons(test), sep="\n    ")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
