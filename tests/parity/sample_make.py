#!/usr/bin/env python3
"""Makes sample.golden: noise, sigma tables and sampler runs of the reference implementations.

  python3 -m venv venv; venv/bin/pip install torch==2.13.0 diffusers==0.42.1 scipy==1.17.1; venv/bin/pip install
  --no-deps k-diffusion==0.1.1.post1 git clone https://github.com/comfyanonymous/ComfyUI; git clone
  https://github.com/AUTOMATIC1111/stable-diffusion-webui venv/bin/python tests/parity/sample_make.py
  ComfyUI/comfy/k_diffusion/sampling.py \
    stable-diffusion-webui/modules/sd_samplers_extra.py > tests/parity/sample.golden

One record a line, `name|numbers`. The samplers of k-diffusion are run as they are, in double, on the true
`sampling.py`; DDIM, DDPM and UniPC are diffusers' schedulers with their tables set to the schedule under test; those
that neither has are run from the sources of ComfyUI (a125cd84, 2025-10-11) and of AUTOMATIC1111's web UI (82a973c0,
2024-07-27), which the command names; all with one analytic denoiser and numbered noise, which test_sample.c repeats.
"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import importlib.util
import math
import sys
import types

import diffusers
import numpy as np
import torch

N = 24  # elements of a latent here


def load_k_diffusion():
    """k_diffusion.sampling alone: the package pulls in training code and ODE libraries that no sampler here uses."""
    spec = importlib.util.find_spec("k_diffusion")
    package = types.ModuleType("kd")
    package.__path__ = list(spec.submodule_search_locations)
    utils = types.ModuleType("kd.utils")
    utils.append_dims = lambda x, n: x[(...,) + (None,) * (n - x.ndim)]
    torchdiffeq = types.ModuleType("torchdiffeq")
    torchdiffeq.odeint = None
    sys.modules.update(
        {"kd": package, "kd.utils": utils, "torchdiffeq": torchdiffeq, "torchsde": types.ModuleType("torchsde")}
    )
    package.utils = utils
    spec = importlib.util.spec_from_file_location("kd.sampling", package.__path__[0] + "/sampling.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


K = load_k_diffusion()


def load_alone(name, path):
    """One source file as a module."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_comfy(path):
    """comfy.k_diffusion.sampling, whose models say what they are and hand over the estimate without the prompt."""
    package = types.ModuleType("comfy.k_diffusion")
    package.__path__ = []
    comfy = types.ModuleType("comfy")
    comfy.model_patcher = types.ModuleType("comfy.model_patcher")
    comfy.model_sampling = types.ModuleType("comfy.model_sampling")
    comfy.model_sampling.CONST = type("CONST", (), {})
    comfy.model_patcher.set_model_options_post_cfg_function = lambda options, f, **_: {**options, "post": f}
    sys.modules.update(
        {
            "comfy": comfy,
            "comfy.k_diffusion": package,
            "comfy.model_patcher": comfy.model_patcher,
            "comfy.model_sampling": comfy.model_sampling,
        }
    )
    for name in ("utils", "deis", "sa_solver"):
        setattr(package, name, types.ModuleType(name))
        sys.modules["comfy.k_diffusion." + name] = getattr(package, name)
    package.utils.append_dims = lambda x, n: x
    return load_alone("comfy.k_diffusion.sampling", path)


COMFY = load_comfy(sys.argv[1])
sys.modules["k_diffusion"] = types.ModuleType("k_diffusion")
sys.modules["k_diffusion"].sampling = sys.modules["k_diffusion.sampling"] = K
sys.modules["modules"] = types.ModuleType("modules")
sys.modules["modules.uni_pc"] = types.ModuleType("modules.uni_pc")
sys.modules["modules.uni_pc"].uni_pc = None
WEBUI = load_alone("webui_extra", sys.argv[2])


def emit(name, values):
    print(name + "|" + " ".join("%.9g" % float(v) for v in values))


# ---- noise ---------------------------------------------------------------------------------------------------------


def philox(counter, key, rounds=10):
    """Philox 4x32 from Salmon 2011, on arrays."""
    c = [np.uint64(v) if np.isscalar(v) else v.astype(np.uint64) for v in counter]
    k0, k1 = key
    mask = np.uint64(0xFFFFFFFF)
    for _ in range(rounds):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [
            (p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0),
            p1 & mask,
            (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1),
            p0 & mask,
        ]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


# Known answers of the paper's library (Random123, kat_vectors: philox4x32 10).
for counter, key, answer in [
    ([0] * 4, (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ([0xFFFFFFFF] * 4, (0xFFFFFFFF, 0xFFFFFFFF), "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], (0xA4093822, 0x299F31D0), "d16cfe09 94fdcceb 5001e420 24126ea1"),
]:
    assert " ".join("%08x" % int(v[0]) for v in philox([np.array([v]) for v in counter], key)) == answer


def philox_randn(seed, offset, n):
    """What torch.randn gives on CUDA: normal i is the first of thread i's cuRAND state; one count of the offset a
    call."""
    zero = np.zeros(n)
    g = philox([np.full(n, offset), zero, np.arange(n), zero], (seed & 0xFFFFFFFF, seed >> 32))
    unit = float(np.float32(2.3283064e-10))
    turn = float(np.float32(2.3283064e-10) * np.float32(6.2831855))
    u, v = g[0] * unit + unit / 2, g[1] * turn + turn / 2
    return np.sqrt(-2 * np.log(u)) * np.sin(v)


def summary(x):
    """First, last and spread values, then sums that no other order of numbers gives."""
    x = np.asarray(x, dtype=np.float64).ravel()
    picks = [x[i * (len(x) - 1) // 15] for i in range(16)] if len(x) > 16 else list(x)
    return picks + [x.sum(), (x * np.cos(np.arange(len(x)))).sum()]


def noise():
    for seed in (0, 42, 1234567890123, 2**63 + 5):
        for n in (1, 2, 15, 16, 17, 31, 100, 16384):
            torch.manual_seed(seed)
            emit(f"randn {seed} {n}", summary(torch.randn(n)))
            emit(f"philox {seed} {n}", summary(philox_randn(seed, 0, n)))
    # streams: three draws of [c, h, w] in a row, delivered channels last
    for shape in ((4, 8, 8), (4, 3, 5), (1, 3, 5), (4, 64, 64)):
        generator = torch.Generator().manual_seed(77)
        for draw in range(3):
            name = "%d %d %d %d" % (*shape, draw)
            emit("stream_torch " + name, summary(torch.randn(shape, generator=generator).permute(1, 2, 0)))
            emit(
                "stream_philox " + name,
                summary(philox_randn(77, draw, math.prod(shape)).reshape(shape).transpose(1, 2, 0)),
            )


# ---- sigma tables ---------------------------------------------------------------------------------------------------

BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
MODELS = ["sd1", "zsnr", "linear", "flow1", "flow3"]


def table(model):
    """The model's own sigmas, rising, in double."""
    if model.startswith("flow"):
        shift = float(model[4:])
        s = torch.arange(1, 1001, dtype=torch.float64) / 1000
        return shift * s / (1 + (shift - 1) * s)
    if model == "linear":
        betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    else:
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    if model == "zsnr":
        betas = diffusers.schedulers.scheduling_ddim.rescale_zero_terminal_snr(betas)
    a = (1 - betas).cumprod(0)
    if model == "zsnr":
        a[-1] = 2**-24
    return ((1 - a) / a).sqrt()


def t_to_sigma(model, t):
    """k-diffusion's DiscreteSchedule.t_to_sigma"""
    s = table(model)
    if model.startswith("flow"):
        shift = float(model[4:])
        s = (t + 1) / 1000
        return shift * s / (1 + (shift - 1) * s)
    low, high, w = t.floor().long(), t.ceil().long(), t.frac()
    return ((1 - w) * s[low].log() + w * s[high].log()).exp()


def sigma_to_t(model, sigma):
    """k-diffusion's DiscreteSchedule.sigma_to_t without quantisation"""
    if model.startswith("flow"):
        return sigma * 1000
    logs = table(model).log()
    log_sigma = sigma.log()
    low = ((log_sigma - logs[:, None]) >= 0).cumsum(dim=0).argmax(dim=0).clamp(max=logs.shape[0] - 2)
    w = ((logs[low] - log_sigma) / (logs[low] - logs[low + 1])).clamp(0, 1)
    return (1 - w) * low + w * (low + 1)


def schedule(model, name, n, sampler="euler"):
    """sigmas [n + 1] with the last 0, timesteps [n]; in double"""
    s = table(model)
    flow = model.startswith("flow")
    extra = sampler in ("dpm2", "dpm2_a")  # A1111's discard_next_to_last_sigma
    n += extra
    t = None
    if name == "normal" and flow:
        scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=float(model[4:]))
        scheduler.set_timesteps(n)
        sigmas = scheduler.sigmas[:-1].double()
    elif name == "karras":
        rho = 7.0  # K.get_sigmas_karras works in float
        ramp = torch.linspace(0, 1, n, dtype=torch.float64)
        sigmas = (s[-1] ** (1 / rho) + ramp * (s[0] ** (1 / rho) - s[-1] ** (1 / rho))) ** rho
        assert torch.allclose(sigmas.float(), K.get_sigmas_karras(n, s[0].item(), s[-1].item())[:-1], rtol=1e-4)
    elif name == "exponential":
        sigmas = torch.linspace(math.log(s[-1]), math.log(s[0]), n, dtype=torch.float64).exp()
        assert torch.allclose(sigmas.float(), K.get_sigmas_exponential(n, s[0].item(), s[-1].item())[:-1], rtol=1e-4)
    elif name == "kl_optimal":  # Sabour 2024, theorem 3.1; n of them, then 0, as ComfyUI
        ramp = torch.linspace(0, 1, n, dtype=torch.float64)
        sigmas = ((1 - ramp) * s[-1].atan() + ramp * s[0].atan()).tan()
    elif name == "beta":
        from scipy.stats import beta

        sigmas = torch.tensor(
            [s[0].item() + beta.ppf(p, 0.6, 0.6) * (s[-1] - s[0]).item() for p in 1 - np.linspace(0, 1, n)],
            dtype=torch.float64,
        )
        reference = diffusers.EulerDiscreteScheduler(**BETAS)._convert_to_beta(s.flip(0), n)
        assert torch.allclose(sigmas, torch.as_tensor(reference, dtype=torch.float64), rtol=1e-6)
    elif name == "align_your_steps":  # the published way: n + 1 points, the last replaced by 0
        best = s[[999, 850, 736, 645, 545, 455, 343, 233, 124, 24, 0]].log().flip(0).numpy()
        sigmas = torch.tensor(
            np.exp(np.interp(np.linspace(0, 1, n + 1), np.linspace(0, 1, 11), best))[::-1][:-1].copy()
        )
        if model == "sd1" and n == 10:
            assert np.allclose(
                sigmas.numpy(), diffusers.schedulers.AysSchedules["StableDiffusionSigmas"][:-1], atol=6e-3
            )
    elif name == "gits":  # Forge's table for Stable Diffusion 1.5, log-linear between its points
        best = np.log([14.615, 4.617, 2.507, 1.236, 0.702, 0.402, 0.240, 0.156, 0.104, 0.094, 0.029])
        sigmas = torch.tensor(np.exp(np.interp(np.linspace(0, 10, n), np.arange(11), best)))
    elif name == "ddim_uniform":
        sigmas = s[list(range(1, 1000, max(1000 // n, 1)))].flip(0)  # ComfyUI's and the web UI's ddim_scheduler
        t = torch.tensor(range(1, 1000, max(1000 // n, 1)), dtype=torch.float64).flip(0) if not flow else None
    elif name == "simple":
        sigmas = torch.stack([s[-(1 + int(i * (1000 / n)))] for i in range(n)])  # A1111's simple_scheduler
    elif flow and name == "trailing":
        sigmas = t_to_sigma(model, (1000 - torch.arange(n, dtype=torch.float64) * (1000 / n)).round() - 1)
    elif flow:
        sigmas = t_to_sigma(model, torch.linspace(999, -1, n + 1, dtype=torch.float64)[:-1])
        scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=float(model[4:]))
        scheduler.set_timesteps(sigmas=np.linspace(1, 1 / n, n).tolist())  # what the pipelines ask of diffusers
        assert name == "sgm_uniform" and torch.allclose(scheduler.sigmas[:-1].double(), sigmas, atol=1e-6)
    else:
        if name == "normal":
            t = torch.linspace(999, 0, n, dtype=torch.float64)
        elif name == "sgm_uniform":
            t = torch.linspace(999, 0, n + 1, dtype=torch.float64)[:-1]
        elif name == "linspace":
            scheduler = diffusers.UniPCMultistepScheduler(**BETAS)
            scheduler.set_timesteps(n)
            t = scheduler.timesteps.double()
        elif name == "lcm":
            scheduler = diffusers.LCMScheduler(**BETAS)
            scheduler.set_timesteps(n)
            t = scheduler.timesteps.double()
        else:
            scheduler = diffusers.DDIMScheduler(
                **BETAS, timestep_spacing=name, steps_offset=1 if name == "leading" else 0
            )
            scheduler.set_timesteps(n)
            t = scheduler.timesteps.double()
        sigmas = t_to_sigma(model, t)
    if t is None:
        t = sigma_to_t(model, sigmas)
    sigmas = torch.cat([sigmas, sigmas.new_zeros(1)])
    if extra:
        sigmas = torch.cat([sigmas[:-2], sigmas[-1:]])
        t = t[:-1]
    if sampler in ("ddim", "deis", "plms", "tcd", "ddim_cfg_pp") and not flow and sigmas[-2] > s[0] * (1 + 1e-6):
        sigmas[-1] = s[0]
    return sigmas, t


NEWER = ["beta", "ddim_uniform", "align_your_steps", "gits"]


def schedules_of(model):
    if model.startswith("flow"):
        return ["normal", "karras", "exponential", "kl_optimal", "sgm_uniform", "simple", "trailing"] + NEWER[:2]
    return [
        "normal",
        "karras",
        "exponential",
        "kl_optimal",
        "sgm_uniform",
        "simple",
        "trailing",
        "leading",
        "linspace",
        "lcm",
    ] + NEWER


def tables():
    for model in MODELS:
        for name in schedules_of(model):
            for n in (1, 2, 10, 23, 50):
                if name == "ddim_uniform" and n == 23 and model == "sd1":
                    assert len(schedule(model, name, n)[1]) == 24
                sigmas, t = schedule(model, name, n)
                emit(f"sigmas {model} {name} {n}", sigmas)
                emit(f"timesteps {model} {name} {n}", t)


# ---- samplers --------------------------------------------------------------------------------------------------------


def analytic(x, sigma):
    """The denoiser of all runs: not linear in x, and smooth in sigma."""
    return 0.6 * x / (1 + sigma * sigma) + 0.4 * torch.tanh(
        0.5 * x / (sigma + 0.3) + 0.2 + 0.1 * torch.cos(torch.arange(N, dtype=torch.float64))
    )


class Noise:
    """Draw number k of a run is torch.randn with seed 1000 + k."""

    def __init__(self):
        self.k = 0

    def __call__(self, *_):
        self.k += 1
        return torch.randn(N, generator=torch.Generator().manual_seed(1000 + self.k - 1)).double()


FLOOR = 1e-6


def alpha(model, sigma):
    return max(1 - sigma, FLOOR) if model.startswith("flow") else 1.0


def to_u(model, sigma):
    return sigma / alpha(model, sigma)


def sample_ipndm(model, x, sigmas, disable):
    """Zhang & Chen 2022, eq. 36 to 39; the last step goes to the estimate, as in ComfyUI"""
    weights = [[1], [3 / 2, -1 / 2], [23 / 12, -16 / 12, 5 / 12], [55 / 24, -59 / 24, 37 / 24, -9 / 24]]
    slopes = []
    for sigma, to in zip(sigmas[:-1], sigmas[1:]):
        estimate = model(x, sigma)
        slopes = [(x - estimate) / sigma] + slopes[:3]
        x = x + (to - sigma) * sum(w * d for w, d in zip(weights[len(slopes) - 1], slopes)) if to > 0 else estimate
    return x


def run_k(model, sampler, sigmas, x, eta):
    noise = Noise()
    function = {
        "euler": K.sample_euler,
        "euler_a": K.sample_euler_ancestral,
        "heun": K.sample_heun,
        "dpm2": K.sample_dpm_2,
        "dpm2_a": K.sample_dpm_2_ancestral,
        "lms": K.sample_lms,
        "dpmpp_2s_a": K.sample_dpmpp_2s_ancestral,
        "dpmpp_sde": K.sample_dpmpp_sde,
        "dpmpp_2m": K.sample_dpmpp_2m,
        "dpmpp_2m_sde": K.sample_dpmpp_2m_sde,
        "dpmpp_2m_sde_heun": K.sample_dpmpp_2m_sde,
        "dpmpp_3m_sde": K.sample_dpmpp_3m_sde,
        "ipndm": sample_ipndm,
    }[sampler]
    options = {"disable": True}
    if sampler in ("euler_a", "dpm2_a", "dpmpp_2s_a", "dpmpp_sde", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde"):
        options.update(noise_sampler=noise, eta=eta)
    if sampler in ("dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde"):
        if len(sigmas) == 2:  # k-diffusion stumbles over an unset variable; its one step sets x to the estimate
            return analytic(x, sigmas[0])
    if sampler.startswith("dpmpp_2m_sde"):
        options.update(solver_type="heun" if sampler.endswith("heun") else "midpoint")
    if not model.startswith("flow") or sampler in ("euler", "heun", "dpm2", "lms", "ipndm"):
        return function(lambda x, sigma: analytic(x, sigma), x, sigmas, **options)
    if sampler == "dpm2_a":  # the midpoint step in the flow's own space down to the ancestral level, then back up
        for i in range(len(sigmas) - 1):
            us = torch.tensor([to_u(model, s) for s in sigmas[i : i + 2].tolist()], dtype=torch.float64)
            down, up = K.get_ancestral_step(us[0], us[1], eta)
            to = down / (1 + down)
            level = torch.stack([sigmas[i], to])
            x = K.sample_dpm_2(lambda x, sigma: analytic(x, sigma), x, level, disable=True)
            x = x * alpha(model, sigmas[i + 1].item()) / alpha(model, to.item())
            if sigmas[i + 1] > 0:
                x = x + alpha(model, sigmas[i + 1].item()) * up * noise()
        return x

    def denoise(x, u):  # X = x / alpha at u = sigma / alpha
        sigma = u / (1 + u)
        return analytic(x * alpha(model, sigma.max().item()), sigma)

    us = torch.tensor([to_u(model, s) for s in sigmas.tolist()], dtype=torch.float64)
    return function(denoise, x / alpha(model, sigmas[0].item()), us, **options)


def vp_alphas(us):
    return 1 / (1 + us * us)


def run_diffusers(model, sampler, sigmas, t, x, eta):
    """DDIM, DDPM, UniPC in variance preserving space: a scheduler of n steps whose table is the schedule under test."""
    us = torch.tensor([to_u(model, s) for s in sigmas.tolist()], dtype=torch.float64)
    a = vp_alphas(us)
    n = len(us) - 1
    noise = Noise()
    common = dict(num_train_timesteps=n, prediction_type="sample")
    if sampler == "unipc":
        scheduler = diffusers.UniPCMultistepScheduler(**common, solver_order=2, solver_type="bh2")
        scheduler.set_timesteps(n)
        scheduler.sigmas = us
        scheduler.timesteps = torch.arange(n - 1, -1, -1)
    elif sampler == "ddim":
        scheduler = diffusers.DDIMScheduler(**common, clip_sample=False)
        scheduler.set_timesteps(n)
        scheduler.final_alpha_cumprod = a[-1]
    else:
        scheduler = diffusers.DDPMScheduler(**common, clip_sample=False)
        scheduler.set_timesteps(n)
        import diffusers.schedulers.scheduling_ddpm as ddpm

        ddpm.randn_tensor = lambda *args, **kwargs: noise()
    scheduler.alphas_cumprod = a[:-1].flip(0)
    X = x / alpha(model, sigmas[0].item()) * a[0].sqrt()
    for i in range(n):
        sigma = sigmas[i]
        estimate = analytic(X / a[i].sqrt() * alpha(model, sigma.item()), sigma)
        options = {"eta": eta} if sampler == "ddim" else {}
        if sampler == "ddim" and eta > 0:
            options["variance_noise"] = noise()
        if sampler == "ddpm" and i == n - 1:  # its last draw is scaled by 1e-10
            ddpm.randn_tensor = lambda *args, **kwargs: torch.zeros(N, dtype=torch.float64)
        X = scheduler.step(estimate[None], int(scheduler.timesteps[i]), X[None], **options).prev_sample[0]
    return X


def run_lcm(model, sigmas, t, x):
    noise = Noise()
    flow = model.startswith("flow")
    for i in range(len(t)):
        scaled = 10 * t[i]
        skip, out = 0.25 / (scaled**2 + 0.25), scaled / (scaled**2 + 0.25).sqrt()
        boundary = x if flow else x / (1 + sigmas[i] ** 2).sqrt()
        estimate = out * analytic(x, sigmas[i]) + skip * boundary
        x = alpha(model, sigmas[i + 1].item()) * estimate
        if sigmas[i + 1] > 0:
            x = x + sigmas[i + 1] * noise()
    return x


def check_lcm_against_diffusers():
    sigmas, t = schedule("sd1", "lcm", 10)
    scheduler = diffusers.LCMScheduler(**BETAS, prediction_type="sample")
    scheduler.alphas_cumprod = 1 / (1 + table("sd1") ** 2)
    scheduler.set_timesteps(10)
    noise = Noise()
    import diffusers.schedulers.scheduling_lcm as lcm

    lcm.randn_tensor = lambda *args, **kwargs: noise()
    X = start("lcm", sigmas) / (1 + sigmas[0] ** 2).sqrt()
    for i, step in enumerate(scheduler.timesteps):
        X = scheduler.step(analytic(X * (1 + sigmas[i] ** 2).sqrt(), sigmas[i]), int(step), X).prev_sample
    x = run_lcm("sd1", sigmas, t, start("lcm", sigmas))
    assert torch.allclose(X, x, rtol=1e-6), (X, x)


def without_prompt(x, sigma):
    """The estimate without the prompt, for CFG++."""
    return 0.7 * analytic(x, sigma) + 0.1 * x / (1 + sigma * sigma)


class ComfyModel:
    """What ComfyUI's samplers ask of a model; its sigmas are the latent's own."""

    def __init__(self):
        self.inner_model = self.model_patcher = self
        self.get_model_object = lambda name: self

    def __call__(self, x, sigma, model_options=None, **_):
        estimate = analytic(x, sigma)
        return (
            model_options["post"]({"denoised": estimate, "uncond_denoised": without_prompt(x, sigma)})
            if model_options
            else estimate
        )


def run_comfy(model, sampler, sigmas, x, eta):
    COMFY.offset_first_sigma_for_snr = lambda s, _: s
    COMFY.sigma_to_half_log_snr = (
        lambda s, model_sampling: torch.tensor([to_u(model, v) for v in s.reshape(-1).tolist()], dtype=torch.float64)
        .reshape(s.shape)
        .log()
        .neg()
    )
    function = {
        "res_multistep": COMFY.res_multistep,
        "er_sde": COMFY.sample_er_sde,
        "euler_cfg_pp": COMFY.sample_euler_ancestral_cfg_pp,
        "euler_a_cfg_pp": COMFY.sample_euler_ancestral_cfg_pp,
    }[sampler]
    options = {"s_noise": eta} if sampler == "er_sde" else {"eta": eta}
    real_arange = torch.arange
    torch.arange = lambda *a, **k: real_arange(
        *a, **{**k, "dtype": torch.float64}
    )  # er_sde counts its points in single precision
    x = function(ComfyModel(), x, sigmas, extra_args={}, disable=True, noise_sampler=Noise(), **options)
    torch.arange = real_arange
    return x


def run_restart(sigmas, x):
    noise = Noise()
    K.torch = types.SimpleNamespace(randn_like=lambda _: noise())
    keep = K.get_sigmas_karras
    K.get_sigmas_karras = lambda n, low, high, **_: torch.cat(
        [  # in double
            (high ** (1 / 7) + torch.linspace(0, 1, n, dtype=torch.float64) * (low ** (1 / 7) - high ** (1 / 7))) ** 7,
            torch.zeros(1, dtype=torch.float64),
        ]
    )
    x = WEBUI.restart_sampler(lambda x, sigma: analytic(x, sigma[0]), x[None], sigmas, disable=True)[0]
    K.torch, K.get_sigmas_karras = torch, keep
    return x


def run_dpm(sampler, sigmas, x, eta):
    solver = K.DPMSolver(lambda x, sigma: analytic(x, sigma[0]))
    ends = -sigmas[0].log(), -sigmas[-2].log()
    if sampler == "dpm_fast":
        return solver.dpm_solver_fast(x[None], *ends, len(sigmas) - 1, eta=eta, noise_sampler=Noise())[0]
    return solver.dpm_solver_adaptive(x[None], *ends, eta=eta, noise_sampler=Noise())[0][0]


def run_plms(us, x, n):
    """PNDM in variance preserving space, n steps of the schedule under test as its table"""
    scheduler = diffusers.PNDMScheduler(num_train_timesteps=n, skip_prk_steps=True)
    scheduler.set_timesteps(n)
    a = vp_alphas(us)
    scheduler.alphas_cumprod, scheduler.final_alpha_cumprod = a[:-1].flip(0), a[-1]
    X = x * a[0].sqrt()
    for t in scheduler.timesteps:
        i = n - 1 - int(t)
        level = X / a[i].sqrt()
        X = scheduler.step((level - analytic(level, us[i])) / us[i], int(t), X).prev_sample
    return X


def run_deis(us, x, n):
    scheduler = diffusers.DEISMultistepScheduler(num_train_timesteps=n, prediction_type="sample")
    scheduler.set_timesteps(n)
    us = us.clamp(min=1e-12)  # the scheduler divides 0 by 0 at 0
    scheduler.sigmas, scheduler.timesteps = us, torch.arange(n - 1, -1, -1)
    a = vp_alphas(us)
    X = x * a[0].sqrt()
    for i in range(n):
        X = scheduler.step(analytic(X / a[i].sqrt(), us[i])[None], int(scheduler.timesteps[i]), X[None]).prev_sample[0]
    return X


def run_tcd(model, sigmas, t, x, eta):
    scheduler = diffusers.TCDScheduler(**BETAS, prediction_type="sample")
    scheduler.set_timesteps(len(t))
    scheduler.timesteps, scheduler.alphas_cumprod = t.long(), 1 / (1 + table(model) ** 2)
    noise = Noise()
    import diffusers.schedulers.scheduling_tcd as tcd

    tcd.randn_tensor = lambda *args, **kwargs: noise()
    X = x / (1 + sigmas[0] ** 2).sqrt()
    for i, step in enumerate(scheduler.timesteps):
        X = scheduler.step(analytic(X * (1 + sigmas[i] ** 2).sqrt(), sigmas[i]), int(step), X, eta=eta).prev_sample
    return X


def run_ddim_cfgpp(us, x, eta):
    """DDIM of the web UI (Song 2020, eq. 12), whose direction is the noise that is predicted without the prompt (Chung
    2024, Algorithm 2)"""
    noise = Noise()
    a = vp_alphas(us)
    X = x * a[0].sqrt()
    for i in range(len(us) - 1):
        level = X / a[i].sqrt()
        guided, plain = ((level - f(level, us[i])) / us[i] for f in (analytic, without_prompt))
        s = eta * ((1 - a[i + 1]) / (1 - a[i]) * (1 - a[i] / a[i + 1])).sqrt()
        picture = (X - (1 - a[i]).sqrt() * guided) / a[i].sqrt()
        X = a[i + 1].sqrt() * picture + (1 - a[i + 1] - s**2).sqrt() * plain + (s * noise() if s > 0 else 0)
    return X


def newer_runs():
    usual = {"er_sde": 1.0, "euler_a_cfg_pp": 1.0, "tcd": 0.3}
    cases = [
        (m, s, c, 10, usual.get(s, 0.0))
        for m in ("sd1", "zsnr", "flow3")
        for c in ("normal", "karras", "sgm_uniform", "beta")
        for s in ("deis", "plms", "res_multistep", "er_sde", "euler_cfg_pp", "euler_a_cfg_pp")
        if (m, c) != ("zsnr", "beta")
    ]
    cases += [
        ("sd1", s, "normal", n, usual.get(s, 0.0))
        for s in ("deis", "plms", "res_multistep", "er_sde", "euler_cfg_pp", "euler_a_cfg_pp", "dpm_fast", "restart")
        for n in (1, 2, 3, 16)
        if (s, n) not in (("dpm_fast", 1), ("deis", 16))
    ] + [("sd1", "deis", "linspace", 16, 0.0)]
    cases += [
        ("sd1", s, c, 7, e)
        for s, c, e in (("euler_cfg_pp", "karras", 0.4), ("res_multistep", "karras", 1.0), ("er_sde", "karras", 0.5))
    ]
    cases += [
        (m, "tcd", c, 4, e) for m in ("sd1", "zsnr") for c in ("lcm", "leading", "trailing") for e in (0.0, 0.3, 1.0)
    ] + [("sd1", "tcd", "lcm", 1, 0.3)]
    cases += [
        (m, "dpm_fast", c, n, e)
        for m in ("sd1", "zsnr")
        for c in ("normal", "sgm_uniform")
        for n in (9, 10, 11)
        for e in ((0.0, 1.0) if c == "normal" else (0.0,))
    ]  # the reference's noise is NaN where a step is cut off at the end
    cases += [("sd1", "dpm_adaptive", "normal", 10, e) for e in (0.0, 0.5)] + [
        ("sd1", "dpm_adaptive", "normal", 25, 0.0)
    ]
    cases += [
        (m, "restart", c, n, 0.0) for m in ("sd1", "zsnr") for c in ("karras", "normal") for n in (19, 20, 24, 40)
    ] + [("flow3", "restart", "karras", 12, 0.0)]
    cases += [("sd1", s, c, 10, 0.0) for s in ("euler", "dpmpp_2m", "dpm2") for c in NEWER]
    cases += [
        ("sd1", "ddim_cfg_pp", c, n, e) for c in ("leading", "normal", "karras") for n in (1, 10) for e in (0.0, 0.5)
    ]
    for model, sampler, name, n, eta in cases:
        sigmas, t = schedule(model, name, n, sampler)
        x = start(sampler, sigmas, model.startswith("flow"))
        # Solvers of the ordinary differential equation hold in the flow's own space, as in ComfyUI.
        if sampler in ("deis", "plms"):
            x = {"deis": run_deis, "plms": run_plms}[sampler](sigmas, x, n)
        elif sampler == "ddim_cfg_pp":
            x = run_ddim_cfgpp(sigmas, x, eta)
        elif sampler == "tcd":
            x = run_tcd(model, sigmas, t, x, eta)
        elif sampler.startswith("dpm_"):
            x = run_dpm(sampler, sigmas, x, eta)
        elif sampler == "restart":
            x = run_restart(sigmas, x)
        elif sampler in ("euler", "dpmpp_2m", "dpm2"):
            x = run_k(model, sampler, sigmas, x, eta)
        else:
            x = run_comfy(model, sampler, sigmas, x, eta)
        emit(f"run {model} {sampler} {name} {n} {eta:g}", x)


def start(sampler, sigmas, flow=False):
    scale = (
        (sigmas[0] ** 2 + 1).sqrt()
        if sampler in ("ddim", "ddpm", "unipc", "lcm", "deis", "plms", "tcd", "ddim_cfg_pp") and not flow
        else sigmas[0]
    )
    return torch.randn(N, generator=torch.Generator().manual_seed(5)).double() * scale


def runs():
    samplers = [
        "euler",
        "euler_a",
        "heun",
        "dpm2",
        "dpm2_a",
        "dpmpp_2m",
        "dpmpp_2m_sde",
        "dpmpp_sde",
        "dpmpp_2s_a",
        "ddim",
        "ddpm",
        "unipc",
        "lms",
        "lcm",
        "dpmpp_3m_sde",
        "dpmpp_2m_sde_heun",
        "ipndm",
    ]
    usual = {
        "euler_a",
        "dpm2_a",
        "dpmpp_2s_a",
        "dpmpp_sde",
        "dpmpp_2m_sde",
        "dpmpp_2m_sde_heun",
        "dpmpp_3m_sde",
        "ddpm",
    }
    cases = [
        (m, s, c, 10, 1.0 if s in usual else 0.0)
        for m in ("sd1", "zsnr", "flow3")
        for s in samplers
        for c in schedules_of(m)
        if c not in NEWER
    ]
    cases += [("sd1", s, "karras", 7, 0.4) for s in sorted(usual - {"ddpm"})] + [
        ("sd1", "ddim", c, 7, e) for c in ("leading", "trailing") for e in (0.5, 1.0)
    ]
    cases += [("sd1", s, "normal", n, 1.0 if s in usual else 0.0) for s in samplers for n in (1, 2, 3)]
    for model, sampler, name, n, eta in cases:
        sigmas, t = schedule(model, name, n, sampler)
        flow = model.startswith("flow")
        x = start(sampler, sigmas, flow)
        if sampler == "lcm":
            x = run_lcm(model, sigmas, t, x)
        elif sampler in ("ddim", "ddpm", "unipc"):
            x = run_diffusers(model, sampler, sigmas, t, x, eta)
        else:
            x = run_k(model, sampler, sigmas, x, eta)
        emit(f"run {model} {sampler} {name} {n} {eta:g}", x)


def rescale():
    """diffusers' rescale_noise_cfg"""
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

    g = torch.Generator().manual_seed(9)
    cfg, cond = torch.randn(2, N, generator=g) * 3 + 0.5, torch.randn(2, N, generator=g)
    emit("rescale 0.7", rescale_noise_cfg(cfg.double(), cond.double(), 0.7).ravel())


# ---- whole chains ----------------------------------------------------------------------------------------------------

SD = dict(**BETAS, num_train_timesteps=1000)


def network(x, t):
    """Stands for a UNet: sees only the scaled input and the timestep."""
    return torch.tanh(0.8 * x + 0.4 * torch.cos(torch.arange(N, dtype=torch.float64) + 0.005 * t)) * 0.9


def chain(name, scheduler, n, strength=1.0, noisy=(), add="ddpm", **options):
    """The loop of diffusers' pipelines, with scheduler and network as they are there. Start: noise of seed 5, picture:
    of seed 6."""
    scheduler.set_timesteps(n)
    steps = scheduler.timesteps
    draws = Noise()
    for module in noisy:
        sys.modules[module].randn_tensor = lambda *args, **kwargs: draws()
    x = torch.randn(N, generator=torch.Generator().manual_seed(5)).double()
    if strength < 1:
        begin = max(n - min(int(n * strength), n), 0)
        steps = steps[begin * scheduler.order :]
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(begin * scheduler.order)
        x = scheduler.add_noise(
            torch.randn(N, generator=torch.Generator().manual_seed(6)).double()[None], x[None], steps[:1]
        )[0]
    else:
        x = x * getattr(scheduler, "init_noise_sigma", 1.0)
    for t in steps:
        inner = scheduler.scale_model_input(x[None], t)[0] if hasattr(scheduler, "scale_model_input") else x
        if options.get("eta"):
            options["variance_noise"] = draws()
        x = scheduler.step(network(inner, t.double())[None], t, x[None], **options).prev_sample[0]
    emit("chain " + name, x)


def chains():
    from diffusers import (
        DDIMScheduler,
        DDPMScheduler,
        DEISMultistepScheduler,
        PNDMScheduler,
        TCDScheduler,
        DPMSolverMultistepScheduler,
        EulerAncestralDiscreteScheduler,
        EulerDiscreteScheduler,
        FlowMatchEulerDiscreteScheduler,
        LCMScheduler,
        UniPCMultistepScheduler,
    )

    of = "diffusers.schedulers.scheduling_"
    ddim = dict(
        **SD, clip_sample=False, set_alpha_to_one=False, steps_offset=1
    )  # Stable Diffusion's scheduler_config.json
    chain("ddim", DDIMScheduler(**ddim), 20)
    chain("ddim-v", DDIMScheduler(**ddim, prediction_type="v_prediction"), 20)
    chain("ddim-x0", DDIMScheduler(**ddim, prediction_type="sample"), 20)
    chain("ddim-eta", DDIMScheduler(**ddim), 20, eta=1.0)
    chain("ddim-strength", DDIMScheduler(**ddim), 20, strength=0.6)
    chain(
        "ddim-zsnr",
        DDIMScheduler(**ddim, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"),
        20,
    )
    chain(
        "ddpm",
        DDPMScheduler(**SD, clip_sample=False, steps_offset=1, timestep_spacing="leading"),
        20,
        noisy=[of + "ddpm"],
    )
    chain("unipc", UniPCMultistepScheduler(**SD), 20)
    chain("unipc-v", UniPCMultistepScheduler(**SD, prediction_type="v_prediction"), 12)
    chain("unipc-strength", UniPCMultistepScheduler(**SD), 20, strength=0.5)
    chain("dpmpp_2m", DPMSolverMultistepScheduler(**SD, timestep_spacing="trailing"), 20)
    chain("euler", EulerDiscreteScheduler(**SD), 10)
    chain("euler-strength", EulerDiscreteScheduler(**SD), 10, strength=0.75)
    chain(
        "euler-zsnr",
        EulerDiscreteScheduler(
            **SD, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"
        ),
        20,
    )
    chain("euler_a", EulerAncestralDiscreteScheduler(**SD), 10, noisy=[of + "euler_ancestral_discrete"])
    chain("lcm", LCMScheduler(**SD), 4, noisy=[of + "lcm"])
    chain("deis", DEISMultistepScheduler(**SD), 20)
    chain("tcd", TCDScheduler(**SD), 4, noisy=[of + "tcd"])
    chain("plms", PNDMScheduler(**SD, skip_prk_steps=True, steps_offset=1), 20)
    chain("flow", FlowMatchEulerDiscreteScheduler(shift=3.0), 10)


print(
    f"# Made by sample_make.py with torch {torch.__version__}, diffusers {diffusers.__version__}, k-diffusion 0.1.1.post1"
)
check_lcm_against_diffusers()
noise()
tables()
runs()
newer_runs()
rescale()
chains()
