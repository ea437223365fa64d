#!/usr/bin/env python3
"""Writes tests/unit/names.txt.gz: every tensor name and shape of the model families, in diffusers' and in the original
layout.

Names and shapes come from diffusers' and transformers' own modules, built on the meta device from the published
configurations. The original (CompVis, OpenCLIP, taesd) name of each is made here and proven by feeding it through
diffusers' single-file conversion, which must give back exactly the diffusers names.

    python tests/unit/make-names.py        (torch 2.13.0, diffusers 0.42.1, transformers 5.24.0)

One section a network: a line "= section", then lines "canonical original shape"; "*" stands for "same as canonical".

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import gzip
import pathlib
import re

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from diffusers.loaders.single_file_utils import (
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    convert_open_clip_checkpoint,
)
from transformers import CLIPTextConfig, CLIPTextModel

CROSS, PLAIN = "CrossAttn{}Block2D", "{}Block2D"


def unet(inputs, context, linear, heads, widths=(320, 640, 1280, 1280), attention=(1, 1, 1, 0), **more):
    down = [(CROSS if a else PLAIN).format("Down") for a in attention]
    up = [(CROSS if a else PLAIN).format("Up") for a in reversed(attention)]
    with torch.device("meta"):
        return UNet2DConditionModel(
            in_channels=inputs,
            out_channels=4,
            cross_attention_dim=context,
            block_out_channels=widths,
            down_block_types=down,
            up_block_types=up,
            attention_head_dim=heads,
            use_linear_projection=linear,
            **more,
        )


def vae(widths):
    n = len(widths)
    with torch.device("meta"):
        return AutoencoderKL(
            block_out_channels=widths,
            down_block_types=["DownEncoderBlock2D"] * n,
            up_block_types=["UpDecoderBlock2D"] * n,
            layers_per_block=2,
            latent_channels=4,
        )


def clip(**config):
    with torch.device("meta"):
        return CLIPTextModel(CLIPTextConfig(vocab_size=49408, max_position_embeddings=77, **config))


def unet_original(name):
    m = re.match(r"(down|up)_blocks\.(\d)\.(resnets|attentions|downsamplers|upsamplers)\.(\d)\.(.*)", name)
    if m:
        side, block, kind, layer, rest = m[1], int(m[2]), m[3], int(m[4]), m[5]
        if kind == "downsamplers":
            return f"input_blocks.{3 * block + 3}.0.op.{rest[5:]}"
        number = 3 * block + layer + 1 if side == "down" else 3 * block + layer
        place = f'{"input" if side == "down" else "output"}_blocks.{number}'
        if kind == "attentions":
            return f"{place}.1.{rest}"
        if kind == "upsamplers":
            attends = f"up_blocks.{block}.attentions.0.norm.weight" in unet_original.names
            return f"output_blocks.{3 * block + 2}.{2 if attends else 1}.{rest}"
        return f"{place}.0.{resnet_original(rest)}"
    m = re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name)
    if m:
        return (
            f"middle_block.{2 * int(m[2])}.{resnet_original(m[3])}" if m[1] == "resnets" else f"middle_block.1.{m[3]}"
        )
    for new, old in (
        ("time_embedding.linear_1", "time_embed.0"),
        ("time_embedding.linear_2", "time_embed.2"),
        ("conv_in", "input_blocks.0.0"),
        ("conv_norm_out", "out.0"),
        ("conv_out", "out.2"),
        ("class_embedding", "label_emb"),
    ):
        if name.startswith(new + "."):
            return old + name[len(new) :]
    raise SystemExit(name)


def resnet_original(rest):
    for new, old in (
        ("norm1", "in_layers.0"),
        ("conv1", "in_layers.2"),
        ("time_emb_proj", "emb_layers.1"),
        ("norm2", "out_layers.0"),
        ("conv2", "out_layers.3"),
        ("conv_shortcut", "skip_connection"),
    ):
        if rest.startswith(new + "."):
            return old + rest[len(new) :]
    raise SystemExit(rest)


def vae_original(name, n):
    for new, old in (
        ("conv_norm_out", "norm_out"),
        ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"),
        ("mid_block.attentions.0.to_q", "mid.attn_1.q"),
        ("mid_block.attentions.0.to_k", "mid.attn_1.k"),
        ("mid_block.attentions.0.to_v", "mid.attn_1.v"),
        ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"),
        ("mid_block.resnets.0", "mid.block_1"),
        ("mid_block.resnets.1", "mid.block_2"),
    ):
        name = name.replace(new, old)
    name = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets", lambda m: f"up.{n - 1 - int(m[1])}.block", name)
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{n - 1 - int(m[1])}.upsample", name)
    return name.replace("conv_shortcut", "nin_shortcut")


def write(out, section, rows):
    out.append(f"= {section}")
    for canonical, original, shape in rows:
        out.append(f'{canonical} {"*" if original == canonical else original} {",".join(map(str, shape))}')


def shapes(module):
    return {k: tuple(v.shape) for k, v in module.state_dict().items()}


def add_unet(out, section, module):
    table = shapes(module)
    unet_original.names = table
    rows = [(k, "model.diffusion_model." + unet_original(k), s) for k, s in table.items()]
    back = convert_ldm_unet_checkpoint({o: torch.empty(s, device="meta") for _, o, s in rows}, dict(module.config))
    assert {k: tuple(v.shape) for k, v in back.items()} == table
    write(out, section, rows)


def add_vae(out, section, module):
    table = shapes(module)
    square = lambda k, s: s + (1, 1) if "attentions" in k and len(s) == 2 else s
    rows = [
        (k, "first_stage_model." + vae_original(k, len(module.config.block_out_channels)), square(k, s))
        for k, s in table.items()
    ]
    back = convert_ldm_vae_checkpoint({o: torch.empty(s, device="meta") for _, o, s in rows}, dict(module.config))
    assert {k: tuple(v.shape) for k, v in back.items()} == table
    write(out, section, rows)


def text_rows(module):
    """transformers 5 dropped the prefix that every published file has."""
    return {k if k.startswith("text_model.") else "text_model." + k: s for k, s in shapes(module).items()}


def add_openclip(out, section, module, n_layers):
    """One row per tensor of the original file; fused matrices have q_proj's name as canonical one. The file has one
    layer more than diffusers' encoder, and the projection."""
    rows = []
    table = text_rows(module)
    last = {
        k.replace(f"layers.{n_layers - 2}.", f"layers.{n_layers - 1}."): s
        for k, s in table.items()
        if f"layers.{n_layers - 2}." in k
    }
    for k, s in {**table, **last}.items():
        if "k_proj" in k or "v_proj" in k:
            continue
        o = (
            k.replace("text_model.", "")
            .replace("embeddings.token_embedding", "token_embedding")
            .replace("final_layer_norm", "ln_final")
        )
        o = o.replace("embeddings.position_embedding.weight", "positional_embedding").replace(
            "encoder.layers", "transformer.resblocks"
        )
        o = o.replace("self_attn.q_proj.", "attn.in_proj_").replace("self_attn.out_proj", "attn.out_proj")
        o = o.replace("layer_norm", "ln_").replace("mlp.fc1", "mlp.c_fc").replace("mlp.fc2", "mlp.c_proj")
        rows.append((k, "cond_stage_model.model." + o, (3 * s[0],) + s[1:] if "q_proj" in k else s))
    back = convert_open_clip_checkpoint(module, {o: torch.empty(s, device="meta") for _, o, s in rows})
    strip = lambda d: {k.removeprefix("text_model."): tuple(s) for k, s in d.items() if "position_ids" not in k}
    back = strip({k: v.shape for k, v in back.items()})
    assert {k: s for k, s in back.items() if f"layers.{n_layers - 1}." not in k} == strip(table), set(back) ^ set(
        strip(table)
    )
    h = module.config.hidden_size
    rows.append(("-", "cond_stage_model.model.text_projection", (h, h)))
    rows.append(("-", "cond_stage_model.model.logit_scale", ()))
    write(out, section, rows)


def main():
    out = []
    add_unet(out, "unet sd1", unet(4, 768, False, 8))
    add_unet(out, "unet sd1 inpaint", unet(9, 768, False, 8))
    add_unet(out, "unet sd1 edit", unet(8, 768, False, 8))
    add_unet(out, "unet sd2", unet(4, 1024, True, [5, 10, 20, 20]))
    add_unet(out, "unet sd2 inpaint", unet(9, 1024, True, [5, 10, 20, 20]))
    add_unet(
        out,
        "unet x4",
        unet(
            7,
            1024,
            True,
            8,
            (256, 512, 512, 1024),
            (0, 1, 1, 1),
            num_class_embeds=1000,
            only_cross_attention=[True, True, True, False],
        ),
    )
    add_vae(out, "vae", vae((128, 256, 512, 512)))
    add_vae(out, "vae x4", vae((128, 256, 512)))
    small = clip(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
    write(out, "text sd1", [(k, "cond_stage_model.transformer." + k, s) for k, s in text_rows(small).items()])
    large = clip(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16)
    write(out, "text sd2", [(k, "-", s) for k, s in text_rows(large).items()])
    add_openclip(out, "openclip", large, 24)
    with torch.device("meta"):
        tiny = shapes(AutoencoderTiny())
    # The original taesd_decoder starts with a clamp that has no weights and so counts one more.
    rows = []
    for k, s in tiny.items():
        side, _, number, rest = k.split(".", 3)
        rows.append((k, f'{int(number) + (side == "decoder")}.{rest}', s))
    write(out, "taesd", rows)
    path = pathlib.Path(__file__).with_name("names.txt.gz")
    with open(path, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as z:
        z.write(("\n".join(out) + "\n").encode())
    print(path, path.stat().st_size, "bytes", len(out), "lines")


main()
