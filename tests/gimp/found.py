#!/usr/bin/env python3
"""Lays out home folders as other programs do, and looks at what the plug-in finds there by itself.

usage: found.py FOUND WRITE-MODEL      FOUND: built from found.c; WRITE-MODEL: tests/parity/write-model"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import os
import shutil
import subprocess
import sys
import tempfile

KRITA = ".local/share/krita/ai_diffusion/server"
# name: where its models lie in the home folder, one of them below that, a LoRA (None: it lies deeper than is looked)
PROGRAMS = {
    "ComfyUI": ("ComfyUI/models", "checkpoints/painter", "loras/ink.safetensors"),
    "ComfyUI's desktop program": ("Documents/ComfyUI/models", "diffusers/painter", "loras/style/ink.safetensors"),
    "AUTOMATIC1111": ("stable-diffusion-webui/models", "Stable-diffusion/painter", "Lora/ink.safetensors"),
    "Forge": ("stable-diffusion-webui-forge/models", "Stable-diffusion/painter", "Lora/ink.safetensors"),
    "InvokeAI": ("invokeai/models", "sd-1/main/painter", None),
    "Krita's plug-in": (f"{KRITA}/models", "checkpoints/painter", "loras/ink.safetensors"),
    "Krita's plug-in, as it was": (f"{KRITA}/ComfyUI/models", "checkpoints/painter", "loras/ink.safetensors"),
}


def found(program, home):
    """The lines that the program prints."""
    env = dict(os.environ, HOME=home, XDG_DATA_HOME=f"{home}/.local/share", XDG_DATA_DIRS=f"{home}/none")
    env.pop("SFUMATO_MODELS", None)
    run = subprocess.run([program], env=env, capture_output=True, text=True, check=False)
    # What is beside the program (the model in the box in the build tree) is not in question.
    return [line for line in run.stdout.splitlines() if "first" in line or home in line]


def check(program, painter, name):
    """An empty list, or what is wrong."""
    folder, model, lora = PROGRAMS[name]
    home = os.path.realpath(tempfile.mkdtemp(prefix="sfumato-found-"))
    try:
        path = f"{home}/{folder}/{model}"
        os.makedirs(os.path.dirname(path))
        os.symlink(painter, path)  # many keep their models on another disk
        wanted = [f"model {path}", f"first generate {path}"]
        if lora:
            os.makedirs(os.path.dirname(f"{home}/{folder}/{lora}"))
            open(f"{home}/{folder}/{lora}", "wb").close()
            wanted.append(f"adapter {home}/{folder}/{lora}")
        lines = found(program, home)
        return [f"no line: {line}" for line in wanted if line not in lines] and [
            "wanted:",
            *wanted,
            "there is:",
            *lines,
        ]
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main():
    program, write_model = sys.argv[1:3]
    print(f"1..{len(PROGRAMS)}")
    models = tempfile.mkdtemp(prefix="sfumato-painter-")
    try:
        subprocess.run([write_model, "sd1", f"{models}/painter"], check=True)
        for i, name in enumerate(PROGRAMS, 1):
            wrong = check(program, f"{models}/painter", name)
            print(f"{'not ok' if wrong else 'ok'} {i} - models of {name} are found and used")
            for line in wrong:
                print("#", line)
    finally:
        shutil.rmtree(models, ignore_errors=True)


if __name__ == "__main__":
    main()
