#!/usr/bin/env python3
"""Embeds CLIP's vocabulary: embed_vocabulary.py merges.txt.gz OUT.c. Token ids: 256 bytes, 256 bytes that end a word,
then one for each merge."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import gzip
import sys

# CLIP writes bytes as printable characters, in this order: those that are printable in Latin-1 first.
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
order = printable + [b for b in range(256) if b not in printable]
letters = {b: chr(b) for b in printable}
letters.update({b: chr(256 + i) for i, b in enumerate(order[len(printable) :])})
ids = {letters[b]: i for i, b in enumerate(order)}
ids.update({letters[b] + "</w>": 256 + i for i, b in enumerate(order)})

pairs = []
with gzip.open(sys.argv[1], "rt", encoding="utf-8") as f:
    for rank, line in enumerate(f):
        left, right = line.split()
        pairs.append((ids[left] << 16 | ids[right], rank))
        ids[left + right] = 512 + rank
assert len(pairs) == 48894 and len(ids) == 49406, (len(pairs), len(ids))
pairs.sort()
byte_ids = [order.index(b) for b in range(256)]


def array(kind, name, values):
    return f"const {kind} {name}[{len(values)}] = {{{','.join(map(str, values))}}};\n"


with open(sys.argv[2], "w", encoding="ascii") as f:
    f.write('#include "text/vocab.h"\n')
    f.write(array("guint8", "sfu_vocab_byte_ids", byte_ids))
    f.write(array("guint32", "sfu_vocab_pairs", [p for p, _ in pairs]))
    f.write(array("guint16", "sfu_vocab_ranks", [r for _, r in pairs]))
