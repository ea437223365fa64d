#!/usr/bin/env python3
"""Embeds a file as it is: embed_bytes.py IN OUT.c HEADER NAME defines `const guint8 NAME[]` and `const gsize
NAME_bytes` as HEADER declares them."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import sys

with open(sys.argv[1], "rb") as f:
    data = f.read()
header, name = sys.argv[3:5]
with open(sys.argv[2], "w", encoding="ascii") as f:
    f.write(
        f'#include "{header}"\nconst gsize {name}_bytes = {len(data)};\nconst guint8 {name}[] = {{{",".join(map(str, data))}}};\n'
    )
