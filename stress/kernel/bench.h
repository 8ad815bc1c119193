/* SPDX-License-Identifier: MIT */
#ifndef STRESS_KERNEL_BENCH_H
#define STRESS_KERNEL_BENCH_H

#include "core/port/conformance/conformance.h"

/* run=bench: one case, which prints "# bench:" lines. */
extern const struct conformance_case bench_case;

#endif
