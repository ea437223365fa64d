#!/usr/bin/env python3
"""Makes sdxl.json.gz (small models of the XL family, by configuration, tensor names and shapes) and sdxl.safetensors
(what their networks and whole pipelines give) for sdxl.c: diffusers and transformers in fp32. Weights and pictures come
from hashed.py.

    python3 tests/parity/make-sdxl.py

Made with torch 2.13.0+cpu, diffusers 0.42.1, transformers 5.x, safetensors, numpy.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import pathlib
import re

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLInstructPix2PixPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from hashed import config_of, fill, hash_input, hash_ints, hash_weight, nchw, nhwc, picture, write
from small import SMALL_VAE
from original import original_unet, original_vae

HERE = pathlib.Path(__file__).parent
torch.set_num_threads(1)
# Sfumato takes the mean of the encoder's distribution: deterministic, and nothing is lost.
DiagonalGaussianDistribution.sample = lambda self, generator=None: self.mode()

CROSS, DOWN, UP, UPCROSS = "CrossAttnDownBlock2D", "DownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"
SIDE, STEPS, SEED, GUIDANCE, POOLED, NUMBER = 128, 10, 7, 7.0, 48, 16
models, cases, expected = {}, [], {}


def nested(model, *names):
    """What config_of() leaves out: lists in lists, and what is there but None."""
    return {name: model.config[name] for name in names}


def make_unet(key, n_numbers=6, **config):
    model = UNet2DConditionModel(
        **{
            "sample_size": SIDE // 8,
            "in_channels": 4,
            "out_channels": 4,
            "layers_per_block": 2,
            "block_out_channels": (32, 64, 64),
            "cross_attention_dim": 96,
            "attention_head_dim": 1,
            "transformer_layers_per_block": (1, 2, 3),
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": NUMBER,
            "projection_class_embeddings_input_dim": POOLED + n_numbers * NUMBER,
            "down_block_types": (DOWN, CROSS, CROSS),
            "up_block_types": (UPCROSS, UPCROSS, UP),
        }
        | config
    )
    return model, {
        "folder": "unet",
        "config": config_of(model) | nested(model, "mid_block_type"),
        "tensors": fill(model, f"{key}/unet"),
    }


def make_vae(key):
    model = AutoencoderKL(
        **SMALL_VAE,
        scaling_factor=0.13025,
    )
    return model, {"folder": "vae", "config": config_of(model), "tensors": fill(model, f"{key}/vae")}


TEXT = {
    "vocab_size": 49408,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "bos_token_id": 49406,
    "eos_token_id": 49407,
}
LARGE = {
    "hidden_size": 64,
    "intermediate_size": 256,
    "hidden_act": "gelu",
    "projection_dim": POOLED,
    "num_attention_heads": 1,
}


def make_texts(key, widths=(32, 64)):
    first = CLIPTextModel(
        CLIPTextConfig(
            **TEXT
            | {"hidden_size": widths[0], "intermediate_size": 128, "hidden_act": "quick_gelu", "num_attention_heads": 1}
        )
    )
    second = CLIPTextModelWithProjection(CLIPTextConfig(**TEXT | LARGE | {"hidden_size": widths[1]}))
    return (first, second), [
        {"folder": "text_encoder", "config": config_of(first), "tensors": fill(first, f"{key}/text")},
        {"folder": "text_encoder_2", "config": config_of(second), "tensors": fill(second, f"{key}/text2")},
    ]


# "a photo of a cat" and "" as CLIP's tokenizer has them; the second encoder's chunks are filled up with zeros.
def embeds(texts, ids, skip=2):
    hidden, pooled = [], None
    for text, pad in zip(texts, (49407, 0) if len(texts) == 2 else (0,)):
        row = [49406] + ids + [49407]
        out = text(torch.tensor([row + [pad] * (77 - len(row))]), output_hidden_states=True)
        hidden.append(out.hidden_states[-skip])
        pooled = out.text_embeds if hasattr(out, "text_embeds") else pooled
    return torch.cat(hidden, -1), pooled


CAT = [320, 1125, 539, 320, 2368]


def words(texts, zeros=True, skip=2):
    e, p = embeds(texts, CAT, skip)
    n, q = embeds(texts, [], skip)
    if zeros:
        n, q = torch.zeros_like(n), torch.zeros_like(q)
    return {
        "prompt_embeds": e,
        "pooled_prompt_embeds": p,
        "negative_prompt_embeds": n,
        "negative_pooled_prompt_embeds": q,
    }


def save(name, latents, vae):
    x = vae.decode(latents / vae.config.scaling_factor).sample / 2 + 0.5
    expected[f"{name}/latent"] = latents.numpy()
    expected[f"{name}/picture"] = nhwc(F.avg_pool2d(x, 8))
    print(f"{name:24} latents deviation {latents.std():7.3f}, picture mean {x.mean():7.3f} deviation {x.std():7.3f}")


# ---- networks alone


def unet_case(key, n_context, n, h, w, **config):
    n_numbers = config.get("n_numbers", 6)
    model, file = make_unet(key, **config)
    models[key] = {"files": [file]}
    name = f"{key}-{n}x{h}x{w}" + ("-shared" if n_context < n else "")
    timesteps = [981, 17.5, 500][:n]
    numbers = [[1024, 896, 12, 30, 768, 700], [512, 640.5, 0, 0, 1024, 1024]][:n_context]
    numbers = [row[:n_numbers] for row in numbers]
    context = hash_input(f"{name}/context", (n_context, 77, 96))
    pooled = hash_input(f"{name}/pooled", (n_context, POOLED))
    with torch.no_grad():
        added = {"text_embeds": pooled.expand(n, -1), "time_ids": torch.tensor(numbers).expand(n, -1)}
        expected[f"{name}/out"] = nhwc(
            model(
                nchw(hash_input(f"{name}/x", (n, h, w, 4))),
                torch.tensor(timesteps),
                context.expand(n, -1, -1),
                added_cond_kwargs=added,
            ).sample
        )
    cases.append(
        {
            "name": name,
            "model": key,
            "n": n,
            "h": h,
            "w": w,
            "context_n": n_context,
            "timesteps": timesteps,
            "numbers": numbers,
        }
    )


unet_case("xl", 2, 2, 16, 12, attention_head_dim=(2, 4, 4))
unet_case("xl-odd", 1, 2, 9, 11, attention_head_dim=(2, 4, 4))
# SSD-1B: no attention in a middle of one resnet, other depths on the way up.
unet_case(
    "ssd",
    2,
    2,
    8,
    12,
    mid_block_type="UNetMidBlock2D",
    transformer_layers_per_block=(1, (2, 2), (3, 3)),
    reverse_transformer_layers_per_block=((3, 3, 4), (2, 1, 1), 1),
)
# KOALA-700M: no middle at all, one layer per level.
unet_case("koala", 2, 2, 12, 8, mid_block_type=None, layers_per_block=1)
# The refiner: four levels, the innermost with attention in the middle only.
unet_case(
    "refiner-net",
    2,
    2,
    16,
    16,
    n_numbers=5,
    block_out_channels=(32, 64, 64, 64),
    attention_head_dim=(2, 4, 4, 4),
    transformer_layers_per_block=2,
    down_block_types=(DOWN, CROSS, CROSS, DOWN),
    up_block_types=(UP, UPCROSS, UPCROSS, UP),
)

# ---- pipelines

schedule = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}


def scheduler_file(scheduler):
    return {
        "json": "scheduler/scheduler_config.json",
        "config": {k: v for k, v in scheduler.config.items() if v is not None},
    }


def family(key, scheduler, refiner=False, widths=(32, 64), **unet_config):
    unet, unet_file = make_unet(key, **unet_config)
    vae, vae_file = make_vae(key)
    texts, text_files = make_texts(key, widths)
    if refiner:
        texts, text_files = texts[1:], text_files[1:]
    index = {"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": not refiner}
    models[key] = {
        "files": [
            unet_file,
            vae_file,
            *text_files,
            {"json": "model_index.json", "config": index},
            scheduler_file(scheduler),
        ]
    }
    return unet, vae, texts


def build(cls, parts, scheduler, **more):
    unet, vae, texts = parts
    pipe = cls(
        vae=vae,
        text_encoder=texts[0] if len(texts) == 2 else None,
        text_encoder_2=texts[-1],
        tokenizer=None,
        tokenizer_2=None,
        unet=unet,
        scheduler=scheduler,
        add_watermarker=False,
        **more,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def common():
    return {
        "num_inference_steps": STEPS,
        "guidance_scale": GUIDANCE,
        "generator": torch.Generator().manual_seed(SEED),
        "output_type": "latent",
    }


mask = torch.zeros(1, 1, SIDE, SIDE)
mask[:, :, 32:88, 40:104] = 1  # rows and columns of whole latents


# ---- the single file of the same weights, under the names of the original


def open_clip(tensors, prefix):
    out, fused = [], {}
    for name, hashed, dims in tensors:
        if name == "text_projection.weight":
            out.append([prefix + "text_projection", hashed, dims[::-1], "transposed"])
            continue
        m = re.match(r"text_model\.encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(weight|bias)", name)
        if m:
            fused.setdefault((m[1], m[3]), {})[m[2]] = (hashed, dims)
            continue
        name = re.sub(r"^text_model\.encoder\.layers\.(\d+)\.", r"transformer.resblocks.\1.", name)
        for a, b in (
            ("text_model.embeddings.token_embedding", "token_embedding"),
            ("text_model.embeddings.position_embedding.weight", "positional_embedding"),
            ("text_model.final_layer_norm", "ln_final"),
            ("layer_norm1", "ln_1"),
            ("layer_norm2", "ln_2"),
            ("mlp.fc1", "mlp.c_fc"),
            ("mlp.fc2", "mlp.c_proj"),
            ("self_attn.out_proj", "attn.out_proj"),
        ):
            name = name.replace(a, b)
        out.append([prefix + name, hashed, dims])
    for (layer, kind), parts in fused.items():
        dims = parts["q"][1]
        out.append(
            [
                f"{prefix}transformer.resblocks.{layer}.attn.in_proj_{kind}",
                "|".join(parts[k][0] for k in "qkv"),
                [3 * dims[0]] + dims[1:],
                "joined",
            ]
        )
    return out


def single_file(key, folder_key, extra=[], refiner=False):
    parts = {f["folder"]: f["tensors"] for f in models[folder_key]["files"] if "folder" in f}
    tensors = [[original_unet(n), h, d] for n, h, d in parts["unet"]] + extra
    for n, h, d in parts["vae"]:
        attention = re.search(r"attentions\.0\.to_.*weight$", n)
        tensors.append([original_vae(n), h, d + [1, 1] if attention else d])
    if "text_encoder" in parts:
        # transformers 5 saves it without the first word of the original's names.
        tensors += [
            [f"conditioner.embedders.0.transformer.text_model.{n.removeprefix('text_model.')}", h, d]
            for n, h, d in parts["text_encoder"]
        ]
    tensors += open_clip(parts["text_encoder_2"], f"conditioner.embedders.{0 if refiner else 1}.model.")
    models[key] = {"files": [{"file": f"{key}.safetensors", "tensors": tensors}]}


def folder_in_one_file(key, folder_key):
    """As stable-diffusion.cpp converts a folder: its names behind a word for the part, and no configuration."""
    words_of = {"unet": "unet.", "vae": "vae.", "text_encoder": "te.text_model.", "text_encoder_2": "te.1."}
    tensors = [
        [words_of[f["folder"]] + (n.removeprefix("text_model.") if f["folder"] == "text_encoder" else n), h, d]
        for f in models[folder_key]["files"]
        if f.get("folder") in words_of
        for n, h, d in f["tensors"]
    ]
    models[key] = {"files": [{"file": f"{key}.safetensors", "tensors": tensors}]}


with torch.no_grad():
    euler = EulerDiscreteScheduler(**schedule)
    xl = family("base", euler)
    size = {"width": SIDE, "height": 96}
    save("base-txt2img", build(StableDiffusionXLPipeline, xl, euler)(**size, **words(xl[2]), **common()).images, xl[1])
    save(
        "base-sizes",
        build(StableDiffusionXLPipeline, xl, euler)(
            **size, **words(xl[2]), **common(), original_size=(512, 640), crops_coords_top_left=(24, 40)
        ).images,
        xl[1],
    )
    save(
        "base-skip3",
        build(StableDiffusionXLPipeline, xl, euler)(**size, **words(xl[2], skip=3), **common()).images,
        xl[1],
    )
    ddim = DDIMScheduler(**schedule, clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    save(
        "base-img2img",
        build(StableDiffusionXLImg2ImgPipeline, xl, ddim)(
            image=picture("base", SIDE, SIDE), strength=0.6, **words(xl[2]), **common()
        ).images,
        xl[1],
    )
    save(
        "base-inpaint-blend",
        build(StableDiffusionXLInpaintPipeline, xl, euler)(
            image=picture("base", SIDE, SIDE),
            mask_image=mask,
            width=SIDE,
            height=SIDE,
            strength=0.8,
            **words(xl[2]),
            **common(),
        ).images,
        xl[1],
    )
    single_file("base-single", "base")
    folder_in_one_file("base-joined", "base")

    # A LoRA as kohya's programs write it: the UNet's modules under the original's names, both encoders.
    unet, _, texts = again = family("base", euler)
    for name, module in (
        (
            "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q",
            unet.down_blocks[1].attentions[0].transformer_blocks[0].attn1.to_q,
        ),
        ("lora_unet_label_emb_0_0", unet.add_embedding.linear_1),
        ("lora_te1_text_model_encoder_layers_0_mlp_fc1", texts[0].get_submodule("encoder.layers.0.mlp.fc1")),
        (
            "lora_te2_text_model_encoder_layers_1_self_attn_v_proj",
            texts[1].get_submodule("text_model.encoder.layers.1.self_attn.v_proj"),
        ),
    ):
        rows, columns = module.weight.shape
        shapes = {f"{name}.lora_down.weight": [4, columns], f"{name}.lora_up.weight": [rows, 4]}
        models.setdefault("lora", {"files": [{"file": "lora.safetensors", "tensors": []}]})["files"][0]["tensors"] += [
            [n, n, d] for n, d in shapes.items()
        ]
        down, up = (torch.from_numpy(hash_weight(n, d)) for n, d in shapes.items())
        module.weight += 0.5 * up @ down
    save(
        "base-lora",
        build(StableDiffusionXLPipeline, again, euler)(**size, **words(again[2]), **common()).images,
        again[1],
    )

    # Fooocus: a head adds what it sees of the hole to the first convolution; and differences of weights in bytes, each
    # with its range.
    unet, vae, texts = again = family("base", euler)
    head = hash_weight("fooocus/head", [32, 5, 3, 3])
    models["head"] = {
        "files": [{"file": "fooocus_inpaint_head.safetensors", "tensors": [["head", "fooocus/head", [32, 5, 3, 3]]]}]
    }
    gray = torch.where(mask > 0, torch.tensor(0.5), picture("base", SIDE, SIDE))
    seen = torch.cat([F.max_pool2d(mask, 8), vae.encode(gray * 2 - 1).latent_dist.mode() * 0.13025], 1)
    hint = F.conv2d(F.pad(seen, (1, 1, 1, 1), mode="replicate"), torch.from_numpy(head))
    unet.conv_in.register_forward_hook(lambda module, given, out: out + hint)
    patch = {}
    for name, module in (
        ("input_blocks.1.0.in_layers.2", unet.down_blocks[0].resnets[0].conv1),
        (
            "output_blocks.2.1.transformer_blocks.0.attn2.to_v",
            unet.up_blocks[0].attentions[2].transformer_blocks[0].attn2.to_v,
        ),
    ):
        for kind, low, high in (("weight", -0.05, 0.06), ("bias", -0.1, 0.05)):
            w = getattr(module, kind)
            if w is not None:
                codes = torch.from_numpy(
                    ((hash_ints(f"fooocus/{name}.{kind}", w.numel()) + 1024) // 8).astype(np.uint8)
                ).reshape(w.shape)
                patch[f"diffusion_model.{name}.{kind}"] = (codes, torch.tensor(low), torch.tensor(high))
                w += codes.float() / 255 * (torch.tensor(high) - torch.tensor(low)) + torch.tensor(low)
    torch.save(patch, HERE / "fooocus.patch")
    save(
        "fooocus",
        build(StableDiffusionXLInpaintPipeline, again, EulerDiscreteScheduler(**schedule))(
            image=picture("base", SIDE, SIDE),
            mask_image=mask,
            width=SIDE,
            height=SIDE,
            strength=0.8,
            **words(texts),
            **common(),
        ).images,
        vae,
    )

    # The refiner takes over for the last third.
    more = family(
        "refine",
        euler,
        refiner=True,
        n_numbers=5,
        block_out_channels=(32, 64, 64, 64),
        cross_attention_dim=64,
        transformer_layers_per_block=2,
        down_block_types=(DOWN, CROSS, CROSS, DOWN),
        up_block_types=(UP, UPCROSS, UPCROSS, UP),
    )
    single_file("refine-single", "refine", refiner=True)
    save(
        "refine-alone",
        build(StableDiffusionXLImg2ImgPipeline, more, ddim, requires_aesthetics_score=True)(
            image=picture("base", SIDE, SIDE),
            strength=0.6,
            **words(more[2], zeros=False),
            **common(),
            aesthetic_score=5,
            negative_aesthetic_score=3,
        ).images,
        more[1],
    )
    half = build(StableDiffusionXLPipeline, xl, EulerDiscreteScheduler(**schedule))(
        **size, **words(xl[2]), **common(), denoising_end=0.7
    ).images
    save(
        "base-refined",
        build(
            StableDiffusionXLImg2ImgPipeline, more, EulerDiscreteScheduler(**schedule), requires_aesthetics_score=True
        )(image=half, denoising_start=0.7, **words(more[2], zeros=False), **common()).images,
        xl[1],
    )

    # 9 channels.
    parts = family("inpaint", euler, in_channels=9)
    save(
        "inpaint-9",
        build(StableDiffusionXLInpaintPipeline, parts, EulerDiscreteScheduler(**schedule))(
            image=picture("inpaint", SIDE, SIDE),
            mask_image=mask,
            width=SIDE,
            height=SIDE,
            strength=1.0,
            **words(parts[2]),
            **common(),
        ).images,
        parts[1],
    )

    # InstructPix2Pix: 8 channels.
    parts = family("edit", euler, in_channels=8)
    save(
        "edit",
        build(StableDiffusionXLInstructPix2PixPipeline, parts, EulerDiscreteScheduler(**schedule))(
            image=picture("edit", SIDE, SIDE),
            height=SIDE,
            width=SIDE,
            image_guidance_scale=1.5,
            **words(parts[2]),
            **common(),
        ).images,
        parts[1],
    )

    # v-prediction with zero terminal SNR, as NoobAI's files are: the single file says so by two tensors. At guidance 7
    # a start that differs by 1e-6 gives latents that differ by 6e-4: too sharp a test. Euler, because diffusers' DDIM
    # goes on from an infinite sigma, and everybody else from 4096.
    euler = EulerDiscreteScheduler(
        **schedule, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"
    )
    parts = family("v", euler)
    save(
        "v-txt2img",
        build(StableDiffusionXLPipeline, parts, euler)(
            **size, **words(parts[2]), **common() | {"guidance_scale": 2}, guidance_rescale=0.7
        ).images,
        parts[1],
    )
    single_file("v-single", "v", extra=[["v_pred", "v_pred", [1]], ["ztsnr", "ztsnr", [1]]])

    # A UNet alone, and its parts in the folders beside it; among them an autoencoder that is not its.
    parts = family(
        "whole",
        EulerDiscreteScheduler(**schedule),
        widths=(48, 80),
        cross_attention_dim=128,
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=POOLED + 6 * 256,
    )
    save(
        "parts-txt2img",
        build(StableDiffusionXLPipeline, parts, EulerDiscreteScheduler(**schedule))(
            **size, **words(parts[2]), **common()
        ).images,
        parts[1],
    )
    files = {f["folder"]: f for f in models.pop("whole")["files"] if "folder" in f}
    models["parts/diffusion_models"] = {
        "files": [
            {
                "file": "unet.safetensors",
                "tensors": [
                    [original_unet(n).removeprefix("model.diffusion_model."), h, d]
                    for n, h, d in files["unet"]["tensors"]
                ],
            }
        ]
    }
    models["parts/vae"] = {
        "files": [
            {"file": "sdxl_vae.safetensors", "tensors": files["vae"]["tensors"]},
            {"file": "a_vae.safetensors", "tensors": [[n, "decoy" + h, d] for n, h, d in files["vae"]["tensors"]]},
        ]
    }
    for folder, name in (("first", "text_encoder"), ("second", "text_encoder_2")):
        models[f"parts/text_encoders/{folder}"] = {"files": [files[name] | {"folder": ""}]}

# OpenCLIP's bigG in a file of its own: told by its width. One layer, few tokens.
wide = 1280
names = {
    "text_model.embeddings.token_embedding.weight": [99, wide],
    "text_model.embeddings.position_embedding.weight": [77, wide],
    "text_model.final_layer_norm.weight": [wide],
    "text_model.final_layer_norm.bias": [wide],
    "text_projection.weight": [wide, wide],
    "logit_scale": [1],
}
for n in (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.out_proj",
    "mlp.fc1",
    "mlp.fc2",
    "layer_norm1",
    "layer_norm2",
):
    rows, columns = (64, wide) if n == "mlp.fc1" else (wide, 64) if n == "mlp.fc2" else (wide, wide)
    names[f"text_model.encoder.layers.0.{n}.weight"] = [wide] if "norm" in n else [rows, columns]
    names[f"text_model.encoder.layers.0.{n}.bias"] = [rows]
models["clip-g"] = {"files": [{"file": "clip_g.safetensors", "tensors": [[n, n, d] for n, d in names.items()]}]}

write("sdxl", models, cases, expected)
