/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_SCHED_RUN_H
#define FUZZ_SCHED_RUN_H

/*
 * Runs a program on the sim under control, all faults offered and its own
 * choices played; takes the profile that the mutator needs, and tells libFuzzer
 * which accesses of different tasks met.
 */

#include "fuzz/sched/mutator.h"
#include "stress/schedule/controlled.h"

/* pre: program_can(program) == NULL. Not reentrant. */
void sched_run(const struct program *program, struct sched_profile *profile,
	       struct controlled_result *result);

/* NULL, or what is wrong with the run, in one sentence. */
const char *sched_verdict(const struct controlled_result *result);

#endif
