/* SPDX-License-Identifier: MIT */
#ifndef STRESS_KERNEL_PLACES_H
#define STRESS_KERNEL_PLACES_H

/*
 * One interrupt per run, and a run for each place it can come. In step.c the
 * first interrupt that meets an open state settles it, and those behind it
 * find nothing to disturb; here what can go wrong between two instructions
 * does go wrong in one of the runs.
 */

#include <stdbool.h>

struct scenario {
	unsigned int nr_slots;
	/* Spawned in this order; exactly one calls interrupted(), once. */
	void (*task[2])(void *unused);
	void (*intrude)(void *unused);
	/* The tasks take turns, instead of running in order of rank. */
	bool round_robin;
};

/* In a task: @body is what the interrupt comes into. */
void interrupted(void (*body)(void *arg), void *arg);

/* All runs of @scenario: NULL, or what went wrong in the first bad one. */
const char *try_every_place(const struct scenario *scenario);

#endif
