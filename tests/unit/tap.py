"""Cases of a test program, reported as TAP, and where the command may keep things between its runs."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import os
import pathlib
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


def own_cache(folder):
    """Variables for a cache folder of the test's own, with the compiled kernels of all. In the shared one babl keeps
    what GIMP and other tests have converted, and then babl 0.1.98 fills 256 MiB at each start to measure a look-up
    table."""
    shared = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return {
        "XDG_CACHE_HOME": str(folder),
        "SFUMATO_CACHE": os.environ.get("SFUMATO_CACHE") or str(shared / "sfumato/programs"),
        "POCL_CACHE_DIR": os.environ.get("POCL_CACHE_DIR") or str(shared / "pocl/kcache"),
    }
