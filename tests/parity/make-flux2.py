#!/usr/bin/env python3
"""Makes flux2.json.gz (configurations, tensor names and shapes, cases) and flux2.safetensors (expected outputs) for flux2.c: the networks
and pipelines of FLUX.2, small, by diffusers in fp32. Weights and inputs come from hashed.py.

    python tests/parity/make-flux2.py

Made with torch 2.13.0+cpu, diffusers 0.42.1, transformers 5.24.0, safetensors 0.8.0, numpy 2.4.6.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""
import gzip
import json
import pathlib

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from diffusers import AutoencoderKLFlux2
from safetensors.numpy import save_file

from hashed import config_of, fill, hash_input, hash_ints, nchw, nhwc

HERE = pathlib.Path(__file__).parent
torch.set_num_threads(1)
torch.set_grad_enabled(False)
models, cases, expected = {}, [], {}


# ---- autoencoders

def statistics(model, key, tensors):
    """Running statistics of the packed latents, stored by value: a variance is positive."""
    for kind in ("mean", "var"):
        name = f"bn.running_{kind}"
        k = hash_ints(f"{key}/{name}", model.bn.num_features)
        v = (k / 4096 if kind == "mean" else 1 + k / 2048).astype(np.float16)
        model.state_dict()[name].copy_(torch.from_numpy(v.astype(np.float32)))
        tensors.append([name, name, [len(v)], [float(x) for x in v]])


def pack(model, z):
    n, c, h, w = z.shape
    z = z.view(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, c * 4, h // 2, w // 2)
    return (z - model.bn.running_mean.view(1, -1, 1, 1)) / torch.sqrt(model.bn.running_var.view(1, -1, 1, 1) + model.config.batch_norm_eps)


def unpack(model, z):
    z = z * torch.sqrt(model.bn.running_var.view(1, -1, 1, 1) + model.config.batch_norm_eps) + model.bn.running_mean.view(1, -1, 1, 1)
    n, c, h, w = z.shape
    return z.reshape(n, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n, c // 4, h * 2, w * 2)


def make_vae(key, **config):
    """Widths small, latents as many as FLUX.2's."""
    model = AutoencoderKLFlux2(**{"block_out_channels": (32, 32, 64, 64), "layers_per_block": 1, "sample_size": 64} | config)
    tensors = [t for t in fill(model, key) if not t[0].startswith("bn.")]
    statistics(model, key, tensors)
    return model, {"folder": "vae", "config": config_of(model), "tensors": tensors}


def bfl_vae(tensors, levels):
    """diffusers' names as FLUX.2's own file has them (and ComfyUI's)."""
    attention = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
    out = []
    for name, *rest in tensors:
        for side, blocks, sampler in (("encoder", "down", "downsample"), ("decoder", "up", "upsample")):
            for i in range(levels):
                level = i if side == "encoder" else levels - 1 - i
                name = name.replace(f"{side}.{blocks}_blocks.{i}.{sampler}rs.0.", f"{side}.{blocks}~.{level}.{sampler}.")
                name = name.replace(f"{side}.{blocks}_blocks.{i}.resnets.", f"{side}.{blocks}~.{level}.block.")
        name = name.replace("~", "").replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        name = name.replace("mid_block.resnets.0", "mid.block_1").replace("mid_block.resnets.1", "mid.block_2")
        for a, b in attention.items():
            name = name.replace(f"mid_block.attentions.0.{a}.", f"mid.attn_1.{b}.")
        name = "decoder." + name if name.startswith("post_quant") else "encoder." + name if name.startswith("quant") else name
        out.append([name, *rest])
    return out


def vae_case(key, model, n, h, w, name=None):
    """h, w: packed latents."""
    name = name or key
    x = nchw(hash_input(f"{key}/x", (n, h * 16, w * 16, 3)) / 2)
    z = nchw(hash_input(f"{key}/z", (n, h, w, 128)))
    expected[f"{name}/packed"] = nhwc(pack(model, model.encode(x).latent_dist.mean))
    expected[f"{name}/out"] = nhwc(model.decode(unpack(model, z)).sample)
    cases.append({"name": name, "model": key, "kind": "autoencoder", "n": n, "h": h, "w": w})


vae, file = make_vae("vae")
models["vae"] = {"files": [file]}
vae_case("vae", vae, 2, 3, 2)
# The same weights as FLUX.2's own file, with its names.
models["vae-bfl"] = {"files": [{"file": "ae.safetensors", "tensors": bfl_vae(file["tensors"], 4)}]}
cases.append({"name": "vae", "model": "vae-bfl", "kind": "autoencoder", "n": 2, "h": 3, "w": 2})
# The small decoder beside the whole encoder, in a single file with diffusers' names.
small, file = make_vae("vae-small", decoder_block_out_channels=(32, 32, 32, 96), layers_per_block=2)
models["vae-small"] = {"files": [{"file": "full_encoder_small_decoder.safetensors", "tensors": file["tensors"]}]}
vae_case("vae-small", small, 1, 2, 3)


# ---- TAEF2: github.com/madebyollin/taesd, which diffusers' AutoencoderTiny does not cover

class Block(nn.Module):
    """Three convolutions round which x is added, at the lowest level behind a look at the whole."""

    def __init__(self, c, pool):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1))
        if pool:
            self.pool = nn.Sequential(nn.Conv2d(c, 4 * c, 1, bias=False), nn.GroupNorm(4, 4 * c), nn.ReLU(), nn.Conv2d(4 * c, c, 1, bias=False))

    def forward(self, x):
        x = x + self.pool(x) if hasattr(self, "pool") else x
        return F.relu(self.conv(x) + x)


def taef2(c=64, z=32):
    def conv(a, b, **more):
        return nn.Conv2d(a, b, 3, padding=1, **more)

    def blocks(n, pool=False):
        return [Block(c, pool) for _ in range(n)]

    def halve():
        return [conv(c, c, stride=2, bias=False)]

    def double():
        return [nn.Upsample(scale_factor=2), conv(c, c, bias=False)]

    tiny = nn.ModuleDict({"encoder": nn.Module(), "decoder": nn.Module()})
    tiny.encoder.layers = nn.Sequential(conv(3, c), *blocks(1), *halve(), *blocks(3), *halve(), *blocks(3), *halve(), *blocks(3, True), conv(c, z))
    tiny.decoder.layers = nn.Sequential(conv(z, c), nn.ReLU(), *blocks(3, True), *double(), *blocks(3), *double(), *blocks(3), *double(),
                                        *blocks(1), conv(c, 3))
    return tiny


tiny = taef2()
models["taef2"] = {"files": [{"file": "taef2.safetensors", "tensors": fill(tiny, "taef2")}]}
x, z = hash_input("taef2/x", (1, 48, 32, 3)) / 2, hash_input("taef2/z", (1, 3, 2, 128))
packed = F.pixel_unshuffle(tiny.encoder.layers(nchw(x) / 2 + 0.5), 2)
expected["taef2/packed"] = nhwc(packed)
expected["taef2/out"] = nhwc(tiny.decoder.layers(torch.tanh(F.pixel_shuffle(nchw(z), 2) / 3) * 3) * 2 - 1)
cases.append({"name": "taef2", "model": "taef2", "kind": "autoencoder", "n": 1, "h": 3, "w": 2})

with open(HERE / "flux2.json.gz", "wb") as f, gzip.GzipFile(fileobj=f, mode="wb", mtime=0, filename="") as g:
    g.write(json.dumps({"models": models, "cases": cases}).encode())
save_file({k: np.ascontiguousarray(v, dtype=np.float32) for k, v in expected.items()}, HERE / "flux2.safetensors")
for k, v in expected.items():
    print(f"{k:32} {str(v.shape):20} mean {v.mean():8.4f}  deviation {v.std():8.4f}")
