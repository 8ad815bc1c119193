/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "stress/explore/explore.h"

/*
 * Take something away, keep what still fails in the same way, until nothing can
 * go: pieces first, then one by one (Zeller and Hildebrandt, 2002). Choices go
 * before operations, because each costs one run, and the fewer there are, the
 * fewer classes of faults the rest has to be searched with. An operation less
 * shifts all steps after it, so the schedule is looked for anew: by short
 * searches until nothing gets smaller, then by longer ones, since the program is
 * small by then.
 */

#define QUICK_SCHEDULES 200
#define THOROUGH_SCHEDULES 4000
#define MOST_DEVIATIONS 3
#define PCT_DEPTH 3

struct minimizer {
	struct program best;
	char sentence[192];
	uint32_t faults;
	uint64_t replays;
	uint64_t most_replays; /* then no more searches begin */
	uint64_t schedules;    /* of one search */
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

/* Choices that cost depth-first search something. */
static unsigned int deviations(const struct program *program)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < program->nr_choices; i++)
		nr += program->choices[i].kind != CHOICE_DRAIN &&
		      program->choices[i].step > 0;
	return nr;
}

/* By some schedule that the strategy comes to. */
static bool search_again(struct minimizer *m, struct program *candidate,
			 enum search_strategy strategy, unsigned int bound)
{
	const struct search_options options = {
		.strategy = strategy,
		.faults = m->faults,
		.max_preemptions = bound,
		.max_steps = candidate->calm_after,
		.depth = PCT_DEPTH,
		.iterations = m->schedules,
		.prune = true,
	};
	static struct search_result result;
	uint64_t seed = 1;
	enum search_end end;

	if (m->replays >= m->most_replays)
		return false;
	end = search_program(candidate, &options, &seed, &result);
	m->replays += result.schedules;
	if (end != SEARCH_BUG || !fails_alike(m, &result.run.exec))
		return false;
	controlled_record(candidate, &result.run);
	return true;
}

static bool drop_choices(struct minimizer *m);

/* If it fails as it is, or by another schedule. */
static bool keep_if_it_fails(struct minimizer *m, struct program *candidate)
{
	bool as_it_is;

	if (program_can(candidate))
		return false;
	as_it_is = still_fails(m, candidate);
	if (!as_it_is && !search_again(m, candidate, SEARCH_PORTFOLIO, 0))
		return false;
	m->best = *candidate;
	if (!as_it_is)
		drop_choices(m);
	return true;
}

static void remove_ops(struct program *p, unsigned int from, unsigned int nr)
{
	p->nr_ops -= nr;
	memmove(&p->ops[from], &p->ops[from + nr],
		(p->nr_ops - from) * sizeof(p->ops[0]));
}

static void remove_choices(struct program *p, unsigned int from,
			   unsigned int nr)
{
	p->nr_choices -= nr;
	memmove(&p->choices[from], &p->choices[from + nr],
		(p->nr_choices - from) * sizeof(p->choices[0]));
}

/* @piece operations at a time, from the end. */
static bool drop_pieces_of_operations(struct minimizer *m, unsigned int piece)
{
	bool any = false;

	for (unsigned int i = m->best.nr_ops; i >= piece;) {
		struct program candidate = m->best;

		i -= piece;
		remove_ops(&candidate, i, piece);
		if (keep_if_it_fails(m, &candidate)) {
			any = true;
			if (i > m->best.nr_ops)
				i = m->best.nr_ops;
		} else {
			i += piece - 1;
		}
	}
	return any;
}

static bool drop_operations(struct minimizer *m)
{
	bool any = false;

	for (unsigned int piece = m->best.nr_ops / 2; piece > 1; piece /= 2)
		any |= drop_pieces_of_operations(m, piece);
	return drop_pieces_of_operations(m, 1) || any;
}

static bool drop_pieces_of_choices(struct minimizer *m, unsigned int piece)
{
	bool any = false;

	for (unsigned int i = m->best.nr_choices; i >= piece;) {
		struct program candidate = m->best;

		i -= piece;
		remove_choices(&candidate, i, piece);
		if (!still_fails(m, &candidate)) {
			i += piece - 1;
			continue;
		}
		m->best = candidate;
		any = true;
	}
	return any;
}

static bool drop_choices(struct minimizer *m)
{
	bool any = false;

	for (unsigned int piece = m->best.nr_choices / 2; piece > 1; piece /= 2)
		any |= drop_pieces_of_choices(m, piece);
	any |= drop_pieces_of_choices(m, 1);
	m->faults = controlled_faults_of(&m->best);
	return any;
}

/* Another schedule with fewer deviations. */
static bool find_fewer_choices(struct minimizer *m)
{
	unsigned int most = deviations(&m->best);

	for (unsigned int bound = 0; bound < most && bound < MOST_DEVIATIONS;
	     bound++) {
		struct program candidate = m->best;

		if (!search_again(m, &candidate, SEARCH_DFS, bound) ||
		    candidate.nr_choices >= m->best.nr_choices)
			continue;
		m->best = candidate;
		return true;
	}
	return false;
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
	for (unsigned int c = 0; c < p->nr_choices; c++)
		if (choice_names_cpu(p->choices[c].kind) &&
		    p->choices[c].arg >= nr)
			nr = p->choices[c].arg + 1U;
	return nr;
}

#define FIELD(name) offsetof(struct machine_config, name)

/* @field: the place of a bool in the machine. */
static bool switch_off(struct minimizer *m, size_t field)
{
	struct program plain = m->best;
	bool *setting = (bool *)((char *)&plain.machine + field);

	if (!*setting)
		return false;
	*setting = false;
	return keep_if_it_fails(m, &plain);
}

static bool shrink_machine(struct minimizer *m)
{
	bool any = false;

	any |= shrink_to(m, FIELD(nr_colours), 1);
	for (unsigned int slots = 2; slots <= 4; slots++)
		any |= shrink_to(m, FIELD(nr_slots), slots);
	any |= shrink_to(m, FIELD(local_depth), 4);
	any |= rename_pages(m);
	any |= shrink_to(m, FIELD(nr_pages), pages_used(&m->best));
	any |= shrink_to(m, FIELD(nr_cpus), cpus_used(&m->best));
	any |= switch_off(m, FIELD(pae));
	any |= switch_off(m, FIELD(force_map));
	any |= switch_off(m, FIELD(nested_irqs));
	any |= switch_off(m, FIELD(sparse_cpus));
	any |= switch_off(m, FIELD(full_flush));
	any |= switch_off(m, FIELD(holes));
	return any;
}

/* Until nothing gets smaller. */
static void shrink(struct minimizer *m, uint64_t schedules)
{
	bool smaller;

	m->schedules = schedules;
	do {
		smaller = drop_actors(m);
		smaller |= drop_operations(m);
		smaller |= find_fewer_choices(m);
		smaller |= drop_choices(m);
		smaller |= shrink_machine(m);
	} while (smaller);
}

/* Calm as soon as all choices are played; what spins is not to spin for long. */
static void calm_early(struct minimizer *m)
{
	struct program *p = &m->best;
	uint32_t last = p->nr_choices ? p->choices[p->nr_choices - 1].step : 0;
	uint32_t whole = p->calm_after;

	if (strncmp(m->sentence, "liveness: ", 10) != 0)
		return;
	p->calm_after = last ? last : 1;
	for (; p->calm_after < whole; p->calm_after *= 2)
		if (still_fails(m, p))
			return;
	p->calm_after = whole;
}

bool minimize_program(struct program *program, uint64_t most_replays,
		      uint64_t *replays)
{
	static struct minimizer m;
	static struct controlled_result result;
	struct controlled_options options = { 0 };

	m.best = *program;
	m.faults = controlled_faults_of(program);
	m.replays = 1;
	m.most_replays = most_replays;
	options.faults = m.faults;
	controlled_run(program, &options, &result);
	if (result.exec.verdict != EXEC_BUG)
		return false;
	memcpy(m.sentence, result.exec.sentence, sizeof(m.sentence));
	controlled_record(&m.best, &result);
	calm_early(&m);
	drop_choices(&m);
	calm_early(&m);
	for (uint64_t n = QUICK_SCHEDULES; n <= THOROUGH_SCHEDULES; n *= 4)
		shrink(&m, n);
	*program = m.best;
	*replays = m.replays;
	return true;
}
