/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "fuzz/sched/mutation.h"

/* Kinds as often as they matter to what several tasks do to each other. */
static const uint8_t kinds[] = {
	OP_KMAP,     OP_KMAP,	  OP_KMAP,     OP_KMAP,	   OP_KMAP,
	OP_KUNMAP,   OP_KUNMAP,	  OP_KUNMAP,   OP_KUNMAP,  OP_KUNMAP,
	OP_TRY,	     OP_TIMEOUT,  OP_TIMEOUT,  OP_GET,	   OP_LOCAL,
	OP_LOCAL,    OP_ATOMIC,	  OP_UNLOCAL,  OP_UNLOCAL, OP_WRITE,
	OP_WRITE,    OP_CHECK,	  OP_FLUSH,    OP_RAISE,   OP_YIELD,
	OP_MISORDER, OP_KILLABLE, OP_KILLABLE, OP_CANCEL,  OP_STRAY,
	OP_RELEASE,  OP_ADDRESS,  OP_STALE,
};

static uint8_t any_kind(const struct mutation *m)
{
	uint8_t kind = kinds[below(m, sizeof(kinds))];

	return kind == OP_RAISE && m->program->nr_irqs == 0 ? OP_KMAP : kind;
}

/* Often one that the program already names: tasks must meet. */
static uint8_t any_arg(const struct mutation *m, enum op_kind kind)
{
	const struct program *program = m->program;
	unsigned int nr_pages = program->machine.nr_pages;

	if (op_arg(kind) == OP_ARG_NONE)
		return 0;
	if (op_arg(kind) == OP_ARG_IRQ)
		return (uint8_t)below(m, program->nr_irqs);
	if (op_arg(kind) == OP_ARG_TASK)
		return (uint8_t)below(m, program->nr_tasks);
	if (program->nr_ops > 0 && !one_in(m, 3)) {
		const struct op *op = &program->ops[below(m, program->nr_ops)];

		if (op_arg(op->kind) == OP_ARG_PAGE)
			return op->arg;
	}
	if (one_in(m, 16))
		return (uint8_t)below(m, MACHINE_LOWMEM_PAGES);
	return (uint8_t)(MACHINE_LOWMEM_PAGES + below(m, nr_pages));
}

/* A task; a handler now and then. */
static uint8_t any_actor(const struct mutation *m)
{
	const struct program *program = m->program;

	if (program->nr_irqs > 0 && one_in(m, 6))
		return (uint8_t)(PROGRAM_MAX_TASKS + below(m, program->nr_irqs));
	return (uint8_t)below(m, program->nr_tasks);
}

static struct op any_op(const struct mutation *m)
{
	struct op op = { .kind = any_kind(m), .actor = any_actor(m) };

	op.arg = any_arg(m, op.kind);
	return op;
}

/* The step at which operation @at begins; 0 if it is not known. */
static uint32_t begin_of(const struct mutation *m, unsigned int at)
{
	return at < m->program->nr_ops && m->profile->op_end[at] != 0
		       ? m->profile->op_begin[at]
		       : 0;
}

static void put_op(const struct mutation *m, unsigned int at, struct op op)
{
	struct program *program = m->program;
	uint32_t begin = begin_of(m, at);

	memmove(&program->ops[at + 1], &program->ops[at],
		(program->nr_ops - at) * sizeof(program->ops[0]));
	program->ops[at] = op;
	program->nr_ops++;
	if (begin != 0) /* what it will take is a guess */
		shift_choices(m, begin, 1 + (int)below(m, 20));
}

static void drop_op(const struct mutation *m, unsigned int at)
{
	struct program *program = m->program;
	uint32_t begin = begin_of(m, at);

	if (begin != 0)
		shift_choices(m, begin, -(int)(m->profile->op_end[at] - begin));
	program->nr_ops--;
	memmove(&program->ops[at], &program->ops[at + 1],
		(program->nr_ops - at) * sizeof(program->ops[0]));
}

bool mutate_insert_op(const struct mutation *m)
{
	if (m->program->nr_ops >= SCHED_MOST_OPS)
		return false;
	put_op(m, below(m, m->program->nr_ops + 1), any_op(m));
	return true;
}

bool mutate_delete_op(const struct mutation *m)
{
	if (m->program->nr_ops == 0)
		return false;
	drop_op(m, below(m, m->program->nr_ops));
	return true;
}

/* Some operations in a row once more, perhaps by another actor. */
bool mutate_duplicate_op(const struct mutation *m)
{
	struct program *program = m->program;
	unsigned int nr = 1 + below(m, 3);
	unsigned int from;
	unsigned int to;
	int actor = one_in(m, 2) ? any_actor(m) : -1;
	struct op copies[3];

	if (program->nr_ops < nr || program->nr_ops + nr > SCHED_MOST_OPS)
		return false;
	from = below(m, program->nr_ops - nr + 1);
	to = below(m, program->nr_ops + 1);
	memcpy(copies, &program->ops[from], nr * sizeof(copies[0]));
	for (unsigned int i = nr; i-- > 0;) {
		if (actor >= 0)
			copies[i].actor = (uint8_t)actor;
		put_op(m, to, copies[i]);
	}
	return true;
}

bool mutate_swap_ops(const struct mutation *m)
{
	struct program *program = m->program;
	unsigned int a;
	unsigned int b;
	struct op op;

	if (program->nr_ops < 2)
		return false;
	a = below(m, program->nr_ops);
	b = other_than(m, program->nr_ops, a);
	op = program->ops[a];
	program->ops[a] = program->ops[b];
	program->ops[b] = op;
	return true;
}

bool mutate_change_kind(const struct mutation *m)
{
	struct op *op;
	enum op_arg was;

	if (m->program->nr_ops == 0)
		return false;
	op = &m->program->ops[below(m, m->program->nr_ops)];
	was = op_arg(op->kind);
	op->kind = any_kind(m);
	if (op_arg(op->kind) != was)
		op->arg = any_arg(m, op->kind);
	return true;
}

bool mutate_change_arg(const struct mutation *m)
{
	struct op *op;

	if (m->program->nr_ops == 0)
		return false;
	op = &m->program->ops[below(m, m->program->nr_ops)];
	op->arg = any_arg(m, op->kind);
	return op_arg(op->kind) != OP_ARG_NONE;
}

bool mutate_change_actor(const struct mutation *m)
{
	if (m->program->nr_ops == 0)
		return false;
	m->program->ops[below(m, m->program->nr_ops)].actor = any_actor(m);
	return true;
}
