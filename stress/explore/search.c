/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "core/testing/prng.h"
#include "stress/explore/explore.h"
#include "stress/explore/visited.h"

/*
 * A schedule is the list of answers to the machine's questions. The random
 * strategies draw them; the depth-first one keeps the list of the last run and
 * changes its last answer that can still be changed.
 */

#define MAX_DECISIONS 65536

struct decision {
	uint8_t question;
	uint8_t nr;
	uint8_t chosen;
	uint8_t spent; /* deviations before this one */
};

struct search {
	const struct program *program;
	const struct search_options *options;
	struct search_result *result;
	uint64_t *seed;

	/* Random and PCT, for one run. */
	unsigned int one_in[SIM_NR_QUESTIONS]; /* leave the default; 0: never */
	unsigned int length; /* PCT: steps that a run is thought to take */
	unsigned int priority[PROGRAM_MAX_TASKS + 1];
	uint32_t change_at[8];
	bool pct;

	/* DFS. */
	struct decision decisions[MAX_DECISIONS];
	unsigned int nr_decisions;
	unsigned int at; /* the next decision of this run */
	bool cut;	 /* this run came to a state that was seen before */
	struct visited *visited;
	struct visited *outcomes;
};

/* ---- Random ------------------------------------------------------------------- */

static bool is_who(enum sim_question question)
{
	return question == SIM_WHO || question == SIM_NEXT;
}

/*
 * Swarm: each run has its own appetite for switches, interrupts and delays, so
 * that some runs switch all the time and some once.
 */
static void plan_random_run(struct search *s)
{
	static const unsigned int appetite[] = { 2, 4, 8, 16, 32, 64, 128 };
	const unsigned int nr = sizeof(appetite) / sizeof(appetite[0]);

	s->pct = false;
	for (unsigned int q = 0; q < SIM_NR_QUESTIONS; q++)
		s->one_in[q] = appetite[prng_below(s->seed, nr)];
	s->one_in[SIM_NEXT] = 2;
	if (prng_below(s->seed, 3) == 0)
		s->one_in[SIM_IRQ] = 0;
	if (prng_below(s->seed, 3) == 0)
		s->one_in[SIM_HOLD] = 0;
}

static unsigned int choose_random(struct search *s, enum sim_question question,
				  unsigned int nr)
{
	unsigned int one_in = s->one_in[question];

	if (one_in == 0 || prng_below(s->seed, one_in) != 0)
		return 0;
	return prng_below(s->seed, nr);
}

/* ---- PCT (Burckhardt and others, ASPLOS 2010) ----------------------------------- */

static void plan_pct_run(struct search *s)
{
	unsigned int depth = s->options->depth;

	plan_random_run(s);
	s->pct = true;
	for (unsigned int t = 0; t <= PROGRAM_MAX_TASKS; t++)
		s->priority[t] = 100 + prng_below(s->seed, 1000);
	for (unsigned int i = 0; i + 1 < depth; i++)
		s->change_at[i] = 1 + prng_below(s->seed, s->length);
}

static unsigned int task_of(uint8_t option)
{
	return option & ~(SIM_TIMEOUT | SIM_SPURIOUS);
}

/* The runnable task of the highest priority; at a change point it drops. */
static unsigned int choose_by_priority(struct search *s, uint32_t step,
				       const uint8_t *options, unsigned int nr)
{
	unsigned int best = 0;

	for (unsigned int i = 0; i + 1 < s->options->depth; i++)
		if (s->change_at[i] == step)
			s->priority[task_of(options[0])] = i + 1;
	for (unsigned int i = 1; i < nr; i++)
		if (options[i] == task_of(options[i]) &&
		    s->priority[options[i]] >
			    s->priority[task_of(options[best])])
			best = i;
	return best;
}

static unsigned int choose_randomly(void *arg, uint32_t step,
				    enum sim_question question,
				    const uint8_t *options, unsigned int nr)
{
	struct search *s = arg;

	if (!s->pct || !is_who(question))
		return choose_random(s, question, nr);
	if (options[nr - 1] != task_of(options[nr - 1]) &&
	    prng_below(s->seed, 64) == 0)
		return nr - 1; /* a deadline or a spurious wake-up, rarely */
	return choose_by_priority(s, step, options, nr);
}

/* ---- Depth first ---------------------------------------------------------------- */

/*
 * What counts against the bound: an answer other than the default where the
 * task could have run on. Who comes next after one that cannot, and when a
 * delayed store lands, is free.
 */
static unsigned int cost(uint8_t question)
{
	return question == SIM_NEXT || question == SIM_DRAIN ? 0 : 1;
}

static unsigned int spent_after(const struct decision *d)
{
	return d->spent + (d->chosen != 0 ? cost(d->question) : 0);
}

/* True when the state with what is left of the bound has been searched. */
static bool seen_before(struct search *s, enum sim_question question,
			unsigned int spent)
{
	uint64_t state = sim_state_hash() ^ exec_state_hash();
	unsigned int left = s->options->max_preemptions - spent;

	state = (state ^ question) * 0x9e3779b97f4a7c15u;
	return !visited_improve(s->visited, state, left + 1);
}

static unsigned int choose_first(void *arg, uint32_t step,
				 enum sim_question question,
				 const uint8_t *options, unsigned int nr)
{
	struct search *s = arg;
	struct decision *d = &s->decisions[s->at];

	(void)step;
	(void)options;
	if (s->at < s->nr_decisions) {
		s->at++;
		return d->chosen;
	}
	if (s->at == MAX_DECISIONS)
		return 0;
	*d = (struct decision){
		.question = (uint8_t)question,
		.nr = (uint8_t)nr,
		.spent = (uint8_t)(s->at ? spent_after(d - 1) : 0),
	};
	if (s->options->prune && seen_before(s, question, d->spent)) {
		s->cut = true;
		return SIM_STOP_RUN;
	}
	s->at = ++s->nr_decisions;
	return 0;
}

/* The next schedule in order; false when there is none. */
static bool backtrack(struct search *s)
{
	while (s->nr_decisions > 0) {
		struct decision *d = &s->decisions[s->nr_decisions - 1];

		if (d->chosen + 1U < d->nr &&
		    d->spent + cost(d->question) <=
			    s->options->max_preemptions) {
			d->chosen++;
			return true;
		}
		s->nr_decisions--;
	}
	return false;
}

/* ---- All ------------------------------------------------------------------------- */

static bool run_one(struct search *s, bool depth_first)
{
	struct controlled_options options = {
		.choose = depth_first ? choose_first : choose_randomly,
		.arg = s,
		.faults = s->options->faults,
		.max_steps = s->options->max_steps,
	};
	struct controlled_result *run = &s->result->run;

	s->at = 0;
	s->cut = false;
	controlled_run(s->program, &options, run);
	s->result->schedules++;
	s->result->steps += run->steps;
	if (s->cut) {
		s->result->pruned++;
		return false;
	}
	s->length = run->steps > 1 ? run->steps : 2;
	if (run->exec.verdict == EXEC_DEADLOCK)
		s->result->deadlocks++;
	if (depth_first && visited_improve(s->outcomes, run->exec.outcome, 1))
		s->result->outcomes += run->exec.outcome;
	return run->exec.verdict == EXEC_BUG;
}

static bool out_of_budget(const struct search *s)
{
	const struct search_options *o = s->options;

	if (o->iterations != 0 && s->result->schedules >= o->iterations)
		return true;
	return o->should_stop && s->result->schedules % 64 == 0 &&
	       o->should_stop(o->arg);
}

static enum search_end search_depth_first(struct search *s)
{
	visited_clear(s->visited);
	visited_clear(s->outcomes);
	s->nr_decisions = 0;
	do {
		if (out_of_budget(s))
			return SEARCH_STOPPED;
		if (run_one(s, true))
			return SEARCH_BUG;
	} while (backtrack(s));
	s->result->states = visited_count(s->visited);
	return visited_is_full(s->outcomes) ? SEARCH_STOPPED : SEARCH_DONE;
}

static enum search_end search_randomly(struct search *s)
{
	enum search_strategy strategy = s->options->strategy;

	s->length = 100;
	while (!out_of_budget(s)) {
		if (strategy == SEARCH_PCT ||
		    (strategy == SEARCH_PORTFOLIO && s->result->schedules % 2))
			plan_pct_run(s);
		else
			plan_random_run(s);
		if (run_one(s, false))
			return SEARCH_BUG;
	}
	return SEARCH_STOPPED;
}

enum search_end search_program(const struct program *program,
			       const struct search_options *options,
			       uint64_t *seed, struct search_result *result)
{
	static struct search s;

	s.program = program;
	s.options = options;
	s.result = result;
	s.seed = seed;
	memset(result, 0, sizeof(*result));
	if (!s.visited)
		s.visited = visited_new(20);
	if (!s.outcomes)
		s.outcomes = visited_new(16);
	if (options->strategy == SEARCH_DFS)
		return search_depth_first(&s);
	return search_randomly(&s);
}
