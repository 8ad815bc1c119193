/* SPDX-License-Identifier: MIT */

/* What there is to say of CPUs and what they did, as long as there is one. */

#include "core/ports/i686/internal.h"

unsigned int i686_nr_cpus(void)
{
	return 1;
}

/* One CPU runs tasks "side by side" by taking turns. */
void i686_set_parallel(bool on)
{
	i686_set_round_robin(on);
}

struct i686_counts i686_counts(void)
{
	struct i686_counts counts = tlb_counts();

	counts.switches = sched_switches();
	return counts;
}
