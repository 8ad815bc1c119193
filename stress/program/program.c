/* SPDX-License-Identifier: MIT */
#include "stress/program/program.h"

#include "core/build/prng.h"

static const struct {
	const char *name;
	enum op_arg arg;
} op_table[OP_NR_KINDS] = {
	[OP_KMAP] = { "kmap", OP_ARG_PAGE },
	[OP_KUNMAP] = { "kunmap", OP_ARG_PAGE },
	[OP_TRY] = { "try", OP_ARG_PAGE },
	[OP_TIMEOUT] = { "timeout", OP_ARG_PAGE },
	[OP_GET] = { "get", OP_ARG_PAGE },
	[OP_LOCAL] = { "local", OP_ARG_PAGE },
	[OP_ATOMIC] = { "atomic", OP_ARG_PAGE },
	[OP_UNLOCAL] = { "unlocal", OP_ARG_NONE },
	[OP_MISORDER] = { "misorder", OP_ARG_NONE },
	[OP_WRITE] = { "write", OP_ARG_PAGE },
	[OP_CHECK] = { "check", OP_ARG_NONE },
	[OP_FLUSH] = { "flush", OP_ARG_NONE },
	[OP_RAISE] = { "raise", OP_ARG_IRQ },
	[OP_YIELD] = { "yield", OP_ARG_NONE },
	[OP_KILLABLE] = { "killable", OP_ARG_PAGE },
	[OP_CANCEL] = { "cancel", OP_ARG_TASK },
	[OP_STRAY] = { "stray", OP_ARG_PAGE },
	[OP_RELEASE] = { "release", OP_ARG_PAGE },
	[OP_ADDRESS] = { "address", OP_ARG_PAGE },
	[OP_STALE] = { "stale", OP_ARG_PAGE },
};

enum op_arg op_arg(enum op_kind kind)
{
	return op_table[kind].arg;
}

const char *op_name(enum op_kind kind)
{
	return op_table[kind].name;
}

char actor_letter(unsigned int actor)
{
	return actor < PROGRAM_MAX_TASKS
		       ? (char)('A' + actor)
		       : (char)('I' + actor - PROGRAM_MAX_TASKS);
}

/*
 * In the order in which a point asks: a run whose choices of one step stand in
 * another order plays only some of them.
 */
unsigned int choice_order(enum choice_kind kind)
{
	switch (kind) {
	case CHOICE_ALLOC: /* alone at their step */
	case CHOICE_ALLOC_ON:
	case CHOICE_DRAIN:
		return 0;
	case CHOICE_ACK:
		return 1;
	case CHOICE_DROP:
		return 2;
	case CHOICE_OFFLINE:
	case CHOICE_ONLINE:
		return 3;
	case CHOICE_IRQ:
		return 4;
	case CHOICE_CANCEL:
		return 5;
	case CHOICE_RUN:
	case CHOICE_TIMEOUT:
	case CHOICE_SPURIOUS:
		return 6;
	case CHOICE_MIGRATE:
		return 7;
	default: /* what becomes of the access itself */
		return 8;
	}
}

bool choice_names_cpu(enum choice_kind kind)
{
	return kind == CHOICE_DRAIN || kind == CHOICE_ACK ||
	       kind == CHOICE_DROP || kind == CHOICE_MIGRATE ||
	       kind == CHOICE_OFFLINE || kind == CHOICE_ONLINE;
}

bool choice_fits(const struct program *program, const struct choice *choice)
{
	if (choice_of_boot((enum choice_kind)choice->kind))
		return choice->step == 0 &&
		       choice->arg < program_nr_allocs(&program->machine);
	if (choice->step == 0)
		return false;
	if (choice_names_cpu((enum choice_kind)choice->kind))
		return choice->arg < program->machine.nr_cpus;
	switch ((enum choice_kind)choice->kind) {
	case CHOICE_IRQ:
		return choice->arg < program->nr_irqs;
	case CHOICE_HOLD:
	case CHOICE_DELAY:
		return choice->arg == 0;
	default:
		return choice->kind < CHOICE_NR_KINDS &&
		       choice->arg < program->nr_tasks;
	}
}

/* ---- Random ----------------------------------------------------------------- */

/*
 * Mapping and unmapping in balance, the rest now and then. Swarm: a program
 * leaves out about a quarter of the kinds, so that what it does do goes
 * deeper.
 */
static const uint8_t op_weight[OP_NR_KINDS] = {
	[OP_KMAP] = 24,	  [OP_KUNMAP] = 24,  [OP_TRY] = 6,
	[OP_TIMEOUT] = 3, [OP_GET] = 6,	     [OP_LOCAL] = 10,
	[OP_ATOMIC] = 4,  [OP_UNLOCAL] = 14, [OP_MISORDER] = 1,
	[OP_WRITE] = 8,	  [OP_CHECK] = 4,    [OP_FLUSH] = 3,
	[OP_RAISE] = 5,	  [OP_YIELD] = 2,    [OP_KILLABLE] = 4,
	[OP_CANCEL] = 2,  [OP_STRAY] = 1,    [OP_RELEASE] = 3,
	[OP_ADDRESS] = 3, [OP_STALE] = 3,
};

#define MAPS \
	(1U << OP_KMAP | 1U << OP_TRY | 1U << OP_TIMEOUT | 1U << OP_KILLABLE | \
	 1U << OP_LOCAL | 1U << OP_ATOMIC)

/* Of what the subject has; there is something that maps among them. */
static uint32_t swarm_kinds(uint64_t *seed)
{
	uint32_t kinds = (1U << OP_KMAP) | (1U << OP_KUNMAP) |
			 (1U << OP_UNLOCAL);

	for (unsigned int kind = 0; kind < OP_NR_KINDS; kind++)
		if (prng_below(seed, 4) != 0)
			kinds |= 1U << kind;
	kinds &= program_kinds();
	return kinds & MAPS ? kinds : kinds | (program_kinds() & MAPS);
}

static uint8_t random_kind(uint32_t kinds, uint64_t *seed)
{
	for (;;) {
		unsigned int kind = prng_below(seed, OP_NR_KINDS);

		if ((kinds >> kind & 1) &&
		    prng_below(seed, 24) < op_weight[kind])
			return (uint8_t)kind;
	}
}

void program_generate(struct program *program,
		      const struct machine_config *machine,
		      unsigned int nr_tasks, unsigned int ops_per_task,
		      uint64_t *seed)
{
	uint32_t kinds = swarm_kinds(seed);
	uint64_t cpus = prng_next(seed);

	program->machine = *machine;
	program_fit_machine(&program->machine);
	machine = &program->machine;
	program->nr_tasks = nr_tasks;
	program->nr_irqs = PROGRAM_MAX_IRQS;
	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		program->task_cpu[t] = (uint8_t)(t % machine->nr_cpus);
	for (unsigned int i = 0; i < PROGRAM_MAX_IRQS; i++)
		program->irq_cpu[i] = (uint8_t)((cpus >> (8 * i)) %
						machine->nr_cpus);
	program->nr_ops = 0;
	program->nr_choices = 0;
	program->calm_after = 0;
	while (program->nr_ops < nr_tasks * ops_per_task &&
	       program->nr_ops < PROGRAM_MAX_OPS) {
		uint8_t bytes[2] = { 0, (uint8_t)prng_next(seed) };
		unsigned int actor = prng_below(seed, nr_tasks + 1);

		/* One operation in nr_tasks + 1 goes to the handlers. */
		if (actor == nr_tasks)
			actor += prng_below(seed, PROGRAM_MAX_IRQS);
		bytes[0] = (uint8_t)(actor |
				     (unsigned int)random_kind(kinds, seed)
					     << 3);
		op_decode(program, &program->ops[program->nr_ops++], bytes);
	}
}

static void random_machine(struct machine_config *machine, uint64_t *seed)
{
	unsigned int colours = prng_below(seed, 4) == 0 ? 2 : 1;

	*machine = (struct machine_config){
		.nr_cpus = 1 + prng_below(seed, 3),
		.nr_colours = colours,
		.nr_slots = colours == 1 ? 2 + prng_below(seed, 2)
					 : 2 + 2 * prng_below(seed, 3),
		.nr_pages = 2 + prng_below(seed, 5),
		.local_depth = 1 + prng_below(seed, 4),
		.pae = prng_below(seed, 4) == 0,
		.force_map = prng_below(seed, 4) == 0,
		.nested_irqs = prng_below(seed, 4) == 0,
		.sparse_cpus = prng_below(seed, 4) == 0,
		.full_flush = prng_below(seed, 4) == 0,
		.holes = prng_below(seed, 4) == 0,
	};
}

void program_generate_small(struct program *program, uint64_t *seed)
{
	struct machine_config machine;
	unsigned int tasks;

	random_machine(&machine, seed);
	tasks = 2 + prng_below(seed, 2);
	program_generate(program, &machine, tasks, 2 + prng_below(seed, 5),
			 seed);
}
