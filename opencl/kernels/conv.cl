/* Convolution and learned products, with what is fused behind them. Three kernels of one meaning:
 *   conv_plain  one output pixel and channel an item; any size, stride, groups; what the others are tested against.
 *   conv_panel  a tile (common.cl) of pixels and channels at a time, weights in panels of 32 outputs: explicit vectors
 *               for CPU devices, where one item is one thread and barriers are slow. No im2col: each tap reads its row
 *               of channels in place.
 *   conv_few    for up to 8 outputs (OUTS) on CPU devices: vectors over the input channels, PIX pixels an item's step.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef PLAIN
__kernel void conv_plain(__global ACT *y, int y0, __global const ACT *x, int x0, __global const WT *wt, int wt0,
                         GEOMETRY, EPILOGUE)
{
    const int o = get_global_id(0), pix = get_global_id(1), b = get_global_id(2);
    const int oy = pix / ow, ox = pix % ow, g = o / (n_out / groups);
    const Epilogue e = epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
    float s = 0.0f;
    for (int ky = 0; ky < kh; ky++) {
        const int iy = source(oy * stride + ky - pad_t, h, up, wrap & 2);
        for (int kx = 0; kx < kw && iy >= 0; kx++) {
            const int ix = source(ox * stride + kx - pad_l, w, up, wrap & 1);
            if (ix < 0)
                continue;
            const size_t xi = x0 + (((size_t)b * h + iy) * w + ix) * x_pitch + g * n_in;
            const size_t wi = wt0 + ((size_t)o * kh * kw + ky * kw + kx) * n_in;
            for (int c = 0; c < n_in; c++)
                s = fma(LOAD(x, xi + c), LOADW(wt, wi + c), s);
        }
    }
    finish_1(y + y0, ((size_t)b * oh * ow + pix) * y_pitch + o, s, o, b, n_out, e);
}

/* y = first * gelu(second) of rows twice as wide (Shazeer 2020, GEGLU). */
__kernel void geglu_plain(__global ACT *y, int y0, __global const ACT *x, int x0, int c)
{
    const int i = get_global_id(0);
    const size_t r = get_global_id(1);
    STORE(y, y0 + r * c + i, LOAD(x, x0 + r * 2 * c + i) * gelu_1(LOAD(x, x0 + r * 2 * c + c + i)));
}
#else

/* wt: [n_out/32][kh*kw*n_in][32]. zeros: at least n_in zeros, read for pixels in the padding.
 * Items: dim 0 = runs of `run` blocks of 12 pixels (all samples in one row), dim 1 = PANELS panels. */
#ifdef TILE_ROWS
__kernel void conv_panel(__global ACT *y, int y0, __global const ACT *x, int x0, __global const WT *wt, int wt0,
                         __global const ACT *zeros, int zeros0, int n_pix, int run, GEOMETRY, EPILOGUE)
{
    const int first = get_global_id(0) * run * 12, last = min(n_pix, first + run * 12), per = oh * ow;
    const size_t panel_size = (size_t)kh * kw * n_in * 32;
    const Epilogue e = epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
    for (int p0 = first; p0 < last; p0 += TILE_ROWS)
        for (int col = 0; col < 32 * PANELS; col += TILE_COLS) {
            const int o = get_global_id(1) * PANELS * 32 + col;
            __global const WT *w_ = wt + wt0 + o / 32 * panel_size + o % 32;
            VEC s[TILE_ROWS * TILE_VECS];
            int iy[TILE_ROWS], ix[TILE_ROWS], ib[TILE_ROWS];
#pragma unroll
            for (int i = 0; i < TILE_ROWS * TILE_VECS; i++)
                s[i] = 0.0f;
            for (int i = 0; i < TILE_ROWS; i++) {
                const int p = min(p0 + i, n_pix - 1), q = p % per;
                ib[i] = p / per;
                iy[i] = q / ow * stride - pad_t;
                ix[i] = q % ow * stride - pad_l;
            }
            for (int ky = 0; ky < kh; ky++)
                for (int kx = 0; kx < kw; kx++) {
                    __global const ACT *a[TILE_ROWS];
                    for (int i = 0; i < TILE_ROWS; i++) {
                        const int sy = source(iy[i] + ky, h, up, wrap & 2), sx = source(ix[i] + kx, w, up, wrap & 1);
                        a[i] =
                            sy < 0 || sx < 0 ? zeros + zeros0 : x + x0 + (((size_t)ib[i] * h + sy) * w + sx) * x_pitch;
                    }
                    for (int c = 0; c < n_in; c++, w_ += 32) {
                        VEC b[TILE_VECS];
#pragma unroll
                        for (int j = 0; j < TILE_VECS; j++)
                            b[j] = LOADP(w_ + j * VW / 32 * panel_size + j * VW % 32);
#pragma unroll
                        for (int i = 0; i < TILE_ROWS; i++) {
                            const VEC v = (VEC)(LOAD(a[i], c));
#pragma unroll
                            for (int j = 0; j < TILE_VECS; j++)
                                s[i * TILE_VECS + j] = fma(v, b[j], s[i * TILE_VECS + j]);
                        }
                    }
                }
            float16 out[TILE_ROWS * TILE_COLS / 16];
#pragma unroll
            for (int i = 0; i < TILE_ROWS * TILE_COLS / 16; i++)
                out[i] = PIECE(s, i);
            for (int i = 0; i < min(TILE_ROWS, last - p0); i++)
#pragma nounroll
                for (int j = 0; j < TILE_COLS && o + j < n_out; j += 16)
                    finish(y + y0, (size_t)(p0 + i) * y_pitch + o + j, out[(i * TILE_COLS + j) / 16],
                           min(n_out - o - j, 16), o + j, ib[i], n_out, e);
        }
}
#endif

#ifdef OUTS
/* Adds to the sums [PIX][OUTS] what n of 16 channels of each pixel give, with their weights [OUTS][16]. */
HELPER __attribute__((always_inline)) void few_channels(VEC *s, __global const ACT *const *a, int c, int n,
                                                        __global const WT *w)
{
#pragma unroll
    for (int k = 0; k < 16 / VW; k++) {
        VEC f[OUTS];
#pragma unroll
        for (int o = 0; o < OUTS; o++)
            f[o] = LOADP(w + o * 16 + k * VW);
#pragma unroll
        for (int i = 0; i < PIX; i++) {
            const VEC v = PART(load_part(a[i], c, n), k);
#pragma unroll
            for (int o = 0; o < OUTS; o++)
                s[i * OUTS + o] = fma(v, f[o], s[i * OUTS + o]);
        }
    }
}

/* wt: [kh*kw][ceil(n_in/16)][OUTS][16]. zeros: at least n_in zeros, read for pixels in the padding. Items: runs of
 * `run` blocks of PIX pixels. */
__kernel void conv_few(__global ACT *y, int y0, __global const ACT *x, int x0, __global const WT *wt, int wt0,
                       __global const ACT *zeros, int zeros0, int n_pix, int run, GEOMETRY, EPILOGUE)
{
    const int first = get_global_id(0) * run * PIX, last = min(n_pix, first + run * PIX);
    int b = first / (oh * ow), oy = first / ow % oh, ox = first % ow; /* of p0 */
    const Epilogue e = epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
    for (int p0 = first; p0 < last; p0 += PIX) {
        VEC s[PIX * OUTS];
        int iy[PIX], ix[PIX], ib[PIX];
#pragma unroll
        for (int i = 0; i < PIX * OUTS; i++)
            s[i] = 0.0f;
        /* All taps of the step's pixels lie side by side. */
        const bool inside = stride == 1 && !up && p0 + PIX <= n_pix && oy >= pad_t && oy - pad_t + kh <= h &&
                            ox >= pad_l && ox + PIX <= ow && ox - pad_l + PIX - 1 + kw <= w;
#pragma unroll
        for (int i = 0; i < PIX; i++) {
            ib[i] = b;
            iy[i] = oy * stride - pad_t;
            ix[i] = ox * stride - pad_l;
            if (p0 + i + 1 < n_pix && ++ox == ow) {
                ox = 0;
                if (++oy == oh) {
                    oy = 0;
                    b++;
                }
            }
        }
        __global const WT *wk = wt + wt0;
        for (int ky = 0; ky < kh; ky++)
            for (int kx = 0; kx < kw; kx++) {
                __global const ACT *a[PIX];
                if (inside) {
                    __global const ACT *row = x + x0 + (((size_t)ib[0] * h + iy[0] + ky) * w + ix[0] + kx) * x_pitch;
#pragma unroll
                    for (int i = 0; i < PIX; i++)
                        a[i] = row + (size_t)i * x_pitch;
                } else
                    for (int i = 0; i < PIX; i++) {
                        const int sy = source(iy[i] + ky, h, up, wrap & 2), sx = source(ix[i] + kx, w, up, wrap & 1);
                        a[i] =
                            sy < 0 || sx < 0 ? zeros + zeros0 : x + x0 + (((size_t)ib[i] * h + sy) * w + sx) * x_pitch;
                    }
                /* The next steps' row that has not been read yet, some pixels a tap: more lines at once than a core can
                 * wait for would stop it. */
                for (int i = ky * kw + kx; i < PIX; i += kh * kw) {
                    const size_t ahead = ((size_t)ib[0] * h + min((iy[0] + kh - 1) >> up, h - 1)) * w +
                                         (max(ix[0], 0) >> up) + 2 * PIX + i;
                    for (int c = 0; c < n_in; c += 16)
                        FETCH(x + x0 + ahead * x_pitch + c);
                }
                int c = 0;
                for (; c + 16 <= n_in; c += 16, wk += OUTS * 16)
                    few_channels(s, a, c, 16, wk);
                if (c < n_in) {
                    few_channels(s, a, c, n_in - c, wk);
                    wk += OUTS * 16;
                }
            }
        float sums[PIX * OUTS];
#pragma unroll
        for (int i = 0; i < PIX * OUTS; i++)
            sums[i] = SUMV(s[i]);
#pragma nounroll
        for (int i = 0; i < min(PIX, last - p0); i++)
#pragma nounroll
            for (int o = 0; o < OUTS; o++)
                finish_1(y + y0, (size_t)(p0 + i) * y_pitch + o, sums[i * OUTS + o], o, ib[i], n_out, e);
    }
}
#endif
#endif
