#!/usr/bin/env python3
"""Makes pipelines.json.gz (small models of each family, by configuration, tensor names and shapes) and
pipelines.safetensors (final latents and pictures) for pipelines.c: whole pipelines of diffusers in fp32, 10 steps.
Weights and pictures come from hashed.py.

    python3 tests/parity/make-pipelines.py

Made with torch 2.13.0+cpu, diffusers 0.42.1, transformers 5.24.0, safetensors 0.8.0, numpy 2.4.6.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import torch
import torch.nn.functional as F
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DDIMScheduler,
    DDPMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    StableDiffusionUpscalePipeline,
    UNet2DConditionModel,
)
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from transformers import CLIPTextConfig, CLIPTextModel

from hashed import config_of, fill, nhwc, picture, write

torch.set_num_threads(1)
# Sfumato takes the mean of the encoder's distribution: deterministic, and nothing is lost.
DiagonalGaussianDistribution.sample = lambda self, generator=None: self.mode()

CROSS, DOWN, UP, UPCROSS = "CrossAttnDownBlock2D", "DownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"
SIDE, STEPS, SEED, GUIDANCE = 128, 10, 7, 7.0
models, expected = {}, {}


def make_unet(key, **config):
    model = UNet2DConditionModel(
        **{
            "sample_size": SIDE // 8,
            "out_channels": 4,
            "layers_per_block": 1,
            "block_out_channels": (32, 64, 64, 64),
            "cross_attention_dim": 64,
            "attention_head_dim": 4,
            "down_block_types": (CROSS, CROSS, CROSS, DOWN),
            "up_block_types": (UP, UPCROSS, UPCROSS, UPCROSS),
        }
        | config
    )
    return model, {"folder": "unet", "config": config_of(model), "tensors": fill(model, f"{key}/unet")}


def make_vae(key, **config):
    levels = len(config["block_out_channels"])
    model = AutoencoderKL(
        **{
            "down_block_types": ["DownEncoderBlock2D"] * levels,
            "up_block_types": ["UpDecoderBlock2D"] * levels,
            "layers_per_block": 1,
            "sample_size": 64,
            "latent_channels": 4,
        }
        | config
    )
    return model, {"folder": "vae", "config": config_of(model), "tensors": fill(model, f"{key}/vae")}


def make_text(key, **config):
    model = CLIPTextModel(
        CLIPTextConfig(
            **{
                "vocab_size": 49408,
                "hidden_size": 64,
                "intermediate_size": 128,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "hidden_act": "quick_gelu",
                "bos_token_id": 49406,
                "eos_token_id": 49407,
            }
            | config
        )
    )
    return model, {"folder": "text_encoder", "config": config_of(model), "tensors": fill(model, f"{key}/text")}


def scheduler_file(scheduler):
    return {
        "json": "scheduler/scheduler_config.json",
        "config": {k: v for k, v in scheduler.config.items() if v is not None},
    }


# "a photo of a cat" and "" as CLIP's tokenizer has them.
def embeds(text, pad):
    def run(ids):
        ids = [49406] + ids + [49407]
        ids = torch.tensor([ids + [pad] * (77 - len(ids))])
        return text(ids).last_hidden_state

    return run([320, 1125, 539, 320, 2368]), run([])


def save(name, latents, vae, block=8):
    z = latents / vae.config.scaling_factor
    x = vae.decode(z).sample / 2 + 0.5
    expected[f"{name}/latent"] = latents.numpy()
    expected[f"{name}/picture"] = nhwc(
        F.avg_pool2d(x, block)
    )  # block means: the whole picture is decoded, and little is stored
    print(f"{name:24} latents deviation {latents.std():7.3f}, picture mean {x.mean():7.3f} deviation {x.std():7.3f}")


def family(key, pad=49407, text_config={}, betas={}, vae=None, **unet_config):
    unet, unet_file = make_unet(key, **unet_config)
    vae, vae_file = make_vae(key, **(vae or {"block_out_channels": (32, 32, 32, 64)}))
    text, text_file = make_text(key, **text_config)
    schedule = {
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "num_train_timesteps": 1000,
    } | betas
    models[key] = {
        "files": [
            unet_file,
            vae_file,
            text_file,
            {"json": "model_index.json", "config": {"_class_name": "StableDiffusionPipeline"}},
        ]
    }
    return unet, vae, text, schedule, embeds(text, pad)


def finish(key, scheduler):
    models[key]["files"].append(scheduler_file(scheduler))


def build(cls, unet, vae, text, scheduler, **more):
    if cls is not StableDiffusionUpscalePipeline:
        more |= {"requires_safety_checker": False}
    pipe = cls(
        vae=vae,
        text_encoder=text,
        tokenizer=None,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        **more,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def deep_cache(unet, interval):
    """Step caching (Ma et al. 2023, section 3), its shallowest branch: between whole passes only conv_in, the last
    layer on the way up and conv_out are run, on the kept features from below."""
    whole, last, state = unet.forward, unet.up_blocks[-1], {"calls": 0}
    last.resnets[-1].register_forward_pre_hook(
        lambda _, args: state.update(deep=args[0][:, : -unet.config.block_out_channels[0]])
    )

    def forward(x, t, encoder_hidden_states, **more):
        state["calls"] += 1
        if state["calls"] % interval == 1:
            return whole(x, t, encoder_hidden_states=encoder_hidden_states, **more)
        time = unet.time_embedding(unet.time_proj(t.expand(len(x))))
        h = last.resnets[-1](torch.cat([state["deep"], unet.conv_in(x)], 1), time)
        h = last.attentions[-1](h, encoder_hidden_states=encoder_hidden_states, return_dict=False)[0]
        return (unet.conv_out(unet.conv_act(unet.conv_norm_out(h))),)

    unet.forward = forward


def generator():
    return torch.Generator().manual_seed(SEED)


def common(e):
    return {
        "prompt_embeds": e[0],
        "negative_prompt_embeds": e[1],
        "num_inference_steps": STEPS,
        "guidance_scale": GUIDANCE,
        "generator": generator(),
        "output_type": "latent",
    }


mask = torch.zeros(1, 1, SIDE, SIDE)
mask[:, :, 32:88, 40:104] = 1  # rows and columns of whole latents

with torch.no_grad():
    # Stable Diffusion 1: text to image, image to image, inpainting by blending.
    unet, vae, text, schedule, e = family("sd1", in_channels=4)
    euler, ddim = EulerDiscreteScheduler(**schedule), DDIMScheduler(
        **schedule, clip_sample=False, set_alpha_to_one=False, steps_offset=1
    )
    finish("sd1", euler)
    save(
        "sd1-txt2img",
        build(StableDiffusionPipeline, unet, vae, text, euler)(width=SIDE, height=96, **common(e)).images,
        vae,
    )
    save(
        "sd1-img2img",
        build(StableDiffusionImg2ImgPipeline, unet, vae, text, ddim)(
            image=picture("sd1", SIDE, SIDE), strength=0.6, **common(e)
        ).images,
        vae,
    )
    save(
        "sd1-inpaint-blend",
        build(StableDiffusionInpaintPipeline, unet, vae, text, euler)(
            image=picture("sd1", SIDE, SIDE), mask_image=mask, width=SIDE, height=SIDE, strength=0.8, **common(e)
        ).images,
        vae,
    )

    deep_cache(unet, 3)
    save(
        "sd1-cached",
        build(StableDiffusionPipeline, unet, vae, text, EulerDiscreteScheduler(**schedule))(
            width=SIDE, height=96, **common(e)
        ).images,
        vae,
    )

    # 9 channels.
    unet, vae, text, schedule, e = family("sd1-inpaint", in_channels=9)
    euler = EulerDiscreteScheduler(**schedule)
    finish("sd1-inpaint", euler)
    save(
        "sd1-inpaint-9",
        build(StableDiffusionInpaintPipeline, unet, vae, text, euler)(
            image=picture("sd1-inpaint", SIDE, SIDE),
            mask_image=mask,
            width=SIDE,
            height=SIDE,
            strength=1.0,
            **common(e),
        ).images,
        vae,
    )

    # InstructPix2Pix: 8 channels.
    unet, vae, text, schedule, e = family("sd1-edit", in_channels=8)
    euler = EulerDiscreteScheduler(**schedule)
    finish("sd1-edit", euler)
    pipe = build(StableDiffusionInstructPix2PixPipeline, unet, vae, text, euler)
    save("sd1-edit", pipe(image=picture("sd1-edit", SIDE, SIDE), image_guidance_scale=1.5, **common(e)).images, vae)

    # Stable Diffusion 2: v-prediction, zero terminal SNR, guidance rescale, OpenCLIP's padding.
    unet, vae, text, schedule, e = family(
        "sd2", pad=0, text_config={"hidden_act": "gelu"}, in_channels=4, use_linear_projection=True
    )
    ddim = DDIMScheduler(
        **schedule,
        clip_sample=False,
        set_alpha_to_one=False,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
    )
    finish("sd2", ddim)
    save(
        "sd2-txt2img",
        build(StableDiffusionPipeline, unet, vae, text, ddim)(
            width=SIDE, height=SIDE, guidance_rescale=0.7, **common(e)
        ).images,
        vae,
    )

    # The x4 upscaler: 4 + 3 channels, noise level as class.
    betas = {"beta_start": 0.0001, "beta_end": 0.02}
    # Its first attention looks at the context, which is told by the widths: they must differ.
    unet, vae, text, schedule, e = family(
        "x4",
        pad=0,
        text_config={"hidden_act": "gelu", "hidden_size": 96},
        betas=betas,
        in_channels=7,
        cross_attention_dim=96,
        use_linear_projection=True,
        num_class_embeds=1000,
        only_cross_attention=(True, True, True, False),
        down_block_types=(DOWN, CROSS, CROSS, CROSS),
        up_block_types=(UPCROSS, UPCROSS, UPCROSS, UP),
        vae={"block_out_channels": (32, 32, 64), "scaling_factor": 0.08333},
    )
    ddim = DDIMScheduler(
        **schedule, clip_sample=False, set_alpha_to_one=False, steps_offset=1, prediction_type="v_prediction"
    )
    finish("x4", ddim)
    low = DDPMScheduler(**schedule)
    pipe = build(StableDiffusionUpscalePipeline, unet, vae, text, ddim, low_res_scheduler=low)
    start = torch.randn(1, 4, 16, 24, generator=generator())
    save("x4", pipe(image=picture("x4", 24, 16), noise_level=20, latents=start, **common(e)).images, vae, block=4)

    # TAESD in place of the VAE, and for previews (nets.c compares its numbers).
    tiny = AutoencoderTiny()
    models["taesd"] = {"files": [{"folder": "", "config": config_of(tiny), "tensors": fill(tiny, "taesd")}]}

    # sfumato-mini: rectified flow by Euler, condition and the mask's cells as channels, an 8 x 8 grid of their means as
    # context.
    mini = {
        "block_out_channels": (24, 48, 96),
        "latent_channels": 6,
        "norm_num_groups": 8,
        "mid_block_add_attention": False,
        "use_quant_conv": False,
        "use_post_quant_conv": False,
        "scaling_factor": 0.8,
        "shift_factor": 0.1,
    }
    unet, unet_file = make_unet(
        "mini",
        in_channels=28,
        out_channels=6,
        cross_attention_dim=7,
        block_out_channels=(32, 48, 64),
        norm_num_groups=16,
        attention_head_dim=(2, 3, 4),
        use_linear_projection=True,
        num_class_embeds=3,
        sample_size=SIDE // 4,
        down_block_types=(DOWN, DOWN, CROSS),
        up_block_types=(UPCROSS, UP, UP),
    )
    vae, vae_file = make_vae("mini", **mini)
    index = {
        "_class_name": "SfumatoMiniPipeline",
        "sfumato": {
            "name": "sfumato-mini",
            "version": 1,
            "native_size": SIDE,
            "tasks": ["inpaint", "upscale"],
            "steps": 8,
            "classes": {"inpaint": 0, "upscale2": 1, "upscale4": 2},
            "context": {"kind": "latent_grid", "size": 8},
            "upscale": {
                "start": "condition",
                "2": {"steps": 2, "start_noise": 0.0},
                "4": {"steps": 4, "start_noise": 0.5},
            },
        },
    }
    flow = {
        "_class_name": "FlowMatchEulerDiscreteScheduler",
        "num_train_timesteps": 1000,
        "shift": 2.0,
        "use_dynamic_shifting": False,
    }
    models["mini"] = {
        "files": [
            unet_file,
            vae_file,
            {"json": "model_index.json", "config": index},
            {"json": "scheduler/scheduler_config.json", "config": flow},
        ]
    }

    def encode(x):
        return (vae.encode(x).latent_dist.mean - 0.1) * 0.8

    def tokens(cond, mask):
        return F.adaptive_avg_pool2d(torch.cat([cond, mask.mean(1, keepdim=True)], 1), 8).flatten(2).transpose(1, 2)

    def walk(x, cond, mask, task, n_steps):
        grid = tokens(cond, mask)
        t = torch.linspace(1, 0, n_steps + 1)
        t = 2 * t / (1 + t)
        for a, b in zip(t[:-1], t[1:]):
            v = unet(
                torch.cat([x, cond, mask], 1), a * 1000, encoder_hidden_states=grid, class_labels=torch.tensor([task])
            ).sample
            x = x + (b - a) * v
        return x

    def save_mini(name, z):
        expected[f"{name}/latent"] = z.numpy()
        x = vae.decode(z / 0.8 + 0.1).sample / 2 + 0.5
        expected[f"{name}/picture"] = nhwc(F.avg_pool2d(x, 8))
        print(f"{name:24} latents deviation {z.std():7.3f}")

    mask.zero_()[:, :, 33:87, 41:102] = 1  # parts of cells: they show which pixel is which channel
    x = picture("mini", SIDE, SIDE) * 2 - 1
    cond = encode(torch.where(mask > 0, torch.zeros_like(x), x))
    cells = F.pixel_unshuffle(mask, 4)
    # The blending keeps what is outside the hole at the original's latents.
    noise, x0 = torch.randn(cond.shape, generator=generator()), encode(x)
    grid = tokens(cond, cells)
    t = torch.linspace(1, 0, 9)
    t = 2 * t / (1 + t)
    z, hole = noise, cells.amax(1, keepdim=True)
    for a, b in zip(t[:-1], t[1:]):
        v = unet(
            torch.cat([z, cond, cells], 1), a * 1000, encoder_hidden_states=grid, class_labels=torch.tensor([0])
        ).sample
        z = z + (b - a) * v
        z = hole * z + (1 - hole) * ((1 - b) * x0 + b * noise)
    save_mini("mini-inpaint", z)
    low = picture("mini-low", 64, 48)
    big = F.interpolate(low, (96, 128), mode="bicubic", align_corners=False, antialias=True)  # a = -0.5, edges cut off
    cond = encode(big.clamp(0, 1) * 2 - 1)
    save_mini("mini-upscale2", walk(cond, cond, torch.ones(1, 16, 24, 32), 1, 2))

    # On pixels: squares of 2 x 2 as channels, and the membrane as a second condition, which in a picture of one colour
    # is that colour.
    unet, unet_file = make_unet(
        "mini-pixels",
        in_channels=40,
        out_channels=12,
        cross_attention_dim=13,
        block_out_channels=(32, 48, 64),
        norm_num_groups=16,
        attention_head_dim=(1, 1, 2),
        use_linear_projection=True,
        sample_size=SIDE // 2,
        mid_block_type="UNetMidBlock2DCrossAttn",
        down_block_types=(DOWN, DOWN, CROSS),
        up_block_types=(UPCROSS, UP, UP),
    )
    index = {
        "_class_name": "SfumatoMiniPipeline",
        "sfumato": {
            "name": "sfumato-mini",
            "version": 2,
            "native_size": SIDE,
            "tasks": ["inpaint"],
            "steps": 2,
            "latent": "pixels",
            "latent_factor": 2,
            "second_fill": "pull-push",
            "start": "condition",
            "inpaint": {"steps": 2, "start_noise": 0.5, "residual": True},
            "context": {"kind": "latent_grid", "size": 8},
        },
    }
    flow = flow | {"shift": 1.0}
    models["mini-pixels"] = {
        "files": [
            unet_file,
            {"json": "model_index.json", "config": index},
            {"json": "scheduler/scheduler_config.json", "config": flow},
        ]
    }
    x = torch.tensor([0.25, 0.5, 0.75]).view(1, 3, 1, 1).expand(1, 3, SIDE, SIDE) * 2 - 1
    x0, cond, cells = (
        F.pixel_unshuffle(x, 2),
        F.pixel_unshuffle(torch.where(mask > 0, torch.zeros_like(x), x), 2),
        F.pixel_unshuffle(mask, 2),
    )
    noise = cond + 0.5 * torch.randn(cond.shape, generator=generator())
    grid, z, hole = tokens(cond, cells), noise, cells.amax(1, keepdim=True)
    for a, b in ((1.0, 0.5), (0.5, 0.0)):
        v = unet(torch.cat([z, cond, x0, cells], 1), torch.tensor(a * 1000), encoder_hidden_states=grid).sample
        z = z + (b - a) * v
        z = hole * z + (1 - hole) * ((1 - b) * x0 + b * noise)
    expected["mini-pixels/latent"] = z.numpy()
    expected["mini-pixels/picture"] = nhwc(F.avg_pool2d(torch.where(mask > 0, F.pixel_shuffle(z, 2), x) / 2 + 0.5, 8))

write("pipelines", models, [], expected)
