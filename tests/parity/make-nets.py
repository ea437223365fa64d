#!/usr/bin/env python3
"""Makes nets.json.gz (configurations, tensor names and shapes, cases) and nets.safetensors (expected outputs) for
nets.c: small models of every family, run by PyTorch, diffusers and transformers in fp32. Weights and inputs are not
stored: both sides make them from the same counter-based hash, as values that fp16 holds exactly.

    python3 tests/parity/make-nets.py

Made with torch 2.13.0+cpu, diffusers 0.42.1, transformers 5.24.0, safetensors 0.8.0, numpy 2.4.6.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from hashed import config_of, fill, hash_input, hash_ints, nchw, nhwc, write

torch.manual_seed(0)
torch.set_num_threads(1)


models, cases, expected = {}, [], {}


# Few head sizes: each is a program of its own, and compiling takes most of the test.
def add_model(key, part, model):
    models[key] = {"files": [{"folder": part, "config": config_of(model), "tensors": fill(model, key)}]}


CROSS, DOWN, UP, UPCROSS = "CrossAttnDownBlock2D", "DownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"


def unet(key, sizes, tokens=77, labels=None, **config):
    """sizes: list of (n, h, w, n of the context)."""
    model = UNet2DConditionModel(
        **{
            "sample_size": 8,
            "out_channels": 4,
            "layers_per_block": 2,
            "down_block_types": (CROSS, CROSS, CROSS, DOWN),
            "up_block_types": (UP, UPCROSS, UPCROSS, UPCROSS),
        }
        | config
    )
    add_model(key, "unet", model)
    for n, h, w, n_context in sizes:
        name = f"{key}-{n}x{h}x{w}" + ("-shared" if n_context < n else "")
        case = {
            "name": name,
            "model": key,
            "kind": "unet",
            "n": n,
            "h": h,
            "w": w,
            "c": config["in_channels"],
            "tokens": tokens,
            "context_n": n_context,
            "context_c": config["cross_attention_dim"],
            "timesteps": [981, 17.5, 500][:n],
        }
        extra = {}
        if labels:
            case["labels"] = labels[:n]
            extra["class_labels"] = torch.tensor(labels[:n])
        context = hash_input(f"{name}/context", (n_context, tokens, config["cross_attention_dim"])).expand(n, -1, -1)
        with torch.no_grad():
            y = model(
                nchw(hash_input(f"{name}/x", (n, h, w, config["in_channels"]))),
                torch.tensor(case["timesteps"]),
                context,
                **extra,
            ).sample
        expected[f"{name}/out"] = nhwc(y)
        cases.append(case)


ONE = {"cross_attention_dim": 64, "attention_head_dim": 8}
TWO = {"cross_attention_dim": 96, "attention_head_dim": (2, 4, 8, 8), "use_linear_projection": True}
unet("sd1", [(2, 16, 8, 2), (2, 9, 11, 1)], in_channels=4, block_out_channels=(64, 64, 128, 128), **ONE)
unet(
    "sd1-inpaint",
    [(2, 12, 16, 2)],
    in_channels=9,
    block_out_channels=(32, 32, 64, 64),
    cross_attention_dim=64,
    attention_head_dim=4,
)
unet(
    "sd1-edit",
    [(3, 16, 16, 3)],
    in_channels=8,
    block_out_channels=(32, 32, 64, 64),
    cross_attention_dim=64,
    attention_head_dim=4,
)
# The lowest level keeps some pixels: a group of two values is normalised to +-1, by a sign that rounding may decide.
# 2.x base and 768 differ in the scheduler only.
unet("sd2", [(2, 16, 12, 2), (1, 13, 7, 1)], in_channels=4, block_out_channels=(32, 64, 128, 128), **TWO)
unet("sd2-inpaint", [(2, 12, 16, 2)], in_channels=9, block_out_channels=(32, 64, 128, 128), **TWO)
unet(
    "x4",
    [(2, 10, 16, 2)],
    in_channels=7,
    block_out_channels=(32, 64, 64, 128),
    cross_attention_dim=96,
    attention_head_dim=8,
    use_linear_projection=True,
    only_cross_attention=(True, True, True, False),
    num_class_embeds=1000,
    labels=[20, 350],
    down_block_types=(DOWN, CROSS, CROSS, CROSS),
    up_block_types=(UPCROSS, UPCROSS, UPCROSS, UP),
)
unet(
    "mini",
    [(2, 16, 12, 2), (1, 7, 9, 1)],
    tokens=64,
    in_channels=9,
    block_out_channels=(24, 48, 72),
    layers_per_block=1,
    cross_attention_dim=9,
    attention_head_dim=(3, 6, 9),
    norm_num_groups=8,
    num_class_embeds=3,
    labels=[2, 0],
    down_block_types=(DOWN, DOWN, CROSS),
    up_block_types=(UPCROSS, UP, UP),
)
unet(
    "bare",
    [(1, 6, 5, 1)],
    tokens=1,
    in_channels=3,
    out_channels=3,
    block_out_channels=(16, 24),
    layers_per_block=1,
    cross_attention_dim=8,
    attention_head_dim=8,
    norm_num_groups=4,
    down_block_types=(DOWN, DOWN),
    up_block_types=(UP, UP),
    mid_block_type="UNetMidBlock2D",
    flip_sin_to_cos=False,
    freq_shift=1,
)


def vae(key, size, **config):
    levels = len(config["block_out_channels"])
    model = AutoencoderKL(
        **{
            "down_block_types": ["DownEncoderBlock2D"] * levels,
            "up_block_types": ["UpDecoderBlock2D"] * levels,
            "layers_per_block": 2,
            "sample_size": 64,
        }
        | config
    )
    add_model(key, "vae", model)
    n, h, w = size
    f = 2 ** (levels - 1)
    with torch.no_grad():
        x = nchw(hash_input(f"{key}/x", (n, h * f, w * f, 3)) / 2)
        moments = model.encoder(x)
        moments = model.quant_conv(moments) if model.quant_conv is not None else moments
        y = model.decode(nchw(hash_input(f"{key}/z", (n, h, w, config["latent_channels"])))).sample
    expected[f"{key}/moments"], expected[f"{key}/out"] = nhwc(moments), nhwc(y)
    cases.append(
        {"name": key, "model": key, "kind": "vae", "n": n, "h": h, "w": w, "c": config["latent_channels"], "factor": f}
    )


vae("vae", (2, 4, 3), block_out_channels=(32, 32, 64, 64), latent_channels=4)
vae("vae-x4", (1, 5, 4), block_out_channels=(32, 32, 64), latent_channels=4, scaling_factor=0.08333)
vae(
    "vae-mini",
    (1, 7, 6),
    block_out_channels=(16, 24, 48),
    latent_channels=4,
    layers_per_block=1,
    norm_num_groups=8,
    mid_block_add_attention=False,
    use_quant_conv=False,
    use_post_quant_conv=False,
)


def taesd():
    tiny = AutoencoderTiny()
    add_model("taesd", "", tiny)
    tensors = models["taesd"]["files"][0]["tensors"]
    # The author's two files: each half alone, the decoder's numbers one up for the clamp.
    models["taesd-author"] = {
        "files": [
            {
                "file": f"taesd_{side}.safetensors",
                "tensors": [
                    [".".join([str(int(n.split(".")[2]) + (side == "decoder"))] + n.split(".")[3:]), hashed, dims]
                    for n, hashed, dims in tensors
                    if n.startswith(side)
                ],
            }
            for side in ("encoder", "decoder")
        ]
    }
    n, h, w = 1, 5, 3
    with torch.no_grad():
        z = tiny.encode(nchw(hash_input("taesd/x", (n, h * 8, w * 8, 3)) / 2)).latents
        y = tiny.decode(nchw(hash_input("taesd/z", (n, h, w, 4)))).sample
    expected["taesd/moments"], expected["taesd/out"] = nhwc(z), nhwc(y)
    for key in ("taesd", "taesd-author"):
        cases.append({"name": key, "model": key, "kind": "taesd", "n": n, "h": h, "w": w, "c": 4, "factor": 8})


taesd()


def text(key, skips, **config):
    model = CLIPTextModel(
        CLIPTextConfig(
            **{
                "vocab_size": 500,
                "max_position_embeddings": 77,
                "projection_dim": 32,
                "bos_token_id": 498,
                "eos_token_id": 499,
            }
            | config
        )
    )
    add_model(key, "text_encoder", model)
    n = 2
    tokens = (hash_ints(f"{key}/tokens", n * 77) + 1024) % 500
    with torch.no_grad():
        out = model(torch.from_numpy(tokens.reshape(n, 77)), output_hidden_states=True)
        norm = [m for name, m in model.named_modules() if name.endswith("final_layer_norm")][0]
        for skip in skips:
            y = norm(out.hidden_states[-skip])
            assert skip > 1 or torch.allclose(y, out.last_hidden_state, atol=1e-6)
            expected[f"{key}-skip{skip}/out"] = y.numpy().reshape(n, 1, 77, -1)
            cases.append(
                {"name": f"{key}-skip{skip}", "model": key, "kind": "text", "n": n, "skip": skip, "vocab": 500}
            )


text(
    "clip-l",
    [1, 2],
    hidden_size=64,
    intermediate_size=192,
    num_hidden_layers=3,
    num_attention_heads=4,
    hidden_act="quick_gelu",
)
text(
    "openclip-h",
    [1, 2],
    hidden_size=64,
    intermediate_size=256,
    num_hidden_layers=3,
    num_attention_heads=4,
    hidden_act="gelu",
)

write("nets", models, cases, expected)
for k, v in expected.items():
    print(f"{k:32} {str(v.shape):20} mean {v.mean():8.4f}  deviation {v.std():8.4f}")
