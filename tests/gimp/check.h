/* The tests inside GIMP, without the shell that a GIMP version wants round a plug-in.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TEST_CHECK_H
#define SFU_TEST_CHECK_H

#include "compat.h"

/* Runs the cases and writes TAP to `file`. what: "all", "third" (of the matrix), "quick" (without it), "fail-device" ... Returns how many passed. */
int check_run(const char *file, const char *what);

#endif
