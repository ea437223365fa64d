#!/usr/bin/env python3
"""Writes tests/unit/pth/*.pth with PyTorch itself: files that must be read, and files that must be refused.

    python tests/unit/make-pth.py        (torch 2.13.0)

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import argparse
import collections
import datetime
import os
import pathlib
import pickle

import numpy
import torch

OUT = pathlib.Path(__file__).with_name("pth")


def ramp(*shape, dtype=torch.float32):
    n = 1
    for s in shape:
        n *= s
    return (torch.arange(n) % 64).to(dtype).reshape(shape)


def srvgg(features=4, scale=2, blocks=1):
    d = collections.OrderedDict()
    for i in range(blocks + 2):
        out, inp = (3 * scale * scale if i > blocks else features), (features if i else 3)
        d[f"body.{2 * i}.weight"] = ramp(out, inp, 3, 3)
        d[f"body.{2 * i}.bias"] = ramp(out)
        if i <= blocks:
            d[f"body.{2 * i + 1}.weight"] = ramp(features)
    return d


class Wrapper(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))

    def forward(self, x):
        return self.model(x)


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/sfumato-was-here",)


class EvilBuiltin:
    def __reduce__(self):
        return eval, ("1 + 1",)


def main():
    OUT.mkdir(exist_ok=True)
    save = lambda name, value, **k: torch.save(value, OUT / f"{name}.pth", **k)
    save("srvgg", {"params_ema": srvgg(), "params": srvgg(features=8)})
    save("plain", srvgg())
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    save("module", module.state_dict())  # with _metadata: an OrderedDict with attributes
    with torch.no_grad():
        wrapper = Wrapper().eval()
        for t in wrapper.state_dict().values():
            t.copy_(ramp(*t.shape))
        torch.jit.save(torch.jit.script(wrapper), OUT / "torchscript.pth")
    base = ramp(6, 8)
    save(
        "strides",
        {
            "transposed": base.t(),
            "columns": base[:, 2:5],
            "row": base[3],
            "permuted": ramp(2, 3, 4).permute(2, 0, 1),
            "scalar": torch.tensor(7.0),
            "empty": torch.empty(0, 3),
            "one": base[2:3, 4:5],
        },
    )
    save(
        "dtypes",
        {
            str(t).split(".")[1]: ramp(5, dtype=t)
            for t in (
                torch.float64,
                torch.float32,
                torch.float16,
                torch.bfloat16,
                torch.int64,
                torch.int32,
                torch.int16,
                torch.int8,
                torch.uint8,
                torch.bool,
            )
        },
    )
    save(
        "training",
        {
            "epoch": 3,
            "best": 0.25,
            "name": "x",
            "state_dict": srvgg(),
            "none": None,
            "list": [1, (2, 3)],
            "optimizer": {
                "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.999)}],
                "state": {0: {"step": 10, "m": ramp(4)}},
            },
            "parameter": torch.nn.Parameter(ramp(3)),
        },
    )
    # What training programs keep beside the weights: objects that are passed over.
    torch.save(
        {
            "epoch": 1,
            "pytorch-lightning_version": "2.0",
            "hyper_parameters": argparse.Namespace(
                path=pathlib.PurePosixPath("x"),
                when=datetime.datetime(2024, 1, 2),
                kinds={"a", 1},
                fixed=frozenset({2}),
                raw=b"abc",
                large=1 << 90,
                dtype=torch.float16,
                device=torch.device("cpu"),
                size=torch.Size([1, 2]),
                counts=collections.defaultdict(int, {"a": 1}),
                score=numpy.float64(0.5),
                values=numpy.arange(3),
            ),
            "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.5), "dirpath": "x"}},
            "optimizer_states": [{"state": {}, "param_groups": [{"lr": 1e-4}]}],
            "state_dict": {f"model.{k}": v for k, v in srvgg().items()},
        },
        OUT / "lightning.ckpt",
    )
    save("protocol-4", srvgg(), pickle_protocol=4)
    save("legacy-4", srvgg(), pickle_protocol=4, _use_new_zipfile_serialization=False)
    # Textual inversion as it was first saved: what the word means is in a module.
    save(
        "embedding",
        {
            "string_to_token": {"*": torch.tensor(265)},
            "string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(ramp(3, 4))}),
        },
    )
    save("expanded", {"a": ramp(1).expand(100)})
    save("evil-system", {"params": srvgg(), "x": Evil()})
    save("evil-eval", {"params": EvilBuiltin()})
    save("evil-module", torch.nn.Linear(2, 2))  # a whole object, not its state
    save("legacy", srvgg(), _use_new_zipfile_serialization=False)
    save("evil-legacy", {"params": srvgg(), "x": Evil()}, _use_new_zipfile_serialization=False)
    (OUT / "bare.pth").write_bytes(pickle.dumps({"a": 1}, protocol=4))
    checkpoint = {"model.diffusion_model.input_blocks.0.0.weight": ramp(4, 4, 3, 3)}
    save("checkpoint", {"state_dict": checkpoint})
    print(sum(f.stat().st_size for f in OUT.iterdir()), "bytes")


main()
