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

Test(sim_machine, colours_divide_the_slots)
{
	static const struct {
		unsigned int slots;
		unsigned int colours;
		bool can;
	} shapes[] = { { 6, 2, true },	{ 3, 2, false }, { 6, 4, false },
		       { 6, 0, false }, { 6, 3, false }, { 16, 16, false },
		       { 8, 8, true } };
	struct machine_config config = {
		.nr_cpus = 1,
		.nr_pages = 1,
		.local_depth = 1,
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		config.nr_slots = shapes[i].slots;
		config.nr_colours = shapes[i].colours;
		cr_expect_eq(!machine_can(&config), shapes[i].can,
			     "%u slots, %u colours", config.nr_slots,
			     config.nr_colours);
	}
}

Test(sim_machine, a_task_has_1_to_16_local_maps)
{
	struct machine_config config = {
		.nr_cpus = 1,
		.nr_slots = 2,
		.nr_colours = 1,
		.nr_pages = 1,
	};

	for (config.local_depth = 0; config.local_depth <= 20;
	     config.local_depth++)
		cr_expect_eq(!machine_can(&config),
			     config.local_depth >= 1 && config.local_depth <= 16,
			     "%u", config.local_depth);
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
