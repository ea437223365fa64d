#!/usr/bin/env python3
"""The UNet of torch-bench.py in OpenVINO, with weights and activations in int8 by NNCF, or computed in bf16 or fp32, to
compare with in one sitting.

    python tests/bench/openvino-bench.py --folder FOLDER [--size 512] [--precision int8 bf16 fp32] [--runs 5]
                                         [--threads 2] [--channels 320 640 1280 1280]

Converted networks are kept in FOLDER, since NNCF takes minutes for one. Prints the median wall time, and the least CPU
time, which other processes hardly disturb. Run with openvino 2026.4, nncf 3.4, torch 2.13.0+cpu, diffusers 0.42.1.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import argparse
import pathlib
import resource
import statistics
import time

import numpy as np
import openvino as ov


def inputs(side, seed):
    g = np.random.default_rng(seed)
    return [
        g.standard_normal((2, 4, side, side), np.float32),
        np.array([981, 261]),
        g.standard_normal((2, 77, 768), np.float32),
    ]


def network(o, precision):
    """Path of the converted network."""
    side, kind = o.size // 8, "int8" if precision == "int8" else "fp32"
    path = o.folder / f"unet-{'-'.join(map(str, o.channels))}-{o.size}-{kind}.xml"
    if path.exists():
        return path
    if kind == "int8":
        import nncf

        data = nncf.Dataset([inputs(side, i) for i in range(2)])
        model = nncf.quantize(
            ov.Core().read_model(network(o, "fp32")), data, subset_size=2, model_type=nncf.ModelType.TRANSFORMER
        )
    else:
        import torch
        from diffusers import UNet2DConditionModel

        class Plain(torch.nn.Module):
            def __init__(self):
                super().__init__()
                torch.manual_seed(1)
                self.unet = UNet2DConditionModel(
                    sample_size=64,
                    in_channels=4,
                    out_channels=4,
                    layers_per_block=2,
                    block_out_channels=tuple(o.channels),
                    cross_attention_dim=768,
                    attention_head_dim=8,
                ).eval()

            def forward(self, x, t, context):
                return self.unet(x, t, context, return_dict=False)[0]

        with torch.inference_mode():
            model = ov.convert_model(
                Plain(),
                example_input=tuple(torch.from_numpy(v) for v in inputs(side, 0)),
                input=[v.shape for v in inputs(side, 0)],
            )
    o.folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(model, path, compress_to_fp16=True)
    return path


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--folder", type=pathlib.Path, required=True)
    a.add_argument("--size", type=int, default=512)
    a.add_argument("--precision", nargs="+", default=["int8", "bf16", "fp32"], choices=["int8", "bf16", "fp32"])
    a.add_argument("--runs", type=int, default=5)
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--channels", type=int, nargs="+", default=[320, 640, 1280, 1280])
    o = a.parse_args()
    for precision in o.precision:
        hint = {"int8": "bf16", "bf16": "bf16", "fp32": "f32"}[precision]  # what is not int8
        net = ov.Core().compile_model(
            network(o, precision), "CPU", {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": o.threads}
        )
        x = inputs(o.size // 8, 9)
        net(x)
        wall, cpu = [], []
        for _ in range(o.runs):
            t, u = time.monotonic(), time.process_time()
            net(x)
            wall.append(time.monotonic() - t)
            cpu.append(time.process_time() - u)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{f'UNet, batch 2, {o.size} px, openvino.{precision}':40} median {1e3 * statistics.median(wall):9.1f} ms  "
            f"CPU {1e3 * min(cpu):9.1f} ms  "
            f"process peak {peak:7.0f} MiB",
            flush=True,
        )


if __name__ == "__main__":
    main()
