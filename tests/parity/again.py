#!/usr/bin/env python3
"""A picture's metadata make it again: adapters, control pictures and references, through a PNG and --from; and runs in
one program do not touch each other. On small models. TAP. again.py SFUMATO WRITE_MODEL"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import array
import subprocess
import sys

from jobs import Bench, leave, pixels, report, write

BENCH = Bench(*sys.argv[1:3], "again")
TMP = BENCH.folder
BENCH.env["SFUMATO_MODELS"] = str(TMP / "models")
SMALL = ["--steps", "2", "--width", "64", "--height", "64", "--seed", "7"]


def picture(name, r, g, b):
    """64 x 64 pixels of a pattern, as PPM."""
    rows = bytes(
        v
        for y in range(64)
        for x in range(64)
        for v in ((x * r) % 256, (y * g) % 256, ((x // 8 + y // 8) % 2 * b) % 256)
    )
    path = TMP / name
    path.write_bytes(b"P6 64 64 255\n" + rows)
    return path


def lora(path):
    name = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_v"
    down, up = [((i * 37) % 19 - 9) / 20 for i in range(2 * 64)], [((i * 53) % 23 - 11) / 20 for i in range(32 * 2)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write(
        path,
        {
            name + ".lora_down.weight": ("F32", [2, 64], array.array("f", down).tobytes()),
            name + ".lora_up.weight": ("F32", [32, 2], array.array("f", up).tobytes()),
        },
    )
    return path


def run(task, out, *more):
    r = subprocess.run(
        [BENCH.sfumato, *task, out, *map(str, more)], capture_output=True, text=True, env=BENCH.env, timeout=120
    )
    return pixels(out) if r.returncode == 0 else None, r.stderr.strip()


def models():
    """Their paths by short names; those in folders are found by name, too."""
    (TMP / "models/ControlNet").mkdir(parents=True)
    (TMP / "models/clip_vision").mkdir()
    BENCH.model("vit-single", TMP / "models/clip_vision/vit.safetensors", "ip-adapter")
    lora(TMP / "models/Lora/ink.safetensors")
    return {
        "sd": BENCH.model("sd", TMP / "sd", "control"),
        "net": BENCH.model("net-single", TMP / "models/ControlNet/lines net.safetensors", "control"),
        "t2i": BENCH.model("t2i-single", TMP / "t2i.safetensors", "control"),
        "looking": BENCH.model("sd", TMP / "looking", "ip-adapter"),
        "plain": BENCH.model("plain", TMP / "plain.safetensors", "ip-adapter"),
        "klein": BENCH.model("pipe", TMP / "klein", "flux2"),
        "lora": lora(TMP / "by path=odd.safetensors"),
    }


def cases(m, one, two):
    """[(what, task with its input, options)] of the models m and two pictures."""
    mask = TMP / "mask.pgm"
    mask.write_bytes(
        b"P5 64 64 255\n" + bytes(255 if 16 <= x < 48 and 16 <= y < 48 else 0 for y in range(64) for x in range(64))
    )
    draw = ["txt2img"]
    sd = ["--model", m["sd"], "--prompt"]
    cat = [*sd, "a cat"]
    lines = f"lines net={two},weight=0.4,from=0.1,to=1,prepare=canny:40:90"
    look = ["--model", m["looking"], "--prompt", "a cat"]
    edit = ["--model", m["klein"], "--prompt", "a cat", "--working-size", "64"]
    return [
        ("a LoRA by its path", draw, [*cat, "--lora", f"{m['lora']}=0.75,0.5"]),
        ("a LoRA of the folders", draw, [*cat, "--lora", "ink=0.5"]),
        ("a LoRA in the prompt", draw, [*sd, "a cat <lora:ink:0.5:0.25>"]),
        ("two LoRAs", draw, [*sd, "a cat <lora:ink:-1>", "--lora", f"{m['lora']}=2"]),
        ("a control picture", draw, [*cat, "--control", lines]),
        (
            "two control pictures",
            draw,
            [*cat, "--control", f"{m['net']}={two},weight=0.4", "--control", f"{m['t2i']}={one},weight=0.3,guess=1"],
        ),
        ("a reference", draw, [*look, "--reference", f"{two},weight=0.6,from=0.1,net={m['plain']}"]),
        ("references of an edit", ["edit", one], [*edit, "--reference", two, "--reference", one]),
        ("filling with a LoRA", ["inpaint", one, "--mask", mask], [*cat, "--lora", f"{m['lora']}=0.5"]),
    ]


def made_again(number, task, options):
    """What is wrong with the picture that the metadata make."""
    small = SMALL if task[0] == "txt2img" else SMALL[:2] + SMALL[6:]
    first, out = TMP / f"{number}-first.png", TMP / f"{number}-again.png"
    made, said = run(task[:2], first, *task[2:], *options, *small)
    plainly, _ = run(task[:2], TMP / "plain.png", *task[2:], *options[:2], "--prompt", "a cat", *small)
    again, again_said = run(task[:2], out, *task[2:], "--from", first, *options[:2])
    if not made:
        return [f"not made: {said}"]
    if again != made:
        return [f"another picture: {again_said}"]
    return ["without them it is the same"] if made == plainly and task[0] != "edit" else []


def one_after_another(m, one):
    """Nothing of a run is in the next one: ControlNets that are whole only over the UNet take it as its file has it."""
    ranked, difference = (BENCH.model(k, TMP / f"{k}.safetensors", "control") for k in ("ranked", "difference"))
    with_lora = {"model": m["sd"], "lora": [str(m["lora"])]}
    jobs = {
        "a LoRA": with_lora,
        "a control-LoRA": {"model": m["sd"], "control": [f"{ranked}={one},weight=0.5"]},
        "a difference": {"model": m["sd"], "control": [f"{difference}={one},weight=0.5"]},
        "a control-LoRA with a LoRA": {**with_lora, "control": [f"{ranked}={one},weight=0.5"]},
    }
    order = ["a control-LoRA", "a difference", "a LoRA", "a control-LoRA", "a difference", "a control-LoRA with a LoRA"]
    order += ["a control-LoRA", "a LoRA"]
    first, bad = {}, []
    for what, (made, said) in zip(order, BENCH.run([jobs[what] for what in order])[0]):
        if not made or made != first.setdefault(what, made):
            bad.append(f"{what}: {said or 'another picture'}")
    return bad + ["two kinds make one picture"] * (len(set(first.values())) < len(jobs))


def main():
    if not BENCH.has_device():
        print("1..0 # SKIP no OpenCL device")
        return 0
    m = models()
    one, two = picture("one, with a comma.ppm", 5, 3, 255), picture("two.ppm", 9, 7, 200)
    failures, number = 0, 0
    for number, (what, task, options) in enumerate(cases(m, one, two), 1):
        failures += report(number, what, made_again(number, task, options))
    failures += report(number + 1, "runs one after another", one_after_another(m, one))
    print(f"1..{number + 1}")
    return failures > 0


leave(main, TMP)
