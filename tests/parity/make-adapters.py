#!/usr/bin/env python3
"""Makes adapters.json.gz (small Stable Diffusion 1.x networks, adapters in every kind and spelling, cases) and
adapters.safetensors (expected outputs) for adapters.c. LyCORIS, PEFT and diffusers apply the adapters; weights and
inputs come from the hash of hashed.py.

    python tests/parity/make-adapters.py

Made with torch 2.13.0+cpu, diffusers 0.42.1, transformers 5.24.0, peft 0.21.2, lycoris-lora 4.1.3, safetensors 0.8.0,
numpy 2.4.6.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import copy
import json

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from lycoris import LycorisNetwork, create_lycoris
from peft import IA3Config, LoHaConfig, LoKrConfig, LoraConfig, OFTConfig, get_peft_model, get_peft_model_state_dict
from transformers import CLIPTextConfig, CLIPTextModel

from hashed import config_of, fill, hash_input, hash_ints, nchw, nhwc, write

torch.manual_seed(0)
torch.set_num_threads(1)
models, cases, expected = {}, [], {}

CROSS, DOWN, UP, UPCROSS = "CrossAttnDownBlock2D", "DownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"
unet = UNet2DConditionModel(
    sample_size=8,
    in_channels=4,
    out_channels=4,
    layers_per_block=2,
    block_out_channels=(32, 64),
    cross_attention_dim=48,
    attention_head_dim=4,
    norm_num_groups=8,
    down_block_types=(CROSS, DOWN),
    up_block_types=(UP, UPCROSS),
)
text = CLIPTextModel(
    CLIPTextConfig(
        vocab_size=500,
        max_position_embeddings=77,
        projection_dim=32,
        bos_token_id=498,
        eos_token_id=499,
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        hidden_act="quick_gelu",
    )
)
models["sd"] = {
    "files": [
        {"folder": "unet", "config": config_of(unet), "tensors": fill(unet, "sd/unet")},
        {"folder": "text_encoder", "config": config_of(text), "tensors": fill(text, "sd/text_encoder")},
    ]
}
N, H, W, TOKENS = 2, 6, 5, 7
TIMES = [981, 17.5]
x = nchw(hash_input("adapters/x", (N, H, W, 4)))
context = hash_input("adapters/context", (N, TOKENS, 48))
ids = torch.from_numpy(((hash_ints("adapters/tokens", 77) + 1024) % 500).reshape(1, 77))


def run_unet(model):
    with torch.no_grad():
        return nhwc(model(x, torch.tensor(TIMES), context).sample)


def run_text(model):
    with torch.no_grad():
        return model(ids).last_hidden_state.numpy().reshape(1, 1, 77, -1)


def small(name, dims, scale):
    """Values that fp16 holds, from the hash: the C side makes them again. scale: a power of two."""
    return (hash_ints(name, int(np.prod(dims))) * (scale / 1024)).reshape(dims).astype(np.float32)


def power(v):
    return int(np.round(np.log2(v)))


def put(key, name, tensor, out, given=None):
    """Adds a tensor [name, hashed name, dims, power of two, "bare"] or [name, "", dims, values] to a file's list, and
    gives it its values."""
    dims = list(tensor.shape)
    with torch.no_grad():
        if given is not None:
            tensor.copy_(torch.tensor(given, dtype=tensor.dtype).reshape(tensor.shape))
            out.append([name, "", dims, [float(v) for v in np.atleast_1d(given).ravel()]])
            return
        hashed = f"{key}/{name}"
        fan = dims[-1] if len(dims) == 2 else int(np.prod(dims[1:])) if len(dims) > 1 else dims[0]
        exponent = 0 if "w1" in name or "t2" in name or "t1" in name else power(1 / np.sqrt(max(4, fan)))
        if len(dims) < 2:
            exponent = -2
        tensor.copy_(torch.from_numpy(small(hashed, dims, 2.0**exponent)))
        out.append([name, hashed, dims, exponent, "bare"])


def case(name, files, y=None, t=None, **more):
    models[name] = {
        "files": [
            {
                "file": "adapter_model.safetensors" if "config" in more else name + ".safetensors",
                "tensors": files,
                **({"metadata": more["metadata"]} if "metadata" in more else {}),
            }
        ]
    }
    if "config" in more:
        models[name]["files"].insert(0, {"json": "adapter_config.json", "config": more["config"]})
    c = {"name": name, "strength": more.get("strength", 1), "unet": y is not None, "text": t is not None}
    for what, v in ("unet", y), ("text", t):
        if v is not None:
            base = run_unet(unet) if what == "unet" else run_text(text)
            change = np.linalg.norm(v - base) / np.linalg.norm(base)
            assert 0.02 < change < 3, (name, what, change)
            print(f"{name:28} {what:5} changes the output by {change:.3f}")
            expected[f"{name}/{what}"] = v
    cases.append(c)


# ---- LyCORIS: kinds, on copies of the networks ----


def kohya(prefix, module):
    return prefix + "_" + module.replace(".", "_")


def ldm(module):
    """The name in original files."""
    import re

    resnet = {
        "norm1": "in_layers.0",
        "conv1": "in_layers.2",
        "norm2": "out_layers.0",
        "conv2": "out_layers.3",
        "time_emb_proj": "emb_layers.1",
        "conv_shortcut": "skip_connection",
    }
    m = re.match(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.*)", module)
    if m:
        down, i, kind, j, rest = m[1] == "down", int(m[2]), m[3], int(m[4]), m[5]
        side, n = ("input_blocks", 3 * i + j + 1) if down else ("output_blocks", 3 * i + j)
        if kind == "resnets":
            return f"{side}.{n}.0.{resnet[rest]}"
        if kind == "attentions":
            return f"{side}.{n}.1.{rest}"
        return f"input_blocks.{3 * i + 3}.0.op" if down else f"output_blocks.{3 * i + 2}.1.conv"
    m = re.match(r"mid_block\.(\w+)\.(\d+)\.(.*)", module)
    if m:
        return f"middle_block.{2 * int(m[2])}.{resnet[m[3]]}" if m[1] == "resnets" else f"middle_block.1.{m[3]}"
    return {
        "conv_in": "input_blocks.0.0",
        "conv_out": "out.2",
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "conv_norm_out": "out.0",
    }[module]


def lycoris(name, algo, spell, strength=1.0, dim=4, **options):
    model = copy.deepcopy(unet)
    paths = {id(m): n for n, m in model.named_modules()}
    net = create_lycoris(
        model, strength, linear_dim=dim, linear_alpha=dim / 2, conv_dim=dim, conv_alpha=dim / 2, algo=algo, **options
    )
    out = []
    for m in net.loras:
        path = paths[id(m.org_module[0])]
        live = dict(m.named_parameters())
        for key in ["alpha", "on_input"]:
            if isinstance(getattr(m, key, None), torch.Tensor):
                out.append([spell(path) + "." + key, "", [], [float(getattr(m, key))]])
        for key, t in live.items():
            full = spell(path) + "." + ({"weight": "diff", "bias": "diff_b"}.get(key, key) if algo == "full" else key)
            if key == "dora_scale":
                put(
                    name,
                    full,
                    t,
                    out,
                    given=(t.detach().numpy() * (1 + small(f"{name}/{full}", list(t.shape), 0.25)))
                    .astype(np.float16)
                    .astype(np.float32),
                )
            else:
                put(name, full, t, out)
        m.multiplier = strength
    net.apply_to()  # what training sees; get_merged_weight() of 4.1.3 scales LoHa and LoKr twice
    case(name, out, run_unet(model), strength=strength)


def full_unet(path):
    return kohya("lora_unet", path)


def preset(**o):
    LycorisNetwork.apply_preset(
        {
            "enable_conv": True,
            "target_module": ["ResnetBlock2D", "Transformer2DModel", "Downsample2D", "Upsample2D"],
            "target_name": [],
            **o,
        }
    )


preset()
lycoris("kohya-lora", "lora", full_unet)
lycoris("kohya-lora-half", "lora", full_unet, strength=0.5)
lycoris("ldm-lora", "lora", lambda p: kohya("lora_unet", ldm(p)))
lycoris("lycoris-tucker", "locon", lambda p: kohya("lycoris", p), use_tucker=True)
lycoris("loha", "loha", full_unet)
lycoris("loha-tucker", "loha", full_unet, use_tucker=True)
lycoris("lokr", "lokr", full_unet, dim=2, factor=4)
lycoris("lokr-full", "lokr", full_unet, factor=4)
lycoris("lokr-both", "lokr", full_unet, dim=1, factor=-1, decompose_both=True)
lycoris("lokr-tucker", "lokr", full_unet, dim=2, factor=4, use_tucker=True)
lycoris("glora", "glora", full_unet)
# LyCORIS before 2.0 multiplied them the other way round: on a square matrix of a linear layer the names alone change.
old = {"a1": "a2", "a2": "a1", "b1": "b2", "b2": "b1"}
models["glora-old"] = copy.deepcopy(models["glora"])
for t in models["glora-old"]["files"][0]["tensors"]:
    head, _, end = t[0].rpartition(".weight")
    if head:
        t[0] = head[:-2] + old[head[-2:]] + ".weight"
models["glora-old"]["files"][0]["file"] = "glora-old.safetensors"
cases.append({**cases[-1], "name": "glora-old"})
expected["glora-old/unet"] = expected["glora/unet"]
lycoris("dora-out", "lora", full_unet, weight_decompose=True, wd_on_out=True)
lycoris("dora-in", "lora", full_unet, weight_decompose=True, wd_on_out=False)
lycoris("dora-loha", "loha", full_unet, weight_decompose=True, wd_on_out=False)
lycoris("ia3-out", "ia3", full_unet)
lycoris("ia3-in", "ia3", full_unet, train_on_input=True)
lycoris("full", "full", full_unet)
lycoris("oft", "diag-oft", full_unet)
lycoris("oft-half", "diag-oft", full_unet, strength=0.5, dim=8)
lycoris("oft-limit", "diag-oft", full_unet, dim=8, constraint=0.0625, rescaled=True)
lycoris("boft", "boft", full_unet)
lycoris("boft-half", "boft", full_unet, strength=0.5, dim=8, rescaled=True)
preset(target_module=["ResnetBlock2D"])
lycoris("norm", "lora", full_unet, train_norm=True)


# ---- PEFT and diffusers ----

TO = ["to_q", "to_k", "to_v", "to_out.0", "proj_in", "ff.net.0.proj", "conv1"]


def peft(name, rename, config, base=unet, what="unet", meta=None, beside=None):
    model = get_peft_model(copy.deepcopy(base), config)
    model.eval()
    out = []
    live = dict(model.named_parameters())
    saved = get_peft_model_state_dict(model)
    for key in saved:
        inside = [n for n in live if n.replace(".default", "").removesuffix(".weight") == key.removesuffix(".weight")]
        assert len(inside) == 1, (key, inside)
        t = live[inside[0]]
        full = rename(key)
        if "magnitude" in key:
            put(
                name,
                full,
                t.data,
                out,
                given=(t.detach().numpy() * (1 + small(f"{name}/{full}", list(t.shape), 0.25)))
                .astype(np.float16)
                .astype(np.float32),
            )
        elif "ia3" in key:
            put(
                name,
                full,
                t.data,
                out,
                given=(1 + small(f"{name}/{full}", list(t.shape), 0.25)).astype(np.float16).astype(np.float32),
            )
        else:
            put(name, full, t.data, out)
    more = {}
    if meta:
        more["metadata"] = meta
    if beside:
        more["config"] = beside
    y = run_unet(model) if what == "unet" else None
    t = run_text(model) if what == "text" else None
    case(name, out, y, t, **more)


def bare(key):
    return key.removeprefix("base_model.model.")


def processor(key):
    """diffusers before 0.17."""
    for a, b in (
        ("to_q", "processor.to_q_lora"),
        ("to_k", "processor.to_k_lora"),
        ("to_v", "processor.to_v_lora"),
        ("to_out.0", "processor.to_out_lora"),
    ):
        key = key.replace(f".{a}.lora_A.", f".{b}.down.").replace(f".{a}.lora_B.", f".{b}.up.")
    return "unet." + bare(key)


def layer(key):
    return "unet." + bare(key).replace(".lora_A.", ".lora.down.").replace(".lora_B.", ".lora.up.")


def named(key):
    return key.replace(".lora_A.", ".lora_A.default.").replace(".lora_B.", ".lora_B.default.")


def named_oft(key):
    return key.replace(".oft_R.", ".oft_R.default.")


peft("diffusers-new", lambda k: "unet." + bare(k), LoraConfig(r=4, lora_alpha=4, target_modules=TO))
peft(
    "diffusers-alpha",
    lambda k: "unet." + bare(k),
    LoraConfig(r=4, lora_alpha=8, target_modules=TO),
    meta={"lora_adapter_metadata": json.dumps({"unet.r": 4, "unet.lora_alpha": 8})},
)
peft(
    "diffusers-processor", processor, LoraConfig(r=4, lora_alpha=4, target_modules=["to_q", "to_k", "to_v", "to_out.0"])
)
peft("diffusers-layer", layer, LoraConfig(r=4, lora_alpha=4, target_modules=TO))
peft(
    "peft",
    lambda k: k,
    LoraConfig(r=4, lora_alpha=3, use_rslora=True, target_modules=TO),
    beside={"r": 4, "lora_alpha": 3, "use_rslora": True},
)
peft("peft-named", named, LoraConfig(r=4, lora_alpha=4, target_modules=TO))
peft("peft-dora", lambda k: k, LoraConfig(r=4, lora_alpha=4, use_dora=True, target_modules=TO))
peft(
    "peft-bias",
    lambda k: k,
    LoraConfig(r=4, lora_alpha=4, lora_bias=True, target_modules=["to_out.0", "ff.net.0.proj"]),
)
peft("peft-loha", lambda k: k, LoHaConfig(r=4, alpha=2, target_modules=TO), beside={"r": 4, "alpha": 2})
peft(
    "peft-lokr",
    lambda k: k,
    LoKrConfig(r=2, alpha=3, decompose_factor=4, target_modules=TO),
    beside={"r": 2, "alpha": 3},
)
# Factors that are matrices as they are: PEFT scales them too.
peft(
    "peft-lokr-full",
    lambda k: k,
    LoKrConfig(r=64, alpha=32, decompose_factor=4, target_modules=TO),
    beside={"r": 64, "alpha": 32},
)
peft(
    "peft-ia3",
    lambda k: k,
    IA3Config(target_modules=["to_k", "to_v", "ff.net.2", "proj_in", "to_out.0"], feedforward_modules=["ff.net.2"]),
)
OFT = ["to_q", "to_k", "to_out.0", "proj_in", "ff.net.0.proj"]
peft("peft-oft", lambda k: k, OFTConfig(r=0, oft_block_size=8, target_modules=OFT))
peft(
    "peft-oft-exact",
    named_oft,
    OFTConfig(r=4, oft_block_size=0, target_modules=OFT, use_cayley_neumann=False, coft=True, eps=1.5),
    beside={"use_cayley_neumann": False, "coft": True, "eps": 1.5},
)
peft(
    "peft-oft-shared",
    lambda k: k,
    OFTConfig(r=0, oft_block_size=4, target_modules=OFT, block_share=True, num_cayley_neumann_terms=3),
    beside={"block_share": True, "num_cayley_neumann_terms": 3},
)
peft(
    "ldm-dotted",
    lambda k: "diffusion_model." + ldm(bare(k).rsplit(".lora_", 1)[0]) + ".lora_" + k.rsplit(".lora_", 1)[1],
    LoraConfig(r=4, lora_alpha=4, target_modules=TO),
)

PROJ = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]


def te(key):
    path, end = bare(key).rsplit(".lora_", 1)
    path = path if path.startswith("text_model.") else "text_model." + path
    return kohya("lora_te", path) + {"A.weight": ".lora_down.weight", "B.weight": ".lora_up.weight"}[end]


def linear_layer(key):
    path, end = bare(key).rsplit(".lora_", 1)
    path = path if path.startswith("text_model.") else "text_model." + path
    return (
        "text_encoder."
        + path
        + {"A.weight": ".lora_linear_layer.down.weight", "B.weight": ".lora_linear_layer.up.weight"}[end]
    )


CONFIG = LoraConfig(r=4, lora_alpha=4, target_modules=PROJ)
peft("text-kohya", te, CONFIG, base=text, what="text")
peft("text-diffusers", lambda k: "text_encoder." + bare(k), CONFIG, base=text, what="text")
peft("text-linear-layer", linear_layer, CONFIG, base=text, what="text")
peft("text-peft", lambda k: k, CONFIG, base=text, what="text")

# ---- several at once ----

sum_names = ["kohya-lora", "diffusers-new"]


def merged(name):
    """The difference that an adapter of plain pairs makes to each weight."""
    tensors = {t[0]: t for t in models[name]["files"][0]["tensors"]}
    value = lambda t: (
        small(t[1], t[2], 2.0 ** t[3]) if isinstance(t[3], int) else np.array(t[3], dtype=np.float32).reshape(t[2])
    )  # noqa: E731
    paths = {full_unet(n): n for n, _ in unet.named_modules()} | {"unet." + n: n for n, _ in unet.named_modules()}
    out = {}
    for n in tensors:
        for up, down in (".lora_up.weight", ".lora_down.weight"), (".lora_B.weight", ".lora_A.weight"):
            if n.endswith(up):
                stem = n.removesuffix(up)
                a, b = value(tensors[n]), value(tensors[stem + down])
                alpha = tensors[stem + ".alpha"][3][0] if stem + ".alpha" in tensors else b.shape[0]
                out[paths[stem]] = torch.from_numpy(
                    (a.reshape(a.shape[0], -1) @ b.reshape(b.shape[0], -1)).reshape(a.shape[0], *b.shape[1:])
                    * (alpha / b.shape[0])
                )
    return out


both = copy.deepcopy(unet)
for name, strength in zip(sum_names, (0.75, -0.5)):
    for path, d in merged(name).items():
        w = both.get_submodule(path).weight
        with torch.no_grad():
            w += strength * d.reshape(w.shape)
expected["sum/unet"] = run_unet(both)

write("adapters", models, cases, expected)
