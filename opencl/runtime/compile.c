/* sfumato-compile DEVICE FAMILY PARENT: a helper of the runtime (ahead.c), which compiles the kernels of its standard
 * input into the caches. It ends with its work, with its parent, or after MOST_SECONDS.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runtime/ahead.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { MOST_SECONDS = 120, MOST_TENSORS = 32 };

/* PoCL compiles a kernel when it is launched. So one work-group is launched, with the arguments of the job and buffers
 * of its sizes. They hold zeros, since a kernel may take them for indices, and take memory only where they are written.
 */
typedef struct {
    SfuQueue *q;
    cl_kernel kernel;
    cl_uint at; /* the next argument */
    int n_tensors;
    struct {
        void *memory;
        size_t bytes;
        cl_mem buffer; /* NULL: it could not be made */
    } tensors[MOST_TENSORS];
} Trial;

static char *next_word(char **at)
{
    char *word = *at;
    const size_t n = strcspn(word, " ");
    *at = word + n + (word[n] != 0);
    word[n] = 0;
    return word;
}

static cl_int set_tensor(Trial *t, const char *bytes, const char *offset)
{
    const cl_int at = atoi(offset);
    cl_mem buffer = NULL;
    if (strcmp(bytes, "-") != 0) {
        const size_t n = g_ascii_strtoull(bytes, NULL, 10);
        void *p = n && t->n_tensors < MOST_TENSORS
                      ? mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                      : MAP_FAILED;
        cl_int r = CL_OUT_OF_HOST_MEMORY;
        if (p == MAP_FAILED)
            return r;
        buffer = clCreateBuffer(t->q->context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, n, p, &r);
        t->tensors[t->n_tensors].memory = p;
        t->tensors[t->n_tensors].bytes = n;
        t->tensors[t->n_tensors++].buffer = buffer;
        if (r != CL_SUCCESS)
            return r;
    }
    const cl_int r = clSetKernelArg(t->kernel, t->at++, sizeof buffer, buffer ? &buffer : NULL);
    return r == CL_SUCCESS ? clSetKernelArg(t->kernel, t->at++, sizeof at, &at) : r;
}

static cl_int set_argument(Trial *t, char kind, char **values)
{
    const char *word = next_word(values);
    const cl_int i = (cl_int)g_ascii_strtoll(word, NULL, 10);
    const cl_float f = (cl_float)g_ascii_strtod(word, NULL);
    switch (kind) {
    case 't':
        return set_tensor(t, word, next_word(values));
    case 'i':
        return clSetKernelArg(t->kernel, t->at++, sizeof i, &i);
    case 'f':
        return clSetKernelArg(t->kernel, t->at++, sizeof f, &f);
    default:
        return clSetKernelArg(t->kernel, t->at++, (size_t)g_ascii_strtoull(word, NULL, 10), NULL);
    }
}

static void launch_one_group(SfuQueue *q, char **field)
{
    Trial t = {.q = q};
    size_t group[3];
    char *sides = field[SFU_LINE_GROUP], *values = field[SFU_LINE_VALUES];
    t.kernel = sfu_program_kernel(q, field[SFU_LINE_PROGRAM], field[SFU_LINE_OPTIONS], field[SFU_LINE_KERNEL], NULL);
    for (int i = 0; i < 3; i++) {
        const guint64 side = g_ascii_strtoull(next_word(&sides), NULL, 10); /* MAX() would take two words */
        group[i] = MAX(1, (size_t)side);
    }
    cl_int r = t.kernel ? CL_SUCCESS : CL_INVALID_KERNEL;
    for (const char *kind = field[SFU_LINE_KINDS]; *kind && r == CL_SUCCESS; kind++)
        r = set_argument(&t, *kind, &values);
    if (r == CL_SUCCESS)
        r = clEnqueueNDRangeKernel(q->queue, t.kernel, 3, NULL, group, group, 0, NULL, NULL);
    if (r == CL_SUCCESS)
        clFinish(q->queue);
    for (int i = 0; i < t.n_tensors; i++) {
        if (t.tensors[i].buffer)
            clReleaseMemObject(t.tensors[i].buffer);
        munmap(t.tensors[i].memory, t.tensors[i].bytes);
    }
}

static void compile_line(SfuQueue *q, const char *line)
{
    char **field = g_strsplit(line, "\t", SFU_LINE_FIELDS);
    if (field[SFU_LINE_KERNEL])
        launch_one_group(q, field);
    else
        (void)sfu_program_build(q, field[SFU_LINE_PROGRAM], field[SFU_LINE_OPTIONS], NULL);
    g_strfreev(field);
}

int main(int argc, char **argv)
{
    char *text = NULL;
    gsize n = 0;
    if (argc != 4)
        return 1;
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody waits for the rest */
#endif
    signal(SIGALRM, SIG_DFL);
    alarm(MOST_SECONDS);
    const SfuQueueOptions options = {.device = argv[1], .kernels = (SfuKernels)atoi(argv[2])};
    SfuQueue *q = sfu_queue_create(&options, NULL);
    GIOChannel *in = g_io_channel_unix_new(STDIN_FILENO);
    if (!q || g_io_channel_read_to_end(in, &text, &n, NULL) != G_IO_STATUS_NORMAL)
        _exit(1);
    char **lines = g_strsplit(text, "\n", -1);
    for (int i = 0; lines[i] && *lines[i] && getppid() == atoi(argv[3]); i++)
        compile_line(q, lines[i]);
    _exit(0); /* at once: to take the driver down takes time, and this process holds nothing else */
}
