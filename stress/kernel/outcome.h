/* SPDX-License-Identifier: MIT */
#ifndef STRESS_KERNEL_OUTCOME_H
#define STRESS_KERNEL_OUTCOME_H

/*
 * All that an op program does which must be the same on every machine, as
 * lines of text: the kernel prints them, and so does the host.
 *
 *	= NAME verdict ok, performed 5, skipped 0
 *	= NAME did Ao Ao Ao Bn As	each operation: by whom, and its outcome:
 *					ok, no, skipped, reported, FAILED
 *	= NAME said highmem: BUG: ...	each sentence about a misuse
 *	= NAME pages 0x1234.0x5678	a hash of all that is in the pages
 *	= NAME counted hit 2 miss 3	the core's statistics that are not 0
 *
 * What may differ, and is therefore not in it:
 *
 *	addresses and page frames	0x* stands for every hexadecimal number
 *					in a sentence
 *	what the machine counts		flushes of a TLB, interrupts
 *	PAE				if a program is made plain: then each
					side has the page tables it has
	time				both count a tick for an operation, but
 *					no number of ticks is shown
 *	choices				played by the simulated machine only: a
 *					program runs without them here
 */

#include "stress/oracle/exec.h"

/*
 * @program without nested interrupts, with PAE or not whatever it says, and
 * maybe on one CPU; valid until the next call.
 */
const struct program *outcome_plain(const struct program *program, bool pae,
				    bool one_cpu);

/*
 * Run @program, give @say each line of it. NULL when it ended well, by a
 * deadlock of its own too; else the sentence that says what is wrong.
 * pre: program_can(program) == NULL.
 */
const char *outcome_of(const char *name, const struct program *program,
		       void (*say)(const char *line));

#endif
