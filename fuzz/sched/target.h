/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_SCHED_TARGET_H
#define FUZZ_SCHED_TARGET_H

/*
 * From bytes to programs and back, for a target whose input is a program with
 * its choices. Remembers the profile of the input that ran last, because
 * libFuzzer mostly mutates that one. Not reentrant.
 */

#include <stddef.h>
#include <stdint.h>

/* Longer programs take long and are for the sequential targets. */
#define SCHED_LONGEST 64

/* What LLVMFuzzerTestOneInput() returns; prints and aborts if it finds a bug. */
int sched_target_run(const uint8_t *data, size_t size);

/*
 * One to a few changes. Returns the new size, or 0 if that is libFuzzer's own
 * mutator's turn: the input is no program, or it is time for something wild.
 */
size_t sched_target_mutate(uint8_t *data, size_t size, size_t max_size,
			   unsigned int seed);

/* Returns the size of the child, or 0 for none: most of the time. */
size_t sched_target_cross_over(const uint8_t *data, size_t size,
			       const uint8_t *other_data, size_t other_size,
			       uint8_t *out, size_t max_size,
			       unsigned int seed);

#endif
