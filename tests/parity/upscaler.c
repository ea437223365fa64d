/* Every upscaler network against PyTorch (make-upscalers.py) on small models, in every naming: norm(difference) /
 * norm(reference). And tiles with the margin against the whole. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "small_models.h"
#include "ncnn.h"
#include "net/upscaler.h"
#include <math.h>
#include <string.h>

/* fp32: sums of some thousand terms in another order. fp16: each stored value is off by up to 2^-11, through some dozen
 * layers. */
static const double tolerances[PARITY_N_MODES] = {1e-4, 1e-4, 5e-3};

static const char *name_of(JsonObject *o)
{
    return json_object_get_string_member(o, "name");
}

/* Colors from 0 to 1. Caller frees with g_free. */
static float *picture(const char *name, int h, int w, int c)
{
    char *full = g_strconcat(name, "/x", NULL);
    float *v = parity_input(full, (gint64)h * w * c, 0.25f);
    for (int i = 0; i < h * w * c; i++)
        v[i] += 0.5f;
    g_free(full);
    return v;
}

/* The n channels of x [h, w, c] from the first on. */
static SfuTensor *upload(SfuQueue *q, const float *x, int h, int w, int c, int first, int n)
{
    GError *error = NULL;
    SfuTensor *t = sfu_tensor_create(q, SFU_F32, 1, h, w, n, &error);
    g_assert_no_error(error);
    float *part = g_new(float, (gsize)h *w *n);
    for (int i = 0; i < h * w; i++)
        memcpy(part + (gsize)i * n, x + (gsize)i * c + first, sizeof *part * (gsize)n);
    g_assert_true(sfu_tensor_write(t, part, &error));
    g_free(part);
    return t;
}

/* x [h, w, c and noise] -> [h * scale, w * scale, c]. Caller frees with g_free. */
static float *forward(SfuUpscaler *u, SfuQueue *q, const float *x, int h, int w)
{
    GError *error = NULL;
    const int c = sfu_upscaler_channels(u), noise = sfu_upscaler_noise(u);
    SfuTensor *t = upload(q, x, h, w, c + noise, 0, c), *y = NULL,
              *z = noise ? upload(q, x, h, w, c + noise, c, noise) : NULL;
    sfu_upscaler_forward(u, &y, t, z, &error);
    g_assert_no_error(error);
    sfu_tensor_destroy(z);
    const int s = sfu_upscaler_scale(u);
    g_assert_true(y->n == 1 && y->h == h * s && y->w == w * s && y->c == c);
    float *v = g_new(float, sfu_tensor_elements(y));
    g_assert_true(sfu_tensor_read(y, v, &error));
    sfu_tensor_destroy(y);
    sfu_tensor_destroy(t);
    return v;
}

static SfuUpscaler *create(SfuQueue *q, const char *key)
{
    GError *error = NULL;
    SfuUpscaler *u = sfu_upscaler_create(q, parity_model(key), sfu_model_family(parity_model(key))->upscaler, &error);
    g_assert_no_error(error);
    return u;
}

static void test_parity(gconstpointer data)
{
    const ParityCase *c = data;
    SfuQueue *q = parity_mode_queue(c->mode);
    const char *key = name_of(c->o);
    const int h = parity_int(c->o, "h"), w = parity_int(c->o, "w"), margin = parity_int(c->o, "margin");
    if (!q)
        return;
    SfuModel *m = parity_model(key);
    g_assert_cmpstr(sfu_model_family(m)->name, ==, json_object_get_string_member(c->o, "family"));
    char *text = sfu_model_inspect(m);
    g_assert_null(strstr(text, "unexpected"));
    g_assert_null(strstr(text, "missing"));
    g_free(text);
    SfuUpscaler *u = create(q, key);
    g_assert_cmpint(sfu_upscaler_scale(u), ==, parity_int(c->o, "scale"));
    g_assert_cmpint(h % sfu_upscaler_multiple(u), ==, 0);
    if (margin) /* the smallest number of pixels would be up to two less per enlargement */
        g_assert_cmpint(sfu_upscaler_margin_px(u), ==, margin);
    g_assert_cmpint(sfu_upscaler_channels(u), ==, parity_int(c->o, "channels"));
    g_assert_cmpint(sfu_upscaler_noise(u), ==, parity_int(c->o, "noise"));
    float *x = picture(key, h, w, parity_int(c->o, "channels") + parity_int(c->o, "noise")),
          *y = forward(u, q, x, h, w);
    const int scale = sfu_upscaler_scale(u);
    parity_compare(key, NULL, y, (gint64)h * scale * w * scale * sfu_upscaler_channels(u), tolerances[c->mode]);
    g_free(x);
    g_free(y);
    sfu_upscaler_destroy(u);
}

/* Two tiles, each with the margin around its half, give the whole. The picture is so wide that both leave something
 * out. */
static void test_tiles(gconstpointer data)
{
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    const char *key = name_of((JsonObject *)data);
    if (!q)
        return;
    SfuUpscaler *u = create(q, key);
    const int ch = sfu_upscaler_channels(u), m = sfu_upscaler_margin_px(u), s = sfu_upscaler_scale(u),
              step = sfu_upscaler_multiple(u), h = 4 * step;
    const int left = (20 + step - 1) / step * step, w = (2 * left + 2 * m + step - 1) / step * step;
    const int in = ch + sfu_upscaler_noise(u);
    float *x = picture(key, h, w, in), *whole = forward(u, q, x, h, w);
    double diff = 0, norm = 0;
    for (int tile = 0; tile < 2; tile++) {
        const int from = tile ? left : 0, to = tile ? w : left; /* of the tile's own pixels */
        const int a = MAX(0, from - m) / step * step, b = MIN(w, (to + m + step - 1) / step * step), tw = b - a;
        float *part = g_new(float, (gsize)h *tw *in);
        for (int y = 0; y < h; y++)
            memcpy(part + (gsize)y * tw * in, x + ((gsize)y * w + a) * in, sizeof *part * (gsize)tw * in);
        float *out = forward(u, q, part, h, tw);
        for (int y = 0; y < h * s; y++)
            for (int i = from * s * ch; i < to * s * ch; i++) {
                const double v = whole[(gsize)y * w * s * ch + i], d = out[(gsize)y * tw * s * ch + i - a * s * ch] - v;
                diff += d * d;
                norm += v * v;
            }
        g_assert_true(tile ? a > 0 || left < m : b < w);
        g_free(part);
        g_free(out);
    }
    g_test_message("%s: %.2e", key, sqrt(diff / norm));
    g_assert_cmpfloat(sqrt(diff / norm), <, 1e-5);
    g_free(x);
    g_free(whole);
    sfu_upscaler_destroy(u);
}

static void expect_failure(SfuQueue *q, const char *key, const ParityDamage *damage, GQuark domain, int code,
                           const char *word)
{
    GError *error = NULL;
    char *path = parity_model_path(key, damage);
    SfuModel *m = sfu_model_open(path, &error);
    SfuUpscaler *u = m ? sfu_upscaler_create(q, m, sfu_model_family(m)->upscaler, &error) : NULL;
    g_assert_null(u);
    g_assert_error(error, domain, code);
    if (!strstr(error->message, word))
        g_error("'%s' lacks '%s'", error->message, word);
    g_error_free(error);
    sfu_model_close(m);
    g_free(path);
}

static void test_torn(void)
{
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    const ParityDamage drop = {.drop = "RDB2.conv3"},
                       shrink = {.shrink = "layers.0.residual_group.blocks.1.mlp.fc1.bias"},
                       poison = {.poison = "body.2.bias"},
                       table = {.shrink = "layers.0.residual_group.blocks.1.attn.relative_position_bias_table"},
                       last = {.shrink = "conv_last.weight"}, branch = {.drop = "1.RDB3.conv1x1"},
                       slope = {.shrink = "body.3.weight"};
    expect_failure(q, "rrdb-x4-first-names", &drop, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING,
                   "body.0.rdb2.conv3.weight");
    expect_failure(q, "swinir-classical-x2", &shrink, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING,
                   "blocks.1.mlp.fc1.bias");
    expect_failure(q, "hat-x4", &table, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, "relative_position_bias_table");
    expect_failure(q, "rrdb-x4-plus-first-names", &branch, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING,
                   "body.1.rdb3.conv1x1.weight");
    expect_failure(q, "srvgg-x4", &poison, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "body.2.bias");
    expect_failure(q, "srvgg-x4", &slope, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, "body.3.weight");
    expect_failure(q, "rrdb-x4", &last, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "channels");
}

/* One stage of enlargement is by two or by three: the file's name decides, and that is said. */
static void test_three_by_name(void)
{
    static const struct {
        const char *name;
        int scale;
    } names[] = {{"3x_Photo.safetensors", 3},    {"Some-ESRGAN_x3plus.safetensors", 3}, {"A_3X.safetensors", 3},
                 {"x3.safetensors", 3},          {"2x_Photo.safetensors", 2},           {"photo.safetensors", 2},
                 {"13x_x32_box3.safetensors", 2}};
    char *path = parity_model_path("rrdb-x2-first-names", NULL), *text = NULL;
    gsize bytes = 0;
    GError *error = NULL;
    g_file_get_contents(path, &text, &bytes, &error);
    g_assert_no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        char *folder = g_path_get_dirname(path), *copy = g_build_filename(folder, names[i].name, NULL);
        g_file_set_contents(copy, text, (gssize)bytes, &error);
        SfuModel *m = sfu_model_open(copy, &error);
        g_assert_no_error(error);
        g_assert_cmpint(sfu_model_upscaler(m)->scale, ==, names[i].scale);
        char *said = sfu_model_inspect(m);
        g_assert_nonnull(strstr(said, "x3 in its name"));
        g_free(said);
        sfu_model_close(m);
        g_free(copy);
        g_free(folder);
    }
    char *said = sfu_model_inspect(parity_model("rrdb-x4"));
    g_assert_null(strstr(said, "guessed"));
    g_free(said);
    g_free(text);
    g_free(path);
}

static void test_shapes(void)
{
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    GError *error = NULL;
    if (!q)
        return;
    SfuUpscaler *u = create(q, "rrdb-x2-unshuffle");
    const int shapes[][4] = {{1, 5, 4, 3}, {1, 4, 4, 4}, {2, 4, 4, 3}};
    for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
        SfuTensor *x = sfu_tensor_create(q, SFU_F32, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3], &error),
                  *y = x;
        g_assert_no_error(error);
        g_assert_false(sfu_upscaler_forward(u, &y, x, NULL, &error));
        g_assert_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE);
        g_assert_null(y);
        g_clear_error(&error);
        sfu_tensor_destroy(x);
    }
    sfu_upscaler_destroy(u);
}

/* A cancelled pass ends with an error and leaves nothing behind; the next one works. */
static void test_cancel(void)
{
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    GError *error = NULL;
    int flag = 1;
    if (!q)
        return;
    static const char *const keys[] = {"rrdb-x4", "srvgg-x3", "swinir-real-x4", "hat-x4"};
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        SfuUpscaler *u = create(q, keys[i]);
        float *v = picture("cancel", 8, 8, 3);
        SfuTensor *x = sfu_tensor_create(q, SFU_F32, 1, 8, 8, 3, &error), *y = NULL;
        g_assert_true(sfu_tensor_write(x, v, &error));
        sfu_queue_set_cancel(q, &flag);
        g_assert_false(sfu_upscaler_forward(u, &y, x, NULL, &error));
        g_assert_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_CANCELLED);
        g_clear_error(&error);
        sfu_queue_set_cancel(q, NULL);
        g_assert_true(sfu_upscaler_forward(u, &y, x, NULL, &error));
        g_assert_no_error(error);
        sfu_tensor_destroy(y);
        sfu_tensor_destroy(x);
        g_free(v);
        sfu_upscaler_destroy(u);
    }
}

#define LEAKY " 9=2 -23310=1,2.000000e-01"

/* ncnn's files, in both spellings and types, give what the safetensors file of the same weights gives, to the last bit.
 */
static void test_ncnn(void)
{
    static const NcnnSpelling spellings[] = {
        {"fp32-old", 0, TRUE, LEAKY}, {"fp16-old", 0x01306B47, TRUE, LEAKY}, {"fp32-new", 0, FALSE}};
    static const char *const keys[] = {"rrdb-x4", "srvgg-x3"};
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    for (gsize k = 0; k < G_N_ELEMENTS(keys); k++)
        for (gsize i = 0; i < G_N_ELEMENTS(spellings); i++) {
            GError *error = NULL;
            char *path = ncnn_write(keys[k], &spellings[i]), *text;
            if (i == 1) /* by the other of the two */
                strcpy(strrchr(path, '.'), ".bin");
            SfuModel *m = sfu_model_open(path, &error);
            g_assert_no_error(error);
            g_assert_true(sfu_model_family(m) == sfu_model_family(parity_model(keys[k])));
            text = sfu_model_inspect(m);
            g_assert_true(!strstr(text, "missing") && !strstr(text, "unexpected"));
            SfuUpscaler *u = sfu_upscaler_create(q, m, sfu_model_family(m)->upscaler, &error),
                        *other = create(q, keys[k]);
            g_assert_no_error(error);
            const int s = sfu_upscaler_scale(other);
            g_assert_cmpint(sfu_upscaler_scale(u), ==, s);
            float *x = picture(keys[k], 8, 9, 3), *y = forward(u, q, x, 8, 9), *expect = forward(other, q, x, 8, 9);
            g_assert_cmpmem(y, sizeof *y * (gsize)(8 * 9 * 3 * s * s), expect, sizeof *y * (gsize)(8 * 9 * 3 * s * s));
            g_free(x);
            g_free(y);
            g_free(expect);
            g_free(text);
            g_free(path);
            sfu_upscaler_destroy(u);
            sfu_upscaler_destroy(other);
            sfu_model_close(m);
        }
}

/* realesr-animevideov3-x2 and -x3 hold the network that enlarges by 4, and reduce what it makes. */
static void test_ncnn_reduced(void)
{
    static const struct {
        const char *key, *reduction;
        int scale; /* 0: refused */
    } cases[] = {{"srvgg-x4", "5.000000e-01", 2}, {"srvgg-x4", "7.500000e-01", 3}, {"srvgg-x4", "0.4", 0}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        char *path =
            ncnn_write(cases[i].key, &(NcnnSpelling){"reduced", 0, TRUE, LEAKY, .reduction = cases[i].reduction});
        SfuModel *m = sfu_model_open(path, &error);
        if (cases[i].scale) {
            g_assert_no_error(error);
            g_assert_cmpint(sfu_model_scale(m), ==, cases[i].scale);
            g_assert_cmpint(sfu_model_upscaler(m)->scale, ==, 4);
        } else {
            g_assert_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY);
            g_clear_error(&error);
        }
        sfu_model_close(m);
        g_free(path);
    }
}

static void test_ncnn_refused(void)
{
    static const struct {
        NcnnSpelling s;
        GQuark (*domain)(void);
        int code;
        const char *word;
    } bad[] = {
        {{"int8", 0x000D4B38, TRUE, LEAKY}, sfu_file_error_quark, SFU_FILE_ERROR_REFUSED, "int8"},
        {{"int8-number", 0, TRUE, LEAKY, TRUE}, sfu_file_error_quark, SFU_FILE_ERROR_REFUSED, "int8"},
        {{"table", 0x01020304, TRUE, LEAKY}, sfu_file_error_quark, SFU_FILE_ERROR_REFUSED, "0x01020304"},
        {{"cut", 0, TRUE, LEAKY, FALSE, 4}, sfu_file_error_quark, SFU_FILE_ERROR_FORMAT, "ends in layer"},
        {{"longer", 0, TRUE, LEAKY, FALSE, -8}, sfu_file_error_quark, SFU_FILE_ERROR_FORMAT, "8 bytes more"},
        {{"slope", 0, TRUE, " 9=2 -23310=1,1.000000e-01"}, sfu_model_error_quark, SFU_MODEL_ERROR_FAMILY, "layers"},
        {{"relu", 0, TRUE, " 9=1"}, sfu_model_error_quark, SFU_MODEL_ERROR_FAMILY, "layers"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *error = NULL;
        char *path = ncnn_write("rrdb-x2-first-names", &bad[i].s);
        g_assert_null(sfu_model_open(path, &error));
        g_assert_error(error, bad[i].domain(), bad[i].code);
        g_assert_nonnull(strstr(error->message, bad[i].word));
        g_clear_error(&error);
        g_free(path);
    }
}

/* Two sets of weights in one file, with names as training programs write them: the average over the last steps is
 * taken, or else the right one of what there is; a wrap that nobody knows is said. */
static void test_wraps(void)
{
    static const struct {
        const char *wraps[3]; /* of the two sets; the picture must be the first one's */
        gboolean unknown;
    } cases[] = {
        {{"state_dict.generator_ema.", "state_dict.generator."}},
        {{"g_ema.", "g."}},
        {{"params_ema.", "params."}},
        {{"params-ema.", "params."}},
        {{"net_g_ema.", "net_g."}},
        {{"ema.module.", "model.module."}},
        {{"state_dict.model_ema.", "state_dict.model."}},
        {{"ema_model.", "online_model."}},
        {{"ema.shadow.", "model."}},
        {{"ema_state.", "model."}},
        {{"G_ema.", "G."}},
        {{"state_dict.averaged_model.module.", "state_dict.model."}},
        {{"state_dict.upscaler."}},
        {{"params_ema.module.", "params.module."}},
        {{"state_dict.model."}},
        {{"state_dict.net_g."}},
        {{"state_dict.net_g.module."}},
        {{"model_state_dict._orig_mod."}},
        {{"params._orig_mod.module."}},
        {{"generator."}},
        {{"netG."}},
        {{"weights."}},
        {{"first_try.", "second_try."}, TRUE},
        {{"discriminator_of.mine."}, TRUE},
    };
    SfuModel *plain = parity_model("srvgg-x3");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        char *path = parity_model_wrapped("srvgg-x3", cases[i].wraps);
        SfuModel *m = sfu_model_open(path, &error);
        if (cases[i].unknown) {
            g_assert_null(m);
            g_assert_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY);
            g_assert_nonnull(strstr(error->message, cases[i].wraps[0]));
            g_clear_error(&error);
        } else {
            float a, b;
            g_assert_no_error(error);
            sfu_weight_read_f32(sfu_model_find(m, SFU_PART_UPSCALER, "body.0.weight"), 0, 1, &a);
            sfu_weight_read_f32(sfu_model_find(plain, SFU_PART_UPSCALER, "body.0.weight"), 0, 1, &b);
            g_assert_cmpfloat(a, ==, b);
            g_assert_null(sfu_model_find(m, SFU_PART_UPSCALER, "nothing"));
        }
        sfu_model_close(m);
        g_free(path);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    parity_data_open();
    parity_add_cases("upscaler", test_parity, NULL);
    JsonArray *cases = parity_cases();
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        JsonObject *o = json_array_get_object_element(cases, i);
        char *path = g_strdup_printf("/upscaler/tiles/%s", name_of(o));
        if (parity_int(o, "margin"))
            g_test_add_data_func(path, o, test_tiles);
        g_free(path);
    }
    g_test_add_func("/upscaler/torn", test_torn);
    g_test_add_func("/upscaler/three-by-name", test_three_by_name);
    g_test_add_func("/upscaler/ncnn", test_ncnn);
    g_test_add_func("/upscaler/ncnn-reduced", test_ncnn_reduced);
    g_test_add_func("/upscaler/ncnn-refused", test_ncnn_refused);
    g_test_add_func("/upscaler/wraps", test_wraps);
    g_test_add_func("/upscaler/shapes", test_shapes);
    g_test_add_func("/upscaler/cancel", test_cancel);
    const int status = g_test_run();
    parity_data_close();
    return status;
}
