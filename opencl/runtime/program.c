/* Programs: embedded sources, the disk cache of binaries, kernels.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runtime/internal.h"
#include <string.h>
#include <glib/gi18n-lib.h>
#ifdef G_OS_UNIX
#include <fcntl.h>
#include <signal.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>
#endif

/* A cache file is the SHA-256 of the rest, in hex, a newline, the rest. Anything else is a damaged entry: rebuilt. */
static GBytes *cache_read(const char *path)
{
    char *data;
    gsize n;
    GBytes *out = NULL;
    if (!g_file_get_contents(path, &data, &n, NULL))
        return NULL;
    if (n > 65 && data[64] == '\n') {
        char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)data + 65, n - 65);
        if (memcmp(sum, data, 64) == 0)
            out = g_bytes_new(data + 65, n - 65);
        g_free(sum);
    }
    g_free(data);
    return out;
}

/* By rename, so that no reader ever sees half a file. A cache that cannot be written is no error. */
static void cache_write(const char *path, const void *data, gsize n)
{
    char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, n);
    GByteArray *all = g_byte_array_new();
    g_byte_array_append(all, (guint8 *)sum, 64);
    g_byte_array_append(all, (const guint8 *)"\n", 1);
    g_byte_array_append(all, data, (guint)n);
    (void)g_file_set_contents(path, (char *)all->data, all->len, NULL);
    g_byte_array_unref(all);
    g_free(sum);
}

SfuLocale sfu_locale_c(void)
{
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return (SfuLocale){.c = c, .before = c ? uselocale(c) : (locale_t)0};
}

void sfu_locale_back(SfuLocale l)
{
    if (l.c) {
        uselocale(l.before);
        freelocale(l.c);
    }
}

static cl_int build_in_c_locale(cl_program p, cl_device_id dev, const char *options)
{
    const SfuLocale before = sfu_locale_c();
    const cl_int r = clBuildProgram(p, 1, &dev, options, NULL, NULL);
    sfu_locale_back(before);
    return r;
}

static cl_program from_binary(SfuQueue *q, const char *path, const char *options)
{
    GBytes *bin = cache_read(path);
    if (!bin)
        return NULL;
    gsize n;
    const unsigned char *data = g_bytes_get_data(bin, &n);
    cl_int status = 0, r;
    cl_program p = clCreateProgramWithBinary(q->context, 1, &q->device, &n, &data, &status, &r);
    if (r == CL_SUCCESS && (status != CL_SUCCESS || build_in_c_locale(p, q->device, options) != CL_SUCCESS)) {
        clReleaseProgram(p);
        r = CL_INVALID_BINARY;
    }
    g_bytes_unref(bin);
    return r == CL_SUCCESS ? p : NULL;
}

static void save_binary(cl_program p, const char *path)
{
    size_t n = 0;
    if (clGetProgramInfo(p, CL_PROGRAM_BINARY_SIZES, sizeof n, &n, NULL) != CL_SUCCESS || n == 0)
        return;
    unsigned char *data = g_malloc(n);
    if (clGetProgramInfo(p, CL_PROGRAM_BINARIES, sizeof data, &data, NULL) == CL_SUCCESS)
        cache_write(path, data, n);
    g_free(data);
}

/* PoCL keeps what it compiles by itself, and compiles a kernel when it is launched, for its work-group size. Asked for
 * a binary it would compile every kernel of the program once more, for any size: two thirds of the wait for a first
 * picture. So its programs come from source every time, and our file says only that they have been compiled before. */
static const char KEPT_BY_DRIVER[] = "kept by the driver";

static gboolean is_marked(const char *path)
{
    GBytes *bytes = cache_read(path);
    gsize n = 0;
    const char *data = bytes ? g_bytes_get_data(bytes, &n) : NULL;
    const gboolean marked = n == sizeof KEPT_BY_DRIVER && memcmp(data, KEPT_BY_DRIVER, n) == 0;
    if (bytes)
        g_bytes_unref(bytes);
    return marked;
}

static void build_error(SfuQueue *q, cl_program p, cl_int r, const char *name, GError **error)
{
    size_t n = 0;
    clGetProgramBuildInfo(p, q->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &n);
    char *log = g_malloc0(n + 1);
    clGetProgramBuildInfo(p, q->device, CL_PROGRAM_BUILD_LOG, n, log, NULL);
    if (strlen(log) > 1500)
        log[1500] = 0;
    g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_BUILD, _("%s does not compile on %s (%d): %s"), name,
                q->info.name, r, g_strstrip(log));
    g_free(log);
}

static cl_program from_source(SfuQueue *q, const char *name, const char *options, GError **error)
{
    const char *parts[] = {sfu_kernel_source("common"), sfu_kernel_source(name)};
    cl_int r;
    cl_program p = clCreateProgramWithSource(q->context, G_N_ELEMENTS(parts), parts, NULL, &r);
    if (r != CL_SUCCESS) {
        sfu_cl_fail(error, r, name);
        return NULL;
    }
    if ((r = build_in_c_locale(p, q->device, options)) == CL_SUCCESS)
        return p;
    build_error(q, p, r, name, error);
    clReleaseProgram(p);
    return NULL;
}

/* What the compiler is called with. Caller frees. */
static char *options_of(const SfuQueue *q, const char *extra)
{
    return g_strdup_printf("-cl-std=CL1.2 -cl-mad-enable -w%s%s%s %s",
                           q->info.vendor == SFU_VENDOR_MESA || !q->info.has_fma ? " -DNO_FMA" : "",
                           q->info.vendor == SFU_VENDOR_POCL ? " -DPOCL" : "",
                           q->family == SFU_KERNELS_CPU ? " -DCPU" : "", extra ? extra : "");
}

char *sfu_program_path(SfuQueue *q, const char *name, const char *extra)
{
    const char *body = sfu_kernel_source(name), *common = sfu_kernel_source("common");
    if (!body || !common)
        return NULL;
    char *options = options_of(q, extra);
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    const char *keyed[] = {common, body, options, q->info.name, q->info.platform, q->info.driver};
    for (guint i = 0; i < G_N_ELEMENTS(keyed); i++)
        g_checksum_update(sum, (const guchar *)keyed[i], (gssize)strlen(keyed[i]) + 1);
    char *file = g_strdup_printf("%s-%.20s.bin", name, g_checksum_get_string(sum));
    char *path = g_build_filename(sfu_cache_dir(q), file, NULL);
    g_checksum_free(sum);
    g_free(file);
    g_free(options);
    return path;
}

static cl_program program_get(SfuQueue *q, const char *name, const char *extra, GError **error)
{
    char *key = g_strjoin(" ", name, extra ? extra : "", NULL);
    cl_program p = g_hash_table_lookup(q->programs, key);
    if (p) {
        g_free(key);
        return p;
    }
    char *path = sfu_program_path(q, name, extra);
    if (!path) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_BUILD, _("there is no kernel source named %s"), name);
        g_free(key);
        return NULL;
    }
    char *options = options_of(q, extra);
    const gboolean pocl = q->info.vendor == SFU_VENDOR_POCL, marked = pocl && is_marked(path);
    p = pocl ? NULL : from_binary(q, path, options);
    if (!p && !marked && q->build_notify)
        q->build_notify(name, q->build_data);
    if (!p && (p = from_source(q, name, options, error)) && !marked) {
        if (pocl)
            cache_write(path, KEPT_BY_DRIVER, sizeof KEPT_BY_DRIVER);
        else
            save_binary(p, path);
    }
    g_free(path);
    g_free(options);
    if (p)
        g_hash_table_insert(q->programs, key, p);
    else
        g_free(key);
    return p;
}

gboolean sfu_program_build(SfuQueue *q, const char *name, const char *options, GError **error)
{
    return program_get(q, name, options, error) != NULL;
}

enum { DOES_NOT_COMPILE, COMPILES };

static int cannot_tell(GError **error, const char *name)
{
    g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_FAILED, "%s could not be compiled in a child process",
                name);
    return -1;
}

typedef struct {
    const char *program, *options;
} Probe;

#ifdef G_OS_UNIX
/* In a child, because a compiler that lacks an instruction may end the process. Other threads are not in the child:
 * where one held a lock at that moment the child may wait for it forever, which says nothing about the compiler. It
 * ends with this process, and by itself. */
static int compiles_in_child(SfuQueue *q, gconstpointer data, GError **error)
{
    enum { STEP_MS = 10, MOST_MS = 60000 };
    const Probe *probe = data;
    const pid_t parent = getpid();
    sfu_devices_lock();
    const pid_t child = fork();
    if (child != 0)
        sfu_devices_unlock();
    if (child < 0)
        return cannot_tell(error, probe->program);
    if (child == 0) {
#ifdef __linux__
        prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
        signal(SIGALRM, SIG_DFL);
        alarm(2 * MOST_MS / 1000);
        if (getppid() != parent)
            _exit(1);
        const int null = open("/dev/null", O_WRONLY); /* the compiler's last words are for nobody */
        dup2(null, 1);
        dup2(null, 2);
        const cl_program p = program_get(q, probe->program, probe->options, NULL);
        size_t n = 0; /* asking for the binary makes PoCL compile down to machine code */
        _exit(p && clGetProgramInfo(p, CL_PROGRAM_BINARY_SIZES, sizeof n, &n, NULL) == CL_SUCCESS && n > 0 ? 0 : 1);
    }
    int status = 1;
    for (int ms = 0; ms < MOST_MS; ms += STEP_MS) {
        const pid_t r = waitpid(child, &status, WNOHANG);
        if (r != 0)
            return r == child && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? COMPILES : DOES_NOT_COMPILE;
        g_usleep(STEP_MS * 1000);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return cannot_tell(error, probe->program);
}
#else
static int compiles_in_child(SfuQueue *q, gconstpointer data, GError **error)
{
    return DOES_NOT_COMPILE;
}
#endif

gboolean sfu_program_probe(SfuQueue *q, const char *name, const char *options)
{
    static const char *const answers[] = {"no", "yes", NULL};
    const char *const programs[] = {name, NULL};
    const Probe probe = {name, options};
    char *question = g_strdup_printf("compiles %s %s", name, options);
    const SfuQuestion asked = {.name = question, .programs = programs, .answers = answers, .if_died = -1};
    const int answer = sfu_tuning_ask(q, &asked, compiles_in_child, &probe, NULL);
    g_free(question);
    return answer == COMPILES;
}

cl_kernel sfu_program_kernel(SfuQueue *q, const char *program, const char *options, const char *kernel, GError **error)
{
    char *key = g_strjoin(" ", program, options ? options : "", kernel, NULL);
    cl_kernel k = g_hash_table_lookup(q->kernels, key);
    if (!k) {
        cl_program p = program_get(q, program, options, error);
        cl_int r = CL_SUCCESS;
        k = p ? clCreateKernel(p, kernel, &r) : NULL;
        if (p && r != CL_SUCCESS) {
            sfu_cl_fail(error, r, kernel);
            k = NULL;
        }
        if (k) {
            g_hash_table_insert(q->kernels, key, k);
            return k;
        }
    }
    g_free(key);
    return k;
}

void sfu_program_clear(SfuQueue *q)
{
    GHashTableIter it;
    gpointer value;
    g_hash_table_iter_init(&it, q->kernels);
    while (g_hash_table_iter_next(&it, NULL, &value))
        clReleaseKernel(value);
    g_hash_table_remove_all(q->kernels);
    g_hash_table_iter_init(&it, q->programs);
    while (g_hash_table_iter_next(&it, NULL, &value))
        clReleaseProgram(value);
    g_hash_table_remove_all(q->programs);
}
