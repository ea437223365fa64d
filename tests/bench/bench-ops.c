/* The op benchmarks of `sfumato bench` as a program of their own, without the engine.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/bench.h"

int main(int argc, char **argv)
{
    return sfu_cli_bench(argc, argv);
}
