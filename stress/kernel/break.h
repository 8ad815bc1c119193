/* SPDX-License-Identifier: MIT */
#ifndef STRESS_KERNEL_BREAK_H
#define STRESS_KERNEL_BREAK_H

/* Ways to go wrong on purpose, to see that the host notices each. */

#include "core/port/conformance/conformance.h"

/* The case that breaks as @kind says; NULL for a kind that there is not. */
const struct conformance_case *break_case(const char *kind);

#endif
