/* SPDX-License-Identifier: MIT */

#include "stress/kernel/print.h"

#include "core/ports/i686/console.h"

static char text[8192];

void print_program(const struct program *program)
{
	size_t len = program_print(program, text, sizeof(text) - 1);
	char *line = text;

	for (size_t i = 0; i < len && i < sizeof(text) - 1; i++) {
		if (text[i] != '\n')
			continue;
		text[i] = '\0';
		console_printf("# hmt: %s\n", line);
		line = &text[i + 1];
	}
}
