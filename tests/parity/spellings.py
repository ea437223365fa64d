#!/usr/bin/env python3
"""Models and adapters under every name that programs give their tensors: each spelling makes the picture of the first.
On small models of sdxl.json.gz, control.json.gz, flux2.json.gz and zimage.json.gz, whose pictures other tests compare
with diffusers'. TAP. spellings.py SFUMATO WRITE_MODEL"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import array
import random
import re
import shutil
import subprocess
import sys

from jobs import OTHER, SAME, Bench, difference, leave, read, report, write
from original import original_unet, original_vae

BENCH = Bench(*sys.argv[1:3], "spellings")
TMP = BENCH.folder
UNET, VAE, TEXT, TEXT2 = (
    f"{p}/{f}.safetensors"
    for p, f in (
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
        ("text_encoder_2", "diffusion_pytorch_model"),
    )
)
TRANSFORMER = "transformer/diffusion_pytorch_model.safetensors"
groups = (
    []
)  # name, [(what it is, job, SAME or OTHER or words of a sentence)]; the first is what the others are compared with


def renamed(path, tensors, fn):
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, {fn(k): v for k, v in tensors.items()})
    return path


def convert(path, to, kind):
    subprocess.run([BENCH.sfumato, "convert", path, to, "--type", kind], check=True, capture_output=True, env=BENCH.env)
    return to


def before(prefix):
    return lambda name: prefix + name


def bare(name):
    return original_unet(name).removeprefix("model.diffusion_model.")


# ---- checkpoints ----


def vae_original(tensors, prefix=""):
    """The attention's matrices are convolutions of one pixel there."""
    return {
        prefix
        + original_vae(k).removeprefix("first_stage_model."): (
            d,
            s + [1, 1] if re.search(r"attentions\.0\.to_.*weight$", k) else s,
            b,
        )
        for k, (d, s, b) in tensors.items()
    }


def xl_checkpoints():
    base = BENCH.model("base", TMP / "base", "sdxl")
    single = BENCH.model("base-single", TMP / "base-single.safetensors", "sdxl")
    ema = {
        **read(single),
        "model_ema.decay": ("F32", [], bytes(4)),
        "model_ema.num_updates": ("I32", [], bytes(4)),
        "model_ema.diffusion_modelout2weight": ("F16", [4], bytes(8)),
    }
    write(TMP / "base-ema.safetensors", ema)
    groups.append(
        (
            "Stable Diffusion XL: files",
            [
                ("folder", {"model": base}, SAME),
                ("single file", {"model": single}, SAME),
                ("with EMA copies", {"model": TMP / "base-ema.safetensors"}, SAME),
            ],
        )
    )
    # One residual block a level, no middle.
    folder = TMP / "koala"
    shutil.copytree(base, folder)
    shutil.rmtree(folder / "unet")
    BENCH.model("koala", TMP / "koala-net", "sdxl")
    shutil.move(TMP / "koala-net/unet", folder / "unet")
    write(
        TMP / "koala.safetensors",
        {
            **{k: v for k, v in read(single).items() if not k.startswith("model.diffusion_model.")},
            **{original_unet(k, 1): v for k, v in read(folder / UNET).items()},
        },
    )
    groups.append(
        (
            "KOALA: files",
            [("folder", {"model": folder}, SAME), ("single file", {"model": TMP / "koala.safetensors"}, SAME)],
        )
    )


def xl_pieces():
    """-> what a job needs beside the UNet, and the UNet in diffusers' names."""
    BENCH.model("parts/diffusion_models", TMP / "pieces.safetensors", "sdxl")
    back = {bare(k): k for k in read(TMP / "base" / UNET)}
    unet = {back[k]: v for k, v in read(TMP / "pieces.safetensors").items()}
    for key, to in (
        ("parts/vae", "pieces-vae.safetensors"),
        ("parts/text_encoders/first", "pieces-first"),
        ("parts/text_encoders/second", "pieces-second"),
    ):
        BENCH.model(key, TMP / to, "sdxl")
    return {"vae": TMP / "pieces-vae.safetensors", "text": TMP / "pieces-first", "text_2": TMP / "pieces-second"}, unet


def xl_in_pieces(parts, unet):
    lone = TMP / "lone"
    lone.mkdir()
    vae = read(parts["vae"])
    write(lone / "vae-bare.safetensors", vae_original(vae))
    write(lone / "vae-xl.safetensors", vae_original(vae, "first_stage_model."))
    original = renamed(lone / "original.safetensors", unet, original_unet)
    return [
        ("UNet alone, prefix", {"model": original, **parts}, SAME),
        ("UNet alone, bare", {"model": renamed(lone / "bare.safetensors", unet, bare), **parts}, SAME),
        (
            "UNet alone, model.",
            {"model": renamed(lone / "model.safetensors", unet, lambda k: "model." + bare(k)), **parts},
            SAME,
        ),
        ("UNet alone, diffusers'", {"model": renamed(lone / "diffusers.safetensors", unet, str), **parts}, SAME),
        ("UNet alone, unet.", {"model": renamed(lone / "unet.safetensors", unet, before("unet.")), **parts}, SAME),
        ("UNet alone, GGUF", {"model": convert(lone / "bare.safetensors", lone / "bare.gguf", "f16"), **parts}, SAME),
        ("VAE, original names", {"model": original, **parts, "vae": lone / "vae-bare.safetensors"}, SAME),
        ("VAE, first_stage_model.", {"model": original, **parts, "vae": lone / "vae-xl.safetensors"}, SAME),
    ]


def sd_checkpoints():
    folder = BENCH.model("sd", TMP / "sd", "control")
    unet, vae = read(folder / UNET), read(folder / VAE)
    parts = {"vae": folder / "vae", "text": folder / "text_encoder"}
    lone = TMP / "sd-lone"
    lone.mkdir()
    found = TMP / "found"
    shutil.copytree(folder / "vae", found / "vae/sd")
    shutil.copytree(folder / "text_encoder", found / "text_encoders/clip_l")
    return [
        ("folder", {"model": folder}, SAME),
        ("UNet alone, prefix", {"model": renamed(lone / "original.safetensors", unet, original_unet), **parts}, SAME),
        ("UNet alone, bare", {"model": renamed(lone / "bare.safetensors", unet, bare), **parts}, SAME),
        ("UNet alone, diffusers'", {"model": renamed(lone / "diffusers.safetensors", unet, str), **parts}, SAME),
        ("UNet alone, unet.", {"model": renamed(lone / "unet.safetensors", unet, before("unet.")), **parts}, SAME),
        ("UNet alone, GGUF", {"model": convert(lone / "bare.safetensors", lone / "bare.gguf", "f16"), **parts}, SAME),
        ("parts found", {"model": renamed(found / "diffusion_models/unet.safetensors", unet, bare)}, SAME),
        ("no parts", {"model": lone / "bare.safetensors"}, "has no"),
    ]


# ---- adapters ----

RANK = 4


def adapter(path, modules, spell, alpha=None):
    """modules: name -> (outputs, inputs..., values of down, values of up). spell: (name) -> (module in the file, end of
    down, end of up); or a list of (module in the file, down, up), where up and down are the tensors (dims, floats)."""
    tensors = {}
    for name, (down, up) in modules.items():
        for module, a, b, ends in spell(name, down, up):
            for (dims, values), end in ((a, ends[0]), (b, ends[1])):
                tensors[module + end] = ("F32", dims, array.array("f", values).tobytes())
            if alpha:
                tensors[module + ".alpha"] = ("F32", [], array.array("f", [alpha]).tobytes())
    path.parent.mkdir(exist_ok=True)
    write(path, tensors)
    return path


def pair(dims, seed):
    """Down [rank, inputs, ..] and up [outputs, rank, 1, ..] for a weight of these dims."""
    r = random.Random(seed)
    n = RANK
    for d in dims[1:]:
        n *= d
    scale = 2 / (n // RANK) ** 0.5
    down = [round(r.uniform(-scale, scale), 4) for _ in range(n)]
    up = [round(r.uniform(-0.2, 0.2), 4) for _ in range(dims[0] * RANK)]
    return ([RANK] + dims[1:], down), ([dims[0], RANK] + [1] * (len(dims) - 2), up)


KOHYA, PEFT, NAMED, PLAIN = (
    (".lora_down.weight", ".lora_up.weight"),
    (".lora_A.weight", ".lora_B.weight"),
    (".lora_A.default.weight", ".lora_B.default.weight"),
    (".lora_A", ".lora_B"),
)
DOTTED, LINEAR = (".lora.down.weight", ".lora.up.weight"), (
    ".lora_linear_layer.down.weight",
    ".lora_linear_layer.up.weight",
)


def flat(name):
    return name.replace(".", "_")


def one(rename, ends):
    """A module under one other name; None: it is left out."""
    return lambda name, down, up: [(rename(name), down, up, ends)] if rename(name) else []


XL_MODULES = {
    "unet": [
        "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
        "down_blocks.1.attentions.1.transformer_blocks.0.attn2.to_out.0",
        "down_blocks.1.resnets.0.conv1",
        "down_blocks.0.downsamplers.0.conv",
        "up_blocks.0.upsamplers.0.conv",
        "time_embedding.linear_1",
        "add_embedding.linear_1",
        "mid_block.attentions.0.proj_in",
        "conv_in",
        "conv_out",
        "up_blocks.2.resnets.1.conv_shortcut",
        "up_blocks.1.attentions.0.transformer_blocks.0.ff.net.0.proj",
    ],
    "text_encoder": ["text_model.encoder.layers.0.mlp.fc1", "text_model.encoder.layers.1.self_attn.q_proj"],
    "text_encoder_2": ["text_model.encoder.layers.1.mlp.fc2", "text_model.encoder.layers.0.self_attn.out_proj"],
}


def bigg(name):
    """OpenCLIP's names."""
    for a, b in (
        ("text_model.encoder.layers", "transformer.resblocks"),
        ("mlp.fc1", "mlp.c_fc"),
        ("mlp.fc2", "mlp.c_proj"),
        ("self_attn.out_proj", "attn.out_proj"),
    ):
        name = name.replace(a, b)
    return name


def by_part(unet, first=None, second=None):
    """A function of names "part:module"."""
    fns = {"unet": unet, "text_encoder": first, "text_encoder_2": second}

    def rename(name):
        part, module = name.split(":")
        return fns[part](module) if fns[part] else None

    return rename


def pick(path, name):
    tensors = read(path)
    return next(
        t[1]
        for k, t in tensors.items()
        if k.removeprefix("text_model.") == name.removeprefix("text_model.") + ".weight"
    )


def xl_adapters():
    base = TMP / "base"
    files = {"unet": UNET, "text_encoder": TEXT, "text_encoder_2": TEXT2}
    files["text_encoder_2"] = next(str(p.relative_to(base)) for p in (base / "text_encoder_2").glob("*.safetensors"))
    modules = {
        f"{part}:{m}": pair(pick(base / files[part], m), f"{part}{m}")
        for part, names in XL_MODULES.items()
        for m in names
    }
    only = {k: v for k, v in modules.items() if k.startswith("unet:")}
    k = lambda p: lambda m: p + flat(m)  # noqa: E731
    sgm = lambda m: "lora_unet_" + flat(bare(m + ".weight").removesuffix(".weight"))  # noqa: E731
    ldm = lambda m: bare(m + ".weight").removesuffix(".weight")  # noqa: E731
    spellings = {
        "kohya": one(by_part(k("lora_unet_"), k("lora_te1_"), k("lora_te2_")), KOHYA),
        "kohya, original names": one(by_part(sgm, k("lora_te1_"), k("lora_te2_")), KOHYA),
        "diffusers": one(by_part(before("unet."), before("text_encoder."), before("text_encoder_2.")), PEFT),
        "diffusers, adapter's name": one(
            by_part(before("unet."), before("text_encoder."), before("text_encoder_2.")), NAMED
        ),
        "diffusers, no weight": one(
            by_part(before("unet."), before("text_encoder."), before("text_encoder_2.")), PLAIN
        ),
        "diffusers, old": one(by_part(before("unet."), before("text_encoder."), before("text_encoder_2.")), DOTTED),
        "diffusers, linear layers": one(
            by_part(before("unet."), before("text_encoder."), before("text_encoder_2.")), LINEAR
        ),
        "PEFT, by part": one(
            by_part(
                before("unet.base_model.model."),
                before("text_encoder.base_model.model."),
                before("text_encoder_2.base_model.model."),
            ),
            PEFT,
        ),
        "PEFT around parts": one(
            by_part(
                before("base_model.model.unet."),
                before("base_model.model.text_encoder."),
                before("base_model.model.text_encoder_2."),
            ),
            PEFT,
        ),
        "OneTrainer": one(by_part(before("unet."), before("clip_l."), before("clip_g.")), KOHYA),
        "ComfyUI": one(
            by_part(
                lambda m: "diffusion_model." + ldm(m),
                before("text_encoders.clip_l.transformer."),
                before("text_encoders.clip_g.transformer."),
            ),
            PEFT,
        ),
        "original names": one(
            by_part(
                lambda m: "model.diffusion_model." + ldm(m),
                before("conditioner.embedders.0.transformer."),
                lambda m: "conditioner.embedders.1.model." + bigg(m),
            ),
            PEFT,
        ),
    }
    cells = [("no adapter", {"model": base}, OTHER)]
    first = None
    for name, spell in spellings.items():
        path = adapter(
            TMP / "loras" / f"xl-{flat(name).replace(' ', '-')}.safetensors",
            modules,
            spell,
            RANK if "kohya" in name else None,
        )
        first = first or path
        cells.append((name, {"model": base, "lora": [f"{path}=0.75"]}, SAME))
    cells += [("on a single file", {"model": TMP / "base-single.safetensors", "lora": [f"{first}=0.75"]}, SAME)]
    groups.append(("Stable Diffusion XL: adapters with text encoders", [cells.pop(1)] + cells))
    half = {
        "kohya": one(by_part(k("lora_unet_")), KOHYA),
        "LyCORIS": one(by_part(k("lycoris_")), KOHYA),
        "PEFT": one(by_part(before("base_model.model.")), PEFT),
        "bare": one(by_part(str), PEFT),
        "transformer.": one(by_part(before("transformer.")), PEFT),
    }
    cells = [
        (
            name,
            {"model": base, "lora": [str(adapter(TMP / "loras" / f"xl-half-{name}.safetensors", only, spell))]},
            SAME,
        )
        for name, spell in half.items()
    ]
    groups.append(("Stable Diffusion XL: adapters of the UNet", cells))


def pieces_adapters(parts, unet):
    """The text encoders' parts of an adapter reach encoders in other files, and leave them after the run."""
    dims = {
        "unet:down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q": unet[
            "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.weight"
        ][1]
    }
    for part, folder in (("text_encoder", "text"), ("text_encoder_2", "text_2")):
        file = next(parts[folder].glob("*.safetensors"))
        dims.update({f"{part}:{m}": pick(file, m) for m in XL_MODULES[part]})
    k = lambda p: lambda m: p + flat(m)  # noqa: E731
    modules = {n: pair(d, n) for n, d in dims.items()}
    spell = one(by_part(k("lora_unet_"), k("lora_te1_"), k("lora_te2_")), KOHYA)
    path = adapter(TMP / "loras/pieces.safetensors", modules, spell)
    half = adapter(
        TMP / "loras/pieces-unet.safetensors", {n: v for n, v in modules.items() if n.startswith("unet:")}, spell
    )
    own = {"model": TMP / "lone/original.safetensors", **parts}
    return [
        ("encoders named", {**own, "lora": [str(path)]}, SAME),
        ("no adapter, after one", own, OTHER),
        ("UNet's half", {**own, "lora": [str(half)]}, OTHER),
        ("again", {**own, "lora": [str(path)]}, SAME),
        ("the encoders' half", {**own, "lora": [f"{path}=0,1"]}, OTHER),
        ("diffusers' UNet", {**own, "model": TMP / "lone/diffusers.safetensors", "lora": [str(path)]}, SAME),
    ]


def refiner_adapters():
    """Its one encoder is what elsewhere is the second."""
    folder = BENCH.model("refine", TMP / "refine", "sdxl")
    text = next((folder / "text_encoder_2").glob("*.safetensors"))
    modules = {
        "unet:down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k": pair([64, 64], "r1"),
        **{f"text_encoder_2:{m}": pair(pick(text, m), m) for m in XL_MODULES["text_encoder_2"]},
    }
    k = lambda p: lambda m: p + flat(m)  # noqa: E731
    names = {
        "lora_te_": k("lora_te_"),
        "lora_te2_": k("lora_te2_"),
        "text_encoder.": before("text_encoder."),
        "text_encoder_2.": before("text_encoder_2."),
    }
    cells = []
    for name, fn in names.items():
        path = adapter(
            TMP / "loras" / f"refiner-{name}safetensors", modules, one(by_part(k("lora_unet_"), None, fn), KOHYA)
        )
        cells.append((name, {"model": folder, "lora": [str(path)]}, SAME))
    xl = TMP / "loras/xl-kohya.safetensors"
    return cells + [
        ("no adapter", {"model": folder}, OTHER),
        ("one for the base model", {"model": folder, "lora": [str(xl)]}, "does not fit"),
    ]


# ---- transformers ----


def fused(parts, to):
    """Modules of several names as one: {name: (its place, how many, the name of all)} by `parts`, the others by
    `to`."""

    def spell(ends):
        gathered = {}

        def fn(name, down, up):
            for ending, (place, n, whole) in parts.items():
                if name.endswith(ending):
                    key = name[: -len(ending)] + whole
                    gathered.setdefault(key, {})[place] = up
                    if len(gathered[key]) < n:
                        return []
                    ups = [gathered[key][i] for i in range(n)]
                    joined = ([sum(u[0][0] for u in ups), RANK], [v for u in ups for v in u[1]])
                    return [(to(key), down, joined, ends)]
            return [(to(name), down, up, ends)]

        return fn

    return spell


def both(*spells):
    """Each module under several names: only one of them counts."""
    return lambda name, down, up: [m for spell in spells for m in spell(name, down, up)]


def empty(spell):
    """With changes that are none, as programs save modules that they did not train."""
    return lambda name, down, up: spell(name, down, (up[0], [0.0] * len(up[1])))


def only(spell, wanted):
    return lambda name, down, up: spell(name, down, up) if wanted(name) else []


def same_down(modules, groups_of):
    """Fused matrices share their down: that of the first."""
    for stem, names in groups_of:
        for n in names[1:]:
            modules[stem + n] = (modules[stem + names[0]][0], modules[stem + n][1])
    return modules


FLUX = [
    ("transformer_blocks.0.attn.to_out.0", "double_blocks.0.img_attn.proj"),
    ("transformer_blocks.0.attn.to_add_out", "double_blocks.0.txt_attn.proj"),
    ("transformer_blocks.0.ff.linear_in", "double_blocks.0.img_mlp.0"),
    ("transformer_blocks.0.ff_context.linear_out", "double_blocks.0.txt_mlp.2"),
    ("transformer_blocks.0.ff.linear_out", "double_blocks.0.img_mlp.2"),
    ("transformer_blocks.0.ff_context.linear_in", "double_blocks.0.txt_mlp.0"),
    ("single_transformer_blocks.0.attn.to_qkv_mlp_proj", "single_blocks.0.linear1"),
    ("single_transformer_blocks.0.attn.to_out", "single_blocks.0.linear2"),
    ("x_embedder", "img_in"),
    ("context_embedder", "txt_in"),
    ("proj_out", "final_layer.linear"),
    ("time_guidance_embed.timestep_embedder.linear_1", "time_in.in_layer"),
    ("time_guidance_embed.timestep_embedder.linear_2", "time_in.out_layer"),
    ("double_stream_modulation_img.linear", "double_stream_modulation_img.lin"),
    ("double_stream_modulation_txt.linear", "double_stream_modulation_txt.lin"),
    ("single_stream_modulation.linear", "single_stream_modulation.lin"),
    ("transformer_blocks.0.attn.to_qkv", "double_blocks.0.img_attn.qkv"),
    ("transformer_blocks.0.attn.to_added_qkv", "double_blocks.0.txt_attn.qkv"),
]


def flux_adapters():
    folder = BENCH.model("pipe", TMP / "klein", "flux2")
    tensors = read(folder / TRANSFORMER)
    names = [a for a, _ in FLUX[:-2]] + [
        f"transformer_blocks.0.attn.{n}" for n in ("to_q", "to_k", "to_v", "add_q_proj", "add_k_proj", "add_v_proj")
    ]
    modules = {n: pair(tensors[n + ".weight"][1], n) for n in names}
    same_down(
        modules,
        [
            ("transformer_blocks.0.attn.", ["to_q", "to_k", "to_v"]),
            ("transformer_blocks.0.attn.", ["add_q_proj", "add_k_proj", "add_v_proj"]),
        ],
    )
    original = dict(FLUX)
    parts = {
        **{f"attn.to_{c}": (i, 3, "attn.to_qkv") for i, c in enumerate("qkv")},
        **{f"attn.add_{c}_proj": (i, 3, "attn.to_added_qkv") for i, c in enumerate("qkv")},
    }
    bfl = lambda p: fused(parts, lambda n: p + original[n])  # noqa: E731
    lycoris = lambda ends: one(lambda n: "lycoris_" + flat(n), ends)  # noqa: E731
    of_fused = lambda n: n.endswith(tuple(parts))  # noqa: E731
    cut = lambda n: "diffusion_model." + (
        n.replace("transformer_blocks", "sformer_blocks") if n.startswith("transformer_blocks") else n
    )  # noqa: E731
    spellings = {
        "diffusers": one(before("transformer."), PEFT),
        "diffusers, adapter's name": one(before("transformer."), NAMED),
        "diffusers, kohya's ends": one(before("transformer."), KOHYA),
        "diffusers, fused": fused(parts, before("transformer."))(PEFT),
        "ComfyUI, diffusers' names": one(before("diffusion_model."), PEFT),
        "ComfyUI, cut names": one(cut, PEFT),
        "ComfyUI": bfl("diffusion_model.")(PEFT),
        "ComfyUI, kohya's ends": bfl("diffusion_model.")(KOHYA),
        "PEFT, original names": bfl("base_model.model.")(PEFT),
        "PEFT, diffusers' names": one(before("base_model.model."), PEFT),
        "PEFT around diffusers'": one(before("base_model.model.transformer."), PEFT),
        "transformer. and PEFT": one(before("transformer.base_model.model."), PEFT),
        "original names": bfl("")(PEFT),
        "checkpoint's names": bfl("model.diffusion_model.")(PEFT),
        "kohya": fused(parts, lambda n: "lora_unet_" + flat(original[n]))(KOHYA),
        "OneTrainer": one(lambda n: "lora_transformer_" + flat(n), KOHYA),
        "LyCORIS": lycoris(KOHYA),
        "LyCORIS, fused beside empty parts": both(
            empty(only(lycoris(KOHYA), of_fused)),
            only(fused(parts, lambda n: "lycoris_" + flat(n))(KOHYA), of_fused),
            only(lycoris(KOHYA), lambda n: not of_fused(n)),
        ),
    }
    paths = {
        n: adapter(TMP / "loras" / f"klein-{i}.safetensors", modules, s, RANK if "kohya" in n else None)
        for i, (n, s) in enumerate(spellings.items())
    }
    name = "transformer_blocks.0.attn.to_q"
    whole = adapter(TMP / "loras/klein-dora.safetensors", {name: modules[name]}, one(lambda n: n + "kv", PEFT))
    tensors = read(whole)
    n_in = modules[name][0][0][1]
    tensors[f"{name}kv.lora_B.weight"] = ("F32", [3 * n_in, RANK], bytes(3 * n_in * RANK * 4))
    tensors[f"{name}kv.dora_scale"] = ("F32", [1, n_in], array.array("f", [1] * n_in).tobytes())
    write(whole, tensors)
    cells = [(n, {"model": folder, "lora": [str(p)]}, SAME) for n, p in paths.items()] + [
        ("no adapter", {"model": folder}, OTHER),
        ("DoRA on the inputs of a fused matrix", {"model": folder, "lora": [str(whole)]}, "separate matrices only"),
    ]
    groups.append(("FLUX.2 klein: adapters", cells))
    pieces = {"vae": folder / "vae", "text": folder / "text_encoder"}
    for kind in "q8_0", "q4_0", "fp8", "int8":
        path = convert(
            folder / TRANSFORMER, TMP / ("klein-" + kind + (".gguf" if kind[0] == "q" else ".safetensors")), kind
        )
        groups.append(
            (
                f"FLUX.2 klein in {kind}: adapters",
                [(n, {"model": path, **pieces, "lora": [str(p)]}, SAME) for n, p in list(paths.items())[::4]]
                + [("no adapter", {"model": path, **pieces}, OTHER)],
            )
        )


ZIMAGE = [
    (f"{b}.attention.to_out.0", f"{b}.attention.out") for b in ("layers.0", "noise_refiner.0", "context_refiner.0")
] + [
    ("all_x_embedder.2-1", "x_embedder"),
    ("all_final_layer.2-1.linear", "final_layer.linear"),
    ("all_final_layer.2-1.adaLN_modulation.1", "final_layer.adaLN_modulation.1"),
]


def zimage_adapters():
    folder = BENCH.model("turbo", TMP / "zimage", "zimage")
    tensors = read(folder / TRANSFORMER)
    blocks = ("layers.0", "noise_refiner.0", "context_refiner.0")
    names = (
        [a for a, _ in ZIMAGE]
        + [f"{b}.attention.to_{c}" for b in blocks for c in "qkv"]
        + [
            "layers.0.feed_forward.w1",
            "layers.0.feed_forward.w2",
            "context_refiner.0.feed_forward.w3",
            "layers.0.adaLN_modulation.0",
            "t_embedder.mlp.0",
            "cap_embedder.1",
        ]
    )
    modules = same_down(
        {n: pair(tensors[n + ".weight"][1], n) for n in names},
        [(f"{b}.attention.", ["to_q", "to_k", "to_v"]) for b in blocks],
    )
    original = dict(ZIMAGE)
    parts = {f"attention.to_{c}": (i, 3, "attention.qkv") for i, c in enumerate("qkv")}
    own = lambda p: fused(parts, lambda n: p + original.get(n, n))  # noqa: E731
    spellings = {
        "diffusers": one(before("transformer."), PEFT),
        "ComfyUI, diffusers' names": one(before("diffusion_model."), PEFT),
        "ComfyUI": own("diffusion_model.")(PEFT),
        "PEFT": one(before("base_model.model."), PEFT),
        "PEFT, original names": own("base_model.model.")(PEFT),
        "bare": one(str, PEFT),
        "original names": own("")(PEFT),
        "adapter's name": one(before("diffusion_model."), NAMED),
        "dots": own("diffusion_model.")(DOTTED),
        "kohya": one(lambda n: "lora_unet_" + flat(n), KOHYA),
        "kohya, original names": fused(parts, lambda n: "lora_unet_" + flat(original.get(n, n)))(KOHYA),
        "kohya, wrapped": one(lambda n: "lora_unet__" + flat(n), KOHYA),
        "transformer.diffusion_model.": one(before("transformer.diffusion_model."), PEFT),
        "dots, each part and all": both(
            one(lambda n: "diffusion_model." + re.sub(r"to_([qkv])$", r"to.\1", n), DOTTED),
            own("diffusion_model.")(DOTTED),
        ),
        "OneTrainer": one(lambda n: "lora_transformer_" + flat(n), KOHYA),
        "LyCORIS": one(lambda n: "lycoris_" + flat(n), KOHYA),
    }
    paths = {
        n: adapter(TMP / "loras" / f"zimage-{i}.safetensors", modules, s, RANK if "kohya" in n else None)
        for i, (n, s) in enumerate(spellings.items())
    }
    groups.append(
        (
            "Z-Image: adapters",
            [(n, {"model": folder, "lora": [str(p)]}, SAME) for n, p in paths.items()]
            + [("no adapter", {"model": folder}, OTHER)],
        )
    )
    blocks = TMP / "zimage-q8"
    shutil.copytree(folder, blocks)
    convert(folder / TRANSFORMER, (blocks / TRANSFORMER).with_suffix(".gguf"), "q8_0")
    (blocks / TRANSFORMER).unlink()
    groups.append(
        (
            "Z-Image in q8_0: adapters",
            [(n, {"model": blocks, "lora": [str(p)]}, SAME) for n, p in list(paths.items())[::4]]
            + [("no adapter", {"model": blocks}, OTHER)],
        )
    )


def main():
    if not BENCH.has_device():
        print("1..0 # SKIP no OpenCL device")
        return 0
    xl_checkpoints()
    pieces = xl_pieces()
    groups.append(("Stable Diffusion XL in pieces: files", xl_in_pieces(*pieces)))
    groups.append(("Stable Diffusion 1: files", sd_checkpoints()))
    xl_adapters()
    groups.append(("Stable Diffusion XL in pieces: adapters", pieces_adapters(*pieces)))
    groups.append(("Stable Diffusion XL refiner: adapters", refiner_adapters()))
    flux_adapters()
    zimage_adapters()
    failures = 0
    for number, (group, cells) in enumerate(groups, 1):
        bad = []
        results, said_at_all = BENCH.run([job for _, job, _ in cells])
        right = results[0][0]
        for (what, _, expected), result in zip(cells, results):
            if wrong := difference(right, result, expected):
                bad.append(f"{what}: {wrong}")
        if not right or (bad and not any(b for b in bad if "said" in b)):
            bad.append(said_at_all[-600:].replace("\n", "\n# "))
        failures += report(number, f"{group} ({len(cells)} spellings)", bad)
    print(f"1..{len(groups)}")
    return failures > 0


leave(main, TMP)
