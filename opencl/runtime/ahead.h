/* What a job tells its helpers: lines of text on their standard input, one a kernel (or, for drivers that compile a
 * whole program at once, one a program). Fields end with tabs. A line without its values is its key: what is compiled
 * at once.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_RUNTIME_AHEAD_H
#define SFU_RUNTIME_AHEAD_H

#include "runtime/internal.h"

enum {
    SFU_LINE_PROGRAM,
    SFU_LINE_OPTIONS,
    SFU_LINE_KERNEL, /* this and what follows: PoCL only */
    SFU_LINE_GROUP,  /* three numbers */
    SFU_LINE_KINDS,  /* a letter an argument: t(ensor), i(nt), f(loat), s (bytes of local memory), l(ong) */
    SFU_LINE_VALUES, /* a number an argument; of a tensor two, its buffer's bytes ("-": NULL) and its offset */
    SFU_LINE_FIELDS
};

#endif
