#!/usr/bin/env python3
"""Embeds OpenCL sources: embed.py OUT.c FILE.cl ... defines sfu_kernel_source(). Each keeps its name through #line."""
# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import os
import sys

out, names = [], []
for path in sorted(sys.argv[2:]):
    name = os.path.splitext(os.path.basename(path))[0]
    with open(path, encoding="ascii") as f:
        text = f'#line 1 "{name}.cl"\n' + f.read()
    names.append(name)
    body = ",".join(str(b) for b in text.encode()) + ",0"
    out.append(f"static const char source_{name}[] = {{{body}}};")
with open(sys.argv[1], "w", encoding="ascii") as f:
    f.write('#include "runtime/internal.h"\n#include <string.h>\n' + "\n".join(out))
    f.write("\n\nconst char *sfu_kernel_source(const char *name)\n{\n")
    for name in names:
        f.write(f'    if (strcmp(name, "{name}") == 0)\n        return source_{name};\n')
    f.write("    return NULL;\n}\n")
