/* SPDX-License-Identifier: MIT */
#include "stress/program/program.h"

#include "core/build/prng.h"

/*
 * A draft runs while it is written: in the order of the text, who holds which
 * page by now, who waits, what is idle. The next operation is drawn from all
 * that there are, each as likely as it matters then. As soon as all slots are
 * held, somebody should ask for another page, one or two others for the same
 * one, with a deadline or a signal pending; then comes what lets go of a slot,
 * and a flush beside it.
 */

struct draft {
	struct program *program;
	uint64_t *seed;
	uint32_t kinds;	    /* swarm: a bit for each that this program uses */
	bool misuses;	    /* unmaps what is not mapped, or another's */
	unsigned int focus; /* the colour that most of it is about */
	unsigned int nr;    /* pages */
	uint8_t users[PROGRAM_MAX_HIGHMEM];
	bool idle[PROGRAM_MAX_HIGHMEM];
	bool known[PROGRAM_MAX_HIGHMEM]; /* it has been mapped */
	struct {
		uint8_t held[PROGRAM_MAX_HIGHMEM];
		uint8_t nr_local;
		uint8_t last_local; /* its newest local map was of this one */
		bool waits;
		bool killable;
		unsigned int page; /* that it waits for */
	} task[PROGRAM_MAX_TASKS];
};

/* An operation that may come next. */
struct next {
	unsigned int task;
	enum op_kind kind;
	unsigned int page;
};

/* ---- What is so by now -------------------------------------------------------- */

/* Like the core, but for the number of the first frame: a multiple of eight. */
static unsigned int colour_of(const struct draft *d, unsigned int page)
{
	return page % d->program->machine.nr_colours;
}

/* No slot is to be had for @page. */
static bool is_full(const struct draft *d, unsigned int page)
{
	const struct machine_config *m = &d->program->machine;
	unsigned int left = m->nr_slots / m->nr_colours;

	if (d->users[page] > 0)
		return false;
	for (unsigned int p = 0; p < d->nr; p++)
		if (colour_of(d, p) == colour_of(d, page) && d->users[p] > 0)
			left -= left > 0;
	return left == 0;
}

static unsigned int nr_waiting(const struct draft *d, unsigned int colour)
{
	unsigned int nr = 0;

	for (unsigned int t = 0; t < d->program->nr_tasks; t++)
		nr += d->task[t].waits &&
		      colour_of(d, d->task[t].page) == colour;
	return nr;
}

/* Nobody but tasks that go on holds @page, and not @task. */
static bool is_let_go(const struct draft *d, unsigned int page,
		      unsigned int task)
{
	for (unsigned int t = 0; t < d->program->nr_tasks; t++)
		if (d->task[t].held[page] && (d->task[t].waits || t == task))
			return false;
	return d->users[page] > 0;
}

/* If @task waits for a slot of @colour, will it get one in the end? */
static bool may_wait(const struct draft *d, unsigned int task,
		     unsigned int colour)
{
	for (unsigned int p = 0; p < d->nr; p++)
		if (colour_of(d, p) == colour && is_let_go(d, p, task))
			return true;
	return false;
}

static bool is_waited_for(const struct draft *d, unsigned int page)
{
	for (unsigned int t = 0; t < d->program->nr_tasks; t++)
		if (d->task[t].waits && d->task[t].page == page)
			return true;
	return false;
}

static unsigned int nr_idle(const struct draft *d)
{
	unsigned int nr = 0;

	for (unsigned int p = 0; p < d->nr; p++)
		nr += d->idle[p];
	return nr;
}

/* The first that waits in a way that a signal ends; PROGRAM_MAX_TASKS: none. */
static unsigned int first_killable(const struct draft *d)
{
	for (unsigned int t = 0; t < d->program->nr_tasks; t++)
		if (d->task[t].waits && d->task[t].killable)
			return t;
	return PROGRAM_MAX_TASKS;
}

/* ---- What comes next ------------------------------------------------------------ */

/* A map that may have to wait; not for ever, though, and with a deadline it may. */
static unsigned int weight_of_map(const struct draft *d, struct next next)
{
	bool full = is_full(d, next.page);
	unsigned int waiting = nr_waiting(d, colour_of(d, next.page));
	unsigned int weight = next.kind == OP_KMAP ? 3 : 1;

	if (!full)
		return d->task[next.task].held[next.page] ? 1 : weight;
	if (!may_wait(d, next.task, colour_of(d, next.page)))
		return next.kind == OP_TIMEOUT;
	if (waiting == 0)
		return 3 * weight;
	return is_waited_for(d, next.page) ? 3 * weight : 2 * weight;
}

/* An unmap matters most when somebody waits for its slot. */
static unsigned int weight_of_unmap(const struct draft *d, struct next next)
{
	if (d->task[next.task].held[next.page] == 0)
		return d->misuses;
	if (d->users[next.page] > 1)
		return 3;
	return nr_waiting(d, colour_of(d, next.page)) ? 8 : 4;
}

static unsigned int weight_of_flush(const struct draft *d)
{
	unsigned int waiting = 0;

	for (unsigned int c = 0; c < d->program->machine.nr_colours; c++)
		waiting += nr_waiting(d, c);
	return 2 * nr_idle(d) + 3 * (waiting > 0);
}

static unsigned int weight_of_kind(const struct draft *d, struct next next)
{
	bool once = next.page == 0; /* of those that take no page */
	unsigned int nr_local = d->task[next.task].nr_local;

	if (!(d->kinds >> next.kind & 1) || d->task[next.task].waits)
		return 0;
	switch (next.kind) {
	case OP_KMAP:
	case OP_TIMEOUT:
	case OP_KILLABLE:
		return weight_of_map(d, next);
	case OP_TRY:
		return is_full(d, next.page) ? 3 : 1;
	case OP_KUNMAP:
		return weight_of_unmap(d, next);
	case OP_GET:
		return d->known[next.page] ? 2 : 0;
	case OP_LOCAL:
	case OP_ATOMIC:
		return 1;
	case OP_UNLOCAL:
		return once && nr_local ? 4 : 0;
	case OP_MISORDER:
		return once && nr_local > 1;
	case OP_WRITE:
		return d->task[next.task].held[next.page] > 0;
	case OP_FLUSH:
		return once ? weight_of_flush(d) : 0;
	case OP_CANCEL:
		return once && first_killable(d) < PROGRAM_MAX_TASKS ? 4 : 0;
	case OP_CHECK:
	case OP_RAISE:
	case OP_YIELD:
		return 0; /* each is done anyway, or by choice */
	case OP_STRAY:
		return d->misuses || nr_local > 0;
	case OP_RELEASE:
		return d->misuses;
	case OP_ADDRESS:
		return 1;
	case OP_STALE:
		return d->known[next.page] && d->users[next.page] == 0;
	default:
		return 1;
	}
}

/*
 * Tasks that use one colour each do not get in each other's way; a page of
 * another colour now and then is all that a bug in colours needs.
 */
static unsigned int weight_of(const struct draft *d, struct next next)
{
	bool aside = op_arg(next.kind) == OP_ARG_PAGE &&
		     colour_of(d, next.page) != d->focus;

	return (aside ? 1 : 3) * weight_of_kind(d, next);
}

/* ---- What it does ----------------------------------------------------------------- */

static void hold(struct draft *d, unsigned int task, unsigned int page)
{
	d->task[task].held[page]++;
	d->task[task].waits = false;
	d->users[page]++;
	d->known[page] = true;
	d->idle[page] = false;
}

/* A slot of the colour is to be had: the first who waits gets it, or shares. */
static void serve(struct draft *d, unsigned int colour)
{
	for (unsigned int t = 0; t < d->program->nr_tasks; t++)
		if (d->task[t].waits &&
		    colour_of(d, d->task[t].page) == colour &&
		    !is_full(d, d->task[t].page))
			hold(d, t, d->task[t].page);
}

static void map(struct draft *d, struct next next)
{
	bool queues = next.kind != OP_TRY && next.kind != OP_GET;

	if (!is_full(d, next.page)) {
		if (next.kind != OP_GET || d->users[next.page] ||
		    d->idle[next.page])
			hold(d, next.task, next.page);
		return;
	}
	d->task[next.task].waits = queues;
	d->task[next.task].killable = next.kind == OP_KILLABLE;
	d->task[next.task].page = next.page;
}

static void unmap(struct draft *d, struct next next)
{
	if (d->task[next.task].held[next.page] == 0)
		return;
	d->task[next.task].held[next.page]--;
	d->idle[next.page] = --d->users[next.page] == 0;
	serve(d, colour_of(d, next.page));
}

static void note(struct draft *d, struct next next)
{
	switch (next.kind) {
	case OP_KMAP:
	case OP_TRY:
	case OP_TIMEOUT:
	case OP_KILLABLE:
	case OP_GET:
		map(d, next);
		break;
	case OP_KUNMAP:
		unmap(d, next);
		break;
	case OP_LOCAL:
	case OP_ATOMIC:
		d->task[next.task].nr_local++;
		break;
	case OP_UNLOCAL:
		d->task[next.task].nr_local--;
		break;
	case OP_FLUSH:
		for (unsigned int p = 0; p < d->nr; p++)
			d->idle[p] = false;
		break;
	case OP_CANCEL:
		d->task[first_killable(d)].waits = false;
		break;
	default:
		break;
	}
}

/* ---- The text ---------------------------------------------------------------------- */

/* Local maps are of lowmem pages now and then, and so is what undoes none. */
static uint8_t arg_of(struct draft *d, struct next next)
{
	bool local = next.kind == OP_LOCAL || next.kind == OP_ATOMIC ||
		     next.kind == OP_STRAY;

	if (op_arg(next.kind) == OP_ARG_TASK)
		return (uint8_t)first_killable(d);
	if (op_arg(next.kind) != OP_ARG_PAGE)
		return 0;
	if (next.kind == OP_STRAY && d->task[next.task].nr_local > 0 &&
	    prng_below(d->seed, 2))
		return d->task[next.task].last_local;
	if (local && prng_below(d->seed, 4) == 0)
		return (uint8_t)prng_below(d->seed, MACHINE_LOWMEM_PAGES);
	return (uint8_t)(MACHINE_LOWMEM_PAGES + next.page);
}

static void add(struct draft *d, unsigned int actor, struct next next)
{
	d->program->ops[d->program->nr_ops++] = (struct op){
		.kind = (uint8_t)next.kind,
		.actor = (uint8_t)actor,
		.arg = arg_of(d, next),
	};
}

/* Number @nr of all operations that there are. */
static struct next next_of(const struct draft *d, unsigned int nr)
{
	return (struct next){
		.task = nr / d->nr / OP_NR_KINDS,
		.kind = (enum op_kind)(nr / d->nr % OP_NR_KINDS),
		.page = nr % d->nr,
	};
}

static void draw_op(struct draft *d)
{
	unsigned int all = d->program->nr_tasks * OP_NR_KINDS * d->nr;
	unsigned int sum = 0;
	unsigned int left, i = 0;
	struct next next;

	for (unsigned int n = 0; n < all; n++)
		sum += weight_of(d, next_of(d, n));
	if (sum == 0)
		return;
	left = prng_below(d->seed, sum);
	while (left >= weight_of(d, next_of(d, i)))
		left -= weight_of(d, next_of(d, i++));
	next = next_of(d, i);
	add(d, next.task, next);
	if (next.kind == OP_LOCAL || next.kind == OP_ATOMIC)
		d->task[next.task].last_local =
			d->program->ops[d->program->nr_ops - 1].arg;
	note(d, next);
}

/*
 * A pin or a local map of some page, and perhaps what undoes it. pre: the
 * subject has one of the two.
 */
static void draw_handler(struct draft *d, unsigned int actor)
{
	unsigned int page = prng_below(d->seed, d->nr);
	bool local = prng_below(d->seed, 3) == 0;

	if (!(program_kinds() & 1U << OP_GET))
		local = true;
	else if (!(program_kinds() & 1U << OP_LOCAL))
		local = false;
	add(d, actor,
	    (struct next){ .kind = local ? OP_LOCAL : OP_GET, .page = page });
	if (prng_below(d->seed, 3) == 0)
		add(d, actor,
		    (struct next){ .kind = local ? OP_UNLOCAL : OP_KUNMAP,
				   .page = page });
	if (prng_below(d->seed, 4) == 0 && program_kinds() & 1U << OP_GET)
		add(d, actor,
		    (struct next){ .kind = OP_GET,
				   .page = prng_below(d->seed, d->nr) });
}

#define HANDLER_KINDS (1U << OP_GET | 1U << OP_LOCAL)

/* As few slots as there can be, and pages for which there is none. */
static void draw_machine(struct machine_config *m, unsigned int nr_tasks,
			 uint64_t *seed)
{
	unsigned int colours = prng_below(seed, 3) == 0 ? 2 : 1;
	unsigned int slots = prng_below(seed, 4) == 0 ? 2 + colours : 2;

	*m = (struct machine_config){
		.nr_cpus = prng_below(seed, 8) ? nr_tasks
					       : 1 + prng_below(seed, nr_tasks),
		.nr_slots = slots,
		.nr_colours = colours,
		.nr_pages = slots + colours * (1 + prng_below(seed, 2)),
		.local_depth = 2 + prng_below(seed, 3),
		.pae = prng_below(seed, 8) == 0,
		.force_map = prng_below(seed, 4) == 0,
		.nested_irqs = prng_below(seed, 4) == 0,
		.sparse_cpus = prng_below(seed, 8) == 0,
		.full_flush = prng_below(seed, 4) == 0,
		.holes = prng_below(seed, 8) == 0,
	};
	program_fit_machine(m);
}

/* Most programs are about pkmap alone: each kind less goes deeper. */
static uint32_t draw_kinds(uint64_t *seed)
{
	const uint32_t locals = 1U << OP_LOCAL | 1U << OP_ATOMIC |
				1U << OP_UNLOCAL | 1U << OP_MISORDER;
	uint32_t kinds = prng_below(seed, 1U << OP_NR_KINDS) | 1U << OP_KMAP |
			 1U << OP_KUNMAP;

	if (kinds & locals)
		kinds |= 1U << OP_UNLOCAL;
	return (prng_below(seed, 4) ? kinds & ~locals : kinds) &
	       program_kinds();
}

void program_draft(struct program *program, unsigned int nr_tasks,
		   unsigned int ops, uint64_t *seed)
{
	struct draft d = {
		.program = program,
		.seed = seed,
		.kinds = draw_kinds(seed),
		.misuses = prng_below(seed, 6) == 0,
	};

	*program = (struct program){ .nr_tasks = nr_tasks };
	draw_machine(&program->machine, nr_tasks, seed);
	d.nr = program->machine.nr_pages;
	d.focus = prng_below(seed, program->machine.nr_colours);
	if (prng_below(seed, 3) == 0)
		program->nr_irqs = 1 + prng_below(seed, PROGRAM_MAX_IRQS);
	if (!(program_kinds() & HANDLER_KINDS))
		program->nr_irqs = 0;
	for (unsigned int t = 0; t < nr_tasks; t++)
		program->task_cpu[t] = (uint8_t)(t % program->machine.nr_cpus);
	while (ops-- > 0)
		draw_op(&d);
	for (unsigned int i = 0; i < program->nr_irqs; i++) {
		program->irq_cpu[i] = (uint8_t)prng_below(
			seed, program->machine.nr_cpus);
		draw_handler(&d, PROGRAM_MAX_TASKS + i);
	}
}
