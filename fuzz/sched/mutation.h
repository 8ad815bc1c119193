/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_SCHED_MUTATION_H
#define FUZZ_SCHED_MUTATION_H

/* What the parts of the mutator tell each other. */

#include "core/build/prng.h"
#include "fuzz/sched/mutator.h"

/*
 * Where growth ends. Small machines have all the bugs and run faster; what
 * comes in larger is left as it is.
 */
#define SCHED_MOST_OPS 40
#define SCHED_MOST_CHOICES 16

struct mutation {
	struct program *program;
	const struct sched_profile *profile;
	uint64_t *seed;
};

/* Each returns false if there was nothing to change. */
typedef bool mutate_fn(const struct mutation *m);

/* ---- sched/ops.c ------------------------------------------------------------ */

mutate_fn mutate_insert_op;
mutate_fn mutate_delete_op;
mutate_fn mutate_duplicate_op;
mutate_fn mutate_swap_ops;
mutate_fn mutate_change_kind;
mutate_fn mutate_change_arg;
mutate_fn mutate_change_actor;

/* ---- sched/choices.c -------------------------------------------------------- */

mutate_fn mutate_insert_choice;
mutate_fn mutate_delete_choice;
mutate_fn mutate_move_choice;
mutate_fn mutate_change_choice;
mutate_fn mutate_burst;
mutate_fn mutate_delay_stores;
mutate_fn mutate_tidy;

void delete_choice(struct program *program, unsigned int at);

/* Choices from step @from on move with the operations that they belong to. */
void shift_choices(const struct mutation *m, uint32_t from, int delta);

/* ---- Chance ------------------------------------------------------------------ */

static inline unsigned int below(const struct mutation *m, unsigned int limit)
{
	return prng_below(m->seed, limit);
}

static inline bool one_in(const struct mutation *m, unsigned int n)
{
	return below(m, n) == 0;
}

/* One of 0 to @nr - 1, but not @except. pre: nr > 1. */
static inline unsigned int other_than(const struct mutation *m, unsigned int nr,
				      unsigned int except)
{
	unsigned int other = below(m, nr - 1);

	return other >= except ? other + 1 : other;
}

#endif
