"""Tensors' names in original single files, of those in diffusers' folders: UNets of the Stable Diffusions, their
autoencoder. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later"""

import re


def original_unet(name, n=2):
    """n: residual blocks of a level on the way down."""
    name = re.sub(r"^add_embedding\.linear_([12])", lambda m: f"label_emb.0.{2 * (int(m[1]) - 1)}", name)
    name = re.sub(r"^time_embedding\.linear_([12])", lambda m: f"time_embed.{2 * (int(m[1]) - 1)}", name)
    for a, b in (("conv_in", "input_blocks.0.0"), ("conv_norm_out", "out.0"), ("conv_out", "out.2")):
        name = re.sub(rf"^{a}\.", f"{b}.", name)
    name = re.sub(
        r"^down_blocks\.(\d)\.downsamplers\.0\.conv", lambda m: f"input_blocks.{(n + 1) * (int(m[1]) + 1)}.0.op", name
    )
    name = re.sub(
        r"^down_blocks\.(\d)\.(resnets|attentions)\.(\d)",
        lambda m: f"input_blocks.{(n + 1) * int(m[1]) + int(m[3]) + 1}.{0 if m[2] == 'resnets' else 1}",
        name,
    )
    name = re.sub(
        r"^up_blocks\.(\d)\.upsamplers\.0\.conv", lambda m: f"output_blocks.{(n + 1) * int(m[1]) + n}.2.conv", name
    )
    name = re.sub(
        r"^up_blocks\.(\d)\.(resnets|attentions)\.(\d)",
        lambda m: f"output_blocks.{(n + 1) * int(m[1]) + int(m[3])}.{0 if m[2] == 'resnets' else 1}",
        name,
    )
    name = re.sub(r"^mid_block\.resnets\.(\d)", lambda m: f"middle_block.{2 * int(m[1])}", name)
    name = re.sub(r"^mid_block\.attentions\.0", "middle_block.1", name)
    if "transformer_blocks" not in name:
        for a, b in (
            ("norm1", "in_layers.0"),
            ("conv1", "in_layers.2"),
            ("time_emb_proj", "emb_layers.1"),
            ("norm2", "out_layers.0"),
            ("conv2", "out_layers.3"),
            ("conv_shortcut", "skip_connection"),
        ):
            name = name.replace(f".{a}.", f".{b}.")
    return "model.diffusion_model." + name


def original_vae(name):
    name = re.sub(r"\.(down)_blocks\.(\d)\.resnets\.(\d)", r".\1.\2.block.\3", name)
    name = re.sub(r"\.up_blocks\.(\d)\.resnets\.(\d)", lambda m: f".up.{3 - int(m[1])}.block.{m[2]}", name)
    name = re.sub(r"\.down_blocks\.(\d)\.downsamplers\.0", r".down.\1.downsample", name)
    name = re.sub(r"\.up_blocks\.(\d)\.upsamplers\.0", lambda m: f".up.{3 - int(m[1])}.upsample", name)
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    for a, b in (
        ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"),
        ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"),
        ("mid_block.attentions.0.to_", "mid.attn_1."),
        ("conv_norm_out", "norm_out"),
        ("conv_shortcut", "nin_shortcut"),
    ):
        name = name.replace(a, b)
    return "first_stage_model." + name
