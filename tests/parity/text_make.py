#!/usr/bin/env python3
"""Makes text.golden.gz: token ids by Hugging Face's CLIPTokenizer, and chunks by AUTOMATIC1111's parser and
tokenize_line.

  python3 -m venv venv; venv/bin/pip install torch==2.13.0 transformers==5.24.0 tokenizers==0.23.3
  venv/bin/python tests/parity/text_make.py WEBUI tests/parity/text.golden.gz

WEBUI is a checkout of AUTOMATIC1111/stable-diffusion-webui; of it only parse_prompt_attention
(modules/prompt_parser.py, read at 0674fabd) and tokenize_line (modules/sd_hijack_clip.py, read at 00e09382) are used,
and the file that is here was made from those two functions alone. The tokenizer is transformers' (version 5 has one, on
the tokenizers library, the "fast" one of before), with the vocabulary that Sfumato embeds. Lines: `T|text|ids`, text in
hexadecimal; `P|sd2|text|tokens|weights`, 77 of each a chunk; `W|numbers` an emphasised embedding."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import gzip
import importlib.util
import io
import os
import random
import sys
import types
from unittest.mock import MagicMock

import tokenizers
import torch
import transformers

from text_strings import WORDS, strings

here = os.path.dirname(os.path.abspath(__file__))


def clip_tokenizer():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in printable]
    letters = [chr(b) for b in printable] + [chr(256 + i) for i in range(len(rest))]
    with gzip.open(here + "/../../engine/text/merges.txt.gz", "rt", encoding="utf-8") as f:
        merges = [tuple(line.split()) for line in f]
    words = (
        letters + [c + "</w>" for c in letters] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    )
    return transformers.CLIPTokenizer(vocab={w: i for i, w in enumerate(words)}, merges=merges)


TOKENIZER = clip_tokenizer()
rng = random.Random(20260101)


def ids_of(texts):
    return TOKENIZER(texts, add_special_tokens=False)["input_ids"]


# ---- prompts ---------------------------------------------------------------------------------------------------------


def load_webui(folder):
    options = MagicMock(emphasis="Original", comma_padding_backtrack=20)
    modules = types.ModuleType("modules")
    sys.modules["modules"] = modules
    for name in ("devices", "sd_hijack", "sd_emphasis", "shared"):
        sys.modules["modules." + name] = MagicMock(opts=options)
        setattr(modules, name, sys.modules["modules." + name])
    sys.modules["lark"] = MagicMock()
    for name in ("prompt_parser", "sd_hijack_clip"):
        spec = importlib.util.spec_from_file_location("modules." + name, f"{folder}/modules/{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["modules." + name] = module
        setattr(modules, name, module)
        spec.loader.exec_module(module)
    return modules


modules = load_webui(sys.argv[1])


class Embedder(modules.sd_hijack_clip.FrozenCLIPEmbedderWithCustomWordsBase):
    def __init__(self):
        hijack = MagicMock()
        hijack.embedding_db.find_embedding_at_position = lambda tokens, position: (None, None)
        super().__init__(None, hijack)
        self.id_start, self.id_end, self.comma_token = 49406, 49407, TOKENIZER.get_vocab()[",</w>"]

    def tokenize(self, texts):
        return ids_of(texts)


EMBEDDER = Embedder()
FIXED_PROMPTS = [
    "",
    " ",
    "a",
    "a (cat:1.2) and ((dog)) and [bird]",
    "((((x))))",
    "[[[[x]]]]",
    "(a:0)",
    "(a:-1.5) b",
    "(a : 1.3 ) b",
    "(a:+.5)(b:5.)",
    "a\\(b\\) \\[c\\] \\\\ d\\e",
    "(unbalanced",
    "unbalanced)",
    "[open (both",
    "closed] both)",
    "(a [b) c]",
    "a BREAK b",
    "BREAK",
    "BREAK BREAK",
    "a BREAK",
    "BREAK a",
    "a,BREAK,b",
    "aBREAK b",
    "a BREAK_b break",
    "a\n  BREAK \t b",
    "a:b:c",
    "(a:b:1.5)",
    ":1.5)",
    "(a:1.5]",
    "[a:1.5]",
    "(a:٢)",
    "()",
    "[]",
    "(:1.2)",
    "(((a:1.1):1.2):1.3)",
    "(a, (b, [c, (d:0.7)]))",
    "\\",
    "a\\",
    "(word:1.2)(other:1.2)",
    "half(word)half",
    "<|endoftext|> after (x:1.4)",
    "(a:1.0) b",
    "(BR:1.1)EAK BREAK(c)",
    "a BREAKé b",
    "ä BREAK ö",
]


def random_prompt():
    pieces = []
    for _ in range(rng.choice([3, 8, 20, 60, 120])):
        pieces.append(
            rng.choice(WORDS)
            if rng.random() < 0.72
            else rng.choice(
                ["(", ")", "[", "]", ":1.2)", ":0.55)", ",", ",", ",", "\\(", "\\)", ":", "((", "))", "\\", " BREAK "]
            )
        )
        pieces.append(rng.choice([" ", " ", " ", "", ", "]))
    return "".join(pieces)


def prompts():
    yield from FIXED_PROMPTS
    words = "cat " * 90
    yield words
    for n in (54, 55, 56, 73, 74, 75, 76, 77):  # a comma about the edge of the backtrack and of the chunk
        yield "cat " * n + ", " + "dog " * 60
        yield "cat " * 10 + "," + "(cat " * n + ":1.3), " + "dog " * 80
    yield ", ".join(["cat"] * 100)
    yield "," * 200
    yield "cat " * 74 + "antidisestablishmentarianism, xqzjkvb " + "dog, " * 50
    for _ in range(160):
        yield random_prompt()


def chunks_of(text, sd2):
    """None where A1111 fails, or takes a BREAK within brackets for a word."""
    try:
        parsed = modules.prompt_parser.parse_prompt_attention(text)
    except ValueError:
        return None
    if any("BREAK" in t and not (t == "BREAK" and w == -1) and "BREAK" in text.split() for t, w in parsed):
        return None
    chunks, _ = EMBEDDER.tokenize_line(text)
    tokens = [list(c.tokens) for c in chunks]
    if sd2:  # process_tokens, for id_pad 0
        for row in tokens:
            index = row.index(49407)
            row[index + 1 :] = [0] * (76 - index)
    return sum(tokens, []), sum((c.multipliers for c in chunks), [])


out = io.StringIO()
out.write(f"# Made by text_make.py with transformers {transformers.__version__}, tokenizers {tokenizers.__version__}\n")
texts = list(dict.fromkeys(strings(rng)))
for text, ids in zip(texts, ids_of(texts)):
    out.write(f"T|{text.encode().hex()}|{' '.join(map(str, ids))}\n")
n_prompts = 0
for i, text in enumerate(prompts()):
    result = chunks_of(text, i % 2)
    if result:
        out.write(
            f"P|{i % 2}|{text.encode().hex()}|{' '.join(map(str, result[0]))}|{' '.join('%.9g' % w for w in result[1])}\n"
        )
        n_prompts += 1

# Emphasis "Original": multiply, then restore the mean of the chunk.
_, weights = chunks_of("a (cat:1.5) and [dog], (((tree)))", 0)
z = torch.cos(torch.arange(77 * 8, dtype=torch.float64) * 0.37).reshape(77, 8) + 0.4
weighted = z * torch.tensor(weights, dtype=torch.float64)[:, None]
weighted = weighted * (z.mean() / weighted.mean())
out.write("W|" + " ".join("%.9g" % v for v in weighted[:20].ravel()) + "\n")

with open(sys.argv[2], "wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as f:
    f.write(out.getvalue().encode())
print(f"{len(texts)} strings, {n_prompts} prompts")
