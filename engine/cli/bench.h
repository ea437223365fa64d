/* `sfumato bench`. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_CLI_BENCH_H
#define SFU_CLI_BENCH_H

/* What the columns mean; for --help and the man page. */
#define SFU_CLI_BENCH_ABOUT                                                                                            \
    "`sfumato bench` first measures the device's rate of multiply-adds and its copy bandwidth (bytes read plus "       \
    "bytes written). %peak is the share of that rate that an op reaches by its median time; for ops without products " \
    "it is the share of the bandwidth. %CPU is the same by CPU time, which other processes disturb less. %roof and "   \
    "%rCPU compare the op with the roofline, the least time that it can take: its operations divided by the rate, or " \
    "its bytes divided by the bandwidth, whichever is longer. Use these for ops that memory limits, such as "          \
    "convolutions from or to 3 or 4 channels."

/* argv[0] is the name shown in messages. Returns the exit status: 0, 1 on an error, 2 on wrong use. */
int sfu_cli_bench(int argc, char **argv);

#endif
