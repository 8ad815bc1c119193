/* SPDX-License-Identifier: MIT */
#ifndef STRESS_ORACLE_OPS_H
#define STRESS_ORACLE_OPS_H

/* What ops.c and ops_odd.c tell each other. */

#include "stress/oracle/exec_state.h"

/* With tasks in parallel, nobody can tell whose sentence it is. */
static inline bool can_misuse(const struct exec *exec,
			      enum subject_misuse misuse)
{
	return !exec->options->parallel && the_subject.reports[misuse];
}

/*
 * The misuse must be told in a sentence that begins as the subject says. Else a
 * failure: what was not reported.
 */
enum op_outcome expect_report(struct exec *exec, enum subject_misuse misuse,
			      const char *what);

/* Here and now; a handler has no later. */
bool actor_can_kunmap(const struct actor *actor);

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
