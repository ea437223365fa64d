#!/usr/bin/env python3
"""Makes control.json.gz (small models, by configuration, tensor names and shapes) and control.safetensors (what they
give) for control.c: ControlNets, ControlNet-Union and T2I-Adapters of diffusers in fp32, alone and in whole pipelines
of 10 steps. Weights and pictures come from hashed.py. The zero convolutions, which would hide everything behind them,
have weights like the others.

    python tests/parity/make-control.py        (torch 2.13.0, diffusers 0.42.1, transformers, safetensors,
    opencv-python-headless 5.0.0)

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    ControlNetUnionModel,
    EulerDiscreteScheduler,
    StableDiffusionAdapterPipeline,
    StableDiffusionControlNetPipeline,
    StableDiffusionXLAdapterPipeline,
    StableDiffusionXLControlNetPipeline,
    StableDiffusionXLControlNetUnionPipeline,
    T2IAdapter,
    UNet2DConditionModel,
)
from diffusers.models.controlnets.multicontrolnet import MultiControlNetModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from hashed import config_of, fill, hash_input, hash_ints, hash_weight, nchw, nhwc, picture, write
from small import SMALL_VAE

torch.set_num_threads(1)
CROSS, DOWN, UP, UPCROSS = "CrossAttnDownBlock2D", "DownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"
SIDE, STEPS, SEED, GUIDANCE = 128, 10, 7, 7.0
models, expected, cases = {}, {}, []

TRUNK = {
    "block_out_channels": (32, 64, 64, 64),
    "layers_per_block": 2,
    "cross_attention_dim": 64,
    "attention_head_dim": 8,
    "down_block_types": (CROSS, CROSS, CROSS, DOWN),
}
# Two levels with attention, as XL: added conditions. Heads, widths of sinusoids as files without a config.json are
# read.
XL = {
    "block_out_channels": (32, 64, 64),
    "layers_per_block": 2,
    "cross_attention_dim": 96,
    "attention_head_dim": (1, 1, 1),
    "down_block_types": (DOWN, CROSS, CROSS),
    "transformer_layers_per_block": (1, 2, 1),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 6 * 256 + 40,
}
HINTS = {"conditioning_embedding_out_channels": (16, 32, 48, 64)}


def original_names(name):
    """The name in the first ControlNets' files, behind "control_model."; layers_per_block 2."""
    a = name.split(".")
    simple = {
        "conv_in": "input_blocks.0.0",
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "add_embedding.linear_1": "label_emb.0.0",
        "add_embedding.linear_2": "label_emb.0.2",
        "controlnet_mid_block": "middle_block_out.0",
        "controlnet_cond_embedding.conv_in": "input_hint_block.0",
        "controlnet_cond_embedding.conv_out": "input_hint_block.14",
    }
    for k, v in simple.items():
        if name.startswith(k + "."):
            return v + name[len(k) :]
    res = {
        "norm1": "in_layers.0",
        "conv1": "in_layers.2",
        "norm2": "out_layers.0",
        "conv2": "out_layers.3",
        "time_emb_proj": "emb_layers.1",
        "conv_shortcut": "skip_connection",
    }
    if a[0] == "controlnet_down_blocks":
        return ".".join(["zero_convs", a[1], "0"] + a[2:])
    if a[0] == "controlnet_cond_embedding":
        return ".".join(["input_hint_block", str(2 * int(a[2]) + 2)] + a[3:])
    if a[0] == "mid_block":
        return (
            ".".join(["middle_block", "1"] + a[3:])
            if a[1] == "attentions"
            else ".".join(["middle_block", str(2 * int(a[2])), res[a[3]]] + a[4:])
        )
    block = 1 + 3 * int(a[1])
    if a[2] == "downsamplers":
        return ".".join(["input_blocks", str(block + 2), "0", "op"] + a[5:])
    if a[2] == "attentions":
        return ".".join(["input_blocks", str(block + int(a[3])), "1"] + a[4:])
    return ".".join(["input_blocks", str(block + int(a[3])), "0", res[a[4]]] + a[5:])


def thinned(x):
    """Every seventh value of [n, h, w, c] is enough."""
    return nhwc(x).ravel()[::7]


def save_results(key, down, middle):
    for i, d in enumerate(down):
        expected[f"{key}/{i}"] = thinned(d)
    expected[f"{key}/middle"] = thinned(middle)


def plain(cond, n):
    return {"controlnet_cond": cond.expand(n, -1, -1, -1)}


def run_control(key, net, case, h, w, n=2, options=plain, more_case={}):
    x, cond = hash_input(f"{case}/x", (n, h, w, 4)), hash_input(f"{case}/picture", (1, 8 * h, 8 * w, 3)) / 4 + 0.5
    width = net.config.cross_attention_dim
    tokens = hash_input(f"{case}/tokens", (n, 1, 7, width))[:, 0]
    t = torch.tensor([981.0, 3.0][:n])
    more = {}
    if getattr(net, "add_embedding", None) is not None:
        more["added_cond_kwargs"] = {
            "text_embeds": hash_input(f"{case}/pooled", (n, 40)),
            "time_ids": torch.tensor([[96.0, 128, 0, 8, 96, 128]] * n),
        }
    down, mid = net(nchw(x), t, encoder_hidden_states=tokens, return_dict=False, **more, **options(nchw(cond), n))
    save_results(case, down, mid)
    cases.append(
        {
            "name": case,
            "model": key,
            "h": h,
            "w": w,
            "n": n,
            "context": width,
            "pooled": 40 if more else 0,
            "n_down": len(down),
        }
        | more_case
    )
    print(f"{case:24} {len(down)} outputs, deviation of the middle {mid.std():.3f}")


def add_net(key, net, weights):
    models[key] = {"files": [{"folder": "", "config": config_of(net), "tensors": weights}]}
    models[key + "-single"] = {"files": [{"file": key + ".safetensors", "tensors": weights}]}


def original_file(key, weights, prefix, more=()):
    models[key] = {
        "files": [
            {
                "file": key + ".safetensors",
                "tensors": [[prefix + original_names(n), h, d] for n, h, d in weights] + list(more),
            }
        ]
    }


def one_of(kind, n_types):
    def options(cond, n):
        types = torch.zeros(n, n_types)
        types[:, kind] = 1
        return {
            "controlnet_cond": [cond.expand(n, -1, -1, -1)],
            "control_type": types,
            "control_type_idx": [kind],
            "conditioning_scale": [1.0],
        }

    return options


def adapter_files(key, adapter, weights):
    add_net(key, adapter, weights)

    def first(name):
        """The name in TencentARC's files."""
        a = name.split(".")[1:]
        if a[0] == "conv_in":
            return ".".join(a)
        if "light" in key:
            return ".".join(["body", a[1], "body"] + a[3:]) if a[2] == "resnets" else ".".join(a)
        return (
            ".".join(["body", str(2 * int(a[1]) + int(a[3]))] + a[4:])
            if a[2] == "resnets"
            else ".".join(["body", str(2 * int(a[1]))] + a[2:])
        )

    models[key + "-first"] = {
        "files": [{"file": key + ".safetensors", "tensors": [[first(n), h, d] for n, h, d in weights]}]
    }
    models[key + "-within"] = {
        "files": [{"file": key + ".safetensors", "tensors": [["adapter." + first(n), h, d] for n, h, d in weights]}]
    }


def run_adapter(key, adapter, h, w, channels):
    cond = hash_input(f"{key}/picture", (1, 8 * h, 8 * w, channels)) / 4 + 0.5
    features = adapter(nchw(cond))
    for i, f in enumerate(features):
        expected[f"{key}/{i}"] = thinned(f)
    cases.append({"name": key, "model": key, "h": h, "w": w, "adapter": channels, "n_down": len(features)})
    print(f"{key:24} {len(features)} features, deviation {features[-1].std():.3f}")


def networks():
    net = ControlNetModel(**TRUNK, **HINTS)
    weights = fill(net, "net")
    add_net("net", net, weights)
    original_file("net-original", weights, "control_model.")
    original_file("net-bare", weights, "")
    # A whole checkpoint: the model that it was trained beside is there, too.
    original_file(
        "net-whole",
        weights,
        "control_model.",
        [
            ["model.diffusion_model.input_blocks.0.0.weight", "other.weight", [32, 4, 3, 3]],
            ["first_stage_model.decoder.conv_in.weight", "other2.weight", [8, 4, 3, 3]],
            ["cond_stage_model.transformer.text_model.final_layer_norm.weight", "o3.weight", [8]],
        ],
    )
    for case, h, w in (("net", 16, 8), ("net-odd", 9, 7)):
        run_control("net", net, case, h, w)
    guessed, mid = net(
        nchw(hash_input("net/x", (2, 16, 8, 4)))[:1],
        torch.tensor([981.0]),
        hash_input("net/tokens", (2, 1, 7, 64))[:1, 0],
        nchw(hash_input("net/picture", (1, 128, 64, 3)) / 4 + 0.5),
        conditioning_scale=0.8,
        guess_mode=True,
        return_dict=False,
    )
    save_results("net-guess", guessed, mid)
    cases.append(
        {
            "name": "net-guess",
            "of": "net",
            "model": "net",
            "h": 16,
            "w": 8,
            "n": 2,
            "context": 64,
            "pooled": 0,
            "n_down": len(guessed),
            "guess": 0.8,
        }
    )
    shuffle = ControlNetModel(**TRUNK, **HINTS, global_pool_conditions=True)
    add_net("shuffle", shuffle, fill(shuffle, "shuffle"))
    run_control("shuffle", shuffle, "shuffle", 16, 8, n=1)
    xl = ControlNetModel(**XL, **HINTS)
    weights = fill(xl, "xl")
    add_net("xl", xl, weights)
    original_file("xl-original", weights, "control_model.")
    run_control("xl", xl, "xl", 12, 16)
    # As diffusers' canny-sdxl-1.0-mid and -small: attention in the last level alone, and none.
    for key, types, middle in (
        ("xl-mid", (DOWN, DOWN, CROSS), "UNetMidBlock2DCrossAttn"),
        ("xl-small", (DOWN, DOWN, DOWN), "UNetMidBlock2D"),
    ):
        thin = ControlNetModel(
            **XL | {"down_block_types": types, "transformer_layers_per_block": (1, 1, 1)},
            **HINTS,
            mid_block_type=middle,
        )
        add_net(key, thin, fill(thin, key))
        run_control(key, thin, key, 8, 8, n=1)
    union = ControlNetUnionModel(**XL, **HINTS, num_control_type=6, num_trans_channel=32, num_proj_channel=32)
    add_net("union", union, fill(union, "union"))
    run_control("union", union, "union", 12, 16, options=one_of(3, 6), more_case={"type": 3})
    promax = ControlNetUnionModel(**XL, **HINTS, num_control_type=8, num_trans_channel=32, num_proj_channel=32)
    add_net("promax", promax, fill(promax, "promax"))
    run_control("promax", promax, "promax", 8, 8, n=1, options=one_of(7, 8), more_case={"type": 7})
    for key, options, h, w, channels in (
        ("t2i", {"adapter_type": "full_adapter", "channels": [32, 64, 64, 64]}, 16, 12, 3),
        ("t2i-gray", {"adapter_type": "full_adapter", "channels": [32, 64, 64, 64], "in_channels": 1}, 9, 7, 1),
        (
            "t2i-xl",
            {"adapter_type": "full_adapter_xl", "channels": [32, 64, 64, 64], "downscale_factor": 16},
            16,
            12,
            3,
        ),
        ("t2i-light", {"adapter_type": "light_adapter", "channels": [32, 64, 64], "num_res_blocks": 4}, 16, 12, 3),
    ):
        adapter = T2IAdapter(**{"in_channels": 3, "num_res_blocks": 2, "downscale_factor": 8} | options)
        adapter_files(key, adapter, fill(adapter, key))
        run_adapter(key, adapter, h, w, channels)


def pipelines():
    unet = UNet2DConditionModel(
        **TRUNK, sample_size=SIDE // 8, in_channels=4, out_channels=4, up_block_types=(UP, UPCROSS, UPCROSS, UPCROSS)
    )
    vae = AutoencoderKL(
        **SMALL_VAE,
    )
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            hidden_act="quick_gelu",
            bos_token_id=49406,
            eos_token_id=49407,
        )
    )
    schedule = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
    euler = EulerDiscreteScheduler(**schedule)
    models["sd"] = {
        "files": [
            {"folder": "unet", "config": config_of(unet), "tensors": fill(unet, "sd/unet")},
            {"folder": "vae", "config": config_of(vae), "tensors": fill(vae, "sd/vae")},
            {"folder": "text_encoder", "config": config_of(text), "tensors": fill(text, "sd/text")},
            {"json": "model_index.json", "config": {"_class_name": "StableDiffusionPipeline"}},
            {
                "json": "scheduler/scheduler_config.json",
                "config": {k: v for k, v in euler.config.items() if v is not None},
            },
        ]
    }
    first, second = ControlNetModel(**TRUNK, **HINTS), ControlNetModel(**TRUNK, **HINTS)
    fill(first, "net")
    add_net("net2", second, fill(second, "net2"))

    def embed(ids):
        ids = [49406] + ids + [49407]
        return text(torch.tensor([ids + [49407] * (77 - len(ids))])).last_hidden_state

    common = {
        "prompt_embeds": embed([320, 1125, 539, 320, 2368]),
        "negative_prompt_embeds": embed([]),
        "num_inference_steps": STEPS,
        "guidance_scale": GUIDANCE,
        "output_type": "latent",
        "width": SIDE,
        "height": SIDE,
    }
    parts = {
        "vae": vae,
        "text_encoder": text,
        "tokenizer": None,
        "unet": unet,
        "scheduler": euler,
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }

    def save(name, cls, more, **options):
        pipe = cls(**parts, **more)
        pipe.set_progress_bar_config(disable=True)
        z = pipe(**common, generator=torch.Generator().manual_seed(SEED), **options).images
        expected[f"{name}/latent"] = z.numpy()
        print(f"{name:24} latents deviation {z.std():7.3f}")

    a, b = picture("control", SIDE, SIDE), picture("control2", SIDE, SIDE)
    cn = StableDiffusionControlNetPipeline
    save("pipe-one", cn, {"controlnet": first}, image=a, controlnet_conditioning_scale=0.3)
    save(
        "pipe-window",
        cn,
        {"controlnet": first},
        image=a,
        controlnet_conditioning_scale=0.3,
        control_guidance_start=0.2,
        control_guidance_end=0.6,
    )
    save(
        "pipe-two",
        cn,
        {"controlnet": MultiControlNetModel([first, second])},
        image=[a, b],
        controlnet_conditioning_scale=[0.3, 0.2],
        control_guidance_start=[0.0, 0.3],
        control_guidance_end=[0.5, 1.0],
    )
    save("pipe-guess", cn, {"controlnet": first}, image=a, controlnet_conditioning_scale=0.5, guess_mode=True)
    adapter = T2IAdapter(
        adapter_type="full_adapter", channels=[32, 64, 64, 64], in_channels=3, num_res_blocks=2, downscale_factor=8
    )
    fill(adapter, "t2i")
    save("pipe-adapter", StableDiffusionAdapterPipeline, {"adapter": adapter}, image=a, adapter_conditioning_scale=0.4)


def xl_pipelines():
    """Networks beside an XL: they see the added conditions, unions also the kind of picture; the features of the
    T2I-Adapter for XL go to other places than those of 1.x. small, promax and the adapter are those of networks()."""
    unet = UNet2DConditionModel(
        **XL, sample_size=SIDE // 8, in_channels=4, out_channels=4, up_block_types=(UPCROSS, UPCROSS, UP)
    )
    vae = AutoencoderKL(**SMALL_VAE, scaling_factor=0.13025)
    shared = {"vocab_size": 49408, "num_hidden_layers": 3, "bos_token_id": 49406, "eos_token_id": 49407}
    first = CLIPTextModel(
        CLIPTextConfig(**shared, hidden_size=32, intermediate_size=64, num_attention_heads=1, hidden_act="quick_gelu")
    )
    second = CLIPTextModelWithProjection(
        CLIPTextConfig(
            **shared,
            hidden_size=64,
            intermediate_size=128,
            num_attention_heads=1,
            hidden_act="gelu",
            projection_dim=40,
        )
    )
    schedule = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
    euler = EulerDiscreteScheduler(**schedule)
    models["sdxl"] = {
        "files": [
            {"folder": name, "config": config_of(net), "tensors": fill(net, f"sdxl/{name}")}
            for name, net in (("unet", unet), ("vae", vae), ("text_encoder", first), ("text_encoder_2", second))
        ]
        + [
            {
                "json": "model_index.json",
                "config": {"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": True},
            },
            {
                "json": "scheduler/scheduler_config.json",
                "config": {k: v for k, v in euler.config.items() if v is not None},
            },
        ]
    }

    def embed(text, pad):
        ids = [49406, 320, 1125, 539, 320, 2368, 49407]
        out = text(torch.tensor([ids + [pad] * (77 - len(ids))]), output_hidden_states=True)
        return out.hidden_states[-2], getattr(out, "text_embeds", None)

    (a, _), (b, pooled) = embed(first, 49407), embed(second, 0)
    words = torch.cat([a, b], -1)
    common = {
        "prompt_embeds": words,
        "pooled_prompt_embeds": pooled,
        "negative_prompt_embeds": torch.zeros_like(words),
        "negative_pooled_prompt_embeds": torch.zeros_like(pooled),
        "num_inference_steps": STEPS,
        "guidance_scale": GUIDANCE,
        "output_type": "latent",
        "width": SIDE,
        "height": SIDE,
    }
    parts = {
        "vae": vae,
        "text_encoder": first,
        "text_encoder_2": second,
        "tokenizer": None,
        "tokenizer_2": None,
        "unet": unet,
        "scheduler": euler,
    }
    small = ControlNetModel(
        **XL | {"down_block_types": (DOWN, DOWN, DOWN), "transformer_layers_per_block": (1, 1, 1)},
        **HINTS,
        mid_block_type="UNetMidBlock2D",
    )
    fill(small, "xl-small")
    promax = ControlNetUnionModel(**XL, **HINTS, num_control_type=8, num_trans_channel=32, num_proj_channel=32)
    fill(promax, "promax")
    adapter = T2IAdapter(
        adapter_type="full_adapter_xl", channels=[32, 64, 64, 64], in_channels=3, num_res_blocks=2, downscale_factor=16
    )
    fill(adapter, "t2i-xl")
    seen = picture("control", SIDE, SIDE)
    for name, cls, more, options in (
        (
            "pipe-xl-small",
            StableDiffusionXLControlNetPipeline,
            {"controlnet": small, "add_watermarker": False},
            {"image": seen, "controlnet_conditioning_scale": 0.3},
        ),
        (
            "pipe-xl-promax",
            StableDiffusionXLControlNetUnionPipeline,
            {"controlnet": promax, "add_watermarker": False},
            {"control_image": [seen], "control_mode": [6], "controlnet_conditioning_scale": 0.3},
        ),
        (
            "pipe-xl-adapter",
            StableDiffusionXLAdapterPipeline,
            {"adapter": adapter},
            {"image": seen, "adapter_conditioning_scale": 0.4},
        ),
    ):
        pipe = cls(**parts, **more)
        pipe.set_progress_bar_config(disable=True)
        z = pipe(**common, generator=torch.Generator().manual_seed(SEED), **options).images
        expected[f"{name}/latent"] = z.numpy()
        print(f"{name:24} latents deviation {z.std():7.3f}")


def over_the_unet():
    """Files that are whole only over a UNet: differences to it, and rank-reduced ones (Stability's control-LoRAs)."""
    unet = UNet2DConditionModel(
        **TRUNK, sample_size=SIDE // 8, in_channels=4, out_channels=4, up_block_types=(UP, UPCROSS, UPCROSS, UPCROSS)
    )
    fill(unet, "sd/unet")
    shared = unet.state_dict()
    for key in ("difference", "ranked"):
        net = ControlNetModel(**TRUNK, **HINTS)
        tensors, state = [], net.state_dict()
        for name, t in state.items():
            dims, hashed = list(t.shape), f"{key}/{name}"
            original = original_names(name)
            if key == "difference":
                v = torch.from_numpy(hash_weight(hashed, dims))
                own = name in shared
                t.copy_(shared[name] + v / 8 if own else v)
                tensors.append(["control_model." + original, hashed, dims] + ([-3] if own else []))
            elif name not in shared or len(dims) == 1:  # norms, biases, and what only a ControlNet has
                t.copy_(torch.from_numpy(hash_weight(hashed, dims)))
                tensors.append([original, hashed, dims])
            else:
                up, down = [dims[0], 4], [4] + dims[1:]
                module = original[: -len(".weight")]
                a, b = (
                    torch.from_numpy(hash_weight(f"{hashed}.{part}.weight", d))
                    for part, d in (("up", up), ("down", down))
                )
                t.copy_(shared[name] + (a @ b.flatten(1)).reshape(dims) / 8)
                tensors += [
                    [module + ".up", f"{hashed}.up.weight", up, -3],
                    [module + ".down", f"{hashed}.down.weight", down],
                ]
        tensors.append(["difference", "m", [1]] if key == "difference" else ["lora_controlnet", "m", [0]])
        net.load_state_dict(state)
        net.eval()
        models[key] = {"files": [{"file": key + ".safetensors", "tensors": tensors}]}
        run_control(key, net, key, 8, 8, more_case={"over": "sd"})


def prepared():
    """What OpenCV makes of a picture of 8-bit values; the formulas round it are those of the programs that people
    use."""
    import cv2

    w, h = 96, 64
    cells = (picture("prepared", w, h)[0].permute(1, 2, 0) * 255).round().numpy().astype(np.int64)
    noise = (hash_ints("prepared/noise", w * h * 3).reshape(h, w, 3) + 1024) // 32
    v = ((cells * 3 + noise) // 4).astype(np.uint8)
    expected["prepared/canny"] = cv2.Canny(v, 100, 200) / 255
    expected["prepared/canny-low"] = cv2.Canny(v, 20, 60) / 255
    x = v.astype(np.float32)
    expected["prepared/blur"] = cv2.GaussianBlur(x, (0, 0), 9) / 255
    dark = np.min(cv2.GaussianBlur(x, (0, 0), 6) - x, axis=2).clip(0, 255)
    dark = dark / max(16, np.median(dark[dark > 8]))
    expected["prepared/lines"] = (dark * 127).clip(0, 255) / 255
    dog = np.min(cv2.GaussianBlur(x, (0, 0), 5) - cv2.GaussianBlur(x, (0, 0), 0.5), axis=2).clip(0, 255)
    expected["prepared/scribble"] = (2 * dog > 32).astype(np.float32)
    expected["prepared/luminance"] = cv2.cvtColor(x / 255, cv2.COLOR_RGB2LAB)[:, :, 0] / 100


with torch.no_grad():
    networks()
    over_the_unet()
    pipelines()
    xl_pipelines()
    prepared()
write("control", models, cases, expected)
