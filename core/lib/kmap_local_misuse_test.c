/* SPDX-License-Identifier: MIT */
#include "core/lib/test_windows.h"

/*
 * What the core says to callers who break the rules of local maps, in every
 * HIGHMEM_DEBUG tier.
 */

Test(kmap_local, undone_in_the_wrong_order)
{
	boot_local(SMALL);
	kmap_local_page(hm, high(hm, 0));
	kmap_local_page(hm, high(hm, 1));
	kunmap_local(hm, window(0, 0));
	EXPECT_BUG("highmem: BUG: kunmap_local of 0xffffd000: not the newest "
		   "local map of task 0");
	cr_expect_eq(my_depth(), 2);
	cr_expect_eq(machine_load32(window(0, 0)), 100);
	cr_expect_eq(machine_load32(window(0, 1)), 101);
	EXPECT_SOUND(hm);
}

Test(kmap_local, undone_twice)
{
	void *address;

	boot_local(SMALL);
	address = kmap_local_page(hm, high(hm, 0));
	kunmap_local(hm, address);
	kunmap_local(hm, address);
	EXPECT_BUG("highmem: BUG: kunmap_local of 0xffffd000: not the newest "
		   "local map of task 0");
	cr_expect_eq(sim.controller.migrate_count, 0);
	EXPECT_SOUND(hm);
}

Test(kmap_local, the_window_of_another_cpu)
{
	boot_local(SMALL);
	kmap_local_page(hm, high(hm, 0));
	kunmap_local(hm, window(1, 0));
	EXPECT_BUG("highmem: BUG: kunmap_local of 0xfffed000: not the newest "
		   "local map of task 0");
	cr_expect_eq(my_depth(), 1);
	EXPECT_SOUND(hm);
}

static void unmap_the_window_before(void *arg)
{
	(void)arg;
	kunmap_local(hm, window(0, KM_MAX_IDX - 1));
	EXPECT_BUG("highmem: BUG: kunmap_local of 0xfffee000: not the newest "
		   "local map of task 1");
}

/* The last window of a CPU lies right before the first of the next. */
Test(kmap_local, without_a_map_the_last_window_of_another_cpu)
{
	boot_local(SMALL);
	machine_spawn(1, unmap_the_window_before, NULL);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	EXPECT_SOUND(hm);
}

Test(kmap_local, addresses_that_are_no_local_map)
{
	boot_local(SMALL);
	kmap_local_page(hm, high(hm, 0));
	kunmap_local(hm, kmap(hm, high(hm, 1)));
	EXPECT_BUG("highmem: BUG: kunmap_local of 0xff800000: not a local map");
	kunmap_local(hm, NULL);
	EXPECT_BUG("highmem: BUG: kunmap_local of 0x0: not a local map");
	kunmap_local(hm, (void *)(fixmap_vaddr(FIX_HOLE) + 5));
	EXPECT_BUG("highmem: BUG: kunmap_local of 0xffffe000: not a local map");
	kunmap_local(hm, (void *)fixmap_vaddr(FIX_HOLE_BELOW));
	EXPECT_BUG("highmem: BUG: kunmap_local of 0xfff7d000: not a local map");
	cr_expect_eq(my_depth(), 1);
	EXPECT_SOUND(hm);
}

static void map_for_a_while(void *arg)
{
	void *address = kmap_local_page(hm, high(hm, 0));

	(void)arg;
	at(2);
	cr_expect_eq(machine_load32(address), 100);
	kunmap_local(hm, address);
}

static void unmap_the_others(void *arg)
{
	(void)arg;
	at(1);
	kunmap_local(hm, window(0, 0));
}

Test(kmap_local, the_map_of_another_task)
{
	boot_local(SMALL);
	machine_spawn(0, map_for_a_while, NULL);
	machine_spawn(0, unmap_the_others, NULL);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	EXPECT_BUG("highmem: BUG: kunmap_local of 0xffffd000: not the newest "
		   "local map of task 2");
	EXPECT_SOUND(hm);
}

/* ---- With preemption off ----------------------------------------------------------- */

Test(kmap_atomic, a_map_that_is_refused_leaves_preemption_on)
{
	boot_local(SMALL);
	for (unsigned int i = 0; i < 4; i++)
		kmap_local_page(hm, high(hm, i));
	cr_expect_null(kmap_atomic(hm, high(hm, 4)));
	EXPECT_BUG("highmem: BUG: local map of pfn 0x38004: task 0 holds 4 "
		   "already");
	cr_expect_eq(sim.controller.preempt_count, 0);
}

Test(kmap_atomic, an_unmap_that_is_refused_leaves_preemption_off)
{
	boot_local(SMALL);
	kmap_atomic(hm, high(hm, 0));
	kmap_atomic(hm, high(hm, 1));
	kunmap_atomic(hm, window(0, 0));
	EXPECT_BUG("highmem: BUG: kunmap_atomic of 0xffffd000: not the newest "
		   "atomic map of task 0");
	kunmap_atomic(hm, NULL);
	EXPECT_BUG("highmem: BUG: kunmap_atomic of 0x0: not an atomic map");
	cr_expect_eq(sim.controller.preempt_count, 2);
}

/* ---- Only what a call of this task gave ------------------------------------------------ */

#define NO_LOW_MAP(call, kind) \
	"highmem: BUG: " call " of 0xc0000000: task 0 has no " kind \
	" map of lowmem"

Test(kmap_atomic, a_lowmem_pointer_that_was_not_mapped)
{
	void *low_address;

	boot_local(SMALL);
	low_address = page_address(hm, low(hm, 0));
	kmap_atomic(hm, high(hm, 0));
	kunmap_atomic(hm, low_address);
	EXPECT_BUG(NO_LOW_MAP("kunmap_atomic", "atomic"));
	kunmap_local(hm, low_address);
	EXPECT_BUG(NO_LOW_MAP("kunmap_local", "local"));
	cr_expect_eq(sim.controller.preempt_count, 1);
	kunmap_atomic(hm, window(0, 0));
	cr_expect_eq(sim.controller.preempt_count, 0);
	EXPECT_SOUND(hm);
}

Test(kmap_atomic, lowmem_by_the_other_call)
{
	void *address;

	boot_local(SMALL);
	address = kmap_local_page(hm, low(hm, 0));
	kunmap_atomic(hm, address);
	EXPECT_BUG(NO_LOW_MAP("kunmap_atomic", "atomic"));
	cr_expect_eq(kmap_atomic(hm, low(hm, 0)), address);
	kunmap_local(hm, address);
	kunmap_local(hm, address);
	EXPECT_BUG(NO_LOW_MAP("kunmap_local", "local"));
	kunmap_atomic(hm, address);
	kunmap_atomic(hm, address);
	EXPECT_BUG(NO_LOW_MAP("kunmap_atomic", "atomic"));
	cr_expect_eq(sim.controller.preempt_count, 0);
	EXPECT_SOUND(hm);
}

Test(kmap_atomic, a_window_by_the_other_call)
{
	boot_local(SMALL);
	kmap_local_page(hm, high(hm, 0));
	kunmap_atomic(hm, window(0, 0));
	EXPECT_BUG("highmem: BUG: kunmap_atomic of 0xffffd000: not the newest "
		   "atomic map of task 0");
	kmap_atomic(hm, high(hm, 1));
	kunmap_local(hm, window(0, 1));
	EXPECT_BUG("highmem: BUG: kunmap_local of 0xffffc000: not the newest "
		   "local map of task 0");
	cr_expect_eq(sim.controller.preempt_count, 1);
	kunmap_atomic(hm, window(0, 1));
	kmap_local_page(hm, high(hm, 2));
	kunmap_local(hm, window(0, 1));
	kunmap_local(hm, window(0, 0));
	cr_expect_eq(sim.controller.preempt_count, 0);
	EXPECT_SOUND(hm);
}

/* Everything takes a window there: no local map has such an address. */
Test(kmap_local, with_force_map_no_lowmem_pointer_is_a_map)
{
	void *address;

	boot_local((struct machine_config){ .force_map = true });
	address = kmap_local_page(hm, low(hm, 0));
	cr_expect_eq(address, window(0, 0));
	kunmap_local(hm, page_address(hm, low(hm, 0)));
	EXPECT_BUG(NO_LOW_MAP("kunmap_local", "local"));
	kunmap_local(hm, address);
	EXPECT_SOUND(hm);
}
