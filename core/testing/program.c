/* SPDX-License-Identifier: MIT */
#include "core/testing/program.h"

#include <highmem/format.h>

#include "core/testing/prng.h"

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

/* ---- Text out --------------------------------------------------------------- */

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
			       "depth=%u pae=%s force=%s\n",
			       m->nr_cpus, m->nr_slots, m->nr_pages,
			       m->nr_colours, m->local_depth,
			       m->pae ? "yes" : "no",
			       m->force_map ? "yes" : "no");
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

size_t choice_print(const struct choice *choice, char *buf, size_t size)
{
	static const char *const suffix[CHOICE_NR_KINDS] = {
		[CHOICE_RUN] = "",
		[CHOICE_TIMEOUT] = ":timeout",
		[CHOICE_SPURIOUS] = ":spurious",
	};
	unsigned int step = choice->step;

	switch ((enum choice_kind)choice->kind) {
	case CHOICE_IRQ:
		return hm_format(buf, size, "%u=irq:%c", step,
				 actor_letter(PROGRAM_MAX_TASKS + choice->arg));
	case CHOICE_HOLD:
		return hm_format(buf, size, "%u=hold", step);
	case CHOICE_DRAIN:
		return hm_format(buf, size, "%u=drain:%u", step, choice->arg);
	default:
		return hm_format(buf, size, "%u=%c%s", step,
				 actor_letter(choice->arg),
				 suffix[choice->kind]);
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
			sink->len += hm_format(sink_at(sink), sink_left(sink),
					       "choices:");
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
	return sink.len;
}

/* ---- Bytes ------------------------------------------------------------------ */

static unsigned int nibble(uint8_t byte, unsigned int which)
{
	return (byte >> (4 * which)) & 15;
}

static void decode_machine(struct program *program, const uint8_t *header)
{
	struct machine_config *m = &program->machine;

	*m = (struct machine_config){
		.nr_cpus = 1 + header[0] % HIGHMEM_MAX_CPUS,
		.nr_slots = 2 + header[1] % (PROGRAM_MAX_SLOTS - 1),
		.nr_pages = 1 + header[2] % PROGRAM_MAX_HIGHMEM,
		.nr_colours = 1U << (header[3] & 3),
		.pae = (header[3] & 4) != 0,
		.force_map = (header[3] & 8) != 0,
		.local_depth = 1 + nibble(header[3], 1),
	};
	/* Slots are a multiple of colours: round up, 64 is one of all. */
	m->nr_slots = (m->nr_slots + m->nr_colours - 1) & ~(m->nr_colours - 1);
	program->nr_tasks = 1 + (header[4] & 3);
	program->nr_irqs = (header[4] >> 2) % (PROGRAM_MAX_IRQS + 1);
	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		program->task_cpu[t] = (uint8_t)(nibble(header[5 + t / 2],
							t % 2) %
						 m->nr_cpus);
	for (unsigned int i = 0; i < PROGRAM_MAX_IRQS; i++)
		program->irq_cpu[i] = (uint8_t)(nibble(header[7], i) %
						m->nr_cpus);
}

static void decode_op(const struct program *program, struct op *op,
		      const uint8_t *bytes)
{
	unsigned int nr_actors = program->nr_tasks + program->nr_irqs;
	unsigned int actor = (bytes[0] & 7) % nr_actors;

	if (actor >= program->nr_tasks)
		actor += PROGRAM_MAX_TASKS - program->nr_tasks;
	op->actor = (uint8_t)actor;
	op->kind = (uint8_t)((bytes[0] >> 3) % OP_NR_KINDS);
	op->arg = 0;
	if (op->kind == OP_RAISE && program->nr_irqs == 0)
		op->kind = OP_YIELD;
	if (op_arg(op->kind) == OP_ARG_PAGE)
		op->arg = (uint8_t)(bytes[1] % (MACHINE_LOWMEM_PAGES +
						program->machine.nr_pages));
	else if (op->kind == OP_RAISE && program->nr_irqs > 0)
		op->arg = (uint8_t)(bytes[1] % program->nr_irqs);
}

/*
 * The upper five bits of the first byte tell an operation from a choice; the
 * second byte of a choice is its distance in steps from the one before. A
 * distance above 255 takes fillers, which are choices of nothing.
 */
#define FIRST_CHOICE_CODE 28
#define CODE_RUN 28   /* task; FILLER */
#define CODE_WAKE 29  /* task; WAKE_SPURIOUS */
#define CODE_LOCAL 30 /* handler; LOCAL_HOLD */
#define CODE_DRAIN 31 /* CPU */
#define FILLER 4
#define WAKE_SPURIOUS 4
#define LOCAL_HOLD 4
#define MAX_DISTANCE 255

static bool decode_choice_kind(const struct program *program,
			       struct choice *choice, unsigned int code,
			       unsigned int arg)
{
	choice->arg = (uint8_t)(arg & 3);
	switch (code) {
	case CODE_RUN:
		choice->kind = CHOICE_RUN;
		return arg != FILLER && choice->arg < program->nr_tasks;
	case CODE_WAKE:
		choice->kind = arg & WAKE_SPURIOUS ? CHOICE_SPURIOUS
						   : CHOICE_TIMEOUT;
		return choice->arg < program->nr_tasks;
	case CODE_LOCAL:
		choice->kind = arg & LOCAL_HOLD ? CHOICE_HOLD : CHOICE_IRQ;
		if (choice->kind == CHOICE_HOLD)
			choice->arg = 0;
		return choice->kind == CHOICE_HOLD ||
		       choice->arg < program->nr_irqs;
	default:
		choice->kind = CHOICE_DRAIN;
		choice->arg = (uint8_t)arg;
		return arg < program->machine.nr_cpus;
	}
}

/* @step: that of the choice before; moves on. */
static void decode_choice(struct program *program, uint32_t *step,
			  const uint8_t *bytes)
{
	struct choice choice = { .step = *step + bytes[1] };

	if (choice.step > CHOICE_MAX_STEP)
		return;
	*step = choice.step;
	if (choice.step == 0 || program->nr_choices == PROGRAM_MAX_CHOICES ||
	    !decode_choice_kind(program, &choice, bytes[0] >> 3, bytes[0] & 7))
		return;
	program->choices[program->nr_choices++] = choice;
}

static unsigned int choice_code(const struct choice *choice)
{
	switch ((enum choice_kind)choice->kind) {
	case CHOICE_RUN:
		return CODE_RUN << 3 | choice->arg;
	case CHOICE_TIMEOUT:
		return CODE_WAKE << 3 | choice->arg;
	case CHOICE_SPURIOUS:
		return CODE_WAKE << 3 | WAKE_SPURIOUS | choice->arg;
	case CHOICE_IRQ:
		return CODE_LOCAL << 3 | choice->arg;
	case CHOICE_HOLD:
		return CODE_LOCAL << 3 | LOCAL_HOLD;
	default:
		return CODE_DRAIN << 3 | choice->arg;
	}
}

/* Returns the number of bytes, 0 if they do not fit. */
static size_t encode_choices(const struct program *program, uint8_t *bytes,
			     size_t size)
{
	uint32_t step = 0;
	size_t len = 0;

	for (unsigned int i = 0; i < program->nr_choices; i++) {
		const struct choice *choice = &program->choices[i];

		while (choice->step - step > MAX_DISTANCE && len + 2 <= size) {
			bytes[len++] = CODE_RUN << 3 | FILLER;
			bytes[len++] = MAX_DISTANCE;
			step += MAX_DISTANCE;
		}
		if (len + 2 > size)
			return 0;
		bytes[len++] = (uint8_t)choice_code(choice);
		bytes[len++] = (uint8_t)(choice->step - step);
		step = choice->step;
	}
	return len;
}

void program_decode(struct program *program, const uint8_t *bytes, size_t len)
{
	uint8_t header[PROGRAM_HEADER_BYTES] = { 0 };
	size_t at = PROGRAM_HEADER_BYTES;
	uint32_t step = 0;

	for (size_t i = 0; i < PROGRAM_HEADER_BYTES && i < len; i++)
		header[i] = bytes[i];
	decode_machine(program, header);
	program->nr_ops = 0;
	program->nr_choices = 0;
	for (; at + 2 <= len; at += 2) {
		if (bytes[at] >> 3 >= FIRST_CHOICE_CODE)
			decode_choice(program, &step, bytes + at);
		else if (program->nr_ops < PROGRAM_MAX_OPS)
			decode_op(program, &program->ops[program->nr_ops++],
				  bytes + at);
	}
}

static void encode_header(const struct program *program, uint8_t *header)
{
	const struct machine_config *m = &program->machine;

	header[0] = (uint8_t)(m->nr_cpus - 1);
	header[1] = (uint8_t)(m->nr_slots - 2);
	header[2] = (uint8_t)(m->nr_pages - 1);
	header[3] = (uint8_t)((unsigned int)__builtin_ctz(m->nr_colours) |
			      (unsigned int)m->pae << 2 |
			      (unsigned int)m->force_map << 3 |
			      (m->local_depth - 1) << 4);
	header[4] = (uint8_t)((program->nr_tasks - 1) | program->nr_irqs << 2);
	header[5] = (uint8_t)(program->task_cpu[0] | program->task_cpu[1] << 4);
	header[6] = (uint8_t)(program->task_cpu[2] | program->task_cpu[3] << 4);
	header[7] = (uint8_t)(program->irq_cpu[0] | program->irq_cpu[1] << 4);
}

size_t program_encode(const struct program *program, uint8_t *bytes,
		      size_t size)
{
	size_t len = PROGRAM_HEADER_BYTES + 2 * program->nr_ops;
	size_t choices;

	if (size < len)
		return 0;
	encode_header(program, bytes);
	for (unsigned int i = 0; i < program->nr_ops; i++) {
		uint8_t *at = bytes + PROGRAM_HEADER_BYTES + 2 * i;
		const struct op *op = &program->ops[i];
		unsigned int actor = op->actor;

		if (actor >= PROGRAM_MAX_TASKS)
			actor -= PROGRAM_MAX_TASKS - program->nr_tasks;
		at[0] = (uint8_t)(actor | (unsigned int)op->kind << 3);
		at[1] = op->arg;
	}
	choices = encode_choices(program, bytes + len, size - len);
	return choices == 0 && program->nr_choices > 0 ? 0 : len + choices;
}

/* ---- Random ----------------------------------------------------------------- */

/*
 * Mapping and unmapping in balance, the rest now and then. Swarm: a program
 * leaves out about a quarter of the kinds, so that what it does do goes
 * deeper.
 */
static const uint8_t op_weight[OP_NR_KINDS] = {
	[OP_KMAP] = 24,	   [OP_KUNMAP] = 24, [OP_TRY] = 6,    [OP_TIMEOUT] = 3,
	[OP_GET] = 6,	   [OP_LOCAL] = 10,  [OP_ATOMIC] = 4, [OP_UNLOCAL] = 14,
	[OP_MISORDER] = 1, [OP_WRITE] = 8,   [OP_CHECK] = 4,  [OP_FLUSH] = 3,
	[OP_RAISE] = 5,	   [OP_YIELD] = 2,
};

static uint32_t swarm_kinds(uint64_t *seed)
{
	uint32_t kinds = (1U << OP_KMAP) | (1U << OP_KUNMAP) |
			 (1U << OP_UNLOCAL);

	for (unsigned int kind = 0; kind < OP_NR_KINDS; kind++)
		if (prng_below(seed, 4) != 0)
			kinds |= 1U << kind;
	return kinds;
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
	program->nr_tasks = nr_tasks;
	program->nr_irqs = PROGRAM_MAX_IRQS;
	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		program->task_cpu[t] = (uint8_t)(t % machine->nr_cpus);
	for (unsigned int i = 0; i < PROGRAM_MAX_IRQS; i++)
		program->irq_cpu[i] = (uint8_t)((cpus >> (8 * i)) %
						machine->nr_cpus);
	program->nr_ops = 0;
	program->nr_choices = 0;
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
		decode_op(program, &program->ops[program->nr_ops++], bytes);
	}
}
