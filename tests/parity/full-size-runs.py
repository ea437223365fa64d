#!/usr/bin/env python3
"""Whole runs of full-size random models against diffusers and transformers in fp32: Stable Diffusion XL alone, with a
LoRA, a ControlNet and IP-Adapters; FLUX.2 klein 4B with Qwen3-4B; Z-Image 6B. Not part of the test suite (16 GB of
disk a family, 9 GB of memory, some minutes).

    python tests/parity/full-size-runs.py sdxl [--cases plain lora ...] [--folder FOLDER] [--build BUILD]
                                          [--options "--memory 3G"] [--keep]

Weights are random 16-bit numbers, written tensor by tensor; the reference reads each layer's when it runs. Prints
norm(difference) / norm(reference) of the final latent and of the picture (16 bits), seconds, and peak memory. Run with
torch 2.13.0+cpu, diffusers 0.42.1, transformers 5.24.0, accelerate 1.15.0.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import argparse
import json
import math
import pathlib
import shlex
import shutil
import struct
import subprocess
import time

import numpy as np
import torch
from accelerate import init_empty_weights
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    ControlNetModel,
    DiffusionPipeline,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    ModelMixin,
    StableDiffusionXLControlNetPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    PreTrainedModel,
    Qwen3Config,
    Qwen3Model,
)

from original import original_unet

torch.set_grad_enabled(False)
CPU = property(lambda self: torch.device("cpu"))
ModelMixin.device = PreTrainedModel.device = DiffusionPipeline._execution_device = CPU
POOL = torch.rand(16777213, generator=torch.Generator().manual_seed(1)) * 2 - 1  # a prime: rows do not repeat


# ---- weights


def values(name, shape, place):
    """As PyTorch begins: uniform within 1 / sqrt(inputs); norms near one, variances positive."""
    n = math.prod(shape)
    at = place * 7919 % len(POOL)
    v = torch.cat([POOL[at:], *[POOL] * (n // len(POOL) + 1)]) if at + n > len(POOL) else POOL[at:]
    v = v[:n].reshape(shape)
    if name.endswith("running_var"):
        return 1 + v / 2
    if len(shape) == 1 and name.endswith("weight"):
        return 1 + v / 10
    return v / math.sqrt(math.prod(shape[1:]) if len(shape) > 1 else 64)


def write(path, shapes, dtype):
    """A safetensors file of random values, {name: shape}, a tensor at a time."""
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 2 * math.prod(shape)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for i, (name, shape) in enumerate(shapes.items()):
            v = values(name, shape, i)
            f.write(v.half().numpy().tobytes() if dtype == "F16" else v.bfloat16().view(torch.int16).numpy().tobytes())


class Part:
    """A network of a folder: empty in memory until stream()."""

    def __init__(self, folder, make, dtype, prefix=""):
        self.prefix = prefix
        with init_empty_weights(include_buffers=False):
            self.model = make().eval()
        config = self.model.config
        config = json.loads(config.to_json_string()) if hasattr(config, "to_json_string") else dict(config)
        self.path = folder / "model.safetensors"
        if not isinstance(self.model, PreTrainedModel):
            self.path = folder / "diffusion_pytorch_model.safetensors"
        if not self.path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            words = config | {"_class_name": type(self.model).__name__, "architectures": [type(self.model).__name__]}
            (folder / "config.json").write_text(json.dumps(words, default=str))
            # transformers 5 has dropped the first word of published names.
            write(
                self.path,
                {self.of(k): tuple(v.shape) for k, v in self.model.state_dict().items() if v.dim() or "num_b" not in k},
                dtype,
            )
        stream(self.model, self.path, self.of)

    def of(self, name):
        return name if name.startswith(self.prefix) or "projection" in name else self.prefix + name

    def change(self, changes):
        """changes: {name of a weight: what is added}."""
        stream.changes = {**getattr(stream, "changes", {}), **{(self.path, self.of(k)): v for k, v in changes.items()}}


def stream(model, path, of):
    """Each layer's weights are there while it runs."""
    f = safe_open(path, "pt")
    stored = set(f.keys())

    def get(name):
        v = f.get_tensor(of(name)).float()
        more = getattr(stream, "changes", {}).get((path, of(name)))
        return v if more is None else v + more().reshape(v.shape)

    for module_name, m in model.named_modules():
        at = module_name + "." if module_name else ""
        for n, b in m.named_buffers(recurse=False):
            if of(at + n) in stored:
                m._buffers[n] = get(at + n)
        own = {n: at + n for n, _ in m.named_parameters(recurse=False)}
        if not own:
            continue

        def load(m, *_, own=own):
            for n, name in own.items():
                m._parameters[n] = torch.nn.Parameter(get(name), requires_grad=False)

        def leave(m, *_, own=own):
            for n in own:
                m._parameters[n] = torch.nn.Parameter(m._parameters[n].to("meta"), requires_grad=False)

        if any(True for _ in m.children()):
            load(m)
        else:
            m.register_forward_pre_hook(load)
            m.register_forward_hook(leave)


# ---- runs


class Bench:
    def __init__(self, o, family):
        self.o, self.folder = o, o.folder / family
        self.folder.mkdir(parents=True, exist_ok=True)

    def json(self, name, content):
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(json.dumps(content))

    def compare(self, name, reference, arguments, model=None):
        """reference() -> latent [n, c, h, w], picture [n, 3, h, w] in -1..1. arguments: of `sfumato txt2img`."""
        if self.o.cases and name not in self.o.cases:
            return
        path, out, latent = (self.folder / f"{name}{end}" for end in ("-expected.safetensors", ".png", ".latent"))
        if not path.exists():
            start = time.time()
            z, x = reference()
            save_file({"latent": z.contiguous(), "picture": (x / 2 + 0.5).contiguous()}, path)
            print(f"{self.folder.name} {name}: reference in {time.time() - start:.0f} s", flush=True)
        command = ["/usr/bin/time", "-f", "%e s, peak %M kB", f"{self.o.build}/engine/cli/sfumato", "txt2img", out]
        command += ["--model", model or self.folder, "--save-latent", latent, "--depth", 16, "--quiet"]
        command += ["--precision", "fp32", *arguments, *shlex.split(self.o.options)]
        said = subprocess.run([str(c) for c in command], stderr=subprocess.PIPE, text=True)
        words = said.stderr.strip()
        if said.returncode == 0:
            expected = load_file(path)
            z = next(iter(load_file(latent).values()))
            x = torch.from_numpy(read_png16(out)).permute(2, 0, 1)[None]
            words = (
                f"latent {error(z.reshape(-1), expected['latent'].reshape(-1)):.2e}, "
                f"picture {error(x, expected['picture'].clamp(0, 1)):.2e}, {words}"
            )
        print(f"{self.folder.name} {name} {self.o.options}: {words}", flush=True)


def error(a, b):
    return ((a - b).norm() / b.norm()).item()


def read_png16(path):
    """[h, w, 3] in 0..1."""
    import zlib

    data, at, idat = path.read_bytes(), 8, b""
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind == b"IHDR":
            w, h, depth, color = struct.unpack(">IIBB", data[at + 8 : at + 18])
        idat += data[at + 8 : at + 8 + n] if kind == b"IDAT" else b""
        at += 12 + n
    assert depth == 16 and color == 2, (depth, color)
    raw, stride, bpp = zlib.decompress(idat), w * 6, 6
    rows, last = [], np.zeros(stride, np.uint8)
    for y in range(h):
        kind = raw[y * (stride + 1)]
        row = np.frombuffer(raw, np.uint8, stride, y * (stride + 1) + 1).copy()
        if kind == 2:
            row += last
        elif kind:
            for i in range(stride):
                a, b = int(row[i - bpp]) if i >= bpp else 0, int(last[i])
                c = int(last[i - bpp]) if i >= bpp else 0
                p = min((a, b, c), key=lambda v: abs(a + b - c - v))
                row[i] = (int(row[i]) + (a, 0, (a + b) // 2, p)[kind - 1]) & 255
        rows.append(row)
        last = row
    return np.stack(rows).reshape(h, w, 3, 2).astype(np.float32) @ np.float32([256, 1]) / 65535


def picture(w, h):
    v = (POOL[:192].reshape(8, 8, 3).numpy() * 120 + 128).astype(np.uint8)
    return Image.fromarray(v).resize((w, h), Image.NEAREST)


def quiet(pipe):
    pipe.set_progress_bar_config(disable=True)
    return pipe


W, H = 128, 96

# ---- Stable Diffusion XL

CROSS, DOWN, UP, UPCROSS = "CrossAttnDownBlock2D", "DownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"
XL_SHARED = {
    "block_out_channels": (320, 640, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 2048,
    "attention_head_dim": (5, 10, 20),
    "transformer_layers_per_block": (1, 2, 10),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
    "down_block_types": (DOWN, CROSS, CROSS),
}
TEXT = {"vocab_size": 49408, "max_position_embeddings": 77, "bos_token_id": 49406, "eos_token_id": 49407}
CLIP_L = TEXT | {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
CLIP_G = TEXT | {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 20}
VIT_H = {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 16}
VIT_G = {"hidden_size": 1664, "intermediate_size": 8192, "num_hidden_layers": 48, "num_attention_heads": 16}
SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
CAT = [320, 1125, 539, 320, 2368]  # "a photo of a cat" by CLIP's tokenizer


def vae_kl(channels, **more):
    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=channels,
        sample_size=1024,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        **more,
    )


def low_rank(shapes, rank=16):
    """{module: (rows, columns)} -> {module: (up, down)} as fp16 holds them."""
    pairs = {}
    for i, (name, (rows, columns)) in enumerate(shapes.items()):
        pairs[name] = [values("", s, 1000003 + 2 * i + k).half() for k, s in enumerate(((rows, rank), (rank, columns)))]
    return pairs


def sdxl(b):
    f = b.folder
    unet = Part(
        f / "unet",
        lambda: UNet2DConditionModel(sample_size=128, up_block_types=(UPCROSS, UPCROSS, UP), **XL_SHARED),
        "F16",
    )
    first = Part(
        f / "text_encoder",
        lambda: CLIPTextModel(CLIPTextConfig(hidden_act="quick_gelu", **CLIP_L)),
        "F16",
        "text_model.",
    )
    second = Part(
        f / "text_encoder_2",
        lambda: CLIPTextModelWithProjection(CLIPTextConfig(hidden_act="gelu", projection_dim=1280, **CLIP_G)),
        "F16",
        "text_model.",
    )
    vae = Part(f / "vae", lambda: vae_kl(4, scaling_factor=0.13025), "F16")
    euler = EulerDiscreteScheduler(**SCHEDULE)
    b.json("model_index.json", {"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": True})
    b.json("scheduler/scheduler_config.json", {k: v for k, v in euler.config.items() if v is not None})
    noise = torch.randn(1, 4, H // 8, W // 8, generator=torch.Generator().manual_seed(2))
    save_file({"noise": noise}, f / "noise.safetensors")

    def words():
        hidden = []
        for part, pad in ((first, 49407), (second, 0)):
            ids = [49406] + CAT + [49407]
            out = part.model(torch.tensor([ids + [pad] * (77 - len(ids))]), output_hidden_states=True)
            hidden.append(out.hidden_states[-2])
        e, p = torch.cat(hidden, -1), out.text_embeds
        return {
            "prompt_embeds": e,
            "pooled_prompt_embeds": p,
            "negative_prompt_embeds": torch.zeros_like(e),
            "negative_pooled_prompt_embeds": torch.zeros_like(p),
        }

    def run(cls=StableDiffusionXLPipeline, parts={}, before=None, **more):
        pipe = quiet(
            cls(
                vae=vae.model,
                text_encoder=first.model,
                text_encoder_2=second.model,
                tokenizer=None,
                tokenizer_2=None,
                unet=unet.model,
                scheduler=euler,
                add_watermarker=False,
                **parts,
            )
        )
        if before:
            before(pipe)
        common = {
            "num_inference_steps": b.o.steps,
            "guidance_scale": 7.0,
            "width": W,
            "height": H,
            "output_type": "latent",
        }
        z = pipe(**words(), **common, latents=noise.clone(), **more).images
        return z, vae.model.decode(z / 0.13025).sample

    arguments = ["--prompt", "a photo of a cat", "--steps", b.o.steps, "--guidance", 7, "--width", W, "--height", H]
    arguments += ["--sampler", "euler", "--schedule", "normal", "--noise", f / "noise.safetensors"]
    b.compare("plain", run, arguments)

    # A ControlNet in diffusers' layout.
    def controlled():
        net = Part(f / "control", lambda: ControlNetModel(**XL_SHARED), "F16")
        look = picture(W, H)
        return run(
            StableDiffusionXLControlNetPipeline,
            {"controlnet": net.model},
            image=look,
            controlnet_conditioning_scale=0.75,
        )

    picture(W, H).save(f / "picture.png")
    control = f"{f}/control/diffusion_pytorch_model.safetensors={f}/picture.png,weight=0.75"
    b.compare("control", controlled, arguments + ["--control", control])

    # IP-Adapters: Plus with ViT-H, and the plain one with bigG.
    for name, size, projection in (("plus", VIT_H, 1024), ("plain-bigg", VIT_G, 1280)):
        if b.o.cases and f"ip-{name}" not in b.o.cases:
            continue
        kind = CLIPVisionConfig(hidden_act="gelu", image_size=224, patch_size=14, projection_dim=projection, **size)
        see = Part(f / f"vision-{name}", lambda: CLIPVisionModelWithProjection(kind), "F16", "vision_model.")
        path = f / f"ip-{name}.safetensors"
        if not path.exists():
            write(
                path,
                ip_shapes(unet.model, size["hidden_size"] if name == "plus" else projection, name == "plus"),
                "F16",
            )

        def looked():
            state = {"image_proj": {}, "ip_adapter": {}}
            for k, v in load_file(path).items():
                part, _, rest = k.partition(".")
                state[part][rest] = v.float()
            seen = eye(picture(W, H))

            def give(pipe):
                pipe.unet.to = lambda *_, **__: pipe.unet  # its own weights are not there yet
                pipe.unet._load_ip_adapter_weights([state], low_cpu_mem_usage=False)
                del pipe.unet.to
                pipe.set_ip_adapter_scale(0.75)

            out = see.model(seen, output_hidden_states=True)
            zeros = see.model(torch.zeros_like(seen), output_hidden_states=True)
            pair = (
                torch.cat([zeros.hidden_states[-2], out.hidden_states[-2]])[:, None]
                if name == "plus"
                else torch.cat([torch.zeros_like(out.image_embeds), out.image_embeds])[:, None]
            )
            result = run(before=give, ip_adapter_image_embeds=[pair])
            unet.model.set_default_attn_processor()
            unet.model.encoder_hid_proj = None
            unet.model.config.encoder_hid_dim_type = None
            return result

        reference = f"{f}/picture.png,weight=0.75,net={path}"
        b.compare(f"ip-{name}", looked, arguments + ["--reference", reference, "--vision", see.path.parent])

    # A LoRA in kohya's names for the UNet and both encoders. Changes the reference's weights: last.
    modules = {(unet, n): m for n, m in unet.model.named_modules() if isinstance(m, torch.nn.Linear) and "attn" in n}
    for part in (first, second):
        modules |= {(part, n): m for n, m in part.model.named_modules() if n.endswith(("_proj", "fc1", "fc2"))}
    modules = {k: m.weight.shape for k, m in modules.items()}
    path, pairs = f / "lora.safetensors", low_rank(modules)
    lora = {}
    for (part, name), (up, down) in pairs.items():
        stem = f"lora_unet_{original_unet(name).removeprefix('model.diffusion_model.')}"
        if part is not unet:
            stem = f"lora_te{1 if part is first else 2}_{part.of(name)}"
        stem = stem.replace(".", "_")
        lora |= {f"{stem}.lora_up.weight": up, f"{stem}.lora_down.weight": down, f"{stem}.alpha": torch.tensor(8.0)}
    if not path.exists():
        save_file({k: v.contiguous() for k, v in lora.items()}, path)

    def adapted():
        for (part, name), (up, down) in pairs.items():
            part.change({name + ".weight": lambda up=up, down=down: 0.75 * 0.5 * (up.float() @ down.float())})
        return run()

    b.compare("lora", adapted, arguments + ["--lora", f"{path}=0.75"])


def eye(image):
    """CLIP's processor for a picture of 4:3."""
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    return CLIPImageProcessorPil()(image, return_tensors="pt").pixel_values


def ip_shapes(unet, n_seen, plus):
    width, inner = 2048, 1280
    proj = {
        "proj.weight": (4 * width, n_seen),
        "proj.bias": (4 * width,),
        "norm.weight": (width,),
        "norm.bias": (width,),
    }
    if plus:
        proj = {"latents": (1, 16, inner), "proj_in.weight": (inner, n_seen), "proj_in.bias": (inner,)}
        proj |= {
            "proj_out.weight": (width, inner),
            "proj_out.bias": (width,),
            "norm_out.weight": (width,),
            "norm_out.bias": (width,),
        }
        for i in range(4):
            a, m = f"layers.{i}.0.", f"layers.{i}.1."
            proj |= {a + f"norm{k}.{e}": (inner,) for k in (1, 2) for e in ("weight", "bias")}
            proj |= {
                a + "to_q.weight": (1280, inner),
                a + "to_kv.weight": (2560, inner),
                a + "to_out.weight": (inner, 1280),
            }
            proj |= {
                m + "0.weight": (inner,),
                m + "0.bias": (inner,),
                m + "1.weight": (4 * inner, inner),
                m + "3.weight": (inner, 4 * inner),
            }
    shapes = {"image_proj." + k: v for k, v in proj.items()}
    weights = dict(unet.named_parameters())
    for i, place in enumerate(n for n in unet.attn_processors if "attn2" in n):
        c = weights[place.replace("processor", "to_q.weight")].shape[0]
        shapes |= {f"ip_adapter.{2 * i + 1}.{part}.weight": (c, width) for part in ("to_k_ip", "to_v_ip")}
    return shapes


# ---- with Qwen3

HEAD, TAIL = [151644, 872, 198], [151645, 198, 151644, 77091, 198]
WORDS = [64, 6548, 315, 264, 8251]  # "a photo of a cat"
THOUGHT = [151667, 271, 151668, 271]  # "<think>\n\n</think>\n\n"


def qwen3(layers=36):
    return Qwen3Model(
        Qwen3Config(
            hidden_size=2560,
            num_hidden_layers=layers,
            num_attention_heads=32,
            num_key_value_heads=8,
            head_dim=128,
            intermediate_size=9728,
            vocab_size=151936,
            rms_norm_eps=1e-6,
            tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        )
    )


def klein(b):
    f = b.folder
    network = Part(
        f / "transformer",
        lambda: Flux2Transformer2DModel(
            num_layers=5, num_single_layers=20, num_attention_heads=24, joint_attention_dim=7680, guidance_embeds=False
        ),
        "BF16",
    )
    text = Part(f / "text_encoder", lambda: qwen3(28), "BF16", "model.")  # those above are not used
    vae = Part(f / "vae", AutoencoderKLFlux2, "BF16")
    flow = FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True)
    b.json("model_index.json", {"_class_name": "Flux2KleinPipeline", "is_distilled": True})
    b.json("scheduler/scheduler_config.json", dict(flow.config) | {"_class_name": "FlowMatchEulerDiscreteScheduler"})
    noise = torch.randn(1, 128, H // 16, W // 16, generator=torch.Generator().manual_seed(2))
    save_file({"noise": noise}, f / "noise.safetensors")
    kept = []

    def words():
        if not kept:
            ids = HEAD + WORDS + TAIL + THOUGHT
            mask = torch.tensor([[1] * len(ids) + [0] * (512 - len(ids))])
            ids = torch.tensor([ids + [151643] * (512 - len(ids))])
            states = text.model(ids, attention_mask=mask, output_hidden_states=True).hidden_states
            kept.append(torch.cat([states[i] for i in (9, 18, 27)], dim=-1))
        return kept[0]

    def run(**more):
        pipe = quiet(Flux2KleinPipeline(flow, vae.model, None, None, network.model, is_distilled=True))
        common = {
            "num_inference_steps": b.o.steps,
            "guidance_scale": 1.0,
            "width": W,
            "height": H,
            "output_type": "latent",
        }
        z = pipe(prompt_embeds=words(), latents=noise.clone(), **common, **more).images
        x = vae.model.decode(z).sample
        n, c, h, w = z.shape
        z = z.view(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, c * 4, h // 2, w // 2)
        bn = vae.model.bn
        z = (z - bn.running_mean.view(1, -1, 1, 1)) / torch.sqrt(
            bn.running_var.view(1, -1, 1, 1) + vae.model.config.batch_norm_eps
        )
        return z, x

    arguments = ["--prompt", "a photo of a cat", "--steps", b.o.steps, "--width", W, "--height", H]
    arguments += ["--noise", f / "noise.safetensors"]
    b.compare("plain", run, arguments)
    picture(W, H).save(f / "picture.png")
    b.compare("reference", lambda: run(image=picture(W, H)), arguments + ["--reference", f / "picture.png"])


def zimage(b):
    f = b.folder
    network = Part(f / "transformer", ZImageTransformer2DModel, "BF16")
    vae = Part(
        f / "vae",
        lambda: vae_kl(16, use_quant_conv=False, use_post_quant_conv=False, scaling_factor=0.3611, shift_factor=0.1159),
        "BF16",
    )
    text = Part(f / "text_encoder", qwen3, "BF16", "model.")
    flow = FlowMatchEulerDiscreteScheduler(shift=3.0)
    b.json("model_index.json", {"_class_name": "ZImagePipeline"})
    b.json("scheduler/scheduler_config.json", dict(flow.config) | {"_class_name": "FlowMatchEulerDiscreteScheduler"})
    noise = torch.randn(1, 16, H // 8, W // 8, generator=torch.Generator().manual_seed(2))
    save_file({"noise": noise}, f / "noise.safetensors")

    def run():
        states = text.model(torch.tensor([HEAD + WORDS + TAIL]), output_hidden_states=True).hidden_states[-2]
        pipe = quiet(ZImagePipeline(flow, vae.model, None, None, network.model))
        common = {
            "num_inference_steps": b.o.steps,
            "guidance_scale": 0.0,
            "width": W,
            "height": H,
            "output_type": "latent",
        }
        z = pipe(prompt=None, prompt_embeds=[states[0]], latents=noise.clone(), **common).images
        return z, vae.model.decode(z / 0.3611 + 0.1159).sample

    arguments = ["--prompt", "a photo of a cat", "--steps", b.o.steps, "--width", W, "--height", H]
    b.compare("plain", run, arguments + ["--noise", f / "noise.safetensors"])


def main():
    a = argparse.ArgumentParser()
    a.add_argument("families", nargs="+", choices=["sdxl", "klein", "zimage"])
    a.add_argument("--cases", nargs="*", default=[])
    a.add_argument("--folder", default="/tmp/sfumato-full-size-runs", type=pathlib.Path)
    a.add_argument("--build", default=str(pathlib.Path(__file__).parents[2] / "build"))
    a.add_argument("--steps", type=int, default=2)
    a.add_argument("--options", default="", help="more of the command's")
    a.add_argument("--keep", action="store_true", help="leave the files")
    o = a.parse_args()
    for family in o.families:
        {"sdxl": sdxl, "klein": klein, "zimage": zimage}[family](Bench(o, family))
        if not o.keep:
            shutil.rmtree(o.folder / family)


if __name__ == "__main__":
    main()
