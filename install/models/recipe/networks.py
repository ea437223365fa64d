"""The two networks of sfumato-mini as diffusers modules, their latents, and what the UNet is fed.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""
import json
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel

HERE = Path(__file__).resolve().parent
INPAINT, UPSCALE2, UPSCALE4 = 0, 1, 2


def read_config():
    return json.loads((HERE / "config.json").read_text())


def make_vae(cfg):
    return AutoencoderKL(**cfg["vae"])


def make_unet(cfg):
    c = cfg["vae"]["latent_channels"]
    return UNet2DConditionModel(in_channels=2 * c + factor(cfg) ** 2, out_channels=c, cross_attention_dim=c + 1, **cfg["unet"])


def factor(cfg):
    """Pixels of the picture to one of the latents, along a side."""
    return 2 ** (len(cfg["vae"]["block_out_channels"]) - 1)


class Enlarger(nn.Module):
    """SRVGGNetCompact (Wang and others 2021): convolutions at the small size, a pixel shuffle, and the picture enlarged by nearest
    neighbour added. x [n, 3, h, w] in 0..1 -> [n, 3, h * scale, w * scale]."""

    def __init__(self, scale, features, n_convs):
        super().__init__()
        self.scale = scale
        widths = [3] + [features] * (n_convs + 1)
        layers = []
        for a, b in zip(widths[:-1], widths[1:]):
            layers += [nn.Conv2d(a, b, 3, padding=1), nn.PReLU(b)]
        layers.append(nn.Conv2d(features, 3 * scale * scale, 3, padding=1))
        self.body = nn.Sequential(*layers)
        for conv in self.body[::2]:
            # near the identity, so that a plain row of convolutions trains like one with skips
            straight = nn.init.dirac_(torch.empty_like(conv.weight))
            nn.init.kaiming_normal_(conv.weight, a=0.25)
            conv.weight.data.mul_(0.5).add_(straight, alpha=0.7)
            nn.init.zeros_(conv.bias)
        conv.weight.data.normal_(0.0, 0.01)

    def edges(self):
        """Names of the first and last convolution, which AdamW serves better than Muon."""
        return ("body.0.", f"body.{len(self.body) - 1}.")

    def forward(self, x):
        return F.pixel_shuffle(self.body(x), self.scale) + F.interpolate(x, scale_factor=self.scale, mode="nearest")


def make_enlarger(cfg, factor):
    return Enlarger(factor, **cfg["enlarger"])


def encode(vae, x):
    """Pictures [n, 3, h, w] in [-1, 1] to normalised latents: the mean, shifted and scaled."""
    mean = vae.encode(x).latent_dist.mean
    return (mean - (vae.config.shift_factor or 0.0)) * vae.config.scaling_factor


def decode(vae, z):
    return vae.decode(z / vae.config.scaling_factor + (vae.config.shift_factor or 0.0)).sample


def mask_cells(mask, f):
    """Mask [n, 1, H, W] at latent size without loss: each cell's pixels, row by row, as channels -> [n, f * f, H / f, W / f]."""
    return F.pixel_unshuffle(mask, f)


def context_tokens(cond, mask, size):
    """The style of the surroundings: the condition and the share that is repainted, averaged to size x size cells, row by row ->
    [n, size*size, c+1]; mask as mask_cells() gives it."""
    grid = F.adaptive_avg_pool2d(torch.cat([cond, mask.mean(1, keepdim=True)], 1).float(), size)
    return grid.flatten(2).transpose(1, 2)


def predict(unet, cfg, z_t, t, cond, mask, task):
    """Velocity eps - x0 at time t [n] in (0, 1]."""
    tokens = context_tokens(cond, mask, cfg["context_size"])
    return unet(torch.cat([z_t, cond, mask], 1), t * 1000.0, encoder_hidden_states=tokens.to(z_t.dtype),
                class_labels=task).sample


def times(n_steps, shift):
    """Euler's times as FlowMatchEulerDiscreteScheduler has them: n evenly from 1 to 0.001, shifted, then 0."""
    t = torch.linspace(1.0, 0.001, n_steps) if n_steps > 1 else torch.ones(1)
    return torch.cat([shift * t / (1 + (shift - 1) * t), torch.zeros(1)])


@torch.no_grad()
def sample(unet, cfg, cond, mask, task, n_steps=None, seed=0, start_noise=None):
    """Euler from the condition plus noise to a latent like cond [n, c, h, w]."""
    how = cfg["sfumato"]["inpaint"] if task == INPAINT else cfg["sfumato"]["upscale"]["2" if task == UPSCALE2 else "4"]
    amount = how["start_noise"] if start_noise is None else start_noise
    noise = torch.randn(cond.shape, generator=torch.Generator().manual_seed(seed)).to(cond)
    z = cond + amount * noise
    ts = times(n_steps or how["steps"], cfg["shift"])
    labels = torch.full((len(z),), task, dtype=torch.long, device=z.device)
    for a, b in zip(ts[:-1].tolist(), ts[1:].tolist()):
        v = predict(unet, cfg, z, torch.full((len(z),), a).to(z), cond, mask, labels)
        z = z + (b - a) * v
    return z
