/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/port/port.h"
#include "core/ports/sim/sim.h"

Test(sim_machine, what_it_cannot_be)
{
	struct machine_config config = {
		.nr_cpus = 1,
		.nr_slots = 2,
		.nr_pages = 1,
		.nr_colours = 1,
		.local_depth = 1,
	};

	cr_expect_null(machine_can(&config));
	config.nr_cpus = 0;
	cr_expect_str_eq(machine_can(&config), "a machine has 1 to 8 CPUs");
	config.nr_cpus = 9;
	cr_expect_str_eq(machine_can(&config), "a machine has 1 to 8 CPUs");
	config.nr_cpus = 8;
	config.nr_pages = 0;
	cr_expect_str_eq(machine_can(&config),
			 "a machine has 1 to 4096 highmem pages");
	config.nr_pages = MACHINE_MAX_PAGES + 1;
	cr_expect_str_eq(machine_can(&config),
			 "a machine has 1 to 4096 highmem pages");
	config.nr_pages = MACHINE_MAX_PAGES;
	config.nr_slots = 1;
	cr_expect_str_eq(machine_can(&config),
			 "a machine has 2 to 1024 slots, with PAE 2 to 512");
	config.nr_slots = 1024;
	cr_expect_null(machine_can(&config));
	config.pae = true;
	cr_expect_str_eq(machine_can(&config),
			 "a machine has 2 to 1024 slots, with PAE 2 to 512");
}

static void boot(void)
{
	const struct machine_config config = {
		.nr_cpus = 1,
		.nr_slots = 2,
		.nr_colours = 1,
		.nr_pages = 2,
		.local_depth = 2,
	};

	machine_boot(&config);
	cr_assert_null(machine_take_bug());
}

Test(sim_machine, sentences_come_in_order_and_the_first_are_kept)
{
	char sentence[] = "a";

	boot();
	for (unsigned int i = 0; i < 20; i++, sentence[0]++)
		port_bug(sentence);
	for (unsigned int i = 0; i < 16; i++)
		cr_expect_eq(machine_take_bug()[0], 'a' + (int)i);
	cr_expect_null(machine_take_bug());
	port_bug("z");
	cr_expect_str_eq(machine_take_bug(), "z");
}

Test(sim_machine, what_highmem_init_refuses_is_reported)
{
	const struct machine_config config = {
		.nr_cpus = 1,
		.nr_slots = 2,
		.nr_pages = 1,
		.nr_colours = 3,
		.local_depth = 1,
	};

	machine_boot(&config);
	cr_expect_str_eq(machine_take_bug(), "nr_colours must be 1, 2, 4 or 8");
}
