/* SPDX-License-Identifier: MIT */
#ifndef CORE_TESTING_CONTROLLED_H
#define CORE_TESTING_CONTROLLED_H

/*
 * Runs a program on the sim with every question (ports/sim/control.h) answered
 * by a chooser, and records what was answered otherwise than by default. The
 * record, put into the program, replays the run exactly.
 */

#include "core/ports/sim/control.h"
#include "core/testing/exec.h"

/* What the chooser may do at all. */
struct controlled_faults {
	bool irqs;
	bool store_buffers;
	bool spurious;
	bool timeouts;
};

struct controlled_options {
	/*
	 * Answer @question: an index below @nr. Without it, the program's own
	 * choices are played, and the default is taken where there is none.
	 */
	unsigned int (*choose)(void *arg, uint32_t step,
			       enum sim_question question,
			       const uint8_t *options, unsigned int nr);
	void (*event)(void *arg, const struct sim_event *event);
	void (*trace)(void *arg, const char *task, const char *op,
		      const char *outcome);
	void *arg;
	struct controlled_faults faults;
	uint32_t max_steps; /* 0: CONTROLLED_MAX_STEPS */
};

#define CONTROLLED_MAX_STEPS 20000

struct controlled_result {
	struct exec_result exec;
	uint32_t steps;
	/* What was chosen; the rest of the program is not filled in. */
	unsigned int nr_choices;
	struct choice choices[PROGRAM_MAX_CHOICES];
	bool too_many_choices; /* more than fit: not replayable */
	/* Choices of the program that no question offered. */
	unsigned int nr_unmatched;
	/* A fingerprint of all accesses with their values, in order. */
	uint64_t trace_hash;
};

/* pre: machine_can(&program->machine) == NULL. Not reentrant. */
void controlled_run(const struct program *program,
		    const struct controlled_options *options,
		    struct controlled_result *result);

/* Exactly the faults that the choices of @program need. */
struct controlled_faults controlled_faults_of(const struct program *program);

#endif
