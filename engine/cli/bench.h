/* `sfumato bench`. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_CLI_BENCH_H
#define SFU_CLI_BENCH_H

/* argv[0] is the name shown in messages. Returns the exit status: 0, 1 on an error, 2 on wrong use. */
int sfu_cli_bench(int argc, char **argv);

#endif
