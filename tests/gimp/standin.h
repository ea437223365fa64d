/* What a test that is linked with the stand-in may change of it.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TEST_STANDIN_H
#define SFU_TEST_STANDIN_H

#include "sfumato.h"

/* Called where the engine would read the models' folders, in the thread that reads them. NULL: reading takes no time.
 */
extern void (*standin_look)(void);
extern int standin_n_prepared; /* atomic; how often an engine was to get ready for a job, each time for a step's time */

#endif
