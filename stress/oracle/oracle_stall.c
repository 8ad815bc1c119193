/* SPDX-License-Identifier: MIT */
#include "stress/oracle/exec_state.h"

#include <highmem/format.h>

/* A run that does not come to its end: whose fault is it? */

/* The first task that sleeps, as a letter for sentences. */
static const struct actor *first_sleeper(struct exec *exec)
{
	for (unsigned int t = 0; t < exec->program->nr_tasks; t++) {
		const struct actor *actor = &exec->actors[t];

		if (!actor->ended && machine_task_asleep(actor->id))
			return actor;
	}
	return NULL;
}

/* A run that the core itself ended stalls, too; other sentences came before. */
static void report_panic(struct exec *exec)
{
	const char *bug = oracle_take_report(exec,
					     "highmem: BUG: not true at ");

	if (bug)
		exec_fail(exec, "%s", bug);
}

static bool nobody_is_forgotten(struct exec *exec)
{
	exec_look(exec);
	if (!exec->hm)
		return oracle_check_sleepers(exec);
	for (unsigned int c = 0; c < exec->config->nr_colours; c++)
		if (!oracle_check_waiters(exec, c))
			return false;
	return true;
}

static bool waits(struct exec *exec, const struct actor *actor)
{
	return machine_task_asleep(actor->id) &&
	       (exec->hm ? oracle_is_queued(exec, actor)
			 : actor->waits_for >= 0);
}

/*
 * All that is left asleep queues for slots, none is to be had, and all are
 * held by tasks that are themselves asleep (whoever ended has let go): the
 * program asked for it. Anything else is our fault.
 */
void oracle_judge_stall(struct exec *exec)
{
	const struct actor *sleeper = first_sleeper(exec);

	report_panic(exec);
	oracle_no_report(exec);
	if (exec_failed(exec))
		return; /* after a panic nothing is sound any more */
	if (!nobody_is_forgotten(exec))
		return;
	for (unsigned int t = 0; t < exec->program->nr_tasks; t++) {
		const struct actor *actor = &exec->actors[t];

		if (!actor->ended && !waits(exec, actor))
			exec_fail(exec,
				  exec->hm ? "task %c neither runs nor waits "
					     "in the queue of a colour"
					   : "task %c neither runs nor waits "
					     "for a page",
				  actor_letter(t));
	}
	if (exec_failed(exec) || !sleeper)
		return;
	exec->result->verdict = EXEC_DEADLOCK;
	hm_format(exec->result->sentence, sizeof(exec->result->sentence),
		  "deadlock of the program: every slot is held by a task that "
		  "waits for one; %c waits for %c%u",
		  actor_letter(sleeper->index),
		  PAGE_NAME((unsigned int)sleeper->waits_for));
}

/* Who runs in task @id: a handler that interrupts it, or itself. */
static const struct actor *runs_in(struct exec *exec, uint32_t id)
{
	const struct actor *task = exec->actors;

	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++) {
		const struct actor *actor = &exec->actors[a];

		if (actor->id == id && (actor->active || !is_handler(actor)))
			task = actor;
	}
	return task;
}

/*
 * A program has no loops, so one that goes on is the core's. The others may
 * wait for it; who is in its way is for a trace to tell.
 */
void oracle_judge_spin(struct exec *exec, uint32_t id)
{
	const struct actor *actor = runs_in(exec, id);
	char op[32] = "undoing what it holds";

	oracle_no_report(exec);
	if (actor->op)
		op_print(actor->op, op, sizeof(op));
	exec_fail(exec,
		  "liveness: %c gets nowhere in %s, though nothing disturbs "
		  "it any more and every task has its turns",
		  actor_letter(actor->index), op);
}
