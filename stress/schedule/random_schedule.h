/* SPDX-License-Identifier: MIT */
#ifndef STRESS_SCHEDULE_RANDOM_SCHEDULE_H
#define STRESS_SCHEDULE_RANDOM_SCHEDULE_H

/*
 * Answers the questions of a controlled run by chance, after one of three
 * plans. The same seed gives the same answers.
 */

#include "stress/schedule/controlled.h"

enum plan {
	PLAN_RANDOM,
	PLAN_PCT,
	PLAN_URW,
	SCHEDULE_NR_PLANS
};

#define SCHEDULE_MAX_DEPTH 8
#define SCHEDULE_MAX_CHANGES 256

struct random_schedule {
	uint64_t *seed;
	enum plan plan;
	/*
	 * Answers other than the default in this run. Past the most that a
	 * program holds all are the default: what is found can be replayed.
	 */
	unsigned int deviations;
	unsigned int one_in[SIM_NR_QUESTIONS]; /* leave the default; 0: never */
	unsigned int length; /* PCT: steps that a run is thought to take */
	unsigned int depth;  /* PCT: one more than there are change points */
	unsigned int priority[PROGRAM_MAX_TASKS + 1];
	uint32_t change_at[SCHEDULE_MAX_DEPTH - 1];
	/* PCT: steps of this run, then of the last, that changed a word */
	uint32_t changes[SCHEDULE_MAX_CHANGES];
	unsigned int nr_changes;
	uint32_t accesses[PROGRAM_MAX_TASKS + 1]; /* URW: made in this run */
	uint32_t expected[PROGRAM_MAX_TASKS + 1]; /* URW: made in the last */
};

/* Nothing is known of a run yet. pre: 1 <= depth <= SCHEDULE_MAX_DEPTH. */
void random_begin(struct random_schedule *s, uint64_t *seed,
		  unsigned int depth);

/* Draw a new plan for the next run. */
void random_plan(struct random_schedule *s, enum plan plan);

/* The last run, of @steps, is over; the next plan may learn from it. */
void random_learn(struct random_schedule *s, uint32_t steps);

/*
 * struct controlled_options.choose and .event; arg is the schedule. The next
 * plan learns from the events.
 */
unsigned int random_choose(void *arg, uint32_t step, enum sim_question question,
			   const uint8_t *options, unsigned int nr);
void random_event(void *arg, const struct sim_event *event);

#endif
