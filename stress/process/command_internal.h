/* SPDX-License-Identifier: MIT */
#ifndef STRESS_PROCESS_COMMAND_INTERNAL_H
#define STRESS_PROCESS_COMMAND_INTERNAL_H

/*
 *	command.c		reads a command line by its table
 *	command_values.c	what an option may be set to, in words and numbers
 *	command_help.c		--help and --version
 */

#include <stddef.h>

#include "stress/process/command.h"

/* The word that is most like @wanted, if one is like it at all. */
struct nearest {
	const char *wanted;
	const char *found;
	unsigned int distance;
};

void nearest_try(struct nearest *nearest, const char *word);

/* "a, b" + "c" */
void list_add(char *list, size_t size, const char *word);

bool find_word(const char *const *words, const char *text, unsigned int *index);

/* The highest number it takes: @high, or all that its type holds. */
uint64_t option_most(const struct option_row *row);

/* "a number from 1 to 4"; in @buf or elsewhere. */
const char *option_expected(const struct option_row *row, char *buf,
			    size_t size);

#endif
