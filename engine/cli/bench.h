/* `sfumato bench`. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_CLI_BENCH_H
#define SFU_CLI_BENCH_H

/* What the columns mean; for --help and the man page. */
#define SFU_CLI_BENCH_ABOUT                                                                                            \
    "First the device's rate of multiply-adds and its copy bandwidth (bytes read plus written) are measured. %peak "   \
    "is the share of that rate, "                                                                                      \
    "for ops without products of the bandwidth, by the median time; %CPU is the same by CPU time, which other "        \
    "processes disturb less. %roof and "                                                                               \
    "%rCPU are shares of the roofline, by the median and by CPU time: the least time is the longer of operations "     \
    "over the rate and bytes over the "                                                                                \
    "bandwidth, and counts where an op has so few operations a byte that memory is the limit (convolutions from or "   \
    "to 3 or 4 channels)."

/* argv[0] is the name shown in messages. Returns the exit status: 0, 1 on an error, 2 on wrong use. */
int sfu_cli_bench(int argc, char **argv);

#endif
