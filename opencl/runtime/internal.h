/* What the runtime's files share: the CL handles behind the public types.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_RUNTIME_INTERNAL_H
#define SFU_RUNTIME_INTERNAL_H

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#include <CL/cl.h>
#include <locale.h>
#include "runtime/runtime.h"

/* Counted; goes back to the queue's pool with its last reference. */
typedef struct SfuBuffer {
    SfuQueue *q;
    cl_mem mem; /* NULL: of a rehearsal */
    size_t bytes;
    int refs;
    gboolean pooled; /* FALSE: released at once (weight layouts) */
} SfuBuffer;

typedef struct {
    char *name;
    guint64 n;
    double seconds, flops, bytes;
} SfuProfileRow;

typedef struct {
    cl_event from, event; /* from: NULL, or what ended before the work began */
    char *name;
    double flops, bytes;
} SfuProfileEvent;

typedef struct SfuRehearsing SfuRehearsing; /* rehearsal.c */
typedef struct SfuAhead SfuAhead;           /* ahead.c */

typedef enum { SFU_BLAS_OWN, SFU_BLAS_CLBLAST, SFU_BLAS_MEASURED } SfuBlas;

struct SfuQueue {
    SfuDeviceInfo info;
    cl_platform_id platform;
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
    SfuPrecision precision;
    gboolean exact;                     /* fp32 was asked for, not chosen */
    gboolean bf16, amx, amx_int8, vnni; /* sfu_queue_bf16() and so on */
    SfuIntegers integers[2];            /* sfu_queue_integers(): of vectors up to 8, and of 16 */
    gboolean integers_known[2];
    gboolean portable;
    SfuKernels family;
    int vector_width; /* floats a vector of the CPU family; 0: to be chosen */
    int most_ints;    /* a vector of integers, as the options say */
    SfuMatrix emulated;
    gboolean self_test; /* the emulated unit is not trusted */
    int matrix_tile;    /* 0: chosen by shape */
    SfuBlas blas;
    gboolean blas_called; /* CLBlast holds programs of this context */
    gboolean profile;
    guint64 budget, used, peak; /* bytes */
    guint64 held, held_since;   /* bytes not to exceed where old layouts can go, 0: none; op_serial then */
    guint64 held_least;         /* sfu_queue_hold_peak()'s */
    GPtrArray *free_buffers;    /* SfuBuffer*, least recently freed first */
    guint64 pooled, idle;       /* bytes of the pool's buffers, in use or not; of those not in use */
    guint64 peak_live;          /* most bytes of them in use at once */
    GHashTable *programs;       /* "name options" -> cl_program */
    GHashTable *answers;        /* name of a question -> index of its answer, from 1 */
    char *cache_dir;            /* NULL: not looked for yet */
    GHashTable *kernels;        /* "name options kernel" -> cl_kernel */
    GQueue layouts;             /* SfuLayout*, least recently used first */
    guint64 op_serial;          /* counts launches; protects layouts of the op under way */
    double flops;               /* of all launches */
    const int *cancel;
    void (*build_notify)(const char *program, gpointer data);
    gpointer build_data;
    GHashTable *profile_rows;
    GArray *profile_events;
    guint n_unflushed;
    SfuRehearsing *rehearsing; /* NULL: all is real */
    SfuAhead *ahead;           /* what other processes compile; NULL: nothing */
};

/* One device copy of a weight. */
typedef struct {
    SfuWeight *weight;
    char *key;
    SfuTensor *tensor;
    guint64 last_use; /* op_serial */
    GList link;
} SfuLayout;

/* Describes a failed CL call in `error`: "<what>: <CL name> (<code>)". Returns FALSE. */
gboolean sfu_cl_fail(GError **error, cl_int code, const char *what);

gboolean sfu_device_open(const char *wanted, cl_platform_id *platform, cl_device_id *device, SfuDeviceInfo *info,
                         GError **error);

/* A buffer of at least `bytes`, from the pool if `pooled`. Evicts pooled buffers, then weight layouts, when the
 * budget or the device is short. NULL with MEMORY when nothing helps. */
SfuBuffer *sfu_buffer_create(SfuQueue *q, size_t bytes, gboolean pooled, GError **error);
void sfu_buffer_unref(SfuBuffer *b);
SfuTensor *sfu_tensor_create_in(SfuQueue *q, SfuDtype dtype, gint64 n_elements, gboolean pooled, GError **error);

/* Drops the least recently used layout that the op under way does not need. FALSE if there is none. */
gboolean sfu_weight_evict_one(SfuQueue *q);
void sfu_weight_drop_queue(SfuQueue *q); /* drops every layout on q */

/* Builds a program, or loads it from the cache. */
gboolean sfu_program_build(SfuQueue *q, const char *name, const char *options, GError **error);
/* The program's file in the cache; its name has a hash of all that its code depends on. NULL: it has no source. Caller
 * frees. */
char *sfu_program_path(SfuQueue *q, const char *name, const char *options);
cl_kernel sfu_program_kernel(SfuQueue *q, const char *program, const char *options, const char *kernel, GError **error);
/* Whether a program compiles, tried in a child process the first time and remembered on disk. */
gboolean sfu_program_probe(SfuQueue *q, const char *name, const char *options);
void sfu_program_clear(SfuQueue *q);
/* The work-group size of a launch: one item where an op names none, since CPU drivers compile a kernel again for
 * every size, and the one that they choose follows the shape: each new picture size would wait for the compiler.
 * NULL: the driver chooses. */
const size_t *sfu_launch_group(const SfuQueue *q, const size_t *local);
gboolean sfu_queue_cancelled(SfuQueue *q, GError **error);
/* Counts what was enqueued, for the profile (from, event: see SfuProfileEvent; taken; NULL when not profiling) and
 * for cancelling. */
gboolean sfu_queue_enqueued(SfuQueue *q, cl_event from, cl_event event, const char *name, double flops, double bytes,
                            GError **error);

/* While q->rehearsing: a buffer without memory; what a weight's layout would be, borrowed until the end. */
SfuBuffer *sfu_rehearse_buffer(SfuQueue *q, size_t bytes);
void sfu_rehearse_buffer_free(SfuBuffer *b);
const SfuTensor *sfu_rehearse_layout(SfuQueue *q, const SfuWeight *w, const char *layout, SfuDtype dtype,
                                     gint64 n_elements);
void sfu_rehearse_flops(SfuQueue *q, double flops);
/* Notes a launch of a rehearsal, for sfu_queue_compile_ahead(). */
void sfu_ahead_note(SfuQueue *q, const SfuLaunch *l, const SfuArg *args, int n_args);
void sfu_ahead_free(SfuQueue *q); /* ends its helpers, too */

SfuBlas sfu_blas_of_environment(void);
void sfu_blas_forget(SfuQueue *q); /* lets CLBlast drop its programs */

/* OpenCL compilers read numbers with the thread's locale (1.5 under a comma locale is 1): C's is set for the thread
 * until it is put back. */
typedef struct {
    locale_t c, before;
} SfuLocale;
SfuLocale sfu_locale_c(void);
void sfu_locale_back(SfuLocale l);

/* The sources that the build embedded. NULL: no file of that name. */
const char *sfu_kernel_source(const char *name);

/* Folder for programs and tuning of this device, made on demand; under the temporary one where the user's cannot be
 * written. Borrowed. */
const char *sfu_cache_dir(SfuQueue *q);
/* Call it before asking PoCL for devices. NULL, or a sentence naming the folder that PoCL needs to offer any;
 * borrowed. */
const char *sfu_cache_prepare_pocl(void);
/* Held while OpenCL is asked for its devices: PoCL crashes if two threads ask first. Also held round a fork(), so
 * that no thread is inside the driver's lists at that moment. */
void sfu_devices_lock(void);
void sfu_devices_unlock(void);
/* Locks a file of the cache folder. Waits at most most_ms, or until cancelled; then, or without locks, -1. */
int sfu_cache_lock(SfuQueue *q, const char *name, int most_ms, gboolean until_cancelled);
void sfu_cache_unlock(int lock); /* -1: nothing */

#endif
