/* SPDX-License-Identifier: MIT */
#ifndef STRESS_EXPLORE_SEARCH_SEARCH_H
#define STRESS_EXPLORE_SEARCH_SEARCH_H

/* What search.c and its strategies know about one search. */

#include "stress/explore/explore.h"
#include "stress/explore/search/visited.h"
#include "stress/schedule/random_schedule.h"

#define MAX_DECISIONS 65536

/* One answer of a depth-first run. */
struct decision {
	uint8_t nr;
	uint8_t chosen;
	uint8_t spent;	 /* deviations before this one */
	uint32_t costly; /* options that are deviations, one bit for each */
	uint64_t state;	 /* where it was made; 0: nobody asked */
};

struct search {
	const struct program *program;
	const struct search_options *options;
	struct search_result *result;
	uint64_t *seed;

	struct random_schedule random;

	/* search/dfs.c */
	struct decision decisions[MAX_DECISIONS];
	unsigned int nr_decisions;
	unsigned int deviations; /* answers other than the default */
	unsigned int at;	 /* the next decision of this run */
	unsigned int bound;	 /* deviations allowed, or EXPLORE_UNBOUNDED */
	bool cut;	 /* this run came to a state that was seen before */
	bool looped;	 /* in this run itself; then it goes on, calm */
	bool over_bound; /* some schedule was left out for its deviations */
	bool all_tried;	 /* none was left out, for any bound */
	struct visited *visited;
};

/* ---- search/dfs.c -------------------------------------------------------------- */

/* Begin with the first schedule of those within @bound. */
void dfs_begin(struct search *s, unsigned int bound);

/* Before each run. */
void dfs_plan(struct search *s);

/* On to the next schedule in order; false when there is none. */
bool dfs_next(struct search *s);

unsigned int dfs_choose(void *arg, uint32_t step, enum sim_question question,
			const uint8_t *options, unsigned int nr);

#endif
