"""Muon for matrices and convolution kernels, AdamW for the rest, on fp32 masters of a possibly bf16 network.

Muon: K. Jordan and others, 2024 (momentum made orthogonal by a Newton-Schulz iteration); the step is scaled to
AdamW's size as in J. Liu and others, "Muon is scalable for LLM training", 2025.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

from contextlib import contextmanager

import torch

EDGE_NAMES = ("conv_in", "conv_out", "embedding", "quant_conv")  # AdamW serves inputs and outputs better


def compute_dtype(device):
    """bf16 where the device multiplies it, else fp32: a CPU without bf16 would take many times as long."""
    known = device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if known else torch.float32


def orthogonal(g, n_steps=5):
    """Nearest semi-orthogonal matrices, roughly, of g [..., rows, columns]; bf16 is enough for it."""
    x = g.to(compute_dtype(g.device))
    flip = x.shape[-2] > x.shape[-1]
    if flip:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(n_steps):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return (x.mT if flip else x).float()


class Optimizer:
    """Parameters of one shape are stacked, so that a GPU gets few and large launches."""

    def __init__(self, net, lr_matrix, lr_other, weight_decay=0.01, ema_decay=0.996, edges=EDGE_NAMES):
        self.net, self.lr_matrix, self.lr_other = net, lr_matrix, lr_other
        self.weight_decay, self.ema_decay, self.n = weight_decay, ema_decay, 0
        self.edges = edges  # parts of the names of those that AdamW serves
        self.params = dict(net.named_parameters())
        self.groups = {}  # (shape, served by Muon) -> names
        for name, p in self.params.items():
            self.groups.setdefault((tuple(p.shape), self.is_matrix(name, p)), []).append(name)
        stacks = {
            key: torch.stack([self.params[k].detach().float() for k in names]).contiguous()
            for key, names in self.groups.items()
        }
        self.stacks = {
            "master": stacks,
            "ema": {k: x.clone() for k, x in stacks.items()},
            "m": {k: torch.zeros_like(x) for k, x in stacks.items()},
            "v": {k: torch.zeros_like(x) for k, x in stacks.items() if not k[1]},
        }
        self.master, self.ema, self.m, self.v = (
            {name: x[i] for key, x in self.stacks[kind].items() for i, name in enumerate(self.groups[key])}
            for kind in ("master", "ema", "m", "v")
        )

    def is_matrix(self, name, p):
        return p.ndim >= 2 and not any(e in name for e in self.edges)

    @torch.no_grad()
    def step(self, scale):
        """One step at scale times the learning rates; returns the gradient's norm (a tensor), which is cut at 1. A
        gradient that is not finite changes nothing."""
        self.n += 1
        grads = {key: torch.stack([self.params[k].grad for k in names]).float() for key, names in self.groups.items()}
        norm = torch.stack([g.norm() for g in grads.values()]).norm()
        good = torch.isfinite(norm)
        cut = torch.where(good, (1.0 / (norm + 1e-6)).clamp(max=1.0), 0.0)
        decay = min(self.ema_decay, (1 + self.n) / (10 + self.n))
        for key, g in grads.items():
            w, m, g = self.stacks["master"][key], self.stacks["m"][key], torch.where(good, g * cut, 0.0)
            if not key[1]:
                b1, b2 = 0.9, 0.99
                v = self.stacks["v"][key]
                m.mul_(b1).add_(g, alpha=1 - b1)
                v.mul_(b2).addcmul_(g, g, value=1 - b2)
                root = (v / (1 - b2**self.n)).sqrt_().add_(1e-8)
                w.addcdiv_(m, root, value=-scale * self.lr_other / (1 - b1**self.n))
            else:
                m.mul_(0.95).add_(g, alpha=0.05)
                flat = (g * 0.05 + m * 0.95).flatten(2)
                w.mul_(1 - scale * self.lr_matrix * self.weight_decay)
                size = 0.2 * max(flat.shape[1:]) ** 0.5
                w.add_(orthogonal(flat).view_as(w), alpha=-scale * self.lr_matrix * size)
            self.stacks["ema"][key].lerp_(w, 1 - decay)
        self.write(self.master)
        for p in self.params.values():
            p.grad = None
        return norm

    def write(self, values):
        """Put {name: fp32} into the network."""
        names = list(self.params)
        torch._foreach_copy_([self.params[k] for k in names], [values[k] for k in names])

    @contextmanager
    def averaged(self):
        """Context: the network with its averaged weights."""
        with torch.no_grad():
            self.write(self.ema)
        try:
            yield
        finally:
            with torch.no_grad():
                self.write(self.master)

    def state(self):
        return {"n": self.n, "master": self.master, "ema": self.ema, "m": self.m, "v": self.v}

    @torch.no_grad()
    def load(self, state):
        self.n = state["n"]
        for key in ("master", "ema", "m", "v"):
            for name, value in state[key].items():
                getattr(self, key)[name].copy_(value)
        self.write(self.master)
