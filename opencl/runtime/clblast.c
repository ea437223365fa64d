/* Products by CLBlast, and the choice between it and our own kernels.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runtime/internal.h"
#include <glib/gi18n-lib.h>
#ifdef HAVE_CLBLAST
#include <clblast_c.h>
#endif

/* Multiply-adds below which nothing is measured: our own kernel needs no second pass for the epilogue, and a
 * measurement has to pay for itself. */
#define LEAST_WORK 0x1p28

SfuBlas sfu_blas_of_environment(void)
{
    const char *wanted = g_getenv("SFUMATO_BLAS");
    if (wanted && g_str_equal(wanted, "own"))
        return SFU_BLAS_OWN;
    if (wanted && g_str_equal(wanted, "clblast"))
        return SFU_BLAS_CLBLAST;
#ifdef HAVE_CLBLAST
    return SFU_BLAS_MEASURED;
#else
    return SFU_BLAS_OWN;
#endif
}

/* ---- the choice ---- */

enum { OWN, CLBLAST };

typedef struct {
    SfuGemmTrial run;
    gconstpointer data;
} Contest;

/* The better of two runs behind one that builds programs and packs weights. */
static gboolean best_of_two(SfuQueue *q, const Contest *c, gboolean clblast, double *seconds, GError **error)
{
    *seconds = G_MAXDOUBLE;
    for (int i = 0; i < 3; i++) {
        if (!sfu_queue_finish(q, error))
            return FALSE;
        const gint64 start = g_get_monotonic_time();
        if (!c->run(c->data, clblast, error) || !sfu_queue_finish(q, error))
            return FALSE;
        if (i > 0)
            *seconds = MIN(*seconds, (double)(g_get_monotonic_time() - start) * 1e-6);
    }
    return TRUE;
}

static int faster_way(SfuQueue *q, gconstpointer data, GError **error)
{
    double own, other;
    GError *failed = NULL;
    if (!best_of_two(q, data, FALSE, &own, error))
        return -1;
    if (best_of_two(q, data, TRUE, &other, &failed))
        return other < own ? CLBLAST : OWN;
    if (g_error_matches(failed, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_CANCELLED) ||
        g_error_matches(failed, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_MEMORY)) {
        g_propagate_error(error, failed);
        return -1;
    }
    g_clear_error(&failed);
    return OWN; /* a device that CLBlast does not get on with */
}

gboolean sfu_blas_is_faster(SfuQueue *q, const SfuGemm *g, const char *variant, SfuGemmTrial trial, gconstpointer data)
{
    static const char *const answers[] = {"own", "clblast", NULL}, *const programs[] = {"gpu_conv", "epilogue", NULL};
    if (q->blas != SFU_BLAS_MEASURED || (double)g->m * g->n * g->k < LEAST_WORK)
        return q->blas == SFU_BLAS_CLBLAST;
    char name[128];
    g_snprintf(name, sizeof name, "product %d x %d x %d %s", g->m, g->n, g->k, variant);
    const SfuQuestion question = {.name = name, .programs = programs, .answers = answers, .if_died = OWN};
    const Contest contest = {trial, data};
    return sfu_tuning_ask(q, &question, faster_way, &contest, NULL) == CLBLAST;
}

/* ---- the product ---- */

#ifdef HAVE_CLBLAST
static gboolean fail_product(GError **error, CLBlastStatusCode code, const SfuGemm *g)
{
    static const struct {
        CLBlastStatusCode code;
        const char *text;
    } own[] = {
        /* the others that a product can meet are OpenCL's */
        {CLBlastNotImplemented, "not implemented"},
        {CLBlastInsufficientMemoryA, "the first matrix is larger than its buffer"},
        {CLBlastInsufficientMemoryB, "the second matrix is larger than its buffer"},
        {CLBlastInsufficientMemoryC, "the result is larger than its buffer"},
        {CLBlastInvalidLocalMemUsage, "not enough local memory on the device"},
        {CLBlastDatabaseError, "no parameters for the device"},
    };
    char what[128];
    g_snprintf(what, sizeof what, "CLBlast's product of %d x %d by %d x %d", g->m, g->k, g->k, g->n);
    if (code > -1000)
        return sfu_cl_fail(error, code, what);
    const char *text = "an unexpected error";
    for (guint i = 0; i < G_N_ELEMENTS(own); i++)
        if (own[i].code == code)
            text = own[i].text;
    g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_FAILED, "%s: %s (%d)", what, text, code);
    return FALSE;
}

gboolean sfu_blas_gemm(SfuQueue *q, SfuTensor *c, const SfuTensor *a, const SfuTensor *b, const SfuGemm *g,
                       GError **error)
{
    const size_t m = (size_t)g->m, n = (size_t)g->n, k = (size_t)g->k;
    if (sfu_queue_cancelled(q, error))
        return FALSE;
    if (q->rehearsing) {
        sfu_rehearse_flops(q, 2.0 * g->m * g->n * g->k);
        return TRUE;
    }
    if (q->build_notify && !q->blas_called)
        q->build_notify("CLBlast", q->build_data);
    q->blas_called = TRUE;
    /* A product is several kernels, and CLBlast gives the last one's event: the time is taken from a marker before the
     * first. */
    cl_event from = NULL, event = NULL;
    if (q->profile) {
        const cl_int r = clEnqueueMarkerWithWaitList(q->queue, 0, NULL, &from);
        if (r != CL_SUCCESS)
            return sfu_cl_fail(error, r, "a marker");
    }
    const SfuLocale before = sfu_locale_c(); /* it may compile */
    const CLBlastStatusCode r = CLBlastSgemm(CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeYes, m, n, k,
                                             1.0f, a->buffer->mem, a->offset, k, b->buffer->mem, b->offset, k, 0.0f,
                                             c->buffer->mem, c->offset, n, &q->queue, q->profile ? &event : NULL);
    sfu_locale_back(before);
    if (r != CLBlastSuccess) {
        if (from)
            clReleaseEvent(from);
        return fail_product(error, r, g);
    }
    const double work = (double)g->m * g->n * g->k;
    return sfu_queue_enqueued(q, from, event, "clblast_gemm", 2 * work,
                              4 * work * (1.0 / g->n + 1.0 / g->m + 1.0 / g->k), error);
}

void sfu_blas_forget(SfuQueue *q)
{
    /* CLBlast's programs hold the context, and would be released after the driver at the process's end. */
    if (q->blas_called)
        CLBlastClearCache();
}
#else
gboolean sfu_blas_gemm(SfuQueue *q, SfuTensor *c, const SfuTensor *a, const SfuTensor *b, const SfuGemm *g,
                       GError **error)
{
    g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_FAILED,
                _("SFUMATO_BLAS asks for CLBlast, which this build was made without"));
    return FALSE;
}

void sfu_blas_forget(SfuQueue *q)
{
}
#endif
