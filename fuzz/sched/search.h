/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_SCHED_SEARCH_H
#define FUZZ_SCHED_SEARCH_H

/*
 * A mutation that runs what it mutates: some schedules at random
 * (stress/schedule/random_schedule.h), half of the time of a fresh program. What
 * comes out has the choices of the last one, or of the first that finds a bug.
 * From an empty corpus it takes libFuzzer long to build a program in which
 * several tasks have something to fight for; here it begins with one.
 */

#include "fuzz/sched/mutator.h"

/*
 * pre: program_can(program) == NULL, and @profile is of @program or of
 * one like it. Not reentrant.
 */
void sched_search(struct program *program, const struct sched_profile *profile,
		  uint64_t *seed);

#endif
