/* SPDX-License-Identifier: MIT */
#include "core/lib/test_machine.h"

/*
 * Where RAM has holes, the frame of a page is a search. A call that maps makes
 * one: the linker (--wrap) hands every call of page_to_pfn() to the one here.
 */
pfn_t __real_page_to_pfn(const struct highmem *hm, const struct page *page);
pfn_t __wrap_page_to_pfn(const struct highmem *hm, const struct page *page);

static unsigned int searches;

pfn_t __wrap_page_to_pfn(const struct highmem *hm, const struct page *page)
{
	searches++;
	return __real_page_to_pfn(hm, page);
}

/* How many the calls since the last question made. */
static unsigned int searches_made(void)
{
	unsigned int made = searches;

	searches = 0;
	return made;
}

static struct highmem *boot_with_holes(void)
{
	struct highmem *hm = boot((struct machine_config){
		.nr_slots = 4, .nr_colours = 2, .holes = true });

	searches_made();
	return hm;
}

Test(pfn_once, persistent_maps)
{
	struct highmem *hm = boot_with_holes();
	struct page *page = high(hm, 9);

	kmap(hm, page);
	cr_expect_eq(searches_made(), 1, "a miss");
	kmap(hm, page);
	cr_expect_eq(searches_made(), 1, "a hit");
	kmap_high_get(hm, page);
	cr_expect_eq(searches_made(), 1, "kmap_high_get()");
	for (int users = 3; users > 0; users--) {
		kunmap(hm, page);
		cr_expect_eq(searches_made(), 1, "kunmap()");
	}
	EXPECT_SOUND(hm);
}

/* Each slot that is taken from a page has a check of its own, in tier 1. */
Test(pfn_once, a_miss_that_retires)
{
	struct highmem *hm = boot_with_holes();

	for (unsigned int p = 0; p < 6; p += 2) {
		kmap(hm, high(hm, p));
		kunmap(hm, high(hm, p));
	}
	searches_made();
	cr_expect_not_null(kmap_try(hm, high(hm, 6)));
	cr_expect_leq(searches_made(), 1 + 2, "its own, and two retired");
	EXPECT_SOUND(hm);
}

Test(pfn_once, local_maps)
{
	struct highmem *hm = boot_with_holes();
	void *vaddr = kmap_local_page(hm, high(hm, 9));

	cr_expect_eq(searches_made(), 1, "kmap_local_page()");
	kunmap_local(hm, vaddr);
	cr_expect_eq(searches_made(), 0, "kunmap_local()");
	kunmap_atomic(hm, kmap_atomic(hm, high(hm, 2)));
	cr_expect_eq(searches_made(), 1, "kmap_atomic() and back");
	EXPECT_SOUND(hm);
}
