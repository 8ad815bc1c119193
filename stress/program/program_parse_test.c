/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <highmem/format.h>

#include "core/build/prng.h"
#include "stress/program/program.h"

#define TEXT_SIZE 16384

static struct program program;
static struct program_error error;

/* From memory of exactly its size, so that a sanitizer sees a step too far. */
static bool parse_bytes(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	bool good;

	memcpy(copy, text, len);
	error = (struct program_error){ .line = 0 };
	good = program_parse(&program, copy, len, &error);
	free(copy);
	return good;
}

static bool parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static bool same_machine(const struct machine_config *a,
			 const struct machine_config *b)
{
	return a->nr_cpus == b->nr_cpus && a->nr_slots == b->nr_slots &&
	       a->nr_colours == b->nr_colours && a->nr_pages == b->nr_pages &&
	       a->local_depth == b->local_depth && a->pae == b->pae &&
	       a->force_map == b->force_map;
}

/* ---- Text that is good ------------------------------------------------------ */

static const char sample[] =
	"# two tasks, two slots\n"
	"machine cpus=2 slots=2 pages=4 colours=1 depth=4 pae=no force=no\n"
	"task A cpu=0: kmap p0; kmap p1\n"
	"task B cpu=1: kmap p2\n"
	"irq I cpu=0: local p3; check; unlocal\n"
	"\n"
	"\tA: kunmap p1; raise I; kunmap p0   # the end\r\n"
	"B: kunmap l1;";

Test(parse, the_sample_of_the_header)
{
	static const struct op ops[] = {
		{ OP_KMAP, 0, 2 },   { OP_KMAP, 0, 3 },	 { OP_KMAP, 1, 4 },
		{ OP_LOCAL, 4, 5 },  { OP_CHECK, 4, 0 }, { OP_UNLOCAL, 4, 0 },
		{ OP_KUNMAP, 0, 3 }, { OP_RAISE, 0, 0 }, { OP_KUNMAP, 0, 2 },
		{ OP_KUNMAP, 1, 1 },
	};

	cr_assert(parse(sample), "line %u: %s", error.line, error.expected);
	cr_expect_eq(program.machine.nr_cpus, 2);
	cr_expect_eq(program.nr_tasks, 2);
	cr_expect_eq(program.nr_irqs, 1);
	cr_expect_eq(program.task_cpu[1], 1);
	cr_expect_eq(program.irq_cpu[0], 0);
	cr_assert_eq(program.nr_ops, sizeof(ops) / sizeof(ops[0]));
	cr_expect_eq(memcmp(program.ops, ops, sizeof(ops)), 0);
}

Test(parse, what_is_left_out)
{
	static const struct machine_config defaults = {
		.nr_cpus = 1,
		.nr_slots = 2,
		.nr_pages = 4,
		.nr_colours = 1,
		.local_depth = 4,
	};

	cr_assert(parse("machine\ntask A"));
	cr_expect(same_machine(&program.machine, &defaults));
	cr_expect_eq(program.nr_tasks, 1);
	cr_expect_eq(program.task_cpu[0], 0);
	cr_expect_eq(program.nr_irqs, 0);
	cr_expect_eq(program.nr_ops, 0);
}

Test(parse, the_largest_machine)
{
	static const struct machine_config largest = {
		.nr_cpus = 8,
		.nr_slots = 64,
		.nr_pages = 14,
		.nr_colours = 8,
		.local_depth = 16,
		.pae = true,
		.force_map = true,
	};

	cr_assert(parse("machine force=yes pae=yes depth=16 colours=8 "
			"pages=14 slots=64 cpus=8\n"
			"task A cpu=7: kmap p13\ntask B\ntask C\ntask D\n"
			"irq I cpu=7\nirq J: local l0"));
	cr_expect(same_machine(&program.machine, &largest));
	cr_expect_eq(program.nr_tasks, PROGRAM_MAX_TASKS);
	cr_expect_eq(program.nr_irqs, PROGRAM_MAX_IRQS);
	cr_expect_eq(program.ops[0].arg, 15);
	cr_expect_eq(program.ops[1].actor, 5);
}

/* @head, and @nr times @piece. */
static size_t many(char *text, const char *head, const char *piece,
		   unsigned int nr)
{
	size_t len = strlen(head);

	memcpy(text, head, len);
	for (unsigned int i = 0; i < nr; i++) {
		memcpy(text + len, piece, strlen(piece));
		len += strlen(piece);
	}
	text[len] = '\0';
	return len;
}

static size_t many_ops(char *text, unsigned int nr)
{
	return many(text, "machine\ntask A:", "yield;", nr);
}

Test(parse, as_many_operations_as_fit_and_one_more)
{
	static char text[TEXT_SIZE];

	cr_expect(parse_bytes(text, many_ops(text, PROGRAM_MAX_OPS)));
	cr_expect_eq(program.nr_ops, PROGRAM_MAX_OPS);
	cr_expect_not(parse_bytes(text, many_ops(text, PROGRAM_MAX_OPS + 1)));
	cr_expect_str_eq(error.expected, "expected 256 operations at most, "
					 "found 'yield'");
	cr_expect_eq(error.line, 2);
}

Test(parse, choices)
{
	static const struct choice choices[] = {
		{ 0, CHOICE_ALLOC, 1 },	    { 0, CHOICE_ALLOC_ON, 3 },
		{ 12, CHOICE_RUN, 1 },	    { 15, CHOICE_IRQ, 0 },
		{ 20, CHOICE_TIMEOUT, 1 },  { 23, CHOICE_SPURIOUS, 0 },
		{ 23, CHOICE_HOLD, 0 },	    { 24, CHOICE_CANCEL, 1 },
		{ 25, CHOICE_MIGRATE, 0 },  { 26, CHOICE_DELAY, 0 },
		{ 27, CHOICE_ACK, 1 },	    { 28, CHOICE_DROP, 1 },
		{ 29, CHOICE_OFFLINE, 1 },  { 30, CHOICE_ONLINE, 0 },
		{ 99999, CHOICE_DRAIN, 1 },
	};

	cr_assert(parse("machine cpus=2\ntask A\ntask B\nirq I\n"
			"choices v2: 0=alloc:2 0=alloc:4:on\n"
			"choices v2: 12=B 15=irq:I 20=B:timeout\n"
			"choices v2: 23=A:spurious 23=hold 24=B:cancel "
			"25=migrate:0 26=delay 27=ack:1 28=drop:1 "
			"29=offline:1 30=online:0 99999=drain:1"),
		  "line %u: %s", error.line, error.expected);
	cr_assert_eq(program.nr_choices, 15);
	for (unsigned int i = 0; i < 15; i++) {
		cr_expect_eq(program.choices[i].step, choices[i].step);
		cr_expect_eq(program.choices[i].kind, choices[i].kind);
		cr_expect_eq(program.choices[i].arg, choices[i].arg);
	}
}

static size_t many_choices(char *text, unsigned int nr)
{
	return many(text, "machine\ntask A\nchoices v2:", " 7=A", nr);
}

Test(parse, as_many_choices_as_fit_and_one_more)
{
	static char text[TEXT_SIZE];

	cr_expect(parse_bytes(text, many_choices(text, PROGRAM_MAX_CHOICES)));
	cr_expect_eq(program.nr_choices, PROGRAM_MAX_CHOICES);
	cr_expect_not(
		parse_bytes(text, many_choices(text, PROGRAM_MAX_CHOICES + 1)));
	cr_expect_str_eq(error.expected, "expected 256 choices at most, found "
					 "'7'");
}

/* ---- Text that is bad ------------------------------------------------------- */

#define LIKE_THIS ", such as 'machine cpus=2'"

static const struct bad_text {
	const char *text;
	unsigned int line;
	const char *expected;
} bad_texts[] = {
	/* The machine line. */
	{ "", 1,
	  "expected a machine line" LIKE_THIS ", found the end of the file" },
	{ "# nothing\n\n", 3,
	  "expected a machine line" LIKE_THIS ", found the end of the file" },
	{ "task A", 1,
	  "expected a machine line first" LIKE_THIS ", found 'task'" },
	{ "machines", 1,
	  "expected a machine line first" LIKE_THIS ", found 'machines'" },
	{ "machine\n", 2,
	  "expected at least one task, found the end of the file" },
	{ "machine cpus=2\nmachine cpus=2", 2,
	  "expected one machine line only, found 'cpus'" },
	{ "machine cpus", 1, "expected NAME=VALUE, found 'cpus'" },
	{ "machine cpus 2", 1, "expected NAME=VALUE, found 'cpus'" },
	{ "machine =2", 1,
	  "expected cpus, slots, pages, colours, depth, pae, "
	  "force, nested, sparse, full or holes, found '=2'" },
	{ "machine cups=2", 1,
	  "expected cpus, slots, pages, colours, depth, pae, "
	  "force, nested, sparse, full or holes, found 'cups'" },
	{ "machine cpus=", 1,
	  "expected a number from 1 to 8, found the end of the file" },
	{ "machine cpus=\n", 1,
	  "expected a number from 1 to 8, found the end of the line" },
	{ "machine cpus=0", 1, "expected a number from 1 to 8, found '0'" },
	{ "machine cpus=9", 1, "expected a number from 1 to 8, found '9'" },
	{ "machine cpus=-1", 1, "expected a number from 1 to 8, found '-1'" },
	{ "machine cpus=1a", 1, "expected a number from 1 to 8, found '1a'" },
	{ "machine cpus=4294967297", 1,
	  "expected a number from 1 to 8, found '4294967297'" },
	{ "machine slots=1", 1, "expected a number from 2 to 64, found '1'" },
	{ "machine slots=65", 1, "expected a number from 2 to 64, found '65'" },
	{ "machine pages=0", 1, "expected a number from 1 to 14, found '0'" },
	{ "machine pages=15", 1, "expected a number from 1 to 14, found '15'" },
	{ "machine depth=0", 1, "expected a number from 1 to 16, found '0'" },
	{ "machine depth=17", 1, "expected a number from 1 to 16, found '17'" },
	{ "machine colours=9", 1, "expected a number from 1 to 8, found '9'" },
	{ "machine colours=3 slots=3\ntask A", 1,
	  "expected colours=1, 2, 4 or 8, found the end of the line" },
	{ "machine colours=4 slots=6\ntask A", 1,
	  "expected slots to be a multiple of colours, found the end of the "
	  "line" },
	{ "machine pae=1", 1, "expected yes or no, found '1'" },
	{ "machine force=", 1, "expected yes or no, found the end of the file" },
	/* Tasks and handlers. */
	{ "machine\ntask", 2,
	  "expected the next task's name, from A to D, found the end of the "
	  "file" },
	{ "machine\ntask B", 2,
	  "expected the next task's name, from A to D, found 'B'" },
	{ "machine\ntask A\ntask A", 3,
	  "expected the next task's name, from A to D, found 'A'" },
	{ "machine\ntask AB", 2,
	  "expected the next task's name, from A to D, found 'AB'" },
	{ "machine\ntask A\ntask B\ntask C\ntask D\ntask E", 6,
	  "expected the next task's name, from A to D, found 'E'" },
	{ "machine\ntask I", 2,
	  "expected the next task's name, from A to D, found 'I'" },
	{ "machine\nirq A", 2,
	  "expected the next handler's name, from I to J, found 'A'" },
	{ "machine\nirq I\nirq J\nirq K", 4,
	  "expected the next handler's name, from I to J, found 'K'" },
	{ "machine\ntask A cpu", 2, "expected =, found the end of the file" },
	{ "machine\ntask A cpu=1", 2,
	  "expected a number from 0 to 0, found '1'" },
	{ "machine cpus=2\ntask A cpu=2", 2,
	  "expected a number from 0 to 1, found '2'" },
	{ "machine\ntask A kmap p0", 2,
	  "expected cpu=N, : or the end of the line, found 'kmap'" },
	{ "machine\ntask A cpu=0 kmap p0", 2,
	  "expected cpu=N, : or the end of the line, found 'kmap'" },
	{ "machine\nirq I", 2,
	  "expected at least one task, found the end of the file" },
	/* Lines of operations. */
	{ "machine\ntask A\nB: yield", 3,
	  "expected task, irq, choices, calm, or the name of one that is "
	  "declared, "
	  "found 'B'" },
	{ "machine\ntask A\nI: yield", 3,
	  "expected task, irq, choices, calm, or the name of one that is "
	  "declared, "
	  "found 'I'" },
	{ "machine\ntask A\nrun", 3,
	  "expected task, irq, choices, calm, or the name of one that is "
	  "declared, "
	  "found 'run'" },
	{ "machine\ntask A\n;", 3,
	  "expected task, irq, choices, calm, or the name of one that is "
	  "declared, "
	  "found ';'" },
	{ "machine\ntask A\n\x01", 3,
	  "expected task, irq, choices, calm, or the name of one that is "
	  "declared, found a "
	  "byte that is not text" },
	{ "machine\ntask A\nA yield", 3,
	  "expected : after the name, found 'yield'" },
	{ "machine\ntask A: map p0", 2,
	  "expected an operation such as kmap or local, found 'map'" },
	{ "machine\ntask A: kma p0", 2,
	  "expected an operation such as kmap or local, found 'kma'" },
	{ "machine\ntask A: kmapp p0", 2,
	  "expected an operation such as kmap or local, found 'kmapp'" },
	{ "machine\ntask A: ;", 2,
	  "expected an operation such as kmap or local, found ';'" },
	{ "machine\ntask A: yield yield", 2,
	  "expected ; or the end of the line, found 'yield'" },
	{ "machine\ntask A: unlocal p0", 2,
	  "expected ; or the end of the line, found 'p0'" },
	/* Arguments. */
	{ "machine\ntask A: kmap", 2,
	  "expected a page p0 to p3, or l0 to l1, found the end of the file" },
	{ "machine\ntask A: kmap ; yield", 2,
	  "expected a page p0 to p3, or l0 to l1, found ';'" },
	{ "machine\ntask A: kmap p", 2,
	  "expected a page p0 to p3, or l0 to l1, found 'p'" },
	{ "machine\ntask A: kmap p4", 2,
	  "expected a page p0 to p3, or l0 to l1, found 'p4'" },
	{ "machine pages=14\ntask A: kmap p14", 2,
	  "expected a page p0 to p13, or l0 to l1, found 'p14'" },
	{ "machine\ntask A: kmap p003", 2,
	  "expected a page p0 to p3, or l0 to l1, found 'p003'" },
	{ "machine\ntask A: kmap l2", 2,
	  "expected a page p0 to p3, or l0 to l1, found 'l2'" },
	{ "machine\ntask A: kmap q0", 2,
	  "expected a page p0 to p3, or l0 to l1, found 'q0'" },
	{ "machine\ntask A: kmap px", 2,
	  "expected a page p0 to p3, or l0 to l1, found 'px'" },
	{ "machine\ntask A: kmap 0", 2,
	  "expected a page p0 to p3, or l0 to l1, found '0'" },
	{ "machine\ntask A: raise I", 2,
	  "expected a handler that is declared above, I or J, found 'I'" },
	{ "machine\ntask A\nirq I\nA: raise J", 4,
	  "expected a handler that is declared above, I or J, found 'J'" },
	{ "machine\ntask A\nirq I\nA: raise A", 4,
	  "expected a handler that is declared above, I or J, found 'A'" },
	{ "machine\ntask A\nirq I\nA: raise II", 4,
	  "expected a handler that is declared above, I or J, found 'II'" },
	{ "machine\ntask A\nirq I\nA: raise\n", 4,
	  "expected a handler that is declared above, I or J, found the end "
	  "of the line" },
	{ "machine\ntask A: cancel B\ntask B", 2,
	  "expected a task that is declared above, A to D, found 'B'" },
	{ "machine\ntask A\nirq I\nA: cancel I", 4,
	  "expected a task that is declared above, A to D, found 'I'" },
	/* Choices. */
	{ "machine\ntask A\nchoices 1=A", 3,
	  "expected the version of the choices, as in v2:, found '1'" },
	{ "machine\ntask A\nchoices v2 1=A", 3, "expected :, found '1'" },
	{ "machine\ntask A\nchoices v: 1=A", 3,
	  "expected the version of the choices, as in v2:, found 'v'" },
	{ "machine\ntask A\nchoices: 1=A", 3,
	  "choices of no version, but this build plays version 2: leave them "
	  "out, and let explore run find new ones" },
	{ "machine\ntask A\nchoices v1: 1=A", 3,
	  "choices of version 1, but this build plays version 2: leave them "
	  "out, and let explore run find new ones" },
	{ "machine\ntask A\nchoices v2: 1=A\nchoices v3:", 4,
	  "choices of version 3, but this build plays version 2: leave them "
	  "out, and let explore run find new ones" },
	{ "machine\ntask A\nchoices v2: 0=A", 3,
	  "expected a step from 1 up, found '0'" },
	{ "machine\ntask A\nchoices v2: 0=alloc:1 0=A", 3,
	  "expected a step from 1 up, found '0'" },
	{ "machine\ntask A\nchoices v2: 100000=A", 3,
	  "expected a number from 0 to 99999, found '100000'" },
	{ "machine\ntask A\nchoices v2: 5=A 4=A", 3,
	  "expected a number from 5 to 99999, found '4'" },
	{ "machine\ntask A\nchoices v2: 5", 3,
	  "expected =, found the end of the file" },
	{ "machine\ntask A\nchoices v2: 5=B", 3,
	  "expected a task, irq:, hold, drain:, migrate:, delay, ack:, "
	  "drop:, alloc:, offline: or online:, found 'B'" },
	{ "machine\ntask A\nirq I\nchoices v2: 5=I", 4,
	  "expected a task, irq:, hold, drain:, migrate:, delay, ack:, "
	  "drop:, alloc:, offline: or online:, found 'I'" },
	{ "machine\ntask A\nchoices v2: 5=A:late", 3,
	  "expected timeout, spurious or cancel, found 'late'" },
	{ "machine\ntask A\nchoices v2: 5=irq I", 3, "expected :, found 'I'" },
	{ "machine\ntask A\nchoices v2: 5=irq:I", 3,
	  "expected a handler that is declared above, I or J, found 'I'" },
	{ "machine\ntask A\nchoices v2: 5=drain 1", 3, "expected :, found '1'" },
	{ "machine\ntask A\nchoices v2: 5=drain:1", 3,
	  "expected a number from 0 to 0, found '1'" },
	{ "machine\ntask A\nchoices v2: 1=alloc:1", 3,
	  "expected step 0 for alloc:, found '1'" },
	{ "machine\ntask A\nchoices v2: 0=alloc", 3,
	  "expected :, found the end of the file" },
	{ "machine\ntask A\nchoices v2: 0=alloc:0", 3,
	  "expected a number from 1 to 4, found '0'" },
	{ "machine\ntask A\nchoices v2: 0=alloc:5", 3,
	  "expected a number from 1 to 4, found '5'" },
	{ "machine pae=yes\ntask A\nchoices v2: 0=alloc:5 0=alloc:6", 3,
	  "expected a number from 1 to 5, found '6'" },
	{ "machine\ntask A\nchoices v2: 0=alloc:2:off", 3,
	  "expected on, found 'off'" },
	/* Calm. */
	{ "machine\ntask A\ncalm 7", 3, "expected after, found '7'" },
	{ "machine\ntask A\ncalm after 0", 3,
	  "expected a number from 1 to 99999, found '0'" },
	{ "machine\ntask A\ncalm after 100000", 3,
	  "expected a number from 1 to 99999, found '100000'" },
	{ "machine\ntask A\ncalm after 7 8", 3,
	  "expected the end of the line, found '8'" },
	{ "machine\ntask A\ncalm after 7\ncalm after 7", 4,
	  "expected one calm line only, found 'after'" },
};

/* Whatever a choice names must be there: on the second of one CPU, say. */
Test(parse, a_choice_of_nobody_is_refused)
{
	static const char *const nobody[] = {
		"B",	   "B:timeout", "B:spurious", "B:cancel", "irq:I",
		"drain:1", "migrate:1", "ack:1",      "drop:1",	  "drain:9",
		"C",	   "irq:B",	"migrate:A",  "drain:",
	};

	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		char text[80];

		hm_format(text, sizeof(text),
			  "machine cpus=1\ntask A\nchoices v2: 5=%s\n",
			  nobody[i]);
		cr_expect_not(parse(text), "%s", nobody[i]);
		cr_expect_eq(error.line, 3, "%s", nobody[i]);
	}
}

Test(parse, errors_say_where_and_what)
{
	for (size_t i = 0; i < sizeof(bad_texts) / sizeof(bad_texts[0]); i++) {
		const struct bad_text *bad = &bad_texts[i];

		cr_expect_not(parse(bad->text), "accepted: %s", bad->text);
		cr_expect_str_eq(error.expected, bad->expected, "%s: %s",
				 bad->text, error.expected);
		cr_expect_eq(error.line, bad->line, "%s: line %u", bad->text,
			     error.line);
	}
}

Test(parse, a_long_word_is_cut_in_the_sentence)
{
	cr_expect_not(parse("machine\ntask A: abcdefghijklmnopqrstuvwxyz"));
	cr_expect_str_eq(error.expected,
			 "expected an operation such as kmap or local, found "
			 "'abcdefghijklmnopqrstuvw'");
}

/* Whatever is cut off: a program, or a line that exists and a sentence. */
Test(parse, every_prefix_of_a_text)
{
	unsigned int accepted = 0;
	unsigned int wrong = 0;

	for (size_t len = 0; len < sizeof(sample); len++) {
		if (parse_bytes(sample, len))
			accepted++;
		else
			wrong += error.line < 1 || error.line > 8 ||
				 strncmp(error.expected, "expected ", 9) != 0;
	}
	cr_expect_eq(wrong, 0);
	cr_expect_gt(accepted, 20);
}

Test(parse, any_bytes)
{
	uint64_t seed = 1;
	unsigned int accepted = 0;

	for (unsigned int i = 0; i < 5000; i++) {
		char text[sizeof(sample)];

		memcpy(text, sample, sizeof(text));
		for (unsigned int n = prng_below(&seed, 4); n-- > 0;)
			text[prng_below(&seed, sizeof(text))] = (char)prng_next(
				&seed);
		accepted += parse_bytes(text, sizeof(text) - 1);
	}
	cr_expect_gt(accepted, 1000);
	cr_expect_lt(accepted, 4000);
}
