"""Small networks of spandrel's (PyPI, MIT and others), which the upscalers are compared with, and their weights from a
hash.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import importlib.abc
import importlib.machinery
import sys
import types

import numpy as np
import torch

from hashed import hash_weight


class Stub(types.ModuleType):
    """spandrel imports torchvision for networks that are not made here."""

    def __getattr__(self, name):
        return type(name, (), {}) if not name.startswith("__") else super().__getattribute__(name)


class StubFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        return (
            importlib.machinery.ModuleSpec(name, self, is_package=True) if name.split(".")[0] == "torchvision" else None
        )

    def create_module(self, spec):
        return Stub(spec.name)

    def exec_module(self, module):
        module.__path__ = []


sys.meta_path.append(StubFinder())

from spandrel.architectures.DAT import DAT  # noqa: E402
from spandrel.architectures.OmniSR import OmniSR  # noqa: E402
from spandrel.architectures.PLKSR import PLKSR, RealPLKSR  # noqa: E402
from spandrel.architectures.SPAN import SPAN  # noqa: E402
from spandrel_extra_arches.architectures.SRFormer import SRFormer  # noqa: E402


def span(f, scale, norm=True, channels=3):
    return SPAN(num_in_ch=channels, num_out_ch=channels, feature_channels=f, upscale=scale, norm=norm)


def span_fused(f, scale):
    """With the convolutions for use as the file has them, not made anew from those for training."""
    net = span(f, scale)
    for m in net.modules():
        if hasattr(m, "update_params"):
            m.update_params = lambda: None
    return net


def plksr(f, blocks, scale, kernel, **more):
    return PLKSR(dim=f, n_blocks=blocks, upscaling_factor=scale, kernel_size=kernel, **more)


def real_plksr(f, blocks, scale, kernel, **more):
    return RealPLKSR(dim=f, n_blocks=blocks, upscaling_factor=scale, kernel_size=kernel, **more)


def omnisr(f, blocks, groups, scale, window=8, channels=3, **more):
    return OmniSR(
        num_in_ch=channels,
        num_out_ch=channels,
        num_feat=f,
        block_num=blocks,
        res_num=groups,
        up_scale=scale,
        window_size=window,
        **more,
    )


def dat(f, split, depth, heads, scale, size=16, **more):
    return DAT(
        img_size=size,
        embed_dim=f,
        split_size=split,
        depth=depth,
        num_heads=heads,
        upscale=scale,
        expansion_factor=2.0,
        **more,
    )


def srformer(f, window, depths, heads, scale, size, **more):
    return SRFormer(
        img_size=size,
        embed_dim=f,
        window_size=window,
        depths=depths,
        num_heads=heads,
        upscale=scale,
        mlp_ratio=2.0,
        **more,
    )


def fill_spandrel(net, key):
    """Gives the network its weights; returns [name in the file, name that is hashed, dims] and, where the file must
    hold certain numbers, those; or the power of two that the hashed values are multiplied by."""
    tensors = []
    with torch.no_grad():
        for name, t in net.state_dict().items():
            dims, hashed = list(t.shape), f"{key}/{name}"
            if name.endswith(("_index", "attn_mask", "attn_mask_0", "attn_mask_1", "num_batches_tracked", "no_norm")):
                tensors.append([name, hashed, dims])
                continue
            if name.endswith("rpe_biases"):
                tensors.append([name, hashed, dims, t.flatten().tolist()])
                continue
            if name.endswith("running_var"):  # about 1, as norms' scales are
                hashed += ".weight"
            # SPAN sees values up to 255: its gates would do the same with almost all of them, and tell rounding errors
            # from nothing.
            shift = -8 if name.startswith("conv_1.") and getattr(net, "is_norm", False) else 0
            v = hash_weight(hashed, dims) * 2.0**shift
            assert np.array_equal(v.astype(np.float16).astype(np.float32), v), name
            t.copy_(torch.from_numpy(v))
            tensors.append([name, hashed, dims] + ([shift] if shift else []))
    net.eval()
    return tensors
