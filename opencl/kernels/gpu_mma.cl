/* Convolution and learned products on NVIDIA's matrix units: fp16 values, fp32 sums, through the instruction mma.sync.m16n8k16 (PTX ISA 7.0, section
 * 9.7.14.5.8; compute capability 8.0 or later), which OpenCL C reaches as inline assembly. As gpu_conv.cl otherwise: an implicit product, tile by tile.
 * A work-group of 4 warps makes 64 pixels x 64 outputs, 32 input channels at a time; each warp a quarter, 32 x 32, in 2 x 4 fragments.
 * ALIGNED: rows of x start at multiples of 2 channels and n_in is even, so that pairs are read as one word.
 * MMA_EMULATED: the fragments' products written out, for devices without the instruction: how the rest is tested on them.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#define BK 32
#define ROW 20 /* words a row of 32 halves: 16, and 4 so that the 8 rows of a fragment fall into different banks */
#define GEOMETRY int h, int w, int n_in, int oh, int ow, int n_out, int kh, int kw, int stride, int pad_t, int pad_l, int up, int wrap, int groups, \
        int x_pitch, int y_pitch

/* c += a b: a [16][16] by rows, b [16][8] by columns, in the instruction's fragments: with g = lane / 4, t = lane % 4,
 *   a[0..3] = pairs (row g, column 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8);  b[0..1] = pairs (row 2t, column g), (2t + 8, g);
 *   c = (row g, columns 2t, 2t + 1), (row g + 8, the same). */
#ifdef MMA_EMULATED
#define SHARE , scratch
void mma(float *c, const uint *a, const uint *b, int lid, __local uint *scratch)
{
    __local uint *mine = scratch + lid / 32 * 32 * 6;
    const int lane = lid % 32, g = lane / 4, t = lane % 4;
    for (int i = 0; i < 4; i++)
        mine[lane * 6 + i] = a[i];
    for (int i = 0; i < 2; i++)
        mine[lane * 6 + 4 + i] = b[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; i < 4; i++) {
        const int row = g + (i & 2) * 4, col = 2 * t + (i & 1);
        float s = 0.0f;
        for (int k = 0; k < 16; k++) {
            __local const half *fa = (__local const half *)(mine + (row % 8 * 4 + k % 8 / 2) * 6 + row / 8 + k / 8 * 2);
            __local const half *fb = (__local const half *)(mine + (col * 4 + k % 8 / 2) * 6 + 4 + k / 8);
            s = fma(vload_half(k % 2, fa), vload_half(k % 2, fb), s);
        }
        c[i] += s;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}
#else
#define SHARE
void mma(float *c, const uint *a, const uint *b, int lid)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif

/* The bits of two values from i on; n of them (2 or fewer), the rest 0. */
uint pair(__global const half *p, size_t i, int n)
{
#ifdef ALIGNED
    return n > 0 ? *(__global const uint *)(p + i) : 0u;
#else
    __global const ushort *u = (__global const ushort *)p;
    return (n > 0 ? (uint)u[i] : 0u) | (n > 1 ? (uint)u[i + 1] << 16 : 0u);
#endif
}

/* x and wt are fp16; wt: [n_out rounded up to 64][kh*kw][n_in rounded up to 32], zeros beyond. Items: dim 0 = outputs, dim 1 = pixels. */
__kernel __attribute__((reqd_work_group_size(128, 1, 1))) void conv_mma(__global half *y, int y0, __global const half *x, int x0,
                                                                        __global const half *wt, int wt0, int n_pix, int k_pad, GEOMETRY, EPILOGUE)
{
    __local uint as[64 * ROW], bs[64 * ROW];
#ifdef MMA_EMULATED
    __local uint scratch[128 * 6];
#endif
    const int lid = get_local_id(0), warp = lid / 32, lane = lid % 32, g = lane / 4, t = lane % 4;
    const int m0 = get_group_id(1) * 64, n0 = get_group_id(0) * 64, per = oh * ow;
    const int wm = warp / 2 * 32, wn = warp % 2 * 32;
    float acc[2][4][4];
#pragma unroll
    for (int i = 0; i < 32; i++)
        acc[i / 16][i / 4 % 4][i % 4] = 0.0f;
    const int row = lid / 2, side = lid % 2 * 8; /* this item loads 8 words of one row of each operand */
    const int p = min(m0 + row, n_pix - 1), b = p / per, iy = p % per / ow * stride - pad_t, ix = p % per % ow * stride - pad_l;
    __global const uint *from = (__global const uint *)(wt + wt0) + (size_t)(n0 + row) * kh * kw * (k_pad / 2) + side;
    for (int tap = 0; tap < kh * kw; tap++) {
        const int sy = source(iy + tap / kw, h, up, wrap), sx = source(ix + tap % kw, w, up, wrap);
        const bool seen = sy >= 0 && sx >= 0;
        const size_t at = x0 + (((size_t)b * h + max(sy, 0)) * w + max(sx, 0)) * x_pitch;
        for (int c0 = 0; c0 < n_in; c0 += BK, from += BK / 2) {
#pragma unroll
            for (int i = 0; i < 8; i++) {
                const int c = c0 + 2 * (side + i);
                as[row * ROW + side + i] = seen ? pair(x, at + c, n_in - c) : 0u;
                bs[row * ROW + side + i] = from[i];
            }
            barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
            for (int k = 0; k < BK / 2; k += 8) { /* 16 channels: 8 words */
                uint fb[4][2];
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    fb[j][0] = bs[(wn + j * 8 + g) * ROW + k + t];
                    fb[j][1] = bs[(wn + j * 8 + g) * ROW + k + t + 4];
                }
#pragma unroll
                for (int i = 0; i < 2; i++) {
                    uint fa[4];
                    fa[0] = as[(wm + i * 16 + g) * ROW + k + t];
                    fa[1] = as[(wm + i * 16 + g + 8) * ROW + k + t];
                    fa[2] = as[(wm + i * 16 + g) * ROW + k + t + 4];
                    fa[3] = as[(wm + i * 16 + g + 8) * ROW + k + t + 4];
#pragma unroll
                    for (int j = 0; j < 4; j++)
                        mma(acc[i][j], fa, fb[j], lid SHARE);
                }
            }
            barrier(CLK_LOCAL_MEM_FENCE);
        }
    }
    for (int i = 0; i < 32; i++) {
        const int pix = m0 + wm + i / 16 * 16 + g + (i & 2) * 4, o = n0 + wn + i / 4 % 4 * 8 + 2 * t + (i & 1);
        if (pix < n_pix && o < n_out)
            finish_1(y + y0, (size_t)pix * y_pitch + o, acc[i / 16][i / 4 % 4][i % 4], o, pix / per, n_out, bias, bias0, chan, chan0, prelu, prelu0,
                     prelu_n, res, res0, act, act_param, scale);
    }
}
