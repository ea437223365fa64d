#!/usr/bin/env python3
"""Packs a tiktoken vocabulary to its merges: qwen_pack.py qwen.tiktoken qwen.merges.gz

Token 256 + i is what merge i makes, as in Qwen's own merges.txt: of tokens that are merged from the lowest rank up, two
are left before the last merge. The file: the numbers of the left parts, then of the right parts, each as three planes
of bytes, the highest first; gzip. Ranks below 256 are single bytes, in the order of GPT-2's printable characters.
qwen.tiktoken: PyPI, dashscope 2.0.2, dashscope/resources (Apache-2.0)."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import base64
import gzip
import sys

ranks = {}
with open(sys.argv[1], "rb") as f:
    for line in f:
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
tokens = sorted(ranks, key=ranks.get)
assert [ranks[t] for t in tokens] == list(range(151643))
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
assert [t[0] for t in tokens[:256]] == printable + [b for b in range(256) if b not in printable]
none = 1 << 30


def parts(token, rank):
    left = [bytes([b]) for b in token]
    while len(left) > 2:
        at = min(range(len(left) - 1), key=lambda i: ranks.get(left[i] + left[i + 1], none))
        assert ranks.get(left[at] + left[at + 1], none) < rank
        left[at : at + 2] = [left[at] + left[at + 1]]
    return ranks[left[0]], ranks[left[1]]


merges = [parts(t, i) for i, t in enumerate(tokens) if i >= 256]
planes = b"".join(bytes(m[side] >> shift & 255 for m in merges) for side in (0, 1) for shift in (16, 8, 0))
with open(sys.argv[2], "wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as f:
    f.write(planes)
