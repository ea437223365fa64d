"""Weights and inputs that Python and the C tests make alike from a hash, so that only results need storing
(small_models.c has the same).

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import gzip
import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file


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


def picture_bytes(name, w, h):
    """[1, 3, h, w] values from 0 to 255 in 8 x 8 cells (parity_picture() has the same), soft enough to look like
    something."""
    k = (hash_ints(name, 8 * 8 * 3) + 1024) // 8
    small = torch.from_numpy(k.reshape(1, 8, 8, 3).astype(np.float32)).permute(0, 3, 1, 2)
    return torch.floor(F.interpolate(small, (h, w), mode="nearest"))


def picture(name, w, h):
    """[1, 3, h, w] in 0..1 from 8-bit values."""
    return picture_bytes(name, w, h) / 255


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


def write(name, models, cases, expected):
    """Writes NAME.json.gz and NAME.safetensors beside this file."""
    here = pathlib.Path(__file__).parent
    with (
        open(here / f"{name}.json.gz", "wb") as f,
        gzip.GzipFile(fileobj=f, mode="wb", mtime=0, filename="") as g,
    ):
        g.write(json.dumps({"models": models, "cases": cases}).encode())
    values = {k: np.ascontiguousarray(v, dtype=np.float32) for k, v in expected.items()}
    save_file(values, here / f"{name}.safetensors")
