/* SPDX-License-Identifier: MIT */
#include "stress/explore/search/search.h"

#include <string.h>

/*
 * A schedule is the list of answers to the machine's questions. The random
 * strategies draw them (stress/schedule/random_schedule.c); the depth-first one
 * goes through all in order (search/dfs.c).
 */

static bool run_one(struct search *s, bool depth_first)
{
	struct controlled_options options = {
		.choose = depth_first ? dfs_choose : random_choose,
		.event = depth_first ? NULL : random_event,
		.arg = depth_first ? (void *)s : &s->random,
		.faults = s->options->faults,
		.max_steps = s->options->max_steps ? s->options->max_steps
						   : CONTROLLED_MAX_STEPS,
	};
	struct controlled_result *run = &s->result->run;

	controlled_run(s->program, &options, run);
	s->result->schedules++;
	s->result->steps += run->steps;
	if (depth_first && s->cut) {
		s->result->pruned++;
		s->result->loops += s->looped;
		return s->looped && run->exec.verdict == EXEC_BUG;
	}
	/* Not all that it could have come to was tried. */
	if (depth_first && run->calm_since != 0)
		s->result->incomplete = true;
	if (run->exec.verdict == EXEC_DEADLOCK)
		s->result->deadlocks++;
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

/* ---- Depth first ---------------------------------------------------------------- */

static bool run_depth_first(struct search *s, struct visited *outcomes)
{
	uint64_t outcome;
	bool bug;

	dfs_plan(s);
	bug = run_one(s, true);
	outcome = s->result->run.exec.outcome;
	if (s->cut || !visited_improve(outcomes, outcome, 1))
		return bug;
	s->result->outcomes += outcome;
	if (s->options->new_end)
		s->options->new_end(s->options->arg, &s->result->run);
	return bug;
}

static enum search_end search_depth_first(struct search *s)
{
	static struct visited *outcomes;

	if (!outcomes)
		outcomes = visited_new(10);
	visited_clear(outcomes);
	dfs_begin(s, s->options->max_preemptions);
	do {
		if (out_of_budget(s))
			return SEARCH_STOPPED;
		if (run_depth_first(s, outcomes))
			return SEARCH_BUG;
	} while (dfs_next(s));
	s->result->states = visited_count(s->visited);
	return s->result->incomplete ? SEARCH_STOPPED : SEARCH_DONE;
}

/* ---- Random, and in turns --------------------------------------------------------- */

static bool run_random(struct search *s, enum plan plan)
{
	bool bug;

	random_plan(&s->random, plan);
	bug = run_one(s, false);
	random_learn(&s->random, s->result->run.steps);
	return bug;
}

/* One schedule more of the smallest bound that is not done. */
static bool run_deepening(struct search *s)
{
	dfs_plan(s);
	if (run_one(s, true))
		return true;
	if (dfs_next(s))
		return false;
	s->all_tried = !s->over_bound && !s->result->incomplete;
	dfs_begin(s, s->bound + 1);
	return false;
}

static bool run_in_turns(struct search *s)
{
	switch (s->result->schedules % 4) {
	case 0:
		return run_random(s, PLAN_RANDOM);
	case 1:
		return run_random(s, PLAN_PCT);
	default:
		return run_deepening(s);
	}
}

static bool run_by_strategy(struct search *s)
{
	switch (s->options->strategy) {
	case SEARCH_PCT:
		return run_random(s, PLAN_PCT);
	case SEARCH_URW:
		return run_random(s, PLAN_URW);
	case SEARCH_PORTFOLIO:
		return run_in_turns(s);
	default:
		return run_random(s, PLAN_RANDOM);
	}
}

static enum search_end search_randomly(struct search *s)
{
	random_begin(&s->random, s->seed, s->options->depth);
	s->all_tried = false;
	dfs_begin(s, 0);
	while (!out_of_budget(s)) {
		if (run_by_strategy(s))
			return SEARCH_BUG;
		if (s->all_tried)
			return SEARCH_DONE;
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
		s.visited = visited_new(16);
	if (options->strategy == SEARCH_DFS)
		return search_depth_first(&s);
	return search_randomly(&s);
}
