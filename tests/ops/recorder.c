/* An OpenCL driver that computes nothing: preloaded instead of the loader, it shows one GPU and writes down what the
 * runtime builds for it, so that the vendors' compilers can be asked about it (gpu-compile). RECORDER_DEVICE: a key of
 * devices[]; RECORDER_FOLDER: gets a N.cl with each program's source, a N.options, and a N.kernels with the names of
 * those that were used; RECORDER_PASSES: the runtime's self-tests that are to have passed, since results are zeros.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#include <CL/cl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

struct _cl_program {
    char *source;
    int number;
    GHashTable *kernels;
};
struct _cl_mem {
    void *host;
    size_t bytes;
};

typedef struct {
    const char *name, *vendor, *platform, *extensions;
    cl_uint vendor_id, units;
    size_t sub_groups[2]; /* cl_intel_required_subgroup_size */
    cl_uint capability;   /* cl_nv_device_attribute_query */
    cl_bool unified;
} Device;

/* As the vendors' drivers of 2024 describe an RTX 2060, an RTX 3060, an Iris Xe, an Arc A770, a Max 1100, an RX 6700 XT
 * and an RX 7800 XT, where the runtime looks. */
static const struct {
    const char *key;
    Device device;
} devices[] = {
    {"nvidia-turing",
     {"NVIDIA GeForce RTX 2060", "NVIDIA Corporation", "NVIDIA CUDA",
      "cl_khr_byte_addressable_store cl_nv_device_attribute_query", 0x10de, 30, .capability = 7}},
    {"nvidia",
     {"NVIDIA GeForce RTX 3060", "NVIDIA Corporation", "NVIDIA CUDA",
      "cl_khr_byte_addressable_store cl_nv_device_attribute_query", 0x10de, 28, .capability = 8}},
    {"intel",
     {"Intel(R) Iris(R) Xe Graphics", "Intel(R) Corporation", "Intel(R) OpenCL Graphics",
      "cl_khr_fp16 cl_khr_subgroups cl_intel_subgroups cl_intel_required_subgroup_size", 0x8086, 96,
      .sub_groups = {8, 16}, .unified = CL_TRUE}},
    {"intel-xe",
     {"Intel(R) Arc(TM) A770 Graphics", "Intel(R) Corporation", "Intel(R) OpenCL Graphics",
      "cl_khr_fp16 cl_khr_subgroups cl_intel_subgroups cl_intel_required_subgroup_size "
      "cl_intel_subgroup_matrix_multiply_accumulate",
      0x8086, 512, .sub_groups = {8, 16}}},
    {"intel-pvc",
     {"Intel(R) Data Center GPU Max 1100", "Intel(R) Corporation", "Intel(R) OpenCL Graphics",
      "cl_khr_fp16 cl_khr_fp64 cl_khr_subgroups cl_intel_subgroups cl_intel_required_subgroup_size "
      "cl_intel_subgroup_matrix_multiply_accumulate",
      0x8086, 448, .sub_groups = {16, 32}}},
    {"amd",
     {"gfx1030", "Advanced Micro Devices, Inc.", "AMD Accelerated Parallel Processing",
      "cl_khr_fp16 cl_khr_fp64 cl_khr_subgroups", 0x1002, 20}},
    {"amd-rdna3",
     {"gfx1101", "Advanced Micro Devices, Inc.", "AMD Accelerated Parallel Processing",
      "cl_khr_fp16 cl_khr_fp64 cl_khr_subgroups", 0x1002, 30}},
};
static const Device *shown;
static int n_programs;
static char some[1]; /* what handles point to that need nothing behind them */
#define HANDLE(type) ((type)(void *)some)

static void write_down(int number, const char *ending, const char *text)
{
    char *path = g_strdup_printf("%s/%d.%s", g_getenv("RECORDER_FOLDER"), number, ending);
    if (!g_file_set_contents(path, text, -1, NULL))
        abort();
    g_free(path);
}

static cl_int answer(const void *from, size_t n, size_t room, void *to, size_t *size)
{
    if (size)
        *size = n;
    if (to && room >= n && n)
        memcpy(to, from, n);
    return CL_SUCCESS;
}
#define ANSWER(type, ...) answer(&(type){__VA_ARGS__}, sizeof(type), room, to, size)
#define ANSWER_TEXT(text) answer(text, strlen(text) + 1, room, to, size)

cl_int clGetPlatformIDs(cl_uint room, cl_platform_id *to, cl_uint *n)
{
    for (guint i = 0; i < G_N_ELEMENTS(devices); i++)
        if (g_strcmp0(g_getenv("RECORDER_DEVICE"), devices[i].key) == 0)
            shown = &devices[i].device;
    if (!shown)
        abort();
    if (to)
        *to = HANDLE(cl_platform_id);
    if (n)
        *n = 1;
    return CL_SUCCESS;
}

cl_int clGetPlatformInfo(cl_platform_id p, cl_platform_info what, size_t room, void *to, size_t *size)
{
    return ANSWER_TEXT(shown->platform);
}

cl_int clGetDeviceIDs(cl_platform_id p, cl_device_type type, cl_uint room, cl_device_id *to, cl_uint *n)
{
    if (to)
        *to = HANDLE(cl_device_id);
    if (n)
        *n = 1;
    return CL_SUCCESS;
}

cl_int clGetDeviceInfo(cl_device_id d, cl_device_info what, size_t room, void *to, size_t *size)
{
    switch (what) {
    case CL_DEVICE_NAME:
        return ANSWER_TEXT(shown->name);
    case CL_DEVICE_VENDOR:
        return ANSWER_TEXT(shown->vendor);
    case CL_DRIVER_VERSION:
        return ANSWER_TEXT("recorder");
    case CL_DEVICE_EXTENSIONS:
        return ANSWER_TEXT(shown->extensions);
    case CL_DEVICE_TYPE:
        return ANSWER(cl_device_type, CL_DEVICE_TYPE_GPU);
    case CL_DEVICE_VENDOR_ID:
        return ANSWER(cl_uint, shown->vendor_id);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
        return ANSWER(cl_uint, shown->units);
    case CL_DEVICE_SINGLE_FP_CONFIG:
        return ANSWER(cl_device_fp_config, CL_FP_ROUND_TO_NEAREST | CL_FP_INF_NAN | CL_FP_FMA);
    case CL_DEVICE_HOST_UNIFIED_MEMORY:
        return ANSWER(cl_bool, shown->unified);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
        return ANSWER(cl_ulong, 12ull << 30);
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
        return ANSWER(cl_ulong, 4ull << 30);
    case CL_DEVICE_LOCAL_MEM_SIZE:
        return ANSWER(cl_ulong, shown->capability ? 49152 : 65536);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
        return ANSWER(size_t, shown->capability ? 1024 : 512);
    case 0x4000: /* CL_DEVICE_COMPUTE_CAPABILITY_MAJOR_NV */
        return shown->capability ? ANSWER(cl_uint, shown->capability) : CL_INVALID_VALUE;
    case 0x4108: /* CL_DEVICE_SUB_GROUP_SIZES_INTEL */
        return shown->sub_groups[0] ? answer(shown->sub_groups, sizeof shown->sub_groups, room, to, size)
                                    : CL_INVALID_VALUE;
    default:
        return CL_INVALID_VALUE;
    }
}

/* Tells the runtime's store that the self-tests have passed: what they read would be zeros. */
static void pass_self_tests(void)
{
    char *id = g_strjoin("\n", shown->name, shown->platform, "recorder", NULL),
         *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, id, -1);
    hash[16] = 0; /* as sfu_cache_dir() has it */
    char *path = g_build_filename(g_getenv("SFUMATO_CACHE"), hash, "tuning.ini", NULL), *dir = g_path_get_dirname(path);
    char **names = g_strsplit(g_getenv("RECORDER_PASSES"), ";", -1);
    GKeyFile *f = g_key_file_new();
    for (int i = 0; names[i]; i++)
        if (names[i][0])
            g_key_file_set_string(f, "tuning", names[i], "yes");
    if (g_mkdir_with_parents(dir, 0700) || !g_key_file_save_to_file(f, path, NULL))
        abort();
    g_key_file_unref(f);
    g_strfreev(names);
    g_free(dir);
    g_free(path);
    g_free(hash);
    g_free(id);
}

cl_context clCreateContext(const cl_context_properties *p, cl_uint n, const cl_device_id *d,
                           void (*fn)(const char *, const void *, size_t, void *), void *data, cl_int *r)
{
    pass_self_tests();
    *r = CL_SUCCESS;
    return HANDLE(cl_context);
}

cl_command_queue clCreateCommandQueue(cl_context c, cl_device_id d, cl_command_queue_properties p, cl_int *r)
{
    *r = CL_SUCCESS;
    return HANDLE(cl_command_queue);
}

/* Memory is there once it is mapped: what a device would hold would not fit a small computer. */
cl_mem clCreateBuffer(cl_context c, cl_mem_flags flags, size_t bytes, void *host, cl_int *r)
{
    cl_mem m = g_new0(struct _cl_mem, 1);
    m->bytes = bytes;
    *r = CL_SUCCESS;
    return m;
}

cl_int clReleaseMemObject(cl_mem m)
{
    free(m->host);
    g_free(m);
    return CL_SUCCESS;
}

void *clEnqueueMapBuffer(cl_command_queue q, cl_mem m, cl_bool wait, cl_map_flags flags, size_t at, size_t bytes,
                         cl_uint n, const cl_event *w, cl_event *e, cl_int *r)
{
    if (!m->host)
        m->host = calloc(m->bytes, 1);
    *r = m->host ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY;
    return m->host ? (char *)m->host + at : NULL;
}

cl_int clEnqueueUnmapMemObject(cl_command_queue q, cl_mem m, void *p, cl_uint n, const cl_event *w, cl_event *e)
{
    free(m->host);
    m->host = NULL;
    return CL_SUCCESS;
}

cl_int clEnqueueReadBuffer(cl_command_queue q, cl_mem m, cl_bool wait, size_t at, size_t bytes, void *to, cl_uint n,
                           const cl_event *w, cl_event *e)
{
    memset(to, 0, bytes);
    return CL_SUCCESS;
}

cl_int clEnqueueWriteBuffer(cl_command_queue q, cl_mem m, cl_bool wait, size_t at, size_t bytes, const void *from,
                            cl_uint n, const cl_event *w, cl_event *e)
{
    return CL_SUCCESS;
}

cl_program clCreateProgramWithSource(cl_context c, cl_uint n, const char **text, const size_t *lengths, cl_int *r)
{
    GString *all = g_string_new(NULL);
    for (cl_uint i = 0; i < n; i++)
        g_string_append(all, text[i]);
    cl_program p = g_new0(struct _cl_program, 1);
    p->source = g_string_free(all, FALSE);
    p->number = n_programs++;
    p->kernels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    *r = CL_SUCCESS;
    return p;
}

cl_program clCreateProgramWithBinary(cl_context c, cl_uint n, const cl_device_id *d, const size_t *sizes,
                                     const unsigned char **data, cl_int *status, cl_int *r)
{
    *r = CL_INVALID_BINARY; /* there is none: CL_PROGRAM_BINARY_SIZES */
    return NULL;
}

cl_int clBuildProgram(cl_program p, cl_uint n, const cl_device_id *d, const char *options,
                      void (*fn)(cl_program, void *), void *data)
{
    write_down(p->number, "cl", p->source);
    write_down(p->number, "options", options);
    return CL_SUCCESS;
}

cl_int clGetProgramInfo(cl_program p, cl_program_info what, size_t room, void *to, size_t *size)
{
    return CL_INVALID_VALUE;
}
cl_int clGetProgramBuildInfo(cl_program p, cl_device_id d, cl_program_build_info what, size_t room, void *to,
                             size_t *size)
{
    return CL_INVALID_VALUE;
}

cl_kernel clCreateKernel(cl_program p, const char *name, cl_int *r)
{
    if (g_hash_table_add(p->kernels, g_strdup(name))) {
        GString *all = g_string_new(NULL);
        GHashTableIter it;
        gpointer key;
        g_hash_table_iter_init(&it, p->kernels);
        while (g_hash_table_iter_next(&it, &key, NULL))
            g_string_append_printf(all, "%s\n", (char *)key);
        write_down(p->number, "kernels", all->str);
        g_string_free(all, TRUE);
    }
    *r = CL_SUCCESS;
    return HANDLE(cl_kernel);
}

cl_int clReleaseProgram(cl_program p)
{
    g_hash_table_unref(p->kernels);
    g_free(p->source);
    g_free(p);
    return CL_SUCCESS;
}

cl_int clSetKernelArg(cl_kernel k, cl_uint i, size_t bytes, const void *value)
{
    return CL_SUCCESS;
}
cl_int clEnqueueNDRangeKernel(cl_command_queue q, cl_kernel k, cl_uint dims, const size_t *from, const size_t *global,
                              const size_t *local, cl_uint n, const cl_event *w, cl_event *e)
{
    return CL_SUCCESS;
}
cl_int clFinish(cl_command_queue q)
{
    return CL_SUCCESS;
}
cl_int clReleaseCommandQueue(cl_command_queue q)
{
    return CL_SUCCESS;
}
cl_int clReleaseContext(cl_context c)
{
    return CL_SUCCESS;
}
cl_int clReleaseKernel(cl_kernel k)
{
    return CL_SUCCESS;
}

/* CLBlast's product, whose epilogue is a kernel of ours. */
int CLBlastSgemm(void);
int CLBlastClearCache(void);
int CLBlastSgemm(void)
{
    return 0;
}
int CLBlastClearCache(void)
{
    return 0;
}
