#!/bin/sh
# Every string of the dialogs and of the table of parameters has its translation in every catalogue.
# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
echo 1..1
if out=$("$1" "$2" --check 2>&1); then
    echo "ok 1 - catalogues are complete"
else
    echo "not ok 1 - catalogues are complete"
    printf '%s\n' "$out" | sed 's/^/# /'
fi
