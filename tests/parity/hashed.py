"""Weights and inputs that Python and the C tests make alike from a hash, so that only results need storing
(small_models.c has the same).

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import json
import math

import numpy as np
import torch


def hash_ints(name, n):
    """n integers from -1024 to 1023: FNV-1a of the name, then a finaliser over a Weyl sequence (nets.c has the
    same)."""
    seed = np.uint32(2166136261)
    with np.errstate(over="ignore"):
        for b in name.encode():
            seed = np.uint32((int(seed) ^ b) * 16777619 & 0xFFFFFFFF)
        x = seed + np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B9)
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x7FEB352D)
        x ^= x >> np.uint32(15)
        x *= np.uint32(0x846CA68B)
        x ^= x >> np.uint32(16)
    return (x >> np.uint32(21)).astype(np.int64) - 1024


def hash_weight(name, dims):
    """Matrices and kernels: variance about 1 / fan-in; tables 1/2 at most; scales of norms about 1; biases up to
    1/8."""
    k = hash_ints(name, math.prod(dims))
    if len(dims) >= 2:
        fan_in = math.prod(dims[1:])
        exponent = -1 if "embed" in "".join(name.split(".")[-2:-1]) else round(math.log2(math.sqrt(3 / fan_in)))
        v = k * 2.0 ** (exponent - 10)
    elif name.endswith(".weight"):
        v = 1 + (k >> 2) / 1024
    else:
        v = k / 8192
    return v.reshape(dims).astype(np.float32)


def hash_input(name, dims):
    """Uniform from -2 to 2, as the networks see [n, h, w, c]."""
    return torch.from_numpy((hash_ints(name, math.prod(dims)) / 512).reshape(dims).astype(np.float32))


def fill(model, key):
    """Gives the model its weights; returns [name in the file, name that is hashed, dims]."""
    tensors = []
    with torch.no_grad():
        for name, t in model.state_dict().items():
            if name.endswith("position_ids"):
                continue
            dims = list(t.shape)
            tensors.append([name, f"{key}/{name}", dims])
            v = hash_weight(f"{key}/{name}", dims)
            assert np.array_equal(v.astype(np.float16).astype(np.float32), v), name
            t.copy_(torch.from_numpy(v))
    model.eval()
    return tensors


def config_of(model):
    c = model.config.to_dict() if hasattr(model.config, "to_dict") else json.loads(model.to_json_string())
    return {k: v for k, v in c.items() if v is not None and isinstance(v, (int, float, str, list, bool))} | {
        "_class_name": type(model).__name__
    }


def nchw(x):
    return x.permute(0, 3, 1, 2).contiguous()


def nhwc(x):
    return x.permute(0, 2, 3, 1).contiguous().numpy()
