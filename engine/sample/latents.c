/* Between sigmas and timesteps, and between latents, network and x0.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/step.h"
#include <math.h>

double sfu_sigma_shifted(double sigma, double shift)
{
    return shift * sigma / (1 + (shift - 1) * sigma);
}

double sfu_sigma_of_timestep(const SfuSigmas *s, double t)
{
    if (s->prediction == SFU_SAMPLE_FLOW)
        return sfu_sigma_shifted((t + 1) / s->n_train, s->shift);
    const int low = CLAMP((int)floor(t), 0, s->n_train - 1), high = MIN(low + 1, s->n_train - 1);
    const double w = t - low;
    return exp((1 - w) * s->log_sigmas[low] + w * s->log_sigmas[high]);
}

double sfu_sigma_to_timestep(const SfuSigmas *s, double sigma)
{
    if (s->prediction == SFU_SAMPLE_FLOW)
        return 1000 * sigma;
    const double wanted = log(sigma);
    int low = 0, high = s->n_train - 1;
    if (!(wanted > s->log_sigmas[low]))
        return low;
    if (wanted >= s->log_sigmas[high])
        return high;
    while (high - low > 1) {
        const int mid = (low + high) / 2;
        if (s->log_sigmas[mid] <= wanted)
            low = mid;
        else
            high = mid;
    }
    return low + (wanted - s->log_sigmas[low]) / (s->log_sigmas[high] - s->log_sigmas[low]);
}

void sfu_add_noise(const SfuSigmas *s, float *x, const float *x0, const float *noise, double sigma, gint64 n)
{
    const float keep = s->prediction == SFU_SAMPLE_FLOW ? (float)(1 - sigma) : 1, add = (float)sigma;
    for (gint64 i = 0; i < n; i++)
        x[i] = keep * x0[i] + add * noise[i];
}

void sfu_model_input(const SfuSigmas *s, float *in, const float *x, double sigma, gint64 n)
{
    const float scale = s->prediction == SFU_SAMPLE_FLOW ? 1 : (float)(1 / sqrt(sigma * sigma + 1));
    for (gint64 i = 0; i < n; i++)
        in[i] = scale * x[i];
}

void sfu_denoised_from_output(const SfuSigmas *s, float *denoised, const float *x, const float *output, double sigma,
                              gint64 n)
{
    double skip = 1, out = -sigma; /* epsilon; flow, whose output is noise - x0 */
    if (s->prediction == SFU_SAMPLE_V) {
        skip = 1 / (sigma * sigma + 1);
        out = -sigma / sqrt(sigma * sigma + 1);
    } else if (s->prediction == SFU_SAMPLE_X0) {
        skip = 0;
        out = 1;
    }
    const float a = (float)skip, b = (float)out;
    for (gint64 i = 0; i < n; i++)
        denoised[i] = a * x[i] + b * output[i];
}

static double deviation(const float *x, gint64 n)
{
    double mean = 0, square = 0;
    for (gint64 i = 0; i < n; i++)
        mean += x[i];
    mean /= n;
    for (gint64 i = 0; i < n; i++)
        square += (x[i] - mean) * (x[i] - mean);
    return sqrt(square / n); /* PyTorch divides by n - 1; only a ratio is used */
}

void sfu_guidance_rescale(float *cfg, const float *cond, double phi, gint64 n_per_image, int n_images)
{
    for (int image = 0; image < n_images; image++, cfg += n_per_image, cond += n_per_image) {
        const double spread = deviation(cfg, n_per_image);
        if (!(spread > 0))
            continue;
        const float scale = (float)(phi * deviation(cond, n_per_image) / spread + (1 - phi));
        for (gint64 i = 0; i < n_per_image; i++)
            cfg[i] *= scale;
    }
}
