/* A preloaded library that lets a program, and the OpenCL compiler in it, see a lesser CPU than there is (Linux,
 * x86-64): CPUID faults, and what a handler answers lacks instructions. SFUMATO_SHOW_CPU is nehalem (SSE4.1), haswell
 * (AVX2, FMA, F16C), alderlake (with AVX-VNNI), skylake-avx512 (AVX-512), cascadelake (with VNNI) or cooperlake (with
 * BF16, too). Their code runs at full speed here, so that it can be timed; that it needs nothing else is what
 * tests/ops/run-qemu checks. Needs an Intel CPU that can fault (cpuid_fault).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { SET_CPUID = 0x1012 }; /* arch_prctl(2): ARCH_SET_CPUID; 0: CPUID faults */

enum {
    AVX2 = 1 << 0 | 1 << 3 | 1 << 5 | 1 << 8 | 1 << 9, /* leaf 7, EBX: with FSGSBASE, BMI1, BMI2, ERMS */
    AVX512_VNNI = 1 << 11,                             /* leaf 7, ECX */
    AVX_VNNI = 1 << 4,                                 /* leaf 7, sub-leaf 1, EAX */
    AVX512_BF16 = 1 << 5                               /* likewise */
};

/* Bits that stay: Intel SDM volume 2A, CPUID. */
static const struct Shown {
    const char *name;
    unsigned signature; /* leaf 1, EAX: family, model, stepping */
    unsigned leaf1_ecx, leaf7_ebx, leaf7_ecx, leaf7_1_eax;
    unsigned saved; /* leaf 13, EAX: what XSAVE saves */
} cpus[] = {
    {"nehalem", 0x106a5, ~(1u << 1 | 1u << 12 | 1u << 22 | 3u << 25 | 3u << 27 | 3u << 29), 0, 0, 0,
     0x3}, /* no PCLMUL, FMA, MOVBE, AES, XSAVE, AVX, F16C, RDRAND */
    {"haswell", 0x306c3, ~0u, AVX2, 0, 0, 0x7},
    {"alderlake", 0x90672, ~0u, AVX2, 0, AVX_VNNI, 0x7},
    {"skylake-avx512", 0x50654, ~0u, ~(1u << 21 | 1u << 29), 0, 0, 0xe7}, /* no IFMA, SHA */
    {"cascadelake", 0x50657, ~0u, ~(1u << 21 | 1u << 29), AVX512_VNNI, 0, 0xe7},
    {"cooperlake", 0x5065b, ~0u, ~(1u << 21 | 1u << 29), AVX512_VNNI, AVX512_BF16, 0xe7},
};
static const struct Shown *shown;

static void faulted(int signal_number, siginfo_t *info, void *context)
{
    greg_t *reg = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (memcmp((const void *)reg[REG_RIP], "\x0f\xa2", 2) != 0) { /* not CPUID: a fault of the program's own */
        signal(signal_number, SIG_DFL);
        return;
    }
    const unsigned leaf = (unsigned)reg[REG_RAX], sub = (unsigned)reg[REG_RCX];
    unsigned a, b, c, d;
    syscall(SYS_arch_prctl, SET_CPUID, 1);
    __cpuid_count(leaf, sub, a, b, c, d);
    syscall(SYS_arch_prctl, SET_CPUID, 0);
    if (leaf == 1) {
        a = shown->signature;
        c &= shown->leaf1_ecx;
    } else if (leaf == 7) {
        a = sub == 0 ? shown->leaf7_1_eax != 0 : sub == 1 ? a & shown->leaf7_1_eax : 0; /* 0: the last sub-leaf */
        b = sub == 0 ? b & shown->leaf7_ebx : 0;
        c = sub == 0 ? c & shown->leaf7_ecx : 0;
        d = 0;
    } else if (leaf == 13 && sub == 0) {
        a = shown->saved;
    }
    reg[REG_RAX] = a;
    reg[REG_RBX] = b;
    reg[REG_RCX] = c;
    reg[REG_RDX] = d;
    reg[REG_RIP] += 2;
}

__attribute__((constructor)) static void start(void)
{
    const char *name = getenv("SFUMATO_SHOW_CPU");
    for (size_t i = 0; name && i < sizeof cpus / sizeof *cpus; i++)
        if (strcmp(name, cpus[i].name) == 0)
            shown = &cpus[i];
    const struct sigaction action = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (!shown || sigaction(SIGSEGV, &action, NULL) != 0 || syscall(SYS_arch_prctl, SET_CPUID, 0) != 0) {
        fputs("lesser-cpu: SFUMATO_SHOW_CPU is unknown, or CPUID does not fault here\n", stderr);
        _exit(1);
    }
}
