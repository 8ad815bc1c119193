/* SPDX-License-Identifier: MIT */
#ifndef STRESS_ORACLE_OVERTAKE_H
#define STRESS_ORACLE_OVERTAKE_H

/*
 * Bounded waiting: nobody who came later gets a slot before a task that queues
 * for one of the same colour (docs/decisions/0002). A hit, or a share of the
 * same page, takes no slot and may come first.
 *
 * refine.c tells of calls and returns. One run at a time.
 */

#include "stress/oracle/exec_state.h"

void overtake_begin(bool on);

/* @actor calls; @page is an index in mem_map. */
void overtake_call(const struct exec *exec, const struct actor *actor,
		   enum op_kind kind, unsigned int page);

/* And returns, with a map or without. Fails the run with a sentence. */
void overtake_return(struct exec *exec, const struct actor *actor, bool yes);

/* A number for all that the future depends on; 0 while nobody queues. */
uint64_t overtake_hash(void);

#endif
