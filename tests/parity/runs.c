/* Whole pipelines on small models, compared with what the Python programs of this folder left.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runs.h"
#include "../tree.h"

static SfuEngine *engine;
static char *folder, *latent_file;

const char *parity_runs_folder(void)
{
    GError *e = NULL;
    if (!folder) {
        folder = g_dir_make_tmp("sfumato-runs-XXXXXX", &e);
        g_assert_no_error(e);
    }
    return folder;
}

static void remove_folder(void)
{
    gegl_exit(); /* babl may write its cache into the folder */
    remove_tree(folder);
    g_clear_pointer(&folder, g_free);
}

SfuEngine *parity_runs_open(void)
{
    latent_file = g_build_filename(parity_runs_folder(), "latent.safetensors", NULL);
    engine = parity_engine_open();
    if (!engine)
        remove_folder();
    return engine;
}

void parity_runs_close(void)
{
    sfu_engine_free(engine);
    parity_data_close();
    remove_folder();
    g_clear_pointer(&latent_file, g_free);
}

void parity_runs_keep_here(void)
{
    const char *cache = g_getenv("XDG_CACHE_HOME");
    char *kernels = cache ? g_build_filename(cache, "pocl", "kcache", NULL)
                          : g_build_filename(g_get_home_dir(), ".cache", "pocl", "kcache", NULL);
    g_setenv("POCL_CACHE_DIR", kernels, FALSE);
    g_setenv("XDG_CACHE_HOME", parity_runs_folder(), TRUE);
    g_free(kernels);
}

GeglBuffer *parity_picture(const char *name, int w, int h)
{
    gint32 k[8 * 8 * 3];
    parity_hash(name, G_N_ELEMENTS(k), k);
    guint8 *px = g_malloc((gsize)w * h * 3);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++)
                px[(y * w + x) * 3 + c] = (guint8)((k[(y * 8 / h * 8 + x * 8 / w) * 3 + c] + 1024) / 8);
    GeglBuffer *b = gegl_buffer_new(GEGL_RECTANGLE(0, 0, w, h), babl_format("R'G'B' u8"));
    gegl_buffer_set(b, NULL, 0, babl_format("R'G'B' u8"), px, GEGL_AUTO_ROWSTRIDE);
    g_free(px);
    return b;
}

GeglBuffer *parity_box_mask(int x, int y, int w, int h)
{
    GeglBuffer *b = gegl_buffer_new(GEGL_RECTANGLE(x, y, w, h), babl_format("Y float"));
    GeglColor *white = gegl_color_new("white");
    gegl_buffer_set_color(b, NULL, white);
    g_object_unref(white);
    return b;
}

SfuParams *parity_params(const char *model, const char *text)
{
    char *all = g_strconcat("steps 10 seed 7 ", text, NULL);
    SfuParams *p = parity_model_params(model, all);
    if (!*sfu_params_text(p, SFU_PARAM_PROMPT))
        sfu_params_set(p, "prompt", "a photo of a cat", NULL);
    g_free(all);
    return p;
}

/* Block means of the first three channels. */
static float *means(GeglBuffer *b, int block)
{
    const int w = gegl_buffer_get_width(b) / block, h = gegl_buffer_get_height(b) / block;
    const GeglRectangle *e = gegl_buffer_get_extent(b);
    float *px = g_new(float, (gsize)e->width * e->height * 3), *o = g_new0(float, (gsize)w *h * 3);
    gegl_buffer_get(b, e, 1, babl_format("R'G'B' float"), px, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    for (int y = 0; y < h * block; y++)
        for (int x = 0; x < w * block; x++)
            for (int c = 0; c < 3; c++)
                o[((y / block) * w + x / block) * 3 + c] += px[(y * e->width + x) * 3 + c] / (block * block);
    g_free(px);
    return o;
}

void parity_check_latents(const char *name, const char *file)
{
    GError *e = NULL;
    SfuFile *f = sfu_file_open(file, &e);
    g_assert_no_error(e);
    const SfuFileTensor *t = g_ptr_array_index(f->tensors, 0);
    parity_compare(name, "latent", (const float *)(gconstpointer)t->data, t->n_elements, PARITY_TOLERANCE);
    sfu_file_close(f);
}

SfuResult *parity_check_job(const char *name, SfuJob job, SfuParams *p, int block)
{
    GError *e = NULL;
    job.params = p;
    job.latent_file = latent_file;
    GPtrArray *results = sfu_engine_run(engine, &job, &e);
    g_assert_no_error(e);
    g_assert_cmpuint(results->len, ==, 1);
    parity_check_latents(name, latent_file);
    SfuResult *r = g_ptr_array_steal_index(results, 0);
    if (block > 0) {
        const int w = gegl_buffer_get_width(r->picture) / block, h = gegl_buffer_get_height(r->picture) / block;
        float *got = means(r->picture, block);
        parity_compare(name, "picture", got, (gint64)w * h * 3, PARITY_TOLERANCE);
        g_free(got);
    }
    g_ptr_array_unref(results);
    sfu_params_free(p);
    return r;
}

SfuResult *parity_check(const char *name, SfuTask task, SfuParams *p, GeglBuffer *in, GeglBuffer *mask, int block)
{
    return parity_check_job(name, (SfuJob){.task = task, .picture = in, .mask = mask}, p, block);
}

void parity_outside_is_untouched(const SfuResult *r, GeglBuffer *in)
{
    g_assert_cmpint(parity_changed_inside(r, in, (GeglRectangle){40, 32, 64, 56}), >, 1000);
}
