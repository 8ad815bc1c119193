/* SPDX-License-Identifier: MIT */
#include "core/lib/test_windows.h"

/* ---- A stack of windows ---------------------------------------------------------- */

Test(kmap_local, maps_nest_to_the_limit_and_unwind)
{
	boot_local(SMALL);
	for (unsigned int i = 0; i < 4; i++) {
		void *address = kmap_local_page(hm, high(hm, i));

		cr_expect_eq(address, window(0, i));
		cr_expect_eq(my_depth(), i + 1);
		cr_expect_eq(machine_load32(address), 100 + i);
	}
	for (unsigned int i = 4; i-- > 0;) {
		cr_expect_eq(machine_load32(window(0, i)), 100 + i);
		kunmap_local(hm, window(0, i));
		cr_expect_eq(my_depth(), i);
		cr_expect(pte_none(port_pte_read(kmap_window(0, i))));
		for (unsigned int d = 0; d < 4; d++)
			cr_expect_eq(my_ctrl()->pte[d] != 0, d < i);
	}
	EXPECT_STAT(hm, LOCAL, 4);
	cr_expect_eq(machine_tlb_stats().local_pages, 4);
	cr_expect_eq(machine_tlb_stats().shootdowns, 0);
	EXPECT_SOUND(hm);
}

Test(kmap_local, a_window_shows_its_new_page)
{
	boot_local(SMALL);
	for (unsigned int i = 0; i < 3; i++) {
		void *address = kmap_local_page(hm, high(hm, i));

		cr_expect_eq(machine_load32(address), 100 + i);
		cr_expect_null(machine_audit());
		kunmap_local(hm, address);
		cr_expect_null(machine_audit());
	}
	EXPECT_BUG("");
}

Test(kmap_local, one_page_may_have_two_windows)
{
	void *first;
	void *second;

	boot_local(SMALL);
	first = kmap_local_page(hm, high(hm, 0));
	second = kmap_local_page(hm, high(hm, 0));
	cr_expect_neq(first, second);
	machine_store32(first, 7);
	cr_expect_eq(machine_load32(second), 7);
	kunmap_local(hm, second);
	kunmap_local(hm, first);
	EXPECT_SOUND(hm);
}

Test(kmap_local, any_byte_of_the_page_unmaps)
{
	static const unsigned int bytes[] = { 0, 1, 2047, 4095 };

	boot_local(SMALL);
	for (unsigned int i = 0; i < 4; i++) {
		char *address = kmap_local_page(hm, high(hm, i));

		kunmap_local(hm, address + bytes[i]);
		cr_expect_eq(my_depth(), 0);
	}
	EXPECT_SOUND(hm);
}

Test(kmap_local, lowmem_takes_no_window)
{
	void *address;

	boot_local(SMALL);
	address = kmap_local_page(hm, low(hm, 1));
	cr_expect_eq((vaddr_t)address, 0xc0001000);
	cr_expect_eq(my_depth(), 0);
	kunmap_local(hm, address);
	EXPECT_STAT(hm, LOCAL, 0);
	EXPECT_SOUND(hm);
}

Test(kmap_local, lowmem_takes_a_window_if_forced)
{
	void *address;

	boot_local((struct machine_config){ .force_map = true });
	machine_poke32(low(hm, 1), 0, 55);
	address = kmap_local_page(hm, low(hm, 1));
	cr_expect_eq(address, window(0, 0));
	cr_expect_eq(machine_load32(address), 55);
	cr_expect_eq(kmap_to_page(hm, address), low(hm, 1));
	kunmap_local(hm, address);
	EXPECT_STAT(hm, LOCAL, 1);
	EXPECT_SOUND(hm);
}

Test(kmap_local, with_pae)
{
	void *address;

	boot_local((struct machine_config){ .pae = true });
	address = kmap_local_page(hm, high(hm, 3));
	cr_expect_eq(port_pte_read((vaddr_t)address), 0x100003003);
	cr_expect_eq(machine_load32(address), 103);
	kunmap_local(hm, address);
	EXPECT_SOUND(hm);
}

/* ---- Misuse ---------------------------------------------------------------------- */

Test(kmap_local, one_map_too_many)
{
	boot_local(SMALL);
	for (unsigned int i = 0; i < 4; i++)
		kmap_local_page(hm, high(hm, i));
	cr_expect_null(kmap_local_page(hm, high(hm, 4)));
	EXPECT_BUG("highmem: BUG: local map of pfn 0x38004: task 0 holds 4 "
		   "already");
	cr_expect_eq(my_depth(), 4);
	cr_expect_eq(sim.controller.migrate_count, 4);
	cr_expect_eq(sim.controller.preempt_count, 0);
	EXPECT_STAT(hm, MISUSE, 1);
	EXPECT_SOUND(hm);
}

/* ---- What it does to the scheduler ------------------------------------------------- */

Test(kmap_local, a_task_with_a_map_may_sleep_but_not_migrate)
{
	boot_local(SMALL);
	kmap_local_page(hm, high(hm, 0));
	kmap_local_page(hm, high(hm, 1));
	cr_expect(port_may_sleep());
	cr_expect_eq(sim.controller.migrate_count, 2);
	cr_expect_not_null(kmap(hm, high(hm, 2)));
	kunmap_local(hm, window(0, 1));
	kunmap_local(hm, window(0, 0));
	cr_expect_eq(sim.controller.migrate_count, 0);
	EXPECT_SOUND(hm);
}

static void check_atomic(struct page *page)
{
	void *first = kmap_atomic(hm, page);
	void *second = kmap_atomic(hm, page);

	cr_expect_eq(sim.controller.preempt_count, 2);
	kunmap_atomic(hm, second);
	cr_expect_eq(sim.controller.preempt_count, 1);
	cr_expect_not(port_may_sleep());
	kunmap_atomic(hm, first);
	cr_expect(port_may_sleep());
	EXPECT_SOUND(hm);
}

Test(kmap_atomic, preemption_is_off_in_between)
{
	boot_local(SMALL);
	check_atomic(high(hm, 0));
	check_atomic(low(hm, 0));
}

/* ---- Broken state ---------------------------------------------------------------------- */

static const char file[] = "core/lib/kmap_local.c";

static void end_with_a_map(void *arg)
{
	kmap_local_page(hm, arg);
}

Test(kmap_local_checks, a_task_that_ends_with_a_map)
{
	boot_local(SMALL);
	machine_spawn(0, end_with_a_map, high(hm, 0));
	machine_run();
	EXPECT_BUG("highmem: BUG: a task ends with local maps: 1");
}

Test(kmap_local_checks, a_task_that_ends_with_a_map_of_lowmem)
{
	boot_local(SMALL);
	machine_spawn(0, end_with_a_map, low(hm, 0));
	machine_run();
	EXPECT_BUG("highmem: BUG: a task ends with local maps: 1");
}

Test(kmap_local_checks, the_next_window_is_taken)
{
	boot_local(SMALL);
	port_pte_set(kmap_window(0, 0), pte_make(0x38005, PTE_PRESENT));
	EXPECT_PANIC(kmap_local_page(hm, high(hm, 0)), file,
		     "pte_none(port_pte_read(vaddr))");
}

Test(kmap_local_checks, a_window_holds_another_page)
{
	boot_local(SMALL);
	kmap_local_page(hm, high(hm, 0));
	port_pte_clear(kmap_window(0, 0));
	EXPECT_PANIC(kunmap_local(hm, window(0, 0)), file,
		     "pte_pfn(old) == pte_pfn(ctrl->pte[depth - 1])");
}

Test(kmap_local_checks, a_window_holds_another_page_at_a_switch)
{
	struct kmap_ctrl ctrl = { .depth = { 0 } };

	boot_local(SMALL);
	port_atomic_store(&ctrl.depth, 1);
	ctrl.pte[0] = pte_make(0x38000, PTE_PRESENT);
	EXPECT_PANIC(kmap_local_sched_out(hm, &ctrl), file,
		     "pte_pfn(old) == pte_pfn(prev->pte[i])");
}

Test(kmap_local_checks, a_window_was_left_behind_by_a_switch)
{
	struct kmap_ctrl ctrl = { .depth = { 0 } };

	boot_local(SMALL);
	port_atomic_store(&ctrl.depth, 1);
	ctrl.pte[0] = pte_make(0x38000, PTE_PRESENT);
	port_pte_set(kmap_window(0, 0), pte_make(0x38005, PTE_PRESENT));
	EXPECT_PANIC(kmap_local_sched_in(hm, &ctrl), file,
		     "pte_none(port_pte_read(vaddr))");
}

Test(kmap_local_checks, a_window_that_was_not_saved)
{
	struct kmap_ctrl ctrl = { .depth = { 0 } };

	boot_local(SMALL);
	port_atomic_store(&ctrl.depth, 1);
	EXPECT_PANIC(kmap_local_sched_in(hm, &ctrl), file,
		     "pte_present(next->pte[i])");
}

Test(kmap_local_checks, a_stack_that_is_too_high)
{
	struct kmap_ctrl ctrl = { .depth = { 0 } };

	boot_local(SMALL);
	port_atomic_store(&ctrl.depth, 5);
	for (unsigned int i = 0; i < 5; i++)
		ctrl.pte[i] = pte_make(0x38000 + i, PTE_PRESENT);
	EXPECT_PANIC(kmap_local_sched_in(hm, &ctrl), file,
		     "depth <= hm->config.local_depth");
	EXPECT_PANIC(kmap_local_sched_out(hm, &ctrl), file,
		     "depth <= hm->config.local_depth");
	EXPECT_BUG("");
}
