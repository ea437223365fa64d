"""The networks that enlarge, and what the network that refines is fed beside pictures.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import json
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = Path(__file__).resolve().parent
CONTEXT_SIZE = 8  # cells a side of the context that cross-attention sees


def read_config():
    return json.loads((HERE / "config.json").read_text())


class Enlarger(nn.Module):
    """SRVGGNetCompact (Wang and others 2021): convolutions at the small size, a pixel shuffle, and the picture enlarged
    by nearest neighbour added. x [n, 3, h, w] in 0..1 -> [n, 3, h * scale, w * scale]. A network with noise sees that
    many channels of normal noise beside the picture: the source of the texture that the small picture does not tell."""

    def __init__(self, scale, features, n_convs, noise=0):
        super().__init__()
        self.scale, self.noise = scale, noise
        widths = [3 + noise] + [features] * (n_convs + 1)
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

    def take(self, plain, influence=0.1):
        """The weights of a network of the same size; noise that it does not see starts with little influence."""
        first = self.body[0].weight.data
        own = self.state_dict()
        for name, value in plain.items():
            if own[name].shape == value.shape:
                own[name].copy_(value)
        known = plain["body.0.weight"].shape[1]
        first[:, known:] *= influence
        first[:, :known] = plain["body.0.weight"]

    def forward(self, x):
        z = x.new_empty(len(x), self.noise, *x.shape[2:]).normal_()
        small = torch.cat([x, z], 1).to(self.body[0].weight.dtype)
        return F.pixel_shuffle(self.body(small).float(), self.scale) + F.interpolate(x, scale_factor=self.scale)


def make_enlarger(cfg, factor):
    sizes = {key: cfg["enlarger"][key] for key in ("features", "n_convs")}
    return Enlarger(factor, **sizes, noise=cfg["enlarger"]["noise"].get(str(factor), 0))


def mask_cells(mask, f):
    """Mask [n, 1, H, W] at latent size without loss: each cell's pixels, row by row, as channels ->
    [n, f * f, H / f, W / f]."""
    return F.pixel_unshuffle(mask, f)


def context_tokens(cond, mask, size):
    """The style of the surroundings: the condition and the share that is repainted, averaged to size x size cells, row
    by row -> [n, size*size, c+1]; mask as mask_cells() gives it."""
    grid = F.adaptive_avg_pool2d(torch.cat([cond, mask.mean(1, keepdim=True)], 1).float(), size)
    return grid.flatten(2).transpose(1, 2)
