/* Epilogues as passes of their own, behind products that CLBlast made: what our own kernels fuse. s: fp32 rows as the
 * product left them; it may be y. Items: dim 0 = channels of y, dim 1 = rows of all samples, `per` a sample.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
__kernel void epilogue_rows(__global ACT *y, int y0, __global const float *s, int s0, int per, EPILOGUE)
{
    const int o = get_global_id(0), r = get_global_id(1), n_out = get_global_size(0);
    const size_t at = (size_t)r * n_out + o;
    const Epilogue e = epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
    finish_1(y + y0, at, s[s0 + at], o, r / per, n_out, e);
}

/* s is twice as wide: values, then their gates. */
__kernel void epilogue_geglu(__global ACT *y, int y0, __global const float *s, int s0, __global const float *bias,
                             int bias0)
{
    const int o = get_global_id(0), n = get_global_size(0);
    const size_t r = get_global_id(1);
    float v = s[s0 + r * 2 * n + o], g = s[s0 + r * 2 * n + n + o];
    if (bias) {
        v += bias[bias0 + o];
        g += bias[bias0 + n + o];
    }
    STORE(y, y0 + r * n + o, v * gelu_1(g));
}
