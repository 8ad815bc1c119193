/* SPDX-License-Identifier: MIT */

/*
 * Random op programs under the oracle, the same ones in every run. What fails
 * here is printed as a .hmt program, to be replayed on the simulated machine.
 */

#include <highmem/format.h>

#include "core/ports/i686/console.h"
#include "core/ports/i686/words.h"
#include "stress/kernel/cases.h"
#include "stress/kernel/print.h"
#include "stress/oracle/exec.h"
#include "stress/program/program.h"

#define NR_PROGRAMS 100
#define OPS_PER_TASK 12

static struct program program;

static const char *run_programs(const struct machine_config *machine,
				unsigned int nr_tasks)
{
	static struct exec_result result;
	const struct exec_options options = { .repeat = 1 };
	struct machine_config config = *machine;
	uint64_t seed = word_number("seed", 1);
	uint32_t performed = 0;

	config.pae = port_facts()->pae;
	for (unsigned int i = 0; i < NR_PROGRAMS; i++) {
		program_generate(&program, &config, nr_tasks, OPS_PER_TASK,
				 &seed);
		exec_program(&program, &options, &result);
		performed += result.nr_performed;
		if (result.verdict == EXEC_BUG) {
			print_program(&program);
			return result.sentence;
		}
	}
	console_printf("# %u programs, %u operations\n", NR_PROGRAMS,
		       performed);
	return performed ? NULL : "no operation was performed";
}

/* Fewer slots than pages, so that tasks wait and slots are reused. */
static const char *two_slots(void)
{
	static const struct machine_config machine = {
		.nr_cpus = 1,
		.nr_slots = 2,
		.nr_colours = 1,
		.nr_pages = 4,
		.local_depth = 4,
	};

	return run_programs(&machine, 3);
}

static const char *two_colours(void)
{
	static const struct machine_config machine = {
		.nr_cpus = 1,
		.nr_slots = 4,
		.nr_colours = 2,
		.nr_pages = 8,
		.local_depth = 3,
	};

	return run_programs(&machine, 4);
}

static const char *forced_windows(void)
{
	static const struct machine_config machine = {
		.nr_cpus = 1,
		.nr_slots = 3,
		.nr_colours = 1,
		.nr_pages = 6,
		.local_depth = KM_MAX_IDX,
		.force_map = true,
	};

	return run_programs(&machine, 2);
}

const struct conformance_case program_cases[] = {
	{ "random_programs_two_slots", two_slots },
	{ "random_programs_two_colours", two_colours },
	{ "random_programs_forced_windows", forced_windows },
};

const unsigned int program_nr_cases = sizeof(program_cases) /
				      sizeof(program_cases[0]);
