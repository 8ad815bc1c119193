/* SPDX-License-Identifier: MIT */
#include "stress/explore/search/search.h"

/*
 * Depth first, without saving states: the list of the last run's answers is
 * kept, its last one that can still be changed is changed, and the program runs
 * again from its beginning.
 */

static bool is_free(enum sim_question question, uint8_t option)
{
	if (question == SIM_NEXT)
		return !(option & (SIM_TIMEOUT | SIM_SPURIOUS));
	return question == SIM_HOTPLUG && (option & SIM_ONLINE);
}

/*
 * What counts against the bound: an answer other than the default where the
 * task could have run on, and a wake-up that nobody sent. Who comes next after
 * one that cannot, when a delayed store or answer lands or a CPU that has gone
 * comes back, and which allocation of the boot fails, is free.
 */
static uint32_t costly(const struct search *s, enum sim_question question,
		       const uint8_t *options, unsigned int nr)
{
	uint32_t mask = 0;

	if (s->bound == EXPLORE_UNBOUNDED || question == SIM_DRAIN ||
	    question == SIM_ACK || question == SIM_ALLOC)
		return 0;
	for (unsigned int i = 1; i < nr; i++)
		if (!is_free(question, options[i]))
			mask |= 1U << i;
	return mask;
}

static unsigned int cost(const struct decision *d, unsigned int answer)
{
	return d->costly >> answer & 1;
}

static unsigned int spent_after(const struct decision *d)
{
	return d->spent + cost(d, d->chosen);
}

/* True when the state with what is left of the bound has been searched. */
static bool seen_before(struct search *s, enum sim_question question,
			struct decision *d)
{
	uint64_t state = sim_state_hash() ^ exec_state_hash();
	unsigned int left = s->bound == EXPLORE_UNBOUNDED ? 0
							  : s->bound - d->spent;

	d->state = (state ^ question) * 0x9e3779b97f4a7c15u;
	return !visited_improve(s->visited, d->state, left + 1);
}

static bool is_of_this_run(const struct search *s, uint64_t state)
{
	for (unsigned int i = 0; i < s->nr_decisions; i++)
		if (s->decisions[i].state == state)
			return true;
	return false;
}

/*
 * All that can come after this state is known, or is about to be, unless the run
 * has gone in a circle: then it can do so for ever. Who is there only because
 * nobody else had a turn gets out of it once the machine is calm.
 */
static unsigned int leave_known_state(struct search *s, uint64_t state)
{
	s->cut = true;
	s->looped = is_of_this_run(s, state);
	if (!s->looped)
		return SIM_STOP_RUN;
	sim_calm_after_this_step();
	return 0;
}

unsigned int dfs_choose(void *arg, uint32_t step, enum sim_question question,
			const uint8_t *options, unsigned int nr)
{
	struct search *s = arg;
	struct decision *d = &s->decisions[s->at];

	(void)step;
	if (s->looped)
		return 0;
	if (s->at < s->nr_decisions) {
		s->at++;
		s->deviations += d->chosen != 0;
		return d->chosen;
	}
	if (s->at == MAX_DECISIONS || s->deviations == PROGRAM_MAX_CHOICES) {
		s->result->incomplete = true;
		return 0;
	}
	*d = (struct decision){
		.nr = (uint8_t)nr,
		.spent = (uint8_t)(s->at ? spent_after(d - 1) : 0),
		.costly = costly(s, question, options, nr),
	};
	/* At the boot there is no state yet. */
	if (s->options->prune && question != SIM_ALLOC &&
	    seen_before(s, question, d))
		return leave_known_state(s, d->state);
	s->at = ++s->nr_decisions;
	return 0;
}

void dfs_begin(struct search *s, unsigned int bound)
{
	s->bound = bound;
	s->nr_decisions = 0;
	s->over_bound = false;
	visited_clear(s->visited);
}

void dfs_plan(struct search *s)
{
	s->at = 0;
	s->cut = false;
	s->looped = false;
	s->deviations = 0;
}

static bool affordable(const struct search *s, const struct decision *d,
		       unsigned int answer)
{
	return s->bound == EXPLORE_UNBOUNDED ||
	       d->spent + cost(d, answer) <= s->bound;
}

bool dfs_next(struct search *s)
{
	while (s->nr_decisions > 0) {
		struct decision *d = &s->decisions[s->nr_decisions - 1];

		while (++d->chosen < d->nr) {
			if (affordable(s, d, d->chosen))
				return true;
			s->over_bound = true;
		}
		s->nr_decisions--;
	}
	return false;
}
