/* SPDX-License-Identifier: MIT */
#include "stress/oracle/exec_state.h"

#include <highmem/format.h>

/*
 * Sentences of the subject and the machine. Inside of operations that interleave
 * they come in any order: an interrupt may take the sentence of a misuse that
 * it cuts in two. So all that were said are kept until the one who expects a
 * sentence of that kind has come for it; at rest nobody expects any more, and
 * what is left is a bug.
 */

/* For a sentence without a place nobody can come; that is a bug, too. */
static void keep(struct exec *exec, const char *sentence)
{
	if (exec->nr_told < EXEC_MAX_TOLD)
		hm_format(exec->told[exec->nr_told++], EXEC_TOLD_BYTES, "%s",
			  sentence);
	else
		exec_fail(exec, "%s", sentence);
}

static bool begins_with(const char *text, const char *words)
{
	while (*words && *text == *words) {
		text++;
		words++;
	}
	return !*words;
}

static const char *take_kept(struct exec *exec, unsigned int i)
{
	static char taken[EXEC_TOLD_BYTES];

	hm_format(taken, sizeof(taken), "%s", exec->told[i]);
	for (exec->nr_told--; i < exec->nr_told; i++)
		hm_format(exec->told[i], EXEC_TOLD_BYTES, "%s",
			  exec->told[i + 1]);
	return taken;
}

const char *oracle_take_report(struct exec *exec, const char *words)
{
	const char *bug;

	for (unsigned int i = 0; i < exec->nr_told; i++)
		if (begins_with(exec->told[i], words))
			return take_kept(exec, i);
	while ((bug = machine_take_bug())) {
		if (begins_with(bug, words))
			return bug;
		keep(exec, bug);
	}
	return NULL;
}

void oracle_no_report(struct exec *exec)
{
	const char *bug = exec->nr_told > 0 ? exec->told[0]
					    : machine_take_bug();

	if (bug)
		exec_fail(exec, "%s", bug);
	exec->nr_told = 0;
}
