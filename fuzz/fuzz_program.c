/* SPDX-License-Identifier: MIT */
#include "fuzz/fuzz_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <highmem/format.h>

#include "fuzz/engine/arguments.h"
#include "fuzz/fuzz_crash.h"

#define NOT_FOR_THE_CORPUS (-1)

static bool has_only(const struct program *program, uint32_t kinds)
{
	for (unsigned int i = 0; i < program->nr_ops; i++)
		if (!(kinds >> program->ops[i].kind & 1))
			return false;
	return true;
}

enum exec_look fuzz_look(void)
{
	const char *wanted = getenv("HIGHMEM_LOOK");

	if (!wanted)
		return LOOK_AT_CHANGES;
	return strcmp(wanted, "twice") == 0 ? LOOK_TWICE : LOOK_AT_ALL;
}

/* Bytes are a fuzzer's; a text is somebody's, who wants to know. */
static void say(const struct program_error *error, bool text)
{
	char why[sizeof(error->expected) + 16];

	hm_format(why, sizeof(why), "line %u: %s", error->line,
		  error->expected);
	engine_refuse(text ? why : error->expected);
	if (text)
		fprintf(stderr, "input: %s\n", why);
}

bool fuzz_load(struct program *program, const uint8_t *data, size_t size)
{
	static bool noted; /* once, however often it runs */
	struct program_error error;
	const char *why;

	if (!program_load(program, data, size, &error)) {
		say(&error, program_is_text(data, size));
		return false;
	}
	if (engine_arguments.named && error.expected[0] && !noted) {
		fprintf(stderr, "fuzz target: %s\n", error.expected);
		noted = true;
	}
	if (!program_is_text(data, size))
		program_fit(program);
	why = program_can(program);
	if (why)
		engine_refuse(why);
	return !why;
}

int fuzz_program(const uint8_t *data, size_t size, uint32_t kinds)
{
	static struct exec_options options;
	static struct program program;
	struct exec_result result;

	if (!fuzz_load(&program, data, size))
		return NOT_FOR_THE_CORPUS;
	if (!has_only(&program, kinds)) {
		engine_refuse("an operation is not for this target");
		return NOT_FOR_THE_CORPUS;
	}
	if (options.repeat == 0)
		options = (struct exec_options){ .repeat = 1,
						 .look = fuzz_look() };
	fuzz_crash_watch(&program);
	exec_program(&program, &options, &result);
	if (result.verdict == EXEC_BUG)
		fuzz_crash_bug(result.sentence);
	return 0;
}
