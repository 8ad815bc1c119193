/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_SCHED_MUTATOR_H
#define FUZZ_SCHED_MUTATOR_H

/*
 * Changes op programs and their choices, one sensible step at a time, where
 * libFuzzer alone would change bytes. What comes out is always a program that
 * encodes to bytes and back, and it depends on nothing but the arguments.
 *
 * A choice is worth something only at a step where its question is asked, and
 * which those are, only a run can tell. So the mutator gets the profile of a
 * run of the program it starts from. It need not be true of the program after
 * the first change: a choice that no question offers does nothing.
 */

#include "core/ports/sim/control.h"
#include "stress/program/program.h"

/* Points of a run that a profile knows one by one. */
#define SCHED_PROFILE_POINTS 4096
#define SCHED_PROFILE_HOT 512
#define SCHED_NOBODY 0
#define SCHED_HANDLER (PROGRAM_MAX_TASKS + 1)

/* The access at @step is to a word that @task accesses later in the run. */
struct sched_hot {
	uint16_t step;
	uint8_t task; /* id, or SCHED_HANDLER */
};

struct sched_profile {
	uint32_t steps; /* 0: there was no run */
	/* By step: id of the task that had an access there, and which. */
	uint8_t task[SCHED_PROFILE_POINTS];
	uint8_t access[SCHED_PROFILE_POINTS]; /* enum sim_access */
	/* Where the order matters, each once; the first so many. */
	unsigned int nr_hot;
	struct sched_hot hot[SCHED_PROFILE_HOT];
	/*
	 * When an operation was performed first; end 0: never. At both steps
	 * the next task to run was chosen.
	 */
	uint32_t op_begin[PROGRAM_MAX_OPS];
	uint32_t op_end[PROGRAM_MAX_OPS];
	/* The choices that some question offered. */
	unsigned int nr_played;
	struct choice played[PROGRAM_MAX_CHOICES];
};

enum sched_mutation {
	SCHED_INSERT_OP,
	SCHED_DELETE_OP,
	SCHED_DUPLICATE_OP,
	SCHED_SWAP_OPS,
	SCHED_CHANGE_KIND,
	SCHED_CHANGE_ARG,
	SCHED_CHANGE_ACTOR,
	SCHED_RESIZE_MACHINE,
	SCHED_CHANGE_ACTORS, /* their number, their CPUs */
	SCHED_INSERT_CHOICE,
	SCHED_DELETE_CHOICE,
	SCHED_MOVE_CHOICE,
	SCHED_CHANGE_CHOICE,
	SCHED_BURST, /* two preemptions close together */
	SCHED_DELAY_STORES,
	SCHED_TIDY, /* choices that did nothing go */
	SCHED_NR_MUTATIONS
};

/* One change to @program. Returns which. */
enum sched_mutation sched_mutate(struct program *program,
				 const struct sched_profile *profile,
				 uint64_t *seed);

enum sched_cross_over {
	SCHED_CROSS_CHOICES, /* operations of one, choices of the other */
	SCHED_CROSS_TASKS,   /* some actors' operations from the other */
	SCHED_NR_CROSS_OVERS
};

/* @program becomes a child of itself and @other. Returns which kind. */
enum sched_cross_over sched_cross_over(struct program *program,
				       const struct program *other,
				       uint64_t *seed);

/*
 * Encode @program into at most @size bytes, leaving out operations and choices
 * until it fits. Returns the number of bytes; 0 if not even a header does.
 */
size_t sched_encode(struct program *program, uint8_t *bytes, size_t size,
		    uint64_t *seed);

#endif
