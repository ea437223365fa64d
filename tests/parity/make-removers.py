#!/usr/bin/env python3
"""Writes removers.json.gz and removers.safetensors: what small networks that fill holes in one pass give, written anew here from the papers.

LaMa: Suvorov 2022, section 2, with the Fourier convolutions of Chi 2020. Weights and inputs are hashes (hashed.py) that the C test computes too, so
only results are stored.

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
        f = torch.fft.rfft2(x, norm='ortho')
        f = torch.stack((f.real, f.imag), 2).reshape(n, 2 * c, h, -1)  # real and imaginary part of a channel side by side
        f = F.relu(self.bn(self.conv_layer(f))).reshape(n, c, 2, h, -1)
        return torch.fft.irfft2(torch.complex(f[:, :, 0], f[:, :, 1]), s=(h, w), norm='ortho')


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
        conv = lambda i, o: nn.Conv2d(i, o, k, stride, pad, bias=False, padding_mode='reflect')
        self.convl2l = conv(li, lo)
        if go:
            self.convl2g = conv(li, go)
        if gi:
            self.convg2l = conv(gi, lo)
            self.convg2g = Spectral(gi)

    def forward(self, l, g):
        lo = self.convl2l(l) + (self.convg2l(g) if g is not None else 0)
        go = self.convl2g(l) + (self.convg2g(g) if g is not None else 0) if hasattr(self, 'convl2g') else None
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
        layers = [Step(lambda x: (F.pad(x, (3,) * 4, 'reflect'), None)), FfcBnAct(4, 0, w, 0, 7)]
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


def fill(net, key):
    """Weights as hashes; [name in the file, name that is hashed, dims]. Variances are hashed as scales are: about 1."""
    tensors = []
    with torch.no_grad():
        for name, t in net.state_dict().items():
            if name.endswith('num_batches_tracked'):
                continue
            hashed = f'{key}/{name}' + ('.weight' if name.endswith('running_var') else '')
            tensors.append([name, hashed, list(t.shape)])
            t.copy_(torch.from_numpy(hash_weight(hashed, list(t.shape))))
    net.eval()
    return tensors


def main():
    plain = lambda n: n
    cases = {  # network, names in the file, height, width
        'lama': (Lama(8, 3, 2), plain, 40, 56),
        'lama-odd': (Lama(6, 2, 1, 0.5), lambda n: 'generator.' + n, 20, 28),
        'lama-wide': (Lama(32, 3, 1), lambda n: 'model.generator.' + n, 32, 48),
    }
    models, listed, outputs = {}, [], {}
    for key, (net, rename, h, w) in cases.items():
        tensors = [[rename(n), hashed, dims] for n, hashed, dims in fill(net, key)]
        models[key] = {'files': [{'file': key + '.safetensors', 'tensors': tensors}]}
        x = hash_input(key + '/x', (1, h, w, 4)) * 0.25 + 0.5
        x[..., 3] = (x[..., 3] > 0.6).float()
        x[..., :3] *= 1 - x[..., 3:]
        with torch.no_grad():
            y = net(nchw(x))
        print(key, 'mean', float(y.mean()), 'std', float(y.std()))
        outputs[key] = nhwc(y)
        listed.append({'name': key, 'h': h, 'w': w})
    with open(HERE / 'removers.json.gz', 'wb') as f, gzip.GzipFile('', 'wb', 9, f, mtime=0) as z:
        z.write(json.dumps({'models': models, 'cases': listed}, separators=(',', ':')).encode())
    save_file(outputs, HERE / 'removers.safetensors')
    for n in ('removers.json.gz', 'removers.safetensors'):
        print(n, (HERE / n).stat().st_size)


main()
