/* SPDX-License-Identifier: MIT */
#include "core/lib/test_machine.h"

/* What pkmap.c says to callers who break its rules, and to broken state. */

/* ---- kunmap ------------------------------------------------------------------ */

Test(pkmap_misuse, unmap_of_a_page_never_mapped)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	kunmap(hm, high(hm, 1));
	EXPECT_BUG("highmem: BUG: kunmap of page 3 (pfn 0x38001): not mapped; "
		   "last unmapped by task 0");
	EXPECT_STAT(hm, MISUSE, 1);
	EXPECT_SOUND(hm);
}

static void unmap_p0(void *hm)
{
	kunmap(hm, high(hm, 0));
}

static void map_p0(void *hm)
{
	kmap(hm, high(hm, 0));
}

Test(pkmap_misuse, unmap_twice_names_who_was_first)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	machine_spawn(0, map_p0, hm);
	machine_spawn(1, unmap_p0, hm);
	machine_spawn(0, unmap_p0, hm);
	cr_assert_eq(machine_run(), MACHINE_DONE);
	EXPECT_BUG("highmem: BUG: kunmap of page 2 (pfn 0x38000): not mapped; "
		   "last unmapped by task 2");
	cr_expect_eq(slot_count(hm, 0), 1);
	EXPECT_SOUND(hm);
}

Test(pkmap_misuse, unmap_after_the_slot_was_flushed)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	touch(hm, high(hm, 0));
	kmap_flush_unused(hm);
	kmap(hm, high(hm, 1));
	kunmap(hm, high(hm, 0));
	EXPECT_BUG("highmem: BUG: kunmap of page 2 (pfn 0x38000): not mapped; "
		   "last unmapped by task 0");
	EXPECT_SOUND(hm);
}

Test(pkmap_misuse, unmap_of_a_slot_between_owners)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	touch(hm, high(hm, 0));
	set_count(hm, 0, 0);
	kunmap(hm, high(hm, 0));
	EXPECT_STAT(hm, MISUSE, 1);
	cr_expect_eq(port_atomic_load(&high(hm, 0)->pkmap), 0);
}

/* ---- Atomic context ----------------------------------------------------------- */

static void map_all_ways(struct highmem *hm)
{
	cr_expect_null(kmap(hm, high(hm, 0)));
	cr_expect_null(kmap_try(hm, high(hm, 1)));
	cr_expect_null(kmap_timeout(hm, high(hm, 2), 100));
	cr_expect_null(kmap(hm, low(hm, 0)), "also where it would not sleep");
	kmap_flush_unused(hm);
}

static void expect_all_refused(struct highmem *hm)
{
	EXPECT_BUG("highmem: BUG: kmap of pfn 0x38000 where sleeping is not "
		   "allowed");
	EXPECT_BUG("highmem: BUG: kmap of pfn 0x38001 where sleeping is not "
		   "allowed");
	EXPECT_BUG("highmem: BUG: kmap of pfn 0x38002 where sleeping is not "
		   "allowed");
	EXPECT_BUG("highmem: BUG: kmap of pfn 0x37ffe where sleeping is not "
		   "allowed");
	EXPECT_BUG("highmem: BUG: kmap_flush_unused where sleeping is not "
		   "allowed");
	EXPECT_SOUND(hm);
	EXPECT_STAT(hm, MISUSE, 5);
	EXPECT_STAT(hm, MISS, 0);
}

Test(pkmap_misuse, map_with_preemption_disabled)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	port_preempt_disable();
	map_all_ways(hm);
	port_preempt_enable();
	expect_all_refused(hm);
}

Test(pkmap_misuse, map_with_interrupts_off)
{
	struct highmem *hm = boot((struct machine_config){ 0 });
	port_irq_t flags = port_irq_save();

	map_all_ways(hm);
	port_irq_restore(flags);
	expect_all_refused(hm);
}

static void map_in_interrupt(void *hm)
{
	map_all_ways(hm);
}

Test(pkmap_misuse, map_in_an_interrupt)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	cr_expect(machine_interrupt(map_in_interrupt, hm));
	expect_all_refused(hm);
}

Test(pkmap_misuse, map_under_an_atomic_map)
{
	struct highmem *hm = boot((struct machine_config){ 0 });
	void *atomic = kmap_atomic(hm, high(hm, 7));

	map_all_ways(hm);
	kunmap_atomic(hm, atomic);
	expect_all_refused(hm);
}

/* ---- Broken state, told rather than followed ------------------------------------- */

Test(pkmap_checks, a_free_slot_with_a_pte)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	port_pte_set(PKMAP_BASE_NONPAE, pte_make(0x38005, PTE_PRESENT));
	kmap(hm, high(hm, 0));
	EXPECT_CHECK("core/lib/pkmap.c",
		     "pte_none(port_pte_read(pkmap_vaddr(hm, slot)))");
}

Test(pkmap_checks, an_idle_slot_with_another_pages_pte)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	touch(hm, high(hm, 0));
	port_pte_clear(PKMAP_BASE_NONPAE);
	port_pte_set(PKMAP_BASE_NONPAE, pte_make(0x38005, PTE_PRESENT));
	kmap_flush_unused(hm);
	EXPECT_CHECK("core/lib/pkmap.c",
		     "pte_pfn(old) == page_to_pfn(hm, page)");
}

Test(pkmap_checks, an_idle_slot_in_the_free_map)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	touch(hm, high(hm, 0));
	hm->pkmap.free[0] |= 1;
	kmap_flush_unused(hm);
	EXPECT_CHECK("core/lib/pkmap.c", "!slot_is_free(hm, slot)");
}

Test(pkmap_checks, a_free_map_with_a_slot_beyond_the_last)
{
	struct highmem *hm = boot((struct machine_config){ .nr_slots = 3 });

	for (unsigned int i = 0; i < 3; i++)
		kmap(hm, high(hm, i));
	hm->pkmap.free[0] |= 1 << 3;
	kmap(hm, high(hm, 3));
	EXPECT_CHECK("core/lib/pkmap.c", "slot < hm->config.nr_slots");
}

Test(pkmap_checks, a_page_with_an_impossible_slot)
{
	struct highmem *hm = boot((struct machine_config){ .nr_slots = 4 });

	port_atomic_store(&high(hm, 0)->pkmap, pkmap_word(4, 1));
	kmap_high_get(hm, high(hm, 0));
	EXPECT_CHECK("core/lib/pkmap.c", "slot < hm->config.nr_slots");
}

Test(pkmap_checks, a_slot_with_an_impossible_page)
{
	struct highmem *hm = boot((struct machine_config){ .nr_pages = 4 });

	port_atomic_store(&hm->pkmap.slot[0].page, 7);
	kmap_flush_unused(hm);
	EXPECT_CHECK("core/lib/pkmap.c", "cookie <= hm->config.nr_pages");
}
