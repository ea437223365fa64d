#!/usr/bin/env python3
"""stable-diffusion.cpp beside Sfumato, in one sitting: each round runs both programs in turn on the same model and
picture size, two threads each.

    python3 tests/bench/rival.py SD_CLI MODEL [--build build] [--size 512 256] [--rounds 3] [--threads 2] [--steps 2]
    [--precision fp32 bf16] -- RIVAL'S FLAGS

SD_CLI: its command line program, built for this processor. MODEL: a diffusers folder of Stable Diffusion 1.x (random
weights will do: tests/parity/full-size.py writes one). Prints, for each size and program, seconds of a guided step (two
passes of the UNet) and of the VAE's decode, by the clock and of CPU, and the process's peak memory: the least of the
rounds, since other processes only add.

The rival: txt2img of --steps steps; the phases are told from the lines it logs, whose CPU time is read from /proc as
they appear. Sfumato: `sfumato bench`, batch of two; its peak is of `sfumato txt2img` with as many steps.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")


def cpu_of(pid):
    """User and system seconds of a running process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def run(command, env=None):
    """Lines of both outputs with (clock, CPU) at each, and peak bytes."""
    lines, start = [], time.monotonic()
    p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env)
    text = b""
    while chunk := os.read(p.stdout.fileno(), 4096):
        text += chunk
        *whole, text = re.split(rb"[\r\n]+|\x1b\[K", text)
        now = (time.monotonic() - start, cpu_of(p.pid))
        lines += [(line.decode(errors="replace"), *now) for line in whole]
    _, status, usage = os.wait4(p.pid, 0)
    if status:
        sys.exit(
            "\n".join(line for line, *_ in lines[-20:])
            + f"\n{command[0]} ended with {os.waitstatus_to_exitcode(status)}"
        )
    return lines, usage.ru_maxrss * 1024


def rival(o, size):
    with tempfile.TemporaryDirectory() as d:
        lines, peak = run(
            [
                o.rival,
                "-m",
                o.model,
                "-p",
                "a photo of a cat",
                "-n",
                "blurry",
                "--cfg-scale",
                "7",
                "-W",
                str(size),
                "-H",
                str(size),
                "--steps",
                str(o.steps),
                "-t",
                str(o.threads),
                "-s",
                "1",
                "-v",
                "-o",
                f"{d}/o.png",
                *o.flags,
            ],
            os.environ | {"OMP_WAIT_POLICY": "passive"},
        )

    def at(pattern):
        found = [(wall, cpu) for line, wall, cpu in lines if re.search(pattern, line)]
        if not found:
            sys.exit("\n".join(line for line, *_ in lines) + f"\nno line of the rival's matches {pattern}")
        return found[-1]

    # "| 1/2 - 30.1s/it" after each step: the first holds the warming up.
    first, last = at(rf"\b1/{o.steps} - .*(s/it|it/s)"), at(rf"\b{o.steps}/{o.steps} - .*(s/it|it/s)")
    begun, done = at(r"decoding \d+ latents|generating \d+ latent images completed"), at(
        r"decode_first_stage completed|latent 1 decoded"
    )
    n = o.steps - 1
    return {
        "step": [(b - a) / n for a, b in zip(first, last)],
        "decode": [b - a for a, b in zip(begun, done)],
        "peak": peak,
    }


def ours(o, size, precision):
    sfumato = f"{o.build}/engine/cli/sfumato"
    env = os.environ | {"POCL_MAX_PTHREAD_COUNT": str(o.threads), "POCL_CPU_MAX_CU_COUNT": str(o.threads)}
    out = json.loads(
        subprocess.run(
            [sfumato, "bench", "-m", o.model, "-s", str(size), "-n", "1", "-p", precision, "--json"],
            check=True,
            capture_output=True,
            env=env,
        ).stdout
    )
    r = {
        next(k for k in ("UNet", "VAE", "text") if k in c["name"]): [c["ms"] / 1e3, c["cpu_ms"] / 1e3]
        for c in out["results"]
    }
    with tempfile.TemporaryDirectory() as d:
        _, peak = run(
            [
                sfumato,
                "txt2img",
                f"{d}/o.png",
                "--model",
                o.model,
                "--prompt",
                "a photo of a cat",
                "--negative",
                "blurry",
                "--width",
                str(size),
                "--height",
                str(size),
                "--steps",
                str(o.steps),
                "--seed",
                "1",
                "--precision",
                precision,
            ],
            env,
        )
    return {"step": r["UNet"], "decode": r["VAE"], "peak": peak}


def main():
    a = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip().replace("%", "%%"))
    a.add_argument("rival")
    a.add_argument("model")
    a.add_argument("--build", default=str(pathlib.Path(__file__).parents[2] / "build"))
    a.add_argument("--size", type=int, nargs="+", default=[512, 256])
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--steps", type=int, default=2)
    a.add_argument("--precision", nargs="+", default=["fp32", "bf16"])
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    o = a.parse_args(sys.argv[1:end])
    o.flags = sys.argv[end + 1 :]
    if o.steps < 2:
        a.error("a step is timed from the end of the one before: at least two")
    for size in o.size:
        best = {}
        for k in range(o.rounds):
            for name, go in [("rival", lambda: rival(o, size))] + [
                (f"ours {p}", lambda p=p: ours(o, size, p)) for p in o.precision
            ]:
                r = go()
                b = best.setdefault(name, r)
                for key in ("step", "decode"):
                    b[key] = [min(x, y) for x, y in zip(b[key], r[key])]
                b["peak"] = max(b["peak"], r["peak"])
                print(
                    f"{size} px, round {k + 1}, {name:10} step {r['step'][0]:7.2f} s, CPU {r['step'][1]:7.2f} s   decode {r['decode'][0]:7.2f} s, CPU "
                    f"{r['decode'][1]:7.2f} s   peak {r['peak'] / 1e9:5.2f} GB",
                    flush=True,
                )
        for name, b in best.items():
            ratio = [best["rival"][k][i] / b[k][i] for k in ("step", "decode") for i in (0, 1)]
            print(
                f"{size} px, best, {name:10} step {b['step'][0]:.2f} s ({ratio[0]:.1f}x), CPU {b['step'][1]:.2f} s ({ratio[1]:.1f}x)   decode "
                f"{b['decode'][0]:.2f} s ({ratio[2]:.1f}x), CPU {b['decode'][1]:.2f} s ({ratio[3]:.1f}x)   peak {b['peak'] / 1e9:.2f} GB",
                flush=True,
            )


main()
