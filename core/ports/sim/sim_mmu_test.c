/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/port/port.h"
#include "core/ports/sim/sim.h"

/*
 * The page tables and TLBs themselves, without a kmap: the tests write PTEs by
 * hand and read through them.
 */
static struct highmem *hm;

static void boot(bool pae)
{
	const struct machine_config config = {
		.nr_cpus = 3,
		.nr_slots = 8,
		.nr_colours = 1,
		.nr_pages = 8,
		.local_depth = 4,
		.pae = pae,
	};

	hm = machine_boot(&config);
	cr_assert_null(machine_take_bug());
	for (unsigned int i = 0; i < 8; i++)
		machine_poke32(&hm->config.mem_map[2 + i], 0, 100 + i);
}

static pfn_t first_highmem(void)
{
	return page_to_pfn(hm, &hm->config.mem_map[MACHINE_LOWMEM_PAGES]);
}

static vaddr_t slot(unsigned int nr)
{
	return hm->config.pkmap_base + nr * PAGE_SIZE;
}

/* Map highmem page @page at @vaddr; no flush. */
static void map(vaddr_t vaddr, unsigned int page)
{
	port_pte_clear(vaddr);
	port_pte_set(vaddr,
		     pte_make(first_highmem() + page, PTE_PRESENT | PTE_WRITE));
}

static uint32_t load(vaddr_t vaddr)
{
	return machine_load32((const void *)vaddr);
}

static void expect_bug(const char *sentence)
{
	const char *bug = machine_take_bug();

	cr_assert_not_null(bug, "nothing was reported");
	cr_expect_str_eq(bug, sentence);
}

static void expect_stale(const char *sentence)
{
	const char *why = machine_audit();

	cr_assert_not_null(why, "the audit saw nothing");
	cr_expect_str_eq(why, sentence);
}

/* ---- On another CPU --------------------------------------------------------------- */

struct remote {
	vaddr_t vaddr;
	uint32_t value;
};

static void load_remote(void *arg)
{
	struct remote *remote = arg;

	remote->value = load(remote->vaddr);
}

static uint32_t load_on(unsigned int cpu, vaddr_t vaddr)
{
	struct remote remote = { vaddr, 0 };

	machine_spawn(cpu, load_remote, &remote);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	return remote.value;
}

/* ---- Translation ------------------------------------------------------------------- */

Test(sim_mmu, a_page_is_where_its_pte_says)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		boot(pae);
		map(slot(0), 5);
		map(slot(7), 6);
		map(fixmap_vaddr(FIX_KMAP_BEGIN), 7);
		cr_expect_eq(load(slot(0)), 105);
		cr_expect_eq(load(slot(7)), 106);
		cr_expect_eq(load(fixmap_vaddr(FIX_KMAP_BEGIN)), 107);
		machine_store32((void *)(slot(0) + 4092), 77);
		cr_expect_eq(machine_peek32(&hm->config.mem_map[7], 4092), 77);
		machine_shutdown();
	}
}

Test(sim_mmu, lowmem_needs_no_pte)
{
	boot(false);
	machine_poke32(&hm->config.mem_map[1], 8, 55);
	cr_expect_eq(load(0xc0001008), 55);
	machine_store32((void *)0xc0000000, 66);
	cr_expect_eq(machine_peek32(&hm->config.mem_map[0], 0), 66);
	cr_expect_null(machine_take_bug());
}

Test(sim_mmu, an_address_without_a_pte_faults)
{
	boot(false);
	cr_expect_eq(load(slot(1) + 4), 0);
	expect_bug("page fault at 0xff801004 on CPU 0");
	machine_store32((void *)slot(2), 1);
	expect_bug("page fault at 0xff802000 on CPU 0");
	load(0xc0002000);
	expect_bug("page fault at 0xc0002000 on CPU 0");
	load(0x1000);
	expect_bug("page fault at 0x1000 on CPU 0");
	load(FIXADDR_TOP);
	expect_bug("page fault at 0xfffff000 on CPU 0");
	load_on(2, slot(1));
	expect_bug("page fault at 0xff801000 on CPU 2");
}

/* No memory there: a PTE that points outside mem_map. */
Test(sim_mmu, a_frame_that_does_not_exist_faults)
{
	boot(false);
	map(slot(0), 8);
	load(slot(0));
	expect_bug("page fault at 0xff800000 on CPU 0");
}

Test(sim_mmu, what_is_not_present_is_not_cached)
{
	boot(false);
	load(slot(0));
	expect_bug("page fault at 0xff800000 on CPU 0");
	map(slot(0), 1);
	cr_expect_eq(load(slot(0)), 101);
	cr_expect_null(machine_audit());
}

Test(sim_mmu, an_unmapped_frame_is_read_past_every_translation)
{
	boot(true);
	machine_poke32(&hm->config.mem_map[3], 16, 5);
	cr_expect_eq(machine_peek32(&hm->config.mem_map[3], 16), 5);
	cr_expect_null(machine_take_bug());
}

Test(sim_mmu, a_boot_clears_memory_tables_and_tlbs)
{
	boot(false);
	map(slot(0), 1);
	load(slot(0));
	machine_shutdown();
	boot(false);
	cr_expect(pte_none(port_pte_read(slot(0))));
	load(slot(0));
	expect_bug("page fault at 0xff800000 on CPU 0");
	cr_expect_eq(machine_peek32(&hm->config.mem_map[3], 4), 0);
}

/* ---- Page tables ------------------------------------------------------------------- */

/* Wherever it was written, even through a wild map of a page table. */
Test(sim_mmu, a_boot_clears_every_word)
{
	for (unsigned int offset = 0; offset < PAGE_SIZE; offset += 60) {
		unsigned int frame = 1 + offset / 4 % 4;

		boot(offset % 8 == 0);
		machine_poke32(&hm->config.mem_map[3], offset, 7);
		map(slot(7), 1);
		load(slot(7)); /* where its walk ended is known now */
		port_pte_clear(slot(7));
		port_tlb_shootdown_all();
		port_pte_set(slot(7), pte_make(frame, PTE_PRESENT | PTE_WRITE));
		machine_store32((char *)slot(7) + offset, UINT32_MAX);
		boot(offset % 8 != 0);
		cr_expect_eq(machine_peek32(&hm->config.mem_map[3], offset),
			     offset == 0 ? 101 : 0);
		cr_expect(pte_none(port_pte_read(slot(7))));
		map(slot(6), 1);
		cr_expect_eq(load(slot(6)), 101, "the tables are whole again");
		port_pte_set(slot(4), pte_make(4, PTE_PRESENT | PTE_WRITE));
		cr_expect_eq(load(slot(4) + offset), 0, "no window is mapped");
	}
}

Test(sim_mmu, with_pae_a_pte_has_two_words)
{
	boot(true);
	port_pte_set(slot(1), pte_make(0x100003, PTE_PRESENT | PTE_NX));
	cr_expect_eq(port_pte_read(slot(1)), 0x8000000100003001);
	cr_expect(pte_none(port_pte_read(slot(0))));
	cr_expect(pte_none(port_pte_read(slot(2))));
	cr_expect_eq(load(slot(1)), 103);
}

/* 32 bits are written, and the next PTE keeps its own. */
Test(sim_mmu, without_pae_a_pte_has_one_word)
{
	boot(false);
	map(slot(2), 4);
	port_pte_set(slot(1), pte_make(0x100003, PTE_PRESENT | PTE_NX));
	cr_expect_eq(port_pte_read(slot(1)), 0x3001);
	cr_expect_eq(port_pte_read(slot(2)), 0x38004003);
}

Test(sim_mmu, clearing_returns_what_was_there)
{
	boot(false);
	map(slot(0), 1);
	cr_expect_eq(port_pte_clear(slot(0)), 0x38001003);
	cr_expect(pte_none(port_pte_read(slot(0))));
	cr_expect_eq(port_pte_clear(slot(0)), 0);
}

Test(sim_mmu, setting_over_a_present_pte_is_reported)
{
	boot(false);
	map(slot(0), 1);
	port_pte_set(slot(0), pte_make(0x38002, PTE_PRESENT));
	expect_bug("sim: port_pte_set over a PTE that is present");
}

Test(sim_mmu, a_pte_without_a_page_table_is_reported)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		boot(pae);
		cr_expect(pte_none(port_pte_read(0xd0000000)));
		cr_expect(pte_none(port_pte_read(0x1000)));
		cr_expect_null(machine_take_bug());
		port_pte_set(0xd0000000, pte_make(0x38002, PTE_PRESENT));
		expect_bug("sim: a PTE without a page table");
		port_pte_clear(0x1000);
		expect_bug("sim: a PTE without a page table");
		machine_shutdown();
	}
}

/* ---- Accessed and dirty -------------------------------------------------------------- */

#define CLEAN_BITS (PTE_PRESENT | PTE_WRITE)

static pte_t bits(vaddr_t vaddr)
{
	return port_pte_read(vaddr) & ~PAGE_MASK;
}

Test(sim_mmu, a_load_sets_accessed)
{
	boot(false);
	map(slot(0), 1);
	cr_expect_eq(bits(slot(0)), CLEAN_BITS);
	load(slot(0));
	cr_expect_eq(bits(slot(0)), CLEAN_BITS | PTE_ACCESSED);
}

Test(sim_mmu, a_store_sets_dirty_too)
{
	boot(true);
	map(slot(0), 1);
	machine_store32((void *)slot(0), 1);
	cr_expect_eq(bits(slot(0)), CLEAN_BITS | PTE_ACCESSED | PTE_DIRTY);
}

/* The entry that the load cached is clean: the MMU walks again to mark it. */
Test(sim_mmu, a_store_after_a_load_sets_dirty)
{
	boot(false);
	map(slot(0), 1);
	load(slot(0));
	machine_store32((void *)slot(0), 1);
	cr_expect_eq(bits(slot(0)), CLEAN_BITS | PTE_ACCESSED | PTE_DIRTY);
}

/* Nor does it mark a PTE that came later. */
Test(sim_mmu, a_store_through_a_stale_entry_sets_nothing)
{
	boot(false);
	map(slot(0), 1);
	load(slot(0));
	map(slot(0), 2);
	machine_store32((void *)slot(0), 9);
	cr_expect_eq(machine_peek32(&hm->config.mem_map[3], 0), 9, "p1's");
	cr_expect_eq(bits(slot(0)), CLEAN_BITS);
	port_pte_clear(slot(0));
	machine_store32((void *)slot(0), 10);
	cr_expect(pte_none(port_pte_read(slot(0))));
}

Test(sim_mmu, the_tlb_may_load_and_mark_what_nobody_touched)
{
	boot(false);
	map(slot(3), 1);
	cr_expect_null(machine_audit());
	cr_expect_eq(bits(slot(3)), CLEAN_BITS | PTE_ACCESSED);
}

/* ---- Stale entries ------------------------------------------------------------------- */

Test(sim_tlb, a_translation_stays_until_it_is_flushed)
{
	boot(false);
	map(slot(0), 1);
	cr_expect_eq(load(slot(0)), 101);
	map(slot(0), 2);
	cr_expect_eq(load(slot(0)), 101,
		     "the PTE has changed, the TLB has not");
	expect_stale("stale TLB entry: CPU 0 still has pfn 0x38001 at "
		     "0xff800000, the PTE says pfn 0x38002");
	port_tlb_flush_local_page(slot(0));
	cr_expect_eq(load(slot(0)), 102);
	cr_expect_null(machine_audit());
}

Test(sim_tlb, a_translation_outlives_its_pte)
{
	boot(false);
	map(slot(0), 1);
	load(slot(0));
	port_pte_clear(slot(0));
	cr_expect_eq(load(slot(0)), 101);
	machine_store32((void *)slot(0), 9);
	cr_expect_eq(machine_peek32(&hm->config.mem_map[3], 0), 9);
	cr_expect_null(machine_take_bug());
	expect_stale("stale TLB entry: CPU 0 still has pfn 0x38001 at "
		     "0xff800000, the PTE says none 0x0");
}

Test(sim_tlb, with_pae_the_upper_word_makes_it_stale)
{
	boot(true);
	port_pte_set(slot(0), pte_make(0x100003, PTE_PRESENT));
	load(slot(0));
	port_pte_clear(slot(0));
	port_pte_set(slot(0), pte_make(0x3, PTE_PRESENT));
	expect_stale("stale TLB entry: CPU 0 still has pfn 0x100003 at "
		     "0xffc00000, the PTE says pfn 0x3");
}

Test(sim_tlb, accessed_and_dirty_do_not_make_it_stale)
{
	boot(false);
	map(slot(0), 1);
	load(slot(0));
	load_on(1, slot(0));
	machine_store32((void *)slot(0), 1);
	cr_expect_null(machine_audit());
}

Test(sim_tlb, between_operations_every_cpu_loads_what_it_may_use)
{
	boot(false);
	map(slot(0), 1);
	cr_expect_null(machine_audit());
	map(slot(0), 2);
	for (unsigned int cpu = 0; cpu < 3; cpu++)
		cr_expect_eq(load_on(cpu, slot(0)), 101);
}

/* Its windows are a CPU's own, so a stale one of another harms nobody. */
Test(sim_tlb, the_windows_of_another_cpu_are_not_loaded)
{
	vaddr_t window_of_1 = fixmap_vaddr(FIX_KMAP_BEGIN + KM_MAX_IDX);

	boot(false);
	map(window_of_1, 1);
	cr_expect_null(machine_audit());
	map(window_of_1, 2);
	cr_expect_eq(load_on(0, window_of_1), 102);
	cr_expect_eq(load_on(1, window_of_1), 101);
}

/* ---- Flushes --------------------------------------------------------------------------- */

/* Three CPUs have cached slots 0 and 1, and both PTEs are others now. */
static void boot_stale(void)
{
	boot(false);
	map(slot(0), 0);
	map(slot(1), 1);
	cr_expect_null(machine_audit());
	map(slot(0), 4);
	map(slot(1), 5);
}

Test(sim_tlb, a_local_flush_is_for_this_cpu_and_this_page)
{
	boot_stale();
	port_tlb_flush_local_page(slot(0));
	cr_expect_eq(load(slot(0)), 104);
	cr_expect_eq(load(slot(1)), 101);
	cr_expect_eq(load_on(1, slot(0)), 100);
	cr_expect_eq(machine_tlb_stats().local_pages, 1);
	cr_expect_eq(machine_tlb_stats().shootdowns, 0);
}

Test(sim_tlb, a_shootdown_is_for_all_cpus_and_these_pages)
{
	vaddr_t pages[2];

	boot_stale();
	pages[0] = slot(1);
	pages[1] = slot(7);
	port_tlb_shootdown_pages(pages, 2);
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		cr_expect_eq(load_on(cpu, slot(0)), 100);
		cr_expect_eq(load_on(cpu, slot(1)), 105);
	}
	cr_expect_eq(machine_tlb_stats().shootdowns, 1);
	cr_expect_eq(machine_tlb_stats().shootdown_pages, 2);
	cr_expect_eq(machine_tlb_stats().full, 0);
}

Test(sim_tlb, a_full_shootdown_is_for_all_cpus_and_pages)
{
	boot_stale();
	port_tlb_shootdown_all();
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		cr_expect_eq(load_on(cpu, slot(0)), 104);
		cr_expect_eq(load_on(cpu, slot(1)), 105);
	}
	cr_expect_eq(machine_tlb_stats().shootdowns, 1);
	cr_expect_eq(machine_tlb_stats().shootdown_pages, 0);
	cr_expect_eq(machine_tlb_stats().full, 1);
	cr_expect_null(machine_audit());
}

Test(sim_tlb, a_flush_of_what_is_not_cached)
{
	vaddr_t pages[] = { 0, UINTPTR_MAX & PAGE_MASK, FIXADDR_TOP };

	boot_stale();
	port_tlb_shootdown_pages(pages, 3);
	port_tlb_flush_local_page(slot(5));
	cr_expect_eq(load(slot(0)), 100);
	cr_expect_null(machine_take_bug());
}

/* More changes than the audit remembers one by one. */
Test(sim_tlb, the_audit_sees_one_of_many_changes)
{
	boot(false);
	map(slot(7), 1);
	cr_expect_null(machine_audit());
	map(slot(7), 2);
	for (unsigned int i = 0; i < 5000; i++)
		map(slot(i % 7), i % 8);
	expect_stale("stale TLB entry: CPU 0 still has pfn 0x38001 at "
		     "0xff807000, the PTE says pfn 0x38002");
}

Test(sim_tlb, a_shootdown_with_interrupts_off_is_reported)
{
	port_irq_t flags;

	boot(false);
	flags = port_irq_save();
	port_tlb_shootdown_all();
	port_irq_restore(flags);
	expect_bug("sim: shootdown with interrupts off can deadlock");
	port_tlb_shootdown_all();
	cr_expect_null(machine_take_bug());
}

static void shoot_down_slot_0(void *arg)
{
	vaddr_t vaddr = slot(0);

	(void)arg;
	port_tlb_shootdown_pages(&vaddr, 1);
	port_irq_restore(false);
	port_tlb_shootdown_pages(&vaddr, 1);
	port_irq_save();
}

Test(sim_tlb, a_shootdown_in_an_interrupt_is_reported)
{
	boot(false);
	cr_expect(machine_interrupt(shoot_down_slot_0, NULL));
	expect_bug("sim: shootdown with interrupts off can deadlock");
	expect_bug("sim: shootdown with interrupts off can deadlock");
	cr_expect_null(machine_take_bug());
}
