/* The queue: opening a device, launches, profile.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runtime/internal.h"
#include <stdlib.h>
#include <inttypes.h>
#include <glib/gi18n-lib.h>
#ifdef __linux__
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#endif

static guint64 host_bytes(void)
{
#ifdef __linux__
    const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    if (pages > 0 && size > 0)
        return (guint64)pages * (guint64)size;
#endif
    return 8ull << 30;
}

static SfuKernels kernels_of(const SfuDeviceInfo *info)
{
    const char *wanted = g_getenv("SFUMATO_KERNELS");
    if (wanted && g_str_equal(wanted, "plain"))
        return SFU_KERNELS_PLAIN;
    if (wanted && g_str_has_prefix(wanted, "cpu"))
        return SFU_KERNELS_CPU;
    if (wanted && g_str_equal(wanted, "gpu"))
        return SFU_KERNELS_GPU;
    if (info->is_cpu)
        return SFU_KERNELS_CPU;
    return info->max_group >= 256 && info->local_bytes >= 32768 ? SFU_KERNELS_GPU : SFU_KERNELS_PLAIN;
}

/* 4, 8 or 16 of "cpu4", "cpu8", "cpu16"; 0. */
static int width_of_environment(void)
{
    const char *wanted = g_getenv("SFUMATO_KERNELS");
    const int width = wanted && g_str_has_prefix(wanted, "cpu") ? atoi(wanted + 3) : 0;
    return width == 4 || width == 8 || width == 16 ? width : 0;
}

static void profile_event_clear(gpointer event)
{
    SfuProfileEvent *e = event;
    if (e->from)
        clReleaseEvent(e->from);
    clReleaseEvent(e->event);
    g_free(e->name);
}

#define NO_DEVICE error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_DEVICE

/* What the queue's products are made with; FALSE with error set where the device lacks it. */
static gboolean prepare_precision(SfuQueue *q, GError **error)
{
    const gboolean bf16 = q->precision == SFU_PRECISION_BF16, int8 = q->precision == SFU_PRECISION_INT8,
                   whole = int8 || q->precision == SFU_PRECISION_INT16;
    q->bf16 = (bf16 || int8) && q->info.has_avx512_bf16 &&
              sfu_program_probe(q, "linear", "-DW_F16 -DFEW_ACTS -DBF16 -DTILE_ROWS=6 -DTILE_COLS=64");
    q->vnni = int8 && q->info.has_avx512_vnni && !q->portable &&
              sfu_program_probe(q, "int8", "-DFEW_ACTS -DTILE_ROWS=6 -DTILE_COLS=64 -DGATED=0");
    q->amx =
        q->bf16 && q->info.has_amx_bf16 && !q->portable && sfu_program_probe(q, "amx", "-DBF16 -DFEW_ACTS -DGATED=0");
    q->amx_int8 =
        int8 && q->amx && q->info.has_amx_int8 && sfu_program_probe(q, "amx", "-DBF16 -DINT8 -DFEW_ACTS -DGATED=0");
    if (q->bf16)
        q->vector_width = 16; /* its products have no other */
    if (whole && q->family != SFU_KERNELS_CPU)
        g_set_error(NO_DEVICE, _("%s has no %s products (they are for CPU devices); use --precision auto"),
                    q->info.name, int8 ? "int8" : "int16");
    else if (bf16 && !q->info.has_avx512_bf16)
        g_set_error(NO_DEVICE, _("%s has no bf16 products; use --precision auto"), q->info.name);
    else if (bf16 && !q->bf16)
        g_set_error(NO_DEVICE, _("the OpenCL compiler of %s does not know bf16 products; use --precision auto"),
                    q->info.name);
    else
        return TRUE;
    return FALSE;
}

/* Buffers of CPU devices are the process's own memory. glibc keeps what is freed below a limit that grows to 32 MiB
 * with the first such buffer, so weights that made room would stay in memory. */
static void return_freed_memory(void)
{
#ifdef __GLIBC__
    enum { LEAST = 1 << 20 };
    mallopt(M_MMAP_THRESHOLD, LEAST);
#endif
}

SfuQueue *sfu_queue_create(const SfuQueueOptions *options, GError **error)
{
    static const SfuQueueOptions none;
    if (!options)
        options = &none;
    SfuQueue *q = g_new0(SfuQueue, 1);
    cl_int r;
    g_queue_init(&q->layouts);
    q->free_buffers = g_ptr_array_new();
    q->programs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    q->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    q->kernels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    q->profile_rows = g_hash_table_new(g_str_hash, g_str_equal);
    q->profile_events = g_array_new(FALSE, FALSE, sizeof(SfuProfileEvent));
    g_array_set_clear_func(q->profile_events, profile_event_clear);
    q->blas = sfu_blas_of_environment();
    if (!sfu_device_open(options->device, &q->platform, &q->device, &q->info, error))
        goto fail;
    if (q->info.unified_memory)
        return_freed_memory();
    q->family = options->kernels != SFU_KERNELS_AUTO ? options->kernels : kernels_of(&q->info);
    q->vector_width = options->vector_width ? options->vector_width : width_of_environment();
    q->most_ints = q->vector_width ? q->vector_width : 16;
    q->emulated = options->emulated;
    q->self_test = options->self_test;
    q->matrix_tile = options->matrix_tile;
    q->profile = options->profile;
    q->portable = options->portable;
    q->context = clCreateContext(NULL, 1, &q->device, NULL, NULL, &r);
    if (r != CL_SUCCESS) {
        sfu_cl_fail(error, r, q->info.name);
        goto fail;
    }
    q->queue = clCreateCommandQueue(q->context, q->device, q->profile ? CL_QUEUE_PROFILING_ENABLE : 0, &r);
    if (r != CL_SUCCESS) {
        sfu_cl_fail(error, r, q->info.name);
        goto fail;
    }
    /* Drivers' figures for shared memory change from call to call: the host's total is the firmer bound. */
    q->budget = options->memory_bytes;
    if (!q->budget)
        q->budget = q->info.unified_memory ? host_bytes() / 4 * 3 : q->info.global_bytes / 10 * 9;
    q->precision = options->precision;
    q->exact = q->precision == SFU_PRECISION_FP32;
    if (q->precision == SFU_PRECISION_AUTO)
        q->precision = q->info.is_cpu ? SFU_PRECISION_FP32
                                      : SFU_PRECISION_FP16; /* needs no cl_khr_fp16, which NVIDIA never names */
    if (prepare_precision(q, error))
        return q;
fail:
    sfu_queue_destroy(q);
    return NULL;
}

static void profile_row_free(SfuProfileRow *row)
{
    g_free(row->name);
    g_free(row);
}

void sfu_queue_destroy(SfuQueue *q)
{
    if (!q)
        return;
    if (q->queue)
        clFinish(q->queue);
    sfu_ahead_free(q);
    sfu_weight_drop_queue(q);
    sfu_queue_trim(q);
    sfu_program_clear(q);
    sfu_blas_forget(q);
    g_array_unref(q->profile_events);
    GHashTableIter it;
    gpointer row;
    g_hash_table_iter_init(&it, q->profile_rows);
    while (g_hash_table_iter_next(&it, NULL, &row))
        profile_row_free(row);
    g_hash_table_unref(q->profile_rows);
    g_ptr_array_unref(q->free_buffers);
    g_hash_table_unref(q->programs);
    g_hash_table_unref(q->kernels);
    g_hash_table_unref(q->answers);
    g_free(q->cache_dir);
    if (q->queue)
        clReleaseCommandQueue(q->queue);
    if (q->context)
        clReleaseContext(q->context);
    g_free(q);
}

const SfuDeviceInfo *sfu_queue_device(const SfuQueue *q)
{
    return &q->info;
}
gboolean sfu_queue_bf16(const SfuQueue *q)
{
    return q->bf16;
}
gboolean sfu_queue_amx(const SfuQueue *q)
{
    return q->amx;
}
gboolean sfu_queue_amx_int8(const SfuQueue *q)
{
    return q->amx_int8;
}
gboolean sfu_queue_vnni(const SfuQueue *q)
{
    return q->vnni;
}
/* Whether the compiler takes the instructions in vectors of that many ints. */
static gboolean compiles_integers(SfuQueue *q, int vector, const char *instructions)
{
    char options[96];
    g_snprintf(options, sizeof options, "-DFEW_ACTS -DVW=%d -DTILE_ROWS=6 -DTILE_COLS=%d -DGATED=0 %s", vector,
               vector == 16 ? 64 : 16, instructions);
    return sfu_program_probe(q, "int16", options);
}

SfuIntegers sfu_queue_integers(SfuQueue *q, int vector)
{
    const SfuDeviceInfo *i = &q->info;
    const gboolean wide = vector == 16;
    if (q->portable || q->family != SFU_KERNELS_CPU)
        return SFU_INTEGERS_PLAIN;
    if (!q->integers_known[wide]) {
        const int width = wide ? 16 : 8;
        if ((wide ? i->has_avx512_vnni : i->has_avx_vnni) && compiles_integers(q, width, "-DVNNI"))
            q->integers[wide] = SFU_INTEGERS_VNNI;
        else if ((wide ? i->has_avx512 : i->has_avx2) && compiles_integers(q, width, "-DMADD"))
            q->integers[wide] = SFU_INTEGERS_MADD;
        q->integers_known[wide] = TRUE;
    }
    return q->integers[wide];
}

gboolean sfu_queue_small_codes(SfuQueue *q, int *most_bits, int *vector)
{
    if (q->family != SFU_KERNELS_CPU ||
        (q->precision != SFU_PRECISION_INT8 && (q->precision != SFU_PRECISION_FP32 || q->exact)))
        return FALSE;
    const gboolean wide =
        q->most_ints == 16 && q->info.has_avx512_vnni && sfu_queue_integers(q, 16) == SFU_INTEGERS_VNNI;
    *vector = wide ? 16 : 8;
    const SfuIntegers integers = sfu_queue_integers(q, *vector);
    *most_bits = integers == SFU_INTEGERS_VNNI ? 8 : 6; /* sums of 16 bits overflow sooner */
    return q->portable || integers != SFU_INTEGERS_PLAIN;
}
SfuPrecision sfu_queue_precision(const SfuQueue *q)
{
    return q->precision;
}
SfuKernels sfu_queue_kernels(const SfuQueue *q)
{
    return q->family;
}
gboolean sfu_queue_emulates(const SfuQueue *q)
{
    return q->emulated != SFU_MATRIX_NONE;
}
SfuMatrix sfu_queue_matrix(const SfuQueue *q, gboolean *must_prove)
{
    *must_prove = !sfu_queue_emulates(q) || q->self_test;
    return q->family != SFU_KERNELS_GPU ? SFU_MATRIX_NONE : sfu_queue_emulates(q) ? q->emulated : q->info.matrix;
}
int sfu_queue_matrix_tile(const SfuQueue *q)
{
    return q->matrix_tile;
}
int sfu_queue_vector_width(const SfuQueue *q)
{
    return q->vector_width;
}
void sfu_queue_set_vector_width(SfuQueue *q, int width)
{
    q->vector_width = width;
}
guint64 sfu_queue_budget(const SfuQueue *q)
{
    return q->budget;
}
guint64 sfu_queue_used_bytes(const SfuQueue *q)
{
    return q->used;
}
guint64 sfu_queue_peak_bytes(const SfuQueue *q)
{
    return q->peak;
}
double sfu_queue_flops(const SfuQueue *q)
{
    return q->flops;
}
void sfu_queue_set_cancel(SfuQueue *q, const int *flag)
{
    q->cancel = flag;
}
SfuDtype sfu_queue_act_dtype(const SfuQueue *q)
{
    return q->precision == SFU_PRECISION_FP16 ? SFU_F16 : SFU_F32;
}

void sfu_queue_set_build_notify(SfuQueue *q, void (*fn)(const char *program, gpointer data), gpointer data)
{
    q->build_notify = fn;
    q->build_data = data;
}

gboolean sfu_queue_cancelled(SfuQueue *q, GError **error)
{
    if (!q->cancel || !g_atomic_int_get(q->cancel))
        return FALSE;
    g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_CANCELLED, _("cancelled"));
    return TRUE;
}

gboolean sfu_queue_finish(SfuQueue *q, GError **error)
{
    const cl_int r = clFinish(q->queue);
    return r == CL_SUCCESS || sfu_cl_fail(error, r, q->info.name);
}

/* ---- launches ---- */

const size_t *sfu_launch_group(const SfuQueue *q, const size_t *local)
{
    static const size_t one[3] = {1, 1, 1};
    return local[0] ? local : q->family == SFU_KERNELS_CPU || q->info.vendor == SFU_VENDOR_POCL ? one : NULL;
}

gboolean sfu_launch(SfuQueue *q, const SfuLaunch *l, const SfuArg *args, int n_args, GError **error)
{
    if (sfu_queue_cancelled(q, error))
        return FALSE;
    if (l->global[0] == 0 || l->global[1] == 0 || l->global[2] == 0)
        return TRUE;
    if (q->rehearsing) {
        sfu_rehearse_flops(q, l->flops);
        sfu_ahead_note(q, l, args, n_args);
        return TRUE;
    }
    cl_kernel k = sfu_program_kernel(q, l->program, l->options, l->kernel, error);
    if (!k)
        return FALSE;
    cl_uint at = 0;
    cl_int r = CL_SUCCESS;
    for (int i = 0; i < n_args && r == CL_SUCCESS; i++) {
        const SfuArg *a = &args[i];
        switch (a->kind) {
        case SFU_ARG_TENSOR: {
            cl_mem mem = a->v.t ? a->v.t->buffer->mem : NULL;
            const cl_int offset = a->v.t ? (cl_int)a->v.t->offset : 0;
            r = clSetKernelArg(k, at++, sizeof mem, a->v.t ? &mem : NULL);
            if (r == CL_SUCCESS)
                r = clSetKernelArg(k, at++, sizeof offset, &offset);
            break;
        }
        case SFU_ARG_INT:
            r = clSetKernelArg(k, at++, sizeof(cl_int), &a->v.i);
            break;
        case SFU_ARG_FLOAT:
            r = clSetKernelArg(k, at++, sizeof(cl_float), &a->v.f);
            break;
        case SFU_ARG_LOCAL:
            r = clSetKernelArg(k, at++, a->v.bytes, NULL);
            break;
        }
    }
    if (r != CL_SUCCESS)
        return sfu_cl_fail(error, r, l->kernel);
    const size_t *local = sfu_launch_group(q, l->local);
    cl_event event = NULL;
    r = clEnqueueNDRangeKernel(q->queue, k, 3, NULL, l->global, local, 0, NULL, q->profile ? &event : NULL);
    if (r != CL_SUCCESS)
        return sfu_cl_fail(error, r, l->kernel);
    return sfu_queue_enqueued(q, NULL, event, l->kernel, l->flops, l->bytes, error);
}

gboolean sfu_queue_enqueued(SfuQueue *q, cl_event from, cl_event event, const char *name, double flops, double bytes,
                            GError **error)
{
    q->op_serial++;
    q->flops += flops;
    if (event) {
        const SfuProfileEvent e = {
            .from = from, .event = event, .name = g_strdup(name), .flops = flops, .bytes = bytes};
        g_array_append_val(q->profile_events, e);
    }
    /* Cancelling has to take effect soon, so the device never runs far ahead of the host. */
    if (++q->n_unflushed >= 64) {
        q->n_unflushed = 0;
        return sfu_queue_finish(q, error);
    }
    return TRUE;
}

/* ---- profile ---- */

static int by_seconds(gconstpointer a, gconstpointer b)
{
    const double x = (*(SfuProfileRow *const *)a)->seconds, y = (*(SfuProfileRow *const *)b)->seconds;
    return x < y ? 1 : x > y ? -1 : 0;
}

char *sfu_queue_profile(SfuQueue *q)
{
    if (!q->profile)
        return NULL;
    clFinish(q->queue);
    for (guint i = 0; i < q->profile_events->len; i++) {
        SfuProfileEvent *e = &g_array_index(q->profile_events, SfuProfileEvent, i);
        cl_ulong start = 0, end = 0;
        clGetEventProfilingInfo(e->from ? e->from : e->event,
                                e->from ? CL_PROFILING_COMMAND_END : CL_PROFILING_COMMAND_START, sizeof start, &start,
                                NULL);
        clGetEventProfilingInfo(e->event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL);
        SfuProfileRow *row = g_hash_table_lookup(q->profile_rows, e->name);
        if (!row) {
            row = g_new0(SfuProfileRow, 1);
            row->name = g_strdup(e->name);
            g_hash_table_insert(q->profile_rows, row->name, row);
        }
        row->n++;
        row->seconds += (double)(end - start) * 1e-9;
        row->flops += e->flops;
        row->bytes += e->bytes;
    }
    g_array_set_size(q->profile_events, 0);
    GPtrArray *rows = g_ptr_array_new();
    GHashTableIter it;
    gpointer value;
    g_hash_table_iter_init(&it, q->profile_rows);
    double total = 0;
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        g_ptr_array_add(rows, value);
        total += ((SfuProfileRow *)value)->seconds;
    }
    g_ptr_array_sort(rows, by_seconds);
    GString *s = g_string_new(NULL);
    g_string_append_printf(s, "%-28s %8s %10s %6s %9s %8s\n", "kernel", "calls", "ms", "%", "GFLOP/s", "GB/s");
    for (guint i = 0; i < rows->len; i++) {
        const SfuProfileRow *r = g_ptr_array_index(rows, i);
        const double t = MAX(r->seconds, 1e-9);
        g_string_append_printf(s, "%-28s %8" G_GUINT64_FORMAT " %10.2f %6.1f %9.1f %8.1f\n", r->name, r->n,
                               r->seconds * 1e3, total > 0 ? 100 * r->seconds / total : 0, r->flops / t * 1e-9,
                               r->bytes / t * 1e-9);
    }
    g_ptr_array_unref(rows);
    return g_string_free(s, FALSE);
}
