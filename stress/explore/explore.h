/* SPDX-License-Identifier: MIT */
#ifndef STRESS_EXPLORE_EXPLORE_H
#define STRESS_EXPLORE_EXPLORE_H

/*
 * The explorer: looks for an interleaving, an interrupt, a delayed store that
 * breaks a program. What the parts tell each other.
 *
 *	search*.c	try schedules of one program
 *	minimize.c	makes a failing program small
 *	trace.c		prints a run so that one sees why
 *	explain.c	says in one sentence what went wrong
 *	exhaust.c	all programs of a size, all their schedules within a bound
 */

#include "stress/schedule/controlled.h"

enum search_end {
	SEARCH_BUG,	/* search_result.run failed */
	SEARCH_DONE,	/* every schedule within the bound was tried */
	SEARCH_STOPPED, /* the budget ran out first */
};

enum search_strategy {
	SEARCH_RANDOM,	  /* leave the default with a probability, by swarm */
	SEARCH_PCT,	  /* random priorities, depth - 1 changes of them */
	SEARCH_DFS,	  /* all schedules with max_preemptions, in order */
	SEARCH_PORTFOLIO, /* random, PCT and DFS with a growing bound, in turns */
	SEARCH_URW,	  /* every interleaving about as likely as any other */
};

#define EXPLORE_UNBOUNDED UINT32_MAX

struct search_options {
	enum search_strategy strategy;
	uint32_t faults; /* enum controlled_fault */
	/* DFS: deviations where one could run on, or EXPLORE_UNBOUNDED. */
	unsigned int max_preemptions;
	unsigned int depth; /* PCT: of the bug, 1 up */
	uint32_t max_steps; /* of a run, before it turns calm; 0: the default */
	uint64_t iterations; /* schedules to try; 0: no limit */
	bool prune;	     /* DFS: not twice from the same state */
	/* Called now and then; true: stop. Or NULL. */
	bool (*should_stop)(void *arg);
	/* DFS: a run has ended as none before it. Or NULL. */
	void (*new_end)(void *arg, const struct controlled_result *run);
	void *arg;
};

struct search_result {
	uint64_t schedules;
	uint64_t steps;
	uint64_t states;   /* DFS with prune: kept */
	uint64_t pruned;   /* DFS with prune: runs that came to a known state */
	uint64_t loops;	   /* of them: one of their own; they went on calm */
	uint64_t outcomes; /* sum of the end states' hashes over distinct ones */
	uint64_t deadlocks; /* schedules that end in the program's own */
	bool incomplete;    /* DFS: a run was too long to try all it offers */
	struct controlled_result run; /* the failing one, for SEARCH_BUG */
};

/*
 * Try schedules of @program (its own choices and its calm line are ignored).
 * *@seed is used by the random strategies and moves on: same seed, same
 * schedules.
 */
enum search_end search_program(const struct program *program,
			       const struct search_options *options,
			       uint64_t *seed, struct search_result *result);

/* ---- minimize.c ------------------------------------------------------------ */

/*
 * Make a failing program small: fewer operations, choices, tasks, pages, slots
 * and CPUs, as long as it fails with the same kind of sentence. In place.
 * False if @program does not fail as it is. @replays: how many runs it took; it
 * ends soon after @most_replays. That is no time, so that the same finding is
 * minimised in the same way on any machine. A run that does not get on is made
 * calm as early as it goes.
 */
bool minimize_program(struct program *program, uint64_t most_replays,
		      uint64_t *replays);

/* A few seconds on an idle machine. */
#define MINIMIZE_MOST_REPLAYS 300000

/* Do two sentences tell of the same kind of bug? Numbers do not matter. */
bool same_kind(const char *sentence, const char *other);

/* ---- trace.c ---------------------------------------------------------------- */

enum trace_format {
	TRACE_NONE,
	TRACE_TABLE, /* operations, switches and what the core did to its state */
	TRACE_FULL, /* every access, with source lines, locks and TLBs */
	TRACE_JSON, /* all of it, for programs; docs in trace.c */
	TRACE_HTML, /* a page that shows it over time */
};

/* Replay @program and print the run. Returns its verdict. */
enum exec_verdict trace_program(const struct program *program,
				enum trace_format format,
				struct controlled_result *result);

/* ---- explain.c --------------------------------------------------------------- */

/* One sentence on why the run of @program fails; valid until the next call. */
const char *explain_program(const struct program *program);

#endif
