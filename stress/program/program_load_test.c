/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <criterion/criterion.h>

#include "stress/program/program.h"

/* What is a program, and in which form. */

static struct program program, again;
static struct program_error error;

static bool parse(const char *text)
{
	error = (struct program_error){ .line = 0 };
	return program_parse(&program, text, strlen(text), &error);
}

/* ---- Text -------------------------------------------------------------------- */

Test(parse, what_an_editor_may_write)
{
	cr_expect(parse("machine\r\ntask A: check\r\n"));
	cr_expect_eq(program.nr_ops, 1);
	cr_expect(parse("machine\r\ntask A: check # why\r\nA: check\r"));
	cr_expect_eq(program.nr_ops, 2);
	cr_expect(parse("\r\n \t\n# \xc3\xbc\xe2\x80\x94\nmachine\ntask A"));
}

#define MARK \
	"the file begins with a byte order mark: save it as plain UTF-8, " \
	"without one"
#define LIKE_THIS ", such as 'machine cpus=2'"

static const struct no_text {
	const char *text;
	unsigned int line;
	const char *expected;
} no_texts[] = {
	/* What no editor should write, or is no text at all. */
	{ "\xef\xbb\xbfmachine\ntask A", 1, MARK },
	{ "\xff\xfem", 1, MARK },
	{ "\xfe\xffm", 1, MARK },
	{ "\x01machine", 1,
	  "expected a machine line first" LIKE_THIS
	  ", found a byte that is not text" },
	{ "\x89PNG\r\n", 1,
	  "expected a machine line first" LIKE_THIS
	  ", found a byte that is not text" },
	{ "machine\rtask A", 1, "expected NAME=VALUE, found a CR without a LF" },
	{ "machine\ntask A # why\rA: check", 2,
	  "expected cpu=N, : or the end of the line, found a CR without a LF" },
	{ "machine\n# \x1b[2J\ntask A", 2,
	  "expected task, irq, choices, calm, or the name of one that is "
	  "declared, found a byte that is not text" },
	{ "Once upon a time", 1,
	  "expected a machine line first" LIKE_THIS ", found 'Once'" },
};

Test(parse, what_no_editor_should_write)
{
	for (size_t i = 0; i < sizeof(no_texts) / sizeof(no_texts[0]); i++) {
		const struct no_text *no = &no_texts[i];

		cr_expect_not(parse(no->text), "text %zu", i);
		cr_expect_eq(error.line, no->line, "text %zu", i);
		cr_expect_str_eq(error.expected, no->expected);
	}
}

/* ---- Load: which of the two is it? -------------------------------------------------- */

static bool load(const char *text)
{
	error = (struct program_error){ .line = 0 };
	return program_load(&program, text, strlen(text), &error);
}

Test(load, text_has_a_machine_line)
{
	cr_expect(load("machine cpus=3\ntask A"));
	cr_expect_eq(program.machine.nr_cpus, 3);
	cr_expect(load("# why\nmachine cpus=5\ntask A"));
	cr_expect_eq(program.machine.nr_cpus, 5);
	cr_expect_not(load("machine cpus=x"));
	cr_expect_eq(error.line, 1);
	cr_expect(load("\n\tmachine cpus=6\r\ntask A"));
	cr_expect_eq(program.machine.nr_cpus, 6);
	cr_expect_not(load("machine"));
	cr_expect_not(load("task A\nmachine"));
	cr_expect_not(load("\xef\xbb\xbfmachine\ntask A"));
	cr_expect_not(load("\xff\xfe"));
	cr_expect_not(load("\xfe\xff"));
}

Test(load, all_else_is_bytes)
{
	static const uint8_t bytes[] = { 2, 0, 3, 0, 0, 0, 0, 0, 0, 3 };

	cr_expect(program_load(&program, bytes, sizeof(bytes), &error));
	cr_expect_eq(program.machine.nr_cpus, 3);
	cr_expect_eq(program.nr_ops, 1);
	cr_expect(load(""));
	cr_expect_eq(program.nr_ops, 0);
	cr_expect(load("\1machine cpus=3\ntask A"));
	cr_expect(load("machine\177"));
	cr_expect_str_empty(error.expected);
}

Test(load, bytes_that_look_like_text_come_with_a_word)
{
	static const char *const some[] = { "machin", "#", "task A: kmap p0\n",
					    "\r\n", "# \xc3\xbc" };

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		cr_expect(load(some[i]));
		cr_expect_str_eq(error.expected,
				 "looks like text without a machine line, and "
				 "is read as bytes");
	}
}

/* Two CPUs, one operation, then "7=A"; @version in the header. */
static bool load_version(unsigned int version)
{
	uint8_t bytes[] = { 1, 0, 3, 0, 0, 0, 0, 0, 0, 3, 28 << 3, 7 };

	bytes[0] |= (uint8_t)(version << 4);
	error = (struct program_error){ .line = 0 };
	return program_load(&program, bytes, sizeof(bytes), &error);
}

Test(load, bytes_with_choices_of_another_version)
{
	cr_expect(load_version(PROGRAM_CHOICES_VERSION));
	cr_expect_eq(program.nr_choices, 1);
	cr_expect_str_empty(error.expected);
	cr_expect_not(load_version(1));
	cr_expect_eq(error.line, 1);
	cr_expect_str_eq(error.expected,
			 "choices of another version, but this build plays "
			 "version 2: leave them out, and let explore run find "
			 "new ones");
	cr_expect_not(load_version(15));
	/* A fuzzer's play, or they come from before there were versions. */
	cr_expect(load_version(0));
	cr_expect_str_eq(error.expected,
			 "what looks like choices is left out, because the "
			 "header names no version");
	cr_expect_eq(program.nr_choices, 0);
	cr_expect_eq(program.nr_ops, 1);
	cr_expect_eq(program.machine.nr_cpus, 2);
}

Test(decode, leaves_out_choices_of_another_version)
{
	static const uint8_t bytes[] = { 0x11, 0, 3, 0,	      0, 0, 0,
					 0,    0, 3, 28 << 3, 7, 8, 3 };

	cr_expect_not(program_decode(&program, bytes, sizeof(bytes)));
	cr_expect_eq(program.nr_choices, 0);
	cr_expect_eq(program.nr_ops, 2);
}

static bool loads_from_its_bytes(void)
{
	uint8_t bytes[PROGRAM_MAX_BYTES];
	size_t len = program_encode(&program, bytes, sizeof(bytes));
	char before[512], after[512];

	if (program_is_text(bytes, len) ||
	    !program_load(&again, bytes, len, &error))
		return false;
	program_print(&program, before, sizeof(before));
	program_print(&again, after, sizeof(after));
	return strcmp(before, after) == 0;
}

/* Four CPUs and choices make a header that begins with '#'. */
Test(load, encoded_programs_are_never_taken_for_text)
{
	for (unsigned int cpus = 1; cpus <= 8; cpus++) {
		cr_assert(parse("machine\ntask A: kmap p0\n"
				"task B: kmap p1; check"));
		program.machine.nr_cpus = cpus;
		cr_expect(loads_from_its_bytes());
		program.nr_choices = 1;
		program.choices[0] = (struct choice){ 5, CHOICE_RUN, 1 };
		cr_expect(loads_from_its_bytes(), "%u CPUs", cpus);
	}
}
