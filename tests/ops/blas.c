/* CLBlast: that it makes the products it is asked for, how it is chosen, and what a build without it says. Its results:
 * mode gpu-clblast. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"
#include <string.h>

/* A profiling queue of the GPU family under SFUMATO_BLAS=`blas`; NULL (skipped) without a device. */
static SfuQueue *queue(const char *blas)
{
    const SfuQueueOptions o = {.kernels = SFU_KERNELS_GPU, .precision = SFU_PRECISION_FP32, .profile = TRUE};
    GError *error = NULL;
    if (blas)
        g_setenv("SFUMATO_BLAS", blas, TRUE);
    SfuQueue *q = sfu_queue_create(&o, &error);
    g_unsetenv("SFUMATO_BLAS");
    if (g_error_matches(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_LOADER) ||
        g_error_matches(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_DEVICE))
        g_test_skip(error->message);
    else
        g_assert_no_error(error);
    g_clear_error(&error);
    return q;
}

/* y = x . W^T + residual, y itself, for rows of n values, all x 1, all W 2, y 0.5 before. Returns y[0], or NaN with
 * error set. */
static float add_product_of_ones(SfuQueue *q, int rows, int n, GError **error)
{
    const gint64 dims[] = {n, n};
    const gsize most = (gsize)MAX(rows, n) * (gsize)n;
    float *v = g_new(float, most), *two = g_new(float, (gsize)n *(gsize)n), y0 = NAN;
    SfuTensor *x = sfu_tensor_create(q, SFU_F32, 1, 1, rows, n, NULL),
              *y = sfu_tensor_create(q, SFU_F32, 1, 1, rows, n, NULL);
    for (gsize i = 0; i < most; i++)
        v[i] = 1;
    for (gsize i = 0; i < (gsize)n * (gsize)n; i++)
        two[i] = 2;
    SfuWeight *w = sfu_weight_new_take("two", SFU_F32, 2, dims, two, sizeof *two * (gsize)n * (gsize)n);
    g_assert_true(sfu_tensor_write(x, v, NULL));
    for (gsize i = 0; i < most; i++)
        v[i] = 0.5f;
    g_assert_true(sfu_tensor_write(y, v, NULL));
    const SfuEpilogue e = {.residual = y};
    if (sfu_linear(q, y, x, w, &e, error) && sfu_tensor_read(y, v, error)) {
        y0 = v[0];
        for (gsize i = 0; i < (gsize)rows * (gsize)n; i++)
            g_assert_cmpfloat(v[i], ==, y0);
    }
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    sfu_weight_destroy(w);
    g_free(v);
    return y0;
}

static int calls(SfuQueue *q, const char *kernel)
{
    char *table = sfu_queue_profile(q);
    const char *row = strstr(table, kernel);
    const int n = row ? (int)g_ascii_strtoll(row + strlen(kernel), NULL, 10) : 0;
    g_free(table);
    return n;
}

static void forced(void)
{
    SfuQueue *q = queue("clblast");
    if (!q)
        return;
    GError *error = NULL;
    const float y = add_product_of_ones(q, 8, 16, &error);
#ifdef HAVE_CLBLAST
    g_assert_no_error(error);
    g_assert_cmpfloat(y, ==, 32.5f);
    g_assert_cmpint(calls(q, "clblast_gemm"), ==, 1);
    g_assert_cmpint(calls(q, "epilogue_rows"), ==, 1);
    g_assert_cmpint(calls(q, "conv_gpu"), ==, 0);
#else
    g_assert_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_FAILED);
    g_assert_true(isnan(y));
    g_clear_error(&error);
#endif
    sfu_queue_destroy(q);
}

/* 2^28 multiply-adds, the least that is measured. */
static void measured(void)
{
    enum { ROWS = 1024, N = 512 };
    static const char *const answers[] = {"own", "clblast", NULL}, *const programs[] = {"gpu_conv", "epilogue", NULL};
    static const SfuQuestion question = {
        .name = "product 1024 x 512 x 512 F32 more", .programs = programs, .answers = answers};
    SfuQueue *q = queue(NULL);
    if (!q)
        return;
    GError *error = NULL;
    sfu_tuning_set(q, &question, NULL);
    g_assert_cmpfloat(add_product_of_ones(q, ROWS, N, &error), ==, 1024.5f); /* the trials did not add to y */
    g_assert_no_error(error);
#ifdef HAVE_CLBLAST
    const int own = calls(q, "conv_gpu"), other = calls(q, "clblast_gemm");
    const int said = sfu_tuning_known(q, &question);
    g_assert_cmpint(said, >=, 0);
    const gboolean chosen = said == 1;
    g_assert_cmpint(own, ==, chosen ? 3 : 4);
    g_assert_cmpint(other, ==, chosen ? 4 : 3);
    sfu_queue_destroy(q);
    /* The answer is taken from the disk. */
    q = queue(NULL);
    sfu_tuning_set(q, &question, "own");
    g_assert_cmpfloat(add_product_of_ones(q, ROWS, N, &error), ==, 1024.5f);
    g_assert_cmpint(calls(q, "clblast_gemm"), ==, 0);
    sfu_tuning_set(q, &question, NULL);
    sfu_queue_destroy(q);
#else
    g_assert_cmpint(calls(q, "conv_gpu"), ==, 1);
    sfu_queue_destroy(q);
#endif
}

void add_blas(void)
{
    if (g_getenv("SFUMATO_TEST_SMALL")) /* the kernels of another library are not for oclgrind */
        return;
    g_test_add_func("/blas/forced", forced);
    g_test_add_func("/blas/measured", measured);
}
