/* What the kernels of the GPU family share; part of those that include it.
 * OUT4: what is written, the residual and their rows start at multiples of 4 channels.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef ACT_F16
#define LOAD4(p, i) vload_half4(0, (p) + (i))
#else
#define LOAD4(p, i) vload4(0, (p) + (i))
#endif
#if defined(OUT4) && defined(ACT_F16)
#define LOADA4(p, i) vloada_half4(0, (p) + (i))
#define STOREA4(p, i, v) vstorea_half4_rte(v, 0, (p) + (i))
#elif defined(OUT4)
#define LOADA4(p, i) (*(__global const float4 *)((p) + (i)))
#define STOREA4(p, i, v) (*(__global float4 *)((p) + (i)) = (v))
#elif defined(ACT_F16)
#define LOADA4 LOAD4
#define STOREA4(p, i, v) vstore_half4_rte(v, 0, (p) + (i))
#else
#define LOADA4 LOAD4
#define STOREA4(p, i, v) vstore4(v, 0, (p) + (i))
#endif

/* Four values as they are stored, while they wait in registers: 16-bit ones take half of them. */
#ifdef ACT_F16
#define RAW ushort4
#define RAW_1 ushort
#define VALUES(r) vload_half4(0, (const half *)&(r))
#else
#define RAW float4
#define RAW_1 float
#define VALUES(r) (r)
#endif
/* n values (4 or more: 4; none below 1) from i on, the rest 0. ALIGNED: i and n are multiples of 4. */
INLINE RAW load_raw(__global const ACT *p, size_t i, int n)
{
#ifdef ALIGNED
    return n > 0 ? *(__global const RAW *)(p + i) : (RAW)(0);
#else
    __global const RAW_1 *r = (__global const RAW_1 *)p + i;
    return (RAW)(n > 0 ? r[0] : 0, n > 1 ? r[1] : 0, n > 2 ? r[2] : 0, n > 3 ? r[3] : 0);
#endif
}

#define exp_4 exp
DEFINE_ACT(float4, 4)

/* The first n values (at least one; 4 or more: 4) from i on, the rest 0. */
INLINE float4 load_part4(__global const float *p, size_t i, int n)
{
    if (n >= 4)
        return vload4(0, p + i);
    return (float4)(p[i], n > 1 ? p[i + 1] : 0.0f, n > 2 ? p[i + 2] : 0.0f, 0.0f);
}

/* The same of activations; own: i is a multiple of 4 where OUT4 says so of rows. */
INLINE float4 load_act4(__global const ACT *p, size_t i, int n, const bool own)
{
    if (n >= 4)
        return own ? LOADA4(p, i) : LOAD4(p, i);
    return (float4)(LOAD(p, i), n > 1 ? LOAD(p, i + 1) : 0.0f, n > 2 ? LOAD(p, i + 2) : 0.0f, 0.0f);
}

INLINE void store_act4(__global ACT *p, size_t i, float4 v, int n)
{
    if (n >= 4) {
        STOREA4(p, i, v);
        return;
    }
    STORE(p, i, v.x);
    if (n > 1)
        STORE(p, i + 1, v.y);
    if (n > 2)
        STORE(p, i + 2, v.z);
}

INLINE void store_f32_4(__global float *p, size_t i, float4 v, int n)
{
    if (n >= 4) {
#ifdef OUT4
        *(__global float4 *)(p + i) = v;
#else
        vstore4(v, 0, p + i);
#endif
        return;
    }
    p[i] = v.x;
    if (n > 1)
        p[i + 1] = v.y;
    if (n > 2)
        p[i + 2] = v.z;
}

/* Writes n (4 or more: 4) neighboring channels of one pixel. */
INLINE void finish_4(__global ACT *y, size_t at, float4 v, int n, int o, int b, int n_out, const Epilogue e)
{
    if (e.bias)
        v += load_part4(e.bias, e.bias0 + o, n);
    if (e.chan)
        v += load_act4(e.chan, e.chan0 + (size_t)b * n_out + o, n, false);
    if (e.act == ACT_PRELU)
        v = fmax(v, 0.0f) +
            (e.prelu_n == 1 ? (float4)(e.prelu[e.prelu0]) : load_part4(e.prelu, e.prelu0 + o, n)) * fmin(v, 0.0f);
    else if (e.act != ACT_NONE)
        v = act_4(v, e.act, e.act_param);
    v *= e.scale;
    if (e.res)
        v += load_act4(e.res, e.res0 + at, n, true);
    store_act4(y, at, v, n);
}
