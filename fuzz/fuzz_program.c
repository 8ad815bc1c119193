/* SPDX-License-Identifier: MIT */
#include "fuzz/fuzz_program.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/testing/exec.h"

#define NOT_FOR_THE_CORPUS (-1)

static bool has_only(const struct program *program, uint32_t kinds)
{
	for (unsigned int i = 0; i < program->nr_ops; i++)
		if (!(kinds >> program->ops[i].kind & 1))
			return false;
	return true;
}

int fuzz_program(const uint8_t *data, size_t size, uint32_t kinds)
{
	static const struct exec_options options = { .repeat = 1 };
	static struct program program;
	struct program_error error;
	struct exec_result result;

	if (!program_load(&program, data, size, &error))
		return NOT_FOR_THE_CORPUS;
	if (!has_only(&program, kinds) || machine_can(&program.machine))
		return NOT_FOR_THE_CORPUS;
	exec_program(&program, &options, &result);
	if (result.verdict == EXEC_BUG) {
		fprintf(stderr, "oracle: %s\n", result.sentence);
		abort();
	}
	return 0;
}
