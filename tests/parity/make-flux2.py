#!/usr/bin/env python3
"""Makes flux2.json.gz (configurations, tensor names and shapes, cases) and flux2.safetensors (expected outputs) for
flux2.c: the networks and pipelines of FLUX.2, small, by diffusers in fp32. Weights and inputs come from hashed.py.

    python tests/parity/make-flux2.py

Made with torch 2.13.0+cpu, diffusers 0.42.1, transformers 5.24.0, safetensors 0.8.0, numpy 2.4.6.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import copy

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from diffusers import (
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinInpaintPipeline,
    Flux2KleinKVPipeline,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
)
from diffusers.models.transformers.transformer_flux2 import Flux2KVAttnProcessor, Flux2KVParallelSelfAttnProcessor
from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu
from PIL import Image
from transformers import Qwen3Config, Qwen3ForCausalLM

from hashed import config_of, fill, hash_input, hash_ints, nchw, nhwc, write

torch.set_num_threads(1)
torch.set_grad_enabled(False)
models, cases, expected = {}, [], {}


# ---- autoencoders


def statistics(model, key, tensors):
    """Running statistics of the packed latents, stored by value: a variance is positive."""
    for kind in ("mean", "var"):
        name = f"bn.running_{kind}"
        k = hash_ints(f"{key}/{name}", model.bn.num_features)
        v = (k / 4096 if kind == "mean" else 1 + k / 2048).astype(np.float16)
        model.state_dict()[name].copy_(torch.from_numpy(v.astype(np.float32)))
        tensors.append([name, name, [len(v)], [float(x) for x in v]])


def pack(model, z):
    n, c, h, w = z.shape
    z = z.view(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, c * 4, h // 2, w // 2)
    return (z - model.bn.running_mean.view(1, -1, 1, 1)) / torch.sqrt(
        model.bn.running_var.view(1, -1, 1, 1) + model.config.batch_norm_eps
    )


def unpack(model, z):
    z = z * torch.sqrt(
        model.bn.running_var.view(1, -1, 1, 1) + model.config.batch_norm_eps
    ) + model.bn.running_mean.view(1, -1, 1, 1)
    n, c, h, w = z.shape
    return z.reshape(n, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n, c // 4, h * 2, w * 2)


def make_vae(key, **config):
    """Widths small, latents as many as FLUX.2's."""
    model = AutoencoderKLFlux2(
        **{"block_out_channels": (32, 32, 64, 64), "layers_per_block": 1, "sample_size": 64} | config
    )
    tensors = [t for t in fill(model, key) if not t[0].startswith("bn.")]
    statistics(model, key, tensors)
    return model, {"folder": "vae", "config": config_of(model), "tensors": tensors}


def bfl_vae(tensors, levels):
    """diffusers' names as FLUX.2's own file has them (and ComfyUI's)."""
    attention = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
    out = []
    for name, *rest in tensors:
        for side, blocks, sampler in (("encoder", "down", "downsample"), ("decoder", "up", "upsample")):
            for i in range(levels):
                level = i if side == "encoder" else levels - 1 - i
                name = name.replace(
                    f"{side}.{blocks}_blocks.{i}.{sampler}rs.0.", f"{side}.{blocks}~.{level}.{sampler}."
                )
                name = name.replace(f"{side}.{blocks}_blocks.{i}.resnets.", f"{side}.{blocks}~.{level}.block.")
        name = name.replace("~", "").replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        name = name.replace("mid_block.resnets.0", "mid.block_1").replace("mid_block.resnets.1", "mid.block_2")
        for a, b in attention.items():
            name = name.replace(f"mid_block.attentions.0.{a}.", f"mid.attn_1.{b}.")
        name = (
            "decoder." + name
            if name.startswith("post_quant")
            else ("encoder." + name if name.startswith("quant") else name)
        )
        out.append([name, *rest])
    return out


def vae_case(key, model, n, h, w, name=None):
    """h, w: packed latents."""
    name = name or key
    x = nchw(hash_input(f"{key}/x", (n, h * 16, w * 16, 3)) / 2)
    z = nchw(hash_input(f"{key}/z", (n, h, w, 128)))
    expected[f"{name}/packed"] = nhwc(pack(model, model.encode(x).latent_dist.mean))
    expected[f"{name}/out"] = nhwc(model.decode(unpack(model, z)).sample)
    cases.append({"name": name, "model": key, "kind": "autoencoder", "n": n, "h": h, "w": w})


vae, file = make_vae("vae")
models["vae"] = {"files": [file]}
vae_case("vae", vae, 2, 3, 2)
# The same weights as FLUX.2's own file, with its names.
models["vae-bfl"] = {"files": [{"file": "ae.safetensors", "tensors": bfl_vae(file["tensors"], 4)}]}
cases.append({"name": "vae", "model": "vae-bfl", "kind": "autoencoder", "n": 2, "h": 3, "w": 2})
# The small decoder beside the whole encoder, in a single file with diffusers' names.
small, file = make_vae("vae-small", decoder_block_out_channels=(32, 32, 32, 96), layers_per_block=2)
models["vae-small"] = {"files": [{"file": "full_encoder_small_decoder.safetensors", "tensors": file["tensors"]}]}
vae_case("vae-small", small, 1, 2, 3)


# ---- TAEF2: github.com/madebyollin/taesd, which diffusers' AutoencoderTiny does not cover


class Block(nn.Module):
    """Three convolutions round which x is added, at the lowest level behind a look at the whole."""

    def __init__(self, c, pool):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(c, c, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(c, c, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(c, c, 3, padding=1),
        )
        if pool:
            self.pool = nn.Sequential(
                nn.Conv2d(c, 4 * c, 1, bias=False),
                nn.GroupNorm(4, 4 * c),
                nn.ReLU(),
                nn.Conv2d(4 * c, c, 1, bias=False),
            )

    def forward(self, x):
        x = x + self.pool(x) if hasattr(self, "pool") else x
        return F.relu(self.conv(x) + x)


def taef2(c=64, z=32):
    def conv(a, b, **more):
        return nn.Conv2d(a, b, 3, padding=1, **more)

    def blocks(n, pool=False):
        return [Block(c, pool) for _ in range(n)]

    def halve():
        return [conv(c, c, stride=2, bias=False)]

    def double():
        return [nn.Upsample(scale_factor=2), conv(c, c, bias=False)]

    tiny = nn.ModuleDict({"encoder": nn.Module(), "decoder": nn.Module()})
    tiny.encoder.layers = nn.Sequential(
        conv(3, c), *blocks(1), *halve(), *blocks(3), *halve(), *blocks(3), *halve(), *blocks(3, True), conv(c, z)
    )
    tiny.decoder.layers = nn.Sequential(
        conv(z, c),
        nn.ReLU(),
        *blocks(3, True),
        *double(),
        *blocks(3),
        *double(),
        *blocks(3),
        *double(),
        *blocks(1),
        conv(c, 3),
    )
    return tiny


tiny = taef2()
models["taef2"] = {"files": [{"file": "taef2.safetensors", "tensors": fill(tiny, "taef2")}]}
x, z = hash_input("taef2/x", (1, 48, 32, 3)) / 2, hash_input("taef2/z", (1, 3, 2, 128))
packed = F.pixel_unshuffle(tiny.encoder.layers(nchw(x) / 2 + 0.5), 2)
expected["taef2/packed"] = nhwc(packed)
expected["taef2/out"] = nhwc(tiny.decoder.layers(torch.tanh(F.pixel_shuffle(nchw(z), 2) / 3) * 3) * 2 - 1)
cases.append({"name": "taef2", "model": "taef2", "kind": "autoencoder", "n": 1, "h": 3, "w": 2})


# ---- transformers


def make_transformer(key, **config):
    model = Flux2Transformer2DModel(
        **{
            "in_channels": 128,
            "num_layers": 2,
            "num_single_layers": 3,
            "attention_head_dim": 32,
            "num_attention_heads": 3,
            "joint_attention_dim": 48,
            "timestep_guidance_channels": 64,
            "axes_dims_rope": (8, 8, 8, 8),
            "guidance_embeds": False,
        }
        | config
    )
    return model, {"folder": "transformer", "config": config_of(model), "tensors": fill(model, key)}


def bfl_transformer(tensors, prefix=""):
    """diffusers' names as FLUX.2's own files have them: q, k, v in one matrix, the last norm's shift before its
    scale."""
    double = {
        "attn.norm_q.weight": "img_attn.norm.query_norm.scale",
        "attn.norm_k.weight": "img_attn.norm.key_norm.scale",
        "attn.to_out.0.weight": "img_attn.proj.weight",
        "ff.linear_in.weight": "img_mlp.0.weight",
        "ff.linear_out.weight": "img_mlp.2.weight",
        "attn.norm_added_q.weight": "txt_attn.norm.query_norm.scale",
        "attn.norm_added_k.weight": "txt_attn.norm.key_norm.scale",
        "attn.to_add_out.weight": "txt_attn.proj.weight",
        "ff_context.linear_in.weight": "txt_mlp.0.weight",
        "ff_context.linear_out.weight": "txt_mlp.2.weight",
    }
    single = {
        "attn.to_qkv_mlp_proj": "linear1",
        "attn.to_out": "linear2",
        "attn.norm_q.weight": "norm.query_norm.scale",
        "attn.norm_k.weight": "norm.key_norm.scale",
    }
    rest = {
        "x_embedder": "img_in",
        "context_embedder": "txt_in",
        "time_guidance_embed.timestep_embedder.linear_1": "time_in.in_layer",
        "time_guidance_embed.timestep_embedder.linear_2": "time_in.out_layer",
        "time_guidance_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
        "time_guidance_embed.guidance_embedder.linear_2": "guidance_in.out_layer",
        "modulation_img.linear": "modulation_img.lin",
        "modulation_txt.linear": "modulation_txt.lin",
        "stream_modulation.linear": "stream_modulation.lin",
        "proj_out": "final_layer.linear",
    }
    fused = {
        "attn.to_q.": ("img_attn.qkv.", 0),
        "attn.to_k.": ("img_attn.qkv.", 1),
        "attn.to_v.": ("img_attn.qkv.", 2),
        "attn.add_q_proj.": ("txt_attn.qkv.", 0),
        "attn.add_k_proj.": ("txt_attn.qkv.", 1),
        "attn.add_v_proj.": ("txt_attn.qkv.", 2),
    }
    out, joined = [], {}
    for name, hashed, dims in tensors:
        table = (
            double if name.startswith("transformer_") else single if name.startswith("single_transformer_") else rest
        )
        name = name.replace("single_transformer_blocks", "single_blocks").replace("transformer_blocks", "double_blocks")
        part = next((k for k in fused if k in name and name.startswith("double_")), None)
        if part:
            joined.setdefault(name.replace(part, fused[part][0]), [None] * 3)[fused[part][1]] = hashed
            size = dims
            continue
        if name == "norm_out.linear.weight":
            out.append([prefix + "final_layer.adaLN_modulation.1.weight", hashed, dims, "swapped"])
            continue
        for a, b in table.items():
            name = name.replace(a, b)
        out.append([prefix + name, hashed, dims])
    for name, parts in joined.items():
        out.append([prefix + name, "|".join(parts), [3 * size[0], size[1]], "joined"])
    return out


def ids(n_text, pictures):
    """pictures: (place, h, w)."""
    text = torch.cartesian_prod(torch.arange(1), torch.arange(1), torch.arange(1), torch.arange(n_text))
    return text, torch.cat(
        [
            torch.cartesian_prod(torch.tensor([t]), torch.arange(h), torch.arange(w), torch.arange(1))
            for t, h, w in pictures
        ]
    )


def tokens(x):
    return x.reshape(x.shape[0], -1, x.shape[-1])


def transformer_case(
    key, model, n, h, w, n_text, references=(), keep=False, guidance=0, name=None, timesteps=(812.5, 250.0), also=()
):
    name = name or f"{key}-{n}x{h}x{w}-{len(references)}" + ("-kept" if keep else "")
    case = {
        "name": name,
        "model": key,
        "kind": "transformer",
        "n": n,
        "h": h,
        "w": w,
        "tokens": n_text,
        "context": model.config.joint_attention_dim,
        "timesteps": list(timesteps[:n]),
        "references": [list(r) for r in references],
        "keep": keep,
        "guidance": guidance,
    }
    c = model.config.in_channels
    x = hash_input(f"{name}/x", (n, h, w, c))
    text = hash_input(f"{name}/text", (n, n_text, model.config.joint_attention_dim))
    refs = [hash_input(f"{name}/reference{i}", (1, *r, c)) for i, r in enumerate(references)]
    all_refs = torch.cat([tokens(r) for r in refs], 1).expand(n, -1, -1) if refs else None
    text_ids, own_ids = ids(n_text, [(0, h, w)])
    ref_ids = ids(1, [(10 * (i + 1), *r) for i, r in enumerate(references)])[1] if refs else None
    t = torch.tensor(case["timesteps"]) / 1000
    more = {"guidance": torch.full((n,), float(guidance))} if guidance else {}
    more |= {"encoder_hidden_states": text, "txt_ids": text_ids, "timestep": t, "return_dict": False}
    if keep:
        # The first pass fills the cache, the second one uses it; both give the same but for rounding.
        _, cache = model(
            hidden_states=torch.cat([all_refs, tokens(x)], 1),
            img_ids=torch.cat([ref_ids, own_ids]),
            kv_cache_mode="extract",
            num_ref_tokens=all_refs.shape[1],
            **more,
        )
        y = model(hidden_states=tokens(x), img_ids=own_ids, kv_cache=cache, kv_cache_mode="cached", **more)[0]
    elif refs:
        y = model(hidden_states=torch.cat([tokens(x), all_refs], 1), img_ids=torch.cat([own_ids, ref_ids]), **more)[0][
            :, : h * w
        ]
    else:
        y = model(hidden_states=tokens(x), img_ids=own_ids, **more)[0]
    expected[f"{name}/out"] = y.reshape(n, h, w, -1).numpy()
    for other in (key, *also):
        cases.append(case | {"model": other})


klein, file = make_transformer("klein")
models["klein"] = {"files": [file]}
models["klein-bfl"] = {"files": [{"file": "flux-2-klein-4b.safetensors", "tensors": bfl_transformer(file["tensors"])}]}
models["klein-comfy"] = {
    "files": [{"file": "klein.safetensors", "tensors": bfl_transformer(file["tensors"], "model.diffusion_model.")}]
}
models["klein-alone"] = {"files": [{"file": "diffusion_pytorch_model.safetensors", "tensors": file["tensors"]}]}
transformer_case("klein", klein, 2, 3, 5, 7, also=("klein-bfl", "klein-comfy", "klein-alone"))


# ---- LoRAs: the same change in the original's fused names and in diffusers'


def small(name, dims, exponent):
    """Values that fp16 holds: small_models.c makes them of the same hash."""
    return torch.from_numpy(
        (hash_ints(name, int(np.prod(dims))) * (2.0**exponent / 1024)).reshape(dims).astype(np.float32)
    )


def lora_file(key, pairs):
    """pairs: module -> (hashed name of A, dims, of B, dims)."""
    tensors = [
        [f"{module}.lora_{side}.weight", hashed, dims, -2, "bare"]
        for module, (a, a_dims, b, b_dims) in pairs.items()
        for side, hashed, dims in (("A", a, a_dims), ("B", b, b_dims))
    ]
    models[key] = {"files": [{"file": f"{key}.safetensors", "tensors": tensors}]}


RANK = 4
changed = {
    "double_blocks.0.img_attn.qkv": [
        "transformer_blocks.0.attn.to_q",
        "transformer_blocks.0.attn.to_k",
        "transformer_blocks.0.attn.to_v",
    ],
    "double_blocks.1.txt_attn.qkv": [
        "transformer_blocks.1.attn.add_q_proj",
        "transformer_blocks.1.attn.add_k_proj",
        "transformer_blocks.1.attn.add_v_proj",
    ],
    "double_blocks.0.img_attn.proj": ["transformer_blocks.0.attn.to_out.0"],
    "double_blocks.0.img_mlp.0": ["transformer_blocks.0.ff.linear_in"],
    "double_blocks.1.txt_mlp.2": ["transformer_blocks.1.ff_context.linear_out"],
    "single_blocks.0.linear1": ["single_transformer_blocks.0.attn.to_qkv_mlp_proj"],
    "single_blocks.2.linear2": ["single_transformer_blocks.2.attn.to_out"],
    "img_in": ["x_embedder"],
    "final_layer.linear": ["proj_out"],
    "double_stream_modulation_img.lin": ["double_stream_modulation_img.linear"],
}
original, fused, separate = copy.deepcopy(klein.state_dict()), {}, {}
for module, names in changed.items():
    weights = [klein.get_submodule(n).weight for n in names]
    out, inner = weights[0].shape[0], weights[0].shape[1]
    a = small(f"lora/{module}.A", [RANK, inner], -2)
    fused[module] = (f"lora/{module}.A", [RANK, inner], f"lora/{module}.B", [out * len(names), RANK])
    change = small(f"lora/{module}.B", [out * len(names), RANK], -2) @ a
    for i, (n, w) in enumerate(zip(names, weights)):
        w += change[i * out : (i + 1) * out]
        if len(names) == 1:
            separate[n] = fused[module]
lora_file("lora-peft", {f"base_model.model.{m}": v for m, v in fused.items()})
lora_file("lora-comfy", {f"diffusion_model.{m}": v for m, v in fused.items()})
# diffusers' spelling of what is one matrix there too.
lora_file(
    "lora-diffusers",
    {f"transformer.{m}": v for m, v in separate.items()}
    | {f"transformer.{m}": v for m, v in fused.items() if "qkv" in m},
)
transformer_case("klein", klein, 1, 3, 4, 5, name="klein-adapted")
cases[-1] |= {"kind": "adapted", "adapters": ["lora-peft", "lora-comfy", "lora-diffusers"]}
klein.load_state_dict(original)

transformer_case("klein", klein, 1, 4, 3, 6, references=[(3, 2)])
transformer_case("klein", klein, 2, 4, 3, 6, references=[(3, 2), (2, 5)])
# The keys and values of references are kept by processors of their own.
for block in klein.transformer_blocks:
    block.attn.set_processor(Flux2KVAttnProcessor())
for block in klein.single_transformer_blocks:
    block.attn.set_processor(Flux2KVParallelSelfAttnProcessor())
transformer_case("klein", klein, 2, 4, 3, 6, references=[(3, 2), (2, 5)], keep=True)
dev, file = make_transformer("dev", guidance_embeds=True, num_layers=1, num_single_layers=1, in_channels=16)
models["dev"] = {"files": [file]}
models["dev-bfl"] = {"files": [{"file": "flux2-dev.safetensors", "tensors": bfl_transformer(file["tensors"])}]}
transformer_case("dev", dev, 1, 3, 3, 4, guidance=2.5, also=("dev-bfl",))


# ---- the schedule

for n_pixels, steps in ((24, 4), (1024, 4), (4096, 4), (4096, 50), (4300, 8), (8100, 20)):
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True)
    scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=compute_empirical_mu(n_pixels, steps))
    cases.append(
        {
            "name": f"{n_pixels}-{steps}",
            "model": "",
            "kind": "schedule",
            "pixels": n_pixels,
            "steps": steps,
            "sigmas": scheduler.sigmas.tolist(),
        }
    )


# ---- pipelines: one family of small models, as a folder

STEPS, SIZE = 4, (144, 128)
# "<|im_start|>user\n...<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n" by Qwen's tokenizer.
HEAD, TAIL = [151644, 872, 198], [151645, 198, 151644, 77091, 198, 151667, 271, 151668, 271]
PROMPTS = {"a photo of a cat": [64, 6548, 315, 264, 8251], "": []}


def picture(name, w, h):
    """pictures() of flux2.c: 8 x 8 values of 8 bits in nearest-neighbor cells."""
    k = ((hash_ints(name, 8 * 8 * 3) + 1024) // 8).reshape(8, 8, 3)
    y, x = np.arange(h) * 8 // h, np.arange(w) * 8 // w
    return Image.fromarray(k[y][:, x].astype(np.uint8))


def make_text(key):
    config = Qwen3Config(
        hidden_size=16,
        num_hidden_layers=28,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        intermediate_size=24,
        vocab_size=151936,
        tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
    )
    config._attn_implementation = "eager"
    model = Qwen3ForCausalLM(config)
    tensors = [t for t in fill(model, key) if "rotary" not in t[0] and "lm_head" not in t[0]]
    words = {
        k: v
        for k, v in config.to_dict().items()
        if v is not None and isinstance(v, (int, float, str, list, bool, dict))
    }
    return model, {
        "folder": "text_encoder",
        "config": words | {"architectures": ["Qwen3ForCausalLM"]},
        "tensors": tensors,
    }


def embed(model, prompt):
    ids = HEAD + PROMPTS[prompt] + TAIL
    mask = [1] * len(ids) + [0] * (512 - len(ids))
    ids = ids + [151643] * (512 - len(ids))
    states = model(torch.tensor([ids]), attention_mask=torch.tensor([mask]), output_hidden_states=True).hidden_states
    return torch.cat([states[i] for i in (9, 18, 27)], dim=-1)


def save(name, z, model):
    """z: the pipeline's latents, not packed; pictures as means of blocks."""
    expected[f"{name}/latent"] = pack(model, z).numpy()
    x = (model.decode(z).sample / 2 + 0.5).clamp(-4, 4)
    expected[f"{name}/picture"] = nhwc(F.avg_pool2d(x, 8))


w, h = SIZE
text, text_file = make_text("pipe/text")
vae, vae_file = make_vae("pipe/vae")
transformer, transformer_file = make_transformer("pipe/transformer", num_layers=1, num_single_layers=2)
flow = {
    "_class_name": "FlowMatchEulerDiscreteScheduler",
    "num_train_timesteps": 1000,
    "shift": 3.0,
    "use_dynamic_shifting": True,
}
files = [transformer_file, vae_file, text_file, {"json": "scheduler/scheduler_config.json", "config": flow}]
for key, distilled in (("pipe", True), ("pipe-base", False)):
    models[key] = {
        "files": files
        + [{"json": "model_index.json", "config": {"_class_name": "Flux2KleinPipeline", "is_distilled": distilled}}]
    }
# All in one file, as ComfyUI saves a checkpoint.
models["pipe-whole"] = {
    "files": [
        {
            "file": "klein-checkpoint.safetensors",
            "tensors": (
                bfl_transformer(transformer_file["tensors"], "model.diffusion_model.")
                + [[f"vae.{name}", *rest] for name, *rest in bfl_vae(vae_file["tensors"], 4)]
                + [
                    ["text_encoders.qwen3_4b.transformer.model." + name.removeprefix("model."), *rest]
                    for name, *rest in text_file["tensors"]
                ]
            ),
        }
    ]
}
embeds, nothing = embed(text, "a photo of a cat"), embed(text, "")


def build(cls, **more):
    pipe = cls(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=vae,
        text_encoder=None,
        tokenizer=None,
        transformer=transformer,
        **more,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def noise(w, h):
    return nchw(hash_input("pipe/noise", (1, h // 16, w // 16, 128)))


common = {
    "prompt_embeds": embeds,
    "num_inference_steps": STEPS,
    "latents": noise(w, h),
    "width": w,
    "height": h,
    "output_type": "latent",
}
klein = build(Flux2KleinPipeline, is_distilled=True)
save("pipe-txt2img", klein(guidance_scale=1.0, **common).images, vae)
base = build(Flux2KleinPipeline, is_distilled=False)
save("pipe-guided", base(guidance_scale=4.0, negative_prompt_embeds=nothing, **common).images, vae)
save("pipe-edit", klein(image=picture("pipe", w, h), guidance_scale=1.0, **common).images, vae)
save(
    "pipe-two-references",
    klein(image=[picture("pipe", w, h), picture("other", 64, 80)], guidance_scale=1.0, **common).images,
    vae,
)
mask = np.zeros((h, w), np.uint8)
mask[32:96, 48:112] = 255
inpaint = build(Flux2KleinInpaintPipeline, is_distilled=True)
save(
    "pipe-inpaint",
    inpaint(
        image=picture("pipe", w, h), mask_image=Image.fromarray(mask), strength=1.0, guidance_scale=1.0, **common
    ).images,
    vae,
)
# As objects are erased: a LoRA in its publishers' spelling, an embedding in place of the prompt, the mask as a second
# reference.
original, pairs = copy.deepcopy(transformer.state_dict()), {}
for module, names in {
    "double_blocks.0.img_attn.proj": ["transformer_blocks.0.attn.to_out.0"],
    "double_blocks.0.txt_attn.qkv": [f"transformer_blocks.0.attn.add_{c}_proj" for c in "qkv"],
    "single_blocks.1.linear1": ["single_transformer_blocks.1.attn.to_qkv_mlp_proj"],
}.items():
    weights = [transformer.get_submodule(n).weight for n in names]
    out, inner = weights[0].shape
    key = f"base_model.model.{module}"
    pairs[key] = (f"erase/{module}.A", [RANK, inner], f"erase/{module}.B", [out * len(names), RANK])
    change = small(f"erase/{module}.B", [out * len(names), RANK], -2) @ small(f"erase/{module}.A", [RANK, inner], -2)
    for i, weight in enumerate(weights):
        weight += change[i * out : (i + 1) * out]
lora_file("erase", pairs)
erasing = common | {"prompt_embeds": hash_input("hidden_states", (1, 512, embeds.shape[-1])) * 0.25}
save(
    "pipe-erase",
    inpaint(
        image=picture("pipe", w, h),
        image_reference=Image.fromarray(mask).convert("RGB"),
        mask_image=Image.fromarray(mask),
        strength=1.0,
        guidance_scale=1.0,
        **erasing,
    ).images,
    vae,
)
transformer.load_state_dict(original)
# Changes the transformer's processors: last.
kept = build(Flux2KleinKVPipeline)
save("pipe-kept", kept(image=[picture("pipe", w, h), picture("other", 64, 80)], **common).images, vae)

write("flux2", models, cases, expected)
for k, v in expected.items():
    print(f"{k:32} {str(v.shape):20} mean {v.mean():8.4f}  deviation {v.std():8.4f}")
