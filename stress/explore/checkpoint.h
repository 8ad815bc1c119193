/* SPDX-License-Identifier: MIT */
#ifndef STRESS_EXPLORE_CHECKPOINT_H
#define STRESS_EXPLORE_CHECKPOINT_H

/* How far an exhaustive search has come, kept in a file. */

#include <stdbool.h>
#include <stdint.h>

struct certificate {
	/* What is searched. */
	uint64_t tasks;
	uint64_t ops;
	uint64_t preemptions;
	uint64_t pruning;
	/* What has been found so far. */
	uint64_t programs;
	uint64_t schedules;
	uint64_t steps;
	uint64_t states;
	uint64_t pruned;
	uint64_t deadlocks;
	uint64_t hash; /* of the outcomes, program by program */
};

/* Whole or not at all; false with a sentence on stderr. */
bool checkpoint_save(const char *path, const struct certificate *sums);

/*
 * Go on from @path, if it exists: fills the second part of @sums. False with a
 * sentence if the file is damaged or of another search; it is left alone.
 */
bool checkpoint_load(const char *path, struct certificate *sums);

#endif
