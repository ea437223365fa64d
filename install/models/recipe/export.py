"""Write and read the model folder: fp16 safetensors and configs as diffusers stores them.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""
import copy
import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file

from networks import Enlarger, factor


def export(work, cfg, vae=None, unet=None, enlarger=None):
    """Write the given networks, with the weights they now hold, to work/export."""
    folder = Path(work) / "export"
    folder.mkdir(parents=True, exist_ok=True)
    for name, net in (("vae", vae), ("unet", unet)):
        if net is not None:
            copy.deepcopy(net).to("cpu", torch.float16).save_pretrained(folder / name)
            path = folder / name / "config.json"
            config = {k: v for k, v in json.loads(path.read_text()).items() if k != "_name_or_path"}
            path.write_text(json.dumps(config, indent=2) + "\n")
            (folder / name / "diffusion_pytorch_model.safetensors").chmod(0o644)
    if enlarger is not None:
        path = folder / "enlarger" / f"x{enlarger.scale}.safetensors"
        path.parent.mkdir(exist_ok=True)
        save_file({k: v.detach().to("cpu", torch.float16).contiguous() for k, v in enlarger.state_dict().items()}, path)
        path.chmod(0o644)
    write_index(folder, cfg)


def write_index(folder, cfg):
    index = {
        "_class_name": "SfumatoMiniPipeline",
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "sfumato": cfg["sfumato"] | {
            "latent_factor": factor(cfg),
            "context": {"kind": "latent_grid", "size": cfg["context_size"]},
        },
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    scheduler = {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": cfg["shift"],
                 "use_dynamic_shifting": False}
    (folder / "scheduler").mkdir(exist_ok=True)
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler, indent=2) + "\n")


def load_folder(folder, with_unet=True):
    """(vae, unet or None) in fp32."""
    folder = Path(folder)
    vae = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32)
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32) if with_unet else None
    return vae, unet


def load_enlarger(path):
    """The stored network in fp32, its size told by its tensors."""
    stored = load_file(path)
    convs = sorted(int(k.split(".")[1]) for k, v in stored.items() if v.ndim == 4)
    features = stored["body.0.weight"].shape[0]
    net = Enlarger(round((stored[f"body.{convs[-1]}.weight"].shape[0] / 3) ** 0.5), features, len(convs) - 2)
    net.load_state_dict({k: v.float() for k, v in stored.items()})
    return net
