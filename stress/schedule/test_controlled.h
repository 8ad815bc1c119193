/* SPDX-License-Identifier: MIT */
#ifndef STRESS_SCHEDULE_TEST_CONTROLLED_H
#define STRESS_SCHEDULE_TEST_CONTROLLED_H

/* A program in text form, and what a run under control came to. */

#include <string.h>

#include <criterion/criterion.h>

#include "stress/schedule/controlled.h"

static struct program program;
static struct controlled_result result;

static inline void parse(const char *text)
{
	struct program_error error;

	cr_assert(program_parse(&program, text, strlen(text), &error), "%u: %s",
		  error.line, error.expected);
}

#endif
