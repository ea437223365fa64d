/* Compiling ahead. PoCL compiles one kernel at a time in a process, when the kernel is first launched. Therefore
 * rehearsals note what a network will launch, and helpers, processes of their own (compile.c), compile it from the last
 * kernel on, so that the drivers' cache or ours has it when the job comes to it. The job shares only those caches and
 * files with its helpers and never waits for them: what it comes to first it compiles itself.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runtime/ahead.h"
#ifdef G_OS_UNIX
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

enum {
    MOST_LINES = 512,
    MOST_HELPERS = 7,
    LARGE_GRID = 65536 /* groups; PoCL compiles kernels for larger ones apart */
};

struct SfuAhead {
    GPtrArray *lines;           /* char*, in the order of their first launch */
    GHashTable *keys;           /* set of char*: what is in `lines`, and what earlier jobs have run */
    GPid helpers[MOST_HELPERS]; /* the first n_helpers */
    int n_helpers;
    gboolean started;   /* this job has begun to run: its rehearsals are over */
    GHashTable *helped; /* keys that the helpers have from an earlier job; NULL: none */
};

/* ---- lines ---- */

/* Caller frees. NULL: this is not compiled ahead. */
static char *key_of(const SfuQueue *q, const SfuLaunch *l, const SfuArg *args, int n_args)
{
    static const char kinds[] = {
        [SFU_ARG_TENSOR] = 't', [SFU_ARG_INT] = 'i', [SFU_ARG_FLOAT] = 'f', [SFU_ARG_LOCAL] = 's'};
    const char *options = l->options ? l->options : "";
    if (q->info.vendor != SFU_VENDOR_POCL)
        return g_strdup_printf("%s\t%s", l->program, options);
    const size_t *group = sfu_launch_group(q, l->local);
    if (!q->info.is_cpu || q->info.is_remote) /* the buffers would cross the network */
        return NULL;
    for (int i = 0; i < 3; i++)
        if (l->global[i] / group[i] >= LARGE_GRID)
            return NULL;
    GString *key = g_string_new(NULL);
    g_string_printf(key, "%s\t%s\t%s\t%zu %zu %zu\t", l->program, options, l->kernel, group[0], group[1], group[2]);
    for (int i = 0; i < n_args; i++)
        g_string_append_c(key, kinds[args[i].kind]);
    return g_string_free(key, FALSE);
}

static void append_value(GString *s, const SfuArg *a)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    switch (a->kind) {
    case SFU_ARG_TENSOR:
        if (a->v.t)
            g_string_append_printf(s, "%zu %zu ", a->v.t->buffer->bytes, a->v.t->offset);
        else
            g_string_append(s, "- 0 ");
        break;
    case SFU_ARG_INT:
        g_string_append_printf(s, "%d ", a->v.i);
        break;
    case SFU_ARG_FLOAT:
        g_string_append_printf(s, "%s ", g_ascii_dtostr(number, sizeof number, (double)a->v.f));
        break;
    case SFU_ARG_LOCAL:
        g_string_append_printf(s, "%zu ", a->v.bytes);
        break;
    }
}

static GHashTable *keys_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void sfu_ahead_note(SfuQueue *q, const SfuLaunch *l, const SfuArg *args, int n_args)
{
    if (!q->ahead) {
        q->ahead = g_new0(SfuAhead, 1);
        q->ahead->lines = g_ptr_array_new_with_free_func(g_free);
        q->ahead->keys = keys_new();
    }
    SfuAhead *a = q->ahead;
    char *key = a->started || a->lines->len >= MOST_LINES ? NULL : key_of(q, l, args, n_args);
    if (!key || g_hash_table_contains(a->keys, key)) {
        g_free(key);
        return;
    }
    GString *line = g_string_new(key);
    if (q->info.vendor == SFU_VENDOR_POCL) {
        g_string_append_c(line, '\t');
        for (int i = 0; i < n_args; i++)
            append_value(line, &args[i]);
    }
    g_ptr_array_add(a->lines, g_string_free(line, FALSE));
    g_hash_table_add(a->keys, key);
}

/* The file that says that a line has been compiled. NULL: its program has no source. Caller frees. */
static char *mark_of(SfuQueue *q, const char *line)
{
    char **field = g_strsplit(line, "\t", SFU_LINE_FIELDS);
    char *program = sfu_program_path(q, field[SFU_LINE_PROGRAM], field[SFU_LINE_OPTIONS]), *mark = program;
    if (program && field[SFU_LINE_KERNEL]) {
        char *kernel = g_strjoin("\t", field[SFU_LINE_KERNEL], field[SFU_LINE_GROUP], field[SFU_LINE_KINDS], NULL),
             *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, kernel, -1);
        mark = g_strdup_printf("%s.%.16s", program, sum);
        g_free(program);
        g_free(kernel);
        g_free(sum);
    }
    g_strfreev(field);
    return mark;
}

/* A driver that compiles programs leaves the mark itself: its binary. One that cannot be written is missed by nobody.
 */
static void set_marks(SfuQueue *q)
{
    for (guint i = 0; q->info.vendor == SFU_VENDOR_POCL && i < q->ahead->lines->len; i++) {
        char *mark = mark_of(q, g_ptr_array_index(q->ahead->lines, i));
        if (mark && !g_file_test(mark, G_FILE_TEST_EXISTS))
            (void)g_file_set_contents(mark, "", 0, NULL);
        g_free(mark);
    }
}

/* ---- helpers ---- */

#ifdef G_OS_UNIX
/* In SFUMATO_COMPILE (empty: none), beside the running program, where the build makes it, or where it is installed.
 * NULL: nowhere. Caller frees. */
static char *find_helper(void)
{
    const char *named = g_getenv("SFUMATO_COMPILE");
    if (named)
        return *named ? g_strdup(named) : NULL;
    char *self = g_file_read_link("/proc/self/exe", NULL), *folder = g_path_get_dirname(self ? self : ".");
    char *places[] = {self ? g_build_filename(folder, "sfumato-compile", NULL) : NULL,
                      self ? g_build_filename(folder, "..", "..", "opencl", "sfumato-compile", NULL) : NULL,
                      g_build_filename(SFU_LIBEXECDIR, "sfumato-compile", NULL)};
    char *found = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        if (!found && places[i] && g_file_test(places[i], G_FILE_TEST_IS_EXECUTABLE))
            found = g_steal_pointer(&places[i]);
        g_free(places[i]);
    }
    g_free(self);
    g_free(folder);
    return found;
}

/* The lines that nobody has compiled yet, in their order. Caller frees. */
static GPtrArray *lines_to_compile(SfuQueue *q)
{
    GPtrArray *all = g_ptr_array_new();
    for (guint i = 0; i < q->ahead->lines->len; i++) {
        char *line = g_ptr_array_index(q->ahead->lines, i), *mark = mark_of(q, line);
        if (mark && !g_file_test(mark, G_FILE_TEST_EXISTS))
            g_ptr_array_add(all, line);
        g_free(mark);
    }
    return all;
}

/* An open file without a name that holds every step-th line before `end`, the last one first. -1: there can be none. */
static int file_of(const GPtrArray *lines, int end, int step)
{
    GString *text = g_string_new(NULL);
    char *path = NULL;
    for (int i = end - 1; i >= 0; i -= step)
        g_string_append_printf(text, "%s\n", (const char *)g_ptr_array_index(lines, i));
    int fd = g_file_open_tmp("sfumato-XXXXXX", &path, NULL);
    if (fd >= 0) {
        (void)g_unlink(path);
        if (write(fd, text->str, text->len) != (gssize)text->len || lseek(fd, 0, SEEK_SET) != 0) {
            close(fd);
            fd = -1;
        }
    }
    g_free(path);
    g_string_free(text, TRUE);
    return fd;
}

static void start_helper(SfuQueue *q, char *program, int lines)
{
    SfuAhead *a = q->ahead;
    char device[16], family[16], parent[16];
    g_snprintf(device, sizeof device, "%d", q->info.index);
    g_snprintf(family, sizeof family, "%d", (int)q->family);
    g_snprintf(parent, sizeof parent, "%d", (int)getpid());
    char *argv[] = {program, device, family, parent, NULL};
    const GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL;
    if (g_spawn_async_with_fds(NULL, argv, NULL, flags, NULL, NULL, &a->helpers[a->n_helpers], lines, -1, -1, NULL))
        a->n_helpers++;
}

static void end_helpers(SfuAhead *a)
{
    for (int i = 0; i < a->n_helpers; i++)
        kill(a->helpers[i], SIGKILL); /* its files are made by rename */
    for (int i = 0; i < a->n_helpers; i++)
        while (waitpid(a->helpers[i], NULL, 0) < 0 && errno == EINTR)
            ;
    a->n_helpers = 0;
    g_clear_pointer(&a->helped, g_hash_table_unref);
}

/* Whether the helpers of an earlier job are at work on everything that this one will launch. */
static gboolean are_helped(const SfuAhead *a)
{
    GHashTableIter i;
    gpointer key;
    g_hash_table_iter_init(&i, a->keys);
    while (a->helped && g_hash_table_iter_next(&i, &key, NULL))
        if (!g_hash_table_contains(a->helped, key))
            return FALSE;
    return a->helped != NULL;
}

void sfu_queue_compile_ahead(SfuQueue *q, gboolean idle)
{
    if (!q->ahead || q->ahead->started)
        return;
    if (are_helped(q->ahead)) {
        q->ahead->started = TRUE;
        return;
    }
    end_helpers(q->ahead);
    GPtrArray *lines = lines_to_compile(q);
    const int own = idle ? 0 : 1; /* a process that runs its job compiles, too */
    const int n = MIN(MIN((int)lines->len, (int)g_get_num_processors()) - own, MOST_HELPERS);
    char *program = n > 0 ? find_helper() : NULL;
    for (int i = 0; program && i < n; i++) {
        const int fd = file_of(lines, (int)lines->len - i, n);
        if (fd < 0)
            break;
        start_helper(q, program, fd);
        close(fd);
    }
    g_free(program);
    g_ptr_array_unref(lines);
    q->ahead->started = q->ahead->n_helpers > 0;
}
#else
static void end_helpers(SfuAhead *a)
{
}

void sfu_queue_compile_ahead(SfuQueue *q, gboolean idle)
{
}
#endif

void sfu_queue_compile_ahead_end(SfuQueue *q, gboolean has_run)
{
    if (!q->ahead)
        return;
    end_helpers(q->ahead);
    if (has_run)
        set_marks(q);
    else
        g_hash_table_remove_all(q->ahead->keys);
    g_ptr_array_set_size(q->ahead->lines, 0);
    q->ahead->started = FALSE;
}

void sfu_queue_compile_ahead_keep(SfuQueue *q)
{
    SfuAhead *a = q->ahead;
    if (!a)
        return;
    if (a->n_helpers) {
        g_clear_pointer(&a->helped, g_hash_table_unref);
        a->helped = g_steal_pointer(&a->keys);
        a->keys = keys_new();
    } else {
        g_hash_table_remove_all(a->keys);
    }
    g_ptr_array_set_size(a->lines, 0);
    a->started = FALSE;
}

void sfu_ahead_free(SfuQueue *q)
{
    if (!q->ahead)
        return;
    sfu_queue_compile_ahead_end(q, FALSE);
    g_ptr_array_unref(q->ahead->lines);
    g_hash_table_unref(q->ahead->keys);
    g_clear_pointer(&q->ahead, g_free);
}
