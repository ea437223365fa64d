/* The samplers: a row each, with its step and what the schedule and the run must know of it.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/step.h"

static const SfuSamplerRow samplers[SFU_N_SAMPLERS] = {
    [SFU_SAMPLER_EULER] = {"euler", "Euler", sfu_step_euler},
    [SFU_SAMPLER_EULER_A] = {"euler_a", "Euler a", sfu_step_euler_a, .eta = 1},
    [SFU_SAMPLER_HEUN] = {"heun", "Heun", sfu_step_heun, .passes = 2},
    [SFU_SAMPLER_DPM2] = {"dpm2", "DPM2", sfu_step_dpm2, .passes = 2, .schedule = SFU_SCHEDULE_KARRAS,
                          .skips_last_but_one = TRUE},
    [SFU_SAMPLER_DPM2_A] = {"dpm2_a", "DPM2 a", sfu_step_dpm2_a, .eta = 1, .passes = 2, .schedule = SFU_SCHEDULE_KARRAS,
                            .skips_last_but_one = TRUE},
    [SFU_SAMPLER_DPMPP_2M] = {"dpmpp_2m", "DPM++ 2M", sfu_step_dpmpp_2m, .schedule = SFU_SCHEDULE_KARRAS},
    [SFU_SAMPLER_DPMPP_2M_SDE] = {"dpmpp_2m_sde", "DPM++ 2M SDE", sfu_step_dpmpp_2m_sde, .eta = 1, .brownian = TRUE,
                                  .schedule = SFU_SCHEDULE_EXPONENTIAL},
    [SFU_SAMPLER_DPMPP_SDE] = {"dpmpp_sde", "DPM++ SDE", sfu_step_dpmpp_sde, .eta = 1, .brownian = TRUE, .passes = 2,
                               .schedule = SFU_SCHEDULE_KARRAS},
    [SFU_SAMPLER_DPMPP_2S_A] = {"dpmpp_2s_a", "DPM++ 2S a", sfu_step_dpmpp_2s_a, .eta = 1, .passes = 2,
                                .schedule = SFU_SCHEDULE_KARRAS},
    [SFU_SAMPLER_DDIM] = {"ddim", "DDIM", sfu_step_euler_a, .schedule = SFU_SCHEDULE_LEADING, .of_diffusers = TRUE,
                          .ends_at_first = TRUE},
    [SFU_SAMPLER_DDPM] = {"ddpm", "DDPM", sfu_step_euler_a, .eta = 1, .schedule = SFU_SCHEDULE_LEADING,
                          .of_diffusers = TRUE},
    [SFU_SAMPLER_UNIPC] = {"unipc", "UniPC", sfu_step_unipc, .schedule = SFU_SCHEDULE_LINSPACE, .of_diffusers = TRUE},
    [SFU_SAMPLER_LMS] = {"lms", "LMS", sfu_step_lms},
    [SFU_SAMPLER_LCM] = {"lcm", "LCM", sfu_step_lcm, .always_draws = TRUE, .schedule = SFU_SCHEDULE_LCM,
                         .of_diffusers = TRUE},
    [SFU_SAMPLER_DPMPP_3M_SDE] = {"dpmpp_3m_sde", "DPM++ 3M SDE", sfu_step_dpmpp_3m_sde, .eta = 1, .brownian = TRUE,
                                  .schedule = SFU_SCHEDULE_EXPONENTIAL},
    [SFU_SAMPLER_DPMPP_2M_SDE_HEUN] = {"dpmpp_2m_sde_heun", "DPM++ 2M SDE Heun", sfu_step_dpmpp_2m_sde_heun, .eta = 1,
                                       .brownian = TRUE, .schedule = SFU_SCHEDULE_EXPONENTIAL},
    [SFU_SAMPLER_IPNDM] = {"ipndm", "IPNDM", sfu_step_ipndm},
    [SFU_SAMPLER_DEIS] = {"deis", "DEIS", sfu_step_deis, .schedule = SFU_SCHEDULE_LINSPACE, .of_diffusers = TRUE,
                          .ends_at_first = TRUE},
    [SFU_SAMPLER_PLMS] = {"plms", "PLMS", sfu_step_plms, .schedule = SFU_SCHEDULE_LEADING, .of_diffusers = TRUE,
                          .ends_at_first = TRUE},
    [SFU_SAMPLER_TCD] = {"tcd", "TCD", sfu_step_tcd, .eta = 0.3, .schedule = SFU_SCHEDULE_LCM, .of_diffusers = TRUE,
                         .ends_at_first = TRUE},
    [SFU_SAMPLER_RES_MULTISTEP] = {"res_multistep", "RES multistep", sfu_step_res_multistep},
    [SFU_SAMPLER_ER_SDE] = {"er_sde", "ER SDE", sfu_step_er_sde, .eta = 1},
    [SFU_SAMPLER_EULER_CFGPP] = {"euler_cfg_pp", "Euler CFG++", sfu_step_euler_cfgpp},
    [SFU_SAMPLER_EULER_A_CFGPP] = {"euler_a_cfg_pp", "Euler a CFG++", sfu_step_euler_cfgpp, .eta = 1},
    [SFU_SAMPLER_RESTART] = {"restart", "Restart", sfu_step_restart, .always_draws = TRUE, .passes = 2,
                             .schedule = SFU_SCHEDULE_KARRAS},
    [SFU_SAMPLER_DPM_FAST] = {"dpm_fast", "DPM fast", sfu_step_dpm_fast},
    [SFU_SAMPLER_DPM_ADAPTIVE] = {"dpm_adaptive", "DPM adaptive", sfu_step_dpm_adaptive},
    [SFU_SAMPLER_DDIM_CFGPP] = {"ddim_cfg_pp", "DDIM CFG++", sfu_step_euler_cfgpp, .schedule = SFU_SCHEDULE_LEADING,
                                .of_diffusers = TRUE, .ends_at_first = TRUE, .guidance_unit = 12.5},
};

const SfuSamplerRow *sfu_sampler_row(SfuSampler sampler)
{
    return &samplers[sampler];
}

const char *sfu_sampler_name(int sampler)
{
    return sampler >= 0 && sampler < SFU_N_SAMPLERS ? samplers[sampler].name : NULL;
}

const char *sfu_sampler_label(int sampler)
{
    return sampler >= 0 && sampler < SFU_N_SAMPLERS ? samplers[sampler].label : NULL;
}

int sfu_sampler_passes(SfuSampler sampler)
{
    return MAX(samplers[sampler].passes, 1);
}

double sfu_sampler_guidance_unit(SfuSampler sampler)
{
    return samplers[sampler].guidance_unit > 0 ? samplers[sampler].guidance_unit : 1;
}

gboolean sfu_sampler_needs_unconditional(SfuSampler sampler)
{
    return samplers[sampler].step == sfu_step_euler_cfgpp;
}
