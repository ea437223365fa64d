"""Muon for matrices and convolution kernels, AdamW for the rest, on fp32 masters of a possibly bf16 network.

Muon: K. Jordan and others, 2024 (momentum made orthogonal by a Newton-Schulz iteration); the step is scaled to
AdamW's size as in J. Liu and others, "Muon is scalable for LLM training", 2025.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""
from contextlib import contextmanager

import torch

EDGE_NAMES = ("conv_in", "conv_out", "embedding", "quant_conv")  # AdamW serves inputs and outputs better


def orthogonal(g, n_steps=5):
    """Nearest semi-orthogonal matrix, roughly; bf16 is enough for it."""
    x = g.bfloat16()
    flip = x.shape[0] > x.shape[1]
    if flip:
        x = x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(n_steps):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return (x.T if flip else x).float()


class Optimizer:
    def __init__(self, net, lr_matrix, lr_other, weight_decay=0.01, ema_decay=0.996, edges=EDGE_NAMES):
        self.net, self.lr_matrix, self.lr_other = net, lr_matrix, lr_other
        self.weight_decay, self.ema_decay, self.n = weight_decay, ema_decay, 0
        self.edges = edges  # parts of the names of those that AdamW serves
        self.master, self.ema, self.m, self.v = {}, {}, {}, {}
        for name, p in net.named_parameters():
            self.master[name] = p.detach().float().clone()
            self.ema[name] = self.master[name].clone()
            self.m[name] = torch.zeros_like(self.master[name])
            if not self.is_matrix(name, p):
                self.v[name] = torch.zeros_like(self.master[name])

    def is_matrix(self, name, p):
        return p.ndim >= 2 and not any(e in name for e in self.edges)

    @torch.no_grad()
    def step(self, scale):
        """One step at scale times the learning rates; returns the gradient's norm, which is cut at 1."""
        self.n += 1
        params = [(k, p) for k, p in self.net.named_parameters() if p.grad is not None]
        norm = float(torch.stack([p.grad.float().norm() for _, p in params]).norm())
        cut = min(1.0, 1.0 / (norm + 1e-6)) if norm == norm else 0.0
        decay = min(self.ema_decay, (1 + self.n) / (10 + self.n))
        for name, p in params:
            w, m, g = self.master[name], self.m[name], p.grad.float() * cut
            if cut > 0.0:
                if name in self.v:
                    b1, b2 = 0.9, 0.99
                    m.mul_(b1).add_(g, alpha=1 - b1)
                    self.v[name].mul_(b2).addcmul_(g, g, value=1 - b2)
                    root = (self.v[name] / (1 - b2 ** self.n)).sqrt_().add_(1e-8)
                    w.addcdiv_(m, root, value=-scale * self.lr_other / (1 - b1 ** self.n))
                else:
                    m.mul_(0.95).add_(g, alpha=0.05)
                    flat = (g * 0.05 + m * 0.95).flatten(1)
                    w.mul_(1 - scale * self.lr_matrix * self.weight_decay)
                    size = 0.2 * max(flat.shape) ** 0.5
                    w.add_(orthogonal(flat).view_as(w), alpha=-scale * self.lr_matrix * size)
            p.copy_(w)
            p.grad = None
            self.ema[name].lerp_(w, 1 - decay)
        return norm

    @contextmanager
    def averaged(self):
        """Context: the network with its averaged weights."""
        with torch.no_grad():
            for name, p in self.net.named_parameters():
                p.copy_(self.ema[name])
        try:
            yield
        finally:
            with torch.no_grad():
                for name, p in self.net.named_parameters():
                    p.copy_(self.master[name])

    def state(self):
        return {"n": self.n, "master": self.master, "ema": self.ema, "m": self.m, "v": self.v}

    @torch.no_grad()
    def load(self, state):
        self.n = state["n"]
        for key in ("master", "ema", "m", "v"):
            for name, value in state[key].items():
                getattr(self, key)[name].copy_(value)
        for name, p in self.net.named_parameters():
            p.copy_(self.master[name])
