/* SPDX-License-Identifier: MIT */
#include "core/lib/test_windows.h"

/* ---- Switches ------------------------------------------------------------------------ */

/* Tasks on one CPU map in the same windows, each its own pages. */
struct switcher {
	unsigned int first_page;
	uint32_t place; /* the tasks' places interleave */
	unsigned int wrong;
};

static void look(struct switcher *self, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		self->wrong += machine_load32(window(0, i)) !=
			       100 + self->first_page + i;
	self->wrong += my_depth() != nr;
	for (unsigned int i = nr; i < 4; i++)
		self->wrong += !pte_none(port_pte_read(kmap_window(0, i)));
	self->wrong += highmem_validate(hm) || machine_audit();
}

static void switch_a_lot(void *arg)
{
	struct switcher *self = arg;

	for (unsigned int i = 0; i < 3; i++) {
		at(self->place += 2);
		look(self, i);
		kmap_local_page(hm, high(hm, self->first_page + i));
		look(self, i + 1);
	}
	for (unsigned int i = 3; i-- > 0;) {
		at(self->place += 2);
		look(self, i + 1);
		kunmap_local(hm, window(0, i));
		look(self, i);
	}
}

Test(kmap_local_switch, each_task_finds_its_own_maps)
{
	struct switcher a = { 0, 1, 0 };
	struct switcher b = { 5, 2, 0 };

	boot_local(SMALL);
	machine_spawn(0, switch_a_lot, &a);
	machine_spawn(0, switch_a_lot, &b);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_eq(a.wrong + b.wrong, 0);
	cr_expect_eq(machine_tlb_stats().shootdowns, 0);
	EXPECT_SOUND(hm);
}

static void map_and_wait_for_a_slot(void *arg)
{
	void *local = kmap_local_page(hm, high(hm, 9));

	(void)arg;
	kmap(hm, high(hm, 2));
	cr_expect_eq(machine_load32(local), 109);
	kunmap_local(hm, local);
	kunmap(hm, high(hm, 2));
}

static void hold_slots_and_map(void *arg)
{
	void *local;

	(void)arg;
	kmap(hm, high(hm, 0));
	kmap(hm, high(hm, 1));
	at(2);
	cr_expect(pte_none(port_pte_read(kmap_window(0, 0))), "asleep");
	local = kmap_local_page(hm, high(hm, 8));
	cr_expect_eq(machine_load32(local), 108);
	kunmap(hm, high(hm, 0));
	at(3);
	cr_expect_eq(machine_load32(local), 108);
	kunmap_local(hm, local);
	kunmap(hm, high(hm, 1));
}

Test(kmap_local_switch, a_map_survives_its_tasks_sleep)
{
	boot_local((struct machine_config){ .nr_slots = 2 });
	machine_spawn(0, hold_slots_and_map, NULL);
	machine_spawn(0, map_and_wait_for_a_slot, NULL);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	EXPECT_STAT(hm, WAIT, 1);
	EXPECT_SOUND(hm);
}

Test(kmap_local_switch, windows_are_flushed_on_the_way_out)
{
	struct kmap_ctrl other = { .depth = { 0 } };
	struct kmap_ctrl *mine;

	boot_local(SMALL);
	mine = port_task_kmap_ctrl(port_task_current());
	kmap_local_page(hm, high(hm, 0));
	kmap_local_page(hm, high(hm, 1));
	cr_expect_null(machine_audit()); /* the TLB has both */
	kmap_local_sched_out(hm, mine);
	kmap_local_sched_in(hm, &other);
	cr_expect_eq(machine_tlb_stats().local_pages, 2);
	cr_expect_null(machine_audit());
	cr_expect(pte_none(port_pte_read(kmap_window(0, 0))));
	cr_expect(pte_none(port_pte_read(kmap_window(0, 1))));
	kmap_local_sched_out(hm, &other);
	kmap_local_sched_in(hm, mine);
	cr_expect_eq(machine_load32(window(0, 0)), 100);
	cr_expect_eq(machine_load32(window(0, 1)), 101);
	EXPECT_SOUND(hm);
}

/* ---- Interrupts ------------------------------------------------------------------------ */

/* Maps @arg pages above what is there, lets another interrupt in, unmaps. */
static void nested_handler(void *arg)
{
	unsigned int levels = *(unsigned int *)arg;
	uint32_t depth = my_depth();
	void *local = kmap_local_page(hm, high(hm, 8 + levels));

	cr_expect_eq(local, window(0, depth));
	if (levels > 1) {
		unsigned int next = levels - 1;

		port_irq_restore(false);
		cr_expect(machine_interrupt(nested_handler, &next));
		port_irq_save();
	}
	cr_expect_eq(machine_load32(local), 108 + levels);
	kunmap_local(hm, local);
	cr_expect_eq(my_depth(), depth);
}

Test(kmap_local_irq, handlers_nest_on_the_tasks_stack)
{
	unsigned int levels = 3;
	void *local;

	boot_local(SMALL);
	local = kmap_local_page(hm, high(hm, 0));
	cr_expect(machine_interrupt(nested_handler, &levels));
	cr_expect_eq(my_depth(), 1);
	cr_expect_eq(machine_load32(local), 100);
	kunmap_local(hm, local);
	EXPECT_STAT(hm, LOCAL, 4);
	EXPECT_SOUND(hm);
}

static void map_atomic_here(void *arg)
{
	void *address = kmap_atomic(hm, high(hm, 1));

	(void)arg;
	cr_expect_eq(machine_load32(address), 101);
	kunmap_atomic(hm, address);
}

Test(kmap_local_irq, an_atomic_map_in_a_handler)
{
	boot_local(SMALL);
	cr_expect(machine_interrupt(map_atomic_here, NULL));
	cr_expect(port_may_sleep());
	EXPECT_SOUND(hm);
}

static void overflow(void *arg)
{
	(void)arg;
	cr_expect_null(kmap_local_page(hm, high(hm, 4)));
}

Test(kmap_local_irq, the_limit_is_for_the_task_and_those_above_it)
{
	boot_local(SMALL);
	for (unsigned int i = 0; i < 4; i++)
		kmap_local_page(hm, high(hm, i));
	machine_interrupt(overflow, NULL);
	EXPECT_BUG("highmem: BUG: local map of pfn 0x38004: task 0 holds 4 "
		   "already");
	EXPECT_SOUND(hm);
}
