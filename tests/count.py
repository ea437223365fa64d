#!/usr/bin/env python3
"""Prints `N passed, N failed, N skipped` from Meson's testlog.json, counting the cases inside each TAP program."""
# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import json
import re
import sys

passed = failed = skipped = 0
with open(sys.argv[1], encoding="utf-8") as log:
    for line in log:
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
print(f"{passed} passed, {failed} failed, {skipped} skipped")
