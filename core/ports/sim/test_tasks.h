/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_SIM_TEST_TASKS_H
#define CORE_PORTS_SIM_TEST_TASKS_H

/* Tasks on a small machine, that note what they do. */

#include <string.h>

#include <criterion/criterion.h>

#include "core/port/port.h"
#include "core/ports/sim/sim.h"

static char events[64];

static inline void note(char c)
{
	events[strlen(events)] = c;
}

static inline void boot(unsigned int nr_cpus)
{
	const struct machine_config config = {
		.nr_cpus = nr_cpus,
		.nr_slots = 2,
		.nr_colours = 1,
		.nr_pages = 2,
		.local_depth = 2,
	};

	machine_boot(&config);
	cr_assert_null(machine_take_bug());
}

static inline void expect_bug(const char *sentence)
{
	const char *bug = machine_take_bug();

	cr_assert_not_null(bug, "nothing was reported");
	cr_expect_str_eq(bug, sentence);
}

static inline void run_all(void)
{
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_null(machine_take_bug());
}

#endif
