/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <highmem/fixmap.h>

#include "core/lib/internal.h"

/* A constant: the macro may stand where only a constant may. */
static const vaddr_t first_address = FIXADDR_TOP - PAGE_SIZE;

Test(fixmap, index_0_is_the_highest_page)
{
	cr_expect_eq(fix_to_virt(FIX_HOLE), first_address);
	cr_expect_eq(first_address, 0xffffe000);
}

Test(fixmap, the_last_index_is_where_the_fixmap_starts)
{
	cr_expect_eq(fix_to_virt(__end_of_fixed_addresses - 1), FIXADDR_START);
	cr_expect_eq(fixmap_vaddr(__end_of_fixed_addresses - 1), FIXADDR_START);
}

Test(fixmap, there_and_back_for_every_index_and_offset)
{
	static const vaddr_t offsets[] = { 0, 1, 2048, 4094, 4095 };
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < __end_of_fixed_addresses; i++)
		for (unsigned int o = 0; o < 5; o++)
			wrong += virt_to_fix(fixmap_vaddr(i) + offsets[o]) != i;
	cr_expect_eq(wrong, 0);
}

Test(fixmap, bounds_belong_to_it_and_their_neighbours_do_not)
{
	const unsigned int none = __end_of_fixed_addresses;

	cr_expect_eq(virt_to_fix(FIXADDR_TOP - 1), 0);
	cr_expect_eq(virt_to_fix(FIXADDR_TOP), none);
	cr_expect_eq(virt_to_fix(0xffffffff), none);
	cr_expect_eq(virt_to_fix(FIXADDR_START), none - 1);
	cr_expect_eq(virt_to_fix(FIXADDR_START + 4095), none - 1);
	cr_expect_eq(virt_to_fix(FIXADDR_START - 1), none);
	cr_expect_eq(virt_to_fix(0), none);
}

/* The numbers of the picture in fixmap.h. */
Test(fixmap, layout)
{
	cr_expect_eq(FIXADDR_TOP, 0xfffff000);
	cr_expect_eq(FIXADDR_START, 0xfff7b000);
	cr_expect_eq(PKMAP_BASE_NONPAE, 0xff800000);
	cr_expect_eq(PKMAP_BASE_PAE, 0xffc00000);
}

/* Both kinds of page table: which one maps the pkmap area, and how much. */
static void check_pkmap_area(vaddr_t base, unsigned int slots)
{
	vaddr_t size = slots * PAGE_SIZE;

	cr_expect_eq(base % size, 0, "one page table of %u entries", slots);
	cr_expect_leq(base + size + PAGE_SIZE, FIXADDR_START);
	cr_expect_eq(FIXADDR_START / size, (FIXADDR_TOP - 1) / size);
	cr_expect_eq(base / size + 1, FIXADDR_START / size);
}

Test(fixmap, pkmap_fills_the_page_table_below)
{
	check_pkmap_area(PKMAP_BASE_NONPAE, LAST_PKMAP_NONPAE);
	check_pkmap_area(PKMAP_BASE_PAE, LAST_PKMAP_PAE);
}

/* With PAE or without, @slots of pkmap never touch the windows of any CPU. */
Test(fixmap, windows_of_all_cpus_are_apart_from_each_other_and_from_pkmap)
{
	static const vaddr_t pkmap_end[] = {
		PKMAP_BASE_NONPAE + LAST_PKMAP_NONPAE * PAGE_SIZE,
		PKMAP_BASE_PAE + LAST_PKMAP_PAE * PAGE_SIZE,
	};
	vaddr_t expected = fixmap_vaddr(FIX_KMAP_BEGIN);

	for (unsigned int cpu = 0; cpu < HIGHMEM_MAX_CPUS; cpu++) {
		for (unsigned int depth = 0; depth < KM_MAX_IDX; depth++) {
			cr_assert_eq(kmap_window(cpu, depth), expected);
			cr_assert(is_kmap_window(expected));
			cr_assert_geq(expected, pkmap_end[0] + PAGE_SIZE);
			cr_assert_geq(expected, pkmap_end[1] + PAGE_SIZE);
			expected -= PAGE_SIZE;
		}
	}
	cr_expect_eq(expected, fixmap_vaddr(FIX_HOLE_BELOW));
}

Test(fixmap, both_ends_of_the_windows_belong_to_them)
{
	cr_expect(is_kmap_window(fixmap_vaddr(FIX_KMAP_BEGIN) + 4095));
	cr_expect(is_kmap_window(fixmap_vaddr(FIX_KMAP_END)));
	cr_expect_not(is_kmap_window(fixmap_vaddr(FIX_HOLE)));
	cr_expect_not(is_kmap_window(fixmap_vaddr(FIX_HOLE_BELOW) + 4095));
	cr_expect_not(is_kmap_window(FIXADDR_START - 1));
	cr_expect_not(is_kmap_window(0));
}

/* ---- types.h ------------------------------------------------------------- */

Test(pte, make_and_take_apart)
{
	pte_t pte = pte_make(0x38011, PTE_PRESENT | PTE_WRITE);

	cr_expect_eq(pte, 0x38011003);
	cr_expect_eq(pte_pfn(pte), 0x38011);
	cr_expect(pte_present(pte));
	cr_expect_not(pte_none(pte));
}

Test(pte, frames_above_4_gib_need_the_upper_word)
{
	pte_t pte = pte_make(0xfffffe, PTE_PRESENT | PTE_NX);

	cr_expect_eq(pte, 0x8000000fffffe001);
	cr_expect_eq(pte_pfn(pte), 0xfffffe);
	cr_expect(pte_present(pte));
}

Test(pte, nx_is_no_part_of_the_frame)
{
	cr_expect_eq(pte_pfn(PTE_NX), 0);
	cr_expect_eq(pte_pfn(pte_make(1, PTE_NX)), 1);
}

Test(pte, what_the_mmu_sets_is_no_part_of_the_frame)
{
	pte_t pte = pte_make(5, PTE_ACCESSED | PTE_DIRTY);

	cr_expect_eq(pte_pfn(pte), 5);
	cr_expect_not(pte_present(pte));
	cr_expect_not(pte_none(pte));
	cr_expect(pte_none(0));
}
