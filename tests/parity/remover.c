/* Removers against PyTorch (make-removers.py) on small models, in every naming, whole and in fp16.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "small_models.h"
#include "family/family.h"
#include "net/remover.h"
#include <math.h>
#include <string.h>

/* fp32: sums of some thousand terms in another order. fp16: each stored value is off by up to 2^-11, through some dozen
 * layers, and the result, a sigmoid, varies little on random weights. */
static const double tolerances[PARITY_N_MODES] = {1e-4, 1e-4, 2e-2};

/* norm(a - b) / norm(b - mean of b): a result that is nearly constant must not hide an error. */
static double error_of(const float *a, const float *b, gint64 n)
{
    double mean = 0, d = 0, s = 0;
    for (gint64 i = 0; i < n; i++)
        mean += b[i] / n;
    for (gint64 i = 0; i < n; i++) {
        d += (a[i] - b[i]) * (a[i] - b[i]);
        s += (b[i] - mean) * (b[i] - mean);
    }
    return sqrt(d / s);
}

/* [h, w, 4]: colors with the hole black, and the hole. Caller frees. */
static float *picture(const char *key, int h, int w)
{
    char *name = g_strconcat(key, "/x", NULL);
    float *v = parity_input(name, (gint64)h * w * 4, 0.25f);
    for (int i = 0; i < h * w; i++) {
        const float hole = v[4 * i + 3] + 0.5f > 0.6f;
        for (int c = 0; c < 3; c++)
            v[4 * i + c] = (v[4 * i + c] + 0.5f) * (1 - hole);
        v[4 * i + 3] = hole;
    }
    g_free(name);
    return v;
}

static void test_parity(gconstpointer data)
{
    const ParityCase *c = data;
    SfuQueue *q = parity_mode_queue(c->mode);
    const char *key = json_object_get_string_member(c->o, "name");
    const int h = (int)json_object_get_int_member(c->o, "h"), w = (int)json_object_get_int_member(c->o, "w");
    GError *error = NULL;
    if (!q)
        return;
    SfuModel *m = parity_model(key);
    const SfuFamily *family = sfu_model_family(m);
    g_assert_true(g_str_has_prefix(key, family->id));
    char *text = sfu_model_inspect(m);
    g_assert_null(strstr(text, "unexpected"));
    g_assert_null(strstr(text, "missing"));
    g_free(text);
    SfuRemover *l = family->remover(q, m, &error);
    g_assert_no_error(error);
    float *x = picture(key, h, w), *y = g_new(float, h *w * 3);
    SfuTensor *t = sfu_tensor_create(q, SFU_F32, 1, h, w, 4, &error), *out = NULL;
    g_assert_true(sfu_tensor_write(t, x, &error));
    sfu_remover_forward(l, &out, t, &error);
    g_assert_no_error(error);
    g_assert_true(out->h == h && out->w == w && out->c == 3);
    g_assert_true(sfu_tensor_read(out, y, &error));
    gint64 n;
    const float *expect = parity_expected(key, &n);
    g_assert_cmpint(n, ==, (gint64)h * w * 3);
    const double e = error_of(y, expect, n);
    g_test_message("%s %s: %.2e", key, parity_mode_name(c->mode), e);
    g_assert_cmpfloat(e, <, tolerances[c->mode]);
    /* Sides that do not fit are refused. */
    sfu_tensor_destroy(t);
    sfu_tensor_destroy(out);
    t = sfu_tensor_create(q, SFU_F32, 1, h + 1, w, 4, &error);
    g_assert_false(sfu_remover_forward(l, &out, t, &error));
    g_assert_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE);
    g_clear_error(&error);
    sfu_tensor_destroy(t);
    g_free(x);
    g_free(y);
    sfu_remover_destroy(l);
}

/* A file that lost a tensor is missed, not run without it. */
static void test_missing(void)
{
    static const char *const drop[][2] = {{"lama", "model.4.ffc.convl2g"},
                                          {"lama", "model.6.conv2.ffc.convg2g.fu.bn.running_var"},
                                          {"lama", "model.5.conv1.bn_l.weight"},
                                          {"lama", "model.18.bias"},
                                          {"migan", "encoder.b32.fromrgb.weight"},
                                          {"migan", "encoder.b16.conv2.downsample.filter.weight"},
                                          {"migan", "encoder.b8.conv1.conv1.weight"},
                                          {"migan", "synthesis.b4.conv1.conv2.weight"},
                                          {"migan", "synthesis.b8.conv1.noise_strength"},
                                          {"migan", "synthesis.b32.conv2.noise_const"},
                                          {"migan", "synthesis.b16.upsample.filter.weight"}};
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    for (guint i = 0; q && i < G_N_ELEMENTS(drop); i++) {
        const ParityDamage damage = {.drop = drop[i][1]};
        GError *error = NULL;
        char *path = parity_model_path(drop[i][0], &damage);
        SfuModel *m = sfu_model_open(path, &error);
        SfuRemover *l = m ? sfu_model_family(m)->remover(q, m, &error) : NULL;
        if (l)
            g_error("%s is not missed", drop[i][1]);
        g_assert_nonnull(error);
        g_error_free(error);
        sfu_model_close(m);
        g_free(path);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    parity_data_open();
    parity_add_cases("remover", test_parity, NULL);
    g_test_add_func("/remover/missing", test_missing);
    const int r = g_test_run();
    parity_data_close();
    return r;
}
