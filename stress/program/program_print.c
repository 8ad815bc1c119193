/* SPDX-License-Identifier: MIT */
#include "stress/program/program.h"

#include <highmem/format.h>

size_t op_print(const struct op *op, char *buf, size_t size)
{
	const char *name = op_name(op->kind);
	bool low = op->arg < MACHINE_LOWMEM_PAGES;

	switch (op_arg(op->kind)) {
	case OP_ARG_PAGE:
		return hm_format(buf, size, "%s %c%u", name, low ? 'l' : 'p',
				 low ? op->arg
				     : op->arg - MACHINE_LOWMEM_PAGES);
	case OP_ARG_IRQ:
		return hm_format(buf, size, "%s %c", name,
				 actor_letter(PROGRAM_MAX_TASKS + op->arg));
	case OP_ARG_TASK:
		return hm_format(buf, size, "%s %c", name,
				 actor_letter(op->arg));
	default:
		return hm_format(buf, size, "%s", name);
	}
}

/* Where the next piece of text goes; counts on past the end. */
struct sink {
	char *buf;
	size_t size;
	size_t len;
};

static char *sink_at(const struct sink *sink)
{
	return sink->len < sink->size ? sink->buf + sink->len : NULL;
}

static size_t sink_left(const struct sink *sink)
{
	return sink->len < sink->size ? sink->size - sink->len : 0;
}

static void print_machine(struct sink *sink, const struct machine_config *m)
{
	sink->len += hm_format(sink_at(sink), sink_left(sink),
			       "machine cpus=%u slots=%u pages=%u colours=%u "
			       "depth=%u pae=%s force=%s%s%s%s%s\n",
			       m->nr_cpus, m->nr_slots, m->nr_pages,
			       m->nr_colours, m->local_depth,
			       m->pae ? "yes" : "no",
			       m->force_map ? "yes" : "no",
			       m->nested_irqs ? " nested=yes" : "",
			       m->sparse_cpus ? " sparse=yes" : "",
			       m->full_flush ? " full=yes" : "",
			       m->holes ? " holes=yes" : "");
}

static void print_actors(struct sink *sink, const struct program *program)
{
	for (unsigned int t = 0; t < program->nr_tasks; t++)
		sink->len += hm_format(sink_at(sink), sink_left(sink),
				       "task %c cpu=%u\n", actor_letter(t),
				       program->task_cpu[t]);
	for (unsigned int i = 0; i < program->nr_irqs; i++)
		sink->len += hm_format(sink_at(sink), sink_left(sink),
				       "irq %c cpu=%u\n",
				       actor_letter(PROGRAM_MAX_TASKS + i),
				       program->irq_cpu[i]);
}

/* How a kind is written after "N=", and what stands behind that. */
static const struct {
	const char *name;
	enum {
		ARG_NONE,
		ARG_TASK_FIRST,
		ARG_IRQ,
		ARG_CPU,
		ARG_ALLOC
	} arg;
} choice_table[CHOICE_NR_KINDS] = {
	[CHOICE_RUN] = { "", ARG_TASK_FIRST },
	[CHOICE_TIMEOUT] = { ":timeout", ARG_TASK_FIRST },
	[CHOICE_SPURIOUS] = { ":spurious", ARG_TASK_FIRST },
	[CHOICE_CANCEL] = { ":cancel", ARG_TASK_FIRST },
	[CHOICE_IRQ] = { "irq:", ARG_IRQ },
	[CHOICE_HOLD] = { "hold", ARG_NONE },
	[CHOICE_DELAY] = { "delay", ARG_NONE },
	[CHOICE_DRAIN] = { "drain:", ARG_CPU },
	[CHOICE_MIGRATE] = { "migrate:", ARG_CPU },
	[CHOICE_ACK] = { "ack:", ARG_CPU },
	[CHOICE_DROP] = { "drop:", ARG_CPU },
	[CHOICE_ALLOC] = { "alloc:", ARG_ALLOC },
	[CHOICE_ALLOC_ON] = { "alloc:", ARG_ALLOC },
	[CHOICE_OFFLINE] = { "offline:", ARG_CPU },
	[CHOICE_ONLINE] = { "online:", ARG_CPU },
};

size_t choice_print(const struct choice *choice, char *buf, size_t size)
{
	const char *name = choice_table[choice->kind].name;
	unsigned int step = choice->step;

	switch (choice_table[choice->kind].arg) {
	case ARG_TASK_FIRST:
		return hm_format(buf, size, "%u=%c%s", step,
				 actor_letter(choice->arg), name);
	case ARG_IRQ:
		return hm_format(buf, size, "%u=%s%c", step, name,
				 actor_letter(PROGRAM_MAX_TASKS + choice->arg));
	case ARG_CPU:
		return hm_format(buf, size, "%u=%s%u", step, name, choice->arg);
	case ARG_ALLOC:
		return hm_format(buf, size, "%u=%s%u%s", step, name,
				 choice->arg + 1U,
				 choice->kind == CHOICE_ALLOC ? "" : ":on");
	default:
		return hm_format(buf, size, "%u=%s", step, name);
	}
}

#define CHOICES_PER_LINE 8

static void print_choices(struct sink *sink, const struct program *program)
{
	for (unsigned int i = 0; i < program->nr_choices; i++) {
		bool first = i % CHOICES_PER_LINE == 0;
		bool last = i % CHOICES_PER_LINE == CHOICES_PER_LINE - 1 ||
			    i + 1 == program->nr_choices;

		if (first)
			sink->len += hm_format(
				sink_at(sink), sink_left(sink),
				"choices v%u:", PROGRAM_CHOICES_VERSION);
		sink->len += hm_format(sink_at(sink), sink_left(sink), " ");
		sink->len += choice_print(&program->choices[i], sink_at(sink),
					  sink_left(sink));
		if (last)
			sink->len += hm_format(sink_at(sink), sink_left(sink),
					       "\n");
	}
}

size_t program_print(const struct program *program, char *buf, size_t size)
{
	struct sink sink = { buf, size, 0 };

	if (size > 0)
		buf[0] = '\0';
	print_machine(&sink, &program->machine);
	print_actors(&sink, program);
	for (unsigned int i = 0; i < program->nr_ops; i++) {
		const struct op *op = &program->ops[i];
		bool first = i == 0 || op[-1].actor != op->actor;
		bool last = i + 1 == program->nr_ops ||
			    op[1].actor != op->actor;

		if (first)
			sink.len += hm_format(sink_at(&sink), sink_left(&sink),
					      "%c: ", actor_letter(op->actor));
		sink.len += op_print(op, sink_at(&sink), sink_left(&sink));
		sink.len += hm_format(sink_at(&sink), sink_left(&sink), "%s",
				      last ? "\n" : "; ");
	}
	print_choices(&sink, program);
	if (program->calm_after != 0)
		sink.len += hm_format(sink_at(&sink), sink_left(&sink),
				      "calm after %u\n",
				      (unsigned int)program->calm_after);
	return sink.len;
}
