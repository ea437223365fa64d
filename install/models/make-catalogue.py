#!/usr/bin/env python3
"""Makes catalogue.json, the models that `sfumato models get` and the dialog offer, from a collection of facts about
public files.

usage: make-catalogue.py FACTS.json > catalogue.json

Only files that Sfumato can open, with a license and a SHA-256, are taken; addresses stand as the facts give them,
pinned to a revision where that is known. FACTS.json: {"models": [{name, family, role, url, size_bytes, size_exact,
sha256, licence, format, ...}]}."""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import json
import re
import sys

FILL = ["inpaint", "outpaint"]
ALL = ["txt2img", "img2img", *FILL, "upscale"]
# (family, role) -> tasks, bytes of memory that a usual run needs, what to say about it, and the work of one picture in
# 10^12 operations: with the model's usual steps at its own size, for those that enlarge of a million pixels (from the
# layers' sizes, 5 % either way)
OFFERED = {
    ("sd15", "checkpoint_inpaint_lcm"): (
        FILL,
        3_000_000_000,
        "Fills a selection from words in four steps; the best choice without a GPU",
        4.3,
    ),
    ("sd15", "checkpoint_inpaint"): (FILL, 3_000_000_000, "Fills a selection from words", 31),
    ("sd15", "checkpoint"): (ALL, 3_000_000_000, "Makes pictures from words or from other pictures", 31),
    ("sdxl", "checkpoint"): (ALL, 9_000_000_000, "Makes large pictures from words (1024 pixels)", 250),
    ("inpaint-gan", "inpaint"): (FILL, 1_000_000_000, "Removes objects in one pass, without a prompt", 0.5),
    ("sd15", "tiny_vae"): ([], 500_000_000, "Shows sharper previews while a picture is made", 0),
    ("esrgan", "upscale_x2"): (["upscale"], 1_000_000_000, "Enlarges photographs 2x", 6),
    ("esrgan", "upscale_x4"): (["upscale"], 1_000_000_000, "Enlarges 4x", 24),
    ("compact", "upscale_x4"): (["upscale"], 500_000_000, "Enlarges 4x; small and fast", 2.5),
    ("omnisr", "upscale_x2"): (["upscale"], 1_000_000_000, "Enlarges 2x; small", 2),
    ("omnisr", "upscale_x4"): (["upscale"], 1_000_000_000, "Enlarges 4x; small", 2),
    ("dat", "upscale_x4"): (["upscale"], 2_000_000_000, "Enlarges 4x; slow, very sharp", 40),
}
CONTROLS = {
    ("sd15", "controlnet_canny"): "Follows a layer's edges, with Stable Diffusion 1.5",
    ("sd15", "controlnet_lineart"): "Follows a drawing, with Stable Diffusion 1.5",
    ("sd15", "controlnet_softedge"): "Follows a layer's soft edges, with Stable Diffusion 1.5",
    ("sd15", "controlnet_inpaint"): "Lets any Stable Diffusion 1.5 model fill a selection well",
    ("sdxl", "controlnet_union"): "Follows edges, drawings, poses or depth, with Stable Diffusion XL",
}
OFFERED |= {key: ([], 1_500_000_000, summary, 0) for key, summary in CONTROLS.items()}
# Models in pieces: name, title, family, {fact: file}, tasks, memory, summary, work.
QWEN = {"Qwen3-4B Q4_K_M": "text_encoders/Qwen3-4B-Q4_K_M.gguf"}
COMPOSED = [
    (
        "flux-2-klein-4b",
        "FLUX.2 klein 4B (Q4)",
        "flux2-klein-4b",
        {
            "FLUX.2 klein 4B Q4_0": "unet/flux-2-klein-4b-Q4_0.gguf",
            **QWEN,
            "FLUX.2 VAE (diffusers keys)": "vae/flux2-klein-vae.safetensors",
        },
        ["txt2img", "img2img", *FILL, "edit"],
        8_000_000_000,
        "Makes, fills and edits pictures by words, in four steps",
        180,
    ),
    (
        "z-image-turbo",
        "Z-Image-Turbo (Q4)",
        "zimage",
        {"Z-Image-Turbo Q4_0": "unet/z_image_turbo-Q4_0.gguf", **QWEN, "FLUX.1 VAE (ae)": "vae/ae.safetensors"},
        ["txt2img", "img2img", *FILL],
        9_000_000_000,
        "Makes pictures from words in eight steps, with readable lettering",
        480,
    ),
]
# Names as people know them.
TITLES = {
    "Stable Diffusion 1.5 (fp16, ema only)": "Stable Diffusion 1.5",
    "SDXL base 1.0 (0.9 VAE)": "Stable Diffusion XL base 1.0",
    "TAESD 1.3 (diffusers, encoder+decoder)": "TAESD 1.3",
    "big-lama TorchScript (HF)": "LaMa",
    "RealESRGAN x2plus": "Real-ESRGAN x2plus",
    "RealESRGAN x4plus": "Real-ESRGAN x4plus",
    "RealESRGAN x4plus anime 6B": "Real-ESRGAN x4plus anime 6B",
    "realesr-general-x4v3": "Real-ESRGAN general x4v3",
}
# What a newcomer could not tell from another entry: the same weights in twice the bytes, the same network with a weaker
# autoencoder, the same network in another file.
LEFT_OUT = {"Stable Diffusion 1.5 (fp32, ema only)", "SDXL base 1.0", "Fooocus LaMa"}
# Clear names of licenses; whoever is not here is shown as the facts say.
LICENSES = {
    "creativeml-openrail-m": "CreativeML OpenRAIL-M",
    "mit": "MIT",
    "bsd-3-clause": "BSD-3-Clause",
    "wtfpl": "WTFPL",
    "cc-by-4.0": "CC-BY-4.0",
    "apache-2.0": "Apache-2.0",
    "openrail++": "CreativeML OpenRAIL++-M",
    "openrail": "OpenRAIL",
}
NON_COMMERCIAL = re.compile(r"non-commercial|\bnc\b|-nc-|research license", re.I)


def license_of(text):
    plain = text.split("(")[0].split(";")[0].strip()
    if plain.startswith("other") and "OpenRAIL-M" in text:
        return "CreativeML OpenRAIL-M (terms on the model's page)"
    return LICENSES.get(plain.lower(), text)


def page_of(url):
    m = re.match(r"https://huggingface\.co/([^/]+/[^/]+)/", url) or re.match(r"https://github\.com/([^/]+/[^/]+)/", url)
    return (f"https://huggingface.co/{m[1]}" if "huggingface" in url else f"https://github.com/{m[1]}") if m else url


def entry(m):
    tasks, memory, summary, work = OFFERED[m["family"], m["role"]]
    file = m["url"].split("?")[0].rsplit("/", 1)[1]
    name = re.sub(r"[^a-z0-9]+", "-", m["name"].lower()).strip("-")
    if file.startswith("diffusion_pytorch_model") or file in ("model.safetensors", "lama.pt"):
        file = name + "." + file.rsplit(".", 1)[1]
    if (m["family"], m["role"]) in CONTROLS:
        file = "controlnet/" + file
    one = {"url": m["url"], "path": file, "sha256": m["sha256"].lower()}
    if m.get("size_exact") and m.get("size_bytes"):
        one["bytes"] = m["size_bytes"]
    return {
        "name": name,
        "title": TITLES.get(m["name"], m["name"]),
        "family": m["family"],
        "summary": summary,
        "tasks": tasks,
        "license": license_of(m["licence"]),
        "license_url": page_of(m["url"]),
        "non_commercial": bool(NON_COMMERCIAL.search(m["licence"])),
        "memory_bytes": memory,
        "approx_bytes": m.get("size_bytes") or 0,
        "tera_ops": work,
        **({"wordless": True} if m["family"] == "inpaint-gan" else {}),
        "files": [one],
    }


def composed(facts, name, title, family, pieces, tasks, memory, summary, work):
    found = [(m, path) for fact, path in pieces.items() for m in facts if m["name"] == fact]
    files = [
        {
            "url": m["url"],
            "path": path,
            "sha256": m["sha256"].lower(),
            **({"bytes": m["size_bytes"]} if m.get("size_exact") else {}),
        }
        for m, path in found
    ]
    licenses = {license_of(m["licence"]) for m, path in found}
    assert len(files) == len(pieces) and len(licenses) == 1, (name, licenses)
    return {
        "name": name,
        "title": title,
        "family": family,
        "summary": summary,
        "tasks": tasks,
        "license": licenses.pop(),
        "license_url": page_of(found[0][0]["url"]),
        "non_commercial": False,
        "memory_bytes": memory,
        "approx_bytes": sum(m["size_bytes"] for m, path in found),
        "tera_ops": work,
        "files": files,
    }


def main():
    facts = json.load(open(sys.argv[1]))["models"]
    for before, m in zip(facts, facts[1:]):
        if "as above" in (m.get("licence") or ""):
            m["licence"] = before["licence"]
    kept = [
        entry(m)
        for m in facts
        if (m["family"], m["role"]) in OFFERED
        and m["name"] not in LEFT_OUT
        and m.get("licence")
        and re.fullmatch(r"[0-9a-fA-F]{64}", m.get("sha256") or "")
        and "encoder (" not in m["name"]
        and m.get("url_seen")
        and m["url"].endswith((".safetensors", ".pth", ".pt"))
        and not (m["family"] == "inpaint-gan" and "lama" not in m["name"].lower())
    ]
    kept += [composed(facts, *one) for one in COMPOSED]
    json.dump({"version": 1, "models": kept}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
