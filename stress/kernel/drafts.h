/* SPDX-License-Identifier: MIT */
#ifndef STRESS_KERNEL_DRAFTS_H
#define STRESS_KERNEL_DRAFTS_H

/*
 * A module of @nr random programs, in a file: drafted ones (program.h), in which
 * half of the maps may wait until a deadline, and time passes. So deadlines come
 * due together, and while others are in the middle of something. The same for
 * the same @seed. False: errno says why.
 */

#include <stdbool.h>
#include <stdint.h>

bool drafts_write(const char *path, unsigned int nr, uint64_t seed);

#endif
