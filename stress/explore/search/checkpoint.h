/* SPDX-License-Identifier: MIT */
#ifndef STRESS_EXPLORE_SEARCH_CHECKPOINT_H
#define STRESS_EXPLORE_SEARCH_CHECKPOINT_H

/* How far an exhaustive search has come, kept in a file. */

#include <stdbool.h>
#include <stdint.h>

/* What has been found in the programs so far, from the first one on. */
struct certificate {
	uint64_t programs;
	uint64_t schedules;
	uint64_t steps;
	uint64_t states;
	uint64_t pruned;
	uint64_t loops;	    /* of the pruned: runs in a circle */
	uint64_t deadlocks; /* programs that can */
	uint64_t outcomes;  /* a hash, program by program */
};

/*
 * Whole or not at all; false with a sentence on stderr. @search says in one
 * line what is searched, and by which program.
 */
bool checkpoint_save(const char *path, const char *search,
		     const struct certificate *sums);

/* The same without a sentence, for who has said it before. */
bool checkpoint_try(const char *path, const char *search,
		    const struct certificate *sums);

/*
 * Go on from @path, if it exists: fills @sums. False with a sentence if the
 * file is damaged or of another search; it is left alone.
 */
bool checkpoint_load(const char *path, const char *search,
		     struct certificate *sums);

#endif
