/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "fuzz/sched/mutation.h"

#define MOST_CPUS 4
#define MOST_SLOTS 6
#define MOST_PAGES 6
#define MOST_COLOURS 2

/* ---- What must hold again after a change ------------------------------------- */

static void repair_actors(struct program *program)
{
	unsigned int nr_cpus = program->machine.nr_cpus;

	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		program->task_cpu[t] = t < program->nr_tasks
					       ? program->task_cpu[t] % nr_cpus
					       : 0;
	for (unsigned int i = 0; i < PROGRAM_MAX_IRQS; i++)
		program->irq_cpu[i] = i < program->nr_irqs
					      ? program->irq_cpu[i] % nr_cpus
					      : 0;
}

static void repair_op(const struct program *program, struct op *op)
{
	unsigned int actor = op->actor;

	if (actor >= PROGRAM_MAX_TASKS + program->nr_irqs)
		actor = program->nr_irqs > 0 ? PROGRAM_MAX_TASKS : 0;
	else if (actor < PROGRAM_MAX_TASKS)
		actor %= program->nr_tasks;
	op->actor = (uint8_t)actor;
	if (op->kind == OP_RAISE && program->nr_irqs == 0)
		op->kind = OP_YIELD;
	if (op_arg(op->kind) == OP_ARG_PAGE)
		op->arg %= MACHINE_LOWMEM_PAGES + program->machine.nr_pages;
	else if (op->kind == OP_RAISE && program->nr_irqs > 0)
		op->arg %= program->nr_irqs;
	else if (op_arg(op->kind) == OP_ARG_TASK)
		op->arg %= program->nr_tasks;
	else
		op->arg = 0;
}

static void repair(struct program *program)
{
	unsigned int at = 0;

	repair_actors(program);
	for (unsigned int i = 0; i < program->nr_ops; i++)
		repair_op(program, &program->ops[i]);
	while (at < program->nr_choices)
		if (choice_fits(program, &program->choices[at]))
			at++;
		else
			delete_choice(program, at);
}

/* ---- The machine ---------------------------------------------------------------- */

/* One up or one down, from 1 (or @least) to @most; larger ones only go down. */
static unsigned int step_size(const struct mutation *m, unsigned int value,
			      unsigned int least, unsigned int most)
{
	if (value > least && (value >= most || one_in(m, 2)))
		return value - 1;
	return value < most ? value + 1 : value;
}

static bool mutate_machine(const struct mutation *m)
{
	struct machine_config *machine = &m->program->machine;
	unsigned int log = (unsigned int)__builtin_ctz(machine->nr_colours);

	switch (below(m, 12)) {
	case 0:
		machine->nr_cpus = step_size(m, machine->nr_cpus, 1, MOST_CPUS);
		break;
	case 1:
		machine->nr_colours = 1U << step_size(m, log, 0, MOST_COLOURS);
		break;
	case 2:
		machine->local_depth = step_size(m, machine->local_depth, 1,
						 KM_MAX_IDX);
		break;
	case 3:
		machine->pae = !machine->pae;
		break;
	case 4:
		machine->force_map = !machine->force_map;
		break;
	case 6:
		machine->nested_irqs = !machine->nested_irqs;
		break;
	case 7:
		machine->sparse_cpus = !machine->sparse_cpus;
		break;
	case 8:
		machine->full_flush = !machine->full_flush;
		break;
	case 9:
		machine->holes = !machine->holes;
		break;
	case 5:
		machine->nr_pages = step_size(m, machine->nr_pages, 1,
					      MOST_PAGES);
		break;
	default:
		machine->nr_slots = step_size(m, machine->nr_slots, 2,
					      MOST_SLOTS);
		break;
	}
	/* Slots are a multiple of colours; there are at most 64 and 8. */
	machine->nr_slots = (machine->nr_slots + machine->nr_colours - 1) &
			    ~(machine->nr_colours - 1);
	return true;
}

static bool mutate_actors(const struct mutation *m)
{
	struct program *program = m->program;
	unsigned int nr_cpus = program->machine.nr_cpus;

	switch (below(m, 4)) {
	case 0:
		program->nr_tasks = step_size(m, program->nr_tasks, 1,
					      PROGRAM_MAX_TASKS);
		break;
	case 1:
		program->nr_irqs = step_size(m, program->nr_irqs, 0,
					     PROGRAM_MAX_IRQS);
		break;
	case 2:
		if (program->nr_irqs == 0)
			return false;
		program->irq_cpu[below(m, program->nr_irqs)] = (uint8_t)below(
			m, nr_cpus);
		break;
	default:
		program->task_cpu[below(m, program->nr_tasks)] = (uint8_t)below(
			m, nr_cpus);
		break;
	}
	return true;
}

/* ---- One mutation ---------------------------------------------------------------- */

static const struct {
	mutate_fn *mutate;
	unsigned int weight;
} table[SCHED_NR_MUTATIONS] = {
	[SCHED_INSERT_OP] = { mutate_insert_op, 8 },
	[SCHED_DELETE_OP] = { mutate_delete_op, 6 },
	[SCHED_DUPLICATE_OP] = { mutate_duplicate_op, 3 },
	[SCHED_SWAP_OPS] = { mutate_swap_ops, 3 },
	[SCHED_CHANGE_KIND] = { mutate_change_kind, 3 },
	[SCHED_CHANGE_ARG] = { mutate_change_arg, 4 },
	[SCHED_CHANGE_ACTOR] = { mutate_change_actor, 3 },
	[SCHED_RESIZE_MACHINE] = { mutate_machine, 3 },
	[SCHED_CHANGE_ACTORS] = { mutate_actors, 2 },
	[SCHED_INSERT_CHOICE] = { mutate_insert_choice, 16 },
	[SCHED_DELETE_CHOICE] = { mutate_delete_choice, 5 },
	[SCHED_MOVE_CHOICE] = { mutate_move_choice, 7 },
	[SCHED_CHANGE_CHOICE] = { mutate_change_choice, 4 },
	[SCHED_BURST] = { mutate_burst, 8 },
	[SCHED_DELAY_STORES] = { mutate_delay_stores, 4 },
	[SCHED_TIDY] = { mutate_tidy, 5 },
};

#define SUM_OF_WEIGHTS 84

static enum sched_mutation any_mutation(uint64_t *seed)
{
	unsigned int left = prng_below(seed, SUM_OF_WEIGHTS);
	unsigned int which = 0;

	while (left >= table[which].weight)
		left -= table[which++].weight;
	return which;
}

enum sched_mutation sched_mutate(struct program *program,
				 const struct sched_profile *profile,
				 uint64_t *seed)
{
	const struct mutation m = { program, profile, seed };
	enum sched_mutation which;

	do { /* the machine can always be changed */
		which = any_mutation(seed);
	} while (!table[which].mutate(&m));
	repair(program);
	return which;
}

/* ---- Cross-over -------------------------------------------------------------------- */

static void take_choices(struct program *program, const struct program *other)
{
	program->nr_choices = other->nr_choices;
	memcpy(program->choices, other->choices,
	       other->nr_choices * sizeof(other->choices[0]));
}

/*
 * The operations of the actors in @mask come from @other, those of the rest
 * stay; in each, the order is what it was, and half of one comes beside half of
 * the other.
 */
static void take_tasks(struct program *program, const struct program *other,
		       unsigned int mask)
{
	struct op ops[SCHED_MOST_OPS];
	unsigned int a = 0;
	unsigned int b = 0;
	unsigned int nr = 0;

	while ((a < program->nr_ops || b < other->nr_ops) &&
	       nr < SCHED_MOST_OPS) {
		bool ours = b == other->nr_ops ||
			    (a < program->nr_ops &&
			     a * other->nr_ops <= b * program->nr_ops);
		const struct op *op = ours ? &program->ops[a++]
					   : &other->ops[b++];

		if (ours == !(mask >> op->actor & 1))
			ops[nr++] = *op;
	}
	program->nr_ops = nr;
	memcpy(program->ops, ops, nr * sizeof(ops[0]));
}

static void repair_growth(struct program *program, const struct program *other)
{
	if (program->nr_tasks < other->nr_tasks)
		program->nr_tasks = other->nr_tasks;
	if (program->nr_irqs < other->nr_irqs)
		program->nr_irqs = other->nr_irqs;
}

enum sched_cross_over sched_cross_over(struct program *program,
				       const struct program *other,
				       uint64_t *seed)
{
	enum sched_cross_over kind = prng_below(seed, SCHED_NR_CROSS_OVERS);

	if (kind == SCHED_CROSS_CHOICES) {
		take_choices(program, other);
	} else {
		repair_growth(program, other);
		take_tasks(program, other,
			   prng_below(seed, 1U << PROGRAM_MAX_ACTORS));
	}
	repair(program);
	return kind;
}

/* ---- Bytes --------------------------------------------------------------------------- */

size_t sched_encode(struct program *program, uint8_t *bytes, size_t size,
		    uint64_t *seed)
{
	size_t len = program_encode(program, bytes, size);

	while (len == 0 && program->nr_ops + program->nr_choices > 0) {
		if (program->nr_choices > 0 &&
		    (program->nr_ops == 0 || prng_below(seed, 2) == 0))
			delete_choice(program,
				      prng_below(seed, program->nr_choices));
		else
			program->nr_ops--;
		len = program_encode(program, bytes, size);
	}
	return len;
}
