#!/usr/bin/env python3
"""Writes removers.json.gz and removers.safetensors: what small networks that fill holes in one pass give, written anew
here from the papers.

LaMa: Suvorov 2022, section 2, with the Fourier convolutions of Chi 2020. MI-GAN: Sargsyan 2023, section 3, with the
activation and the noise of StyleGAN 2 (Karras 2020). Weights and inputs are hashes (hashed.py) that the C test computes
too, so only results are stored.

    python tests/parity/make-removers.py        (torch 2.13.0, safetensors)

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import gzip
import json
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.numpy import save_file

from hashed import hash_input, hash_weight, nchw, nhwc

HERE = pathlib.Path(__file__).parent


class FourierUnit(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv_layer = nn.Conv2d(2 * c, 2 * c, 1, bias=False)
        self.bn = nn.BatchNorm2d(2 * c)

    def forward(self, x):
        n, c, h, w = x.shape
        f = torch.fft.rfft2(x, norm="ortho")
        f = torch.stack((f.real, f.imag), 2).reshape(
            n, 2 * c, h, -1
        )  # real and imaginary part of a channel side by side
        f = F.relu(self.bn(self.conv_layer(f))).reshape(n, c, 2, h, -1)
        return torch.fft.irfft2(torch.complex(f[:, :, 0], f[:, :, 1]), s=(h, w), norm="ortho")


class Spectral(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(c, c // 2, 1, bias=False), nn.BatchNorm2d(c // 2), nn.ReLU())
        self.fu = FourierUnit(c // 2)
        self.conv2 = nn.Conv2d(c // 2, c, 1, bias=False)

    def forward(self, x):
        x = self.conv1(x)
        return self.conv2(x + self.fu(x))


class Ffc(nn.Module):
    """li, gi: local and global channels that come in; lo, go: that go out."""

    def __init__(self, li, gi, lo, go, k, stride, pad):
        super().__init__()
        conv = lambda i, o: nn.Conv2d(i, o, k, stride, pad, bias=False, padding_mode="reflect")
        self.convl2l = conv(li, lo)
        if go:
            self.convl2g = conv(li, go)
        if gi:
            self.convg2l = conv(gi, lo)
            self.convg2g = Spectral(gi)

    def forward(self, l, g):
        lo = self.convl2l(l) + (self.convg2l(g) if g is not None else 0)
        go = self.convl2g(l) + (self.convg2g(g) if g is not None else 0) if hasattr(self, "convl2g") else None
        return lo, go


class FfcBnAct(nn.Module):
    def __init__(self, li, gi, lo, go, k, stride=1, pad=0):
        super().__init__()
        self.ffc = Ffc(li, gi, lo, go, k, stride, pad)
        self.bn_l = nn.BatchNorm2d(lo)
        if go:
            self.bn_g = nn.BatchNorm2d(go)

    def forward(self, x):
        l, g = self.ffc(*x)
        return F.relu(self.bn_l(l)), F.relu(self.bn_g(g)) if g is not None else None


class Block(nn.Module):
    def __init__(self, l, g):
        super().__init__()
        self.conv1, self.conv2 = FfcBnAct(l, g, l, g, 3, 1, 1), FfcBnAct(l, g, l, g, 3, 1, 1)

    def forward(self, x):
        y = self.conv2(self.conv1(x))
        return x[0] + y[0], x[1] + y[1]


class Step(nn.Module):
    """A layer without weights: keeps the numbers of the others as they are in the files."""

    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, x):
        return self.fn(x)


class Lama(nn.Module):
    def __init__(self, features, downs, blocks, share=0.75):
        super().__init__()
        w, top = features, features << downs
        g = int(top * share)
        layers = [Step(lambda x: (F.pad(x, (3,) * 4, "reflect"), None)), FfcBnAct(4, 0, w, 0, 7)]
        for i in range(downs):
            last = i == downs - 1
            layers.append(FfcBnAct(w, 0, top - g if last else 2 * w, g if last else 0, 3, 2, 1))
            w *= 2
        layers += [Block(top - g, g) for _ in range(blocks)] + [Step(lambda x: torch.cat(x, 1))]
        for i in range(downs):
            layers += [nn.ConvTranspose2d(w, w // 2, 3, 2, 1, output_padding=1), nn.BatchNorm2d(w // 2), nn.ReLU()]
            w //= 2
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(w, 3, 7), nn.Sigmoid()]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


class Activation(nn.Module):
    def forward(self, x):
        return (F.leaky_relu(x, 0.2) * 2**0.5).clamp(-256, 256)


class Smaller(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.filter = nn.Conv2d(c, c, 4, 2, 1, groups=c, bias=False)

    def forward(self, x):
        return self.filter(x)


class Larger(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.insert_zeros = nn.ConvTranspose2d(c, c, 2, 2, groups=c, bias=False)
        self.filter = nn.Conv2d(c, c, 4, groups=c, bias=False)

    def forward(self, x):
        return self.filter(F.pad(self.insert_zeros(x), (2, 1, 2, 1)))


class Separable(nn.Module):
    def __init__(self, i, o, down=False, up=False, noise=0):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(i, i, 3, padding=1, groups=i), nn.Conv2d(i, o, 1, bias=False)
        self.downsample, self.upsample = Smaller(i) if down else nn.Identity(), Larger(o) if up else nn.Identity()
        self.act = Activation()
        if noise:
            self.register_buffer("noise_const", torch.zeros(noise, noise))
            self.noise_strength = nn.Parameter(torch.zeros([]))

    def forward(self, x):
        x = self.upsample(self.conv2(self.downsample(self.act(self.conv1(x)))))
        return self.act(x + self.noise_const * self.noise_strength if hasattr(self, "noise_const") else x)


class Migan(nn.Module):
    """widths: channels of each level, the finest first, the last of 4 pixels a side."""

    def __init__(self, widths):
        super().__init__()
        self.sides = [4 << k for k in reversed(range(len(widths)))]
        self.encoder, self.synthesis, self.act = nn.Module(), nn.Module(), Activation()
        for k, (side, c) in enumerate(zip(self.sides, widths)):
            last = side == 4
            below = c if last else widths[k + 1]
            e, s = nn.Module(), nn.Module()
            if k == 0:
                e.fromrgb = nn.Conv2d(4, c, 1)
            e.conv1, e.conv2 = Separable(c, c), Separable(c, below, down=not last)
            s.conv1, s.conv2 = Separable(below, c, up=not last, noise=0 if last else side), Separable(
                c, c, noise=0 if last else side
            )
            s.torgb = nn.Conv2d(c, 3, 1)
            if not last:
                s.upsample = Larger(3)
            setattr(self.encoder, f"b{side}", e)
            setattr(self.synthesis, f"b{side}", s)

    def forward(self, x):
        """x: colors from 0 to 1, and the hole, as the other networks have them."""
        hole, seen, rgb = x[:, 3:], {}, None
        x = torch.cat((0.5 - hole, (2 * x[:, :3] - 1) * (1 - hole)), 1)
        x = self.act(getattr(self.encoder, f"b{self.sides[0]}").fromrgb(x))
        for side in self.sides:
            e = getattr(self.encoder, f"b{side}")
            seen[side] = e.conv1(x)
            x = e.conv2(seen[side])
        for side in reversed(self.sides):
            s = getattr(self.synthesis, f"b{side}")
            x = s.conv2(s.conv1(x) + seen[side])
            rgb = s.torgb(x) + (s.upsample(rgb) if rgb is not None else 0)
        return rgb * 0.5 + 0.5


def fill(net, key):
    """Weights as hashes; [name in the file, name that is hashed, dims]. Variances are hashed as scales are: about 1."""
    tensors = []
    with torch.no_grad():
        for name, t in net.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            hashed = f"{key}/{name}" + (".weight" if name.endswith("running_var") else "")
            tensors.append([name, hashed, list(t.shape)])
            t.copy_(torch.from_numpy(hash_weight(hashed, list(t.shape))))
    net.eval()
    return tensors


def main():
    plain = lambda n: n
    cases = {  # network, names in the file, height, width
        "lama": (Lama(8, 3, 2), plain, 40, 56),
        "lama-odd": (Lama(6, 2, 1, 0.5), lambda n: "generator." + n, 20, 28),
        "lama-wide": (Lama(32, 3, 1), lambda n: "model.generator." + n, 32, 48),
        "migan": (Migan((8, 12, 20, 24)), plain, 32, 32),
        "migan-ema": (Migan((6, 33)), lambda n: "G_ema." + n, 8, 8),
    }
    models, listed, outputs = {}, [], {}
    for key, (net, rename, h, w) in cases.items():
        tensors = [[rename(n), hashed, dims] for n, hashed, dims in fill(net, key)]
        models[key] = {"files": [{"file": key + ".safetensors", "tensors": tensors}]}
        x = hash_input(key + "/x", (1, h, w, 4)) * 0.25 + 0.5
        x[..., 3] = (x[..., 3] > 0.6).float()
        x[..., :3] *= 1 - x[..., 3:]
        with torch.no_grad():
            y = net(nchw(x))
        print(key, "mean", float(y.mean()), "std", float(y.std()))
        outputs[key] = nhwc(y)
        listed.append({"name": key, "h": h, "w": w})
    with open(HERE / "removers.json.gz", "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as z:
        z.write(json.dumps({"models": models, "cases": listed}, separators=(",", ":")).encode())
    save_file(outputs, HERE / "removers.safetensors")
    for n in ("removers.json.gz", "removers.safetensors"):
        print(n, (HERE / n).stat().st_size)


main()
