#!/usr/bin/env python3
"""The networks of `sfumato bench --model` in PyTorch: Stable Diffusion 1.5's UNet (batch 2) and VAE decoder at full
size with random weights, channels last, to compare with in one sitting.

    python3 tests/bench/torch-bench.py [--size 512] [--dtype float32 bfloat16] [--runs 5] [--parts unet
    vae] [--threads 2]

Prints the median wall time, and the least CPU time, which other processes hardly disturb. Run with torch 2.13.0+cpu,
diffusers 0.42.1.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import argparse
import os
import resource
import statistics
import time

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # waiting threads must not count as CPU time
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

UNET = {
    "sample_size": 64,
    "in_channels": 4,
    "out_channels": 4,
    "layers_per_block": 2,
    "block_out_channels": (320, 640, 1280, 1280),
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "latent_channels": 4,
    "layers_per_block": 2,
    "sample_size": 512,
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}


def measure(name, run, n):
    run()
    wall, cpu = [], []
    for _ in range(n):
        t, u = time.monotonic(), time.process_time()
        run()
        wall.append(time.monotonic() - t)
        cpu.append(time.process_time() - u)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:40} median {1e3 * statistics.median(wall):9.1f} ms  CPU {1e3 * min(cpu):9.1f} ms  process peak {peak:7.0f} MiB",
        flush=True,
    )


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--size", type=int, default=512)
    a.add_argument("--dtype", nargs="+", default=["float32", "bfloat16"], choices=["float32", "bfloat16"])
    a.add_argument("--parts", nargs="+", default=["unet", "vae"], choices=["unet", "vae"])
    a.add_argument("--runs", type=int, default=5)
    a.add_argument("--threads", type=int, default=2)
    o = a.parse_args()
    torch.set_num_threads(o.threads)
    side = o.size // 8
    for dtype in (getattr(torch, d) for d in o.dtype):
        with torch.inference_mode():
            if "unet" in o.parts:
                unet = UNet2DConditionModel(**UNET).eval().to(dtype=dtype, memory_format=torch.channels_last)
                x = torch.randn(2, 4, side, side, dtype=dtype).to(memory_format=torch.channels_last)
                t, context = torch.tensor([500, 500]), torch.randn(2, 77, 768, dtype=dtype)
                measure(f"UNet, batch 2, {o.size} px, {dtype}", lambda: unet(x, t, context), o.runs)
                del unet
            if "vae" in o.parts:
                vae = AutoencoderKL(**VAE).eval().to(dtype=dtype, memory_format=torch.channels_last)
                z = torch.randn(1, 4, side, side, dtype=dtype).to(memory_format=torch.channels_last)
                measure(f"VAE decode, {o.size} px, {dtype}", lambda: vae.decode(z), o.runs)
                del vae


main()
