"""Measures of pictures that need no learned network. Pictures are float32 [h, w, 3] in 0..255; masks [h, w] of 0, 1.

Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
"""

import cv2
import numpy as np


def psnr(a, b, mask=None):
    """Decibels at peak 255, over the mask's pixels only if one is given."""
    error = (a.astype(np.float64) - b) ** 2
    error = error.mean() if mask is None else error[mask > 0].mean()
    return float(10 * np.log10(255**2 / max(error, 1e-6)))


def ssim(a, b, mask=None):
    """Wang and others 2004 on luma, Gaussian window of sigma 1.5; the mean over the mask's pixels."""
    a, b = luma(a), luma(b)

    def blur(x):
        return cv2.GaussianBlur(x, (11, 11), 1.5)

    ma, mb = blur(a), blur(b)
    va, vb, vab = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    index = (2 * ma * mb + c1) * (2 * vab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
    return float(index.mean() if mask is None else index[mask > 0].mean())


def gmsd(a, b, mask=None):
    """Gradient magnitude similarity deviation, Xue and others 2014: 0 is equal. Luma at half size, Prewitt, c = 170."""

    def gradient(x):
        x = cv2.resize(luma(x), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        k = np.array([[1, 0, -1]] * 3, np.float32) / 3
        return np.hypot(cv2.filter2D(x, -1, k), cv2.filter2D(x, -1, k.T))

    ga, gb = gradient(a), gradient(b)
    similar = (2 * ga * gb + 170) / (ga * ga + gb * gb + 170)
    if mask is not None:
        similar = similar[cv2.resize(mask.astype(np.float32), similar.shape[::-1], interpolation=cv2.INTER_AREA) > 0]
    return float(similar.std())


def sliced_wasserstein(a, b, mask=None, size=7, n_patches=4000, n_directions=64):
    """Distance between the distributions of size x size RGB patches of a and b, centred in the mask, along random
    directions (mean of absolute differences of sorted projections): texture counts, its place does not."""
    rng = np.random.default_rng(7)
    h, w = a.shape[:2]
    r = size // 2
    inside = np.zeros((h, w), bool)
    inside[r : h - r, r : w - r] = True
    if mask is not None:
        inside &= mask > 0
    ys, xs = np.nonzero(inside)
    if len(ys) == 0:
        return float("nan")
    pick = rng.choice(len(ys), min(n_patches, len(ys)), replace=False)
    ys, xs = ys[pick], xs[pick]
    directions = rng.normal(size=(size * size * 3, n_directions))
    # half of the directions see no mean colour: else brightness would drown texture
    directions[:, ::2] -= directions[:, ::2].mean(axis=0)
    directions /= np.linalg.norm(directions, axis=0)

    def projections(x):
        patches = np.stack([x[ys + dy, xs + dx] for dy in range(-r, r + 1) for dx in range(-r, r + 1)], 1)
        return np.sort(patches.reshape(len(ys), -1) @ directions, axis=0)

    return float(np.abs(projections(a.astype(np.float64)) - projections(b.astype(np.float64))).mean())


def luma(x):
    return (x.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.float32)


ALL = {"PSNR": psnr, "SSIM": ssim, "GMSD": gmsd, "SWD": sliced_wasserstein}
BETTER = {"PSNR": "up", "SSIM": "up", "GMSD": "down", "SWD": "down"}
