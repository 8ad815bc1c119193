/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/build/prng.h"
#include "stress/program/program_file.h"
#include "stress/torture/torture.h"

/*
 * Swarm: each round draws its own machine and its own mix of operations
 * (program_generate() leaves some kinds out), since what one mix never does,
 * another does all the time.
 */

static unsigned int pick(uint64_t *seed, const uint8_t *from, unsigned int nr)
{
	return from[prng_below(seed, nr)];
}

static unsigned int draw_colours(unsigned int slots, uint64_t *seed)
{
	static const uint8_t some[] = { 1, 1, 1, 2, 2, 4 };
	unsigned int colours = pick(seed, some, sizeof(some));

	while (slots % colours != 0)
		colours /= 2;
	return colours;
}

static void draw_machine(struct machine_config *machine,
			 const struct torture_options *options,
			 unsigned int nr_tasks, uint64_t *seed)
{
	static const uint8_t slots[] = { 2, 2, 2, 2, 3, 3, 4, 6, 8 };
	unsigned int drawn = pick(seed, slots, sizeof(slots));
	unsigned int shared = 1 + prng_below(seed, nr_tasks);
	unsigned int more = 1 + prng_below(seed, PROGRAM_MAX_HIGHMEM);

	*machine = (struct machine_config){
		.nr_slots = options->slots ? options->slots : drawn,
		/* Mostly a CPU for each task: real parallelism. */
		.nr_cpus = prng_below(seed, 4) ? nr_tasks : shared,
		.local_depth = 1 + prng_below(seed, 4),
		.pae = prng_below(seed, 2),
		.force_map = prng_below(seed, 4) == 0,
		.sparse_cpus = prng_below(seed, 4) == 0,
		.full_flush = prng_below(seed, 4) == 0,
		.holes = prng_below(seed, 4) == 0,
	};
	machine->nr_colours = draw_colours(machine->nr_slots, seed);
	/* More pages than slots, or nobody would ever wait. */
	machine->nr_pages = machine->nr_slots + more;
	if (machine->nr_pages > PROGRAM_MAX_HIGHMEM)
		machine->nr_pages = PROGRAM_MAX_HIGHMEM;
}

/* ---- No deadlocks -------------------------------------------------------- */

/* The pages that a task would hold if all its maps succeeded, oldest first. */
struct held {
	uint8_t page[PROGRAM_MAX_OPS];
	unsigned int nr;
};

static void held_drop(struct held *held, uint8_t page)
{
	for (unsigned int i = 0; i < held->nr; i++) {
		if (held->page[i] != page)
			continue;
		held->nr--;
		memmove(&held->page[i], &held->page[i + 1], held->nr - i);
		return;
	}
}

static bool takes_slot(const struct op *op)
{
	return op->kind == OP_KMAP || op->kind == OP_TRY ||
	       op->kind == OP_TIMEOUT || op->kind == OP_GET ||
	       op->kind == OP_KILLABLE;
}

/* Where @op would be one map too many, it undoes the oldest instead. */
static void limit_op(struct op *op, struct held *held, unsigned int limit)
{
	if (takes_slot(op) && held->nr >= limit)
		op->kind = OP_KUNMAP;
	/* An unmap of something held is worth more than one that is skipped. */
	if (op->kind == OP_KUNMAP && held->nr > 0) {
		op->arg = held->page[0];
		held_drop(held, op->arg);
	}
	if (takes_slot(op))
		held->page[held->nr++] = op->arg;
}

/*
 * A task that waits holds at most its limit less one. As long as those sum up
 * to less than the slots of a colour, some slot of that colour is held by a
 * task that does not wait, and so everybody is served.
 *
 * Handlers are left out: they cannot sleep, and what they map they undo.
 */
static void make_safe(struct program *program, uint64_t *seed)
{
	const struct machine_config *machine = &program->machine;
	unsigned int spare = machine->nr_slots / machine->nr_colours - 1;

	for (unsigned int t = 0; t < program->nr_tasks; t++) {
		unsigned int nested = prng_below(seed, spare + 1);
		struct held held = { .nr = 0 };

		for (unsigned int i = 0; i < program->nr_ops; i++)
			if (program->ops[i].actor == t)
				limit_op(&program->ops[i], &held, 1 + nested);
		spare -= nested;
	}
}

/* ---- A round ------------------------------------------------------------- */

static void round_print(struct round *round)
{
	round->text_len = program_print(&round->program, round->text,
					sizeof(round->text));
}

void round_draw(struct round *round, const struct torture_options *options,
		uint64_t nr)
{
	/* Two draws, so that round n + 1 is not round n of the next seed. */
	uint64_t seed = options->seed;
	uint64_t mixed = prng_next(&seed) + nr;
	struct machine_config machine;
	unsigned int nr_tasks, nr_ops;

	seed = prng_next(&mixed);
	nr_tasks = options->threads;
	if (nr_tasks > 2)
		nr_tasks = 2 + prng_below(&seed, nr_tasks - 1);
	draw_machine(&machine, options, nr_tasks, &seed);
	nr_ops = 3 + prng_below(&seed, 28);
	round->nr = nr;
	round->repeat = options->repeat;
	round->safe = prng_below(&seed, 8) != 0;
	program_generate(&round->program, &machine, nr_tasks, nr_ops, &seed);
	if (round->safe)
		make_safe(&round->program, &seed);
	/*
	 * Tasks that share a CPU switch between almost any two operations, and
	 * a switch of threads costs more than all they do.
	 */
	if (machine.nr_cpus < nr_tasks)
		round->repeat = 1 + round->repeat / 16;
	round_print(round);
}

bool round_load(struct round *round, const struct torture_options *options)
{
	const char *why;

	if (!program_read(&round->program, options->program_path,
			  options->program_bytes, "torture: --program"))
		return false;
	why = program_can(&round->program);
	if (why) {
		fprintf(stderr, "torture: --program %s: %s\n",
			options->program_path, why);
		return false;
	}
	round->nr = 0;
	round->safe = false;
	round->repeat = options->repeat;
	round_print(round);
	return true;
}

void round_announce(const struct round *round)
{
	const struct machine_config *m = &round->program.machine;

	say_detail(
		"highmem-torture: round %" PRIu64 ": tasks=%u cpus=%u slots=%u "
		"colours=%u pages=%u depth=%u pae=%d force=%d ops=%u repeat=%u "
		"safe=%d\n",
		round->nr, round->program.nr_tasks, m->nr_cpus, m->nr_slots,
		m->nr_colours, m->nr_pages, m->local_depth, m->pae,
		m->force_map, round->program.nr_ops, round->repeat,
		round->safe);
}
