/* SPDX-License-Identifier: MIT */
#ifndef STRESS_ORACLE_EXEC_H
#define STRESS_ORACLE_EXEC_H

/*
 * Runs a program on whatever machine the port gives and judges it: each
 * operation is performed, then the oracle looks. An operation that makes no
 * sense at its place (unlocal without a local map) is skipped, so that every
 * program is a legal one, except for the misuses that are meant, and those
 * must be reported in a sentence.
 */

#include "stress/program/program.h"

enum exec_verdict {
	EXEC_OK,
	/* All slots held by tasks that wait for one: the program's own fault. */
	EXEC_DEADLOCK,
	EXEC_BUG,
	/* The machine's first boot was refused; on its second all went well. */
	EXEC_REFUSED,
};

/* How much the oracle looks at, where it looks between two operations. */
enum exec_look {
	LOOK_AT_CHANGES, /* at what changed, and at everything now and then */
	LOOK_AT_ALL,
	LOOK_TWICE, /* in both ways, which must agree */
};

struct exec_options {
	/*
	 * Run each task's operations this many times (0 means 1). The maps a
	 * task still holds are undone after each round.
	 */
	unsigned int repeat;
	/*
	 * Tasks run in parallel: only what holds under any interleaving is
	 * checked between operations, the rest when all have ended.
	 */
	bool parallel;
	/*
	 * Somebody chooses switches and interrupts inside operations (the
	 * sim's control.h): what holds at rest is then checked only while no
	 * task is in the middle of an operation. @freeze stops the choosing
	 * while the oracle looks, and lets it go on; false when stores are still
	 * under way to memory. NULL otherwise.
	 */
	bool (*freeze)(bool on);
	/* Why the machine's first boot was refused, or NULL. Or NULL itself. */
	const char *(*refused)(void);
	/*
	 * Under control, when a run has stalled: did it have the steps of
	 * exec_calm_steps(), and was not over by then? The id of the task that
	 * ran in the end, or 0. NULL otherwise.
	 */
	uint32_t (*gave_up_on)(void);
	/* Compare with the sequential model: refine.h. Not if parallel. */
	bool refine;
	enum exec_look look;
	/* Called after each operation with its text, or NULL. */
	void (*trace)(void *arg, const char *task, const char *op,
		      const char *outcome);
	void *trace_arg;
	/* Called with each sentence about a misuse that was meant, or NULL. */
	void (*report)(void *arg, const char *sentence);
	void *report_arg;
	bool contents; /* fill exec_result.contents */
	/* Progress, for a stall detector: bumped after each operation. */
	port_stat_t *progress; /* PROGRAM_MAX_TASKS of them, or NULL */
};

struct exec_result {
	enum exec_verdict verdict;
	char sentence[192]; /* but for EXEC_OK */
	uint32_t nr_performed;
	uint32_t nr_skipped;
	/* What each actor's operations gave, in its own order, as one number. */
	uint64_t outcome;
	/* What is in the pages in the end, as one number, if asked for. */
	uint64_t contents;
	uint32_t stats[HM_NR_STATS]; /* at the end of the run */
};

/*
 * From now on all runs of this process are judged from outside, though the
 * subject may let look in; and are they?
 */
void exec_judge_from_outside(void);
bool exec_judges_from_outside(void);

/*
 * Boot the program's machine, run it, judge it, shut the machine down. What the
 * machine reports of its boot is a bug, and then nothing runs.
 * pre: program_can(program) == NULL. Not reentrant.
 */
void exec_program(const struct program *program,
		  const struct exec_options *options,
		  struct exec_result *result);

/*
 * Run handler @irq of the program as an interrupt of the task that runs now,
 * in the middle of whatever it does. Only while exec_program() runs with
 * options->freeze; false while interrupts are off.
 */
bool exec_interrupt(unsigned int irq);

/*
 * When nothing disturbs it any more and each task has its turns: how many steps
 * may the run take to its end? More than any program needs. Only while
 * exec_program() runs.
 */
uint32_t exec_calm_steps(void);

/*
 * A number for all that the run knows beyond the machine's own state: what is
 * held, written, and came out so far. Two equal machine states with the same
 * number have the same future.
 */
uint64_t exec_state_hash(void);

#endif
