/* SPDX-License-Identifier: MIT */
#ifndef STRESS_ORACLE_OPS_H
#define STRESS_ORACLE_OPS_H

/* What ops.c and ops_odd.c tell each other. */

#include "stress/oracle/exec_state.h"

/* With tasks in parallel, nobody can tell whose sentence it is. */
static inline bool can_misuse(const struct exec *exec)
{
	return !exec->options->parallel;
}

/*
 * A misuse must be told in a sentence of the core that begins with @words, after
 * "highmem: BUG: ". Else a failure: what was not reported.
 */
enum op_outcome expect_report(struct exec *exec, const char *words,
			      const char *what);

enum op_outcome perform_kunmap(struct exec *exec, struct actor *actor,
			       const struct op *op);
enum op_outcome perform_stray(struct exec *exec, struct actor *actor,
			      const struct op *op);
enum op_outcome perform_release(struct exec *exec, struct actor *actor,
				const struct op *op);
enum op_outcome perform_address(struct exec *exec, struct actor *actor,
				const struct op *op);
enum op_outcome perform_stale(struct exec *exec, struct actor *actor,
			      const struct op *op);

#endif
