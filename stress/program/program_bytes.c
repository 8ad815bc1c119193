/* SPDX-License-Identifier: MIT */
#include "stress/program/parser.h"

/* In byte 0, above the number of CPUs. */
#define HEADER_VERSION_SHIFT 4

/* In byte 4, above the numbers of tasks and handlers. */
#define HEADER_NESTED 0x40
#define HEADER_SPARSE 0x80

/*
 * Between them four bits that were those of the handlers alone, as any number:
 * their number, and three times what else the machine has.
 */
#define HEADER_IRQS(header) ((header)[4] >> 2 & 15)
#define HEADER_MORE(header) (HEADER_IRQS(header) / (PROGRAM_MAX_IRQS + 1))
#define MORE_FULL 1
#define MORE_HOLES 2

_Static_assert(PROGRAM_CHOICES_VERSION > 0 && PROGRAM_CHOICES_VERSION < 16,
	       "the header has four bits for it");

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
		.nested_irqs = (header[4] & HEADER_NESTED) != 0,
		.sparse_cpus = (header[4] & HEADER_SPARSE) != 0,
		.full_flush = (HEADER_MORE(header) & MORE_FULL) != 0,
		.holes = (HEADER_MORE(header) & MORE_HOLES) != 0,
		.local_depth = 1 + nibble(header[3], 1),
	};
	/* Slots are a multiple of colours: round up, 64 is one of all. */
	m->nr_slots = (m->nr_slots + m->nr_colours - 1) & ~(m->nr_colours - 1);
	program->nr_tasks = 1 + (header[4] & 3);
	program->nr_irqs = HEADER_IRQS(header) % (PROGRAM_MAX_IRQS + 1);
	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		program->task_cpu[t] = (uint8_t)(nibble(header[5 + t / 2],
							t % 2) %
						 m->nr_cpus);
	for (unsigned int i = 0; i < PROGRAM_MAX_IRQS; i++)
		program->irq_cpu[i] = (uint8_t)(nibble(header[7], i) %
						m->nr_cpus);
}

void op_decode(const struct program *program, struct op *op,
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
	else if (op->kind == OP_CANCEL)
		op->arg = (uint8_t)(bytes[1] % program->nr_tasks);
}

/*
 * The upper five bits of the first byte tell an operation from a choice; the
 * second byte of a choice is its distance in steps from the one before. A
 * distance above 255 takes fillers, which are choices of nothing.
 */
#define FIRST_CHOICE_CODE 20
#define CODE_OFFLINE 20	 /* CPU */
#define CODE_ONLINE 21	 /* CPU */
#define CODE_ALLOC 22	 /* allocation - 1 */
#define CODE_ALLOC_ON 23 /* the same */
#define CODE_CANCEL 24	 /* task; CANCEL_DELAY */
#define CODE_ACK 26	 /* CPU */
#define CODE_DROP 27	 /* CPU */
#define CANCEL_DELAY 4
#define CODE_MIGRATE 25 /* CPU */
#define CODE_RUN 28	/* task; FILLER */
#define CODE_WAKE 29	/* task; WAKE_SPURIOUS */
#define CODE_LOCAL 30	/* handler; LOCAL_HOLD */
#define CODE_DRAIN 31	/* CPU */
#define FILLER 4
#define WAKE_SPURIOUS 4
#define LOCAL_HOLD 4
#define MAX_DISTANCE 255

_Static_assert(OP_NR_KINDS <= FIRST_CHOICE_CODE,
	       "the codes of operations and of choices do not meet");

/* The kind of a choice with a number; CHOICE_NR_KINDS: none has that code. */
static enum choice_kind kind_of_code(unsigned int code)
{
	switch (code) {
	case CODE_OFFLINE:
		return CHOICE_OFFLINE;
	case CODE_ONLINE:
		return CHOICE_ONLINE;
	case CODE_ALLOC:
		return CHOICE_ALLOC;
	case CODE_ALLOC_ON:
		return CHOICE_ALLOC_ON;
	case CODE_ACK:
		return CHOICE_ACK;
	case CODE_DROP:
		return CHOICE_DROP;
	case CODE_MIGRATE:
		return CHOICE_MIGRATE;
	case CODE_DRAIN:
		return CHOICE_DRAIN;
	default:
		return CHOICE_NR_KINDS;
	}
}

/* Whether the program has what it names is seen later. */
static bool decode_choice_kind(struct choice *choice, unsigned int code,
			       unsigned int arg)
{
	choice->arg = (uint8_t)(arg & 3);
	switch (code) {
	case CODE_RUN:
		choice->kind = CHOICE_RUN;
		return arg != FILLER;
	case CODE_WAKE:
		choice->kind = arg & WAKE_SPURIOUS ? CHOICE_SPURIOUS
						   : CHOICE_TIMEOUT;
		return true;
	case CODE_CANCEL:
		choice->kind = arg == CANCEL_DELAY ? CHOICE_DELAY
						   : CHOICE_CANCEL;
		return arg <= CANCEL_DELAY;
	case CODE_LOCAL:
		choice->kind = arg & LOCAL_HOLD ? CHOICE_HOLD : CHOICE_IRQ;
		if (choice->kind == CHOICE_HOLD)
			choice->arg = 0;
		return true;
	default:
		choice->kind = (uint8_t)kind_of_code(code);
		choice->arg = (uint8_t)arg;
		return choice->kind != CHOICE_NR_KINDS;
	}
}

/*
 * Bytes that name no version were never meant to have choices: what looks like
 * some is a fuzzer's play, and no reason to refuse them.
 */
static bool version_is_wrong(unsigned int version)
{
	return version != 0 && version != PROGRAM_CHOICES_VERSION;
}

/* @step: that of the choice before; moves on. */
static void decode_choice(struct program *program, uint32_t *step,
			  const uint8_t *bytes)
{
	struct choice choice = { .step = *step + bytes[1] };

	if (choice.step > CHOICE_MAX_STEP)
		return;
	*step = choice.step;
	if (program->nr_choices < PROGRAM_MAX_CHOICES &&
	    decode_choice_kind(&choice, bytes[0] >> 3, bytes[0] & 7) &&
	    choice_fits(program, &choice))
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
	case CHOICE_MIGRATE:
		return CODE_MIGRATE << 3 | choice->arg;
	case CHOICE_ACK:
		return CODE_ACK << 3 | choice->arg;
	case CHOICE_DROP:
		return CODE_DROP << 3 | choice->arg;
	case CHOICE_ALLOC:
		return CODE_ALLOC << 3 | choice->arg;
	case CHOICE_ALLOC_ON:
		return CODE_ALLOC_ON << 3 | choice->arg;
	case CHOICE_OFFLINE:
		return CODE_OFFLINE << 3 | choice->arg;
	case CHOICE_ONLINE:
		return CODE_ONLINE << 3 | choice->arg;
	case CHOICE_DELAY:
		return CODE_CANCEL << 3 | CANCEL_DELAY;
	case CHOICE_CANCEL:
		return CODE_CANCEL << 3 | choice->arg;
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

static bool is_choice(const uint8_t *bytes)
{
	return bytes[0] >> 3 >= FIRST_CHOICE_CODE;
}

bool bytes_have_choices(const uint8_t *bytes, size_t len)
{
	for (size_t at = PROGRAM_HEADER_BYTES; at + 2 <= len; at += 2)
		if (is_choice(bytes + at))
			return true;
	return false;
}

bool program_decode(struct program *program, const uint8_t *bytes, size_t len)
{
	uint8_t header[PROGRAM_HEADER_BYTES] = { 0 };
	size_t at = PROGRAM_HEADER_BYTES;
	unsigned int version;
	uint32_t step = 0;

	for (size_t i = 0; i < PROGRAM_HEADER_BYTES && i < len; i++)
		header[i] = bytes[i];
	decode_machine(program, header);
	version = header[0] >> HEADER_VERSION_SHIFT;
	program->nr_ops = 0;
	program->nr_choices = 0;
	program->calm_after = 0;
	for (; at + 2 <= len; at += 2) {
		bool choice = is_choice(bytes + at);

		if (choice && version == PROGRAM_CHOICES_VERSION)
			decode_choice(program, &step, bytes + at);
		else if (!choice && program->nr_ops < PROGRAM_MAX_OPS)
			op_decode(program, &program->ops[program->nr_ops++],
				  bytes + at);
	}
	return !version_is_wrong(version) || !bytes_have_choices(bytes, len);
}

static void encode_header(const struct program *program, uint8_t *header)
{
	const struct machine_config *m = &program->machine;
	unsigned int more, irqs;

	header[0] = (uint8_t)(m->nr_cpus - 1);
	if (program->nr_choices > 0)
		header[0] |= PROGRAM_CHOICES_VERSION << HEADER_VERSION_SHIFT;
	header[1] = (uint8_t)(m->nr_slots - 2);
	header[2] = (uint8_t)(m->nr_pages - 1);
	header[3] = (uint8_t)((unsigned int)__builtin_ctz(m->nr_colours) |
			      (unsigned int)m->pae << 2 |
			      (unsigned int)m->force_map << 3 |
			      (m->local_depth - 1) << 4);
	more = (m->full_flush ? MORE_FULL : 0) | (m->holes ? MORE_HOLES : 0);
	irqs = program->nr_irqs + (PROGRAM_MAX_IRQS + 1) * more;
	header[4] = (uint8_t)((program->nr_tasks - 1) | irqs << 2 |
			      (m->nested_irqs ? HEADER_NESTED : 0) |
			      (m->sparse_cpus ? HEADER_SPARSE : 0));
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
