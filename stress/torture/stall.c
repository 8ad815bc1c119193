/* SPDX-License-Identifier: MIT */
#include "stress/torture/torture.h"

void stall_restart(struct stall_clock *clock, const port_stat_t *progress,
		   uint64_t now)
{
	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		clock->seen[t] = port_stat_read(&progress[t]);
	clock->since = now;
}

bool stall_check(struct stall_clock *clock, const port_stat_t *progress,
		 uint64_t now, uint64_t limit)
{
	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++) {
		if (clock->seen[t] == port_stat_read(&progress[t]))
			continue;
		stall_restart(clock, progress, now);
		return false;
	}
	return now - clock->since >= limit;
}
