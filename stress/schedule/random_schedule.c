/* SPDX-License-Identifier: MIT */
#include "stress/schedule/random_schedule.h"

#include <string.h>

#include "core/build/prng.h"

static bool is_who(enum sim_question question)
{
	return question == SIM_WHO || question == SIM_NEXT;
}

static unsigned int task_of(uint8_t option)
{
	return option & ~(SIM_TIMEOUT | SIM_SPURIOUS);
}

/* ---- Random ------------------------------------------------------------------- */

/*
 * Swarm: each run has its own appetite for switches, interrupts and delays, so
 * that some runs switch all the time and some once.
 */
static void draw_appetites(struct random_schedule *s)
{
	static const unsigned int appetite[] = { 2, 4, 8, 16, 32, 64, 128 };
	static const uint8_t optional[] = {
		SIM_IRQ,   SIM_HOLD, SIM_CANCEL, SIM_MIGRATE,
		SIM_DELAY, SIM_DROP, SIM_ALLOC,	 SIM_HOTPLUG,
	};
	const unsigned int nr = sizeof(appetite) / sizeof(appetite[0]);

	for (unsigned int q = 0; q < SIM_NR_QUESTIONS; q++)
		s->one_in[q] = appetite[prng_below(s->seed, nr)];
	s->one_in[SIM_NEXT] = 2;
	for (unsigned int i = 0; i < sizeof(optional); i++)
		if (prng_below(s->seed, 3) == 0)
			s->one_in[optional[i]] = 0;
}

static unsigned int choose_random(struct random_schedule *s,
				  enum sim_question question, unsigned int nr)
{
	unsigned int one_in = s->one_in[question];

	if (one_in == 0 || prng_below(s->seed, one_in) != 0)
		return 0;
	return prng_below(s->seed, nr);
}

/* ---- PCT (Burckhardt and others, ASPLOS 2010) ----------------------------------- */

/*
 * Half of the change points are where the last run had just changed a word that
 * others look at: there a task is in the middle of something.
 */
static uint32_t draw_change(const struct random_schedule *s)
{
	if (s->nr_changes > 0 && prng_below(s->seed, 2))
		return s->changes[prng_below(s->seed, s->nr_changes)] + 1;
	return 1 + prng_below(s->seed, s->length);
}

static void draw_priorities(struct random_schedule *s)
{
	for (unsigned int t = 0; t <= PROGRAM_MAX_TASKS; t++)
		s->priority[t] = 100 + prng_below(s->seed, 1000);
	for (unsigned int i = 0; i + 1 < s->depth; i++)
		s->change_at[i] = draw_change(s);
}

static bool is_change(enum sim_access access)
{
	return access == SIM_STORE || access == SIM_CAS || access == SIM_ADD ||
	       access == SIM_EXCHANGE || access == SIM_PTE_SET ||
	       access == SIM_PTE_CLEAR;
}

/* The runnable task of the highest priority; at a change point it drops. */
static unsigned int choose_by_priority(struct random_schedule *s, uint32_t step,
				       const uint8_t *options, unsigned int nr)
{
	unsigned int best = 0;

	for (unsigned int i = 0; i + 1 < s->depth; i++)
		if (s->change_at[i] == step)
			s->priority[task_of(options[0])] = i + 1;
	for (unsigned int i = 1; i < nr; i++)
		if (options[i] == task_of(options[i]) &&
		    s->priority[options[i]] >
			    s->priority[task_of(options[best])])
			best = i;
	return best;
}

/* ---- URW (Zhao and others, ASPLOS 2025) ------------------------------------------ */

/*
 * Every interleaving as likely as any other, or nearly: a task runs on with the
 * probability of the accesses that it still has to make, as the last run had
 * them. A task of which nothing is known any more counts as one access.
 */
static unsigned int left_to_do(const struct random_schedule *s, uint8_t option)
{
	unsigned int task = task_of(option);

	return s->expected[task] > s->accesses[task]
		       ? s->expected[task] - s->accesses[task]
		       : 1;
}

static unsigned int choose_uniformly(struct random_schedule *s,
				     const uint8_t *options, unsigned int nr)
{
	unsigned int sum = 0;
	unsigned int drawn;

	for (unsigned int i = 0; i < nr; i++)
		sum += left_to_do(s, options[i]);
	drawn = prng_below(s->seed, sum);
	for (unsigned int i = 0; i < nr; i++) {
		if (drawn < left_to_do(s, options[i]))
			return i;
		drawn -= left_to_do(s, options[i]);
	}
	return 0;
}

/* ---- All ------------------------------------------------------------------------- */

void random_begin(struct random_schedule *s, uint64_t *seed, unsigned int depth)
{
	memset(s, 0, sizeof(*s));
	s->seed = seed;
	s->depth = depth;
	s->length = 100;
}

void random_plan(struct random_schedule *s, enum plan plan)
{
	s->plan = plan;
	s->deviations = 0;
	draw_appetites(s);
	if (plan == PLAN_PCT)
		draw_priorities(s);
	for (unsigned int t = 0; t <= PROGRAM_MAX_TASKS; t++)
		s->accesses[t] = 0;
	s->nr_changes = 0;
}

void random_learn(struct random_schedule *s, uint32_t steps)
{
	s->length = steps > 1 ? steps : 2;
	for (unsigned int t = 0; t <= PROGRAM_MAX_TASKS; t++)
		s->expected[t] = s->accesses[t];
}

void random_event(void *arg, const struct sim_event *event)
{
	struct random_schedule *s = arg;

	if (event->task <= PROGRAM_MAX_TASKS)
		s->accesses[event->task]++;
	if (is_change(event->access) && s->nr_changes < SCHEDULE_MAX_CHANGES)
		s->changes[s->nr_changes++] = event->step;
}

static unsigned int draw(struct random_schedule *s, uint32_t step,
			 enum sim_question question, const uint8_t *options,
			 unsigned int nr)
{
	if (s->plan == PLAN_RANDOM || !is_who(question))
		return choose_random(s, question, nr);
	if (options[nr - 1] != task_of(options[nr - 1]) &&
	    prng_below(s->seed, 64) == 0)
		return nr - 1; /* a deadline or a spurious wake-up, rarely */
	while (nr > 1 && options[nr - 1] != task_of(options[nr - 1]))
		nr--;
	return s->plan == PLAN_PCT ? choose_by_priority(s, step, options, nr)
				   : choose_uniformly(s, options, nr);
}

unsigned int random_choose(void *arg, uint32_t step, enum sim_question question,
			   const uint8_t *options, unsigned int nr)
{
	struct random_schedule *s = arg;
	unsigned int answer;

	if (s->deviations == PROGRAM_MAX_CHOICES)
		return 0;
	answer = draw(s, step, question, options, nr);
	s->deviations += answer != 0;
	return answer;
}
