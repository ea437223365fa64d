#!/usr/bin/env python3
"""Draw training logs as one SVG, with nothing but the standard library: plot.py OUT.svg STAGE.csv ...

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import csv
import sys
from pathlib import Path

W, H, MARGIN = 360, 220, 46
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")


def panel(path, x0):
    rows = list(csv.DictReader(open(path)))
    names = [k for k in rows[0] if k.startswith("test_") or k.endswith(("_gain", "_texture"))]
    minutes = [float(r["seconds"]) / 60 for r in rows]
    out = []
    for n, name in enumerate(names):
        values = [float(r[name]) for r in rows]
        low, high = min(values), max(values)
        span = (high - low) or 1.0
        points = " ".join(
            f"{x0 + MARGIN + (W - 2 * MARGIN) * m / (minutes[-1] or 1):.1f},"
            f"{H - MARGIN - (H - 2 * MARGIN) * (v - low) / span:.1f}"
            for m, v in zip(minutes, values)
        )
        out.append(f'<polyline fill="none" stroke="{COLOURS[n]}" stroke-width="1.5" points="{points}"/>')
        out.append(
            f'<text x="{x0 + MARGIN}" y="{16 + 13 * n}" fill="{COLOURS[n]}">'
            f"{name}: {values[0]:.4g} to {values[-1]:.4g}</text>"
        )
    out.append(
        f'<text x="{x0 + MARGIN}" y="{H - 14}">{Path(path).stem}: 0 to {minutes[-1]:.0f} minutes, '
        f'{rows[-1]["step"]} steps; each curve on its own scale</text>'
    )
    out.append(f'<path d="M{x0 + MARGIN} {MARGIN}V{H - MARGIN}H{x0 + W - MARGIN}" fill="none" stroke="#888"/>')
    return out


def main():
    out, logs = sys.argv[1], sys.argv[2:]
    body = [line for i, path in enumerate(logs) for line in panel(path, i * W)]
    Path(out).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{W * len(logs)}" height="{H}" '
        f'font-family="sans-serif" font-size="10">'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(body)}</svg>\n'
    )


if __name__ == "__main__":
    main()
