/* SPDX-License-Identifier: MIT */
#include "core/lib/test_schedules.h"

/*
 * Interrupts and switches inside kmap_local_page() and kunmap_local(). Every
 * page's first word is its number, plus 100.
 */
static void number_pages(void)
{
	for (unsigned int i = 0; i < 4; i++)
		machine_poke32(high(hm, i), 0, 100 + i);
}

static void *map_local(unsigned int n)
{
	void *address = kmap_local_page(hm, high(hm, n));

	SEE(address);
	SEE(machine_load32(address) == 100 + n);
	return address;
}

static void unmap_local(void *address, unsigned int n)
{
	SEE(machine_load32(address) == 100 + n);
	kunmap_local(hm, address);
}

static void map_two(unsigned int a, unsigned int b)
{
	void *first = map_local(a);
	void *second = map_local(b);

	unmap_local(second, b);
	unmap_local(first, a);
}

static void map_p0_p1(void *arg)
{
	(void)arg;
	map_two(0, 1);
}

static void map_p2_p3(void *arg)
{
	(void)arg;
	map_two(2, 3);
}

static const char *windows_are_empty(void)
{
	for (unsigned int depth = 0; depth < KM_MAX_IDX; depth++)
		if (!pte_none(port_pte_read(kmap_window(0, depth))))
			return "a window is left behind";
	return NULL;
}

#define ONE_CPU { .nr_cpus = 1, .nr_slots = 2, .nr_pages = 4, .local_depth = 8 }

/* window_push() and window_pop(): the order of their steps. */
Test(kmap_local_race, interrupts_between_all_steps)
{
	EXPLORE(3, .machine = ONE_CPU, .setup = number_pages,
		.tasks = { map_p0_p1 }, .handler = map_p2_p3,
		.wrong = windows_are_empty);
}

/* No switch between the steps, but anywhere else. */
Test(kmap_local_race, two_tasks_on_one_cpu)
{
	EXPLORE(3, .machine = ONE_CPU, .setup = number_pages,
		.tasks = { map_p0_p1, map_p2_p3 }, .wrong = windows_are_empty);
}

Test(kmap_local_race, switches_and_interrupts)
{
	EXPLORE(2, .machine = ONE_CPU, .setup = number_pages,
		.tasks = { map_p0_p1, map_p2_p3 }, .handler = map_p2_p3,
		.wrong = windows_are_empty);
}

static void map_atomic(void *arg)
{
	void *address = kmap_atomic(hm, high(hm, 0));

	(void)arg;
	SEE(machine_load32(address) == 100);
	kunmap_atomic(hm, address);
}

Test(kmap_local_race, atomic_maps)
{
	EXPLORE(2, .machine = ONE_CPU, .setup = number_pages,
		.tasks = { map_atomic, map_p2_p3 }, .handler = map_atomic,
		.wrong = windows_are_empty);
}

/* ---- A handler that breaks the rules ----------------------------------------- */

static void leave_a_map_behind(void *arg)
{
	(void)arg;
	if (port_atomic_load(
		    &port_task_kmap_ctrl(port_task_current())->depth) >= 2)
		return;
	if (kmap_local_page(hm, high(hm, 2)))
		port_migrate_enable(); /* or the port says so before the core */
}

/* It takes the last window that the task has just found free. */
Test(kmap_local_race, a_map_left_behind_in_the_middle_of_a_map)
{
	struct scenario scenario = {
		.machine = { .nr_cpus = 1,
			     .nr_slots = 2,
			     .nr_pages = 4,
			     .local_depth = 1 },
		.setup = number_pages,
		.tasks = { map_atomic },
		.handler = leave_a_map_behind,
	};

	cr_expect(can_end_with(&scenario, "core/lib/kmap_local.c",
			       "depth < hm->config.local_depth"));
}

/* The task's own map is no longer the newest when it undoes it. */
Test(kmap_local_race, a_map_left_behind_in_the_middle_of_an_unmap)
{
	struct scenario scenario = {
		.machine = ONE_CPU,
		.setup = number_pages,
		.tasks = { map_atomic },
		.handler = leave_a_map_behind,
	};

	cr_expect(
		can_end_with(&scenario, "core/lib/kmap_local.c",
			     "vaddr == kmap_window(port_cpu_id(), depth - 1)"));
}
