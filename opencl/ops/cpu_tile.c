/* The register tile of the CPU family.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"

/* Vectors of 16 have 32 registers (AVX-512); those of 8, and of 4 on x86, 16 of them; those of 4 elsewhere 32 (NEON).
 */
SfuCpuTile sfu_cpu_tile(int width, int n_panels)
{
    if (width == 16) /* two panels side by side where there are two: fewer values are broadcast and widened a product */
        return n_panels % 2 == 0 ? (SfuCpuTile){16, 6, 64} : (SfuCpuTile){16, 12, 32};
#if defined(__x86_64__) || defined(__i386__)
    if (width == 4)
        return (SfuCpuTile){4, 3, 16};
#endif
    return (SfuCpuTile){width, 6, 16};
}
