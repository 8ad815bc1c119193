/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/build/prng.h"
#include "stress/program/program.h"

#define TEXT_SIZE 16384

static struct program program;
static struct program again;
static struct program_error error;

/* From memory of exactly its size, so that a sanitizer sees a step too far. */
static bool parse_bytes(struct program *to, const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	bool good;

	memcpy(copy, text, len);
	error = (struct program_error){ .line = 0 };
	good = program_parse(to, copy, len, &error);
	free(copy);
	return good;
}

static bool parse(const char *text)
{
	return parse_bytes(&program, text, strlen(text));
}

static bool same_machine(const struct machine_config *a,
			 const struct machine_config *b)
{
	return a->nr_cpus == b->nr_cpus && a->nr_slots == b->nr_slots &&
	       a->nr_colours == b->nr_colours && a->nr_pages == b->nr_pages &&
	       a->local_depth == b->local_depth && a->pae == b->pae &&
	       a->force_map == b->force_map;
}

static bool same_choices(const struct program *a, const struct program *b)
{
	if (a->nr_choices != b->nr_choices)
		return false;
	for (unsigned int i = 0; i < a->nr_choices; i++)
		if (a->choices[i].step != b->choices[i].step ||
		    a->choices[i].kind != b->choices[i].kind ||
		    a->choices[i].arg != b->choices[i].arg)
			return false;
	return true;
}

/* What a text or bytes can tell; the CPUs of absent tasks are not told. */
static bool same(const struct program *a, const struct program *b)
{
	return same_machine(&a->machine, &b->machine) &&
	       a->nr_tasks == b->nr_tasks && a->nr_irqs == b->nr_irqs &&
	       memcmp(a->task_cpu, b->task_cpu, a->nr_tasks) == 0 &&
	       memcmp(a->irq_cpu, b->irq_cpu, a->nr_irqs) == 0 &&
	       a->nr_ops == b->nr_ops &&
	       memcmp(a->ops, b->ops, a->nr_ops * sizeof(a->ops[0])) == 0 &&
	       same_choices(a, b) && a->calm_after == b->calm_after;
}

static const char sample[] =
	"# two tasks, two slots\n"
	"machine cpus=2 slots=2 pages=4 colours=1 depth=4 pae=no force=no\n"
	"task A cpu=0: kmap p0; kmap p1\n"
	"task B cpu=1: kmap p2\n"
	"irq I cpu=0: local p3; check; unlocal\n"
	"\n"
	"\tA: kunmap p1; raise I; kunmap p0   # the end\r\n"
	"B: kunmap l1;";

/* ---- Print ------------------------------------------------------------------- */

Test(print, canonical)
{
	static const char canonical[] =
		"machine cpus=2 slots=2 pages=4 colours=1 depth=4 pae=no "
		"force=no\n"
		"task A cpu=0\n"
		"task B cpu=1\n"
		"irq I cpu=0\n"
		"A: kmap p0; kmap p1\n"
		"B: kmap p2\n"
		"I: local p3; check; unlocal\n"
		"A: kunmap p1; raise I; kunmap p0\n"
		"B: kunmap l1\n";
	char text[512];

	cr_assert(parse(sample));
	cr_expect_eq(program_print(&program, text, sizeof(text)),
		     sizeof(canonical) - 1);
	cr_expect_str_eq(text, canonical);
}

Test(print, into_a_buffer_of_any_size)
{
	char whole[512];
	size_t len;
	unsigned int wrong = 0;

	cr_assert(parse(sample));
	len = program_print(&program, whole, sizeof(whole));
	for (size_t size = 0; size <= len + 1; size++) {
		char text[512];
		size_t fits = size == 0 ? 0 : size - 1;

		memset(text, '?', sizeof(text));
		wrong += program_print(&program, text, size) != len;
		wrong += memcmp(text, whole, fits) != 0;
		wrong += size > 0 && text[fits] != '\0';
		wrong += text[size] != '?';
	}
	cr_expect_eq(wrong, 0);
}

Test(print, each_operation)
{
	static const struct {
		struct op op;
		const char *text;
	} cases[] = {
		{ { OP_KMAP, 0, 2 }, "kmap p0" },
		{ { OP_KUNMAP, 0, 15 }, "kunmap p13" },
		{ { OP_TRY, 0, 0 }, "try l0" },
		{ { OP_TIMEOUT, 0, 1 }, "timeout l1" },
		{ { OP_GET, 0, 3 }, "get p1" },
		{ { OP_LOCAL, 0, 4 }, "local p2" },
		{ { OP_ATOMIC, 0, 5 }, "atomic p3" },
		{ { OP_UNLOCAL, 0, 0 }, "unlocal" },
		{ { OP_MISORDER, 0, 0 }, "misorder" },
		{ { OP_WRITE, 0, 6 }, "write p4" },
		{ { OP_CHECK, 0, 0 }, "check" },
		{ { OP_FLUSH, 0, 0 }, "flush" },
		{ { OP_RAISE, 0, 1 }, "raise J" },
		{ { OP_YIELD, 0, 0 }, "yield" },
		{ { OP_KILLABLE, 0, 3 }, "killable p1" },
		{ { OP_CANCEL, 0, 1 }, "cancel B" },
		{ { OP_STRAY, 0, 0 }, "stray l0" },
		{ { OP_RELEASE, 0, 2 }, "release p0" },
		{ { OP_ADDRESS, 0, 3 }, "address p1" },
		{ { OP_STALE, 0, 4 }, "stale p2" },
	};
	char text[32];

	cr_assert_eq(sizeof(cases) / sizeof(cases[0]), OP_NR_KINDS);
	for (unsigned int i = 0; i < OP_NR_KINDS; i++) {
		cr_expect_eq(cases[i].op.kind, i);
		cr_expect_eq(op_print(&cases[i].op, text, sizeof(text)),
			     strlen(cases[i].text));
		cr_expect_str_eq(text, cases[i].text);
	}
}

Test(print, names_of_actors)
{
	static const char letters[] = "ABCDIJ";

	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
		cr_expect_eq(actor_letter(a), letters[a]);
}

/* ---- Bytes and text, there and back --------------------------------------------- */

static bool text_round_trip(const struct program *p)
{
	static char text[TEXT_SIZE];
	size_t len = program_print(p, text, sizeof(text));

	return len < sizeof(text) && parse_bytes(&again, text, len) &&
	       same(p, &again);
}

static bool bytes_round_trip(const struct program *p)
{
	uint8_t bytes[PROGRAM_MAX_BYTES];
	size_t len = program_encode(p, bytes, sizeof(bytes));

	program_decode(&again, bytes, len);
	return len >= PROGRAM_HEADER_BYTES + 2 * p->nr_ops && same(p, &again);
}

static void add_random_choices(struct program *p, uint64_t *seed)
{
	uint32_t step = 0;

	p->nr_choices = prng_below(seed, PROGRAM_MAX_CHOICES + 1);
	for (unsigned int i = 0; i < p->nr_choices; i++) {
		struct choice *choice = &p->choices[i];

		step += prng_below(seed, i == 0 ? 3 : 380);
		choice->step = step;
		do {
			choice->kind = (uint8_t)prng_below(seed,
							   CHOICE_NR_KINDS);
			choice->arg = (uint8_t)prng_below(seed, 8);
		} while (!choice_fits(p, choice));
	}
}

static struct machine_config random_machine(uint64_t *seed)
{
	unsigned int nr_colours = 1u << prng_below(seed, 4);
	unsigned int least = nr_colours < 2 ? 2 : nr_colours;

	return (struct machine_config){
		.nr_cpus = 1 + prng_below(seed, 8),
		.nr_colours = nr_colours,
		.nr_slots = least +
			    nr_colours *
				    prng_below(seed,
					       (64 - least) / nr_colours + 1),
		.nr_pages = 1 + prng_below(seed, PROGRAM_MAX_HIGHMEM),
		.local_depth = 1 + prng_below(seed, KM_MAX_IDX),
		.pae = prng_below(seed, 2) == 1,
		.force_map = prng_below(seed, 2) == 1,
		.nested_irqs = prng_below(seed, 2) == 1,
		.sparse_cpus = prng_below(seed, 2) == 1,
		.full_flush = prng_below(seed, 2) == 1,
		.holes = prng_below(seed, 2) == 1,
	};
}

Test(round_trip, generated_programs_through_text_and_bytes)
{
	uint64_t seed = 7;
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < 2000; i++) {
		struct machine_config machine = random_machine(&seed);

		program_generate(&program, &machine,
				 1 + prng_below(&seed, PROGRAM_MAX_TASKS),
				 prng_below(&seed, 80), &seed);
		wrong += program.nr_choices;
		add_random_choices(&program, &seed);
		wrong += !same_machine(&program.machine, &machine);
		wrong += !bytes_round_trip(&program);
		program.calm_after = prng_below(&seed, CHOICE_MAX_STEP + 1);
		wrong += !text_round_trip(&program);
	}
	cr_expect_eq(wrong, 0);
}

/* How many operations the bytes hold: a first byte from 0xa0 up is a choice. */
static unsigned int count_ops(const uint8_t *bytes, size_t len)
{
	unsigned int nr = 0;

	for (size_t at = PROGRAM_HEADER_BYTES; at + 2 <= len; at += 2)
		nr += bytes[at] < 0xa0 && nr < PROGRAM_MAX_OPS;
	return nr;
}

/* Every byte string is a program, one that the machine can run. */
Test(round_trip, every_prefix_of_random_bytes)
{
	uint64_t seed = 3;
	unsigned int wrong = 0;
	uint8_t bytes[PROGRAM_MAX_BYTES + 5];

	for (size_t b = 0; b < sizeof(bytes); b++)
		bytes[b] = (uint8_t)prng_next(&seed);
	bytes[0] = PROGRAM_CHOICES_VERSION << 4;
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		uint8_t *copy = malloc(len ? len : 1);

		memcpy(copy, bytes, len);
		program_decode(&program, copy, len);
		free(copy);
		wrong += machine_can(&program.machine) != NULL;
		wrong += program.nr_ops != count_ops(bytes, len);
		wrong += !bytes_round_trip(&program);
		if (len % 7 == 0)
			wrong += !text_round_trip(&program);
	}
	cr_expect_eq(wrong, 0);
	cr_expect_eq(program.nr_ops, PROGRAM_MAX_OPS);
	cr_expect_gt(program.nr_choices, 20);
}

Test(round_trip, any_bytes)
{
	uint64_t seed = 4;
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < 5000; i++) {
		uint8_t bytes[60];

		for (size_t b = 0; b < sizeof(bytes); b++)
			bytes[b] = (uint8_t)prng_next(&seed);
		program_decode(&program, bytes, prng_below(&seed, 61));
		wrong += machine_can(&program.machine) != NULL;
		wrong += !text_round_trip(&program);
		wrong += !bytes_round_trip(&program);
	}
	cr_expect_eq(wrong, 0);
}

/* All that the header's bytes can say, one byte at a time. */
Test(round_trip, every_value_of_every_byte_of_the_header)
{
	unsigned int wrong = 0;

	for (unsigned int byte = 0; byte < PROGRAM_HEADER_BYTES; byte++) {
		for (unsigned int value = 0; value < 256; value++) {
			uint8_t bytes[PROGRAM_HEADER_BYTES] = { 7, 9, 3 };

			bytes[byte] = (uint8_t)value;
			program_decode(&program, bytes, sizeof(bytes));
			wrong += machine_can(&program.machine) != NULL;
			wrong += !text_round_trip(&program);
			wrong += !bytes_round_trip(&program);
		}
	}
	cr_expect_eq(wrong, 0);
}

Test(encode, a_buffer_that_is_too_small)
{
	uint8_t bytes[64];

	cr_assert(parse(sample));
	cr_expect_eq(program_encode(&program, bytes, 27), 0);
	cr_expect_eq(program_encode(&program, bytes, 28), 28);
	program.nr_choices = 1;
	program.choices[0] = (struct choice){ 600, CHOICE_RUN, 0 };
	for (size_t size = 28; size < 34; size++) /* two fillers, one choice */
		cr_expect_eq(program_encode(&program, bytes, size), 0);
	cr_expect_eq(program_encode(&program, bytes, 34), 34);
}

/* As far apart as they can be: the most bytes that a program takes. */
Test(encode, the_longest_program_fits)
{
	uint8_t bytes[PROGRAM_MAX_BYTES];

	cr_assert(parse(sample));
	program.nr_ops = PROGRAM_MAX_OPS;
	for (unsigned int i = 0; i < PROGRAM_MAX_OPS; i++)
		program.ops[i] = (struct op){ OP_CHECK, 0, 0 };
	program.nr_choices = PROGRAM_MAX_CHOICES;
	for (unsigned int i = 0; i < PROGRAM_MAX_CHOICES; i++)
		program.choices[i] = (struct choice){
			i + 1 < PROGRAM_MAX_CHOICES ? 1 : CHOICE_MAX_STEP,
			CHOICE_RUN, 1
		};
	cr_expect_gt(program_encode(&program, bytes, sizeof(bytes)), 0);
	cr_expect(bytes_round_trip(&program));
}

/* ---- Generate ------------------------------------------------------------------------ */

static const struct machine_config small = {
	.nr_cpus = 2,
	.nr_slots = 4,
	.nr_pages = 6,
	.nr_colours = 2,
	.local_depth = 3,
};

Test(generate, the_same_seed_gives_the_same_program)
{
	uint64_t seed = 42;
	uint64_t same_seed = 42;

	program_generate(&program, &small, 3, 10, &seed);
	program_generate(&again, &small, 3, 10, &same_seed);
	cr_expect(same(&program, &again));
	cr_expect_eq(seed, same_seed);
	cr_expect_eq(program.nr_ops, 30);
	program_generate(&again, &small, 3, 10, &seed);
	cr_expect_not(same(&program, &again));
}

Test(generate, never_more_than_fit)
{
	uint64_t seed = 1;

	program_generate(&program, &small, 4, 1000, &seed);
	cr_expect_eq(program.nr_ops, PROGRAM_MAX_OPS);
	program_generate(&program, &small, 1, 0, &seed);
	cr_expect_eq(program.nr_ops, 0);
}

Test(generate, every_kind_by_every_actor)
{
	bool seen[OP_NR_KINDS][PROGRAM_MAX_ACTORS] = { { false } };
	unsigned int missing = 0;
	uint64_t seed = 5;

	for (unsigned int i = 0; i < 200; i++) {
		program_generate(&program, &small, 4, 40, &seed);
		for (unsigned int o = 0; o < program.nr_ops; o++)
			seen[program.ops[o].kind][program.ops[o].actor] = true;
	}
	for (unsigned int k = 0; k < OP_NR_KINDS; k++)
		for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
			missing += !seen[k][a];
	cr_expect_eq(missing, 0);
}
