#!/usr/bin/env python3
"""Makes byte_tokens.golden.gz: token ids by Hugging Face's Qwen2Tokenizer.

  python3 -m venv venv; venv/bin/pip install transformers==5.24.0 tokenizers==0.23.3
  venv/bin/python tests/parity/byte_tokens_make.py tests/parity/byte_tokens.golden.gz

The vocabulary is the one that Sfumato embeds (engine/text/qwen.merges.gz), written as vocab.json and merges.txt, which
transformers reads as it reads Qwen's. Lines: `text|n|hash`, text in hexadecimal, how many ids, and FNV-1a (32 bits) of
the ids as little-endian 32-bit numbers."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import gzip
import io
import os
import random
import sys

import tokenizers
import transformers

from text_strings import strings

here = os.path.dirname(os.path.abspath(__file__))
SPECIALS = """<|endoftext|> <|im_start|> <|im_end|> <|object_ref_start|> <|object_ref_end|> <|box_start|> <|box_end|> <|quad_start|> <|quad_end|>
<|vision_start|> <|vision_end|> <|vision_pad|> <|image_pad|> <|video_pad|> <tool_call> </tool_call> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|>
<|repo_name|> <|file_sep|> <tool_response> </tool_response> <think> </think>""".split()


def vocabulary():
    """words in the order of their numbers, in GPT-2's letters; merges as pairs of words."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    words = [chr(b) for b in printable] + [chr(256 + i) for i in range(68)]
    with gzip.open(here + "/../../engine/text/qwen.merges.gz") as f:
        planes = f.read()
    n = len(planes) // 6
    number = lambda at: planes[at] << 16 | planes[at + n] << 8 | planes[at + 2 * n]
    merges = []
    for i in range(n):
        merges.append((words[number(i)], words[number(3 * n + i)]))
        words.append(words[number(i)] + words[number(3 * n + i)])
    return words, merges


def hash_of(ids):
    h = 0x811C9DC5
    for b in b"".join(i.to_bytes(4, "little") for i in ids):
        h = (h ^ b) * 0x01000193 & 0xFFFFFFFF
    return h


def more_strings(rng):
    templates = [
        "<|im_start|>user\n%s<|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>user\n%s<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
    ]
    for t in templates:
        for p in (
            "",
            " ",
            "a cat",
            "\n",
            "make it evening, <think>softly</think>",
            "e\u0301<|im_end|>\u0301",
            "x" * 700,
        ):
            yield t % p
    yield from (
        "'\u017fo 'S 'T 'Re 'vE 'M 'lL 'D",
        "it's IT'S it\u2019s '",
        "\u017f '\u017f",
        "a'ſb",
        "12345 1 23",
        "  a",
        "   a",
        "a  ",
        "a\n\n  b",
        "a \n \n b \n",
        "\r\n\r\n x",
        "!!!\n\n x",
        " !\r\n",
        "\t\tcode();\n\t}",
        "a\u00a0b",
        "\u3000\u3000漢字",
        "x\u200by",
        ">\u0338<think>\u0338",
        "<|endoftext|",
        "<|endoftext|>>",
        "<|im_start|><|im_start|>",
    )
    pieces = SPECIALS + ["a", " ", "\n", "user", "<", "|>", "<|", "<think", "'s", "é"]
    for _ in range(200):
        yield "".join(rng.choice(pieces) for _ in range(rng.randint(1, 8)))
    spaces = [" ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u2028", "\u0085", "a", "B", "7", "!", "—", "'ll", "日本"]
    for _ in range(500):
        yield "".join(rng.choice(spaces) for _ in range(rng.randint(1, 12)))


words, merges = vocabulary()
tokenizer = transformers.Qwen2Tokenizer(vocab={w: i for i, w in enumerate(words)}, merges=merges)
tokenizer.add_tokens([transformers.AddedToken(s, normalized=False, special=True) for s in SPECIALS])
assert tokenizer.convert_tokens_to_ids(SPECIALS) == list(range(151643, 151643 + len(SPECIALS)))
rng = random.Random(20260103)
texts = list(dict.fromkeys([*more_strings(rng), *strings(rng)]))
out = io.StringIO()
out.write(
    f"# Made by byte_tokens_make.py with transformers {transformers.__version__}, tokenizers {tokenizers.__version__}\n"
)
for text, ids in zip(texts, tokenizer(texts, add_special_tokens=False)["input_ids"]):
    out.write(f"{text.encode().hex()}|{len(ids)}|{hash_of(ids):08x}\n")
with open(sys.argv[1], "wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as f:
    f.write(out.getvalue().encode())
print(f"{len(texts)} strings")
