/* SPDX-License-Identifier: MIT */
#ifndef STRESS_ORACLE_TEST_RUN_H
#define STRESS_ORACLE_TEST_RUN_H

/*
 * Runs a program in text form, and keeps the story of it. A test may break the
 * machine in the middle, to see whether the oracle notices.
 */

#include <string.h>

#include <criterion/criterion.h>

#include <highmem/format.h>

#include "core/port/port.h"
#include "core/ports/sim/sim.h"
#include "stress/oracle/exec.h"

static struct program program;
static struct exec_result result;
static char story[4096];

/* What breaks the machine, after operation number @when. */
struct sabotage {
	unsigned int when;
	void (*act)(struct highmem *hm);
};

static unsigned int performed;

static inline void tell(void *arg, const char *task, const char *op,
			const char *outcome)
{
	const struct sabotage *sabotage = arg;
	size_t len = strlen(story);

	hm_format(story + len, sizeof(story) - len, "%s: %s -> %s\n", task, op,
		  outcome);
	if (sabotage && ++performed == sabotage->when)
		sabotage->act(&highmem_guest_state);
}

static inline enum exec_verdict run(const char *text, struct sabotage *sabotage)
{
	const struct exec_options options = {
		.trace = tell,
		.trace_arg = sabotage,
	};
	struct program_error error;

	cr_assert(program_parse(&program, text, strlen(text), &error),
		  "line %u: %s", error.line, error.expected);
	memset(story, 0, sizeof(story));
	performed = 0;
	exec_program(&program, &options, &result);
	return result.verdict;
}

#endif
