/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "core/boot/pgtable.h"
#include "core/boot/test_frames.h"

static struct pgtable tree(bool pae)
{
	struct pgtable_memory memory = test_frames_init(16);
	struct pgtable pt;

	cr_assert_null(pgtable_init(&pt, &memory, pae, pae));
	return pt;
}

static const char *map(struct pgtable *pt, uint64_t vaddr, uint64_t paddr,
		       uint64_t size, bool large)
{
	const struct pgtable_range range = { (vaddr_t)vaddr, paddr, size, RW,
					     large };

	return pgtable_map(pt, &range);
}

static void expect_page(const struct pgtable *pt, uint64_t vaddr, pfn_t pfn,
			uint64_t size)
{
	struct pgtable_mapping m = pgtable_lookup(pt, (vaddr_t)vaddr);

	cr_expect_eq(m.prot, RW, "at %#" PRIx64 ": prot %#" PRIx64, vaddr,
		     m.prot);
	cr_expect_eq(m.pfn, pfn, "at %#" PRIx64 ": pfn %#x, not %#x", vaddr,
		     m.pfn, pfn);
	cr_expect_eq(m.size, size, "at %#" PRIx64 ": size %#" PRIx64, vaddr,
		     m.size);
}

static void expect_hole(const struct pgtable *pt, uint64_t vaddr, uint64_t size)
{
	struct pgtable_mapping m = pgtable_lookup(pt, (vaddr_t)vaddr);

	cr_expect_eq(m.prot, 0, "%#" PRIx64 " is mapped", vaddr);
	cr_expect_eq(m.size, size, "at %#" PRIx64 ": a hole of %#" PRIx64,
		     vaddr, m.size);
}

/* ---- Entries ---------------------------------------------------------------- */

Test(pgtable_entry, without_pae_it_is_one_word)
{
	port_atomic_t entry[2] = { { 0 }, { 7 } };

	pgtable_entry_set(entry, false, pte_make(0x38011, RW));
	cr_expect_eq(entry[0].value, 0x38011003);
	cr_expect_eq(pgtable_entry_read(entry, false), 0x38011003);
	entry[0].value |= (uint32_t)PTE_DIRTY;
	cr_expect_eq(pgtable_entry_clear(entry, false), 0x38011043);
	cr_expect_eq(entry[0].value, 0);
	cr_expect_eq(entry[1].value, 7, "the neighbour's word");
}

Test(pgtable_entry, with_pae_it_is_two)
{
	port_atomic_t entry[3] = { { 0 }, { 0 }, { 7 } };
	pte_t pte = pte_make(0xabcdef, RW | PTE_NX);

	pgtable_entry_set(entry, true, pte);
	cr_expect_eq(entry[0].value, 0xbcdef003);
	cr_expect_eq(entry[1].value, 0x8000000a);
	cr_expect_eq(pgtable_entry_read(entry, true), pte);
	entry[0].value |= (uint32_t)PTE_ACCESSED;
	cr_expect_eq(pgtable_entry_clear(entry, true), pte | PTE_ACCESSED);
	cr_expect_eq(entry[0].value | entry[1].value, 0);
	cr_expect_eq(entry[2].value, 7, "the neighbour's word");
}

/* ---- The tree ----------------------------------------------------------------- */

Test(pgtable, an_empty_tree_maps_nothing)
{
	struct pgtable pt = tree(false);

	expect_hole(&pt, 0, MIB(4));
	expect_hole(&pt, 0xffffffff, MIB(4));
	cr_expect_null(pgtable_pte(&pt, 0xc0000000));
	cr_expect_eq(pt.nr_tables, 1);
	pgtable_destroy(&pt);
	EXPECT_NO_LEAK();
	pt = tree(true);
	expect_hole(&pt, 0, MIB(1024));
	expect_hole(&pt, 0xffffffff, MIB(1024));
	cr_expect_null(pgtable_pte(&pt, 0xc0000000));
	pgtable_destroy(&pt);
	pgtable_destroy(&pt);
	EXPECT_NO_LEAK();
}

Test(pgtable, the_root_must_be_where_cr3_can_name_it)
{
	struct pgtable_memory memory = test_frames_init(0x100000);
	struct pgtable pt;

	EXPECT_REFUSED(pgtable_init(&pt, &memory, true, true), "too high");
	pgtable_destroy(&pt);
	EXPECT_NO_LEAK();
	memory = test_frames_init(0xfffff);
	cr_assert_null(pgtable_init(&pt, &memory, true, true));
	/* The other tables may be anywhere. */
	cr_assert_null(map(&pt, 0x1000, 0x1000, 4096, false));
	expect_page(&pt, 0x1000, 1, 4096);
	pgtable_destroy(&pt);
	EXPECT_NO_LEAK();
}

Test(pgtable, without_pae_every_table_must_lie_below_4_gib)
{
	struct pgtable_memory memory = test_frames_init(0xfffff);
	struct pgtable pt;

	cr_assert_null(pgtable_init(&pt, &memory, false, false));
	EXPECT_REFUSED(map(&pt, 0x1000, 0x1000, 4096, false),
		       "frame 0x100000 is too high for a page table");
	pgtable_destroy(&pt);
	EXPECT_NO_LEAK();
}

Test(pgtable, no_root_no_tree)
{
	struct pgtable_memory memory = test_frames_init(16);
	struct pgtable pt;

	test_frames.fail_at = 0;
	EXPECT_REFUSED(pgtable_init(&pt, &memory, false, false), "no memory");
	EXPECT_REFUSED(pgtable_init(&pt, &memory, false, true), "need PAE");
	EXPECT_NO_LEAK();
}

/* ---- Mapping -------------------------------------------------------------------- */

Test(pgtable, small_pages_first_and_last_byte)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		struct pgtable pt = tree(pae);
		uint64_t size = pae ? MIB(2) : MIB(4);

		/* Across a page table's end. */
		cr_assert_null(map(&pt, 0xc0000000 + size - 4096, 0x12345000,
				   8192, true));
		expect_page(&pt, 0xc0000000 + size - 4096, 0x12345, 4096);
		expect_page(&pt, 0xc0000000 + size - 1, 0x12345, 4096);
		expect_page(&pt, 0xc0000000 + size, 0x12346, 4096);
		expect_page(&pt, 0xc0000000 + size + 4095, 0x12346, 4096);
		expect_hole(&pt, 0xc0000000 + size - 4097, 4096);
		expect_hole(&pt, 0xc0000000 + size + 4096, 4096);
		expect_hole(&pt, 0xc0000000 + 2 * size, size);
		cr_expect_eq(pt.nr_tables, pae ? 4 : 3);
		pgtable_destroy(&pt);
		EXPECT_NO_LEAK();
	}
}

Test(pgtable, large_pages_where_both_addresses_allow)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		struct pgtable pt = tree(pae);
		uint64_t size = pae ? MIB(2) : MIB(4);

		/* small, large, large, small */
		cr_assert_null(map(&pt, 0xc0000000 + size - 4096, size - 4096,
				   2 * size + 8192, true));
		expect_page(&pt, 0xc0000000 + size - 1, (pfn_t)(size >> 12) - 1,
			    4096);
		expect_page(&pt, 0xc0000000 + size, (pfn_t)(size >> 12), size);
		expect_page(&pt, 0xc0000000 + 3 * size - 1,
			    (pfn_t)(3 * size >> 12) - 1, size);
		expect_page(&pt, 0xc0000000 + 3 * size, (pfn_t)(3 * size >> 12),
			    4096);
		cr_expect_null(pgtable_pte(&pt, (vaddr_t)(0xc0000000 + size)));
		cr_expect_not_null(
			pgtable_pte(&pt, (vaddr_t)(0xc0000000 + 3 * size)));
		/* The frames are not aligned alike. */
		cr_assert_null(map(&pt, 0xd0000000, size + 4096, size, true));
		expect_page(&pt, 0xd0000000, (pfn_t)(size >> 12) + 1, 4096);
		pgtable_destroy(&pt);
		EXPECT_NO_LEAK();
	}
}

Test(pgtable, a_page_table_that_is_there_is_used)
{
	struct pgtable pt = tree(false);

	cr_assert_null(pgtable_prepare(&pt, 0xc0000000, 4096));
	cr_assert_null(map(&pt, 0xc0000000, 0, MIB(8), true));
	expect_page(&pt, 0xc0000000, 0, 4096);
	expect_page(&pt, 0xc0000000 + MIB(4), 1024, MIB(4));
	cr_expect_eq(pt.nr_tables, 2);
}

Test(pgtable, the_last_page_of_all)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		struct pgtable pt = tree(pae);

		cr_assert_null(map(&pt, 0xfffff000, 0xfffff000, 4096, true));
		expect_page(&pt, 0xffffffff, 0xfffff, 4096);
		EXPECT_REFUSED(map(&pt, 0xffffe000, 0, 12288, false), "4 GiB");
		cr_assert_null(pgtable_unmap(&pt, 0xffc00000, MIB(4)));
		expect_hole(&pt, 0xffffffff, 4096);
	}
}

/* With 32 bits, the address after the last page is 0. */
Test(pgtable, the_last_page_joins_a_table_that_is_there)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		struct pgtable pt = tree(pae);

		cr_assert_null(pgtable_prepare(&pt, 0xffc00000, MIB(4)));
		cr_assert_null(map(&pt, 0xfffff000, 0x5000, 4096, false));
		expect_page(&pt, 0xfffff000, 5, 4096);
		EXPECT_REFUSED(map(&pt, 0xffffe000, 0x5000, 8192, false),
			       "0xfffff000 is mapped already");
		cr_assert_null(map(&pt, 0xffffe000, 0x6000, 4096, false));
		cr_assert_null(pgtable_unmap(&pt, 0xffffe000, 8192));
		expect_hole(&pt, 0xffffffff, 4096);
	}
}

Test(pgtable, all_of_4_gib)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		struct pgtable pt = tree(pae);

		cr_assert_null(map(&pt, 0, 0, MIB(4096), true));
		cr_expect_eq(pt.nr_tables, pae ? 5 : 1);
		expect_page(&pt, 0, 0, pae ? MIB(2) : MIB(4));
		expect_page(&pt, 0xffffffff, 0xfffff, pae ? MIB(2) : MIB(4));
		cr_assert_null(pgtable_unmap(&pt, 0, MIB(4096)));
		expect_hole(&pt, 0x80000000, pae ? MIB(2) : MIB(4));
	}
}

Test(pgtable, frames_above_4_gib_with_pae_only)
{
	struct pgtable pt = tree(true);

	cr_assert_null(map(&pt, 0, MIB(65536) - MIB(2), MIB(2), true));
	expect_page(&pt, MIB(2) - 1, 0xffffff, MIB(2));
	cr_assert_null(map(&pt, MIB(2), MIB(65536) - 4096, 4096, true));
	expect_page(&pt, MIB(2), 0xffffff, 4096);
	EXPECT_REFUSED(map(&pt, MIB(4), MIB(65536) - 4096, 8192, true),
		       "too high for an entry");
	EXPECT_REFUSED(map(&pt, MIB(4), MIB(65536), 4096, true), "too high");
	pt = tree(false);
	cr_assert_null(map(&pt, 0, MIB(4096) - 4096, 4096, true));
	EXPECT_REFUSED(map(&pt, MIB(4), MIB(4096) - 4096, 8192, true),
		       "0x400000: a frame is too high for an entry");
}

static const char *map_prot(struct pgtable *pt, uint64_t vaddr, uint64_t size,
			    pte_t prot)
{
	const struct pgtable_range range = { (vaddr_t)vaddr, 0, size, prot,
					     true };

	return pgtable_map(pt, &range);
}

Test(pgtable, every_bit_arrives_in_small_and_large_pages)
{
	const pte_t prot = PTE_PRESENT | PTE_USER | PTE_PWT | PTE_PCD |
			   PTE_ACCESSED | PTE_DIRTY | PTE_PAT | PTE_GLOBAL |
			   PTE_NX;
	struct pgtable pt = tree(true);

	cr_assert_null(map_prot(&pt, 0, MIB(2) + 4096, prot));
	cr_expect_eq(pgtable_lookup(&pt, 0).prot, prot);
	cr_expect_eq(pgtable_lookup(&pt, 0).pfn, 0);
	cr_expect_eq(pgtable_lookup(&pt, MIB(2)).prot, prot);
	cr_assert_null(map_prot(&pt, MIB(4), MIB(2), prot & ~PTE_PAT));
	cr_expect_eq(pgtable_lookup(&pt, MIB(4)).prot, prot & ~PTE_PAT);
	/* In a large page's entry bit 7 says "large", and PAT is bit 12. */
	cr_expect_eq(pgtable_entry_read(pgtable_directory_entry(&pt, 0), true),
		     prot | PDE_PAT);
}

Test(pgtable, what_is_refused)
{
	struct pgtable pt = tree(true);

	EXPECT_REFUSED(map(&pt, 0x1001, 0, 4096, false), "whole number");
	EXPECT_REFUSED(map(&pt, 0x1000, 0, 4095, false), "whole number");
	EXPECT_REFUSED(map(&pt, 0x1000, 1, 4096, false), "not page aligned");
	EXPECT_REFUSED(map(&pt, 0x1000, 0, 0, false), "0x1000: an empty");
#if UINTPTR_MAX > UINT32_MAX
	EXPECT_REFUSED(map(&pt, MIB(4096), 0, 4096, false), "beyond 4 GiB");
#endif
	EXPECT_REFUSED(map(&pt, 0x1000, 0, UINT64_MAX - 4095, false),
		       "beyond 4 GiB");
	EXPECT_REFUSED(map_prot(&pt, 0, 4096, PTE_WRITE), "present");
	EXPECT_REFUSED(map_prot(&pt, 0, 4096, RW | 0x200),
		       "invalid protection");
	EXPECT_REFUSED(map_prot(&pt, 0, 4096, RW | PDE_PAT),
		       "invalid protection");
	EXPECT_REFUSED(pgtable_prepare(&pt, 1, 4096), "whole number");
	EXPECT_REFUSED(pgtable_unmap(&pt, 1, 4096), "whole number");
	pt.nx = false;
	EXPECT_REFUSED(map_prot(&pt, 0, 4096, RW | PTE_NX), "no-execute");
}

Test(pgtable, nothing_is_mapped_over)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		struct pgtable pt = tree(pae);
		uint64_t size = pae ? MIB(2) : MIB(4);

		cr_assert_null(map(&pt, size - 4096, 0, 4096, false));
		cr_assert_null(map(&pt, 2 * size, 0, size, true));
		EXPECT_REFUSED(map(&pt, 0, 0, size, true), "mapped already");
		EXPECT_REFUSED(map(&pt, size, 0, size + 4096, false),
			       "by a large page");
		EXPECT_REFUSED(pgtable_prepare(&pt, (vaddr_t)(2 * size), 4096),
			       "large");
		/* Prepared over: fine, it is there. */
		cr_assert_null(pgtable_prepare(&pt, 0, size));
		expect_page(&pt, size - 4096, 0, 4096);
	}
}

Test(pgtable, user_pages_need_a_page_table_for_users)
{
	struct pgtable pt = tree(false);

	cr_assert_null(map_prot(&pt, 0, 4096, RW | PTE_USER));
	cr_assert_null(map_prot(&pt, 4096, 4096, RW));
	cr_assert_null(map_prot(&pt, MIB(4), 4096, RW));
	EXPECT_REFUSED(map_prot(&pt, MIB(4) + 4096, 4096, RW | PTE_USER),
		       "0x401000: the page table is the kernel's");
}

/* ---- Unmapping -------------------------------------------------------------------- */

Test(pgtable, unmap_takes_what_is_there_and_leaves_the_tables)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		struct pgtable pt = tree(pae);
		uint64_t size = pae ? MIB(2) : MIB(4);
		uint32_t tables;

		cr_assert_null(map(&pt, size - 8192, 0, 8192, false));
		cr_assert_null(map(&pt, size, 0, size, true));
		tables = pt.nr_tables;
		cr_assert_null(pgtable_unmap(&pt, (vaddr_t)size - 4096,
					     MIB(1536) - size));
		expect_page(&pt, size - 8192, 0, 4096);
		expect_hole(&pt, size - 4096, 4096);
		expect_hole(&pt, size, size);
		cr_expect_eq(pt.nr_tables, tables);
		pgtable_destroy(&pt);
		EXPECT_NO_LEAK();
	}
}

Test(pgtable, unmap_leaves_what_comes_after)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		struct pgtable pt = tree(pae);

		cr_assert_null(map(&pt, MIB(4), 0, 8192, false));
		cr_assert_null(pgtable_unmap(&pt, MIB(4), 4096));
		expect_hole(&pt, MIB(4), 4096);
		expect_page(&pt, MIB(4) + 4096, 1, 4096);
		pgtable_destroy(&pt);
		cr_expect_eq(pt.root, PGTABLE_NO_FRAME);
		EXPECT_NO_LEAK();
	}
}

Test(pgtable, a_large_page_is_not_cut)
{
	struct pgtable pt = tree(true);

	cr_assert_null(map(&pt, MIB(2), 0, MIB(2), true));
	EXPECT_REFUSED(pgtable_unmap(&pt, MIB(2), MIB(2) - 4096), "cut");
	EXPECT_REFUSED(pgtable_unmap(&pt, MIB(2) + 4096, MIB(4)), "cut");
	EXPECT_REFUSED(pgtable_unmap(&pt, 0, MIB(3)), "0x200000: a large page");
	cr_assert_null(pgtable_unmap(&pt, 0, MIB(4)));
}

/* ---- Failing allocations ------------------------------------------------------------ */

Test(pgtable, every_allocation_of_a_map_may_fail)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		uint32_t needed = pae ? 6 : 4;
		uint32_t fail;

		for (fail = 0;; fail++) {
			struct pgtable pt = tree(pae);
			const char *why;

			/* Small, large, small, in two GiB; four tables. */
			test_frames.fail_at = 1 + fail;
			why = map(&pt, 0x3f9ff000, 0x9ff000, MIB(8), true);
			if (!why)
				break;
			cr_expect_str_eq(why, "no memory for a page table");
			cr_expect_eq(test_frames.nr_taken, 1, "leaked");
			expect_hole(&pt, 0x3fa00000, pae ? MIB(1024) : MIB(4));
			cr_assert_null(
				map(&pt, 0x3f9ff000, 0x9ff000, MIB(8), true));
			pgtable_destroy(&pt);
			EXPECT_NO_LEAK();
		}
		cr_expect_gt(fail, 0);
		cr_expect_leq(fail, needed);
	}
}
