/* Devices may be asked for by several threads at once: a dialog lists them, judges the machine and starts a run.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sfumato.h"

enum { N_THREADS = 8 };

static gpointer ask(gpointer data)
{
    GPtrArray *all = sfu_devices(NULL, NULL);
    const guint n = all ? all->len : 0;
    if (all)
        g_ptr_array_unref(all);
    return GUINT_TO_POINTER(n);
}

static void test_threads_get_the_same_devices(void)
{
    GThread *threads[N_THREADS];
    guint n[N_THREADS];
    for (int i = 0; i < N_THREADS; i++)
        threads[i] = g_thread_new("ask", ask, NULL);
    for (int i = 0; i < N_THREADS; i++)
        n[i] = GPOINTER_TO_UINT(g_thread_join(threads[i]));
    for (int i = 1; i < N_THREADS; i++)
        g_assert_cmpuint(n[i], ==, n[0]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/devices/threads-get-the-same", test_threads_get_the_same_devices);
    return g_test_run();
}
