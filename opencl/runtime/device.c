/* Devices: listing, choosing, capabilities.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runtime/internal.h"
#include <string.h>
#include <inttypes.h>
#include <glib/gi18n-lib.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

G_DEFINE_QUARK(sfu_runtime_error, sfu_runtime_error)

typedef struct {
    cl_platform_id platform;
    cl_device_id device;
    SfuDeviceInfo info;
} Found;

static const char *cl_name(cl_int code)
{
    switch (code) {
    case CL_DEVICE_NOT_AVAILABLE:
        return "the device is not available";
    case CL_MEM_OBJECT_ALLOCATION_FAILURE:
        return "the device has no memory left for this";
    case CL_OUT_OF_RESOURCES:
        return "the device is out of resources";
    case CL_OUT_OF_HOST_MEMORY:
        return "the computer has no memory left for this";
    case CL_BUILD_PROGRAM_FAILURE:
        return "the kernel did not compile";
    case CL_INVALID_BUFFER_SIZE:
        return "the buffer is larger than the device allows";
    case CL_INVALID_WORK_GROUP_SIZE:
        return "the work-group is larger than the device allows";
    case CL_INVALID_COMMAND_QUEUE:
        return "the device was lost";
    default:
        return "OpenCL error";
    }
}

gboolean sfu_cl_fail(GError **error, cl_int code, const char *what)
{
    int kind = SFU_RUNTIME_ERROR_FAILED;
    if (code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY || code == CL_INVALID_BUFFER_SIZE ||
        code == CL_OUT_OF_RESOURCES)
        kind = SFU_RUNTIME_ERROR_MEMORY;
    else if (code == CL_DEVICE_NOT_AVAILABLE || code == CL_INVALID_COMMAND_QUEUE)
        kind = SFU_RUNTIME_ERROR_LOST;
    g_set_error(error, SFU_RUNTIME_ERROR, kind, "%s: %s (%d)", what, cl_name(code), code);
    return FALSE;
}

#if defined(__linux__) && defined(__x86_64__)
/* Linux gives the registers for tiles to a process that asks (Documentation/arch/x86/xstate.rst). */
static gboolean amx_allowed(void)
{
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#else
static gboolean amx_allowed(void)
{
    return FALSE;
}
#endif

static void cpu_features(SfuDeviceInfo *info)
{
#if defined(__x86_64__) || defined(__i386__)
    unsigned a, b, c, d;
    __builtin_cpu_init();
    info->has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    info->has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
    info->has_avx512_vnni = info->has_avx512 && __builtin_cpu_supports("avx512vnni");
    /* CPUID leaf 7, sub-leaf 1, EAX bits 4 and 5 (Intel SDM volume 2A, CPUID). */
    if (__get_cpuid_count(7, 1, &a, &b, &c, &d)) {
        info->has_avx_vnni = info->has_avx2 && (a & 1u << 4);
        info->has_avx512_bf16 = info->has_avx512 && (a & 1u << 5);
    }
    /* Leaf 7, sub-leaf 0, EDX bits 22 (AMX-BF16), 24 (AMX-TILE) and 25 (AMX-INT8). */
    const unsigned amx = 1u << 22 | 1u << 24;
    info->has_amx_bf16 =
        info->has_avx512_bf16 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & amx) == amx && amx_allowed();
    info->has_amx_int8 = info->has_amx_bf16 && (d & 1u << 25);
#endif
}

static void text_of(cl_device_id dev, cl_device_info what, char *out, size_t n)
{
    size_t len = 0;
    out[0] = 0;
    if (clGetDeviceInfo(dev, what, 0, NULL, &len) != CL_SUCCESS || len == 0)
        return;
    char *s = g_malloc0(len + 1);
    if (clGetDeviceInfo(dev, what, len, s, NULL) == CL_SUCCESS)
        g_strlcpy(out, g_strstrip(s), n);
    g_free(s);
}

static gboolean has_word(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = strstr(list, word); p; p = strstr(p + 1, word))
        if ((p == list || p[-1] == ' ') && (p[n] == 0 || p[n] == ' '))
            return TRUE;
    return FALSE;
}

/* cl_nv_device_attribute_query and cl_intel_required_subgroup_size, whose headers are not everywhere. */
#define COMPUTE_CAPABILITY_MAJOR_NV 0x4000
#define SUB_GROUP_SIZES_INTEL 0x4108

static SfuMatrix matrix_of(cl_device_id dev, const SfuDeviceInfo *info, const char *ext)
{
    cl_uint major = 0;
    size_t sizes[8] = {0}, bytes = 0;
    switch (info->vendor) {
    case SFU_VENDOR_NVIDIA:
        clGetDeviceInfo(dev, COMPUTE_CAPABILITY_MAJOR_NV, sizeof major, &major, NULL);
        return major >= 8 ? SFU_MATRIX_NVIDIA : SFU_MATRIX_NONE;
    case SFU_VENDOR_INTEL:
        if (!has_word(ext, "cl_intel_subgroup_matrix_multiply_accumulate") ||
            clGetDeviceInfo(dev, SUB_GROUP_SIZES_INTEL, sizeof sizes, sizes, &bytes) != CL_SUCCESS || bytes == 0)
            return SFU_MATRIX_NONE;
        return sizes[0] == 8    ? SFU_MATRIX_INTEL8
               : sizes[0] == 16 ? SFU_MATRIX_INTEL16
                                : SFU_MATRIX_NONE; /* the smallest comes first */
    case SFU_VENDOR_AMD:
        return g_str_has_prefix(info->name, "gfx11") ? SFU_MATRIX_AMD : SFU_MATRIX_NONE;
    default:
        return SFU_MATRIX_NONE;
    }
}

static void describe(cl_platform_id platform, cl_device_id dev, SfuDeviceInfo *info)
{
    memset(info, 0, sizeof *info);
    text_of(dev, CL_DEVICE_NAME, info->name, sizeof info->name);
    text_of(dev, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof info->platform - 1, info->platform, NULL);
    char vendor[128], version[256], ext[16384];
    text_of(dev, CL_DEVICE_VENDOR, vendor, sizeof vendor);
    text_of(dev, CL_DEVICE_VERSION, version, sizeof version);
    text_of(dev, CL_DEVICE_EXTENSIONS, ext, sizeof ext);
    cl_device_type type = 0;
    cl_uint units = 1, vendor_id = 0;
    cl_bool unified = CL_FALSE;
    cl_ulong global = 0, alloc = 0, local = 0;
    cl_device_fp_config fp = 0;
    size_t group = 1;
    clGetDeviceInfo(dev, CL_DEVICE_TYPE, sizeof type, &type, NULL);
    clGetDeviceInfo(dev, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL);
    clGetDeviceInfo(dev, CL_DEVICE_VENDOR_ID, sizeof vendor_id, &vendor_id, NULL);
    clGetDeviceInfo(dev, CL_DEVICE_SINGLE_FP_CONFIG, sizeof fp, &fp, NULL);
    clGetDeviceInfo(dev, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof unified, &unified, NULL);
    clGetDeviceInfo(dev, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof global, &global, NULL);
    clGetDeviceInfo(dev, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof alloc, &alloc, NULL);
    clGetDeviceInfo(dev, CL_DEVICE_LOCAL_MEM_SIZE, sizeof local, &local, NULL);
    clGetDeviceInfo(dev, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof group, &group, NULL);
    info->is_cpu = (type & CL_DEVICE_TYPE_CPU) != 0;
    info->has_fp16 = has_word(ext, "cl_khr_fp16");
    info->has_fp64 = has_word(ext, "cl_khr_fp64");
    info->has_fma = (fp & CL_FP_FMA) != 0;
    info->has_subgroups = has_word(ext, "cl_khr_subgroups") || has_word(ext, "cl_intel_subgroups");
    info->is_remote = strstr(version, "HSTR: pocl-remote") != NULL; /* "OpenCL 3.0 PoCL HSTR: pocl-remote: NAME" */
    info->unified_memory = (unified || info->is_cpu) && !info->is_remote;
    info->n_units = MAX(1, (int)units);
    info->max_group = MAX(1, group);
    info->global_bytes = global;
    info->max_alloc_bytes = alloc;
    info->local_bytes = local;
    if (strstr(info->platform, "Portable Computing Language") || strstr(info->platform, "PoCL"))
        info->vendor = SFU_VENDOR_POCL;
    else if (strstr(info->platform, "rusticl") || strstr(info->platform, "Clover"))
        info->vendor = SFU_VENDOR_MESA;
    else if (vendor_id == 0x10de || strstr(vendor, "NVIDIA"))
        info->vendor = SFU_VENDOR_NVIDIA;
    else if (vendor_id == 0x1002 || strstr(vendor, "Advanced Micro"))
        info->vendor = SFU_VENDOR_AMD;
    else if (vendor_id == 0x8086 || strstr(vendor, "Intel"))
        info->vendor = SFU_VENDOR_INTEL;
    if (info->is_cpu && !info->is_remote) /* CPUID tells of this machine's processor only */
        cpu_features(info);
    else if (!info->is_cpu)
        info->matrix = matrix_of(dev, info, ext);
}

static gboolean is_pocl(cl_platform_id platform)
{
    char name[256] = "";
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name - 1, name, NULL);
    return strstr(name, "Portable Computing Language") != NULL;
}

/* PoCL asks hwloc how much memory there is. Without the kernel's description of the CPUs that finds 0 bytes, upon which
 * PoCL ends the whole process
 * ("Not enough memory to run on this device.", PoCL 3.1 and 6.0): it must not be asked for devices then. */
static gboolean pocl_sees_no_memory(void)
{
    return !g_file_test("/sys/devices/system/cpu/cpu0/topology", G_FILE_TEST_IS_DIR) &&
           !g_file_test("/sys/bus/cpu/devices/cpu0/topology", G_FILE_TEST_IS_DIR);
}

/* Nothing was found, and a driver that cannot be loaded may be why. */
static void fail_without_device(SfuRuntimeError kind, const char *sentence, GError **error)
{
    char *broken = sfu_drivers_broken();
    if (broken)
        g_set_error(error, SFU_RUNTIME_ERROR, kind, _("%s; install that driver again, or pocl-opencl-icd for the CPU"),
                    broken);
    else
        g_set_error_literal(error, SFU_RUNTIME_ERROR, kind, sentence);
    g_free(broken);
}

/* Why a platform's devices were left out. */
typedef struct {
    gboolean no_memory;   /* PoCL would find none */
    const char *no_cache; /* the folder that PoCL cannot write; NULL: it can */
} LeftOut;

static void add_devices(GArray *all, cl_platform_id platform, LeftOut *left_out)
{
    cl_device_id ids[32];
    cl_uint n = 0;
    const gboolean pocl = is_pocl(platform);
    if (pocl && pocl_sees_no_memory()) {
        left_out->no_memory = TRUE;
        return;
    }
    /* Where the disk is full PoCL offers its devices, and LLVM ends the process when it writes a kernel. */
    if (pocl && (left_out->no_cache = sfu_cache_prepare_pocl()))
        return;
    if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, G_N_ELEMENTS(ids), ids, &n) != CL_SUCCESS)
        return;
    for (cl_uint i = 0; i < MIN(n, G_N_ELEMENTS(ids)); i++) {
        Found f = {.platform = platform, .device = ids[i]};
        describe(platform, ids[i], &f.info);
        f.info.index = (int)all->len;
        g_array_append_val(all, f);
    }
}

static GArray *find_unlocked(GError **error)
{
    LeftOut left_out = {0};
    cl_uint n = 0;
    const cl_int r = clGetPlatformIDs(0, NULL, &n);
    if (r != CL_SUCCESS || n == 0) {
        fail_without_device(SFU_RUNTIME_ERROR_NO_LOADER,
                            _("no OpenCL driver is installed (the loader lists no platform); install your GPU's, or "
                              "pocl-opencl-icd for the CPU"),
                            error);
        return NULL;
    }
    cl_platform_id *platforms = g_new(cl_platform_id, n);
    clGetPlatformIDs(n, platforms, NULL);
    GArray *all = g_array_new(FALSE, TRUE, sizeof(Found));
    for (cl_uint i = 0; i < n; i++)
        add_devices(all, platforms[i], &left_out);
    g_free(platforms);
    if (all->len == 0 && left_out.no_memory) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_DEVICE,
                    _("PoCL, the OpenCL driver for the CPU, finds 0 bytes of memory where /sys is not mounted, and "
                      "needs 128 MiB (the computer has "
                      "%" PRId64 " MiB); mount /sys, or install your GPU's driver"),
                    ((gint64)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE)) >> 20);
        g_array_unref(all);
        return NULL;
    }
    if (all->len == 0 && left_out.no_cache) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_DEVICE,
                    _("PoCL, the OpenCL driver for the CPU, offers no device: it cannot write its cache folder %s; set "
                      "POCL_CACHE_DIR to a folder that "
                      "can be written"),
                    left_out.no_cache);
        g_array_unref(all);
        return NULL;
    }
    if (all->len == 0) {
        fail_without_device(
            SFU_RUNTIME_ERROR_NO_DEVICE,
            _("OpenCL is installed but offers no device; install your GPU's driver, or pocl-opencl-icd for the CPU"),
            error);
        g_array_unref(all);
        return NULL;
    }
    return all;
}

static GMutex devices_mutex;

void sfu_devices_lock(void)
{
    g_mutex_lock(&devices_mutex);
}

void sfu_devices_unlock(void)
{
    g_mutex_unlock(&devices_mutex);
}

/* Every device as Found; NULL with NO_LOADER or NO_DEVICE. */
static GArray *find_all(GError **error)
{
    sfu_devices_lock();
    GArray *all = find_unlocked(error);
    sfu_devices_unlock();
    return all;
}

GArray *sfu_devices_list(GError **error)
{
    GArray *all = find_all(error);
    if (!all)
        return NULL;
    GArray *out = g_array_new(FALSE, TRUE, sizeof(SfuDeviceInfo));
    for (guint i = 0; i < all->len; i++)
        g_array_append_val(out, g_array_index(all, Found, i).info);
    g_array_unref(all);
    return out;
}

/* Memory decides between GPUs; a GPU beats any CPU, a real driver beats a software one, this CPU beats another
 * machine's. */
static double rank(const SfuDeviceInfo *info)
{
    const double size = (double)info->global_bytes / 1e12;
    if (!info->is_cpu && !strstr(info->name, "llvmpipe"))
        return 100 + size + (info->unified_memory ? 0 : 50);
    return !info->is_cpu ? size : info->is_remote ? 5 + size : 10 + size;
}

gboolean sfu_device_open(const char *wanted, cl_platform_id *platform, cl_device_id *device, SfuDeviceInfo *info,
                         GError **error)
{
    GArray *all = find_all(error);
    if (!all)
        return FALSE;
    if (!wanted || !*wanted)
        wanted = g_getenv("SFUMATO_DEVICE");
    const Found *best = NULL;
    if (wanted && *wanted) {
        char *end;
        const guint64 k = g_ascii_strtoull(wanted, &end, 10);
        if (*end == 0 && k < all->len)
            best = &g_array_index(all, Found, k);
        char *low = g_ascii_strdown(wanted, -1);
        const gboolean is_number = best != NULL;
        for (guint i = 0; !is_number && i < all->len; i++) { /* the best of those that fit */
            const Found *f = &g_array_index(all, Found, i);
            char *text = g_strconcat(f->info.name, " ", f->info.platform, f->info.is_cpu ? " cpu" : " gpu", NULL);
            char *low_text = g_ascii_strdown(text, -1);
            if (strstr(low_text, low) && (!best || rank(&f->info) > rank(&best->info)))
                best = f;
            g_free(text);
            g_free(low_text);
        }
        g_free(low);
    } else {
        for (guint i = 0; i < all->len; i++) {
            const Found *f = &g_array_index(all, Found, i);
            if (!best || rank(&f->info) > rank(&best->info))
                best = f;
        }
    }
    if (best) {
        *platform = best->platform;
        *device = best->device;
        *info = best->info;
    } else {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_DEVICE,
                    _("no OpenCL device matches '%s' (`sfumato devices` lists all %u)"), wanted, all->len);
    }
    g_array_unref(all);
    return best != NULL;
}
