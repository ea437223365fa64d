/* Resampling: largest of a window, bilinear interpolation, and dynamic upsampling.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */

/* y[i, j] = largest of x[i * stride ..+ size, j * stride ..+ size]. */
__kernel void max_pool(__global ACT *y, int y0, __global const ACT *x, int x0, int h, int w, int oh, int ow, int c,
                       int size, int stride)
{
    const int b = get_global_id(2);
    SWEEP(pix, 1, oh * ow)
    {
        const int oy = pix / ow * stride, ox = pix % ow * stride;
        SWEEP(k, 0, (c + 15) / 16)
        {
            const int o = k * 16, n = min(16, c - o);
            float16 best = -INFINITY;
            for (int i = oy; i < oy + size; i++)
                for (int j = ox; j < ox + size; j++)
                    best = fmax(best, load_part(x, x0 + (((size_t)b * h + i) * w + j) * c + o, n));
            store_part(y, y0 + ((size_t)b * oh * ow + pix) * c + o, best, n);
        }
    }
}

/* The two pixels around place p of a row of n, and how far it lies towards the second; the edge is repeated. */
int2 around(float p, int n, float *part)
{
    const float at = clamp(p, 0.0f, (float)(n - 1));
    const int first = min((int)at, n - 1);
    *part = at - first;
    return (int2)(first, min(first + 1, n - 1));
}

/* Pixels are squares, whose centers are interpolated between (PyTorch's align_corners=False). */
__kernel void resize_bilinear(__global ACT *y, int y0, __global const ACT *x, int x0, int h, int w, int oh, int ow,
                              int c)
{
    const int b = get_global_id(2);
    SWEEP(pix, 1, oh * ow)
    {
        float fy, fx;
        const int2 iy = around((pix / ow + 0.5f) * ((float)h / oh) - 0.5f, h, &fy),
                   ix = around((pix % ow + 0.5f) * ((float)w / ow) - 0.5f, w, &fx);
        SWEEP(k, 0, (c + 15) / 16)
        {
            const int o = k * 16, n = min(16, c - o);
            const size_t top = x0 + ((size_t)b * h + iy.x) * w * c + o, low = x0 + ((size_t)b * h + iy.y) * w * c + o;
            const float16 t =
                load_part(x, top + (size_t)ix.x * c, n) * (1.0f - fx) + load_part(x, top + (size_t)ix.y * c, n) * fx;
            const float16 l =
                load_part(x, low + (size_t)ix.x * c, n) * (1.0f - fx) + load_part(x, low + (size_t)ix.y * c, n) * fx;
            store_part(y, y0 + ((size_t)b * oh * ow + pix) * c + o, t * (1.0f - fy) + l * fy, n);
        }
    }
}

/* y [oh, ow, c] = bias + sum over groups of x [h, w, groups * c] at the pixel's own place, shifted by offset *
 * sigmoid(scope) / 2 + start. Channels of those three: [x or y][group][place within the pixel]. */
__kernel void dysample(__global ACT *y, int y0, __global const ACT *x, int x0, __global const ACT *offset, int offset0,
                       __global const ACT *scope, int scope0, __global const float *start, int start0,
                       __global const float *bias, int bias0, int h, int w, int c, int factor, int groups)
{
    const int ox = get_global_id(0), oy = get_global_id(1), b = get_global_id(2), px = ox / factor, py = oy / factor;
    const int places = factor * factor, place = oy % factor * factor + ox % factor, per_pixel = 2 * groups * places;
    const size_t pixel = ((size_t)b * h + py) * w + px,
                 out = y0 + (((size_t)b * h * factor + oy) * w * factor + ox) * c;
    float sum[4];
    for (int i = 0; i < c; i++)
        sum[i] = bias ? bias[bias0 + i] : 0.0f;
    for (int g = 0; g < groups; g++) {
        float at[2], fx, fy;
        for (int axis = 0; axis < 2; axis++) {
            const int k = (axis * groups + g) * places + place;
            const float reach = act_1(LOAD(scope, scope0 + pixel * per_pixel + k), ACT_SIGMOID, 0.0f) * 0.5f;
            at[axis] = LOAD(offset, offset0 + pixel * per_pixel + k) * reach + start[start0 + k];
        }
        const int2 ix = around(px + at[0], w, &fx), iy = around(py + at[1], h, &fy);
        const size_t top = x0 + (((size_t)b * h + iy.x) * w * groups + g) * c,
                     low = x0 + (((size_t)b * h + iy.y) * w * groups + g) * c;
        for (int i = 0; i < c; i++) {
            const float t = LOAD(x, top + (size_t)ix.x * groups * c + i) * (1.0f - fx) +
                            LOAD(x, top + (size_t)ix.y * groups * c + i) * fx;
            const float l = LOAD(x, low + (size_t)ix.x * groups * c + i) * (1.0f - fx) +
                            LOAD(x, low + (size_t)ix.y * groups * c + i) * fx;
            sum[i] += t * (1.0f - fy) + l * fy;
        }
    }
    for (int i = 0; i < c; i++)
        STORE(y, out + i, sum[i]);
}
