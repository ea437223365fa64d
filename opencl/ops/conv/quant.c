/* Weights of products of rows that stay quantized on the device, and are widened for each product (quant.cl): on CPUs
 * some panels at a time, so that those stay in the caches. That costs some hundredths of a product's time.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"
#include <string.h>

enum { PANEL = SFU_PANEL, SLICE = 32 /* inputs that codes are stored for together */, HEAD = 4 * PANEL };

/* How the weights of a type are stored: see quant.cl. */
typedef struct {
    SfuDtype dtype;
    SfuBlockForm form;
    gboolean plain;
    int n_out, n_in, gate_columns;
    int halves, factors_at, codes_at, code_bytes, block_bytes;
    gint64 panel_bytes;
} Store;

/* FALSE: such weights are not kept so. */
static gboolean make_store(const SfuConvJob *j, int gate_columns, Store *s)
{
    *s = (Store){.dtype = sfu_weight_stored(j->w), .n_out = j->n_out, .n_in = j->n_in, .gate_columns = gate_columns};
    /* Where products take bf16, or fp16, such weights are laid out so. Elsewhere fp32 would take twice the memory. */
    const gboolean bf16 = s->dtype == SFU_BF16 && sfu_queue_kernels(j->q) == SFU_KERNELS_CPU && !sfu_queue_bf16(j->q);
    s->plain = bf16 || s->dtype == SFU_F8_E4M3 || s->dtype == SFU_F8_E5M2 || s->dtype == SFU_I8;
    if (s->plain)
        s->form = (SfuBlockForm){.values = SLICE, .group = SLICE, .bits = bf16 ? 16 : 8};
    else if (!sfu_dtype_block_form(s->dtype, &s->form))
        return FALSE;
    s->halves = s->plain ? 0 : s->form.mins ? 2 : 1;
    s->factors_at = s->halves * 2 * PANEL;
    s->codes_at = s->factors_at + (s->form.groups ? s->form.values / s->form.group * s->halves * PANEL : 0);
    s->code_bytes = SLICE / 8 * s->form.bits * PANEL;
    s->block_bytes = s->codes_at + s->form.values / SLICE * s->code_bytes;
    s->panel_bytes = (s->plain ? HEAD : 0) + (gint64)(j->n_in / s->form.values) * s->block_bytes;
    return j->n_in % s->form.values == 0;
}

/* The codes of 32 values of one output, `to` its place among those of the first input. */
static void put_codes(const Store *s, const gint8 *q, guint8 *to)
{
    if (s->form.bits == 8) {
        for (int i = 0; i < SLICE; i++)
            to[i * PANEL] = (guint8)q[i];
        return;
    }
    guint8 code[SLICE], low[SLICE / 2];
    for (int i = 0; i < SLICE; i++)
        code[i] = (guint8)(q[i] + s->form.less);
    for (int i = 0; i < SLICE / 2; i++)
        low[i] = (guint8)((code[i] & 15) | code[i + SLICE / 2] << 4);
    for (int i = 0; i < SLICE / 2; i++)
        to[i * PANEL] = low[i];
    const int high = s->form.bits - 4, a_byte = high ? 8 / high : SLICE;
    to += SLICE / 2 * PANEL;
    for (int i = 0; high && i < SLICE; i += a_byte, to += PANEL) {
        int byte = 0;
        for (int k = 0; k < a_byte; k++)
            byte |= code[i + k] >> 4 << k * high;
        *to = (guint8)byte;
    }
}

/* A block of output j whose codes stand as here. */
static void put_bytes(const Store *s, const guint8 *stored, guint8 *block, int j)
{
    guint8 *to = block + s->codes_at + j;
    memcpy(block + 2 * j, stored, 2);
    if (s->form.mins) { /* such blocks store what is added, as halves */
        block[2 * (PANEL + j)] = stored[2];
        block[2 * (PANEL + j) + 1] = stored[3] ^ 0x80;
    }
    for (int i = 0; i < SLICE / 2; i++)
        to[i * PANEL] = stored[s->form.low_at + i];
    for (int i = 0; s->form.high_at && i < SLICE / 8; i++)
        to[(SLICE / 2 + i) * PANEL] = stored[s->form.high_at + i];
}

/* One block of output j of a panel. */
static void put_block(const Store *s, const guint8 *stored, guint8 *block, int j)
{
    const int groups = s->form.values / s->form.group;
    SfuBlock u;
    if (s->form.bits == 16) {
        for (int i = 0; i < SLICE; i++)
            memcpy(block + s->codes_at + 2 * (i * PANEL + j), stored + 2 * i, 2);
        return;
    }
    if (s->plain) {
        put_codes(s, (const gint8 *)stored, block + s->codes_at + j);
        return;
    }
    if (s->form.low_at) {
        put_bytes(s, stored, block, j);
        return;
    }
    sfu_dtype_unpack(s->dtype, stored, &u);
    memcpy(block + 2 * j, &u.d, 2);
    if (s->form.mins)
        memcpy(block + 2 * PANEL + 2 * j, &u.m, 2);
    for (int g = 0; s->form.groups && g < groups; g++) {
        block[s->factors_at + g * PANEL + j] = (guint8)u.scale[g];
        if (s->form.mins)
            block[s->factors_at + (groups + g) * PANEL + j] = u.min[g];
    }
    for (int i = 0; i < s->form.values; i += SLICE)
        put_codes(s, u.q + i, block + s->codes_at + i / SLICE * s->code_bytes + j);
}

static void pack_store(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end, gconstpointer data)
{
    const Store *s = data;
    const int n_blocks = s->n_in / s->form.values, head = s->plain ? HEAD : 0;
    const size_t stored = s->plain ? (size_t)SLICE * sfu_dtype_bytes(s->dtype) : sfu_dtype_bytes(s->dtype);
    memset((guint8 *)dst + (size_t)first * part_bytes, 0,
           (size_t)(end - first) * part_bytes); /* outputs that there are not have scale 0 */
    for (gint64 at = first * PANEL; at < end * PANEL; at++) {
        const gint64 o = sfu_conv_output_at(at, s->n_out, s->gate_columns);
        guint8 *panel = (guint8 *)dst + at / PANEL * s->panel_bytes;
        float scale;
        if (o < 0)
            continue;
        const guint8 *row = sfu_weight_row(w, o, &scale);
        if (s->plain)
            memcpy(panel + 4 * (at % PANEL), &scale, 4);
        for (int b = 0; b < n_blocks; b++)
            put_block(s, row + (size_t)b * stored, panel + head + (gint64)b * s->block_bytes, (int)(at % PANEL));
    }
}

static void store_options(const Store *s, const char *more, char *options, gsize size)
{
    g_snprintf(options, size, "-DBITS=%d%s%s", s->form.bits,
               s->dtype == SFU_F8_E4M3   ? " -DFLOAT8=1"
               : s->dtype == SFU_F8_E5M2 ? " -DFLOAT8=2"
                                         : "",
               more);
}

/* STORE_ARGUMENTS of quant.cl. */
static void add_store(SfuArgs *args, const Store *s)
{
    SFU_ADD(args, SFU_INT(s->plain ? HEAD : 0), SFU_INT(s->form.values), SFU_INT(s->form.group), SFU_INT(s->halves),
            SFU_INT(s->form.groups), SFU_INT(s->form.less));
}

gboolean sfu_conv_stays_quantized(const SfuConvJob *j)
{
    Store s;
    return sfu_conv_is_rows(j) && make_store(j, 0, &s);
}

/* The weights as they are stored, of so many panels. */
static const SfuTensor *on_device(const SfuConvJob *j, const Store *s, gint64 n_panels, GError **error)
{
    char layout[48];
    g_snprintf(layout, sizeof layout, "quantized %d %" G_GINT64_FORMAT, s->gate_columns, n_panels);
    return sfu_weight_on_device(j->q, j->w, layout, SFU_U8, n_panels * s->panel_bytes, n_panels, pack_store, s, error);
}

gboolean sfu_conv_small_codes(const SfuConvJob *j, SfuConvCodes *codes)
{
    Store s;
    int most_bits, vector;
    if (!sfu_conv_is_rows(j) || !make_store(j, 0, &s) || (s.plain && s.dtype != SFU_I8) ||
        !sfu_queue_small_codes(j->q, &most_bits, &vector) || s.form.bits > most_bits)
        return FALSE;
    *codes = (SfuConvCodes){s.form.bits, MIN(s.form.group, SLICE), s.form.mins, vector};
    return TRUE;
}

/* Bytes of a widened panel. */
static gint64 wide_bytes(const SfuConvJob *j, SfuConvWide to)
{
    SfuConvCodes c;
    if (to == SFU_WIDE_PANELS || !sfu_conv_small_codes(j, &c))
        return (gint64)j->n_in * PANEL * (sfu_queue_bf16(j->q) ? 2 : 4);
    return PANEL * ((gint64)j->n_in + (j->n_in + SFU_CODE_CHUNK - 1) / SFU_CODE_CHUNK * 4 +
                    j->n_in / c.part * (c.mins ? 8 : 4));
}

SfuTensor *sfu_conv_widen_panels(const SfuConvJob *j, SfuConvWide to, int first, int n_panels, GError **error)
{
    Store s;
    if (!make_store(j, j->e->geglu ? 16 : 0, &s))
        return NULL;
    const SfuTensor *x = on_device(j, &s, (j->n_out + PANEL - 1) / PANEL, error);
    SfuTensor *y = x ? sfu_tensor_create(j->q, to == SFU_WIDE_CODES ? SFU_I32 : SFU_F32, 1, 1, n_panels,
                                         (int)(wide_bytes(j, to) / 4), error)
                     : NULL;
    char options[64];
    store_options(&s,
                  to == SFU_WIDE_CODES   ? " -DCODES"
                  : sfu_queue_bf16(j->q) ? " -DBF16"
                                         : "",
                  options, sizeof options);
    const SfuLaunch l = {.program = "quant",
                         .kernel = to == SFU_WIDE_CODES ? "widen_codes" : "widen_panels",
                         .options = options,
                         .global = {(size_t)n_panels, 1, 1},
                         .local = {1, 1, 1},
                         .bytes = y ? (double)s.panel_bytes * n_panels + sfu_op_bytes(y) : 0};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(first), SFU_INT(j->n_in));
    add_store(&args, &s);
    if (y && sfu_op_launch(j->q, &l, &args, error))
        return y;
    sfu_tensor_destroy(y);
    return NULL;
}

gboolean sfu_conv_by_parts(const SfuConvJob *j, SfuConvWide to, const SfuConvTerms *terms, SfuConvPart launch,
                           gconstpointer data, GError **error)
{
    enum { ROOM = 8 << 20 };
    const SfuEpilogue *e = j->e;
    /* What has a value for each output and is read by number does not go in parts. */
    const int most = e->chan || e->prelu ? j->n_panels : (int)CLAMP(ROOM / wide_bytes(j, to) / 2 * 2, 2, j->n_panels);
    gboolean ok = TRUE;
    for (int first = 0; ok && first < j->n_panels; first += most) {
        const int n = MIN(most, j->n_panels - first);
        SfuConvJob part = *j;
        SfuConvTerms of_part = *terms;
        SfuTensor bias, *wide = sfu_conv_widen_panels(j, to, first, n, error);
        part.n_panels = n;
        part.n_out = MIN(j->n_out - first * PANEL, n * PANEL);
        part.out.offset += (size_t)first * (e->geglu ? PANEL / 2 : PANEL);
        part.residual.offset += (size_t)first * PANEL;
        part.widened = TRUE;
        part.flops *= (double)n / j->n_panels;
        part.bytes *= (double)n / j->n_panels;
        if (terms->bias) {
            bias = *terms->bias;
            bias.offset += (size_t)first * PANEL;
            of_part.bias = &bias;
        }
        ok = wide && launch(j, &part, wide, &of_part, data, error);
        sfu_tensor_destroy(wide);
    }
    return ok;
}

SfuTensor *sfu_conv_widen_rows(const SfuConvJob *j, const SfuWideRows *r, GError **error)
{
    Store s;
    if (!make_store(j, r->gate_columns, &s))
        return NULL;
    const SfuTensor *x = on_device(j, &s, (r->n_rows + PANEL - 1) / PANEL, error);
    SfuTensor *y = x ? sfu_tensor_create(j->q, r->half ? SFU_F16 : SFU_F32, 1, 1, r->n_rows, j->n_in, error) : NULL;
    char options[64];
    store_options(&s, r->half ? " -DW_F16" : "", options, sizeof options);
    const SfuLaunch l = {.program = "quant",
                         .kernel = "widen_rows",
                         .options = options,
                         .global = {(size_t)(r->n_rows + 3) / 4, (size_t)(j->n_in / SLICE), 1},
                         .bytes = y ? (double)r->n_rows / PANEL * (double)s.panel_bytes + sfu_op_bytes(y) : 0};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(j->n_in), SFU_INT(r->n_rows),
            SFU_INT(r->by_inputs ? 1 : j->n_in), SFU_INT(r->by_inputs ? r->n_rows : 1));
    add_store(&args, &s);
    if (y && sfu_op_launch(j->q, &l, &args, error))
        return y;
    sfu_tensor_destroy(y);
    return NULL;
}
