/* Pictures, masks and runs for the tests of pipelines.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "scene.h"

#include <math.h>
#include <string.h>

#include "../tree.h"
#include "small_models.h"

int scene_main(int argc, char **argv, SfuEngine **engine, char **dir, void (*add_tests)(void))
{
    g_test_init(&argc, &argv, NULL);
    *engine = parity_engine_open();
    if (!*engine)
        return 0;
    GError *e = NULL;
    *dir = g_dir_make_tmp("sfumato-scene-XXXXXX", &e);
    g_assert_no_error(e);
    add_tests();
    const int rc = g_test_run();
    sfu_engine_free(*engine);
    parity_data_close();
    gegl_exit(); /* babl may write its cache into the folder */
    remove_tree(*dir);
    g_free(*dir);
    return rc;
}

SfuParams *scene_params(const char *model, const char *text)
{
    char *all = g_strconcat("steps 4 seed 11 ", text, NULL);
    SfuParams *p = parity_model_params(model, all);
    g_free(all);
    return p;
}

GeglBuffer *scene_picture(int x, int y, int w, int h, const char *format)
{
    GeglBuffer *b = gegl_buffer_new(GEGL_RECTANGLE(x, y, w, h), babl_format(format));
    float *row = g_new(float, (gsize)w * 4);
    for (int j = 0; j < h; j++) {
        for (int i = 0; i < w; i++)
            for (int c = 0; c < 4; c++)
                row[i * 4 + c] = c == 3 ? 1 : 0.5f + 0.4f * sinf((i + x) * 0.05f + c) * cosf((j + y) * 0.07f);
        gegl_buffer_set(b, GEGL_RECTANGLE(x, y + j, w, 1), 0, babl_format("R'G'B'A float"), row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    return b;
}

GeglBuffer *scene_mask(int x, int y, int w, int h, float value)
{
    GeglBuffer *b = gegl_buffer_new(GEGL_RECTANGLE(x, y, w, h), babl_format("Y float"));
    float *row = g_new(float, w);
    for (int i = 0; i < w; i++)
        row[i] = value;
    for (int j = 0; j < h; j++)
        gegl_buffer_set(b, GEGL_RECTANGLE(x, y + j, w, 1), 0, babl_format("Y float"), row, GEGL_AUTO_ROWSTRIDE);
    g_free(row);
    return b;
}

double scene_difference(GeglBuffer *a, GeglBuffer *b)
{
    gint64 na, nb;
    float *pa = parity_pixels(a, &na), *pb = parity_pixels(b, &nb);
    g_assert_cmpint(na, ==, nb);
    const double d = parity_error(pa, pb, na);
    g_free(pa);
    g_free(pb);
    return d;
}

GPtrArray *scene_run(SfuEngine *e, SfuTask task, SfuParams *p, GeglBuffer *in, GeglBuffer *m)
{
    GError *error = NULL;
    const SfuJob job = {.task = task, .params = p, .picture = in, .mask = m};
    GPtrArray *r = sfu_engine_run(e, &job, &error);
    g_assert_no_error(error);
    g_assert_nonnull(r);
    return r;
}

SfuResult *scene_first(GPtrArray *r)
{
    return g_ptr_array_index(r, 0);
}

void scene_fails(SfuEngine *engine, const SfuJob *job, SfuError code)
{
    GError *error = NULL;
    GPtrArray *r = sfu_engine_run(engine, job, &error);
    g_assert_null(r);
    g_assert_error(error, SFU_ERROR, (int)code);
    g_assert_cmpuint(strlen(error->message), >, 8);
    g_test_message("%s", error->message);
    g_error_free(error);
}

void scene_check_only_changes(const SfuResult *r, GeglBuffer *in, GeglRectangle inside)
{
    g_assert_cmpint(parity_changed_inside(r, in, inside), >, 0);
}

void scene_on_progress(const SfuProgress *p, gpointer data)
{
    SceneWatch *w = data;
    g_assert_cmpfloat(p->fraction, >=, w->fraction);
    g_assert_cmpfloat(p->fraction, <=, 1);
    g_assert_nonnull(p->text);
    w->fraction = p->fraction;
    w->n_progress++;
    if (p->stage == SFU_STAGE_DENOISE && p->step > 0) {
        w->n_denoise++;
        w->last_step = p->step;
        if (w->cancel_at && p->step == w->cancel_at)
            w->cancel = 1;
    }
}

void scene_on_preview(GeglBuffer *b, int step, gpointer data)
{
    SceneWatch *w = data;
    w->n_previews++;
    w->extent = *gegl_buffer_get_extent(b);
    gint64 n;
    g_free(parity_pixels(b, &n));
}
