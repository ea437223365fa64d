#!/usr/bin/env python3
"""Writes tests/unit/quant/*: quantized files made by other programs, each with the values that they hold as further
tensors.

    python tests/unit/make-quant.py        (gguf 0.19.0, numpy 2.4.6, torch 2.13.0, safetensors 0.8.0)

blocks.gguf       for each block type Q a tensor `Q` of random blocks and `Q.values` (F32), what gguf.quants makes of
them; `source` (F32) and,
                  for each type that gguf can make, `source.Q`; a flattened convolution; metadata of every type
fp8-old.safetensors, fp8-new.safetensors, fp8-metadata.safetensors, int8.safetensors
                  layers `X.weight` in one spelling of scales a file, and `X.values` (F32), what PyTorch makes of them

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import json
import pathlib

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as T
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).with_name("quant")
OUT.mkdir(exist_ok=True)
rng = np.random.default_rng(7)
# where a block's halves stand
HALVES = {
    "Q4_0": [0],
    "Q4_1": [0, 2],
    "Q5_0": [0],
    "Q5_1": [0, 2],
    "Q8_0": [0],
    "Q2_K": [80, 82],
    "Q3_K": [108],
    "Q4_K": [0, 2],
    "Q5_K": [0, 2],
    "Q6_K": [208],
    "IQ4_NL": [0],
    "IQ4_XS": [0],
}


def blocks():
    w = gguf.GGUFWriter(None, arch="sd1")
    for name, at in HALVES.items():
        values, size = gguf.GGML_QUANT_SIZES[T[name]]
        n = 512 // values
        b = rng.integers(0, 256, (n, size), dtype=np.uint8)
        for a in at:  # finite, some of them subnormal
            h = (rng.standard_normal(n) * 10.0 ** rng.uniform(-7, 1, n)).astype(np.float16)
            b[:, a : a + 2] = h.view(np.uint8).reshape(n, 2)
        b = b.reshape(2, -1)
        w.add_tensor(name, b, raw_dtype=T[name])
        w.add_tensor(name + ".values", gguf.quants.dequantize(b, T[name]).astype(np.float32))
    source = (rng.standard_normal((4, 64)) * 10.0 ** rng.uniform(-6, 3, (4, 1))).astype(np.float32)
    source[0, :32] = 0
    source[1, 0:32] = np.arange(-16, 16) / 2  # halves: where rounding is decided
    source[1, 32] = -source[1].max()
    w.add_tensor("source", source)
    for name in ("BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"):
        w.add_tensor("source." + name, gguf.quants.quantize(source, T[name]), raw_dtype=T[name])
    w.add_tensor("source.F16", np.clip(source, -65504, 65504).astype(np.float16))
    conv = rng.standard_normal((32, 4, 2, 2)).astype(np.float32)
    flat = gguf.quants.quantize(conv.reshape(-1, 256), T.Q8_0)
    w.add_tensor("conv", flat, raw_dtype=T.Q8_0)
    w.add_tensor("conv.values", gguf.quants.dequantize(flat, T.Q8_0).reshape(conv.shape))
    w.add_array("comfy.gguf.orig_shape.conv", list(conv.shape))
    w.add_tensor("eye", np.eye(4, dtype=np.float64))
    w.add_uint8("test.u8", 200)
    w.add_int8("test.i8", -3)
    w.add_uint16("test.u16", 65000)
    w.add_int16("test.i16", -300)
    w.add_uint32("test.u32", 4000000000)
    w.add_int32("test.i32", -70000)
    w.add_uint64("test.u64", 1 << 40)
    w.add_int64("test.i64", -(1 << 40))
    w.add_float32("test.f32", 0.5)
    w.add_float64("test.f64", -0.25)
    w.add_bool("test.bool", True)
    w.add_string("test.text", "Sfumato \u00e4")
    w.add_array("test.words", ["a", "", "bc"])
    w.add_array("test.nested", [[1, 2], [3]])
    w.write_header_to_file(OUT / "blocks.gguf")
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def layer(out, wide, dtype, per_row, rotation=0):
    """The quantized weight, its scale, and the values."""
    v = torch.randn(out, wide) * torch.linspace(0.01, 3, out)[:, None]
    if rotation:
        h4 = torch.tensor([[1, 1, 1, -1], [1, 1, -1, 1], [1, -1, 1, 1], [-1, 1, 1, 1]], dtype=torch.float64) / 2
        h = torch.ones(1, 1, dtype=torch.float64)
        while h.shape[0] < rotation:
            h = torch.kron(h, h4)
        v = (v.double().reshape(out, -1, rotation) @ h).reshape(out, wide).float()
    most = 127 if dtype == torch.int8 else torch.finfo(dtype).max
    scale = (v.abs().amax(1, keepdim=True) if per_row else v.abs().amax()) / most
    q = (v / scale).round().clamp(-127, 127).to(dtype) if dtype == torch.int8 else (v / scale).to(dtype)
    values = q.float() * scale
    if rotation:
        values = (values.double().reshape(out, -1, rotation) @ h).reshape(out, wide).float()
    return q, scale.float(), values.contiguous()


def scaled():
    e4, e5 = torch.float8_e4m3fn, torch.float8_e5m2
    old, new, meta, whole = {}, {}, {}, {}
    old["scaled_fp8"] = torch.zeros(2, dtype=e4)
    formats = {}
    for name, dtype, per_row in (("a", e4, False), ("b.c", e4, True), ("d", e5, False)):
        q, s, v = layer(6, 40, dtype, per_row)
        old |= {
            name + ".weight": q,
            name + ".scale_weight": s if per_row else s.reshape(()),
            name + ".scale_input": torch.ones(()),
            name + ".values": v,
        }
        new |= {
            name + ".weight": q,
            name + ".weight_scale": s.to(torch.bfloat16) if name == "d" else s if per_row else s.reshape(1),
            name + ".input_scale": torch.ones(()),
            name + ".values": v if name != "d" else q.float() * s.to(torch.bfloat16).float(),
        }
        formats[name] = {"format": "float8_e4m3fn" if dtype == e4 else "float8_e5m2"}
        new[name + ".comfy_quant"] = torch.tensor(list(json.dumps(formats[name]).encode()), dtype=torch.uint8)
        meta |= {name + ".weight": q, name + ".weight_scale": s if per_row else s.reshape(()), name + ".values": v}
    old["plain.weight"] = torch.randn(3, 5).to(e5)  # without a scale: as it stands
    old["plain.values"] = old["plain.weight"].float()
    for name, wide, per_row, rotation in (
        ("row", 40, True, 0),
        ("one", 40, False, 0),
        ("rot256", 512, True, 256),
        ("rot64", 128, True, 64),
        ("rot4", 20, True, 4),
    ):
        q, s, v = layer(6, wide, torch.int8, per_row, rotation)
        f = {"format": "int8_tensorwise"} | (
            {"convrot": True, "convrot_groupsize": rotation} if rotation else {"per_row": True}
        )
        whole |= {
            name + ".weight": q,
            name + ".weight_scale": s if per_row else s.reshape(()),
            name + ".values": v,
            name + ".comfy_quant": torch.tensor(list(json.dumps(f).encode()), dtype=torch.uint8),
        }
    whole["half.weight"] = torch.randn(3, 4).half()  # mixed with what is not quantized
    whole["half.values"] = whole["half.weight"].float()
    save_file(old, OUT / "fp8-old.safetensors")
    save_file(new, OUT / "fp8-new.safetensors")
    save_file(
        meta,
        OUT / "fp8-metadata.safetensors",
        metadata={"_quantization_metadata": json.dumps({"format_version": "1.0", "layers": formats})},
    )
    save_file(whole, OUT / "int8.safetensors")


torch.manual_seed(7)
blocks()
scaled()
