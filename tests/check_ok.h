/* Asserts that a call succeeds: it returns TRUE (or a pointer), and sets no error. Within it, `ERR` is where its error
 * goes. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TESTS_CHECK_OK_H
#define SFU_TESTS_CHECK_OK_H

#include <glib.h>

#define CHECK_OK(call)                                                                                                 \
    G_STMT_START                                                                                                       \
    {                                                                                                                  \
        GError *error_ = NULL;                                                                                         \
        const gboolean ok_ = !!(call);                                                                                 \
        g_assert_no_error(error_);                                                                                     \
        g_assert_true(ok_);                                                                                            \
    }                                                                                                                  \
    G_STMT_END
#define ERR (&error_)

#endif
