/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "stress/explore/explore.h"

/*
 * Greedy: take something away, keep what still fails in the same way, until
 * nothing can go. An operation less shifts all steps after it, so the schedule
 * is looked for anew; a short search is enough, because the bound is small and
 * the program gets smaller.
 */

#define REFIND_SCHEDULES 6000

struct minimizer {
	struct program best;
	char sentence[192];
	uint32_t faults;
	uint64_t replays;
};

/* A number or the letter of a task: what may differ between two failures. */
static bool is_name(const char *s)
{
	if (*s >= '0' && *s <= '9')
		return true;
	return *s >= 'A' && *s <= 'J' && (s[1] == ' ' || s[1] == '\'');
}

static const char *skip_name(const char *s)
{
	while ((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'f') ||
	       *s == 'x' || (*s >= 'A' && *s <= 'J'))
		s++;
	return s;
}

bool same_kind(const char *a, const char *b)
{
	while (*a && *b) {
		if (is_name(a) && is_name(b)) {
			a = skip_name(a);
			b = skip_name(b);
		} else if (*a++ != *b++) {
			return false;
		}
	}
	return *a == *b;
}

static bool fails_alike(const struct minimizer *m,
			const struct exec_result *exec)
{
	return exec->verdict == EXEC_BUG &&
	       same_kind(exec->sentence, m->sentence);
}

static bool still_fails(struct minimizer *m, const struct program *candidate)
{
	const struct controlled_options options = { .faults = m->faults };
	static struct controlled_result result;

	m->replays++;
	controlled_run(candidate, &options, &result);
	return fails_alike(m, &result.exec);
}

static void take_choices(struct program *program,
			 const struct controlled_result *run)
{
	program->nr_choices = run->nr_choices;
	memcpy(program->choices, run->choices, sizeof(run->choices));
}

/* Fails as it is, or by some schedule near the default one. */
static bool refind(struct minimizer *m, struct program *candidate)
{
	struct search_options options = {
		.strategy = SEARCH_DFS,
		.faults = m->faults,
		.iterations = REFIND_SCHEDULES,
		.prune = true,
	};
	static struct search_result result;
	uint64_t seed = 1;

	if (still_fails(m, candidate))
		return true;
	for (options.max_preemptions = 0; options.max_preemptions <= 3;
	     options.max_preemptions++) {
		enum search_end end = search_program(candidate, &options, &seed,
						     &result);

		m->replays += result.schedules;
		if (end == SEARCH_BUG && fails_alike(m, &result.run.exec) &&
		    !result.run.too_many_choices) {
			take_choices(candidate, &result.run);
			return true;
		}
	}
	return false;
}

static bool keep_if_it_fails(struct minimizer *m, struct program *candidate)
{
	if (machine_can(&candidate->machine) || !refind(m, candidate))
		return false;
	m->best = *candidate;
	return true;
}

static bool drop_operations(struct minimizer *m)
{
	bool any = false;

	for (unsigned int i = m->best.nr_ops; i-- > 0;) {
		struct program candidate = m->best;

		candidate.nr_ops--;
		memmove(&candidate.ops[i], &candidate.ops[i + 1],
			(candidate.nr_ops - i) * sizeof(candidate.ops[0]));
		any |= keep_if_it_fails(m, &candidate);
	}
	return any;
}

static bool drop_choices(struct minimizer *m)
{
	bool any = false;

	for (unsigned int i = m->best.nr_choices; i-- > 0;) {
		struct program candidate = m->best;

		candidate.nr_choices--;
		memmove(&candidate.choices[i], &candidate.choices[i + 1],
			(candidate.nr_choices - i) *
				sizeof(candidate.choices[0]));
		if (!still_fails(m, &candidate))
			continue;
		m->best = candidate;
		any = true;
	}
	return any;
}

/* Does @op name a handler, or else a task? */
static bool names_kind(const struct op *op, bool irq)
{
	return op_arg(op->kind) == (irq ? OP_ARG_IRQ : OP_ARG_TASK);
}

/* Task or handler @actor goes, with all it does; those after it move up. */
static void remove_actor(struct program *p, unsigned int actor)
{
	bool irq = actor >= PROGRAM_MAX_TASKS;
	unsigned int nr = actor - (irq ? PROGRAM_MAX_TASKS : 0);
	unsigned int kept = 0;

	for (unsigned int i = 0; i < p->nr_ops; i++) {
		struct op op = p->ops[i];

		if (op.actor == actor || (names_kind(&op, irq) && op.arg == nr))
			continue;
		if (op.actor > actor && (op.actor >= PROGRAM_MAX_TASKS) == irq)
			op.actor--;
		if (names_kind(&op, irq) && op.arg > nr)
			op.arg--;
		p->ops[kept++] = op;
	}
	p->nr_ops = kept;
	for (unsigned int t = actor; !irq && t + 1 < p->nr_tasks; t++)
		p->task_cpu[t] = p->task_cpu[t + 1];
	for (unsigned int i = actor - PROGRAM_MAX_TASKS;
	     irq && i + 1 < p->nr_irqs; i++)
		p->irq_cpu[i] = p->irq_cpu[i + 1];
	p->nr_tasks -= !irq;
	p->nr_irqs -= irq;
	p->nr_choices = 0;
}

static bool drop_actors(struct minimizer *m)
{
	bool any = false;

	for (unsigned int a = PROGRAM_MAX_ACTORS; a-- > 0;) {
		struct program candidate = m->best;
		bool exists = a < PROGRAM_MAX_TASKS ? a < candidate.nr_tasks
						    : a - PROGRAM_MAX_TASKS <
							      candidate.nr_irqs;

		if (!exists ||
		    (a < PROGRAM_MAX_TASKS && candidate.nr_tasks == 1))
			continue;
		remove_actor(&candidate, a);
		any |= keep_if_it_fails(m, &candidate);
	}
	return any;
}

/* One field of the machine, made as small as it goes. */
static bool shrink_to(struct minimizer *m, size_t field, unsigned int value)
{
	struct program candidate = m->best;
	unsigned int *at = (unsigned int *)(void *)((char *)&candidate.machine +
						    field);

	if (*at <= value)
		return false;
	*at = value;
	return keep_if_it_fails(m, &candidate);
}

/* Use the lowest page that does it as well: p0 reads better than p11. */
static bool rename_pages(struct minimizer *m)
{
	bool any = false;

	for (unsigned int to = MACHINE_LOWMEM_PAGES; to < PROGRAM_MAX_PAGES;
	     to++) {
		struct program candidate = m->best;
		unsigned int from = PROGRAM_MAX_PAGES;

		for (unsigned int i = 0; i < candidate.nr_ops; i++) {
			struct op *op = &candidate.ops[i];

			if (op_arg(op->kind) != OP_ARG_PAGE || op->arg < to)
				continue;
			if (op->arg == to)
				from = to;
			if (op->arg < from)
				from = op->arg;
		}
		if (from == PROGRAM_MAX_PAGES)
			return any;
		for (unsigned int i = 0; i < candidate.nr_ops; i++)
			if (op_arg(candidate.ops[i].kind) == OP_ARG_PAGE &&
			    candidate.ops[i].arg == from)
				candidate.ops[i].arg = (uint8_t)to;
		if (from != to)
			any |= keep_if_it_fails(m, &candidate);
	}
	return any;
}

static unsigned int pages_used(const struct program *p)
{
	unsigned int nr = 1;

	for (unsigned int i = 0; i < p->nr_ops; i++)
		if (op_arg(p->ops[i].kind) == OP_ARG_PAGE &&
		    p->ops[i].arg >= MACHINE_LOWMEM_PAGES + nr)
			nr = p->ops[i].arg - MACHINE_LOWMEM_PAGES + 1;
	return nr;
}

static unsigned int cpus_used(const struct program *p)
{
	unsigned int nr = 1;

	for (unsigned int t = 0; t < p->nr_tasks; t++)
		if (p->task_cpu[t] >= nr)
			nr = p->task_cpu[t] + 1U;
	for (unsigned int i = 0; i < p->nr_irqs; i++)
		if (p->irq_cpu[i] >= nr)
			nr = p->irq_cpu[i] + 1U;
	return nr;
}

#define FIELD(name) offsetof(struct machine_config, name)

static bool shrink_machine(struct minimizer *m)
{
	struct program plain = m->best;
	bool any = false;

	any |= shrink_to(m, FIELD(nr_colours), 1);
	for (unsigned int slots = 2; slots <= 4; slots++)
		any |= shrink_to(m, FIELD(nr_slots), slots);
	any |= shrink_to(m, FIELD(local_depth), 4);
	any |= rename_pages(m);
	any |= shrink_to(m, FIELD(nr_pages), pages_used(&m->best));
	any |= shrink_to(m, FIELD(nr_cpus), cpus_used(&m->best));
	plain = m->best;
	plain.machine.pae = false;
	plain.machine.force_map = false;
	if (m->best.machine.pae || m->best.machine.force_map)
		any |= keep_if_it_fails(m, &plain);
	return any;
}

bool minimize_program(struct program *program, uint64_t *replays)
{
	static struct minimizer m;
	static struct controlled_result result;
	struct controlled_options options = { 0 };
	bool smaller;

	m.best = *program;
	m.faults = controlled_faults_of(program);
	m.replays = 1;
	options.faults = m.faults;
	controlled_run(program, &options, &result);
	if (result.exec.verdict != EXEC_BUG)
		return false;
	memcpy(m.sentence, result.exec.sentence, sizeof(m.sentence));
	do {
		smaller = drop_actors(&m);
		smaller |= drop_operations(&m);
		smaller |= drop_choices(&m);
		smaller |= shrink_machine(&m);
	} while (smaller);
	*program = m.best;
	*replays = m.replays;
	return true;
}
