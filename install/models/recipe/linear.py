"""A linear start for the autoencoder: a lapped transform that its convolutions can hold exactly.

With the residual branches at zero an AutoencoderKL is a chain of convolutions, but for the last norm and SiLU. Two facts make
that end linear too: silu(x) - silu(-x) = x, so each feature goes through as a pair; and a group norm whose groups hold
a large constant divides by nearly the same number whatever the picture. So: fit a linear analysis (12x12 pixels to
16 numbers per 4x4 cell) and a linear synthesis of the decoder's shape, which takes a minute, and write them into
the network. The encoder then stays as it is, and latents are known at once; the decoder's branches learn the rest.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

N_KEPT = 40      # of the 48 components of a 4x4 RGB cell; 5 pairs and 2 constants fill each encoder group of 12
CONSTANT = 64.0  # fills the norm's groups; features are of order 1


class Linear(nn.Module):
    def __init__(self, basis, c):
        """basis [48, 48]: principal axes of cells, in rows, first the strongest."""
        super().__init__()
        self.register_buffer("reduce", basis[:N_KEPT].clone())
        self.analysis = nn.Conv2d(N_KEPT, c, 3, padding=1)
        self.widen = nn.Conv2d(c, 96, 3, padding=1)
        self.up1 = nn.Conv2d(96, 96, 3, padding=1)
        self.narrow1 = nn.Conv2d(96, 48, 1)
        self.up2 = nn.Conv2d(48, 48, 3, padding=1)
        self.narrow2 = nn.Conv2d(48, 8, 1)
        self.last = nn.Conv2d(8, 3, 3, padding=1)
        with torch.no_grad():
            self.analysis.weight.zero_()
            self.analysis.bias.zero_()
            self.analysis.weight[:, :c, 1, 1] = torch.eye(c)
            for conv in (self.widen, self.up1, self.narrow1, self.up2, self.narrow2, self.last):
                nn.init.orthogonal_(conv.weight, gain=0.7 if conv.kernel_size[0] == 3 else 1.0)
                conv.bias.zero_()

    def encode(self, x):
        # the order of channels is the one that two stride-2 steps of the encoder give: (y2 x2)(y1 x1) rgb
        z = F.pixel_unshuffle(F.pixel_unshuffle(x, 2), 2)
        z = torch.einsum("kc,nchw->nkhw", self.reduce.to(z.dtype), z)
        return self.analysis(z)

    def decode(self, z):
        y = self.up1(F.interpolate(self.widen(z), scale_factor=2))
        y = self.up2(F.interpolate(self.narrow1(y), scale_factor=2))
        return self.last(self.narrow2(y))

    @torch.no_grad()
    def collapsed(self):
        """decode() as one 5x5 convolution and a pixel shuffle, a tenth of its time; other than it only within 8 pixels of the picture's edge, where
        decode() pads at each of its layers. Returns a function [n, c, h, w] -> [n, 3, 4h, 4w]."""
        c = self.analysis.out_channels
        blank = torch.zeros(1, c, 9, 9)
        pulses = torch.eye(c)[..., None, None] * F.pad(torch.ones(1, 1, 1, 1), (4,) * 4)
        plain = self.decode(blank)
        cells = F.pixel_unshuffle(self.decode(pulses) - plain, 4)  # [c, 48, 9, 9]: what each cell gets from the one in the middle
        weight = cells[..., 2:7, 2:7].flip(2, 3).transpose(0, 1).contiguous()
        bias = F.pixel_unshuffle(plain, 4)[0, :, 4, 4].contiguous()
        return lambda z: F.pixel_shuffle(F.conv2d(z, weight.to(z), bias.to(z), padding=2), 4)


def principal_axes(x):
    cells = F.pixel_unshuffle(F.pixel_unshuffle(x, 2), 2).permute(0, 2, 3, 1).reshape(-1, 48).double()
    _, vectors = torch.linalg.eigh(cells.T @ cells / len(cells))  # about zero: grey must stay zero
    return vectors.flip(1).T.float()


def fit(next_batch, c, seconds, lr=3e-3, earlier=None, tell=print):
    """Fit by Adam for so many seconds of processor time, on from the state `earlier` if given; next_batch() gives
    [n, 3, h, w] in [-1, 1]."""
    net = Linear(torch.eye(48) if earlier else principal_axes(torch.cat([next_batch() for _ in range(20)])), c)
    if earlier:
        net.load_state_dict(earlier)
    opt = torch.optim.Adam(net.parameters(), lr=lr, betas=(0.9, 0.98))
    began, n = time.process_time(), 0
    while (spent := time.process_time() - began) < seconds:
        for group in opt.param_groups:
            group["lr"] = lr * min(1.0, (n + 1) / 20) * max(0.02, 1 - spent / seconds)
        x = next_batch()
        with torch.autocast(x.device.type, torch.bfloat16, enabled=spent < 0.8 * seconds):
            y = net.decode(net.encode(x))
        loss = F.mse_loss(y.float(), x)
        opt.zero_grad()
        loss.backward()
        opt.step()
        n += 1
        if n % 50 == 0:
            tell(f"linear: step {n}, {spent:.0f} s, mse {loss.item():.5f}")
    return net.eval().requires_grad_(False)


@torch.no_grad()
def normalise(net, x):
    """Turn the latents to their principal axes and scale each to the square root of its deviation (overall unit mean
    square): coarse components stay the stronger ones, which diffusion settles first."""
    z = net.encode(x)
    flat = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1]).double()
    mean = flat.mean(0)
    values, vectors = torch.linalg.eigh((flat - mean).T @ (flat - mean) / len(flat))
    values, vectors = values.flip(0).clamp(min=1e-9), vectors.flip(1)
    scale = values ** 0.25
    scale = scale / (scale ** 2).mean().sqrt()
    turn = torch.diag(scale / values.sqrt()) @ vectors.T          # new = turn (old - mean)
    back = torch.linalg.inv(turn)
    turn, back, mean = turn.float(), back.float(), mean.float()
    net.analysis.bias.copy_(turn @ (net.analysis.bias - mean))
    net.analysis.weight.copy_(torch.einsum("ab,bijk->aijk", turn, net.analysis.weight))
    net.widen.bias.add_(torch.einsum("obij,b->o", net.widen.weight, mean))  # exact but at the border
    net.widen.weight.copy_(torch.einsum("obij,ba->oaij", net.widen.weight, back))
    return net


@torch.no_grad()
def write_into(vae, net):
    """Put the linear codec into an AutoencoderKL of widths 24, 48, 96 with 8 norm groups."""
    encoder, decoder = vae.encoder, vae.decoder
    c = net.analysis.out_channels
    for module in vae.modules():
        if hasattr(module, "conv2") and hasattr(module, "conv_shortcut"):
            nn.init.zeros_(module.conv2.weight)
            nn.init.zeros_(module.conv2.bias)

    def clear(conv):
        conv.weight.zero_()
        conv.bias.zero_()
        return conv

    conv = clear(encoder.conv_in)
    for i in range(3):
        conv.weight[i, i, 1, 1] = 1.0
    for block, width in ((encoder.down_blocks[0], 3), (encoder.down_blocks[1], 12)):
        conv = clear(block.downsamplers[0].conv)
        for i in range(width):                       # pixel_unshuffle: channel i, then row, then column
            for tap in range(4):
                conv.weight[4 * i + tap, i, tap // 2, tap % 2] = 1.0
    conv = clear(encoder.down_blocks[1].resnets[0].conv_shortcut)
    for i in range(12):
        conv.weight[i, i, 0, 0] = 1.0
    conv = clear(encoder.down_blocks[2].resnets[0].conv_shortcut)
    last = clear(encoder.conv_out)                   # [2c, 96, 3, 3]: mean, then log variance
    norm = encoder.conv_norm_out
    for group in range(8):
        base = 12 * group
        for j in range(5):
            k = 5 * group + j
            conv.weight[base + 2 * j, :48, 0, 0] = net.reduce[k]
            conv.weight[base + 2 * j + 1, :48, 0, 0] = -net.reduce[k]
        conv.bias[base + 10], conv.bias[base + 11] = CONSTANT, -CONSTANT
        deviation = (2 * CONSTANT ** 2 / 12) ** 0.5
        for j in range(10):
            norm.weight[base + j] = deviation
            norm.bias[base + j] = 0.0
        norm.weight[base + 10:base + 12] = 0.0
        norm.bias[base + 10:base + 12] = 0.0
        for j in range(5):
            last.weight[:c, base + 2 * j] = net.analysis.weight[:, 5 * group + j]
            last.weight[:c, base + 2 * j + 1] = -net.analysis.weight[:, 5 * group + j]
    last.bias[:c] = net.analysis.bias
    last.bias[c:] = -8.0                             # the log variance is not used

    decoder.conv_in.weight.copy_(net.widen.weight)
    decoder.conv_in.bias.copy_(net.widen.bias)
    decoder.up_blocks[0].upsamplers[0].conv.weight.copy_(net.up1.weight)
    decoder.up_blocks[0].upsamplers[0].conv.bias.copy_(net.up1.bias)
    decoder.up_blocks[1].resnets[0].conv_shortcut.weight.copy_(net.narrow1.weight)
    decoder.up_blocks[1].resnets[0].conv_shortcut.bias.copy_(net.narrow1.bias)
    decoder.up_blocks[1].upsamplers[0].conv.weight.copy_(net.up2.weight)
    decoder.up_blocks[1].upsamplers[0].conv.bias.copy_(net.up2.bias)
    conv, last, norm = clear(decoder.up_blocks[2].resnets[0].conv_shortcut), clear(decoder.conv_out), decoder.conv_norm_out
    for j in range(8):                               # groups of three: +p, -p, constant
        conv.weight[3 * j] = net.narrow2.weight[j]
        conv.weight[3 * j + 1] = -net.narrow2.weight[j]
        conv.bias[3 * j], conv.bias[3 * j + 1] = net.narrow2.bias[j], -net.narrow2.bias[j]
        conv.bias[3 * j + 2] = CONSTANT
        deviation = (2 * CONSTANT ** 2 / 9) ** 0.5
        norm.weight[3 * j:3 * j + 2] = deviation
        norm.bias[3 * j:3 * j + 2] = CONSTANT / 3
        norm.weight[3 * j + 2] = 0.0
        norm.bias[3 * j + 2] = 0.0
        last.weight[:, 3 * j] = net.last.weight[:, j]
        last.weight[:, 3 * j + 1] = -net.last.weight[:, j]
    last.bias.copy_(net.last.bias)


@torch.no_grad()
def pass_through(unet, gain=0.6, constant=16.0):
    """Let an untrained UNet of first width 3c and c norm groups answer gain * (noisy latent - condition): at time 1 and gain 1 that is
    the velocity to a picture equal to its condition, and over all times a gain of 0.6 is nearest. The way is conv_in, its skip connection, the
    last block's shortcut, and pairs with a constant through the last norm as above."""
    c = unet.config.out_channels
    conv, skip = unet.conv_in, unet.up_blocks[-1].resnets[-1].conv_shortcut
    width = conv.out_channels
    norm, last = unet.conv_norm_out, unet.conv_out
    for module in unet.modules():
        if hasattr(module, "conv2") and hasattr(module, "conv_shortcut"):
            nn.init.zeros_(module.conv2.weight)
    for tensor in (skip.weight, skip.bias, last.weight, last.bias):
        tensor.zero_()
    conv.weight[:c].zero_()
    conv.bias[:c].zero_()
    for j in range(c):
        conv.weight[j, j, 1, 1], conv.weight[j, c + j, 1, 1] = 1.0, -1.0
        skip.weight[3 * j, skip.in_channels - width + j] = 1.0
        skip.weight[3 * j + 1, skip.in_channels - width + j] = -1.0
        skip.bias[3 * j + 2] = constant
        norm.weight[3 * j:3 * j + 2] = (2 * constant ** 2 / 9) ** 0.5
        norm.bias[3 * j:3 * j + 2] = constant / 3
        norm.weight[3 * j + 2], norm.bias[3 * j + 2] = 0.0, 0.0
        last.weight[j, 3 * j, 1, 1], last.weight[j, 3 * j + 1, 1, 1] = gain, -gain
