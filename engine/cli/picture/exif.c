/* The one thing that is read from EXIF data: how the picture stands.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <string.h>

static guint32 number(const guint8 *p, int n, gboolean little)
{
    guint32 v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | p[little ? n - 1 - i : i];
    return v;
}

/* EXIF 2.32, 4.5 and 4.6: a TIFF header, then the first directory of 12-byte entries: tag, type, count, value. */
int sfu_exif_orientation(const guint8 *data, gsize n)
{
    if (n >= 6 && memcmp(data, "Exif\0\0", 6) == 0) {
        data += 6;
        n -= 6;
    }
    if (n < 14 || (memcmp(data, "II*\0", 4) != 0 && memcmp(data, "MM\0*", 4) != 0))
        return 1;
    const gboolean little = data[0] == 'I';
    const gsize at = number(data + 4, 4, little);
    if (at > n - 2)
        return 1;
    const guint32 n_entries = number(data + at, 2, little);
    for (guint32 i = 0; i < n_entries && at + 2 + 12 * ((gsize)i + 1) <= n; i++) {
        const guint8 *e = data + at + 2 + 12 * (gsize)i;
        if (number(e, 2, little) != 0x0112)
            continue;
        const guint32 type = number(e + 2, 2, little), v = number(e + 8, type == 4 ? 4 : 2, little);
        return (type == 3 || type == 4) && v >= 1 && v <= 8 ? (int)v : 1;
    }
    return 1;
}
