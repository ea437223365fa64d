#!/usr/bin/env python3
"""Makes ip-adapter.json.gz (small models, by configuration, tensor names and shapes), ip-adapter.safetensors (what they
give) and ip-adapter.bin (a nested pickle) for ip-adapter.c: CLIP's image encoder and image processor of transformers,
IP-Adapters of diffusers in fp32, alone, in UNets and in whole pipelines of 10 steps. Weights and pictures come from
hashed.py.

    python tests/parity/make-ip-adapter.py        (torch 2.13.0, diffusers 0.42.1, transformers 5.24.0, safetensors,
    pillow 11.3.0:
                                                       13 scales some pictures down first, then across)

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import pathlib
import re

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.image_processor import IPAdapterMaskProcessor
from PIL import Image
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from hashed import config_of, fill, hash_input, hash_ints, hash_weight, nchw, nhwc, picture_bytes, write
from small import SMALL_VAE

HERE = pathlib.Path(__file__).parent
torch.set_num_threads(1)
CROSS, DOWN, UP, UPCROSS = "CrossAttnDownBlock2D", "DownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"
SIDE, STEPS, SEED, GUIDANCE, EYE = 128, 10, 7, 7.0, 56
models, expected, cases = {}, {}, []
SD = {
    "block_out_channels": (32, 64, 64, 64),
    "layers_per_block": 2,
    "cross_attention_dim": 64,
    "attention_head_dim": 8,
    "down_block_types": (CROSS, CROSS, CROSS, DOWN),
    "up_block_types": (UP, UPCROSS, UPCROSS, UPCROSS),
}
NUMBER, POOLED = 16, 48
XL = {
    "block_out_channels": (32, 64, 64),
    "layers_per_block": 2,
    "cross_attention_dim": 96,
    "attention_head_dim": (2, 4, 4),
    "transformer_layers_per_block": (1, 2, 3),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": NUMBER,
    "projection_class_embeddings_input_dim": POOLED + 6 * NUMBER,
    "down_block_types": (DOWN, CROSS, CROSS),
    "up_block_types": (UPCROSS, UPCROSS, UP),
}
VISION = {
    "hidden_size": 128,
    "intermediate_size": 192,
    "num_hidden_layers": 3,
    "num_attention_heads": 16,
    "image_size": EYE,
    "patch_size": 14,
    "projection_dim": 40,
}


# ---- CLIP's image encoder


def openclip(name, hashed, dims):
    """OpenCLIP's name and matrix of a tensor; None: it comes with another."""
    layer = {
        "layer_norm1": "ln_1",
        "layer_norm2": "ln_2",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj",
    }
    simple = {
        "vision_model.embeddings.class_embedding": "visual.class_embedding",
        "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
        "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    }
    if name in simple:
        return [simple[name], hashed, dims]
    if name == "visual_projection.weight":
        return ["visual.proj", hashed, dims[::-1], "transposed"]
    for a, b in (("pre_layrnorm", "ln_pre"), ("post_layernorm", "ln_post")):
        if a in name:
            return [name.replace("vision_model." + a, "visual." + b), hashed, dims]
    _, _, _, n, rest = name.split(".", 4)
    head = f"visual.transformer.resblocks.{n}."
    if "q_proj" in rest:
        three = "|".join(hashed.replace("q_proj", p + "_proj") for p in "qkv")
        return [head + "attn.in_proj_" + rest.split(".")[-1], three, [3 * dims[0]] + dims[1:], "joined"]
    if "k_proj" in rest or "v_proj" in rest:
        return None
    module, end = rest.rsplit(".", 1)
    return [head + layer[module] + "." + end, hashed, dims]


def vision(key, **more):
    model = CLIPVisionModelWithProjection(CLIPVisionConfig(**VISION | {"hidden_act": "gelu"} | more))
    tensors = fill(model, key)
    models[key] = {"files": [{"folder": "", "config": config_of(model), "tensors": tensors}]}
    models[key + "-single"] = {"files": [{"file": key + ".safetensors", "tensors": tensors}]}
    models[key + "-open"] = {
        "files": [
            {
                "file": key + ".safetensors",
                "tensors": [t for t in (openclip(*t) for t in tensors) if t]
                + [["logit_scale", "m", []], ["token_embedding.weight", "table.weight", [32, 8]]],
            }
        ]
    }
    out = model(nchw(hash_input(f"{key}/pixels", (1, EYE, EYE, 3))), output_hidden_states=True)
    expected[f"{key}/hidden"], expected[f"{key}/pooled"] = out.hidden_states[-2].numpy(), out.image_embeds.numpy()
    cases.append({"kind": "vision", "name": key, "model": key})
    print(f"{key:24} hidden {out.hidden_states[-2].std():.3f}, vector {out.image_embeds.std():.3f}")
    return model


# ---- adapters


def places(unet):
    return [n for n in unet.attn_processors if "attn2" in n]


def adapter(key, unet, kind):
    """An adapter as diffusers takes it; its files in all layouts."""
    width, n_seen = unet.config.cross_attention_dim, (
        VISION["projection_dim"] if kind == "plain" else VISION["hidden_size"]
    )
    inner = 128  # two heads of 64
    proj = {
        "plain": {
            "proj.weight": [4 * width, n_seen],
            "proj.bias": [4 * width],
            "norm.weight": [width],
            "norm.bias": [width],
        },
        "full": {
            "proj.0.weight": [n_seen, n_seen],
            "proj.0.bias": [n_seen],
            "proj.2.weight": [width, n_seen],
            "proj.2.bias": [width],
            "proj.3.weight": [width],
            "proj.3.bias": [width],
        },
        "plus": {
            "latents": [1, 5, inner],
            "proj_in.weight": [inner, n_seen],
            "proj_in.bias": [inner],
            "proj_out.weight": [width, inner],
            "proj_out.bias": [width],
            "norm_out.weight": [width],
            "norm_out.bias": [width],
        },
    }[kind]
    for i in range(4 if kind == "plus" else 0):
        proj |= {
            f"layers.{i}.0.norm1.weight": [inner],
            f"layers.{i}.0.norm1.bias": [inner],
            f"layers.{i}.0.norm2.weight": [inner],
            f"layers.{i}.0.norm2.bias": [inner],
            f"layers.{i}.0.to_q.weight": [128, inner],
            f"layers.{i}.0.to_kv.weight": [256, inner],
            f"layers.{i}.0.to_out.weight": [inner, 128],
            f"layers.{i}.1.0.weight": [inner],
            f"layers.{i}.1.0.bias": [inner],
            f"layers.{i}.1.1.weight": [4 * inner, inner],
            f"layers.{i}.1.3.weight": [inner, 4 * inner],
        }
    state, first, training, diffusers = {"image_proj": {}, "ip_adapter": {}}, [], [], []
    names = {"proj.weight": "image_embeds.weight", "proj.bias": "image_embeds.bias"} | {
        f"proj.{a}.{e}": f"{b}.{e}"
        for a, b in ((0, "ff.net.0.proj"), (2, "ff.net.2"), (3, "norm"))
        for e in ("weight", "bias")
    }
    for name, dims in proj.items():
        hashed = f"{key}/{name}"
        if "to_kv" in name:
            halves = [f"{key}/{name.replace('to_kv', h)}" for h in ("to_k", "to_v")]
            half = [dims[0] // 2, dims[1]]
            state["image_proj"][name] = torch.from_numpy(np.concatenate([hash_weight(h, half) for h in halves]))
            entry = ["|".join(halves), dims, "joined"]
        else:
            state["image_proj"][name] = torch.from_numpy(hash_weight(hashed, dims))
            entry = [hashed, dims]
        first.append(["image_proj." + name] + entry)
        training.append(["image_proj_model." + name] + entry)
        modern = names.get(name, name)
        for a, b in (
            ("0.norm1", "ln0"),
            ("0.norm2", "ln1"),
            ("0.to_out", "attn.to_out.0"),
            ("0.to_", "attn.to_"),
            ("1.0.", "ff.0."),
            ("1.1.", "ff.1.net.0.proj."),
            ("1.3.", "ff.1.net.2."),
        ):
            modern = re.sub(r"^(layers\.\d+\.)" + re.escape(a), r"\g<1>" + b, modern)
        head = "encoder_hid_proj.image_projection_layers.0."
        if "to_kv" in name:
            diffusers += [
                [head + modern.replace("to_kv", p), f"{key}/{name.replace('to_kv', p)}", half] for p in ("to_k", "to_v")
            ]
        else:
            diffusers.append([head + modern] + entry)
    widths = dict(unet.named_parameters())
    for i, place in enumerate(places(unet)):
        c = widths[place.replace("processor", "to_q.weight")].shape[0]
        for part in ("to_k_ip", "to_v_ip"):
            name, hashed, dims = f"{2 * i + 1}.{part}.weight", f"{key}/{place}.{part}.weight", [c, width]
            state["ip_adapter"][name] = torch.from_numpy(hash_weight(hashed, dims))
            first.append(["ip_adapter." + name, hashed, dims])
            training.append(["adapter_modules." + name, hashed, dims])
            diffusers.append([f"{place}.{part}.0.weight", hashed, dims])
    for layout, tensors in (("", first), ("-training", training), ("-diffusers", diffusers)):
        models[key + layout] = {"files": [{"file": key + ".safetensors", "tensors": tensors}]}
    layer = unet._convert_ip_adapter_image_proj_to_diffusers(state["image_proj"], low_cpu_mem_usage=False)
    seen = hash_input(f"{key}/seen", (1, 1 if kind == "plain" else 17, n_seen))
    tokens = layer(seen[:, 0] if kind == "plain" else seen)
    expected[f"{key}/tokens"] = tokens.numpy()
    return state, {
        "name": key,
        "model": key,
        "seen_n": seen.shape[1],
        "seen": n_seen,
        "width": width,
        "n_tokens": tokens.shape[1],
    }


def in_unet(unet, state, case, key, h, w, pooled=0):
    """The UNet looks at one picture with weight 0.75, and with 0.5 behind a mask; the second sample of the batch sees
    another."""
    unet._load_ip_adapter_weights([state], low_cpu_mem_usage=False)
    width, name = unet.config.cross_attention_dim, f"{key}-{h}x{w}"
    x, words = hash_input(f"{name}/x", (2, h, w, 4)), hash_input(f"{name}/words", (2, 7, width))
    shape = (2, case["seen"]) if case["seen_n"] == 1 else (2, 1, case["seen_n"], case["seen"])
    seen = [hash_input(f"{name}/seen", (2, case["seen_n"], case["seen"])).reshape(shape)]
    added = {"image_embeds": seen if case["seen_n"] > 1 else [seen[0][:, None]]}
    if pooled:
        added |= {
            "text_embeds": hash_input(f"{name}/pooled", (2, pooled)),
            "time_ids": torch.tensor([[96.0, 128, 0, 8, 96, 128]] * 2),
        }
    for suffix, scale, mask in (
        ("", 0.75, None),
        ("/masked", 0.5, (hash_input(f"{name}/mask", (1, 1, 8 * h, 8 * w)) > 0).float()),
    ):
        for p in unet.attn_processors.values():
            if hasattr(p, "scale"):
                p.scale = [scale]
        kwargs = {} if mask is None else {"cross_attention_kwargs": {"ip_adapter_masks": [mask]}}
        out = unet(nchw(x), torch.tensor([981.0, 3.0]), words, added_cond_kwargs=added, **kwargs).sample
        expected[f"{name}{suffix}"] = nhwc(out).ravel()[::3]
        print(f"{name + suffix:24} deviation {out.std():.3f}")
    cases.append(case | {"kind": "unet", "name": name, "of": key, "h": h, "w": w, "pooled": pooled})


# ---- pictures and pipelines


def picture(name, w, h):
    return picture_bytes(name, w, h)[0].permute(1, 2, 0).numpy().astype(np.uint8)


def squares():
    eye = CLIPImageProcessorPil(size={"shortest_edge": EYE}, crop_size={"height": EYE, "width": EYE})
    for w, h in ((100, 60), (56, 56), (57, 200), (301, 300), (9, 8), (1500, 16)):
        v = ((hash_ints(f"square-{w}", w * h * 3) + 1024) // 8).reshape(h, w, 3).astype(np.uint8)
        x = eye(Image.fromarray(v), return_tensors="pt").pixel_values
        expected[f"square-{w}"] = nhwc(x).ravel()[::5]
        cases.append({"kind": "square", "name": f"square-{w}", "w": w, "h": h})
    return eye


SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
TEXT = {
    "vocab_size": 49408,
    "num_hidden_layers": 3,
    "num_attention_heads": 1,
    "bos_token_id": 49406,
    "eos_token_id": 49407,
}
CAT = [320, 1125, 539, 320, 2368]


def embed(text, ids, pad, skip):
    row = [49406] + ids + [49407]
    out = text(torch.tensor([row + [pad] * (77 - len(row))]), output_hidden_states=True)
    return (out.last_hidden_state if skip == 0 else out.hidden_states[-skip]), getattr(out, "text_embeds", None)


def parts_of(key, unet):
    vae = AutoencoderKL(
        **SMALL_VAE,
        scaling_factor=0.13025 if key == "xl" else 0.18215,
    )
    euler = EulerDiscreteScheduler(**SCHEDULE)
    models[key] = {
        "files": [
            {"folder": "unet", "config": config_of(unet), "tensors": fill(unet, f"{key}/unet")},
            {"folder": "vae", "config": config_of(vae), "tensors": fill(vae, f"{key}/vae")},
            {
                "json": "scheduler/scheduler_config.json",
                "config": {k: v for k, v in euler.config.items() if v is not None},
            },
        ]
    }
    return {"vae": vae, "tokenizer": None, "unet": unet, "scheduler": euler, "feature_extractor": None}


def text_of(key, cls, folder, **more):
    text = cls(CLIPTextConfig(**TEXT | more))
    models[key]["files"].append({"folder": folder, "config": config_of(text), "tensors": fill(text, f"{key}/{folder}")})
    return text


def save(name, pipe, adapters, pictures, common, scales, masks=None, after=None):
    pipe.set_progress_bar_config(disable=True)
    pipe.unet._load_ip_adapter_weights(adapters, low_cpu_mem_usage=False)
    pipe.set_ip_adapter_scale(scales)
    more = {} if masks is None else {"cross_attention_kwargs": {"ip_adapter_masks": masks}}
    z = pipe(
        **common,
        generator=torch.Generator().manual_seed(SEED),
        ip_adapter_image=pictures,
        callback_on_step_end=after,
        **more,
    ).images
    expected[f"{name}/latent"] = z.numpy()
    print(f"{name:24} latents deviation {z.std():7.3f}")


def pipelines(eye):
    unet = UNet2DConditionModel(**SD, sample_size=SIDE // 8, in_channels=4, out_channels=4)
    parts = parts_of("sd", unet)
    text = text_of("sd", CLIPTextModel, "text_encoder", hidden_size=64, intermediate_size=128, hidden_act="quick_gelu")
    models["sd"]["files"].append({"json": "model_index.json", "config": {"_class_name": "StableDiffusionPipeline"}})
    see = vision("vit")
    vision("vit-quick", hidden_act="quick_gelu")
    plain, plain_case = adapter("plain", unet, "plain")
    plus, plus_case = adapter("plus", unet, "plus")
    full, full_case = adapter("full", unet, "full")
    for state, case in ((plain, plain_case), (plus, plus_case), (full, full_case)):
        cases.append(case | {"kind": "tokens"})
        in_unet(unet, state, case, case["name"], 16, 8)
    pipe = StableDiffusionPipeline(
        **parts | {"feature_extractor": eye},
        text_encoder=text,
        safety_checker=None,
        image_encoder=see,
        requires_safety_checker=False,
    )
    common = {
        "prompt_embeds": embed(text, CAT, 49407, 0)[0],
        "negative_prompt_embeds": embed(text, [], 49407, 0)[0],
        "num_inference_steps": STEPS,
        "guidance_scale": GUIDANCE,
        "output_type": "latent",
        "width": SIDE,
        "height": SIDE,
    }
    a, b = (Image.fromarray(picture(n, w, h)) for n, w, h in (("look", 80, 64), ("look2", 64, 96)))
    save("pipe-plain", pipe, [plain], [a], common, [0.75])
    save("pipe-plus", pipe, [plus], [a], common, [0.5])
    save("pipe-full", pipe, [full], [b], common, [0.5])
    save("pipe-plain-unguided", pipe, [plain], [a], common | {"guidance_scale": 1.0}, [1.0])
    masks = IPAdapterMaskProcessor().preprocess([Image.fromarray(m) for m in halves()], height=SIDE, width=SIDE)
    save("pipe-two", pipe, [plain, plus], [a, b], common, [1.0, 0.5], masks=[m[None] for m in masks])

    def window(p, i, t, kwargs):
        """Steps 2 to 5 of 0 to 9."""
        p.set_ip_adapter_scale([0.75 if 2 <= i + 1 < 6 else 0.0])
        return kwargs

    save("pipe-window", pipe, [plain], [a], common, [0.0], after=window)

    unet = UNet2DConditionModel(**XL, sample_size=SIDE // 8, in_channels=4, out_channels=4)
    parts = parts_of("xl", unet)
    del parts["tokenizer"]
    first = text_of("xl", CLIPTextModel, "text_encoder", hidden_size=32, intermediate_size=128, hidden_act="quick_gelu")
    second = text_of(
        "xl",
        CLIPTextModelWithProjection,
        "text_encoder_2",
        hidden_size=64,
        intermediate_size=256,
        hidden_act="gelu",
        projection_dim=POOLED,
    )
    models["xl"]["files"].append(
        {
            "json": "model_index.json",
            "config": {"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": True},
        }
    )
    xl_plain, plain_case = adapter("xl-plain", unet, "plain")
    xl_plus, plus_case = adapter("xl-plus", unet, "plus")
    in_unet(unet, xl_plain, plain_case, "xl-plain", 12, 16, pooled=POOLED)
    in_unet(unet, xl_plus, plus_case, "xl-plus", 12, 16, pooled=POOLED)
    (e1, _), (e2, p) = embed(first, CAT, 49407, 2), embed(second, CAT, 0, 2)
    e = torch.cat([e1, e2], -1)
    pipe = StableDiffusionXLPipeline(
        **parts | {"feature_extractor": eye},
        text_encoder=first,
        text_encoder_2=second,
        tokenizer=None,
        tokenizer_2=None,
        image_encoder=see,
        add_watermarker=False,
    )
    common |= {
        "prompt_embeds": e,
        "pooled_prompt_embeds": p,
        "negative_prompt_embeds": torch.zeros_like(e),
        "negative_pooled_prompt_embeds": torch.zeros_like(p),
    }
    save("pipe-xl-plain", pipe, [xl_plain], [a], common, [0.75])
    save("pipe-xl-plus", pipe, [xl_plus], [b], common, [0.75])


def halves():
    """The left half, and the right one."""
    m = np.zeros((2, SIDE, SIDE), np.uint8)
    m[0, :, : SIDE // 2] = m[1, :, SIDE // 2 :] = 255
    return m


def nested():
    """The authors' first files: a dictionary in a dictionary, pickled."""
    state = {
        "image_proj": {
            "proj.weight": torch.ones(32, 6).half(),
            "proj.bias": torch.zeros(32).half(),
            "norm.weight": torch.ones(8).half(),
            "norm.bias": torch.zeros(8).half(),
        },
        "ip_adapter": {f"1.{p}.weight": torch.ones(16, 8).half() for p in ("to_k_ip", "to_v_ip")},
    }
    torch.save(state, HERE / "ip-adapter.bin")


with torch.no_grad():
    pipelines(squares())
    nested()
write("ip-adapter", models, cases, expected)
