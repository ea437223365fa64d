#!/usr/bin/env python3
"""Makes zimage.json.gz (configurations, tensor names and shapes, cases) and zimage.safetensors (expected outputs) for
zimage.c: Qwen3 as a text encoder and Z-Image, small, by transformers and diffusers in fp32. Weights and inputs come
from hashed.py.

    python tests/parity/make-zimage.py

Made with torch 2.13.0+cpu, diffusers 0.42.1, transformers 5.24.0, safetensors 0.8.0, numpy 2.4.6, gguf 0.19.0.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import pathlib

import gguf
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    ZImageControlNetModel,
    ZImageControlNetPipeline,
    ZImageImg2ImgPipeline,
    ZImageInpaintPipeline,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from transformers import AddedToken, Qwen2Tokenizer, Qwen3Config, Qwen3ForCausalLM

from hashed import config_of, fill, hash_input, hash_ints, hash_weight, nchw, nhwc, picture, write

HERE = pathlib.Path(__file__).parent
torch.set_num_threads(1)
torch.set_grad_enabled(False)
# Sfumato takes the mean of the encoder's distribution: deterministic, and nothing is lost.
DiagonalGaussianDistribution.sample = lambda self, generator=None: self.mode()
models, cases, expected = {}, [], {}


# ---- Qwen3

LLAMA = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def llama_name(name):
    name = (
        name.replace("model.layers.", "blk.")
        .replace("model.embed_tokens.", "token_embd.")
        .replace("model.norm.", "output_norm.")
    )
    for a, b in LLAMA.items():
        name = name.replace(f".{a}.", f".{b}.")
    return name.replace("lm_head.", "output.")


def make_qwen3(key, **config):
    """Heads wider than their share, as in the 4B model; the table of tokens as large as the special tokens need."""
    c = Qwen3Config(
        **{
            "hidden_size": 48,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "intermediate_size": 80,
            "vocab_size": 300,
            "tie_word_embeddings": False,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
        }
        | config
    )
    c._attn_implementation = "eager"
    model = Qwen3ForCausalLM(c)
    tensors = [t for t in fill(model, key) if "rotary" not in t[0]]
    config = {
        k: v for k, v in c.to_dict().items() if v is not None and isinstance(v, (int, float, str, list, bool, dict))
    }
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
models["qwen3-comfy"] = {
    "files": [{"file": "qwen_3_4b.safetensors", "tensors": [t for t in tensors if "lm_head" not in t[0]]}]
}
models["qwen3-llama"] = {
    "files": [{"file": "Qwen3-4B.safetensors", "tensors": [[llama_name(n), *rest] for n, *rest in tensors]}]
}
for key in ("qwen3-comfy", "qwen3-llama"):
    cases.append({**cases[0], "model": key})
# Another base of the positions, heads of 128 as the published models have, one head of keys for all.
wide, tensors, config = make_qwen3(
    "qwen3-wide",
    hidden_size=64,
    head_dim=128,
    num_key_value_heads=1,
    num_hidden_layers=2,
    rms_norm_eps=1e-5,
    rope_parameters={"rope_type": "default", "rope_theta": 5000.0},
)
models["qwen3-wide"] = {"files": [{"folder": "", "config": config, "tensors": tensors}]}
qwen3_case("qwen3-wide", wide, 19, 19, [0, -1])


# ---- GGUF: blocks, metadata, vocabulary

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"]


def small_vocabulary():
    """Bytes in GPT-2's letters, and a few merges."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    merges = [
        ("a", "t"),
        ("\u0120", "a"),
        ("c", "at"),
        ("\u0120", "cat"),
        ("p", "h"),
        ("o", "t"),
        ("ph", "ot"),
        ("phot", "o"),
        ("u", "s"),
    ]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(68)] + [a + b for a, b in merges], merges


def write_gguf(path, model, words, merges):
    """As llama.cpp's converter names things; matrices in blocks, and the model is given what the blocks hold."""
    c = model.config
    w = gguf.GGUFWriter(path, "qwen3")
    w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list(words + SPECIALS + [f"[PAD{i}]" for i in range(c.vocab_size - len(words) - len(SPECIALS))])
    w.add_token_types(
        [gguf.TokenType.NORMAL] * len(words)
        + [gguf.TokenType.CONTROL] * len(SPECIALS)
        + [gguf.TokenType.UNUSED] * (c.vocab_size - len(words) - len(SPECIALS))
    )
    w.add_token_merges([" ".join(m) for m in merges])
    for name, t in model.state_dict().items():
        if "lm_head" in name:
            continue
        kind = (
            gguf.GGMLQuantizationType.F32
            if t.dim() < 2
            else (gguf.GGMLQuantizationType.Q8_0 if "v_proj" in name else gguf.GGMLQuantizationType.Q4_0)
        )
        data = gguf.quants.quantize(t.numpy(), kind)
        t.copy_(torch.from_numpy(gguf.quants.dequantize(data, kind).copy()))
        w.add_tensor(llama_name(name), data, raw_dtype=kind)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


blocks, _, _ = make_qwen3(
    "gguf",
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    head_dim=32,
    intermediate_size=64,
    rms_norm_eps=1e-5,
    rope_parameters={"rope_type": "default", "rope_theta": 5000.0},
)
write_gguf(HERE / "qwen3.gguf", blocks, *small_vocabulary())
qwen3_case("gguf", blocks, 21, 21, [0, -2, -1])


# ---- the transformer


def make_transformer(key, **config):
    model = ZImageTransformer2DModel(
        **{
            "dim": 64,
            "n_layers": 3,
            "n_refiner_layers": 2,
            "n_heads": 2,
            "n_kv_heads": 2,
            "cap_feat_dim": 48,
            "axes_dims": [8, 12, 12],
            "axes_lens": [256, 64, 64],
        }
        | config
    )
    return model, fill(model, key), config_of(model)


def original_name(name):
    """As the original's files have it, and GGUF."""
    for a, b in {
        "all_x_embedder.2-1.": "x_embedder.",
        "all_final_layer.2-1.": "final_layer.",
        ".attention.to_out.0.": ".attention.out.",
        ".attention.norm_q.": ".attention.q_norm.",
        ".attention.norm_k.": ".attention.k_norm.",
    }.items():
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


def transformer_case(key, model, h, w, tokens, timesteps, name=None, control=None):
    """tokens: of each sample's text; timesteps as the samplers count them, from 1000 down; control: key and network."""
    name = name or key
    n = len(tokens)
    more, steered = {}, {}
    x = hash_input(f"{name}/x", (n, h, w, 16))
    text = hash_input(f"{name}/text", (n, max(tokens), model.config.cap_feat_dim))
    seen = (
        [nchw(x)[i].unsqueeze(1) for i in range(n)],
        (1000 - torch.tensor(timesteps)) / 1000,
        [text[i, :t] for i, t in enumerate(tokens)],
    )
    if control:
        latents = nchw(hash_input(f"{name}/control", (1, h, w, 16)))
        latents = torch.cat([latents, torch.zeros(1, control[1].config.control_in_dim - 16, h, w)], 1)
        steered = {
            "controlnet_block_samples": control[1](*seen, [latents[0].unsqueeze(1)] * n, conditioning_scale=0.75)
        }
        more = {"control": control[0]}
    out = model(*seen, return_dict=False, **steered)[0]
    expected[f"{name}/out"] = nhwc(-torch.stack(out).squeeze(2))
    cases.append(
        {
            "name": name,
            "model": key,
            "kind": "transformer",
            "h": h,
            "w": w,
            "tokens": tokens,
            "context": model.config.cap_feat_dim,
            "timesteps": timesteps,
            **more,
        }
    )


def make_control(key, transformer, refiner, channels, places, n_refiners=2):
    """A ControlNet, which borrows the transformer's embedders and refiners."""
    model = ZImageControlNetModel(
        control_layers_places=places,
        control_refiner_layers_places=list(range(n_refiners)),
        control_in_dim=channels,
        add_control_noise_refiner=refiner,
        dim=64,
        n_refiner_layers=n_refiners,
        n_heads=2,
        n_kv_heads=2,
    )
    tensors = fill(model, key)
    return ZImageControlNetModel.from_transformer(model, transformer), tensors


zimage, tensors, config = make_transformer("zimage")
models["zimage"] = {"files": [{"folder": "transformer", "config": config, "tensors": tensors}]}
transformer_case("zimage", zimage, 8, 10, [37], [750.0])
transformer_case(
    "zimage", zimage, 12, 16, [20, 64], [1000.0, 312.5], name="zimage-two"
)  # 48 of 64 tokens; 20 of 32, 64 of 64
# As quantizing programs leave it: the tokens that fill up have lost a dimension.
flat = [
    (
        [name, name, dims[1:], hash_weight(hashed, dims).ravel().tolist()]
        if "pad_token" in name
        else [name, hashed, dims, *rest]
    )
    for name, hashed, dims, *rest in fused(tensors)
]
models["zimage-original"] = {
    "files": [{"file": "z_image_turbo_bf16.safetensors", "tensors": flat + [["norm_final.weight", "x", [64]]]}]
}
cases.append({**cases[-2], "model": "zimage-original"})
# Heads as wide as the published models', from a file that tells nothing beside its tensors; ComfyUI's prefix.
wide, tensors, _ = make_transformer("zimage-wide", dim=256, n_layers=1, n_refiner_layers=1, axes_dims=[32, 48, 48])
models["zimage-wide"] = {
    "files": [{"file": "z_image_turbo.safetensors", "tensors": fused(tensors, "model.diffusion_model.")}]
}
transformer_case("zimage-wide", wide, 6, 4, [9], [500.0])


# Its ControlNet as it was published three times. Those of the second time have refiners that do nothing, and the layers
# refine in their place.
four, tensors, config = make_transformer("zimage-four", n_layers=4)
models["zimage-four"] = {"files": [{"folder": "transformer", "config": config, "tensors": tensors}]}
empty = []
for key, refiner, channels in (
    ("control-2.1", "control_noise_refiner", 33),
    ("control-2.0", "control_layers", 33),
    ("control-1", None, 16),
):
    net, tensors = make_control(key, four, refiner, channels, [0, 2])
    if refiner == "control_noise_refiner":
        empty = [
            [n, "", d, [0.0] * int(np.prod(d))] if "after_proj" in n else [n, h, d]
            for n, h, d in tensors
            if n.startswith("control_noise_refiner.")
        ]
    elif refiner:
        tensors = tensors + empty
    models[key] = {"files": [{"file": f"{key}.safetensors", "tensors": tensors}]}
    transformer_case("zimage-four", four, 8, 10, [20, 37], [750.0, 312.5], name=key, control=(key, net))


# ---- pipelines: one family of small models, as folders and in pieces

SIDE, SEED = 128, 7
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_tokenizer():
    """Bytes, a few merges, the special tokens: the pipeline's tokenizer, and tokenizer.json."""
    words, merges = small_vocabulary()
    vocab = {w: i for i, w in enumerate(words)}
    tokenizer = Qwen2Tokenizer(vocab=vocab, merges=merges)
    tokenizer.add_tokens([AddedToken(s, normalized=False, special=True) for s in SPECIALS])
    tokenizer.pad_token, tokenizer.padding_side, tokenizer.chat_template = SPECIALS[0], "right", TEMPLATE
    added = [{"id": len(words) + i, "content": s, "special": True} for i, s in enumerate(SPECIALS)]
    assert tokenizer.convert_tokens_to_ids(SPECIALS) == [a["id"] for a in added]
    return tokenizer, {
        "json": "tokenizer/tokenizer.json",
        "config": {
            "added_tokens": added,
            "model": {"type": "BPE", "vocab": vocab, "merges": [list(m) for m in merges]},
        },
    }


def make_vae(key):
    model = AutoencoderKL(
        block_out_channels=(32, 32, 32, 64),
        layers_per_block=1,
        latent_channels=16,
        sample_size=64,
        use_quant_conv=False,
        use_post_quant_conv=False,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
    )
    return model, fill(model, key)


def save(name, latents):
    expected[f"{name}/latent"] = latents.numpy()
    x = vae.decode(latents / vae.config.scaling_factor + vae.config.shift_factor).sample / 2 + 0.5
    expected[f"{name}/picture"] = nhwc(F.avg_pool2d(x, 8))


tokenizer, tokenizer_file = make_tokenizer()
# The same vocabulary in three forms: tokenizer.json, GGUF, vocab.json with merges.txt.
for key, where in (("turbo", "tokenizer.json"), ("gguf", "GGUF"), ("words", "vocab.json")):
    for prompt in ("a photo of a cat", "<|im_start|>user\nthus: a  photo\n\n<think>", "d\u00e9j\u00e0 vu 12"):
        cases.append(
            {"name": where, "model": key, "kind": "words", "text": prompt, "tokens": tokenizer(prompt)["input_ids"]}
        )
vocab = {w: i for i, w in enumerate(small_vocabulary()[0])}
models["words"] = {
    "files": [
        models["qwen3"]["files"][0],
        {"json": "vocab.json", "config": vocab},
        {"json": "added_tokens.json", "config": {s: len(vocab) + i for i, s in enumerate(SPECIALS)}},
        {"json": "merges.json", "config": {"merges": [" ".join(m) for m in small_vocabulary()[1]]}},
    ]
}
vae, vae_tensors = make_vae("pipe/vae")
text, text_tensors, text_config = make_qwen3("pipe/text")
transformer, transformer_tensors, transformer_config = make_transformer(
    "pipe/transformer", n_layers=2, n_refiner_layers=1
)
vae_file = {"folder": "vae", "config": config_of(vae), "tensors": vae_tensors}
text_file = {"folder": "text_encoder", "config": text_config, "tensors": text_tensors}
transformer_file = {"folder": "transformer", "config": transformer_config, "tensors": transformer_tensors}
for key, shift in (("turbo", 3.0), ("base", 6.0)):
    flow = {
        "_class_name": "FlowMatchEulerDiscreteScheduler",
        "num_train_timesteps": 1000,
        "shift": shift,
        "use_dynamic_shifting": False,
    }
    models[key] = {
        "files": [
            transformer_file,
            vae_file,
            text_file,
            tokenizer_file,
            {"json": "scheduler/scheduler_config.json", "config": flow},
            {"json": "model_index.json", "config": {"_class_name": "ZImagePipeline"}},
        ]
    }


def build(cls, shift, encoder=text, words=tokenizer, network=transformer):
    pipe = cls(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=shift),
        vae=vae,
        text_encoder=encoder,
        tokenizer=words,
        transformer=network,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def common(**more):
    return {
        "prompt": "a photo of a cat",
        "guidance_scale": 0.0,
        "generator": torch.Generator().manual_seed(SEED),
        "output_type": "latent",
    } | more


drawing = {"num_inference_steps": 9, "width": SIDE, "height": 96}
save("turbo-txt2img", build(ZImagePipeline, 3.0)(**common(**drawing)).images)
save(
    "base-txt2img", build(ZImagePipeline, 6.0)(**common(guidance_scale=4.0, negative_prompt="blurry", **drawing)).images
)
control, tensors = make_control("pipe/control", transformer, None, 16, [0], n_refiners=1)
models["control"] = {"files": [{"file": "control.safetensors", "tensors": tensors}]}
steered = ZImageControlNetPipeline(
    scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    vae=vae,
    text_encoder=text,
    tokenizer=tokenizer,
    transformer=transformer,
    controlnet=control,
)
steered.set_progress_bar_config(disable=True)
save(
    "turbo-control",
    steered(
        control_image=picture("zimage", SIDE, 96) * 2 - 1, controlnet_conditioning_scale=0.75, **common(**drawing)
    ).images,
)
changing = {
    "image": picture("zimage", SIDE, SIDE),
    "num_inference_steps": 8,
    "strength": 0.75,
    "width": SIDE,
    "height": SIDE,
}
save("turbo-img2img", build(ZImageImg2ImgPipeline, 3.0)(**common(**changing)).images)
mask = torch.zeros(1, 1, SIDE, SIDE)
mask[:, :, 32:88, 40:104] = 1  # rows and columns of whole latents
save("turbo-inpaint", build(ZImageInpaintPipeline, 3.0)(mask_image=mask, **common(**changing)).images)


class Steered(torch.nn.Module):
    """The transformer, steered at each pass by what ZImageControlNetInpaintPipeline shows of a hole."""

    def __init__(self, net, picture):
        super().__init__()
        kept = changing["image"] * 2 - 1
        latents = [
            (vae.encode(x).latent_dist.mode() - vae.config.shift_factor) * vae.config.scaling_factor
            for x in (picture, kept * (mask < 0.5))
        ]
        small = F.interpolate(1 - mask, size=latents[0].shape[-2:], mode="nearest")
        latents[0] = latents[0] if picture.abs().sum() else torch.zeros_like(latents[0])
        self.net, self.seen = net, torch.cat([latents[0], small, latents[1]], 1)[0].unsqueeze(1)
        for name in ("config", "in_channels", "dtype", "device"):
            setattr(self, name, getattr(transformer, name))

    def forward(self, x, t, text, **more):
        samples = self.net(x, t, text, [self.seen] * len(x), conditioning_scale=0.75)
        return transformer(x, t, text, controlnet_block_samples=samples, **more)


holes, tensors = make_control("pipe/holes", transformer, "control_noise_refiner", 33, [0], n_refiners=1)
models["holes"] = {"files": [{"file": "holes.safetensors", "tensors": tensors}]}
for name, seen in (
    ("turbo-hole-picture", picture("other", SIDE, SIDE) * 2 - 1),
    ("turbo-hole", torch.zeros(1, 3, SIDE, SIDE)),
):
    pipe = build(ZImageInpaintPipeline, 3.0)
    pipe.transformer = Steered(holes, seen)
    save(name, pipe(mask_image=mask, **common(**changing)).images)

# LoRAs in the original's names (queries, keys and values in one) and in kohya's, merged here by hand.
lora, merged = [], []


def adapt(key, weights, sizes, rank=4):
    """A pair of matrices [sizes[0], rank] and [rank, sizes[1]] for weights one below the other."""
    up, down = hash_weight(f"lora/{key}.up", [sizes[0], rank]), hash_weight(f"lora/{key}.down", [rank, sizes[1]])
    names = (
        ("lora_B.weight", "lora_A.weight")
        if key.startswith("diffusion_model.")
        else ("lora_up.weight", "lora_down.weight")
    )
    lora.extend(
        [
            [f"{key}.{names[0]}", f"lora/{key}.up", [sizes[0], rank]],
            [f"{key}.{names[1]}", f"lora/{key}.down", [rank, sizes[1]]],
        ]
    )
    for i, w in enumerate(weights):
        merged.append((w, w.clone()))
        rows = w.shape[0]
        w += torch.from_numpy(up[i * rows : (i + 1) * rows] @ down)


block = transformer.layers[0].attention
adapt("diffusion_model.layers.0.attention.qkv", [block.to_q.weight, block.to_k.weight, block.to_v.weight], (192, 64))
adapt("diffusion_model.layers.1.attention.out", [transformer.layers[1].attention.to_out[0].weight], (64, 64))
adapt("lora_unet_noise_refiner_0_feed_forward_w1", [transformer.noise_refiner[0].feed_forward.w1.weight], (170, 64))
adapt("lora_unet_context_refiner_0_attention_to_k", [transformer.context_refiner[0].attention.to_k.weight], (64, 64))
models["lora"] = {"files": [{"file": "lora.safetensors", "tensors": lora}]}
save("lora-txt2img", build(ZImagePipeline, 3.0)(**common(**drawing)).images)
for w, was in merged:
    w.copy_(was)

# In pieces, as ComfyUI has them: files that tell nothing beside their tensors, so heads as wide as the published ones',
# and the whole vocabulary.
full, full_tensors, _ = make_qwen3(
    "piece/text",
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    head_dim=8,
    intermediate_size=24,
    vocab_size=151936,
)
lone, lone_tensors, _ = make_transformer(
    "piece/transformer", dim=128, n_heads=1, n_layers=1, n_refiner_layers=1, cap_feat_dim=16, axes_dims=[32, 48, 48]
)
models["piece-transformer"] = {"files": [{"file": "z_image_turbo_bf16.safetensors", "tensors": fused(lone_tensors)}]}
models["piece-vae"] = {"files": [{"file": "ae.safetensors", "tensors": vae_tensors}]}
# Stable Diffusion 3's autoencoder has the same shapes, and another scale.
models["sd3-vae"] = {
    "files": [
        {
            "folder": "",
            "config": config_of(vae) | {"scaling_factor": 1.5305, "shift_factor": 0.0609},
            "tensors": vae_tensors,
        }
    ]
}
models["piece-text"] = {
    "files": [{"file": "qwen_3_4b.safetensors", "tensors": [t for t in full_tensors if "lm_head" not in t[0]]}]
}
# "<|im_start|>user\na photo of a cat<|im_end|>\n<|im_start|>assistant\n" by Qwen's tokenizer.
ids = torch.tensor([[151644, 872, 198, 64, 6548, 315, 264, 8251, 151645, 198, 151644, 77091, 198]])
states = full(ids, output_hidden_states=True).hidden_states[-2]
save(
    "pieces-txt2img",
    build(ZImagePipeline, 3.0, None, None, lone)(**common(prompt=None, prompt_embeds=[states[0]], **drawing)).images,
)

write("zimage", models, cases, expected)
for k, v in expected.items():
    print(f"{k:32} {str(v.shape):20} mean {v.mean():8.4f}  deviation {v.std():8.4f}")
