/* SPDX-License-Identifier: MIT */
#include "core/lib/test_machine.h"

#define FIRST_HIGHMEM 0x38000u
#define FIRST_HIGHMEM_PAE 0x100000u

Test(page, frame_numbers_count_up_from_the_first)
{
	struct highmem *hm = boot((struct machine_config){ .nr_pages = 16 });

	cr_expect_eq(page_to_pfn(hm, low(hm, 0)), FIRST_HIGHMEM - 2);
	cr_expect_eq(page_to_pfn(hm, high(hm, 0)), FIRST_HIGHMEM);
	cr_expect_eq(page_to_pfn(hm, high(hm, 15)), FIRST_HIGHMEM + 15);
	for (pfn_t pfn = FIRST_HIGHMEM - 2; pfn < FIRST_HIGHMEM + 16; pfn++)
		cr_expect_eq(page_to_pfn(hm, pfn_to_page(hm, pfn)), pfn);
	EXPECT_BUG("");
}

Test(page, frames_outside_mem_map_have_no_page)
{
	struct highmem *hm = boot((struct machine_config){ .nr_pages = 16 });

	cr_expect_eq(pfn_to_page(hm, FIRST_HIGHMEM - 2), low(hm, 0));
	cr_expect_null(pfn_to_page(hm, FIRST_HIGHMEM - 3));
	cr_expect_eq(pfn_to_page(hm, FIRST_HIGHMEM + 15), high(hm, 15));
	cr_expect_null(pfn_to_page(hm, FIRST_HIGHMEM + 16));
	cr_expect_null(pfn_to_page(hm, 0));
	cr_expect_null(pfn_to_page(hm, UINT32_MAX));
}

Test(page, with_pae_frames_lie_above_4_gib)
{
	struct highmem *hm = boot((struct machine_config){ .pae = true });

	cr_expect_eq(page_to_pfn(hm, high(hm, 3)), FIRST_HIGHMEM_PAE + 3);
	cr_expect_eq(pfn_to_page(hm, FIRST_HIGHMEM_PAE + 3), high(hm, 3));
	kmap(hm, high(hm, 3));
	cr_expect_eq(port_pte_read(PKMAP_BASE_PAE), 0x100003003);
	EXPECT_SOUND(hm);
}

Test(page, highmem_begins_where_the_direct_map_ends)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	cr_expect_not(page_is_highmem(hm, low(hm, 0)));
	cr_expect_not(page_is_highmem(hm, low(hm, 1)));
	cr_expect(page_is_highmem(hm, high(hm, 0)));
	cr_expect(page_is_highmem(hm, high(hm, 15)));
}

Test(page, address_of_lowmem_is_arithmetic)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	cr_expect_eq((vaddr_t)page_address(hm, low(hm, 0)), 0xc0000000);
	cr_expect_eq((vaddr_t)page_address(hm, low(hm, 1)), 0xc0001000);
}

Test(page, address_of_highmem_is_that_of_its_slot)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	cr_expect_null(page_address(hm, high(hm, 0)));
	kmap(hm, high(hm, 1));
	kmap(hm, high(hm, 0));
	cr_expect_eq(page_address(hm, high(hm, 1)), slot_address(hm, 0));
	cr_expect_eq(page_address(hm, high(hm, 0)), slot_address(hm, 1));
	kunmap(hm, high(hm, 1));
	cr_expect_eq(page_address(hm, high(hm, 1)), slot_address(hm, 0),
		     "an idle slot is still the page's");
	kmap_flush_unused(hm);
	cr_expect_null(page_address(hm, high(hm, 1)));
	EXPECT_SOUND(hm);
}

Test(page, address_of_a_page_with_an_impossible_slot_is_reported)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	port_atomic_store(&high(hm, 0)->pkmap, pkmap_word(4, 1));
	EXPECT_PANIC(page_address(hm, high(hm, 0)), "core/lib/page.c",
		     "pkmap_word_slot(word) < hm->config.nr_slots");
}

/* It is asked, so it answers; who maps such a page is reported. */
static void expect_no_page(struct highmem *hm, struct page *page)
{
	cr_expect_eq(page_to_pfn(hm, page), PFN_NONE);
	cr_expect_not(page_is_highmem(hm, page));
	cr_expect_null(page_address(hm, page));
}

Test(page, outside_mem_map_there_are_none)
{
	struct highmem *hm = boot((struct machine_config){ 0 });
	struct page *pages = hm->config.mem_map;

	hm->config.mem_map = pages + 1;
	hm->config.nr_pages = 4;
	expect_no_page(hm, pages);
	expect_no_page(hm, pages + 5);
	expect_no_page(hm, NULL);
	expect_no_page(hm, (struct page *)((uintptr_t)(pages + 2) + 4));
	cr_expect_neq(page_to_pfn(hm, pages + 1), PFN_NONE);
	cr_expect_neq(page_to_pfn(hm, pages + 4), PFN_NONE);
	EXPECT_BUG("");
}

/* ---- mem_map of RAM with holes --------------------------------------------- */

/* Two pages of lowmem, and highmem in three pieces. */
static const struct page_range pieces[] = {
	{ FIRST_HIGHMEM - 2, 2 },
	{ FIRST_HIGHMEM, 1 },
	{ 0x80000, 3 },
	{ 0xffffd, 3 },
};

static const pfn_t frames_of_pieces[] = {
	0x37ffe, 0x37fff, 0x38000, 0x80000, 0x80001,
	0x80002, 0xffffd, 0xffffe, 0xfffff,
};

#define NR_FRAMES (sizeof(frames_of_pieces) / sizeof(frames_of_pieces[0]))

static struct highmem *boot_pieces(void)
{
	struct highmem *hm = boot((struct machine_config){ 0 });
	struct highmem_config config = hm->config;

	config.ranges = pieces;
	config.nr_ranges = sizeof(pieces) / sizeof(pieces[0]);
	config.nr_pages = NR_FRAMES;
	cr_assert_null(highmem_init(hm, &config));
	return hm;
}

Test(page_ranges, each_page_has_its_frame)
{
	struct highmem *hm = boot_pieces();

	for (unsigned int i = 0; i < NR_FRAMES; i++) {
		struct page *page = &hm->config.mem_map[i];

		cr_expect_eq(page_to_pfn(hm, page), frames_of_pieces[i]);
		cr_expect_eq(pfn_to_page(hm, frames_of_pieces[i]), page);
		cr_expect_eq(page_is_highmem(hm, page), i >= 2);
	}
	EXPECT_BUG("");
}

Test(page_ranges, frames_in_a_hole_have_no_page)
{
	struct highmem *hm = boot_pieces();
	static const pfn_t holes[] = { 0,	0x37ffd, 0x38001,  0x7ffff,
				       0x80003, 0xffffc, 0x100000, UINT32_MAX };

	for (unsigned int i = 0; i < sizeof(holes) / sizeof(holes[0]); i++)
		cr_expect_null(pfn_to_page(hm, holes[i]));
	EXPECT_BUG("");
}

Test(page_ranges, what_lies_behind_the_last_range_is_none)
{
	struct highmem *hm = boot_pieces();
	pfn_t last = pieces[--hm->config.nr_ranges].first_pfn;

	cr_expect_null(pfn_to_page(hm, last));
}

Test(page_ranges, ptes_name_the_frames)
{
	struct highmem *hm = boot_pieces();
	const char *first = kmap(hm, high(hm, 1));
	const char *last = kmap_local_page(hm, high(hm, 6));

	cr_expect_eq(port_pte_read((vaddr_t)first), 0x80000003);
	cr_expect_eq(port_pte_read((vaddr_t)last), 0xfffff003);
	cr_expect_eq(kmap_to_page(hm, first), high(hm, 1));
	cr_expect_eq(kmap_to_page(hm, last), high(hm, 6));
	cr_expect_eq((vaddr_t)page_address(hm, low(hm, 1)), 0xc0001000);
	cr_expect_eq(kmap_to_page(hm, (void *)(vaddr_t)0xc0001fff), low(hm, 1));
	kunmap_local(hm, last);
	cr_expect_null(highmem_validate(hm));
	EXPECT_BUG("");
}

Test(page_ranges, outside_mem_map_there_are_none)
{
	struct highmem *hm = boot_pieces();

	expect_no_page(hm, hm->config.mem_map + NR_FRAMES);
	EXPECT_BUG("");
}

/* ---- kmap_to_page() ------------------------------------------------------- */

static struct page *page_at(struct highmem *hm, const void *page,
			    unsigned int byte)
{
	return kmap_to_page(hm, (const char *)page + byte);
}

Test(kmap_to_page, both_ends_of_lowmem)
{
	struct highmem *hm = boot((struct machine_config){ 0 });
	const char *first = page_address(hm, low(hm, 0));

	cr_expect_eq(page_at(hm, first, 0), low(hm, 0));
	cr_expect_eq(page_at(hm, first, 4095), low(hm, 0));
	cr_expect_eq(page_at(hm, first, 4096), low(hm, 1));
	cr_expect_eq(page_at(hm, first, 8191), low(hm, 1));
	cr_expect_null(page_at(hm, first, 8192), "highmem is not there");
	cr_expect_null(kmap_to_page(hm, first - 1), "no page in mem_map");
}

Test(kmap_to_page, both_ends_of_pkmap)
{
	struct highmem *hm = boot((struct machine_config){ .nr_slots = 3 });
	const char *base = slot_address(hm, 0);

	for (unsigned int i = 0; i < 3; i++)
		kmap(hm, high(hm, i));
	/* What a larger machine left behind must not be read. */
	port_atomic_store(&hm->pkmap.slot[3].page, 3);
	cr_expect_null(kmap_to_page(hm, base - 1));
	for (unsigned int i = 0; i < 3; i++) {
		cr_expect_eq(page_at(hm, base, i * 4096), high(hm, i));
		cr_expect_eq(page_at(hm, base, i * 4096 + 4095), high(hm, i));
	}
	cr_expect_null(page_at(hm, base, 3 * 4096));
	EXPECT_BUG("");
}

Test(kmap_to_page, a_slot_that_maps_nothing)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	cr_expect_null(page_at(hm, slot_address(hm, 0), 0));
	touch(hm, high(hm, 0));
	cr_expect_eq(page_at(hm, slot_address(hm, 0), 0), high(hm, 0));
	kmap_flush_unused(hm);
	cr_expect_null(page_at(hm, slot_address(hm, 0), 0));
}

Test(kmap_to_page, both_ends_of_the_windows)
{
	struct highmem *hm = boot(
		(struct machine_config){ .local_depth = KM_MAX_IDX });
	const char *address = NULL;

	for (unsigned int i = 0; i < KM_MAX_IDX; i++) {
		address = kmap_local_page(hm, high(hm, i));
		cr_expect_eq(page_at(hm, address, 0), high(hm, i));
		cr_expect_eq(page_at(hm, address, 4095), high(hm, i));
	}
	cr_expect_null(kmap_to_page(hm, address - 1), "the next CPU's window");
	cr_expect_null((void *)kmap_to_page(
		hm, (void *)fixmap_vaddr(FIX_KMAP_BEGIN - 1)));
	cr_expect_null((void *)kmap_to_page(
		hm, (void *)fixmap_vaddr(FIX_KMAP_END + 1)));
	kunmap_local(hm, address);
	cr_expect_null(page_at(hm, address, 0));
	EXPECT_BUG("");
}

Test(kmap_to_page, the_last_window_of_the_last_cpu)
{
	struct highmem *hm = boot((struct machine_config){ 0 });
	vaddr_t last = fixmap_vaddr(FIX_KMAP_END);

	port_pte_set(last,
		     pte_make(page_to_pfn(hm, high(hm, 3)), hm->config.prot));
	cr_expect_eq(kmap_to_page(hm, (void *)last), high(hm, 3));
	port_pte_clear(last);
}

Test(kmap_to_page, nowhere)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	cr_expect_null(kmap_to_page(hm, NULL));
	cr_expect_null(kmap_to_page(hm, (void *)UINTPTR_MAX));
	cr_expect_null(kmap_to_page(hm, (void *)FIXADDR_TOP));
	cr_expect_null(kmap_to_page(hm, (void *)(FIXADDR_START - 1)));
	EXPECT_BUG("");
}

Test(kmap_to_page, with_pae)
{
	struct highmem *hm = boot((struct machine_config){ .pae = true });
	void *pkmap = kmap(hm, high(hm, 0));
	void *local = kmap_local_page(hm, high(hm, 1));

	cr_expect_eq(page_at(hm, pkmap, 4095), high(hm, 0));
	cr_expect_eq(page_at(hm, local, 4095), high(hm, 1));
	cr_expect_eq(kmap_to_page(hm, page_address(hm, low(hm, 1))),
		     low(hm, 1));
	kunmap_local(hm, local);
	EXPECT_SOUND(hm);
}

Test(kmap_to_page, a_slot_with_an_impossible_page_is_reported)
{
	struct highmem *hm = boot((struct machine_config){ .nr_pages = 4 });

	port_atomic_store(&hm->pkmap.slot[0].page, 7);
	EXPECT_PANIC(page_at(hm, slot_address(hm, 0), 0), "core/lib/page.c",
		     "cookie <= hm->config.nr_pages");
}
