#!/usr/bin/env python3
"""FLUX.2 klein 4B at full size with random Q4_0 weights: seconds and peak memory of one picture. Not part of the test
suite (3 GB of disk).

    python tests/bench/klein.py [--folder FOLDER] [--build BUILD] [--size 512] [--steps 1] [--precision auto]
                                [--memory 2G] [--encoder q4_0|q4_k_m] [--remove]

The transformer and Qwen3-4B (all zeros) are GGUF files with the names of the published ones, the autoencoder is
diffusers' AutoencoderKLFlux2. --remove fills a hole in a picture, which the network then sees, too. The first run
encodes the prompt; the second one finds it encoded and shows what the transformer alone takes. Run with torch
2.13.0+cpu, diffusers 0.42.1, numpy 2.4.6, pillow.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import argparse
import math
import os
import pathlib
import struct
import subprocess
import time

import numpy as np

BLOCKS = {0: (1, 4), 2: (32, 18), 12: (256, 144), 14: (256, 210)}  # GGUF's type: values and bytes of a block
F32, Q4_0, Q4_K, Q6_K = BLOCKS
TEXT, NUMBER = 8, 4  # types of metadata: string, 32-bit number
HIDDEN, MLP, CONTEXT = 3072, 9216, 7680


def transformer():
    """Name -> shape, as in Black Forest Labs' file."""
    t = {
        "img_in.weight": (HIDDEN, 128),
        "txt_in.weight": (HIDDEN, CONTEXT),
        "time_in.in_layer.weight": (HIDDEN, 256),
        "time_in.out_layer.weight": (HIDDEN, HIDDEN),
        "single_stream_modulation.lin.weight": (3 * HIDDEN, HIDDEN),
        "final_layer.adaLN_modulation.1.weight": (2 * HIDDEN, HIDDEN),
        "final_layer.linear.weight": (128, HIDDEN),
    }
    for side in ("img", "txt"):
        t[f"double_stream_modulation_{side}.lin.weight"] = (6 * HIDDEN, HIDDEN)
        for i in range(5):
            b = f"double_blocks.{i}.{side}_"
            t |= {
                b + "attn.qkv.weight": (3 * HIDDEN, HIDDEN),
                b + "attn.proj.weight": (HIDDEN, HIDDEN),
                b + "mlp.0.weight": (2 * MLP, HIDDEN),
                b + "mlp.2.weight": (HIDDEN, MLP),
                b + "attn.norm.query_norm.scale": (128,),
                b + "attn.norm.key_norm.scale": (128,),
            }
    for i in range(20):
        b = f"single_blocks.{i}."
        t |= {
            b + "linear1.weight": (3 * HIDDEN + 2 * MLP, HIDDEN),
            b + "linear2.weight": (HIDDEN, HIDDEN + MLP),
            b + "norm.query_norm.scale": (128,),
            b + "norm.key_norm.scale": (128,),
        }
    return t


def qwen3():
    t = {"token_embd.weight": (151936, 2560), "output_norm.weight": (2560,)}
    for i in range(36):
        b = f"blk.{i}."
        t |= {
            b + "attn_q.weight": (4096, 2560),
            b + "attn_k.weight": (1024, 2560),
            b + "attn_v.weight": (1024, 2560),
            b + "attn_output.weight": (2560, 4096),
            b + "attn_q_norm.weight": (128,),
            b + "attn_k_norm.weight": (128,),
            b + "attn_norm.weight": (2560,),
            b + "ffn_norm.weight": (2560,),
            b + "ffn_gate.weight": (9728, 2560),
            b + "ffn_up.weight": (9728, 2560),
            b + "ffn_down.weight": (2560, 9728),
        }
    return t


QWEN3 = {
    "general.architecture": "qwen3",
    "qwen3.block_count": 36,
    "qwen3.embedding_length": 2560,
    "qwen3.feed_forward_length": 9728,
    "qwen3.attention.head_count": 32,
    "qwen3.attention.head_count_kv": 8,
    "qwen3.attention.key_length": 128,
    "qwen3.attention.value_length": 128,
    "qwen3.context_length": 40960,
    "qwen3.rope.freq_base": 1000000.0,
    "qwen3.attention.layer_norm_rms_epsilon": 1e-6,
}


def text(s):
    return struct.pack("<Q", len(s)) + s.encode()


def all_q4_0(name, shape):
    return F32 if len(shape) == 1 else Q4_0


def q4_k_m(name, shape):
    """As llama.cpp mixes them: more bits for the words, and for values and the second product of half of the layers."""
    if len(shape) == 1:
        return F32
    layer = int(name.split(".")[1]) if name.startswith("blk.") else 0
    more = layer < 36 // 8 or layer >= 7 * 36 // 8 or (layer - 36 // 8) % 3 == 2
    return Q6_K if name == "token_embd.weight" or (more and ("attn_v" in name or "ffn_down" in name)) else Q4_K


def values(shape, rng):
    """Bytes of normal size for that many inputs; vectors are ones."""
    if len(shape) == 1:
        return np.ones(shape, np.float32).tobytes()
    blocks = np.empty((math.prod(shape) // 32, 18), np.uint8)
    blocks[:, 2:] = rng.integers(0, 256, (len(blocks), 16), np.uint8)
    blocks[:, :2] = np.frombuffer(np.float16(1 / (4.6 * math.sqrt(shape[1]))).tobytes(), np.uint8)
    return blocks.tobytes()


def write_gguf(path, tensors, metadata, hollow=False, kind=all_q4_0):
    """hollow: matrices are zeros, which take no room on the disk."""
    rng = np.random.default_rng(1)
    kinds = [kind(name, shape) for name, shape in tensors.items()]
    sizes = [math.prod(s) // BLOCKS[k][0] * BLOCKS[k][1] for s, k in zip(tensors.values(), kinds)]
    with open(path, "wb") as f:
        f.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)))
        for key, v in metadata.items():
            f.write(
                text(key)
                + (
                    struct.pack("<I", 8) + text(v)
                    if isinstance(v, str)
                    else (struct.pack("<If", 6, v) if isinstance(v, float) else struct.pack("<II", NUMBER, v))
                )
            )
        place = 0
        for (name, shape), size, number in zip(tensors.items(), sizes, kinds):
            f.write(
                text(name)
                + struct.pack("<I", len(shape))
                + struct.pack(f"<{len(shape)}Q", *reversed(shape))
                + struct.pack("<IQ", number, place)
            )
            place += (size + 31) // 32 * 32
        f.write(bytes(-f.tell() % 32))
        for shape, size in zip(tensors.values(), sizes):
            if hollow and len(shape) > 1:
                f.seek(size, os.SEEK_CUR)
            else:
                f.write(values(shape, rng))
            f.seek(-f.tell() % 32, os.SEEK_CUR)
        f.truncate()


def write_vae(folder):
    import torch
    from diffusers import AutoencoderKLFlux2

    torch.manual_seed(1)
    AutoencoderKLFlux2().half().save_pretrained(folder)


def write_pictures(folder, size):
    from PIL import Image

    folder.mkdir()
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).resize((size, size)).save(folder / "photo.png")
    mask = Image.new("L", (size, size))
    mask.paste(255, (size // 3, size // 3, 2 * size // 3, 2 * size // 3))
    mask.save(folder / "mask.png")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--folder", default="/tmp/sfumato-klein", type=pathlib.Path)
    a.add_argument("--build", default=pathlib.Path(__file__).parents[2] / "build")
    a.add_argument("--size", type=int, default=512)
    a.add_argument("--steps", type=int, default=1)
    a.add_argument("--precision", default="auto")
    a.add_argument("--memory", default="", help="as of sfumato, for instance 2G")
    a.add_argument("--encoder", default="q4_0", choices=("q4_0", "q4_k_m"))
    a.add_argument("--remove", action="store_true")
    o = a.parse_args()
    encoder = "qwen3.gguf" if o.encoder == "q4_0" else "qwen3-q4_k_m.gguf"
    o.folder.mkdir(parents=True, exist_ok=True)
    files = {
        "klein.gguf": lambda p: write_gguf(p, transformer(), {"general.architecture": "flux"}),
        "qwen3.gguf": lambda p: write_gguf(p, qwen3(), QWEN3, True),
        "qwen3-q4_k_m.gguf": lambda p: write_gguf(p, qwen3(), QWEN3, True, q4_k_m),
        f"pictures{o.size}": lambda p: write_pictures(p, o.size),
        "vae": write_vae,
    }
    for name, make in files.items():
        if not (o.folder / name).exists():
            make(o.folder / name)
    pictures = o.folder / f"pictures{o.size}"
    task = (
        ["inpaint", pictures / "photo.png", o.folder / "out.png", "--mask", pictures / "mask.png"]
        if o.remove
        else ["txt2img", o.folder / "out.png", "--width", o.size, "--height", o.size]
    )
    command = [
        f"{o.build}/engine/cli/sfumato",
        *task,
        "--model",
        o.folder / "klein.gguf",
        "--text",
        o.folder / encoder,
        "--vae",
        next((o.folder / "vae").glob("*.safetensors")),
        "--prompt",
        f"a house {time.time()}",
        "--steps",
        str(o.steps),
        "--seed",
        "1",
        "--precision",
        o.precision,
    ] + (["--memory", o.memory] if o.memory else [])
    for what in ("with the prompt", "the prompt encoded before"):
        start, child = time.time(), subprocess.Popen([str(c) for c in command])
        _, status, usage = os.wait4(child.pid, 0)
        print(
            f"{what}: exit {os.waitstatus_to_exitcode(status)}, {time.time() - start:.1f} s, "
            f"{usage.ru_utime + usage.ru_stime:.1f} s of CPU, "
            f"peak {usage.ru_maxrss / 1e6:.2f} GB",
            flush=True,
        )


if __name__ == "__main__":
    main()
