/* SPDX-License-Identifier: MIT */
#include "core/testing/prng.h"
#include "stress/explore/options.h"

/*
 * Small programs at random, whose schedules can be gone through in order: two
 * tasks, two slots, two or three pages. Operations are drawn with an eye on
 * what went before, so that most of them have something to do: what is mapped
 * is unmapped soon, what is idle is flushed, what is gone is mapped again.
 */

#define MAX_PAGES 3

struct draft {
	struct program *program;
	uint64_t *seed;
	unsigned int pages;
	uint32_t kinds; /* swarm: a bit for each that this program uses */
	bool known[MAX_PAGES]; /* somebody has mapped it */
	bool idle[MAX_PAGES];  /* probably */
	uint8_t held[MAX_PAGES];
	unsigned int local;
};

/* How much sense an operation makes now. */
static unsigned int weight(const struct draft *d, enum op_kind kind,
			   unsigned int page)
{
	if (!(d->kinds >> kind & 1))
		return 0;
	switch (kind) {
	case OP_KMAP:
		return d->held[page] ? 1 : 4;
	case OP_KUNMAP:
		return d->held[page] ? 8 : 0;
	case OP_GET:
		return d->known[page] ? 2 : 0;
	case OP_TRY:
	case OP_TIMEOUT:
	case OP_KILLABLE:
	case OP_LOCAL:
		return 1;
	case OP_UNLOCAL:
		return page == 0 && d->local ? 2 : 0;
	case OP_FLUSH:
		return d->idle[page] ? 3 : 0;
	default:
		return 0;
	}
}

static void note(struct draft *d, enum op_kind kind, unsigned int page)
{
	switch (kind) {
	case OP_KMAP:
	case OP_TRY:
	case OP_TIMEOUT:
	case OP_KILLABLE:
	case OP_GET:
		d->known[page] = true;
		d->idle[page] = false;
		d->held[page]++;
		break;
	case OP_KUNMAP:
		d->idle[page] = --d->held[page] == 0;
		break;
	case OP_FLUSH:
		for (unsigned int p = 0; p < MAX_PAGES; p++)
			d->idle[p] = false;
		break;
	case OP_LOCAL:
		d->local++;
		break;
	case OP_UNLOCAL:
		d->local--;
		break;
	default:
		break;
	}
}

static void add(struct draft *d, unsigned int actor, enum op_kind kind,
		unsigned int page)
{
	d->program->ops[d->program->nr_ops++] = (struct op){
		.kind = (uint8_t)kind,
		.actor = (uint8_t)actor,
		.arg = (uint8_t)(MACHINE_LOWMEM_PAGES + page),
	};
	note(d, kind, page);
}

static void draw_op(struct draft *d, unsigned int actor)
{
	unsigned int sum = 0;
	unsigned int drawn;

	for (unsigned int k = 0; k < OP_NR_KINDS; k++)
		for (unsigned int p = 0; p < d->pages; p++)
			sum += weight(d, (enum op_kind)k, p);
	drawn = prng_below(d->seed, sum);
	for (unsigned int k = 0; k < OP_NR_KINDS; k++) {
		for (unsigned int p = 0; p < d->pages; p++) {
			unsigned int w = weight(d, (enum op_kind)k, p);

			if (drawn < w) {
				add(d, actor, (enum op_kind)k, p);
				return;
			}
			drawn -= w;
		}
	}
}

static void draw_task(struct draft *d, unsigned int actor, unsigned int ops)
{
	for (unsigned int p = 0; p < MAX_PAGES; p++)
		d->held[p] = 0;
	d->local = 0;
	for (unsigned int i = 0; i < ops; i++)
		draw_op(d, actor);
}

void draw_small_program(struct program *program, uint64_t *seed)
{
	struct draft d = {
		.program = program,
		.seed = seed,
		.pages = 2 + prng_below(seed, MAX_PAGES - 1),
		.kinds = prng_below(seed, 1U << OP_NR_KINDS) | 1U << OP_KMAP |
			 1U << OP_KUNMAP,
	};

	*program = (struct program){
		.machine = { .nr_cpus = 2,
			     .nr_slots = 2,
			     .nr_colours = 1,
			     .nr_pages = d.pages,
			     .local_depth = 4 },
		.nr_tasks = 2,
		.nr_irqs = prng_below(seed, 4) == 0,
	};
	program->task_cpu[1] = prng_below(seed, 8) != 0;
	draw_task(&d, 0, 2 + prng_below(seed, 5));
	draw_task(&d, 1, 1 + prng_below(seed, 3));
	if (program->nr_irqs)
		add(&d, PROGRAM_MAX_TASKS,
		    prng_below(seed, 2) ? OP_GET : OP_LOCAL,
		    prng_below(seed, d.pages));
}
