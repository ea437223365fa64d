#!/usr/bin/env python3
"""Embeds OpenCL sources: embed_kernels.py OUT.c FILE.cl ... defines sfu_kernel_source(). Each keeps its name through
#line; what it includes stands in it."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import os
import re
import sys


def expand(path):
    """The text of a kernel file, with the files that it includes in place of the lines that say so."""
    name = os.path.basename(path)
    lines = [f'#line 1 "{name}"']
    with open(path, encoding="ascii") as f:
        for number, line in enumerate(f.read().splitlines(), 1):
            included = re.fullmatch(r'#include "(\w+\.cl)"', line)
            if included:
                lines += [
                    expand(os.path.join(os.path.dirname(path), included[1])).rstrip("\n"),
                    f'#line {number + 1} "{name}"',
                ]
            else:
                lines.append(line)
    return "\n".join(lines) + "\n"


out, names = [], []
for path in sorted(sys.argv[2:]):
    name = os.path.splitext(os.path.basename(path))[0]
    names.append(name)
    body = ",".join(str(b) for b in expand(path).encode()) + ",0"
    out.append(f"static const char source_{name}[] = {{{body}}};")
with open(sys.argv[1], "w", encoding="ascii") as f:
    f.write('#include "runtime/internal.h"\n#include <string.h>\n' + "\n".join(out))
    f.write("\n\nconst char *sfu_kernel_source(const char *name)\n{\n")
    for name in names:
        f.write(f'    if (strcmp(name, "{name}") == 0)\n        return source_{name};\n')
    f.write("    return NULL;\n}\n")
