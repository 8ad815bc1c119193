/* SPDX-License-Identifier: MIT */
#include "fuzz/fuzz_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int fuzz_program(const uint8_t *data, size_t size, uint32_t kinds)
{
	static struct exec_options options;
	static struct program program;
	struct program_error error;
	struct exec_result result;

	if (!program_load(&program, data, size, &error))
		return NOT_FOR_THE_CORPUS;
	if (!has_only(&program, kinds) || machine_can(&program.machine))
		return NOT_FOR_THE_CORPUS;
	if (options.repeat == 0)
		options = (struct exec_options){ .repeat = 1,
						 .look = fuzz_look() };
	exec_program(&program, &options, &result);
	if (result.verdict == EXEC_BUG) {
		fprintf(stderr, "oracle: %s\n", result.sentence);
		abort();
	}
	return 0;
}
