/* SPDX-License-Identifier: MIT */
#include "stress/explore/search/programs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPS 8
#define MAX_SEQUENCES 200000
#define MAX_PROGRAMS 4000000

struct step {
	uint8_t kind;
	uint8_t page; /* 0 for operations without one */
};

struct sequence {
	uint8_t nr;
	struct step step[MAX_OPS];
};

/* A task's maps while its sequence grows. */
struct holds {
	uint8_t pinned[PROGRAM_MAX_HIGHMEM];
	bool known[PROGRAM_MAX_HIGHMEM]; /* it has been pinned */
	uint8_t local[PROGRAM_MAX_HIGHMEM];
	uint8_t stack[MAX_OPS];
	uint8_t nr_local;
};

/* One sequence for each task, then the handler's. */
struct pick {
	uint32_t part[PROGRAM_MAX_TASKS + 1];
};

/* All sequences of up to so many of these operations. */
struct list {
	uint32_t alphabet;
	unsigned int ops;
	struct sequence *sequence;
	unsigned int nr;
};

static struct space space;
static struct list of_tasks;
static struct list of_handlers;
static struct pick *picks;
static uint64_t nr_picks;

/* ---- The alphabet ----------------------------------------------------------------- */

/* What another one does as well, or only a handler's program needs, is not. */
static bool can_be_used(enum op_kind kind)
{
	return kind != OP_MISORDER && kind != OP_RAISE && kind != OP_ATOMIC &&
	       kind != OP_YIELD;
}

bool space_parse_alphabet(const char *text, uint32_t *alphabet)
{
	*alphabet = 0;
	while (*text) {
		size_t len = strcspn(text, ",");
		uint32_t bit = 0;

		for (unsigned int k = 0; k < OP_NR_KINDS; k++) {
			const char *name = op_name((enum op_kind)k);

			if (can_be_used((enum op_kind)k) &&
			    strlen(name) == len &&
			    strncmp(name, text, len) == 0)
				bit = 1U << k;
		}
		if (bit == 0)
			return false;
		*alphabet |= bit;
		text += len;
		text += *text == ',';
	}
	return *alphabet != 0;
}

void space_print_alphabet(uint32_t alphabet, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned int k = 0; k < OP_NR_KINDS && len < size; k++)
		if (alphabet >> k & 1)
			len += (size_t)snprintf(buf + len, size - len, "%s%s",
						len ? "," : "",
						op_name((enum op_kind)k));
}

/* ---- Sequences -------------------------------------------------------------------- */

static bool holds_any(const struct holds *h)
{
	for (unsigned int p = 0; p < space.pages; p++)
		if (h->pinned[p] || h->local[p])
			return true;
	return false;
}

/* Does @step have something to do or undo? Then note what it does. */
static bool take_step(struct holds *h, struct step step)
{
	switch ((enum op_kind)step.kind) {
	case OP_KUNMAP:
		if (h->pinned[step.page] == 0)
			return false;
		h->pinned[step.page]--;
		return true;
	case OP_UNLOCAL:
		if (h->nr_local == 0)
			return false;
		h->local[h->stack[--h->nr_local]]--;
		return true;
	case OP_LOCAL:
		h->stack[h->nr_local++] = step.page;
		h->local[step.page]++;
		return true;
	case OP_WRITE:
		return h->pinned[step.page] || h->local[step.page];
	case OP_CHECK:
		return holds_any(h);
	case OP_STALE:
		return h->known[step.page] && h->pinned[step.page] == 0;
	case OP_FLUSH:
	case OP_ADDRESS:
	case OP_RELEASE: /* there may be something, or not: others hold it */
	case OP_STRAY:
		return true;
	default:
		h->pinned[step.page]++;
		h->known[step.page] = true;
		return true;
	}
}

static void grow(struct list *list, struct sequence sequence,
		 struct holds holds)
{
	if (list->nr < MAX_SEQUENCES)
		list->sequence[list->nr++] = sequence;
	if (sequence.nr == list->ops)
		return;
	for (unsigned int k = 0; k < OP_NR_KINDS; k++) {
		bool takes_page = op_arg((enum op_kind)k) == OP_ARG_PAGE;

		if (!(list->alphabet >> k & 1))
			continue;
		for (unsigned int p = 0; p < (takes_page ? space.pages : 1);
		     p++) {
			struct sequence next = sequence;
			struct holds now = holds;
			struct step step = { (uint8_t)k, (uint8_t)p };

			if (!take_step(&now, step))
				continue;
			next.step[next.nr++] = step;
			grow(list, next, now);
		}
	}
}

static struct machine_config machine_of_space(void)
{
	return (struct machine_config){
		.nr_cpus = space.tasks,
		.nr_slots = space.slots,
		.nr_colours = space.colours,
		.nr_pages = space.pages,
		.local_depth = space_depth(&space),
		.pae = space.pae,
	};
}

/* What may be done in an interrupt; its end undoes the rest. */
#define HANDLER_ALPHABET \
	(1U << OP_GET | 1U << OP_LOCAL | 1U << OP_KUNMAP | 1U << OP_UNLOCAL)

/* False without memory. The first sequence of a list is the empty one. */
static bool make_list(struct list *list, uint32_t alphabet, unsigned int ops)
{
	const struct sequence empty = { 0 };
	const struct holds nothing = { 0 };

	if (!list->sequence)
		list->sequence = malloc(MAX_SEQUENCES * sizeof(empty));
	if (!list->sequence)
		return false;
	list->alphabet = alphabet;
	list->ops = ops;
	list->nr = 0;
	grow(list, empty, nothing);
	return true;
}

/* ---- Programs --------------------------------------------------------------------- */

static bool takes_page(struct step step)
{
	return op_arg((enum op_kind)step.kind) == OP_ARG_PAGE;
}

/* Of each colour, the first page that has not been named yet. */
struct naming {
	uint8_t next[HIGHMEM_MAX_COLOURS];
};

static struct naming no_names(void)
{
	struct naming naming = { 0 };

	for (unsigned int c = 0; c < space.colours; c++)
		naming.next[c] = (uint8_t)c;
	return naming;
}

/* The next name of the colour that @page has. */
static uint8_t *next_like(struct naming *naming, uint8_t page)
{
	return &naming->next[page % space.colours];
}

/*
 * When read task by task, the pages of a colour must first appear in order:
 * 0, 1, 2 without colours, 0, 2, 4 and 1, 3, 5 with two.
 */
static bool pages_in_order(const struct step *step, unsigned int nr,
			   struct naming *naming)
{
	for (unsigned int i = 0; i < nr; i++) {
		uint8_t *next = next_like(naming, step[i].page);

		if (!takes_page(step[i]))
			continue;
		if (step[i].page > *next)
			return false;
		if (step[i].page == *next)
			*next += (uint8_t)space.colours;
	}
	return true;
}

/* @names: of each page 1 + its new name, 0 if it has none yet. */
static struct step rename_page(struct step step, uint8_t *names,
			       struct naming *naming)
{
	uint8_t *next = next_like(naming, step.page);

	if (!takes_page(step))
		return step;
	if (names[step.page] == 0) {
		names[step.page] = *next + 1;
		*next += (uint8_t)space.colours;
	}
	step.page = names[step.page] - 1;
	return step;
}

static int compare_steps(struct step a, struct step b)
{
	if (a.kind != b.kind)
		return a.kind < b.kind ? -1 : 1;
	return a.page < b.page ? -1 : a.page > b.page;
}

/* The programs as strings, with the tasks in the order @order, pages renamed. */
static int compare_orders(const struct pick *pick, const unsigned int *order)
{
	uint8_t names[PROGRAM_MAX_HIGHMEM] = { 0 };
	struct naming naming = no_names();

	for (unsigned int t = 0; t < space.tasks; t++) {
		const struct sequence *a = &of_tasks.sequence[pick->part[t]];
		const struct sequence *b =
			&of_tasks.sequence[pick->part[order[t]]];

		if (a->nr != b->nr)
			return a->nr < b->nr ? 1 : -1;
		for (unsigned int i = 0; i < a->nr; i++) {
			int diff = compare_steps(a->step[i],
						 rename_page(b->step[i], names,
							     &naming));

			if (diff != 0)
				return diff;
		}
	}
	return 0;
}

/* No other order of the tasks gives a smaller string. */
static bool tasks_in_order(const struct pick *pick)
{
	unsigned int order[PROGRAM_MAX_TASKS];

	for (unsigned int i = space.handler_ops ? 1 : 0; i < space.tasks; i++) {
		for (unsigned int j = i + 1; j < space.tasks; j++) {
			for (unsigned int t = 0; t < space.tasks; t++)
				order[t] = t;
			order[i] = j;
			order[j] = i;
			if (compare_orders(pick, order) > 0)
				return false;
		}
	}
	return true;
}

static void keep(const struct pick *pick)
{
	if (nr_picks < MAX_PROGRAMS && tasks_in_order(pick))
		picks[nr_picks++] = *pick;
}

/* One that does nothing is none, and none is another search. */
static void pick_handler(struct pick *pick, struct naming naming)
{
	if (space.handler_ops == 0)
		keep(pick);
	for (unsigned int h = 1; h < of_handlers.nr; h++) {
		const struct sequence *s = &of_handlers.sequence[h];
		struct naming then = naming;

		pick->part[PROGRAM_MAX_TASKS] = h;
		if (pages_in_order(s->step, s->nr, &then))
			keep(pick);
	}
}

static void pick_tasks(struct pick *pick, unsigned int task,
		       struct naming naming)
{
	if (task == space.tasks) {
		pick_handler(pick, naming);
		return;
	}
	for (unsigned int i = 0; i < of_tasks.nr; i++) {
		const struct sequence *s = &of_tasks.sequence[i];
		struct naming then = naming;

		pick->part[task] = i;
		if (pages_in_order(s->step, s->nr, &then))
			pick_tasks(pick, task + 1, then);
	}
}

/* The whole alphabet on the machine: each program has less. */
static const char *subject_cannot(void)
{
	static struct program all;

	all = (struct program){ .machine = machine_of_space() };
	for (unsigned int k = 0; k < OP_NR_KINDS; k++)
		if (space.alphabet >> k & 1)
			all.ops[all.nr_ops++].kind = (uint8_t)k;
	if (space.handler_ops > 0 &&
	    !(program_kinds() & (1U << OP_GET | 1U << OP_LOCAL)))
		return "the subject has nothing that a handler could do: "
		       "leave irq out of --faults";
	return program_can(&all);
}

const char *space_open(const struct space *wanted)
{
	struct pick pick = { 0 };

	const char *why;

	if (wanted->slots % wanted->colours != 0)
		return "--slots must be a multiple of --colours";
	space = *wanted;
	why = subject_cannot();
	if (why)
		return why;
	nr_picks = 0;
	if (!picks)
		picks = malloc(MAX_PROGRAMS * sizeof(*picks));
	if (!picks || !make_list(&of_tasks, space.alphabet, space.ops) ||
	    !make_list(&of_handlers, HANDLER_ALPHABET & program_kinds(),
		       space.handler_ops))
		return "no memory for the list of programs";
	if (of_tasks.nr == MAX_SEQUENCES)
		return "too many programs: fewer --ops, --pages or --alphabet";
	pick_tasks(&pick, 0, no_names());
	if (nr_picks == MAX_PROGRAMS)
		return "too many programs: fewer --ops, --pages or --alphabet";
	return NULL;
}

unsigned int space_depth(const struct space *s)
{
	return s->ops + (s->handler_ops ? s->handler_ops : 1);
}

uint64_t space_size(void)
{
	return nr_picks;
}

/* ---- Number @index of them --------------------------------------------------------- */

static void append(struct program *program, unsigned int actor,
		   const struct step *step, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		program->ops[program->nr_ops++] = (struct op){
			.kind = step[i].kind,
			.actor = (uint8_t)actor,
			.arg = takes_page(step[i])
				       ? (uint8_t)(MACHINE_LOWMEM_PAGES +
						   step[i].page)
				       : 0,
		};
}

void space_program(uint64_t index, struct program *program)
{
	const struct pick *pick = &picks[index];

	*program = (struct program){
		.machine = machine_of_space(),
		.nr_tasks = space.tasks,
		.nr_irqs = space.handler_ops > 0,
	};
	for (unsigned int t = 0; t < space.tasks; t++) {
		const struct sequence *s = &of_tasks.sequence[pick->part[t]];

		program->task_cpu[t] = (uint8_t)t;
		append(program, t, s->step, s->nr);
	}
	if (space.handler_ops > 0) {
		const struct sequence *s =
			&of_handlers.sequence[pick->part[PROGRAM_MAX_TASKS]];

		append(program, PROGRAM_MAX_TASKS, s->step, s->nr);
	}
}
