/* Schedules by name, and samplers and schedules by the names that other programs give them.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/step.h"
#include <string.h>

static const char *const schedule_names[SFU_N_SCHEDULES][2] = {
    [SFU_SCHEDULE_AUTO] = {"auto", "Automatic"},
    [SFU_SCHEDULE_NORMAL] = {"normal", "Normal"},
    [SFU_SCHEDULE_KARRAS] = {"karras", "Karras"},
    [SFU_SCHEDULE_EXPONENTIAL] = {"exponential", "Exponential"},
    [SFU_SCHEDULE_SGM_UNIFORM] = {"sgm_uniform", "SGM Uniform"},
    [SFU_SCHEDULE_SIMPLE] = {"simple", "Simple"},
    [SFU_SCHEDULE_TRAILING] = {"trailing", "Trailing"},
    [SFU_SCHEDULE_LEADING] = {"leading", "Leading"},
    [SFU_SCHEDULE_LINSPACE] = {"linspace", "Linspace"},
    [SFU_SCHEDULE_LCM] = {"lcm", "LCM"},
    [SFU_SCHEDULE_KL_OPTIMAL] = {"kl_optimal", "KL Optimal"},
    [SFU_SCHEDULE_BETA] = {"beta", "Beta"},
    [SFU_SCHEDULE_ALIGN_YOUR_STEPS] = {"align_your_steps", "Align Your Steps"},
    [SFU_SCHEDULE_DDIM_UNIFORM] = {"ddim_uniform", "DDIM"},
    [SFU_SCHEDULE_GITS] = {"gits", "Align Your Steps GITS"},
};

const char *sfu_schedule_name(int schedule)
{
    return schedule >= 0 && schedule < SFU_N_SCHEDULES ? schedule_names[schedule][0] : NULL;
}

const char *sfu_schedule_label(int schedule)
{
    return schedule >= 0 && schedule < SFU_N_SCHEDULES ? schedule_names[schedule][1] : NULL;
}

/* ---- names elsewhere ---- */

typedef struct {
    const char *name;
    int id;
} Alias;

static const Alias sampler_aliases[] = {
    /* ComfyUI, InvokeAI and NovelAI; A1111's names of its lists ("k_euler_a"), too */
    {"euler_ancestral", SFU_SAMPLER_EULER_A},
    {"k_euler", SFU_SAMPLER_EULER},
    {"k_euler_a", SFU_SAMPLER_EULER_A},
    {"k_euler_ancestral", SFU_SAMPLER_EULER_A},
    {"k_heun", SFU_SAMPLER_HEUN},
    {"dpm_2", SFU_SAMPLER_DPM2},
    {"k_dpm_2", SFU_SAMPLER_DPM2},
    {"kdpm_2", SFU_SAMPLER_DPM2},
    {"dpm_2_ancestral", SFU_SAMPLER_DPM2_A},
    {"k_dpm_2_a", SFU_SAMPLER_DPM2_A},
    {"k_dpm_2_ancestral", SFU_SAMPLER_DPM2_A},
    {"kdpm_2_a", SFU_SAMPLER_DPM2_A},
    {"k_dpmpp_2m", SFU_SAMPLER_DPMPP_2M},
    {"dpmpp_2m_k", SFU_SAMPLER_DPMPP_2M},
    {"k_dpmpp_2m_sde", SFU_SAMPLER_DPMPP_2M_SDE},
    {"dpmpp_2m_sde_gpu", SFU_SAMPLER_DPMPP_2M_SDE},
    {"dpmpp_2m_sde_k", SFU_SAMPLER_DPMPP_2M_SDE},
    {"k_dpmpp_sde", SFU_SAMPLER_DPMPP_SDE},
    {"dpmpp_sde_gpu", SFU_SAMPLER_DPMPP_SDE},
    {"dpmpp_sde_k", SFU_SAMPLER_DPMPP_SDE},
    {"dpmpp_2s_ancestral", SFU_SAMPLER_DPMPP_2S_A},
    {"k_dpmpp_2s_ancestral", SFU_SAMPLER_DPMPP_2S_A},
    {"k_dpmpp_2s_a", SFU_SAMPLER_DPMPP_2S_A},
    {"ddim_v3", SFU_SAMPLER_DDIM},
    {"uni_pc", SFU_SAMPLER_UNIPC},
    {"k_lms", SFU_SAMPLER_LMS},
    {"k_dpmpp_3m_sde", SFU_SAMPLER_DPMPP_3M_SDE},
    {"dpmpp_3m_sde_gpu", SFU_SAMPLER_DPMPP_3M_SDE},
    {"dpmpp_2m_sde_heun_gpu", SFU_SAMPLER_DPMPP_2M_SDE_HEUN},
    {"euler_ancestral_cfg_pp", SFU_SAMPLER_EULER_A_CFGPP},
    {"k_dpm_fast", SFU_SAMPLER_DPM_FAST},
    {"k_dpm_ad", SFU_SAMPLER_DPM_ADAPTIVE},
    {"k_dpm_adaptive", SFU_SAMPLER_DPM_ADAPTIVE},
    {"pndm", SFU_SAMPLER_PLMS},
    {"uni_pc_bh2", SFU_SAMPLER_UNIPC},
    {"ER-SDE", SFU_SAMPLER_ER_SDE},
    {"ddim_trailing", SFU_SAMPLER_DDIM},
    {"ddim_cfgpp", SFU_SAMPLER_DDIM_CFGPP},
    /* sd.cpp */
    {"dpm++2m", SFU_SAMPLER_DPMPP_2M},
    {"dpm++2s_a", SFU_SAMPLER_DPMPP_2S_A},
};

static const Alias schedule_aliases[] = {
    {"uniform", SFU_SCHEDULE_NORMAL}, /* A1111: k-diffusion's get_sigmas() */
    {"discrete", SFU_SCHEDULE_NORMAL},
    {"native", SFU_SCHEDULE_AUTO}, /* NovelAI */
    {"SGMUniform", SFU_SCHEDULE_SGM_UNIFORM},
    {"ays", SFU_SCHEDULE_ALIGN_YOUR_STEPS}, /* sd.cpp */
    {"AlignYourSteps", SFU_SCHEDULE_ALIGN_YOUR_STEPS},
    {"ddim", SFU_SCHEDULE_DDIM_UNIFORM},
    {"align_your_steps_GITS", SFU_SCHEDULE_GITS}, /* Forge */
};

static int find_name(const char *name, const char *(*own)(int), const char *(*label)(int), const Alias *aliases,
                     int n_aliases)
{
    for (int i = 0; own(i); i++)
        if (g_ascii_strcasecmp(name, own(i)) == 0 || g_ascii_strcasecmp(name, label(i)) == 0)
            return i;
    for (int i = 0; i < n_aliases; i++)
        if (g_ascii_strcasecmp(name, aliases[i].name) == 0)
            return aliases[i].id;
    return -1;
}

int sfu_sampler_find(const char *name)
{
    return find_name(name, sfu_sampler_name, sfu_sampler_label, sampler_aliases, G_N_ELEMENTS(sampler_aliases));
}

int sfu_schedule_find(const char *name)
{
    return find_name(name, sfu_schedule_name, sfu_schedule_label, schedule_aliases, G_N_ELEMENTS(schedule_aliases));
}

int sfu_sampler_find_with_schedule(const char *name, int *schedule)
{
    const int whole = sfu_sampler_find(name);
    if (whole >= 0)
        return whole;
    /* Names of schedules may be of several words. ComfyUI's nodes write "dpmpp_2m_karras". */
    for (const char *space = strpbrk(name, " _"); space; space = strpbrk(space + 1, " _")) {
        const int after = sfu_schedule_find(space + 1);
        if (after < 0)
            continue;
        char *head = g_strndup(name, (gsize)(space - name));
        const int sampler = sfu_sampler_find(head);
        g_free(head);
        if (sampler < 0)
            continue;
        *schedule = after;
        return sampler;
    }
    return -1;
}
