/* SPDX-License-Identifier: MIT */
#include "core/lib/test_machine.h"

/*
 * What the core says to callers who break the rules of persistent maps. It says
 * so in every HIGHMEM_DEBUG tier: these tests run in each.
 */

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

/* ---- Pages that are none ------------------------------------------------------- */

#define NO_PAGE(call, page) \
	do { \
		char sentence_[96]; \
\
		hm_format(sentence_, sizeof(sentence_), \
			  "highmem: BUG: %s of %p: no page of mem_map", call, \
			  (vaddr_t)(page)); \
		EXPECT_BUG(sentence_); \
		EXPECT_BUG(""); \
	} while (0)

/* One sentence each, and nothing is mapped. */
static void use_no_page(struct highmem *hm, struct page *page)
{
	cr_expect_null(kmap(hm, page));
	NO_PAGE("kmap", page);
	cr_expect_null(kmap_try(hm, page));
	NO_PAGE("kmap", page);
	cr_expect_null(kmap_timeout(hm, page, 10));
	NO_PAGE("kmap", page);
	cr_expect_null(kmap_killable(hm, page));
	NO_PAGE("kmap", page);
	cr_expect_null(kmap_high_get(hm, page));
	NO_PAGE("kmap_high_get", page);
	kunmap(hm, page);
	NO_PAGE("kunmap", page);
	cr_expect_null(kmap_local_page(hm, page));
	NO_PAGE("local map", page);
	cr_expect_null(kmap_atomic(hm, page));
	NO_PAGE("local map", page);
	cr_expect(port_may_sleep());
}

Test(pkmap_misuse, pages_outside_mem_map)
{
	struct highmem *hm = boot((struct machine_config){ .nr_pages = 8 });

	use_no_page(hm, high(hm, 8));
	use_no_page(hm, hm->config.mem_map - 1);
	use_no_page(hm, NULL);
	use_no_page(hm, (struct page *)((uintptr_t)high(hm, 1) + 4));
	EXPECT_STAT(hm, MISUSE, 4 * 8);
	EXPECT_STAT(hm, MISS, 0);
	EXPECT_STAT(hm, LOCAL, 0);
	EXPECT_SOUND(hm);
}
