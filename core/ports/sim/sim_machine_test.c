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

/* ---- What a machine may have ---------------------------------------------------- */

static struct highmem *boot_with(bool full_flush, bool holes,
				 unsigned int nr_pages)
{
	const struct machine_config config = {
		.nr_cpus = 1,
		.nr_slots = 4,
		.nr_pages = nr_pages,
		.nr_colours = 2,
		.local_depth = 1,
		.full_flush = full_flush,
		.holes = holes,
	};

	cr_assert_null(machine_can(&config));
	return machine_boot(&config);
}

static struct highmem *flushed;

static void flush_pages(void *arg)
{
	unsigned int nr = *(const unsigned int *)arg;
	struct page *page = &flushed->config.mem_map[MACHINE_LOWMEM_PAGES];

	for (unsigned int i = 0; i < nr; i++)
		cr_assert_not_null(kmap(flushed, &page[2 * i]));
	for (unsigned int i = 0; i < nr; i++)
		kunmap(flushed, &page[2 * i]);
	kmap_flush_unused(flushed);
}

static uint32_t full_flushes(bool full_flush, unsigned int nr)
{
	uint32_t full;

	flushed = boot_with(full_flush, false, 4);
	machine_spawn(0, flush_pages, &nr);
	cr_assert_eq(machine_run(), MACHINE_DONE);
	cr_expect_null(machine_take_bug());
	full = machine_tlb_stats().full;
	machine_shutdown();
	return full;
}

Test(sim_machine, a_flush_of_two_pages_may_be_one_of_all)
{
	cr_expect_eq(full_flushes(true, 1), 0);
	cr_expect_eq(full_flushes(true, 2), 1);
	cr_expect_eq(full_flushes(false, 2), 0);
}

static void expect_frames(bool holes, unsigned int nr_pages)
{
	struct highmem *hm = boot_with(false, holes, nr_pages);
	unsigned int nr = MACHINE_LOWMEM_PAGES + nr_pages;
	pfn_t first = page_to_pfn(hm, &hm->config.mem_map[0]);
	pfn_t last = first;

	for (unsigned int i = 0; i < nr; i++) {
		struct page *page = &hm->config.mem_map[i];
		pfn_t pfn = page_to_pfn(hm, page);

		cr_expect_eq(page_is_highmem(hm, page),
			     i >= MACHINE_LOWMEM_PAGES);
		cr_expect_eq(sim_frame_index(pfn), i);
		cr_expect_eq(pfn % 8, (first + i) % 8, "of another colour");
		for (pfn_t hole = last + 1; hole < pfn; hole++)
			cr_expect_eq(sim_frame_index(hole), UINT32_MAX);
		last = pfn;
	}
	cr_expect_eq(last - first, nr - 1 + (holes ? MACHINE_HOLE : 0));
	cr_expect_eq(sim_frame_index(first - 1), UINT32_MAX);
	cr_expect_eq(sim_frame_index(last + 1), UINT32_MAX);
	machine_shutdown();
}

Test(sim_machine, ram_may_have_a_hole)
{
	for (unsigned int nr_pages = 1; nr_pages < 8; nr_pages++) {
		expect_frames(false, nr_pages);
		expect_frames(true, nr_pages);
	}
}
