#!/usr/bin/env python3
"""Blend two networks of one shape, the second trained on from the first: blend.py FIRST SECOND SHARE OUT (.safetensors).

Between least error (SHARE 0) and most texture (1); Wang and others 2018 (ESRGAN), section 3.4.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import sys

from safetensors import safe_open
from safetensors.torch import load_file, save_file


def main():
    first, second, share, out = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
    a, b = load_file(first), load_file(second)
    with safe_open(first, "pt") as f:
        about = f.metadata()
    save_file({k: ((1 - share) * a[k].float() + share * b[k].float()).half() for k in a}, out, metadata=about)


if __name__ == "__main__":
    main()
