"""Write and read the model folder: fp16 safetensors and configs as diffusers stores them.

    export.py A B SHARE OUT    an enlarger between two: SHARE of A's weights, the rest of B's, which may lack the noise

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import copy
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from networks import CONTEXT_SIZE, Enlarger


def export(folder, cfg, bridge=None, enlarger=None):
    """Write the given networks, with the weights they now hold, and the index to the model folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if bridge is not None:
        copy.deepcopy(bridge).to("cpu", torch.float16).save_pretrained(folder / "unet")
        path = folder / "unet" / "config.json"
        config = {k: v for k, v in json.loads(path.read_text()).items() if k != "_name_or_path"}
        path.write_text(json.dumps(config, indent=2) + "\n")
        (folder / "unet" / "diffusion_pytorch_model.safetensors").chmod(0o644)
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
        "sfumato": cfg["sfumato"]
        | {
            "latent": "pixels",
            "latent_factor": cfg["bridge"]["cell"],
            "context": {"kind": "latent_grid", "size": CONTEXT_SIZE},
        },
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    scheduler = {
        "_class_name": "FlowMatchEulerDiscreteScheduler",
        "num_train_timesteps": 1000,
        "shift": 1.0,
        "use_dynamic_shifting": False,
    }
    (folder / "scheduler").mkdir(exist_ok=True)
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler, indent=2) + "\n")


def load_enlarger(path):
    """The stored network in fp32, its size told by its tensors."""
    stored = load_file(path)
    convs = sorted(int(k.split(".")[1]) for k, v in stored.items() if v.ndim == 4)
    features = stored["body.0.weight"].shape[0]
    noise = stored["body.0.weight"].shape[1] - 3
    net = Enlarger(round((stored[f"body.{convs[-1]}.weight"].shape[0] / 3) ** 0.5), features, len(convs) - 2, noise)
    net.load_state_dict({k: v.float() for k, v in stored.items()})
    return net


def mix(a, b, share):
    """The network between two of the same size, of which a may see noise and b not."""
    plain = copy.deepcopy(a)
    plain.take(b.state_dict(), influence=0.0)
    other = plain.state_dict()
    a.load_state_dict({k: share * v + (1 - share) * other[k] for k, v in a.state_dict().items()})
    return a


if __name__ == "__main__":
    first, second, part, out = sys.argv[1:]
    net = mix(load_enlarger(first), load_enlarger(second), float(part))
    save_file({k: v.to(torch.float16).contiguous() for k, v in net.state_dict().items()}, out)
    Path(out).chmod(0o644)
