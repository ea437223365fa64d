#!/usr/bin/env python3
"""Makes sample.golden: noise, sigma tables and sampler runs of the reference implementations.

  python3 -m venv venv; venv/bin/pip install torch==2.13.0 diffusers==0.42.1 scipy==1.17.1; venv/bin/pip install --no-deps k-diffusion==0.1.1.post1
  venv/bin/python tests/parity/sample_make.py > tests/parity/sample.golden

One record a line, `name|numbers`. The samplers of k-diffusion are run as they are, in double, on the true `sampling.py`; DDIM, DDPM and UniPC are
diffusers' schedulers with their tables set to the schedule under test; all with one analytic denoiser and numbered noise, which test_sample.c repeats.
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
    sys.modules.update({"kd": package, "kd.utils": utils, "torchdiffeq": torchdiffeq, "torchsde": types.ModuleType("torchsde")})
    package.utils = utils
    spec = importlib.util.spec_from_file_location("kd.sampling", package.__path__[0] + "/sampling.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


K = load_k_diffusion()


def emit(name, values):
    print(name + "|" + " ".join("%.9g" % float(v) for v in values))


# ---- noise ---------------------------------------------------------------------------------------------------------

def philox(counter, key, rounds=10):
    """Philox 4x32 from Salmon 2011, on arrays."""
    c = [np.uint64(v) if np.isscalar(v) else v.astype(np.uint64) for v in counter]
    k0, k1 = key
    mask = np.uint64(0xffffffff)
    for _ in range(rounds):
        p0, p1 = np.uint64(0xd2511f53) * c[0], np.uint64(0xcd9e8d57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & mask, (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & mask]
        k0, k1 = (k0 + 0x9e3779b9) & 0xffffffff, (k1 + 0xbb67ae85) & 0xffffffff
    return c


# Known answers of the paper's library (Random123, kat_vectors: philox4x32 10).
for counter, key, answer in [
        ([0] * 4, (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([0xffffffff] * 4, (0xffffffff, 0xffffffff), "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], (0xa4093822, 0x299f31d0), "d16cfe09 94fdcceb 5001e420 24126ea1")]:
    assert " ".join("%08x" % int(v[0]) for v in philox([np.array([v]) for v in counter], key)) == answer


def philox_randn(seed, offset, n):
    """What torch.randn gives on CUDA: normal i is the first of thread i's cuRAND state; one count of the offset a call."""
    zero = np.zeros(n)
    g = philox([np.full(n, offset), zero, np.arange(n), zero], (seed & 0xffffffff, seed >> 32))
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
            emit("stream_philox " + name, summary(philox_randn(77, draw, math.prod(shape)).reshape(shape).transpose(1, 2, 0)))


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
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64)**2
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
        sigmas = (s[-1]**(1 / rho) + ramp * (s[0]**(1 / rho) - s[-1]**(1 / rho)))**rho
        assert torch.allclose(sigmas.float(), K.get_sigmas_karras(n, s[0].item(), s[-1].item())[:-1], rtol=1e-4)
    elif name == "exponential":
        sigmas = torch.linspace(math.log(s[-1]), math.log(s[0]), n, dtype=torch.float64).exp()
        assert torch.allclose(sigmas.float(), K.get_sigmas_exponential(n, s[0].item(), s[-1].item())[:-1], rtol=1e-4)
    elif name == "kl_optimal":  # Sabour 2024, theorem 3.1; n of them, then 0, as ComfyUI
        ramp = torch.linspace(0, 1, n, dtype=torch.float64)
        sigmas = ((1 - ramp) * s[-1].atan() + ramp * s[0].atan()).tan()
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
            scheduler = diffusers.DDIMScheduler(**BETAS, timestep_spacing=name, steps_offset=1 if name == "leading" else 0)
            scheduler.set_timesteps(n)
            t = scheduler.timesteps.double()
        sigmas = t_to_sigma(model, t)
    if t is None:
        t = sigma_to_t(model, sigmas)
    sigmas = torch.cat([sigmas, sigmas.new_zeros(1)])
    if extra:
        sigmas = torch.cat([sigmas[:-2], sigmas[-1:]])
        t = t[:-1]
    if sampler == "ddim" and not flow and sigmas[-2] > s[0] * (1 + 1e-6):
        sigmas[-1] = s[0]
    return sigmas, t


def schedules_of(model):
    if model.startswith("flow"):
        return ["normal", "karras", "exponential", "kl_optimal", "sgm_uniform", "simple", "trailing"]
    return ["normal", "karras", "exponential", "kl_optimal", "sgm_uniform", "simple", "trailing", "leading", "linspace", "lcm"]


def tables():
    for model in MODELS:
        for name in schedules_of(model):
            for n in (1, 2, 10, 23, 50):
                sigmas, t = schedule(model, name, n)
                emit(f"sigmas {model} {name} {n}", sigmas)
                emit(f"timesteps {model} {name} {n}", t)


# ---- samplers ------------------------------------------------------------------------------------------------------------

def analytic(x, sigma):
    """The denoiser of all runs: not linear in x, and smooth in sigma."""
    return 0.6 * x / (1 + sigma * sigma) + 0.4 * torch.tanh(0.5 * x / (sigma + 0.3) + 0.2 + 0.1 * torch.cos(torch.arange(N, dtype=torch.float64)))


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
    function = {"euler": K.sample_euler, "euler_a": K.sample_euler_ancestral, "heun": K.sample_heun, "dpm2": K.sample_dpm_2,
                "dpm2_a": K.sample_dpm_2_ancestral, "lms": K.sample_lms, "dpmpp_2s_a": K.sample_dpmpp_2s_ancestral, "dpmpp_sde": K.sample_dpmpp_sde,
                "dpmpp_2m": K.sample_dpmpp_2m, "dpmpp_2m_sde": K.sample_dpmpp_2m_sde, "dpmpp_2m_sde_heun": K.sample_dpmpp_2m_sde,
                "dpmpp_3m_sde": K.sample_dpmpp_3m_sde, "ipndm": sample_ipndm}[sampler]
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
            us = torch.tensor([to_u(model, s) for s in sigmas[i:i + 2].tolist()], dtype=torch.float64)
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
        boundary = x if flow else x / (1 + sigmas[i]**2).sqrt()
        estimate = out * analytic(x, sigmas[i]) + skip * boundary
        x = alpha(model, sigmas[i + 1].item()) * estimate
        if sigmas[i + 1] > 0:
            x = x + sigmas[i + 1] * noise()
    return x


def check_lcm_against_diffusers():
    sigmas, t = schedule("sd1", "lcm", 10)
    scheduler = diffusers.LCMScheduler(**BETAS, prediction_type="sample")
    scheduler.alphas_cumprod = 1 / (1 + table("sd1")**2)
    scheduler.set_timesteps(10)
    noise = Noise()
    import diffusers.schedulers.scheduling_lcm as lcm
    lcm.randn_tensor = lambda *args, **kwargs: noise()
    X = start("lcm", sigmas) / (1 + sigmas[0]**2).sqrt()
    for i, step in enumerate(scheduler.timesteps):
        X = scheduler.step(analytic(X * (1 + sigmas[i]**2).sqrt(), sigmas[i]), int(step), X).prev_sample
    x = run_lcm("sd1", sigmas, t, start("lcm", sigmas))
    assert torch.allclose(X, x, rtol=1e-6), (X, x)


def start(sampler, sigmas, flow=False):
    scale = (sigmas[0]**2 + 1).sqrt() if sampler in ("ddim", "ddpm", "unipc", "lcm") and not flow else sigmas[0]
    return torch.randn(N, generator=torch.Generator().manual_seed(5)).double() * scale


def runs():
    samplers = ["euler", "euler_a", "heun", "dpm2", "dpm2_a", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_sde", "dpmpp_2s_a", "ddim", "ddpm", "unipc", "lms", "lcm",
                "dpmpp_3m_sde", "dpmpp_2m_sde_heun", "ipndm"]
    usual = {"euler_a", "dpm2_a", "dpmpp_2s_a", "dpmpp_sde", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde", "ddpm"}
    cases = [(m, s, c, 10, 1.0 if s in usual else 0.0) for m in ("sd1", "zsnr", "flow3") for s in samplers for c in schedules_of(m)]
    cases += [("sd1", s, "karras", 7, 0.4) for s in sorted(usual - {"ddpm"})] + [("sd1", "ddim", c, 7, e) for c in ("leading", "trailing") for e in (0.5, 1.0)]
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


# ---- whole chains ------------------------------------------------------------------------------------------------------------

SD = dict(**BETAS, num_train_timesteps=1000)


def network(x, t):
    """Stands for a UNet: sees only the scaled input and the timestep."""
    return torch.tanh(0.8 * x + 0.4 * torch.cos(torch.arange(N, dtype=torch.float64) + 0.005 * t)) * 0.9


def chain(name, scheduler, n, strength=1.0, noisy=(), add="ddpm", **options):
    """The loop of diffusers' pipelines, with scheduler and network as they are there. Start: noise of seed 5, picture: of seed 6."""
    scheduler.set_timesteps(n)
    steps = scheduler.timesteps
    draws = Noise()
    for module in noisy:
        sys.modules[module].randn_tensor = lambda *args, **kwargs: draws()
    x = torch.randn(N, generator=torch.Generator().manual_seed(5)).double()
    if strength < 1:
        begin = max(n - min(int(n * strength), n), 0)
        steps = steps[begin * scheduler.order:]
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(begin * scheduler.order)
        x = scheduler.add_noise(torch.randn(N, generator=torch.Generator().manual_seed(6)).double()[None], x[None], steps[:1])[0]
    else:
        x = x * getattr(scheduler, "init_noise_sigma", 1.0)
    for t in steps:
        inner = scheduler.scale_model_input(x[None], t)[0] if hasattr(scheduler, "scale_model_input") else x
        if options.get("eta"):
            options["variance_noise"] = draws()
        x = scheduler.step(network(inner, t.double())[None], t, x[None], **options).prev_sample[0]
    emit("chain " + name, x)


def chains():
    from diffusers import (DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler, EulerDiscreteScheduler,
                           FlowMatchEulerDiscreteScheduler, LCMScheduler, UniPCMultistepScheduler)
    of = "diffusers.schedulers.scheduling_"
    ddim = dict(**SD, clip_sample=False, set_alpha_to_one=False, steps_offset=1)  # Stable Diffusion's scheduler_config.json
    chain("ddim", DDIMScheduler(**ddim), 20)
    chain("ddim-v", DDIMScheduler(**ddim, prediction_type="v_prediction"), 20)
    chain("ddim-x0", DDIMScheduler(**ddim, prediction_type="sample"), 20)
    chain("ddim-eta", DDIMScheduler(**ddim), 20, eta=1.0)
    chain("ddim-strength", DDIMScheduler(**ddim), 20, strength=0.6)
    chain("ddim-zsnr", DDIMScheduler(**ddim, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"), 20)
    chain("ddpm", DDPMScheduler(**SD, clip_sample=False, steps_offset=1, timestep_spacing="leading"), 20, noisy=[of + "ddpm"])
    chain("unipc", UniPCMultistepScheduler(**SD), 20)
    chain("unipc-v", UniPCMultistepScheduler(**SD, prediction_type="v_prediction"), 12)
    chain("unipc-strength", UniPCMultistepScheduler(**SD), 20, strength=0.5)
    chain("dpmpp_2m", DPMSolverMultistepScheduler(**SD, timestep_spacing="trailing"), 20)
    chain("euler", EulerDiscreteScheduler(**SD), 10)
    chain("euler-strength", EulerDiscreteScheduler(**SD), 10, strength=0.75)
    chain("euler-zsnr", EulerDiscreteScheduler(**SD, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"), 20)
    chain("euler_a", EulerAncestralDiscreteScheduler(**SD), 10, noisy=[of + "euler_ancestral_discrete"])
    chain("lcm", LCMScheduler(**SD), 4, noisy=[of + "lcm"])
    chain("flow", FlowMatchEulerDiscreteScheduler(shift=3.0), 10)


print(f"# Made by sample_make.py with torch {torch.__version__}, diffusers {diffusers.__version__}, k-diffusion 0.1.1.post1")
check_lcm_against_diffusers()
noise()
tables()
runs()
rescale()
chains()
