/* SPDX-License-Identifier: MIT */
#ifndef STRESS_KERNEL_TORTURE_H
#define STRESS_KERNEL_TORTURE_H

/* What the files of torture know of each other; torture.c tells the story. */

#include "core/port/conformance/conformance.h"
#include "core/port/machine.h"

#define TORTURE_PAGES MACHINE_MAX_PAGES
#define TORTURE_HOT 8 /* pages that half of the maps are of */

/* For time=SECONDS, with seed=N: one case. */
extern const struct conformance_case torture_case;

/* A round: one machine, and what runs on it. */
struct torture_round {
	struct machine_config machine;
	unsigned int nr_tasks;
	unsigned int hz; /* of the clock that interrupts them */
};

/* ---- torture_task.c: the tight loops ----------------------------------------- */

/* What a round that does not end was told, for i686_print_state(). */
void torture_print_state(void);

struct torture_counts {
	uint32_t pairs;	   /* maps, and unmaps of the same */
	uint32_t in_irqs;  /* of them: in an interrupt */
	uint32_t refusals; /* no slot for kmap_try(), nothing for get */
	uint32_t timeouts; /* kmap_timeout() gave up */
	uint32_t stats[HM_NR_STATS];
};

/*
 * Boot the machine of @round, with a tag in each page, run the tasks until
 * @over() says so (asked in the boot CPU's interrupts), and look at all there
 * is to see. NULL, or the first impossible thing.
 */
const char *torture_loops(const struct torture_round *round, uint32_t seed,
			  bool (*over)(void), struct torture_counts *counts);

#endif
