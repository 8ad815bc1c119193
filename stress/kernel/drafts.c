/* SPDX-License-Identifier: MIT */
#include "stress/kernel/drafts.h"

#include <stdio.h>

#include "core/build/prng.h"
#include "stress/kernel/pack.h"

#define MOST_OPS 26	/* of a draft, all tasks together */
#define MOST_YIELDS 16	/* a tick each; a deadline is four away */
#define TEXT_BYTES 8192 /* 40 operations, of 20 bytes at most */

/* A place for one operation more, before number @at. */
static struct op *insert(struct program *program, unsigned int at)
{
	for (unsigned int i = program->nr_ops++; i > at; i--)
		program->ops[i] = program->ops[i - 1];
	return &program->ops[at];
}

static void set_deadlines(struct program *program, uint64_t *seed)
{
	for (unsigned int i = 0; i < program->nr_ops; i++) {
		struct op *op = &program->ops[i];

		if ((op->kind == OP_KMAP || op->kind == OP_KILLABLE) &&
		    prng_below(seed, 2))
			op->kind = OP_TIMEOUT;
	}
}

/* With an atomic map, now and then: who yields then keeps its CPU. */
static void pass_time(struct program *program, uint64_t *seed)
{
	for (unsigned int left = prng_below(seed, MOST_YIELDS); left > 0;
	     left--) {
		struct op *op = insert(program,
				       prng_below(seed, program->nr_ops + 1));
		bool yields = prng_below(seed, 4) > 0;

		*op = (struct op){
			.kind = yields ? OP_YIELD : OP_ATOMIC,
			.actor = (uint8_t)prng_below(seed, program->nr_tasks),
			.arg = yields ? 0 : MACHINE_LOWMEM_PAGES,
		};
	}
}

static void raise_handlers(struct program *program, uint64_t *seed)
{
	for (unsigned int irq = 0; irq < program->nr_irqs; irq++)
		*insert(program,
			prng_below(seed, program->nr_ops + 1)) = (struct op){
			.kind = OP_RAISE,
			.actor = (uint8_t)prng_below(seed, program->nr_tasks),
			.arg = (uint8_t)irq,
		};
}

static void draw(struct program *program, uint64_t *seed)
{
	unsigned int nr_tasks = 2 + prng_below(seed, PROGRAM_MAX_TASKS - 1);

	program_draft(program, nr_tasks, 6 + prng_below(seed, MOST_OPS - 6),
		      seed);
	set_deadlines(program, seed);
	pass_time(program, seed);
	raise_handlers(program, seed);
}

static void write_number(FILE *file, size_t number)
{
	for (unsigned int i = 0; i < 4; i++)
		fputc((int)(number >> 8 * i & 0xff), file);
}

static void write_draft(FILE *file, unsigned int number, uint64_t *seed)
{
	static struct program program;
	static char text[TEXT_BYTES];
	char name[PACK_NAME_BYTES];
	size_t name_len, len;

	draw(&program, seed);
	len = program_print(&program, text, sizeof(text));
	name_len = (size_t)snprintf(name, sizeof(name), "draft/%u", number);
	write_number(file, name_len);
	write_number(file, len);
	fwrite(name, 1, name_len, file);
	fwrite(text, 1, len, file);
}

bool drafts_write(const char *path, unsigned int nr, uint64_t seed)
{
	FILE *file = fopen(path, "wb");
	bool good;

	if (!file)
		return false;
	fputs("HMPACK1\n", file);
	write_number(file, nr);
	for (unsigned int i = 0; i < nr; i++)
		write_draft(file, i, &seed);
	good = !ferror(file);
	return fclose(file) == 0 && good;
}
