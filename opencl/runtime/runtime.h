/* The OpenCL runtime: devices, one in-order queue, tensors from a buffer pool, weights with their device layouts,
 * programs and launches. Only opencl/ makes CL calls, and this header shows no CL type.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_RUNTIME_H
#define SFU_RUNTIME_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct SfuQueue SfuQueue;
typedef struct SfuTensor SfuTensor;
typedef struct SfuWeight SfuWeight;

#define SFU_RUNTIME_ERROR sfu_runtime_error_quark()
GQuark sfu_runtime_error_quark(void);
typedef enum {
    SFU_RUNTIME_ERROR_NO_LOADER, /* no ICD loader, or it finds no platform */
    SFU_RUNTIME_ERROR_NO_DEVICE, /* no device, or none that matches the request */
    SFU_RUNTIME_ERROR_BUILD,     /* a program did not compile; the message has the first lines of the build log */
    SFU_RUNTIME_ERROR_MEMORY,    /* does not fit the device or the budget; the message says how many bytes */
    SFU_RUNTIME_ERROR_LOST,      /* the device stopped answering */
    SFU_RUNTIME_ERROR_SHAPE,     /* an op was given tensors that do not fit together */
    SFU_RUNTIME_ERROR_CANCELLED, /* the cancel flag was seen */
    SFU_RUNTIME_ERROR_FAILED,
} SfuRuntimeError;

/* ---- devices ------------------------------------------------------------------------------------------------ */

typedef enum {
    SFU_VENDOR_UNKNOWN,
    SFU_VENDOR_NVIDIA,
    SFU_VENDOR_AMD,
    SFU_VENDOR_INTEL,
    SFU_VENDOR_POCL,
    SFU_VENDOR_MESA
} SfuVendor;

/* Matrix units that kernels can use; kernels/units.cl has the same numbers. */
typedef enum {
    SFU_MATRIX_NONE,
    SFU_MATRIX_NVIDIA,  /* mma.sync; compute capability 8.0 or later */
    SFU_MATRIX_INTEL8,  /* cl_intel_subgroup_matrix_multiply_accumulate, sub-groups of 8 */
    SFU_MATRIX_INTEL16, /* the same, of 16 */
    SFU_MATRIX_AMD,     /* WMMA of RDNA 3 */
} SfuMatrix;

typedef struct {
    char name[128], platform[128], driver[128];
    int index; /* position in sfu_devices_list() */
    SfuVendor vendor;
    gboolean is_cpu;    /* CL_DEVICE_TYPE_CPU: the CPU family of kernels is used */
    gboolean is_remote; /* another machine's, over the network (PoCL-Remote) */
    gboolean has_fp16;  /* cl_khr_fp16: fp16 arithmetic. Storing fp16 needs no extension */
    gboolean has_fp64;
    gboolean has_fma; /* CL_FP_FMA: fma() is an instruction; without it, fma() is a hundred times slower than mad() */
    gboolean has_subgroups; /* cl_khr_subgroups or cl_intel_subgroups */
    SfuMatrix matrix; /* what the device should have; a self-test checks that device and compiler really have it */
    /* This machine's CPU on x86, from CPUID. */
    gboolean has_avx2, has_avx_vnni, has_avx512, has_avx512_bf16, has_avx512_vnni;
    gboolean has_amx_bf16;   /* likewise, and the system lets this process use it */
    gboolean has_amx_int8;   /* has_amx_bf16, and products of 8-bit whole numbers */
    gboolean unified_memory; /* shares memory with the host */
    int n_units;             /* compute units */
    size_t max_group;        /* largest work-group */
    guint64 global_bytes, max_alloc_bytes, local_bytes;
} SfuDeviceInfo;

/* Lists every OpenCL device. Returns an array of SfuDeviceInfo (free with g_array_unref); NULL on error. */
GArray *sfu_devices_list(GError **error);
/* Names a registered driver that cannot be loaded, and why. NULL: there is none. Caller frees. Tries to load them all,
 * so only for when a device is missing. */
char *sfu_drivers_broken(void);

/* ---- queue -------------------------------------------------------------------------------------------------- */

typedef enum {
    SFU_PRECISION_AUTO,
    SFU_PRECISION_FP32,
    SFU_PRECISION_BF16, /* CPUs: operands of products, where the device has instructions for it; the rest is fp32 */
    SFU_PRECISION_FP16, /* storage */
    SFU_PRECISION_INT8, /* CPUs: operands of convolutions and learned products; those of others as BF16, else FP32 */
    SFU_PRECISION_INT16 /* likewise, of 12 bits and a sign; those of others are FP32 */
} SfuPrecision;

/* Which kernels do the heavy ops. */
typedef enum {
    SFU_KERNELS_AUTO,  /* CPU for CPU devices, GPU for devices with work-groups of 256 and 32 KiB of local memory, else
                         plain; SFUMATO_KERNELS  (cpu, cpu4, cpu8, cpu16, gpu, plain) overrides it, for tests and
                         comparisons */
    SFU_KERNELS_PLAIN, /* OpenCL 1.2 without local memory; the others are tested against it */
    SFU_KERNELS_CPU,   /* one work-item per thread, wide vectors, packed panels */
    SFU_KERNELS_GPU,   /* tiles in local memory, work-groups of 256 */
} SfuKernels;

typedef struct {
    const char *device;     /* NULL: SFUMATO_DEVICE, else the best GPU, else the CPU; a number or part of the name */
    guint64 memory_bytes;   /* budget for everything on the device; 0: chosen from the device */
    SfuPrecision precision; /* storage of activations and of packed panels */
    gboolean profile;       /* keep event times for sfu_queue_profile() */
    SfuKernels kernels;
    int vector_width;   /* floats a vector of the CPU family: 4, 8, 16; 0: SFUMATO_KERNELS (cpu4, cpu8, cpu16), else
                           chosen */
    SfuMatrix emulated; /* for tests: the GPU family's kernels for this matrix unit, with its instruction emulated */
    gboolean self_test; /* for tests: the emulated unit has to pass the self-test of real ones */
    gboolean portable;  /* for tests: products of integers without instructions of the CPU, bf16 without AMX */
    int matrix_tile;    /* for tests: which of opencl/ops/conv/conv_mma.c's tiles, from 1; 0: chosen by shape */
} SfuQueueOptions;

/* Opens a device with one in-order queue. Caller frees with sfu_queue_destroy(). */
SfuQueue *sfu_queue_create(const SfuQueueOptions *options, GError **error);
void sfu_queue_destroy(SfuQueue *q);
const SfuDeviceInfo *sfu_queue_device(const SfuQueue *q);
SfuPrecision sfu_queue_precision(const SfuQueue *q); /* resolved, never AUTO */
gboolean sfu_queue_bf16(const SfuQueue *q);     /* whether operands of products are bf16, where they are not int8 */
gboolean sfu_queue_amx(const SfuQueue *q);      /* whether bf16 products may use AMX */
gboolean sfu_queue_amx_int8(const SfuQueue *q); /* likewise int8 products */
gboolean sfu_queue_vnni(const SfuQueue *q);     /* whether int8 products may use AVX512-VNNI */
/* How a CPU multiplies short integers and adds the products of a 32-bit word. */
typedef enum {
    SFU_INTEGERS_PLAIN, /* one by one */
    SFU_INTEGERS_MADD,  /* vpmaddwd, and vpmaddubsw, whose sums have 16 bits */
    SFU_INTEGERS_VNNI   /* vpdpwssd and vpdpbusd, which add to 32 bits: AVX-VNNI or AVX512-VNNI */
} SfuIntegers;
/* vector: ints in a vector, 4, 8 or 16. The first call may ask the OpenCL compiler. */
SfuIntegers sfu_queue_integers(SfuQueue *q, int vector);
/* Whether activations become bytes where they meet quantized weights of few bits: with INT8, and on CPUs with AUTO,
 * because such weights are far less exact. *most_bits: of such a weight; *vector: ints in a vector. */
gboolean sfu_queue_small_codes(SfuQueue *q, int *most_bits, int *vector);
SfuKernels sfu_queue_kernels(const SfuQueue *q); /* resolved, never AUTO */
/* The matrix unit whose kernels the ops may use. *must_prove: only after a self-test has passed. */
SfuMatrix sfu_queue_matrix(const SfuQueue *q, gboolean *must_prove);
gboolean sfu_queue_emulates(const SfuQueue *q); /* whether that is emulated */
int sfu_queue_matrix_tile(const SfuQueue *q);   /* 0: to be chosen */
int sfu_queue_vector_width(const SfuQueue *q);  /* 0: to be chosen (opencl/ops/conv/width.c) */
void sfu_queue_set_vector_width(SfuQueue *q, int width);
guint64 sfu_queue_budget(const SfuQueue *q);     /* bytes */
guint64 sfu_queue_used_bytes(const SfuQueue *q); /* live buffers, pooled ones and weights on the device */
guint64 sfu_queue_peak_bytes(const SfuQueue *q);
double
sfu_queue_flops(const SfuQueue *q); /* operations of all launches so far, counted for the direct form of each op */
void sfu_queue_trim(SfuQueue *q);   /* returns pooled buffers to the driver */
/* For a part of a run that uses other weights than the one before, where the device shares the computer's memory: until
 * the next call with 0, layouts that nothing has asked for since make room before more bytes are in use than ever
 * before, or than `least`. Either call empties the pool if more than `least` is in use. */
void sfu_queue_hold_peak(SfuQueue *q, guint64 least);
/* Every launch looks at the flag first; any thread may set it. Non-zero makes every op fail with CANCELLED. Borrowed;
 * NULL: none. */
void sfu_queue_set_cancel(SfuQueue *q, const int *flag);
/* Called while a program is compiled for the first time (name of the program); NULL: none. */
void sfu_queue_set_build_notify(SfuQueue *q, void (*fn)(const char *program, gpointer data), gpointer data);
gboolean sfu_queue_finish(SfuQueue *q, GError **error);
/* The table of kernel times with achieved GFLOP/s and GB/s, longest first. Caller frees with g_free. NULL if not
 * profiling. */
char *sfu_queue_profile(SfuQueue *q);

/* ---- rehearsals ---------------------------------------------------------------------------------------------- */

/* What a pass would cost. */
typedef struct {
    double flops;         /* as sfu_queue_flops() counts them */
    guint64 tensor_bytes; /* the most that is live at once */
    guint64 weight_bytes; /* of all layouts that the ops ask for */
} SfuRehearsal;
/* Until the end, ops are only counted. Nothing is compiled, enqueued or put on the device; tensors hold nothing and
 * read as zeros. No trial answers open questions about the device. Do not use tensors of a rehearsal afterwards. */
void sfu_queue_rehearse_begin(SfuQueue *q);
void sfu_queue_rehearse_end(SfuQueue *q, SfuRehearsal *cost);
/* Other processes compile the kernels that rehearsals have launched, from the last one on, unless that has been done
 * before. Returns at once: what this process comes to first it compiles by itself. idle: it will not run the job now,
 * so they may have its core. */
void sfu_queue_compile_ahead(SfuQueue *q, gboolean idle);
/* Ends a job that only rehearsed: those processes go on, and the next job keeps them if they do what it needs. */
void sfu_queue_compile_ahead_keep(SfuQueue *q);
/* Stops those processes. has_run: what was rehearsed has been run, so that all of it is compiled now. */
void sfu_queue_compile_ahead_end(SfuQueue *q, gboolean has_run);
/* Operations per second that this kind of work reached on this device, with these kernels and this precision, as noted
 * in this process or an earlier one; 0: unknown. */
double sfu_queue_rate(SfuQueue *q, const char *kind);
void sfu_queue_note_rate(SfuQueue *q, const char *kind, double rate);

/* ---- tensors ------------------------------------------------------------------------------------------------ */

typedef enum {
    SFU_F32,
    SFU_F16,
    SFU_BF16,
    SFU_F8_E4M3,
    SFU_F8_E5M2,
    SFU_I32,
    SFU_I64,
    SFU_U8,
    SFU_F64,
    SFU_I8,
    SFU_I16,
    SFU_BOOL,
    /* blocks of GGUF files, on the host only */
    SFU_Q4_0,
    SFU_Q4_1,
    SFU_Q5_0,
    SFU_Q5_1,
    SFU_Q8_0,
    SFU_Q2_K,
    SFU_Q3_K,
    SFU_Q4_K,
    SFU_Q5_K,
    SFU_Q6_K,
    SFU_IQ4_NL,
    SFU_IQ4_XS,
    SFU_N_DTYPES
} SfuDtype;
size_t sfu_dtype_bytes(SfuDtype t);          /* of one value; for block types, of a block of sfu_dtype_block() values */
int sfu_dtype_block(SfuDtype t);             /* 1 for plain types */
size_t sfu_dtype_size(SfuDtype t, gint64 n); /* bytes of n values, n a multiple of a block */
const char *sfu_dtype_name(SfuDtype t);
/* Widens values [first, first + n) of the data at `from` to fp32. They may begin and end inside a block. */
void sfu_dtype_widen(SfuDtype t, const void *from, gint64 first, gint64 n, float *out);

/* Block types: whole numbers q, a scale and a minimum for all of a block, and for some types factors of those for each
 * group of values: value = (d * scale) * q - (m * min), rounded after each operation. */
typedef struct {
    int values, group;   /* of a block, of a group */
    int bits, less;      /* q + less fits so many bits, of 8 with a sign */
    gboolean groups;     /* groups have factors, else one group is the block */
    gboolean mins;       /* m is not always 0 */
    int low_at, high_at; /* bytes of a block of 32: in the first 16 the low 4 bits of values i and i + 16, in the 4
                          * others the fifth bits in order; 0: codes stand otherwise */
} SfuBlockForm;
#define SFU_MOST_BLOCK 256 /* values */
typedef struct {
    gint8 q[SFU_MOST_BLOCK];
    guint16 d, m; /* bits of halves */
    gint8 scale[SFU_MOST_BLOCK / 16];
    guint8 min[SFU_MOST_BLOCK / 16];
} SfuBlock;
gboolean sfu_dtype_block_form(SfuDtype t, SfuBlockForm *form); /* FALSE: a plain type */
void sfu_dtype_unpack(SfuDtype t, const void *block, SfuBlock *u);

/* A dense tensor on the device, always [n, h, w, c] with c fastest. Tokens [n, t, c] are stored as n, 1, t, c.
 * Readable, not writable, from outside the runtime. */
struct SfuTensor {
    SfuQueue *q;
    SfuDtype dtype; /* SFU_F32 or SFU_F16 for activations; SFU_I32 for token numbers */
    int n, h, w, c;
    size_t offset;            /* elements into the buffer (views) */
    struct SfuBuffer *buffer; /* counted; shared by views */
};

SfuDtype sfu_queue_act_dtype(const SfuQueue *q); /* what activations are stored as on this queue */
/* A tensor from the pool; its contents are undefined. The caller frees it with sfu_tensor_destroy(), as soon as the
 * last op that reads it is enqueued. */
SfuTensor *sfu_tensor_create(SfuQueue *q, SfuDtype dtype, int n, int h, int w, int c, GError **error);
void sfu_tensor_destroy(SfuTensor *t);
/* A view with another shape, from element `offset` of x; its n*h*w*c elements must lie inside x. It shares the buffer.
 */
SfuTensor *sfu_tensor_view(const SfuTensor *x, size_t offset, int n, int h, int w, int c, GError **error);
gint64 sfu_tensor_elements(const SfuTensor *t);
/* Host transfers, blocking, n*h*w*c fp32 values; converted to and from the tensor's dtype. */
gboolean sfu_tensor_write(SfuTensor *t, const float *host, GError **error);
gboolean sfu_tensor_read(const SfuTensor *t, float *host, GError **error);

/* ---- weights ------------------------------------------------------------------------------------------------ */

/* A learned tensor as a model file has it, dims in PyTorch's order ([out, in, kh, kw], [out, in], [c]). The host data
 * is borrowed (a mapped file) or owned. Each op asks for the weight in the layout that its kernel wants. A layout is
 * made on first use and counts against the budget. Under pressure, the least recently used layouts are freed. */
SfuWeight *sfu_weight_new(const char *name, SfuDtype dtype, int n_dims, const gint64 *dims, const void *host,
                          size_t host_bytes); /* host borrowed, must outlive the weight */
SfuWeight *sfu_weight_new_take(const char *name, SfuDtype dtype, int n_dims, const gint64 *dims, void *host,
                               size_t host_bytes); /* host taken, g_free'd */
/* Factors for the stored numbers. Borrowed like the host data. */
typedef struct {
    SfuDtype dtype; /* of the scales */
    gint64 n;       /* 0: none; 1: one for all; else one per row of dim 0 */
    const void *values;
    int rotation; /* the rows were multiplied by a Hadamard matrix, in groups of this many values (a power of 4; at most
                     SFU_MOST_ROTATION); 0: no */
} SfuWeightScale;
#define SFU_MOST_ROTATION 4096
void sfu_weight_set_scale(SfuWeight *w, const SfuWeightScale *scale);
/* For values in a mapped file: check(source) runs before they are copied to the device. It returns FALSE with error if
 * pages of the file are gone, because reading them would end the process. source is borrowed. */
typedef gboolean (*SfuWeightCheck)(gconstpointer source, GError **error);
void sfu_weight_set_check(SfuWeight *w, SfuWeightCheck check, gconstpointer source);
/* How adapters change a weight. When rows [first, first + n) of dim 0 are read, this is called with their values
 * [n, elements / dim 0] and changes them in place. Layouts hold the changed values, so sampling costs no more. Rows may
 * come in any order, and from several threads at once; n is a multiple of the change's group, and so is first. */
typedef void (*SfuWeightChange)(gpointer data, gint64 first, gint64 n, float *values);
/* From now on the weight has the changed values. Drops every layout of the weight and of concatenations that contain
 * it. data is borrowed, and must outlive the weight or the next call. NULL: the values of the file. */
void sfu_weight_set_change(SfuWeight *w, SfuWeightChange change, gpointer data, gint64 group);
/* Several weights stacked along dim 0 (fused q, k, v). It reads its parts, which are borrowed and have the same
 * trailing shape. Destroy it before them. */
SfuWeight *sfu_weight_concat(const char *name, SfuWeight *const *parts, int n_parts);
void sfu_weight_destroy(SfuWeight *w);
const char *sfu_weight_name(const SfuWeight *w);
/* F32 where no single type holds the values as they are: scaled, changed, or concatenated of several. */
SfuDtype sfu_weight_dtype(const SfuWeight *w);
int sfu_weight_n_dims(const SfuWeight *w);
gint64 sfu_weight_dim(const SfuWeight *w, int i); /* 1 beyond n_dims */
gint64 sfu_weight_elements(const SfuWeight *w);
/* Elements [first, first + n) widened to fp32 on the host. */
void sfu_weight_read_f32(const SfuWeight *w, gint64 first, gint64 n, float *out);
float *sfu_weight_values(const SfuWeight *w); /* all of them; caller frees with g_free */
/* The one type that all its values are stored as, but for scales of plain types; F32 where there is none: changed,
 * rotated, or concatenated of several. */
SfuDtype sfu_weight_stored(const SfuWeight *w);
double sfu_weight_stored_bytes(const SfuWeight *w); /* of the values as the file has them */
/* Row `row` of dim 0 as it is stored, and its scale (1 if it has none). */
const void *sfu_weight_row(const SfuWeight *w, gint64 row, float *scale);
/* Whether every value is finite as fp16. The first call reads all values, unless they are fp16. */
gboolean sfu_weight_fits_f16(SfuWeight *w);
/* Whether the device keeps the values as fp16. It does if they are exact in fp16; if they are quantized and fit, unless
 * the queue computes in fp32; and if an adapter has changed values of an fp16 file, unless fp32 was asked for. Rounding
 * to fp16 costs 2^-12 of a value. Quantizing has cost 2^-9 or more, and an adapter is no more exact than its model. */
gboolean sfu_weight_half(SfuQueue *q, SfuWeight *w);
/* Drops every device copy (the host data stays). */
void sfu_weight_unload(SfuWeight *w);

/* How ops get a weight. `layout` names the layout and its parameters (the key of the copy). If the device has no such
 * copy, `pack` makes it on the host, in n_parts parts that several threads share. The tensor is borrowed; it stays on
 * the device until the next op call on the queue has returned. */
/* Writes parts [first, end) of the layout that begins at `dst`, of part_bytes each if they follow each other. */
typedef void (*SfuWeightPack)(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end,
                              gconstpointer params);
const SfuTensor *sfu_weight_on_device(SfuQueue *q, SfuWeight *w, const char *layout, SfuDtype dtype, gint64 n_elements,
                                      gint64 n_parts, SfuWeightPack pack, gconstpointer params, GError **error);
/* The most common layout: the order of the file, in fp32 (norms, biases). */
const SfuTensor *sfu_weight_f32(SfuQueue *q, SfuWeight *w, GError **error);

/* ---- programs and launches (for opencl/ops) ----------------------------------------------------------------- */

typedef struct {
    enum { SFU_ARG_TENSOR, SFU_ARG_INT, SFU_ARG_FLOAT, SFU_ARG_LOCAL } kind;
    union {
        const SfuTensor *t;
        int i;
        float f;
        size_t bytes;
    } v;
} SfuArg;
/* A tensor is two kernel arguments: the global pointer and the element offset (int). */
#define SFU_TENSOR(x) ((SfuArg){.kind = SFU_ARG_TENSOR, .v.t = (x)})
#define SFU_INT(x) ((SfuArg){.kind = SFU_ARG_INT, .v.i = (x)})
#define SFU_FLOAT(x) ((SfuArg){.kind = SFU_ARG_FLOAT, .v.f = (x)})
#define SFU_LOCAL(x) ((SfuArg){.kind = SFU_ARG_LOCAL, .v.bytes = (x)})

typedef struct {
    const char *program; /* file under opencl/kernels without .cl */
    const char *kernel;
    const char *options;        /* "-DX=1 ..." or NULL; part of the cache key */
    size_t global[3], local[3]; /* local[0] == 0: the driver chooses */
    double flops, bytes;        /* for the profile */
} SfuLaunch;
/* Enqueues one kernel; builds (or loads from the disk cache) its program on first use. A NULL tensor passes NULL. */
gboolean sfu_launch(SfuQueue *q, const SfuLaunch *l, const SfuArg *args, int n_args, GError **error);
/* ---- tuning (for opencl/ops) -------------------------------------------------------------------------------- */

/* A question about a device that only a trial can answer. The answer is kept on disk for this device, driver and kernel
 * source. */
typedef struct {
    const char *name;            /* unique; names everything else that the answer depends on */
    const char *const *programs; /* the kernel files whose source the answer depends on, NULL-terminated; common.cl is
                                    always included */
    const char *const
        *answers; /* the possible answers, NULL-terminated; anything else on disk is damaged and asked again */
    int if_died;  /* the answer after two processes have died in the trial; -1: the trial cannot kill a process */
} SfuQuestion;
/* Returns the index of an answer. -1 with error set: it cannot tell, and nothing is kept. Must not ask the same
 * question. */
typedef int (*SfuTrial)(SfuQueue *q, gconstpointer data, GError **error);
/* The index of the answer, from disk or from a trial; -1 with error set. A trial may evict what the current op has on
 * the device, so ask before asking for weights. If another process is in a trial, this waits for it (at most two
 * minutes, or until canceled). */
int sfu_tuning_ask(SfuQueue *q, const SfuQuestion *question, SfuTrial trial, gconstpointer data, GError **error);
/* For tests: the index of the answer on disk, -1 if there is none; and setting what the disk says (NULL: nothing). */
int sfu_tuning_known(SfuQueue *q, const SfuQuestion *question);
void sfu_tuning_set(SfuQueue *q, const SfuQuestion *question, const char *value);

/* A yes-or-no question: does something work on this device that a driver may refuse, get wrong or crash on? `test`
 * returns TRUE if it works. FALSE with CANCELLED or MEMORY leaves the question open (this time the answer is no); any
 * other FALSE is a no. */
gboolean sfu_queue_capability(SfuQueue *q, const char *name, const char *const *programs,
                              gboolean (*test)(SfuQueue *q, GError **error));

/* NULL if the folder of compiled kernels can be written; else a sentence that names it and the folder used instead.
 * Caller frees with g_free. */
char *sfu_cache_warning(void);
/* A private folder of the user below the system's temporary folder, the same in every run; NULL if there is none.
 * Borrowed.
 */
const char *sfu_cache_temporary(void);

/* ---- products by CLBlast (for opencl/ops) -------------------------------------------------------------------- */

/* c = a . b^T, dense, rows first, fp32: a [m, k], b [n, k], c [m, n]. */
typedef struct {
    int m, n, k;
} SfuGemm;
/* Enqueues the product. Memory that CLBlast allocates itself does not count against the budget. Fails in a build
 * without CLBlast.
 */
gboolean sfu_blas_gemm(SfuQueue *q, SfuTensor *c, const SfuTensor *a, const SfuTensor *b, const SfuGemm *g,
                       GError **error);
/* Computes the product once, with our own kernel or with CLBlast. */
typedef gboolean (*SfuGemmTrial)(gconstpointer data, gboolean clblast, GError **error);
/* Whether CLBlast should compute a product. SFUMATO_BLAS (own, clblast) decides if it is set. Otherwise small products
 * use our own kernel, and for others sfu_tuning_ask() asks which is faster. `variant`: what else the times depend on.
 * FALSE if the trial cannot tell. */
gboolean sfu_blas_is_faster(SfuQueue *q, const SfuGemm *g, const char *variant, SfuGemmTrial trial, gconstpointer data);

G_END_DECLS
#endif
