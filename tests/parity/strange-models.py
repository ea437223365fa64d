#!/usr/bin/env python3
"""Models as other programs leave them, and broken ones: files, tensors and configurations of a small Stable Diffusion
1.x folder x what can be wrong with them. Each cell is one job of a batch. It gives the sound model's picture, another
one where the change asks for another, or a sentence and no picture; never a picture that is wrong. TAP.
strange-models.py SFUMATO WRITE_MODEL"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import json
import os
import shutil
import struct
import sys

from jobs import OTHER, SAME, Bench, difference, leave, read, report, write

BENCH = Bench(*sys.argv[1:3], "strange")
TMP = BENCH.folder
UNET, VAE, TEXT = (
    "unet/diffusion_pytorch_model.safetensors",
    "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/model.safetensors",
)
SCHEDULER = "scheduler/scheduler_config.json"


# ---- what is done to a folder ----


def config(file, **values):
    def change(folder):
        old = json.loads((folder / file).read_text())
        put(file, json.dumps({k: v for k, v in {**old, **values}.items() if v is not None}))(folder)

    return change


def put(file, data):
    def change(folder):
        (folder / file).unlink(missing_ok=True)
        (folder / file).write_bytes(data if isinstance(data, bytes) else data.encode())

    return change


def cut(file, n):
    return lambda folder: put(file, (folder / file).read_bytes()[:-n])(folder)


def rename(old, new):
    return lambda folder: (folder / old).rename(folder / new)


def remove(name):
    return lambda folder: shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()


def tensors(file, change):
    return lambda folder: write(folder / file, change(read(folder / file)))


def names(file, fn):
    return tensors(file, lambda t: {fn(k): v for k, v in t.items()})


def without(file, word):
    return tensors(file, lambda t: {k: v for k, v in t.items() if word not in k})


def one(file, word, fn):
    """fn(dtype, shape, data) -> the same of the first tensor that has the word in its name."""

    def change(t):
        name = next(k for k in t if word in k)
        return {**t, name: fn(*t[name])}

    return tensors(file, change)


def extra(file, name):
    return tensors(file, lambda t: {**t, name: ("F16", [4], bytes(8))})


def widen(letter, dtype):
    def change(t):
        return {
            k: (dtype, s, struct.pack(f"<{len(b) // 2}{letter}", *struct.unpack(f"<{len(b) // 2}e", b)))
            for k, (_, s, b) in t.items()
        }

    return tensors(UNET, change)


def shards(lost=False, wrong_map=False):
    def change(folder):
        t = read(folder / UNET)
        (folder / UNET).unlink()
        half, files = len(t) // 2, [f"diffusion_pytorch_model-0000{i}-of-00002.safetensors" for i in (1, 2)]
        where = {k: files[i >= half] for i, k in enumerate(t)}
        for i in range(1 if lost else 2):
            write(folder / "unet" / files[i], {k: v for k, v in t.items() if where[k] == files[i]})
        if wrong_map:
            where[next(iter(t))] = files[1]
        put("unet/diffusion_pytorch_model.safetensors.index.json", json.dumps({"metadata": {}, "weight_map": where}))(
            folder
        )

    return change


def old_names(name):
    for new, old in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
        name = name.replace(new, old)
    return name


def unet(**values):
    return config("unet/config.json", **values)


def vae(**values):
    return config("vae/config.json", **values)


def text(**values):
    return config("text_encoder/config.json", **values)


def scheduler(**values):
    return config(SCHEDULER, **values)


def pipeline(name):
    return put("model_index.json", json.dumps({"_class_name": name}))


# What is done, and what comes of it: SAME, OTHER, or words of the sentence.
GROUPS = {
    "files that are cut, empty, foreign or absent": [
        (cut(UNET, 1), "lies outside the file"),
        (cut(UNET, 2000000), "lies outside the file"),
        (put(UNET, b""), "too short"),
        (cut(VAE, 100), "lies outside"),
        (cut(TEXT, 100), "lies outside"),
        (put(UNET, "<!DOCTYPE html><html>404</html>"), "is a web page"),
        (put(UNET, "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 3\n"), "is a pointer of Git LFS"),
        (remove(UNET), "no .safetensors file"),
        (remove("vae"), SAME),
        (remove("text_encoder"), SAME),
        (put("unet/config.json", "{"), "unet/config.json"),
        (put("unet/config.json", "[]"), "no JSON object"),
        (put(SCHEDULER, "x"), "scheduler_config.json"),
        (remove("unet/config.json"), "cannot do txt2img"),
    ],
    "tensors that are missing or of another shape": [
        (without(UNET, word), "missing or of the wrong shape")
        for word in (
            "time_embedding.linear_2",
            "mid_block.resnets.0.norm1.weight",
            "up_blocks.1.resnets.0.conv1.bias",
            "up_blocks.3.resnets.1",
            "mid_block.attentions",
            "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_k",
            "down_blocks.0.attentions",
            "conv_shortcut",
            "down_blocks.3",
            "upsamplers",
            "downsamplers",
        )
    ]
    + [
        (without(UNET, "conv_in.weight"), "conv_in"),
        (without(VAE, "attentions"), "missing"),
        (without(VAE, "post_quant"), "missing"),
        (without(VAE, "up_blocks.3.resnets.1"), "missing"),
        (without(VAE, ".resnets.1."), "up blocks"),
        (without(TEXT, "layers.1."), "missing"),
        (without(TEXT, "final_layer_norm"), "missing"),
        (without(TEXT, "position_embedding"), "CLIP"),
        (names(UNET, lambda k: k.replace("to_q.weight", "to_q.base_layer.weight")), "missing"),
        (one(UNET, "ff.net.0.proj.weight", lambda d, s, b: (d, s[::-1], b)), "wrong shape"),
        (one(TEXT, "token_embedding", lambda d, s, b: (d, [100, s[1]], b[: 200 * s[1]])), "is not one of the 100"),
        (one(UNET, "mid_block.resnets.0.conv1.weight", lambda d, s, b: (d, s, b"\x00\x7e" + b[2:])), "NaN"),
        (one(VAE, "decoder.conv_in.weight", lambda d, s, b: (d, s, b"\x00\x7e" + b[2:])), "NaN"),
    ],
    "tensors that make another network": [
        (extra(UNET, "time_embedding.cond_proj.weight"), "told the guidance"),
        (extra(UNET, "position_net.linears.0.weight"), "GLIGEN"),
        (extra(UNET, "down_blocks.0.motion_modules.0.norm.weight"), "AnimateDiff"),
        (extra(UNET, "mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_k_ip.weight"), "IP-Adapter"),
        (extra(UNET, "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.default.weight"), "not merged"),
        (extra(UNET, "mid_block.attentions.0.proj_in.smooth_factor"), "SVDQuant"),
        (extra(VAE, "decoder.mid_block.resnets.0.time_stack.conv1.weight"), "videos"),
    ],
    "layouts of other exporters": [
        (widen("f", "F32"), SAME),
        (widen("d", "F64"), SAME),
        (shards(), SAME),
        (shards(wrong_map=True), SAME),
        (shards(lost=True), "cannot be opened"),
        (rename(UNET, "unet/diffusion_pytorch_model.fp16.safetensors"), SAME),
        (rename(UNET, "unet/model.safetensors"), SAME),
        (names(VAE, old_names), SAME),
        (names(TEXT, lambda k: k.replace("text_model.", "")), SAME),
        (remove("model_index.json"), SAME),
        (extra(TEXT, "text_model.embeddings.position_ids"), SAME),
        (extra(TEXT, "text_projection.weight"), SAME),
        (without(VAE, "encoder."), SAME),
        (remove("scheduler"), SAME),
    ],
    "configurations that ask for another network": [
        (unet(**{key: value}), f"{key} = ")
        for key, value in (
            ("act_fn", "gelu"),
            ("resnet_time_scale_shift", "scale_shift"),
            ("center_input_sample", True),
            ("downsample_padding", 0),
            ("mid_block_scale_factor", 2),
            ("time_embedding_type", "fourier"),
            ("resnet_out_scale_factor", 1.4),
            ("attention_type", "gated"),
            ("dual_cross_attention", True),
            ("class_embed_type", "timestep"),
            ("encoder_hid_dim_type", "text_proj"),
            ("conv_in_kernel", 1),
            ("time_cond_proj_dim", 256),
            ("time_embedding_act_fn", "silu"),
            ("timestep_post_act", "gelu"),
            ("_class_name", "UNetFlatConditionModel"),
            ("resnet_skip_time_act", True),
            ("mid_block_type", "UNetMidBlock2DSimpleCrossAttn"),
            ("cross_attention_norm", "group_norm"),
        )
    ]
    + [
        (unet(layers_per_block=2), "missing"),
        (unet(num_class_embeds=10), "class_embedding"),
        (vae(act_fn="relu"), "act_fn = "),
        (vae(latents_mean=[0, 0, 0, 0]), "latents_mean"),
        (vae(_class_name="VQModel"), "VQModel"),
        (text(hidden_act="relu"), "hidden_act = "),
        (scheduler(prediction_type="foo"), "prediction_type = "),
        (scheduler(beta_schedule="squaredcos_cap_v2"), "beta_schedule = "),
        (scheduler(trained_betas=[0.1] * 1000), "trained_betas = "),
        (pipeline("PaintByExamplePipeline"), "PaintByExample"),
        (pipeline("StableDiffusionGLIGENPipeline"), "GLIGEN"),
    ],
    "configurations that are followed, or say nothing new": [
        (unet(norm_eps=1e-2), OTHER),
        (unet(attention_head_dim=8), OTHER),
        (unet(flip_sin_to_cos=False), OTHER),
        (unet(freq_shift=1), OTHER),
        (unet(norm_num_groups=16), OTHER),
        (unet(norm_num_groups=16.0), OTHER),
        (vae(scaling_factor=0.13025), OTHER),
        (vae(shift_factor=0.1), OTHER),
        (vae(norm_num_groups=16), OTHER),
        (text(hidden_act="gelu"), OTHER),
        (text(num_attention_heads=1), OTHER),
        (text(num_hidden_layers=1), OTHER),
        (scheduler(prediction_type="v_prediction"), OTHER),
        (scheduler(beta_schedule="linear"), OTHER),
        (scheduler(rescale_betas_zero_snr=True), OTHER),
        (unet(upcast_attention=True, act_fn="swish", downsample_padding=1.0, attention_type=None), SAME),
        (vae(force_upcast=True), SAME),
        (pipeline("StableDiffusionInpaintPipeline"), SAME),
        (pipeline("LatentConsistencyModelPipeline"), SAME),
    ],
}


def main():
    if not BENCH.has_device():
        print("1..0 # SKIP no OpenCL device")
        return 0
    sound = BENCH.model("sd1", TMP / "sound")
    failures = 0
    for number, (group, cells) in enumerate(GROUPS.items(), 1):
        folders, bad = [], []
        for i, (change, _) in enumerate(cells):
            folders.append(TMP / f"{number}-{i}")
            shutil.copytree(sound, folders[-1], copy_function=os.link)
            change(folders[-1])
        results, said_at_all = BENCH.run([{"model": f} for f in [sound] + folders])
        right = results.pop(0)[0]
        if not right:
            bad.append(f"the sound model: {said_at_all[-500:]}")
        for i, ((_, expected), result) in enumerate(zip(cells, results)):
            if wrong := difference(right, result, expected):
                bad.append(f"cell {i}: {wrong}")
        failures += report(number, f"{group} ({len(cells)} cells)", bad)
        for folder in folders:
            shutil.rmtree(folder)
    print(f"1..{len(GROUPS)}")
    return failures > 0


leave(main, TMP)
