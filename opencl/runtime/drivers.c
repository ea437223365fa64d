/* OpenCL drivers that are registered and cannot be loaded. The loader passes over them in silence.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runtime/internal.h"
#include <dlfcn.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define DEFAULT_FOLDER "/etc/OpenCL/vendors"
#define MOST_BYTES 4096 /* of a path */

/* The sentence about one file (cl_khr_icd: a text file that holds the library's name). NULL: it can be loaded. */
static char *complaint(const char *file)
{
    char *text = NULL, *sentence = NULL;
    gsize n = 0;
    if (!g_str_has_suffix(file, ".icd") || !g_file_test(file, G_FILE_TEST_IS_REGULAR) ||
        !g_file_get_contents(file, &text, &n, NULL))
        return NULL;
    char *end = strpbrk(text, "\r\n");
    if (end)
        *end = 0;
    const char *library = g_strstrip(text);
    void *handle = *library && n < MOST_BYTES ? dlopen(library, RTLD_LAZY | RTLD_LOCAL) : NULL;
    if (handle)
        dlclose(handle);
    else if (*library && n < MOST_BYTES)
        sentence = g_strdup_printf(_("%s names a driver that cannot be loaded: %s"), file, dlerror());
    else
        sentence = g_strdup_printf(_("%s does not name a driver"), file);
    g_free(text);
    return sentence;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *sfu_drivers_broken(void)
{
    /* Khronos' loader and ocl-icd read these; ocl-icd takes a file, too. */
    const char *place = g_getenv("OCL_ICD_VENDORS");
    if (!place || !*place)
        place = DEFAULT_FOLDER;
    GDir *dir = g_dir_open(place, 0, NULL);
    if (!dir)
        return complaint(place);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    char *first = NULL;
    while ((name = g_dir_read_name(dir)))
        g_ptr_array_add(names, g_build_filename(place, name, NULL));
    g_dir_close(dir);
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len && !first; i++)
        first = complaint(names->pdata[i]);
    g_ptr_array_unref(names);
    return first;
}
