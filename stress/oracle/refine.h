/* SPDX-License-Identifier: MIT */
#ifndef STRESS_ORACLE_REFINE_H
#define STRESS_ORACLE_REFINE_H

/*
 * Refinement: persistent maps against a small sequential model. Each operation
 * is told when it is called and when it returns, with its answer; the answers
 * must be those of the model, with every operation taking effect at one moment
 * between its call and its return. refine.c has the model.
 *
 * One run at a time. Once a run has failed, nothing more is looked at.
 */

#include "stress/oracle/exec_state.h"

/* At a run's start; off for good in this run if @on is false. */
void refine_begin(const struct exec *exec, bool on);

/* All tasks have ended, or never will. */
void refine_end(void);

/* @actor calls; @page is an index in mem_map, 0 for OP_FLUSH. */
void refine_call(const struct exec *exec, const struct actor *actor,
		 enum op_kind kind, unsigned int page);

/* And returns: @yes is a map, or simply done. Fails the run with a sentence. */
void refine_return(struct exec *exec, const struct actor *actor, bool yes);

/* A number for all that the future depends on. */
uint64_t refine_hash(void);

#endif
