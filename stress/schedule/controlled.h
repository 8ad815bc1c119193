/* SPDX-License-Identifier: MIT */
#ifndef STRESS_SCHEDULE_CONTROLLED_H
#define STRESS_SCHEDULE_CONTROLLED_H

/*
 * Runs a program on the sim with every question (ports/sim/control.h) answered
 * by a chooser, and records what was answered otherwise than by default. The
 * record, put into the program, replays the run exactly.
 */

#include "core/ports/sim/control.h"
#include "stress/oracle/exec.h"

/*
 * What the chooser may do at all besides switching tasks: one bit for each
 * class. Without its bit a class is never asked about, and a run goes as if
 * every answer had been the default.
 */
enum controlled_fault {
	FAULT_IRQ = 1 << 0,	 /* interrupts */
	FAULT_TSO = 1 << 1,	 /* stores stay in store buffers */
	FAULT_SPURIOUS = 1 << 2, /* sleepers wake for no reason */
	FAULT_TIMEOUT = 1 << 3,	 /* deadlines come early */
	FAULT_CANCEL = 1 << 4,	 /* signals for killable waits */
	FAULT_MIGRATE = 1 << 5,	 /* tasks go on on another CPU */
	FAULT_IPI = 1 << 6,	 /* CPUs answer a shootdown later */
	FAULT_TLB = 1 << 7,	 /* TLBs forget what they have */
	FAULT_OOM = 1 << 8,	 /* an allocation of the boot fails */
	FAULT_HOTPLUG = 1 << 9,	 /* CPUs go offline and come back */
};

#define CONTROLLED_NR_FAULTS 10
#define CONTROLLED_ALL_FAULTS ((1U << CONTROLLED_NR_FAULTS) - 1)

/* The name of class number @nr, from 0: "irq". */
const char *controlled_fault_name(unsigned int nr);

/* "irq,tso", "all" or "none" -> bits. False: a name that is none of them. */
bool controlled_faults_parse(const char *text, uint32_t *faults);

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
	enum exec_look look;
	uint32_t faults; /* enum controlled_fault */
	/*
	 * Of the safety phase, in which questions are asked. Whoever is not
	 * done then must get done in the calm phase, within
	 * exec_calm_steps(), or it is a bug. 0: as the program says it, else
	 * CONTROLLED_MAX_STEPS.
	 */
	uint32_t max_steps;
};

#define CONTROLLED_MAX_STEPS 20000

struct controlled_result {
	struct exec_result exec;
	uint32_t steps;
	uint32_t calm_since; /* the first step of the calm phase; 0: none */
	/*
	 * What was chosen, so that it can be played again; when it is full, the
	 * chooser is not asked any more and all goes by default.
	 */
	unsigned int nr_choices;
	struct choice choices[PROGRAM_MAX_CHOICES];
	/* Choices of the program that no question offered. */
	unsigned int nr_unmatched;
	/* A fingerprint of all accesses with their values, in order. */
	uint64_t trace_hash;
};

/* pre: program_can(program) == NULL. Not reentrant. */
void controlled_run(const struct program *program,
		    const struct controlled_options *options,
		    struct controlled_result *result);

/* @program, of which @result is a run, plays that one from now on. */
void controlled_record(struct program *program,
		       const struct controlled_result *result);

/*
 * The run that is under way as a program, with its choices up to now; false if
 * there is none. For a signal handler, when the core has crashed.
 */
bool controlled_under_way(struct program *program);

/* Exactly the faults that the choices of @program need. */
uint32_t controlled_faults_of(const struct program *program);

#endif
