/* Styles as A1111's styles.csv keeps them.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include "params/styles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *problem;
    g_assert_cmpuint(sfu_styles_count((const char *)data, size, &problem), <=, size + 1);
    return 0;
}
