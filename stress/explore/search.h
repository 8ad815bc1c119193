/* SPDX-License-Identifier: MIT */
#ifndef STRESS_EXPLORE_SEARCH_H
#define STRESS_EXPLORE_SEARCH_H

/* What search.c and its strategies know about one search. */

#include "stress/explore/explore.h"
#include "stress/explore/visited.h"

#define MAX_DECISIONS 65536

/* One answer of a depth-first run. */
struct decision {
	uint8_t nr;
	uint8_t chosen;
	uint8_t spent;	 /* deviations before this one */
	uint32_t costly; /* options that are deviations, one bit for each */
	uint64_t state;	 /* where it was made; 0: nobody asked */
};

enum plan {
	PLAN_RANDOM,
	PLAN_PCT,
	PLAN_URW,
};

struct search {
	const struct program *program;
	const struct search_options *options;
	struct search_result *result;
	uint64_t *seed;

	/*
	 * Answers other than the default in this run. Past the most that a
	 * program holds all are the default: what is found can be replayed.
	 */
	unsigned int deviations;

	/* search_random.c: the plan of one run. */
	enum plan plan;
	unsigned int one_in[SIM_NR_QUESTIONS]; /* leave the default; 0: never */
	unsigned int length; /* PCT: steps that a run is thought to take */
	unsigned int priority[PROGRAM_MAX_TASKS + 1];
	uint32_t change_at[8];
	uint32_t accesses[PROGRAM_MAX_TASKS + 1]; /* URW: made in this run */
	uint32_t expected[PROGRAM_MAX_TASKS + 1]; /* URW: made in the last */

	/* search_dfs.c */
	struct decision decisions[MAX_DECISIONS];
	unsigned int nr_decisions;
	unsigned int at;    /* the next decision of this run */
	unsigned int bound; /* deviations allowed, or EXPLORE_UNBOUNDED */
	bool cut;	    /* this run came to a state that was seen before */
	bool looped;	    /* in this run itself; then it goes on, calm */
	bool over_bound;    /* some schedule was left out for its deviations */
	bool all_tried;	    /* none was left out, for any bound */
	struct visited *visited;
};

static inline bool may_deviate(const struct search *s)
{
	return s->deviations < PROGRAM_MAX_CHOICES;
}

/* ---- search_random.c --------------------------------------------------------- */

/* Draw a new plan for the next run. */
void random_plan(struct search *s, enum plan plan);

/* The last run is over; the next plan may learn from it. */
void random_learn(struct search *s);

/* struct controlled_options.choose and .event; arg is the search. */
unsigned int random_choose(void *arg, uint32_t step, enum sim_question question,
			   const uint8_t *options, unsigned int nr);
void random_event(void *arg, const struct sim_event *event);

/* ---- search_dfs.c -------------------------------------------------------------- */

/* Begin with the first schedule of those within @bound. */
void dfs_begin(struct search *s, unsigned int bound);

/* Before each run. */
void dfs_plan(struct search *s);

/* On to the next schedule in order; false when there is none. */
bool dfs_next(struct search *s);

unsigned int dfs_choose(void *arg, uint32_t step, enum sim_question question,
			const uint8_t *options, unsigned int nr);

#endif
