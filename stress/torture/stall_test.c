/* SPDX-License-Identifier: MIT */

#include "stress/torture/test_cases.h"

/* Time is a number here: a stall is seen without waiting for one. */

#define LIMIT 100

static port_stat_t progress[PROGRAM_MAX_TASKS];
static struct stall_clock stalls;

static void restart(uint64_t now)
{
	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		port_stat_set(&progress[t], 0);
	stall_restart(&stalls, progress, now);
}

static bool quiet_before_the_limit(void)
{
	restart(1000);
	return !stall_check(&stalls, progress, 1000, LIMIT) &&
	       !stall_check(&stalls, progress, 1099, LIMIT);
}

static bool stall_at_the_limit(void)
{
	restart(1000);
	return stall_check(&stalls, progress, 1100, LIMIT);
}

/* The clock runs from the last movement, not from the start. */
static bool any_task_moves_it_on(void)
{
	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++) {
		restart(0);
		port_stat_inc(&progress[t]);
		if (stall_check(&stalls, progress, 99, LIMIT) ||
		    stall_check(&stalls, progress, 198, LIMIT) ||
		    !stall_check(&stalls, progress, 199, LIMIT))
			return false;
	}
	return true;
}

/* A stall goes on until something moves. */
static bool stall_lasts(void)
{
	restart(0);
	if (!stall_check(&stalls, progress, 100, LIMIT) ||
	    !stall_check(&stalls, progress, 500, LIMIT))
		return false;
	port_stat_inc(&progress[0]);
	return !stall_check(&stalls, progress, 501, LIMIT);
}

/* A new round may begin with the numbers the last one ended with. */
static bool restart_forgets(void)
{
	restart(0);
	stall_restart(&stalls, progress, 90);
	return !stall_check(&stalls, progress, 189, LIMIT) &&
	       stall_check(&stalls, progress, 190, LIMIT);
}

static const struct test_case cases[] = {
	CASE(quiet_before_the_limit), CASE(stall_at_the_limit),
	CASE(any_task_moves_it_on),   CASE(stall_lasts),
	CASE(restart_forgets),
};

int main(void)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]));
}
