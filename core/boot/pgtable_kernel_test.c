/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include <highmem/layout.h>

#include "core/boot/pgtable.h"
#include "core/boot/test_frames.h"

#define DIRECT 0xc0000000UL

static struct pgtable_memory memory;
static struct layout layout;

static struct pgtable tree(bool pae)
{
	struct pgtable pt;

	cr_assert_null(pgtable_init(&pt, &memory, pae, pae));
	return pt;
}

static const char *map(struct pgtable *pt, uint64_t vaddr, uint64_t size,
		       bool large)
{
	const struct pgtable_range range = { (vaddr_t)vaddr, vaddr % MIB(64),
					     size, RW, large };

	return pgtable_map(pt, &range);
}

static pfn_t pfn_at(const struct pgtable *pt, uint64_t vaddr)
{
	return pgtable_lookup(pt, (vaddr_t)vaddr).pfn;
}

static pte_t prot_at(const struct pgtable *pt, uint64_t vaddr)
{
	return pgtable_lookup(pt, (vaddr_t)vaddr).prot;
}

/* ---- Linked to the master ------------------------------------------------------ */

Test(pgtable_link, the_kernel_is_the_masters)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		struct pgtable master, user;
		bool reload;

		memory = test_frames_init(16);
		master = tree(pae);
		user = tree(pae);
		cr_assert_null(map(&master, DIRECT, MIB(9), true));
		cr_assert_null(map(&user, DIRECT - 4096, 4096, false));
		cr_assert_null(
			pgtable_link_kernel(&user, &master, DIRECT, &reload));
		cr_expect_eq(reload, pae, "a PDPTE is cached");
		cr_expect_eq(pfn_at(&user, DIRECT), pfn_at(&master, DIRECT));
		cr_expect_eq(pfn_at(&user, DIRECT + MIB(9) - 1),
			     pfn_at(&master, DIRECT + MIB(9) - 1));
		/* What changes below a top-level entry is everybody's. */
		cr_assert_null(map(&master, DIRECT + MIB(9), 4096, false));
		cr_expect_eq(prot_at(&user, DIRECT + MIB(9)), RW);
		EXPECT_REFUSED(map(&user, DIRECT, 4096, false), "master's");
		EXPECT_REFUSED(map(&user, DIRECT - 8192, 12288, false),
			       "master's");
		EXPECT_REFUSED(pgtable_unmap(&user, DIRECT, 4096), "master's");
		cr_assert_null(pgtable_unmap(&user, DIRECT - 4096, 4096),
			       "that is the user's, up to the last page");
		pgtable_destroy(&user);
		cr_expect_eq(prot_at(&master, DIRECT), RW);
		pgtable_destroy(&master);
		EXPECT_NO_LEAK();
	}
}

Test(pgtable_link, again_after_the_master_has_changed)
{
	struct pgtable master, user;
	bool reload;

	memory = test_frames_init(16);
	master = tree(false);
	user = tree(false);
	cr_assert_null(map(&master, DIRECT, MIB(4), true));
	cr_assert_null(pgtable_link_kernel(&user, &master, DIRECT, &reload));
	cr_expect_not(reload, "none entries are in no cache");
	/* The user's copy was walked, and a new one came. */
	pgtable_directory_entry(&user, DIRECT)->value |= PTE_ACCESSED;
	cr_assert_null(map(&master, DIRECT + MIB(4), 4096, false));
	cr_expect_eq(prot_at(&user, DIRECT + MIB(4)), 0);
	cr_assert_null(pgtable_link_kernel(&user, &master, DIRECT, &reload));
	cr_expect_not(reload);
	cr_expect_eq(prot_at(&user, DIRECT + MIB(4)), RW);
	/* A large page went away. */
	cr_assert_null(pgtable_unmap(&master, DIRECT, MIB(4)));
	cr_assert_null(pgtable_link_kernel(&user, &master, DIRECT, &reload));
	cr_expect(reload);
	cr_expect_eq(prot_at(&user, DIRECT), 0);
	EXPECT_REFUSED(pgtable_link_kernel(&user, &master, DIRECT + MIB(4),
					   &reload),
		       "linked at 0xc0000000 already");
}

/* Xen cb199cc7de: a PDPTE changed, and nobody loaded CR3. */
Test(pgtable_link, a_new_pdpte_asks_for_a_reload)
{
	struct pgtable master, user;
	bool reload;

	memory = test_frames_init(16);
	master = tree(true);
	user = tree(true);
	cr_assert_null(map(&master, DIRECT, 4096, false));
	cr_assert_null(pgtable_link_kernel(&user, &master, 0x80000000, &reload));
	cr_expect(reload);
	cr_assert_null(pgtable_link_kernel(&user, &master, 0x80000000, &reload));
	cr_expect_not(reload, "nothing has changed");
	cr_assert_null(map(&master, 0x80000000, 4096, false));
	cr_assert_null(pgtable_link_kernel(&user, &master, 0x80000000, &reload));
	cr_expect(reload);
}

Test(pgtable_link, what_is_refused)
{
	struct pgtable master, user, other;
	bool reload = true;

	memory = test_frames_init(16);
	master = tree(true);
	user = tree(true);
	other = tree(false);
	EXPECT_REFUSED(pgtable_link_kernel(&other, &master, DIRECT, &reload),
		       "PAE or not");
	EXPECT_REFUSED(pgtable_link_kernel(&user, &master, 0xb0000000, &reload),
		       "0xb0000000: a top-level entry would be half");
	EXPECT_REFUSED(pgtable_link_kernel(&user, &master, DIRECT + 1, &reload),
		       "a top-level entry would be half");
	EXPECT_REFUSED(pgtable_link_kernel(&user, &master, 0, &reload),
		       "cannot begin at 0x0");
#if UINTPTR_MAX > UINT32_MAX
	EXPECT_REFUSED(pgtable_link_kernel(&user, &master, (vaddr_t)1 << 32,
					   &reload),
		       "cannot begin at 0x100000000");
#endif
	cr_assert_null(map(&user, 0xffffe000, 4096, false));
	EXPECT_REFUSED(pgtable_link_kernel(&user, &master, DIRECT, &reload),
		       "0xc0000000 has a table of its own");
	cr_expect_not(reload);
}

/* ---- A kernel's tables ------------------------------------------------------------ */

static void set_up(bool pae, uint64_t mib)
{
	const struct memmap map = {
		.nr = 1,
		.range = { { 0, MIB(mib), MEMMAP_RAM } },
	};
	struct layout_options options;

	layout_default_options(&options);
	options.pae = pae;
	cr_assert_null(layout_compute(&layout, &map, &options));
	memory = test_frames_init(16);
}

Test(pgtable_kernel, direct_map_pkmap_and_fixmap)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		const struct pgtable_kernel kernel = { .prot = RW,
						       .large = true };
		struct pgtable pt;

		set_up(pae, 1024);
		pt = tree(pae);
		cr_assert_null(pgtable_build_kernel(&pt, &layout, &kernel));
		cr_expect_eq(pfn_at(&pt, DIRECT), 0);
		cr_expect_eq(pfn_at(&pt, 0xf7ffffff), (MIB(896) >> 12) - 1);
		cr_expect_eq(pgtable_lookup(&pt, DIRECT).size,
			     pae ? MIB(2) : MIB(4));
		cr_expect_eq(prot_at(&pt, 0xf8000000), 0);
		cr_expect_eq(prot_at(&pt, DIRECT - 1), 0);
		cr_expect_not_null(pgtable_pte(&pt, layout.pkmap_base));
		cr_expect_not_null(pgtable_pte(
			&pt,
			layout.pkmap_base + layout.last_pkmap * PAGE_SIZE - 1));
		cr_expect_not_null(pgtable_pte(&pt, FIXADDR_START));
		cr_expect_not_null(pgtable_pte(&pt, FIXADDR_TOP - 1));
		cr_expect_eq(prot_at(&pt, layout.pkmap_base), 0);
		cr_expect_eq(pt.nr_tables, pae ? 4 : 3);
		pgtable_destroy(&pt);
		EXPECT_NO_LEAK();
	}
}

Test(pgtable_kernel, a_direct_map_that_ends_anywhere)
{
	const struct pgtable_kernel kernel = { .prot = RW, .large = true };
	struct pgtable pt;

	set_up(false, 64);
	layout.high_memory -= 4096;
	pt = tree(false);
	cr_assert_null(pgtable_build_kernel(&pt, &layout, &kernel));
	cr_expect_eq(prot_at(&pt, DIRECT + MIB(64) - 4097), RW);
	cr_expect_eq(prot_at(&pt, DIRECT + MIB(64) - 4096), 0);
}

Test(pgtable_kernel, pieces_are_different)
{
	const struct pgtable_piece pieces[] = {
		{ DIRECT, DIRECT + 4096, 0 },
		{ DIRECT + MIB(1), DIRECT + MIB(2), PTE_PRESENT },
		{ DIRECT + MIB(2), DIRECT + MIB(2) + 4096, 0 },
		{ DIRECT + MIB(60), DIRECT + MIB(64), RW },
	};
	const struct pgtable_kernel kernel = {
		.prot = RW | PTE_NX,
		.large = true,
		.pieces = pieces,
		.nr_pieces = 4,
		.small_below = DIRECT + MIB(4),
	};
	struct pgtable pt;

	set_up(true, 64);
	pt = tree(true);
	cr_assert_null(pgtable_build_kernel(&pt, &layout, &kernel));
	cr_expect_eq(prot_at(&pt, DIRECT), 0);
	cr_expect_eq(prot_at(&pt, DIRECT + 4096), RW | PTE_NX);
	cr_expect_eq(prot_at(&pt, DIRECT + MIB(1) - 1), RW | PTE_NX);
	cr_expect_eq(prot_at(&pt, DIRECT + MIB(1)), PTE_PRESENT);
	cr_expect_eq(prot_at(&pt, DIRECT + MIB(2) - 1), PTE_PRESENT);
	cr_expect_eq(prot_at(&pt, DIRECT + MIB(2)), 0);
	cr_expect_eq(prot_at(&pt, DIRECT + MIB(2) + 4096), RW | PTE_NX);
	cr_expect_eq(pgtable_lookup(&pt, DIRECT + MIB(4) - 1).size, 4096);
	cr_expect_eq(pgtable_lookup(&pt, DIRECT + MIB(4)).size, MIB(2));
	cr_expect_eq(pfn_at(&pt, DIRECT + MIB(4)), MIB(4) >> 12);
	cr_expect_eq(prot_at(&pt, DIRECT + MIB(60)), RW);
	cr_expect_eq(pgtable_lookup(&pt, DIRECT + MIB(60)).size, 4096);
	cr_expect_eq(pfn_at(&pt, DIRECT + MIB(64) - 1), (MIB(64) >> 12) - 1);
}

static void expect_bad_piece(struct pgtable_piece piece)
{
	const struct pgtable_piece pieces[] = {
		{ DIRECT + MIB(8), DIRECT + MIB(9), 0 }, piece
	};
	const struct pgtable_kernel kernel = { .prot = RW,
					       .pieces = pieces,
					       .nr_pieces = 2 };
	struct pgtable pt;

	set_up(false, 64);
	pt = tree(false);
	EXPECT_REFUSED(pgtable_build_kernel(&pt, &layout, &kernel), "piece");
}

Test(pgtable_kernel, pieces_must_be_in_order_and_in_the_direct_map)
{
	const vaddr_t at = DIRECT;

	expect_bad_piece((struct pgtable_piece){ at, at + 4096, 0 });
	expect_bad_piece(
		(struct pgtable_piece){ at + MIB(10), at + MIB(10), 0 });
	expect_bad_piece(
		(struct pgtable_piece){ at + MIB(11), at + MIB(10), 0 });
	expect_bad_piece(
		(struct pgtable_piece){ at + MIB(63), at + MIB(64) + 1, 0 });
}

Test(pgtable_kernel, a_refusal_of_any_part_is_the_answer)
{
	struct pgtable_kernel kernel = { .prot = RW, .large = true };
	struct pgtable pt;

	set_up(false, 64);
	pt = tree(false);
	kernel.prot = PTE_WRITE;
	EXPECT_REFUSED(pgtable_build_kernel(&pt, &layout, &kernel), "present");
	kernel.prot = RW;
	cr_assert_null(map(&pt, 0xffc00000, MIB(4), true));
	cr_expect_not_null(pgtable_build_kernel(&pt, &layout, &kernel));
	pgtable_destroy(&pt);
	pt = tree(false);
	cr_assert_null(map(&pt, layout.pkmap_base, MIB(4), true));
	cr_expect_not_null(pgtable_build_kernel(&pt, &layout, &kernel));
	pgtable_destroy(&pt);
	EXPECT_NO_LEAK();
}

/* Every allocation of a build fails once: said, nothing leaks, then it works. */
Test(pgtable_kernel, every_allocation_may_fail)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		const struct pgtable_piece piece = { DIRECT + MIB(1),
						     DIRECT + MIB(1) + 4096,
						     0 };
		const struct pgtable_kernel kernel = { .prot = RW,
						       .large = true,
						       .pieces = &piece,
						       .nr_pieces = 1 };
		uint32_t nr = 0;

		set_up(pae, 1024);
		for (const char *why = ""; why; nr++) {
			struct pgtable pt;

			test_frames.nr_allocs = 0;
			test_frames.fail_at = nr;
			why = pgtable_init(&pt, &memory, pae, pae);
			if (!why)
				why = pgtable_build_kernel(&pt, &layout,
							   &kernel);
			if (why)
				cr_expect_str_eq(why,
						 "no memory for a page table");
			pgtable_destroy(&pt);
			EXPECT_NO_LEAK();
		}
		cr_expect_eq(nr - 1, pae ? 5 : 4, "%u allocations", nr - 1);
	}
}
