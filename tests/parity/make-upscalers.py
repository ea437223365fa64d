#!/usr/bin/env python3
"""Writes upscalers.json.gz and upscalers.safetensors: what small upscaler networks give, written anew here from the
papers, or spandrel's.

RRDBNet: Wang 2018 (ESRGAN), Wang 2021 (Real-ESRGAN), Rakotonirina 2020 (ESRGAN+). SRVGGNetCompact: Real-ESRGAN's
compact models. SwinIR: Liang 2021. HAT: Chen 2023. Weights and inputs are hashes (hashed.py) that the C test computes
too, so only results are stored.

    python tests/parity/make-upscalers.py        (torch 2.13.0, safetensors, spandrel 0.4.2, spandrel_extra_arches
    0.2.0, einops)

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import gzip
import json
import pathlib
import re

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.numpy import save_file

import spandrel_nets as sp
from hashed import fill, hash_input, nchw, nhwc

HERE = pathlib.Path(__file__).parent


def conv(i, o, k=3):
    return nn.Conv2d(i, o, k, 1, k // 2)


# ---- RRDBNet ----


class Dense(nn.Module):
    """plus: ESRGAN+, without its noise, which is for training."""

    def __init__(self, f, g, plus):
        super().__init__()
        self.plus = plus
        if plus:
            self.conv1x1 = nn.Conv2d(f, g, 1, bias=False)
        for i in range(5):
            setattr(self, f"conv{i + 1}", conv(f + i * g, f if i == 4 else g))

    def forward(self, x):
        have = [x]
        for i in range(1, 5):
            y = F.leaky_relu(getattr(self, f"conv{i}")(torch.cat(have, 1)), 0.2)
            if self.plus and i == 2:
                y = y + self.conv1x1(x)
            if self.plus and i == 4:
                y = y + have[2]
            have.append(y)
        return self.conv5(torch.cat(have, 1)) * 0.2 + x


class Rrdb(nn.Module):
    def __init__(self, f, g, plus):
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = Dense(f, g, plus), Dense(f, g, plus), Dense(f, g, plus)

    def forward(self, x):
        return self.rdb3(self.rdb2(self.rdb1(x))) * 0.2 + x


class RrdbNet(nn.Module):
    def __init__(self, f, g, blocks, stages, unshuffle=1, colours=3, factor=2, plus=False):
        super().__init__()
        self.unshuffle, self.stages, self.factor = unshuffle, stages, factor
        self.conv_first = conv(colours * unshuffle**2, f)
        self.body = nn.Sequential(*[Rrdb(f, g, plus) for _ in range(blocks)])
        self.conv_body = conv(f, f)
        for i in range(stages):
            setattr(self, f"conv_up{i + 1}", conv(f, f))
        self.conv_hr, self.conv_last = conv(f, f), conv(f, colours)

    def forward(self, x):
        y = self.conv_first(F.pixel_unshuffle(x, self.unshuffle))
        y = y + self.conv_body(self.body(y))
        for i in range(self.stages):
            y = F.leaky_relu(
                getattr(self, f"conv_up{i + 1}")(F.interpolate(y, scale_factor=self.factor, mode="nearest")), 0.2
            )
        return self.conv_last(F.leaky_relu(self.conv_hr(y), 0.2))


def sequential(name, blocks, stages):
    """The first ESRGAN's names."""
    place = {"conv_first": 0, "conv_hr": 3 * stages + 2, "conv_last": 3 * stages + 4} | {
        f"conv_up{i}": 3 * i for i in range(1, stages + 1)
    }
    head, tail = name.split(".", 1)
    if head in place:
        return f"model.{place[head]}.{tail}"
    if head == "conv_body":
        return f"model.1.sub.{blocks}.{tail}"
    name = re.sub(r"body\.(\d+)\.rdb(\d)\.conv1x1", r"model.1.sub.\1.RDB\2.conv1x1", name)
    return re.sub(r"body\.(\d+)\.rdb(\d)\.conv(\d)\.", r"model.1.sub.\1.RDB\2.conv\3.0.", name)


def middle(name):
    name = re.sub(r"^body\.(\d+)\.rdb", r"RRDB_trunk.\1.RDB", name)
    return name.replace("conv_body", "trunk_conv").replace("conv_up", "upconv").replace("conv_hr", "HRconv")


# ---- SRVGGNetCompact ----


class Srvgg(nn.Module):
    """noise: channels of noise that x has behind those of the picture, as sfumato-mini's x4 network sees them."""

    def __init__(self, f, convs, scale, colours=3, noise=0):
        super().__init__()
        self.scale, self.colours, self.noise = scale, colours, noise
        layers = [conv(colours + noise, f), nn.PReLU(f)]
        for _ in range(convs):
            layers += [conv(f, f), nn.PReLU(f)]
        self.body = nn.Sequential(*layers, conv(f, colours * scale * scale))

    def forward(self, x):
        picture = x[:, : self.colours]
        return F.pixel_shuffle(self.body(x), self.scale) + F.interpolate(
            picture, scale_factor=self.scale, mode="nearest"
        )


# ---- SwinIR and HAT ----


def split(x, s):
    """[b, h, w, c] -> [b * windows, s * s, c]"""
    b, h, w, c = x.shape
    return x.view(b, h // s, s, w // s, s, c).transpose(2, 3).reshape(-1, s * s, c)


def join(x, s, h, w):
    return x.view(-1, h // s, w // s, s, s, x.shape[-1]).transpose(2, 3).reshape(-1, h, w, x.shape[-1])


def attend(q, k, v, heads, bias, mask=None):
    """[windows, t, c]; bias [heads, tq, tk]; mask [windows, tq, tk]"""
    part = lambda x: x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)
    q, k, v = part(q), part(k), part(v)
    a = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + bias
    if mask is not None:
        a = a + mask[:, None]
    return (a.softmax(-1) @ v).transpose(1, 2).flatten(2)


def positions(s):
    return torch.stack(torch.meshgrid(torch.arange(s), torch.arange(s), indexing="ij")).flatten(1)


class WindowAttention(nn.Module):
    def __init__(self, c, s, heads):
        super().__init__()
        self.s, self.heads = s, heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * s - 1) ** 2, heads))
        p = positions(s)
        r = p[:, :, None] - p[:, None, :] + s - 1
        self.register_buffer("relative_position_index", r[0] * (2 * s - 1) + r[1])
        self.qkv, self.proj = nn.Linear(c, 3 * c), nn.Linear(c, c)

    def forward(self, x, mask):
        bias = self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)
        return self.proj(attend(*self.qkv(x).chunk(3, -1), self.heads, bias, mask))


def shift_mask(h, w, s, shift):
    region = torch.zeros(1, h, w, 1)
    n = 0
    for a in (slice(0, -s), slice(-s, -shift), slice(-shift, None)):
        for b in (slice(0, -s), slice(-s, -shift), slice(-shift, None)):
            region[:, a, b] = n
            n += 1
    r = split(region, s)[..., 0]
    return (r[:, None, :] != r[:, :, None]).float() * -100


class Mlp(nn.Module):
    def __init__(self, c, ratio):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(c, ratio * c), nn.Linear(ratio * c, c)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class ChannelAttention(nn.Module):
    def __init__(self, c, squeeze):
        super().__init__()
        self.attention = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), conv(c, c // squeeze, 1), nn.ReLU(), conv(c // squeeze, c, 1), nn.Sigmoid()
        )

    def forward(self, x):
        return x * self.attention(x)


class Cab(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.cab = nn.Sequential(conv(c, c // 3), nn.GELU(), conv(c // 3, c), ChannelAttention(c, 6))


class Block(nn.Module):
    def __init__(self, c, s, heads, ratio, shift, hat):
        super().__init__()
        self.s, self.shift = s, shift
        self.norm1, self.norm2, self.mlp = nn.LayerNorm(c), nn.LayerNorm(c), Mlp(c, ratio)
        self.attn = WindowAttention(c, s, heads)
        if hat:
            self.conv_block = Cab(c)

    def forward(self, x):
        b, h, w, c = x.shape
        y = n = self.norm1(x)
        if self.shift:
            y = y.roll((-self.shift, -self.shift), (1, 2))
        y = self.attn(split(y, self.s), shift_mask(h, w, self.s, self.shift) if self.shift else None)
        y = join(y, self.s, h, w)
        if self.shift:
            y = y.roll((self.shift, self.shift), (1, 2))
        x = x + y
        if hasattr(self, "conv_block"):
            x = x + 0.01 * self.conv_block.cab(n.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return x + self.mlp(self.norm2(x))


class Overlap(nn.Module):
    """HAT's overlapping cross-attention, with the authors' table of positions, whose negative rows count from its
    end."""

    def __init__(self, c, s, wide, heads, ratio):
        super().__init__()
        self.s, self.wide, self.heads = s, wide, heads
        self.norm1, self.norm2, self.mlp = nn.LayerNorm(c), nn.LayerNorm(c), Mlp(c, ratio)
        self.qkv, self.proj = nn.Linear(c, 3 * c), nn.Linear(c, c)
        self.relative_position_bias_table = nn.Parameter(torch.zeros((s + wide - 1) ** 2, heads))

    def forward(self, x):
        b, h, w, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).chunk(3, -1)
        unfold = (
            lambda t: F.unfold(t.permute(0, 3, 1, 2), self.wide, stride=self.s, padding=(self.wide - self.s) // 2)
            .view(c, self.wide**2, -1)
            .permute(2, 1, 0)
        )
        r = positions(self.wide)[:, None, :] - positions(self.s)[:, :, None] + self.s - self.wide + 1
        index = r[0] * (self.s + self.wide - 1) + r[1]
        bias = self.relative_position_bias_table[index].permute(2, 0, 1)
        y = attend(split(q, self.s), unfold(k), unfold(v), self.heads, bias)
        x = self.proj(join(y, self.s, h, w)) + x
        return x + self.mlp(self.norm2(x))


def trunk_conv(c, three):
    if not three:
        return conv(c, c)
    return nn.Sequential(
        conv(c, c // 4), nn.LeakyReLU(0.2), conv(c // 4, c // 4, 1), nn.LeakyReLU(0.2), conv(c // 4, c)
    )


class Group(nn.Module):
    def __init__(self, c, s, heads, ratio, depth, three, wide):
        super().__init__()
        self.residual_group = nn.Module()
        self.residual_group.blocks = nn.Sequential(
            *[Block(c, s, heads, ratio, (s // 2) * (i % 2), bool(wide)) for i in range(depth)]
        )
        if wide:
            self.residual_group.overlap_attn = Overlap(c, s, wide, heads, ratio)
        self.conv = trunk_conv(c, three)

    def forward(self, x):
        y = self.residual_group.blocks(x)
        if hasattr(self.residual_group, "overlap_attn"):
            y = self.residual_group.overlap_attn(y)
        return self.conv(y.permute(0, 3, 1, 2)).permute(0, 2, 3, 1) + x


class Swin(nn.Module):
    def __init__(
        self,
        c,
        s,
        heads,
        depths,
        scale,
        up,
        three=False,
        wide=0,
        ratio=2,
        image_range=1.0,
        width=8,
        patch_norm=True,
        colours=3,
    ):
        super().__init__()
        self.up, self.scale, self.range, self.colours = up, scale, image_range, colours
        self.conv_first = conv(colours, c)
        self.patch_embed = nn.Module()
        if patch_norm:
            self.patch_embed.norm = nn.LayerNorm(c)
        self.layers = nn.ModuleList([Group(c, s, heads, ratio, d, three, wide) for d in depths])
        self.norm, self.conv_after_body = nn.LayerNorm(c), trunk_conv(c, three)
        if up in ("pixelshuffle", "nearest+conv"):
            self.conv_before_upsample = nn.Sequential(conv(c, width), nn.LeakyReLU())
            self.conv_last = conv(width, colours)
        if up == "pixelshuffle":
            factors = [3] if scale == 3 else [2] * (scale.bit_length() - 1)
            self.upsample = nn.Sequential(
                *[m for f in factors for m in (conv(width, f * f * width), nn.PixelShuffle(f))]
            )
        elif up == "pixelshuffledirect":
            self.upsample = nn.Sequential(conv(c, scale**2 * colours), nn.PixelShuffle(scale))
        elif up == "nearest+conv":
            self.conv_up1, self.conv_up2, self.conv_hr = conv(width, width), conv(width, width), conv(width, width)
        else:
            self.conv_last = conv(c, colours)

    def forward(self, x):
        mean = torch.tensor([0.4488, 0.4371, 0.4040] if self.colours == 3 else [0.0]).view(1, -1, 1, 1)
        x = (x - mean) * self.range
        first = self.conv_first(x)
        y = first.permute(0, 2, 3, 1)
        if hasattr(self.patch_embed, "norm"):
            y = self.patch_embed.norm(y)
        for layer in self.layers:
            y = layer(y)
        y = self.conv_after_body(self.norm(y).permute(0, 3, 1, 2)) + first
        if self.up == "pixelshuffle":
            y = self.conv_last(self.upsample(self.conv_before_upsample(y)))
        elif self.up == "pixelshuffledirect":
            y = self.upsample(y)
        elif self.up == "nearest+conv":
            y = self.conv_before_upsample(y)
            for c in (self.conv_up1, self.conv_up2):
                y = F.leaky_relu(c(F.interpolate(y, scale_factor=2, mode="nearest")), 0.2)
            y = self.conv_last(F.leaky_relu(self.conv_hr(y), 0.2))
        else:
            y = x + self.conv_last(y)
        return y / self.range + mean


def main():
    seq = lambda blocks, stages: (lambda n: sequential(n, blocks, stages))
    same = lambda n: n
    fused = lambda n: n if "eval_conv" in n or not re.search(r"\.(sk|conv\.\d)\.", n) else None  # SPAN as for use only
    # key: network, names in the file, size of the picture, family, scale, margin (0: a transformer's)
    cases = {
        "rrdb-x4": (RrdbNet(16, 8, 2, 2), same, (9, 11), "RRDBNet (ESRGAN)", 4, 34),
        "rrdb-x4-first-names": (RrdbNet(12, 5, 1, 2), seq(1, 2), (8, 7), "RRDBNet (ESRGAN)", 4, 19),
        "rrdb-x8-first-names": (RrdbNet(8, 4, 2, 3), seq(2, 3), (5, 4), "RRDBNet (ESRGAN)", 8, 34),
        "rrdb-x2-first-names": (RrdbNet(8, 4, 1, 1), seq(1, 1), (10, 12), "RRDBNet (ESRGAN)", 2, 19),
        "rrdb-x1-first-names": (RrdbNet(8, 4, 1, 0), seq(1, 0), (12, 13), "RRDBNet (ESRGAN)", 1, 19),
        "rrdb-x4-middle-names": (RrdbNet(8, 4, 1, 2), middle, (6, 7), "RRDBNet (ESRGAN)", 4, 19),
        "rrdb-x2-unshuffle": (RrdbNet(8, 4, 1, 2, 2), same, (14, 12), "RRDBNet (ESRGAN)", 2, 38),
        "rrdb-x1-unshuffle": (RrdbNet(8, 4, 1, 2, 4), same, (16, 20), "RRDBNet (ESRGAN)", 1, 76),
        "rrdb-x3-first-names": (RrdbNet(8, 4, 1, 1, factor=3), seq(1, 1), (7, 5), "RRDBNet (ESRGAN)", 3, 19),
        "rrdb-x4-plus-first-names": (RrdbNet(12, 5, 2, 2, plus=True), seq(2, 2), (8, 9), "RRDBNet (ESRGAN)", 4, 34),
        "rrdb-x2-plus-wrapped": (
            RrdbNet(16, 8, 1, 1, plus=True),
            lambda n: "state_dict.module." + middle(n),
            (9, 7),
            "RRDBNet (ESRGAN)",
            2,
            19,
        ),
        "rrdb-x4-gray": (
            RrdbNet(8, 4, 1, 2, colours=1),
            lambda n: "params-ema." + n,
            (6, 8),
            "RRDBNet (ESRGAN)",
            4,
            19,
        ),
        "rrdb-x2-gray-unshuffle": (RrdbNet(8, 4, 1, 2, 2, colours=1), same, (10, 12), "RRDBNet (ESRGAN)", 2, 38),
        "rrdb-deep": (RrdbNet(8, 4, 23, 1), same, (9, 8), "RRDBNet (ESRGAN)", 2, 349),
        "rrdb-wide": (RrdbNet(64, 32, 1, 0), same, (30, 37), "RRDBNet (ESRGAN)", 1, 19),
        "srvgg-x4": (Srvgg(16, 3, 4), same, (9, 8), "SRVGGNetCompact", 4, 5),
        "srvgg-x3": (Srvgg(8, 2, 3), same, (9, 8), "SRVGGNetCompact", 3, 4),
        "srvgg-x1": (Srvgg(8, 1, 1), same, (9, 18), "SRVGGNetCompact", 1, 3),
        "srvgg-x2-gray": (Srvgg(8, 2, 2, colours=1), same, (9, 10), "SRVGGNetCompact", 2, 4),
        "srvgg-x4-noise": (Srvgg(8, 2, 4, noise=4), same, (9, 8), "SRVGGNetCompact", 4, 4),
        "srvgg-wide": (Srvgg(64, 2, 2), same, (24, 25), "SRVGGNetCompact", 2, 4),
        "swinir-classical-x2": (Swin(12, 8, 2, [2, 2], 2, "pixelshuffle"), same, (16, 24), "SwinIR", 2, 0),
        "swinir-classical-x3": (Swin(12, 4, 3, [2], 3, "pixelshuffle"), same, (8, 12), "SwinIR", 3, 0),
        "swinir-lightweight-x4": (Swin(12, 8, 2, [2], 4, "pixelshuffledirect"), same, (8, 16), "SwinIR", 4, 0),
        "swinir-real-x4": (Swin(16, 4, 2, [2, 2], 4, "nearest+conv", three=True), same, (8, 12), "SwinIR", 4, 0),
        "swinir-jpeg": (
            Swin(12, 7, 3, [2, 1], 1, "", image_range=255.0, ratio=3, patch_norm=False),
            same,
            (21, 14),
            "SwinIR",
            1,
            0,
        ),
        "swinir-x2-gray": (Swin(12, 4, 2, [2], 2, "pixelshuffledirect", colours=1), same, (8, 12), "SwinIR", 2, 0),
        "swinir-denoise-gray": (Swin(12, 8, 2, [2], 1, "", colours=1), same, (8, 16), "SwinIR", 1, 0),
        "hat-x4": (Swin(12, 4, 2, [2, 2], 4, "pixelshuffle", wide=6), same, (8, 12), "HAT", 4, 0),
        "hat-x2-window8": (Swin(12, 8, 3, [2], 2, "pixelshuffle", wide=12), same, (16, 24), "HAT", 2, 0),
        "span-x4": (sp.span(16, 4), same, (9, 11), "SPAN", 4, 21),
        "span-x2-raw": (sp.span(12, 2, norm=False), lambda n: "params_ema." + n, (7, 8), "SPAN", 2, 21),
        "span-x1-gray": (sp.span(8, 1, norm=False, channels=1), same, (13, 6), "SPAN", 1, 21),
        "span-x3-fused": (sp.span_fused(8, 3), fused, (8, 7), "SPAN", 3, 21),
        "plksr-x2": (sp.plksr(12, 2, 2, 9), same, (9, 11), "PLKSR", 2, 16),
        "plksr-x3-dccm": (
            sp.plksr(8, 1, 3, 5, ccm_type="DCCM", use_ea=False, split_ratio=0.5),
            same,
            (7, 6),
            "PLKSR",
            3,
            6,
        ),
        "plksr-x1-iccm": (sp.plksr(8, 1, 1, 17, ccm_type="ICCM"), same, (13, 12), "PLKSR", 1, 13),
        "realplksr-x4": (sp.real_plksr(16, 2, 4, 17), same, (11, 14), "PLKSR", 4, 0),
        "realplksr-x2-layer-norm": (
            sp.real_plksr(12, 2, 2, 9, layer_norm=True),
            lambda n: "params." + n,
            (9, 8),
            "PLKSR",
            2,
            16,
        ),
        "realplksr-x4-dysample": (
            sp.real_plksr(16, 1, 4, 5, layer_norm=True, dysample=True),
            same,
            (9, 7),
            "PLKSR",
            4,
            11,
        ),
        "realplksr-x3-dysample": (sp.real_plksr(16, 1, 3, 5, dysample=True, use_ea=False), same, (6, 7), "PLKSR", 3, 0),
        "omnisr-x2": (sp.omnisr(16, 1, 2, 2), same, (16, 32), "OmniSR", 2, 0),
        "omnisr-x4-window4": (
            sp.omnisr(12, 2, 1, 4, window=4, bias=False),
            lambda n: "params." + n,
            (16, 16),
            "OmniSR",
            4,
            0,
        ),
        "omnisr-x3-gray": (sp.omnisr(8, 1, 1, 3, pe=False, channels=1), same, (32, 16), "OmniSR", 3, 0),
        "dat-x2": (sp.dat(64, [4, 8], [3, 1], [4, 2], 2), same, (16, 24), "DAT", 2, 0),
        "dat-light-x4": (
            sp.dat(32, [2, 8], [2], [2], 4, upsampler="pixelshuffledirect", resi_connection="3conv", qkv_bias=False),
            same,
            (8, 16),
            "DAT",
            4,
            0,
        ),
        "dat-x3": (sp.dat(32, [8, 16], [1, 5], [2, 2], 3, size=32), lambda n: "params_ema." + n, (32, 16), "DAT", 3, 0),
        "srformer-x2": (
            sp.srformer(16, 8, [2, 2], [2, 4], 2, 16, upsampler="pixelshuffle"),
            same,
            (16, 24),
            "SRFormer",
            2,
            0,
        ),
        "srformer-light-x4": (
            sp.srformer(12, 10, [3], [3], 4, 20, upsampler="pixelshuffledirect", qkv_bias=False),
            same,
            (20, 10),
            "SRFormer",
            4,
            0,
        ),
        "srformer-real-x4": (
            sp.srformer(16, 4, [2], [2], 4, 4, upsampler="nearest+conv", resi_connection="3conv", patch_norm=False),
            same,
            (8, 12),
            "SRFormer",
            4,
            0,
        ),
        "realplksr-x1-dysample": (
            sp.real_plksr(8, 1, 1, 5, layer_norm=True, dysample=True),
            same,
            (8, 9),
            "PLKSR",
            1,
            11,
        ),
    }
    models, listed, outputs = {}, [], {}
    for key, (net, rename, (h, w), family, scale, margin) in cases.items():
        if type(net).__module__.startswith("spandrel"):
            tensors, extra = sp.fill_spandrel(net, key), []
        else:
            tensors = [t for t in fill_floats(net, key)]
            extra = [[n, n, list(b.shape)] for n, b in net.named_buffers()]
        models[key] = {
            "files": [
                {
                    "file": key + ".safetensors",
                    "tensors": [[rename(t[0]), *t[1:]] for t in tensors if rename(t[0])] + extra,
                }
            ]
        }
        first = net.input.weight if hasattr(net, "input") else next(net.parameters())
        inputs = first.shape[1] // getattr(net, "unshuffle", 1) ** 2
        noise = getattr(net, "noise", 0)
        x = hash_input(key + "/x", (1, h, w, inputs)) * 0.25 + 0.5
        with torch.no_grad():
            y = net(nchw(x))
        assert y.shape[2:] == (h * scale, w * scale)
        print(key, "mean", float(y.mean()), "std", float(y.std()))
        outputs[key] = nhwc(y)
        listed.append(
            {
                "name": key,
                "h": h,
                "w": w,
                "family": family,
                "scale": scale,
                "margin": margin,
                "channels": inputs - noise,
                "noise": noise,
            }
        )
    with open(HERE / "upscalers.json.gz", "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as z:
        z.write(json.dumps({"models": models, "cases": listed}, separators=(",", ":")).encode())
    save_file(outputs, HERE / "upscalers.safetensors")
    for n in ("upscalers.json.gz", "upscalers.safetensors"):
        print(n, (HERE / n).stat().st_size)


def fill_floats(net, key):
    """fill() without the buffers, which are numbers of positions and no weights."""
    buffers = {n: b.clone() for n, b in net.named_buffers()}
    tensors = [t for t in fill(net, key) if t[0] not in buffers]
    for n, b in net.named_buffers():
        b.copy_(buffers[n])
    return tensors


main()
