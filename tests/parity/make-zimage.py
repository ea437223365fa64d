#!/usr/bin/env python3
"""Makes zimage.json.gz (configurations, tensor names and shapes, cases) and zimage.safetensors (expected outputs) for zimage.c: Qwen3 as a
text encoder and Z-Image, small, by transformers and diffusers in fp32. Weights and inputs come from hashed.py.

    python tests/parity/make-zimage.py

Made with torch 2.13.0+cpu, diffusers 0.42.1, transformers 5.24.0, safetensors 0.8.0, numpy 2.4.6.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""
import gzip
import json
import pathlib

import numpy as np
import torch
from diffusers import ZImageTransformer2DModel
from safetensors.numpy import save_file
from transformers import Qwen3Config, Qwen3ForCausalLM

from hashed import config_of, fill, hash_input, hash_ints, nchw, nhwc

HERE = pathlib.Path(__file__).parent
torch.set_num_threads(1)
torch.set_grad_enabled(False)
models, cases, expected = {}, [], {}


# ---- Qwen3

LLAMA = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
         "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def llama_name(name):
    name = name.replace("model.layers.", "blk.").replace("model.embed_tokens.", "token_embd.").replace("model.norm.", "output_norm.")
    for a, b in LLAMA.items():
        name = name.replace(f".{a}.", f".{b}.")
    return name.replace("lm_head.", "output.")


def make_qwen3(key, **config):
    """Heads wider than their share, as in the 4B model; the table of tokens as large as the special tokens need."""
    c = Qwen3Config(**{"hidden_size": 48, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
                       "intermediate_size": 80, "vocab_size": 300, "tie_word_embeddings": False,
                       "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}} | config)
    c._attn_implementation = "eager"
    model = Qwen3ForCausalLM(c)
    tensors = [t for t in fill(model, key) if "rotary" not in t[0]]
    config = {k: v for k, v in c.to_dict().items() if v is not None and isinstance(v, (int, float, str, list, bool, dict))}
    config |= {"architectures": ["Qwen3ForCausalLM"]}
    return model, tensors, config


def tokens_of(name, n, vocab):
    return [int(k) % vocab for k in hash_ints(name, n)]


def qwen3_case(key, model, n, seen, layers, name=None):
    """n tokens, of which those behind the first `seen` are padding."""
    name = name or key
    tokens = tokens_of(f"{name}/tokens", n, model.config.vocab_size)
    mask = torch.tensor([[1] * seen + [0] * (n - seen)])
    states = model(torch.tensor([tokens]), attention_mask=mask, output_hidden_states=True).hidden_states
    expected[f"{name}/out"] = torch.cat([states[i] for i in layers], dim=-1).numpy()
    cases.append({"name": name, "model": key, "kind": "text", "tokens": tokens, "seen": seen, "layers": layers})


qwen, tensors, config = make_qwen3("qwen3")
models["qwen3"] = {"files": [{"folder": "", "config": config, "tensors": tensors}]}
qwen3_case("qwen3", qwen, 37, 37, [-2])
qwen3_case("qwen3", qwen, 40, 23, [1, 2, 4], name="qwen3-padded")
models["qwen3-comfy"] = {"files": [{"file": "qwen_3_4b.safetensors", "tensors": [t for t in tensors if "lm_head" not in t[0]]}]}
models["qwen3-llama"] = {"files": [{"file": "Qwen3-4B.safetensors", "tensors": [[llama_name(n), *rest] for n, *rest in tensors]}]}
for key in ("qwen3-comfy", "qwen3-llama"):
    cases.append({**cases[0], "model": key})
# Another base of the positions, heads of 128 as the published models have, one head of keys for all.
wide, tensors, config = make_qwen3("qwen3-wide", hidden_size=64, head_dim=128, num_key_value_heads=1, num_hidden_layers=2, rms_norm_eps=1e-5,
                                   rope_parameters={"rope_type": "default", "rope_theta": 5000.0})
models["qwen3-wide"] = {"files": [{"folder": "", "config": config, "tensors": tensors}]}
qwen3_case("qwen3-wide", wide, 19, 19, [0, -1])


# ---- the transformer

def make_transformer(key, **config):
    model = ZImageTransformer2DModel(**{"dim": 64, "n_layers": 3, "n_refiner_layers": 2, "n_heads": 2, "n_kv_heads": 2, "cap_feat_dim": 48,
                                        "axes_dims": [8, 12, 12], "axes_lens": [256, 64, 64]} | config)
    return model, fill(model, key), config_of(model)


def original_name(name):
    """As the original's files have it, and GGUF."""
    for a, b in {"all_x_embedder.2-1.": "x_embedder.", "all_final_layer.2-1.": "final_layer.", ".attention.to_out.0.": ".attention.out.",
                 ".attention.norm_q.": ".attention.q_norm.", ".attention.norm_k.": ".attention.k_norm."}.items():
        name = name.replace(a, b)
    return name


def fused(tensors, prefix=""):
    """One matrix for queries, keys and values: the values of three that follow each other."""
    out = []
    for name, hashed, dims, *rest in tensors:
        if ".attention.to_q." in name:
            parts = "|".join(hashed.replace("to_q", part) for part in ("to_q", "to_k", "to_v"))
            out.append([prefix + name.replace("to_q", "qkv"), parts, [3 * dims[0], *dims[1:]], "joined"])
        elif ".attention.to_k." not in name and ".attention.to_v." not in name:
            out.append([prefix + original_name(name), hashed, dims, *rest])
    return out


def transformer_case(key, model, h, w, tokens, timesteps, name=None):
    """tokens: of each sample's text; timesteps as the samplers count them, from 1000 down."""
    name = name or key
    n = len(tokens)
    x = hash_input(f"{name}/x", (n, h, w, 16))
    text = hash_input(f"{name}/text", (n, max(tokens), model.config.cap_feat_dim))
    out = model([nchw(x)[i].unsqueeze(1) for i in range(n)], (1000 - torch.tensor(timesteps)) / 1000, [text[i, :t] for i, t in enumerate(tokens)],
                return_dict=False)[0]
    expected[f"{name}/out"] = nhwc(-torch.stack(out).squeeze(2))
    cases.append({"name": name, "model": key, "kind": "transformer", "h": h, "w": w, "tokens": tokens, "context": model.config.cap_feat_dim,
                  "timesteps": timesteps})


zimage, tensors, config = make_transformer("zimage")
models["zimage"] = {"files": [{"folder": "transformer", "config": config, "tensors": tensors}]}
transformer_case("zimage", zimage, 8, 10, [37], [750.0])
transformer_case("zimage", zimage, 12, 16, [20, 64], [1000.0, 312.5], name="zimage-two")  # 48 of 64 tokens; 20 of 32, 64 of 64
models["zimage-original"] = {"files": [{"file": "z_image_turbo_bf16.safetensors", "tensors": fused(tensors) + [["norm_final.weight", "x", [64]]]}]}
cases.append({**cases[-2], "model": "zimage-original"})
# Heads as wide as the published models', from a file that tells nothing beside its tensors; ComfyUI's prefix.
wide, tensors, _ = make_transformer("zimage-wide", dim=256, n_layers=1, n_refiner_layers=1, axes_dims=[32, 48, 48])
models["zimage-wide"] = {"files": [{"file": "z_image_turbo.safetensors", "tensors": fused(tensors, "model.diffusion_model.")}]}
transformer_case("zimage-wide", wide, 6, 4, [9], [500.0])

with open(HERE / "zimage.json.gz", "wb") as f, gzip.GzipFile(fileobj=f, mode="wb", mtime=0, filename="") as g:
    g.write(json.dumps({"models": models, "cases": cases}).encode())
save_file({k: np.ascontiguousarray(v, dtype=np.float32) for k, v in expected.items()}, HERE / "zimage.safetensors")
for k, v in expected.items():
    print(f"{k:32} {str(v.shape):20} mean {v.mean():8.4f}  deviation {v.std():8.4f}")
