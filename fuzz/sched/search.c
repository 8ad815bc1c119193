/* SPDX-License-Identifier: MIT */
#include "fuzz/sched/search.h"

#include <string.h>

#include "core/build/prng.h"
#include "fuzz/fuzz_program.h"
#include "stress/schedule/random_schedule.h"

/* Schedules for one mutation; of a fresh program nothing is known yet. */
#define MOST_TRIES 4
#define FRESH_FACTOR 4

/* Interrupts, and each other class one time in four. */
static uint32_t draw_faults(uint64_t *seed)
{
	uint32_t faults = FAULT_IRQ;

	for (unsigned int i = 0; i < CONTROLLED_NR_FAULTS; i++)
		if (prng_below(seed, 4) == 0)
			faults |= 1U << i;
	return faults;
}

/* PCT: half of the changes are where tasks meet at a word. */
static void change_where_hot(struct random_schedule *schedule,
			     const struct sched_profile *profile)
{
	for (unsigned int i = 0; i + 1 < schedule->depth; i++) {
		unsigned int at;

		if (profile->nr_hot == 0 || prng_below(schedule->seed, 2) == 0)
			continue;
		at = prng_below(schedule->seed, profile->nr_hot);
		schedule->change_at[i] = profile->hot[at].step;
	}
}

/* @profile: NULL if there is none. The last run's choices are the program's. */
static void search(struct program *program, const struct sched_profile *profile,
		   unsigned int tries, uint64_t *seed)
{
	static struct controlled_result result;
	static struct random_schedule schedule;
	const struct controlled_options options = {
		.choose = random_choose,
		.event = random_event,
		.arg = &schedule,
		.look = fuzz_look(),
		.faults = draw_faults(seed),
	};

	random_begin(&schedule, seed,
		     2 + prng_below(seed, SCHEDULE_MAX_DEPTH / 2));
	if (profile)
		random_learn(&schedule, profile->steps);
	do {
		random_plan(&schedule,
			    (enum plan)prng_below(seed, SCHEDULE_NR_PLANS));
		if (profile)
			change_where_hot(&schedule, profile);
		controlled_run(program, &options, &result);
		random_learn(&schedule, result.steps);
	} while (result.exec.verdict != EXEC_BUG && --tries > 0);
	program->nr_choices = result.nr_choices;
	memcpy(program->choices, result.choices,
	       result.nr_choices * sizeof(result.choices[0]));
}

void sched_search(struct program *program, const struct sched_profile *profile,
		  uint64_t *seed)
{
	unsigned int tries = 1 + prng_below(seed, MOST_TRIES);

	if (prng_below(seed, 2) == 0) {
		search(program, profile, tries, seed);
		return;
	}
	if (prng_below(seed, 2))
		program_generate_small(program, seed);
	else
		program_draft(program, 2 + prng_below(seed, 3),
			      4 + prng_below(seed, 9), seed);
	search(program, NULL, FRESH_FACTOR * tries, seed);
}
