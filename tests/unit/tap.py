"""Cases of a test program, reported as TAP."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import sys

count = failures = 0


def case(name):
    """Runs the function below it. What that returns is the reason why it was skipped."""

    def wrap(fn):
        global count, failures
        count += 1
        try:
            skip = fn()
            print(f"ok {count} - {name}" + (f" # SKIP {skip}" if skip else ""), flush=True)
        except Exception as e:  # noqa: BLE001 (a test reports whatever happens)
            failures += 1
            print(f"not ok {count} - {name}\n# {type(e).__name__}: {str(e)[:2000]!r}", flush=True)

    return wrap


def end():
    """The TAP plan; does not return."""
    print(f"1..{count}")
    sys.exit(failures > 0)
