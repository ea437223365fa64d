"""Strings that try tokenizers: scripts, spaces, marks, contractions, other cases and forms. For text_make.py and
byte_tokens_make.py."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import unicodedata

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
𝕳𝖊𝖑𝖑𝖔 𝓦𝓸𝓻𝓵𝓭 Ⓐⓑ ⅣⅷⅩ ℌ ℓ ™ © ® ℃ № ㏒ ㎏|ÀÉÎÕÜ ÇÑ Ÿ Š Ž Œ Æ Ø Å Þ Ð|\u1e9e \u0149 \u01f0 \u0390 \ufb13 Ǆ ǅ ǆ""".replace(
    "\n", "|"
).split(
    "|"
)
PHRASES = [p.encode("utf-8").decode("utf-8") for p in PHRASES] + [
    "",
    " ",
    "\n",
    "a",
    "<|endoftext|>",
    "<|startoftext|>",
    "<|STARTOFTEXT|>!",
    "x<|ENDOFTEXT|>",
    "<|endoftext|> <|ENDOFTEXT|>x",
    "{a|b}",
    "a|b",
]
ASSIGNED = [c for c in range(1, 0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
BLOCKS = [
    (0x20, 0x7E),
    (0xA0, 0x24F),
    (0x250, 0x36F),
    (0x370, 0x52F),
    (0x590, 0x6FF),
    (0x900, 0xDFF),
    (0xE00, 0x10FF),
    (0x1100, 0x139F),
    (0x1E00, 0x218F),
    (0x2190, 0x2BFF),
    (0x2C00, 0x2E5D),
    (0x3000, 0x33FF),
    (0x4E00, 0x9FFF),
    (0xA000, 0xABFF),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFB00, 0xFEFF),
    (0xFF00, 0xFFEF),
    (0x10000, 0x103FF),
    (0x10400, 0x11FFF),
    (0x1D400, 0x1D7FF),
    (0x1F000, 0x1FAFF),
    (0x20000, 0x20FFF),
]
WORDS = (
    "a the of in photo painting portrait landscape castle dragon cyberpunk steampunk Rembrandt watercolor oil bokeh volumetric lighting intricate "
    "photorealistic hyperdetailed antidisestablishmentarianism xqzjkvb Zürich naïve 東京 Москва мост ñandú 🎨 🐉 's 're 4k 8K 35mm f/1.8 ISO100 1girl"
).split()
SPACES = [" "] * 12 + ["  ", "\t", "\n", "\u00a0", "\u3000", "\u2009", "", "", ", ", ". ", "-", "_"]


def strings(rng):
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
        yield "".join(
            rng.choice("aeiounsAEIOUNSyαωυи가각")
            + "".join(chr(rng.randint(0x300, 0x345)) for _ in range(rng.randint(0, 3)))
            for _ in range(rng.randint(1, 8))
        )
    for _ in range(300):  # punctuation and contractions
        yield "".join(
            rng.choice(
                [
                    "'s",
                    "'T",
                    "'Re",
                    "'LL",
                    "'",
                    '"',
                    "!",
                    "<|",
                    "|>",
                    "a",
                    "B",
                    "1",
                    "2",
                    " ",
                    "_",
                    "-",
                    "’s",
                    ".",
                    ",",
                    "\\",
                    "endoftext",
                ]
            )
            for _ in range(rng.randint(1, 14))
        )
    yield "word " * 400
    yield "x" * 3000
    yield "ab" * 700 + "!" * 600
