#!/usr/bin/env python3
"""Upscalers as training programs leave them, written by PyTorch itself, x wrappers, prefixes, layouts of tensors and
broken ones; and networks of many kinds at odd sizes against spandrel. Needs a Python with torch, spandrel, numpy and
Pillow; without them the test is skipped. TAP. upscaler-files.py SFUMATO"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from PIL import Image

    import spandrel_nets  # spandrel without torchvision
    from spandrel import MAIN_REGISTRY, ModelLoader
    from spandrel.architectures.Compact import Compact
    from spandrel.architectures.ESRGAN import ESRGAN
    from spandrel_extra_arches import EXTRA_REGISTRY
except ImportError as missing:
    print(f"1..0 # SKIP {missing}")
    sys.exit(0)

SFUMATO = sys.argv[1]
FOLDER = tempfile.TemporaryDirectory(prefix="sfumato-upscaler-files-")
TMP = pathlib.Path(FOLDER.name)
REFUSED = "refused: "
torch.set_num_threads(1)


# ---- wrappers: A is the network that is right, B the one that is not ----


def compact(seed):
    """SRVGGNetCompact, times two; values that fp16 holds."""
    torch.manual_seed(seed)
    net, inputs = collections.OrderedDict(), 3
    for i in (0, 2, 4):
        net[f"body.{i}.weight"] = torch.randn(8, inputs, 3, 3) * 0.1
        net[f"body.{i}.bias"] = torch.zeros(8)
        net[f"body.{i + 1}.weight"] = torch.rand(8)
        inputs = 8
    net["body.6.weight"], net["body.6.bias"] = torch.randn(12, 8, 3, 3) * 0.1, torch.zeros(12)
    return collections.OrderedDict((k, v.half().float()) for k, v in net.items())


A, B = compact(1), compact(2)


def under(prefix, net):
    return collections.OrderedDict((prefix + k, v) for k, v in net.items())


def each(net, change):
    return collections.OrderedDict((k, change(k, v)) for k, v in net.items())


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        layers, inputs = [], 3
        for _ in range(3):
            layers += [torch.nn.Conv2d(inputs, 8, 3, padding=1), torch.nn.PReLU(8)]
            inputs = 8
        self.body = torch.nn.Sequential(*layers, torch.nn.Conv2d(8, 12, 3, padding=1))
        self.load_state_dict(A)

    def forward(self, x):
        return torch.nn.functional.pixel_shuffle(self.body(x), 2) + torch.nn.functional.interpolate(x, scale_factor=2.0)


def views():
    """All tensors in one storage."""
    whole, at, net = torch.cat([v.reshape(-1) for v in A.values()]), 0, collections.OrderedDict()
    for k, v in A.items():
        net[k] = whole[at : at + v.numel()].view(v.shape)
        at += v.numel()
    return net


def cells():
    """(name, what is saved, what is right: "A", or REFUSED with words of the sentence, options of torch.save)."""
    for word in (
        "params params_ema params-ema state_dict model_state_dict model net generator netG g_ema generator_ema ema "
        "net_g weights G ema_model state module network model_ema"
    ).split():
        yield f"under {word}", {word: A}, "A"
    for prefix in (
        "module. model. net_g. netG. generator. net. _orig_mod. module._orig_mod. model.module. state_dict.model. "
        "net_g_ema. g_ema. generator_ema. model.net. model.generator. model.netG. sr_model."
    ).split():
        yield f"names begin with {prefix}", under(prefix, A), "A"
    yield "the average and the network", {"params": B, "params_ema": A}, "A"
    yield "the average first", {"params_ema": A, "params": B}, "A"
    yield "net_g and net_g_ema", {"net_g": B, "net_g_ema": A}, "A"
    yield "generator and discriminator", {"generator": A, "discriminator": under("d.", B)}, "A"
    yield "generator and its average", {"generator": B, "generator_ema": A, "iter": 5}, "A"
    yield "model, average, optimizer", {
        "model": B,
        "ema": A,
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]},
        "epoch": 3,
        "args": None,
    }, "A"
    yield "the optimizer first", {
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(8, 3, 3, 3)}}},
        "state_dict": under("module.", A),
    }, "A"
    yield "Lightning", {
        "epoch": 1,
        "pytorch-lightning_version": "2.0",
        "state_dict": under("model.", A),
        "callbacks": {},
        "hyper_parameters": collections.OrderedDict(lr=0.1),
    }, "A"
    yield "Lightning with an average", {
        "state_dict": collections.OrderedDict(list(under("model.", B).items()) + list(under("ema_model.", A).items()))
    }, "A"
    yield "AveragedModel", {
        "state_dict": collections.OrderedDict(
            list(under("model.", B).items())
            + list(under("ema_model.module.", A).items())
            + [("ema_model.n_averaged", torch.tensor(5))]
        )
    }, "A"
    old = {"_use_new_zipfile_serialization": False}
    yield "the old form", A, "A", old
    yield "the old form, wrapped", {"params_ema": A, "params": B}, "A", old
    for protocol in (2, 4, 5):
        yield f"protocol {protocol}", A, "A", {"pickle_protocol": protocol}
        yield f"the old form, protocol {protocol}", A, "A", {"pickle_protocol": protocol, **old}
    yield "fp64", each(A, lambda k, v: v.double()), "A"
    yield "fp16", each(A, lambda k, v: v.half()), "A"
    yield "fp16 and fp32", each(A, lambda k, v: v.half() if "weight" in k else v), "A"
    yield "one storage", views(), "A"
    yield "one storage, the old form", views(), "A", old
    yield "channels last", each(
        A, lambda k, v: v.contiguous(memory_format=torch.channels_last) if v.ndim == 4 else v
    ), "A"
    yield "parameters", each(A, lambda k, v: torch.nn.Parameter(v)), "A"
    yield "a number first", {"epoch": torch.tensor(4), "params": A}, "A"
    yield "TorchScript", torch.jit.script(Network()), "A"
    yield "a trace", torch.jit.trace(Network().eval(), torch.zeros(1, 3, 16, 16)), "A"
    yield "a whole object", Network(), REFUSED + "Network"
    yield "NaN", each(A, lambda k, v: v * float("nan") if k == "body.2.weight" else v), REFUSED + "NaN"
    yield "a layer is missing", {k: v for k, v in A.items() if k != "body.2.weight"}, REFUSED + "no model"
    yield "a bias is missing", {k: v for k, v in A.items() if k != "body.2.bias"}, REFUSED + "body.2.bias"
    yield "pairs in a list", list(A.items()), REFUSED + "no tensors"
    yield "numbers for names", {0: A}, REFUSED + "no tensors"
    yield "an unknown prefix", under("model.diffusion.net.", A), REFUSED + "model.diffusion.net."
    yield "quantized", each(
        A, lambda k, v: torch.quantize_per_tensor(v, 0.01, 0, torch.qint8) if v.ndim == 4 else v
    ), REFUSED + "_rebuild_qtensor"


# ---- networks against spandrel ----


def last_bias(net):
    """Brings the result into the middle of the range."""
    net.eval()
    with torch.no_grad():
        [v for k, v in net.named_parameters() if k.endswith("bias") and v.ndim == 1][-1] += 0.5
    return net


def networks():
    torch.manual_seed(5)
    for name, more in (
        ("x1", {"scale": 1}),
        ("x2", {"scale": 2}),
        ("x4", {"scale": 4}),
        ("x8", {"scale": 8}),
        ("plus", {"scale": 4, "plus": True}),
        ("gray", {"scale": 2, "in_nc": 1, "out_nc": 1}),
        ("unshuffle x2", {"scale": 4, "in_nc": 12, "out_nc": 3, "shuffle_factor": 2}),
        ("unshuffle x1", {"scale": 4, "in_nc": 48, "out_nc": 3, "shuffle_factor": 4}),
        ("unshuffle x4", {"scale": 8, "in_nc": 12, "out_nc": 3, "shuffle_factor": 2}),
        ("unshuffle gray", {"scale": 4, "in_nc": 4, "out_nc": 1, "shuffle_factor": 2}),
    ):
        yield "ESRGAN " + name, last_bias(ESRGAN(num_filters=8, num_blocks=2, **more))
    for scale in (1, 2, 3, 4, 8):
        yield f"Compact x{scale}", Compact(num_in_ch=3, num_out_ch=3, num_feat=16, num_conv=3, upscale=scale)
    yield "Compact gray", Compact(num_in_ch=1, num_out_ch=1, num_feat=7, num_conv=1, upscale=2)
    yield "SPAN", spandrel_nets.span(12, 4)
    yield "SPAN without a norm", spandrel_nets.span(13, 2, norm=False)
    yield "OmniSR", spandrel_nets.omnisr(16, 1, 1, 2)
    yield "PLKSR", spandrel_nets.plksr(16, 2, 4, 17)
    yield "RealPLKSR", spandrel_nets.real_plksr(16, 2, 2, 17)
    yield "RealPLKSR with DySample", spandrel_nets.real_plksr(16, 2, 4, 13, dysample=True)
    yield "SRFormer", spandrel_nets.srformer(24, 16, [2, 2], [3, 3], 2, 32, upsampler="pixelshuffledirect")


def picture(w, h, channels):
    y, x = np.mgrid[0:h, 0:w]
    p = np.stack([(np.sin(x / 5) + 1) * 100 + y % 20, (np.cos(y / 7) + 1) * 90 + x % 13, (x * 3 + y * 2) % 256], -1)
    p = p.clip(0, 255).astype("u1")
    return p if channels == 3 else p[:, :, 0]


def expected(descriptor, pixels):
    t = torch.from_numpy(pixels.astype("f4") / 255)
    with torch.no_grad():
        out = descriptor(t[None, None] if t.ndim == 2 else t.permute(2, 0, 1)[None])[0]
    return out.permute(1, 2, 0).numpy().clip(0, 1)


# ---- the run ----


def run(jobs):
    """{name: job} in one batch -> {name: message of a failure}."""
    path, names, said = TMP / "jobs.jsonl", list(jobs), {}
    path.write_text("".join(json.dumps(jobs[n]) + "\n" for n in names))
    r = subprocess.run([SFUMATO, "batch", path, "--json"], capture_output=True, text=True, timeout=500)
    for line in r.stdout.splitlines():
        event = json.loads(line)
        if event["event"] == "failed":
            said[names[int(event["job"].rsplit(" ", 1)[1]) - 1]] = event["message"]
    assert r.returncode in (0, 1), r.stderr[-500:]
    return said


def pixels_of(path):
    if not path.exists():
        return None
    p = np.asarray(Image.open(path)).astype("f4") / 255
    return p if p.ndim == 3 else p[:, :, None]


def job(source, model, out):
    return {"task": "upscale", "in": str(source), "model": str(model), "out": str(out)}


def main():
    MAIN_REGISTRY.add(*EXTRA_REGISTRY)
    rows = [(name, value, right, dict(*more)) for name, value, right, *more in cells()]
    Image.fromarray(picture(64, 48, 3)).save(TMP / "in.png")
    jobs, references, wanted = {}, {}, {}
    for i, (name, value, right, options) in enumerate([("A", A, "A", {}), *rows]):
        model = TMP / f"{i}.pth"
        if isinstance(value, torch.jit.ScriptModule):
            value.save(str(model))
        else:
            torch.save(value, model, **options)
        jobs[name], wanted[name] = job(TMP / "in.png", model, TMP / f"{i}.png"), right
    for i, (name, net) in enumerate(networks()):
        model = TMP / f"net-{i}.pth"
        torch.save(dict(net.state_dict()), model)
        descriptor = ModelLoader(device="cpu").load_from_file(model)
        for w, h in ((64, 48), (59, 45)):
            p = picture(w, h, descriptor.input_channels)
            source, key = TMP / f"{w}-{descriptor.input_channels}.png", f"{name}, {w} x {h}"
            Image.fromarray(p).save(source)
            jobs[key], references[key] = job(source, model, TMP / f"net-{i}-{w}.png"), expected(descriptor, p)
    said = run(jobs)
    right = pixels_of(TMP / "0.png")
    print(f"1..{len(jobs) - 1}")
    failures = 0
    for n, name in enumerate(list(jobs)[1:], 1):
        got, bad = pixels_of(pathlib.Path(jobs[name]["out"])), ""
        if name in references:
            want = references[name]
            if got is None or got[:, :, : want.shape[2]].shape != want.shape:
                bad = f"no such picture: {said.get(name)}"
            else:
                off = np.abs(got[:, :, : want.shape[2]] - want).max() * 255
                bad = "" if off < 1.2 else f"off by {off:.2f} of 255"
        elif wanted[name] == "A":
            bad = "" if got is not None and np.array_equal(got, right) else f"another picture: {said.get(name)}"
        elif got is not None or wanted[name][len(REFUSED) :] not in said.get(name, ""):
            bad = f"not {wanted[name]}: {said.get(name)}"
        failures += bad != ""
        print(("not ok" if bad else "ok"), n, "-", name + (f"\n# {bad}" if bad else ""))
    return failures > 0


sys.exit(main())
