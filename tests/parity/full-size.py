#!/usr/bin/env python3
"""Full-size random Stable Diffusion 1.5, 2.1 and XL against diffusers and transformers in fp32: not part of the test
suite (5 GB of disk, 12 GB of memory, some minutes; XL: 7 GB of disk, 18 GB of memory). Weights are PyTorch's initial
ones, rounded to fp16, so that both sides have the same.

    meson setup build && ninja -C build
    python tests/parity/full-size.py sd15 sd21 sdxl [--parts text unet vae] [--latent 64] [--folder FOLDER] [--precision
    fp32] [--memory BYTES]

Prints norm(difference) / norm(reference), seconds and peak memory of each network. Run with torch 2.13.0+cpu, diffusers
0.42.1, transformers 5.24.0.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import argparse
import gc
import json
import pathlib
import subprocess
import time

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

# The published configurations.
UNET = {
    "sample_size": 64,
    "in_channels": 4,
    "out_channels": 4,
    "layers_per_block": 2,
    "block_out_channels": (320, 640, 1280, 1280),
}
TEXT = {"vocab_size": 49408, "max_position_embeddings": 77, "bos_token_id": 49406, "eos_token_id": 49407}
CLIP_L = TEXT | {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_act": "quick_gelu",
    "projection_dim": 768,
}
FAMILIES = {
    "sd15": {
        "unet": UNET | {"cross_attention_dim": 768, "attention_head_dim": 8},
        "text": CLIP_L,
    },
    "sd21": {
        "unet": UNET
        | {
            "cross_attention_dim": 1024,
            "attention_head_dim": (5, 10, 20, 20),
            "use_linear_projection": True,
            "sample_size": 96,
        },
        "text": TEXT
        | {
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "num_hidden_layers": 23,
            "num_attention_heads": 16,
            "hidden_act": "gelu",
            "projection_dim": 512,
        },
    },
    "sdxl": {
        "unet": UNET
        | {
            "block_out_channels": (320, 640, 1280),
            "cross_attention_dim": 2048,
            "attention_head_dim": (5, 10, 20),
            "transformer_layers_per_block": (1, 2, 10),
            "use_linear_projection": True,
            "sample_size": 128,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 2816,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        },
        "text": CLIP_L,
    },
}
VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "latent_channels": 4,
    "layers_per_block": 2,
    "sample_size": 512,
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}
FOLDER = {"text": "text_encoder", "unet": "unet", "vae": "vae"}


def make(part, config):
    torch.manual_seed(1)
    model = {
        "text": lambda: CLIPTextModel(CLIPTextConfig(**config)),
        "unet": lambda: UNet2DConditionModel(**config),
        "vae": lambda: AutoencoderKL(**config),
    }[part]()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.half().float())
    return model.eval()


def save(model, folder):
    folder.mkdir(parents=True, exist_ok=True)
    config = model.config.to_dict() if hasattr(model.config, "to_dict") else json.loads(model.to_json_string())
    (folder / "config.json").write_text(json.dumps(config | {"_class_name": type(model).__name__}, default=str))
    name = "model.safetensors" if isinstance(model, CLIPTextModel) else "diffusion_pytorch_model.safetensors"
    # As published files have it; transformers 5 has dropped the prefix.
    prefix = (
        "text_model."
        if isinstance(model, CLIPTextModel) and not any(k.startswith("text_model.") for k in model.state_dict())
        else ""
    )
    save_file({prefix + k: v.half() for k, v in model.state_dict().items()}, folder / name)


def nchw(x):
    return x.permute(0, 3, 1, 2).contiguous()


def nhwc(x):
    return x.permute(0, 2, 3, 1).contiguous().float()


def reference(part, model, latent):
    g = torch.Generator().manual_seed(2)
    with torch.no_grad():
        if part == "text":
            tokens = torch.randint(0, 49408, (2, 77), generator=g)
            return {"tokens": tokens, "out": model(tokens).last_hidden_state.contiguous()}
        if part == "unet":
            x, t = torch.randn(2, latent, latent, 4, generator=g), torch.tensor([981.0, 261.0])
            context = torch.randn(2, 1, 77, model.config.cross_attention_dim, generator=g)
            more, added = {}, None
            if model.config.addition_embed_type:
                side = latent * 8.0
                more = {
                    "pooled": torch.randn(2, 1280, generator=g),
                    "numbers": torch.tensor([[side, side, 0, 0, side, side]] * 2),
                }
                added = {"text_embeds": more["pooled"], "time_ids": more["numbers"]}
            return more | {
                "x": x,
                "timesteps": t,
                "context": context,
                "out": nhwc(model(nchw(x), t, context[:, 0], added_cond_kwargs=added).sample),
            }
        x, z = torch.rand(1, latent * 8, latent * 8, 3, generator=g) * 2 - 1, torch.randn(
            1, latent, latent, 4, generator=g
        )
        return {
            "x": x,
            "moments": nhwc(model.quant_conv(model.encoder(nchw(x)))),
            "z": z,
            "out": nhwc(model.decode(nchw(z)).sample),
        }


def main():
    a = argparse.ArgumentParser()
    a.add_argument("families", nargs="+", choices=list(FAMILIES))
    a.add_argument("--parts", nargs="+", default=["text", "unet", "vae"], choices=list(FOLDER))
    a.add_argument("--latent", type=int, default=64)
    a.add_argument("--folder", default="/tmp/sfumato-full-size")
    a.add_argument("--build", default=str(pathlib.Path(__file__).parents[2] / "build"))
    a.add_argument("--precision", default="fp32")
    a.add_argument("--memory", type=int, default=0)
    a.add_argument("--runs", type=int, default=1)
    o = a.parse_args()
    for family in o.families:
        for part in o.parts:
            model_folder = pathlib.Path(o.folder) / family
            io = pathlib.Path(o.folder) / f"{family}-{part}-{o.latent}.safetensors"
            if not io.exists() or not (model_folder / FOLDER[part] / "config.json").exists():
                model = make(part, VAE if part == "vae" else FAMILIES[family][part])
                save(model, model_folder / FOLDER[part])
                start = time.time()
                save_file(reference(part, model, o.latent), io)
                print(f"{family} {part}: reference in {time.time() - start:.1f} s", flush=True)
                del model
                gc.collect()
            subprocess.run(
                [
                    f"{o.build}/tests/parity/net-run",
                    str(model_folder),
                    part,
                    str(io),
                    str(o.memory),
                    o.precision,
                    str(o.runs),
                ],
                check=True,
            )


if __name__ == "__main__":
    main()
