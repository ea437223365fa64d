#!/usr/bin/env python3
"""Makes text.golden.gz: token ids by Hugging Face's CLIPTokenizer, and chunks by AUTOMATIC1111's parser and tokenize_line.

  python3 -m venv venv; venv/bin/pip install torch==2.13.0 transformers==5.24.0 tokenizers==0.23.3
  venv/bin/python tests/parity/text_make.py WEBUI tests/parity/text.golden.gz

WEBUI is a checkout of AUTOMATIC1111/stable-diffusion-webui; of it only parse_prompt_attention (modules/prompt_parser.py, read at 0674fabd) and tokenize_line
(modules/sd_hijack_clip.py, read at 00e09382) are used, and the file that is here was made from those two functions alone. The tokenizer is transformers'
(version 5 has one, on the tokenizers library, the "fast" one of before), with the vocabulary that Sfumato embeds. Lines: `T|text|ids`, text in
hexadecimal; `P|sd2|text|tokens|weights`, 77 of each a chunk; `W|numbers` an emphasised embedding.
"""
# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import gzip
import importlib.util
import io
import os
import random
import sys
import types
import unicodedata
from unittest.mock import MagicMock

import tokenizers
import torch
import transformers

here = os.path.dirname(os.path.abspath(__file__))


def clip_tokenizer():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in printable]
    letters = [chr(b) for b in printable] + [chr(256 + i) for i in range(len(rest))]
    with gzip.open(here + "/../../engine/text/merges.txt.gz", "rt", encoding="utf-8") as f:
        merges = [tuple(line.split()) for line in f]
    words = letters + [c + "</w>" for c in letters] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    return transformers.CLIPTokenizer(vocab={w: i for i, w in enumerate(words)}, merges=merges)


TOKENIZER = clip_tokenizer()
rng = random.Random(20260101)


def ids_of(texts):
    return TOKENIZER(texts, add_special_tokens=False)["input_ids"]


# ---- strings ---------------------------------------------------------------------------------------------------------

PHRASES = """a photograph of an astronaut riding a horse|masterpiece, best quality, ultra-detailed, 8k, (sharp focus)|It's what they're doing; we've said I'll, you'd, I'm
don't CAN'T Won'T it''s ''s 's 't|3.14159 1,000,000 ½ ²³ Ⅷ ⑩ 千 ٣٤٥ १२३ 𝟘𝟙|state-of-the-art, e.g. <lora:x:0.8> {a|b} #hashtag @user a/b\\c 50% $9.99
www.example.com/?q=1&r=2#top foo@bar.org|&amp; &lt;b&gt; &#39;quoted&#39; &nbsp;&eacute; <br/> <b>|ＦＵＬＬ ｗｉｄｔｈ ｱｲｳ ﬁ ﬂ ﬀ
El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío, añoraba a su querido cachorro.|Falsches Üben von Xylophonmusik quält jeden größeren Zwerg STRASSE ẞ
Portez ce vieux whisky au juge blond qui fume — «déjà vu», œuvre, naïve|Příliš žluťoučký kůň úpěl ďábelské ódy|Pchnąć w tę łódź jeża lub ośm skrzyń fig
İstanbul'da ILIK ığdır IİiıI|Ξεσκεπάζω την ψυχοφθόρα βδελυγμία ΟΔΥΣΣΕΥΣ Σ ς|Съешь же ещё этих мягких французских булок, да выпей чаю ЁЖ Й й
いろはにほへと ちりぬるを カタカナ ガギグ が ハンカク 漢字|視野無限廣，窗外有藍天。「引用」、繁體與简体字|키스의 고유조건은 입술끼리 만나야 하고 각 한글
نص حكيم له سر قاطع وذو شأن عظيم ﷺ ـــ مُحَمَّد|דג סקרן שט בים מאוכזב ולפתע מצא חברה שָׁלוֹם|ऋषियों को सताने वाले दुष्ट राक्षसों के राजा क्षत्रिय श्री
เป็นมนุษย์สุดประเสริฐเลิศคุณค่า|ὕδωρ ᾳ ᾼ ﷲ ﬃ|நான் தமிழ் பேசுகிறேன்|ქართული ᲥᲐᲠᲗᲣᲚᲘ|Հայերեն ԱԲԳ և|አማርኛ|ᏣᎳᎩ ꮳꮃꭹ|ᠮᠣᠩᠭᠣᠯ|བོད་སྐད|မြန်မာ|ភាសាខ្មែរ
👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 ❤️ ☺ ☺️ 1️⃣ 🇩🇪🇫🇷 👨🏿‍🚀|e\u0301 é a\u0323\u0302 ậ o\u0308\u0304 ﬁ\u0307 q\u0307\u0323|A\u030a Å \u212b \u2126 \u212a
tab\tnew\nline\r\nform\x0cfeed\x0bvert nbsp\u00a0thin\u2009zero\u200bwidth\ufeffbom line\u2028para\u2029nel\u0085end\u3000ideo\u1680ogham\u180emongol
\x01\x02\x1b[31mred\x7f\x80\x9f \x1c\x1d\x1e\x1f|<|startoftext|>a<|endoftext|>|<|STARTOFTEXT|> <|EndOfText|>!! x<|endoftext|><|endoftext|>y|<|endoftext|!><|start|>
( ) [ ] { } < > | \\ / ' " ` ~ ! @ # $ % ^ & * - _ = + ; : , . ?|.......,,,,,!!!!!????--__==|'''s'''t'''|a'b'c's'd|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|\ufffd \ufdd0 \U0010ffff \ue000
𝕳𝖊𝖑𝖑𝖔 𝓦𝓸𝓻𝓵𝓭 Ⓐⓑ ⅣⅷⅩ ℌ ℓ ™ © ® ℃ № ㏒ ㎏|ÀÉÎÕÜ ÇÑ Ÿ Š Ž Œ Æ Ø Å Þ Ð|\u1e9e \u0149 \u01f0 \u0390 \ufb13 Ǆ ǅ ǆ""".replace("\n", "|").split("|")
PHRASES = [p.encode("utf-8").decode("utf-8") for p in PHRASES] + ["", " ", "\n", "a", "<|endoftext|>", "<|startoftext|>", "<|STARTOFTEXT|>!", "x<|ENDOFTEXT|>",
                                                                   "<|endoftext|> <|ENDOFTEXT|>x", "{a|b}", "a|b"]
ASSIGNED = [c for c in range(1, 0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
BLOCKS = [(0x20, 0x7e), (0xa0, 0x24f), (0x250, 0x36f), (0x370, 0x52f), (0x590, 0x6ff), (0x900, 0xdff), (0xe00, 0x10ff), (0x1100, 0x139f), (0x1e00, 0x218f),
          (0x2190, 0x2bff), (0x2c00, 0x2e5d), (0x3000, 0x33ff), (0x4e00, 0x9fff), (0xa000, 0xabff), (0xac00, 0xd7a3), (0xf900, 0xfaff), (0xfb00, 0xfeff), (0xff00, 0xffef),
          (0x10000, 0x103ff), (0x10400, 0x11fff), (0x1d400, 0x1d7ff), (0x1f000, 0x1faff), (0x20000, 0x20fff)]
WORDS = ("a the of in photo painting portrait landscape castle dragon cyberpunk steampunk Rembrandt watercolor oil bokeh volumetric lighting intricate "
         "photorealistic hyperdetailed antidisestablishmentarianism xqzjkvb Zürich naïve 東京 Москва мост ñandú 🎨 🐉 's 're 4k 8K 35mm f/1.8 ISO100 1girl").split()
SPACES = [" "] * 12 + ["  ", "\t", "\n", "\u00a0", "\u3000", "\u2009", "", "", ", ", ". ", "-", "_"]


def strings():
    yield from PHRASES
    for p in PHRASES:  # other case, decomposed, run together
        yield p.upper()
        yield unicodedata.normalize("NFD", p)
        yield unicodedata.normalize("NFKD", p)[::2]
    for _ in range(500):
        yield "".join(rng.choice(WORDS) + rng.choice(SPACES) for _ in range(rng.randint(1, 12)))
    for _ in range(500):  # one script
        low, high = rng.choice(BLOCKS)
        pool = [c for c in range(low, high + 1) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
        yield "".join(chr(rng.choice(pool)) + rng.choice(["", "", "", " "]) for _ in range(rng.randint(1, 16)))
    for _ in range(500):  # anything
        yield "".join(chr(rng.choice(ASSIGNED)) for _ in range(rng.randint(1, 12)))
    for _ in range(300):  # marks upon letters, where composition happens
        yield "".join(rng.choice("aeiounsAEIOUNSyαωυи가각") + "".join(chr(rng.randint(0x300, 0x345)) for _ in range(rng.randint(0, 3))) for _ in range(rng.randint(1, 8)))
    for _ in range(300):  # punctuation and contractions
        yield "".join(rng.choice(["'s", "'T", "'Re", "'LL", "'", '"', "!", "<|", "|>", "a", "B", "1", "2", " ", "_", "-", "’s", ".", ",", "\\", "endoftext"])
                      for _ in range(rng.randint(1, 14)))
    yield "word " * 400
    yield "x" * 3000
    yield "ab" * 700 + "!" * 600


# ---- prompts ------------------------------------------------------------------------------------------------------------

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
FIXED_PROMPTS = ["", " ", "a", "a (cat:1.2) and ((dog)) and [bird]", "((((x))))", "[[[[x]]]]", "(a:0)", "(a:-1.5) b", "(a : 1.3 ) b", "(a:+.5)(b:5.)", "a\\(b\\) \\[c\\] \\\\ d\\e",
                 "(unbalanced", "unbalanced)", "[open (both", "closed] both)", "(a [b) c]", "a BREAK b", "BREAK", "BREAK BREAK", "a BREAK", "BREAK a", "a,BREAK,b", "aBREAK b", "a BREAK_b break",
                 "a\n  BREAK \t b", "a:b:c", "(a:b:1.5)", ":1.5)", "(a:1.5]", "[a:1.5]", "(a:٢)", "()", "[]", "(:1.2)", "(((a:1.1):1.2):1.3)", "(a, (b, [c, (d:0.7)]))", "\\", "a\\",
                 "(word:1.2)(other:1.2)", "half(word)half", "<|endoftext|> after (x:1.4)", "(a:1.0) b", "(BR:1.1)EAK BREAK(c)", "a BREAKé b", "ä BREAK ö"]


def random_prompt():
    pieces = []
    for _ in range(rng.choice([3, 8, 20, 60, 120])):
        pieces.append(rng.choice(WORDS) if rng.random() < 0.72 else rng.choice(["(", ")", "[", "]", ":1.2)", ":0.55)", ",", ",", ",", "\\(", "\\)", ":", "((", "))", "\\", " BREAK "]))
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
            row[index + 1:] = [0] * (76 - index)
    return sum(tokens, []), sum((c.multipliers for c in chunks), [])


out = io.StringIO()
out.write(f"# Made by text_make.py with transformers {transformers.__version__}, tokenizers {tokenizers.__version__}\n")
texts = list(dict.fromkeys(strings()))
for text, ids in zip(texts, ids_of(texts)):
    out.write(f"T|{text.encode().hex()}|{' '.join(map(str, ids))}\n")
n_prompts = 0
for i, text in enumerate(prompts()):
    result = chunks_of(text, i % 2)
    if result:
        out.write(f"P|{i % 2}|{text.encode().hex()}|{' '.join(map(str, result[0]))}|{' '.join('%.9g' % w for w in result[1])}\n")
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
