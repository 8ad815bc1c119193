/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/ports/i686/spread.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* What a PC has above lowmem, with so much RAM, PAE, and this highmem=. */
static const struct memmap one_gib = { 1, { { 896 * MIB, GIB, 1 } } };
static const struct memmap six_gib = {
	2, { { 896 * MIB, 3 * GIB, 1 }, { 4 * GIB, 7 * GIB, 1 } }
};
static const struct memmap carved = { 1, { { 96 * MIB, 0x7fe0000, 1 } } };

/* 3 + 40 + 17 frames. */
static const struct memmap crumbs = { 3,
				      { { 0x1001000, 0x1004000, 1 },
					{ 0x2000000, 0x2028000, 1 },
					{ 0x3007000, 0x3018000, 1 } } };

static bool is_in(const struct memmap *map, const struct page_range *piece)
{
	uint64_t start = (uint64_t)piece->first_pfn << PAGE_SHIFT;
	uint64_t end = start + ((uint64_t)piece->nr_pages << PAGE_SHIFT);

	for (unsigned int i = 0; i < map->nr; i++)
		if (start >= map->range[i].start && end <= map->range[i].end)
			return true;
	return false;
}

/* The pieces are in order, in the map, and of the right colours and number. */
static unsigned int expect_sound(const struct memmap *map, uint32_t nr_pages,
				 struct page_range pieces[SPREAD_MAX_PIECES])
{
	unsigned int nr = spread_pages(map, nr_pages, pieces);
	uint32_t index = 0;

	for (unsigned int i = 0; i < nr; i++) {
		const struct page_range *piece = &pieces[i];

		cr_expect(is_in(map, piece));
		cr_expect_gt(piece->nr_pages, 0);
		cr_expect_eq(piece->first_pfn % SPREAD_COLOURS,
			     index % SPREAD_COLOURS);
		if (i > 0)
			cr_expect_geq(piece->first_pfn,
				      pieces[i - 1].first_pfn +
					      pieces[i - 1].nr_pages);
		index += piece->nr_pages;
	}
	if (nr)
		cr_expect_eq(index, nr_pages);
	return nr;
}

Test(spread, four_pages_of_six_gib)
{
	struct page_range pieces[SPREAD_MAX_PIECES];

	cr_assert_eq(expect_sound(&six_gib, 4, pieces), 4);
	cr_expect_eq(pieces[0].first_pfn, 0x38000, "the first of highmem");
	cr_expect_eq(pieces[1].first_pfn, 0x8a001, "2.2 GiB");
	cr_expect_eq(pieces[2].first_pfn, 0x11c002, "4.4 GiB");
	cr_expect_eq(pieces[3].first_pfn, 0x1bfffb, "the last of its colour");
}

Test(spread, any_number_of_pages)
{
	struct page_range pieces[SPREAD_MAX_PIECES];
	static const struct memmap *const maps[] = { &one_gib, &six_gib,
						     &carved };

	for (unsigned int m = 0; m < sizeof(maps) / sizeof(maps[0]); m++)
		for (uint32_t nr = 1; nr <= 4096; nr += 1 + nr / 9)
			cr_expect_eq(expect_sound(maps[m], nr, pieces),
				     nr < 8 ? nr : 8);
}

Test(spread, both_ends_of_all_there_is)
{
	struct page_range pieces[SPREAD_MAX_PIECES];

	cr_assert_eq(expect_sound(&six_gib, 4096, pieces), 8);
	cr_expect_eq(pieces[0].first_pfn, 0x38000);
	cr_expect_eq(pieces[7].first_pfn + pieces[7].nr_pages, 0x1c0000);
}

Test(spread, crumbs_are_used_where_they_fit)
{
	struct page_range pieces[SPREAD_MAX_PIECES];

	for (uint32_t nr = 1; nr <= 40; nr++)
		cr_expect_neq(expect_sound(&crumbs, nr, pieces), 0);
	cr_expect_eq(expect_sound(&crumbs, 40, pieces), 8);
	cr_expect_eq(pieces[0].first_pfn, 0x2000, "three frames are too few");
	cr_expect_eq(pieces[4].first_pfn, 0x201c);
	cr_expect_eq(pieces[5].first_pfn, 0x3009, "no room before the gap");
	cr_expect_eq(expect_sound(&crumbs, 48, pieces), 6);
}

Test(spread, more_pages_than_there_are)
{
	struct page_range pieces[SPREAD_MAX_PIECES];
	static const struct memmap none = { .nr = 0 };

	cr_expect_eq(spread_pages(&none, 1, pieces), 0);
	cr_expect_eq(spread_pages(&crumbs, 61, pieces), 0);
	cr_expect_eq(spread_pages(&one_gib, 0x8001, pieces), 0);
	cr_expect_eq(spread_pages(&one_gib, 0x8000, pieces), 8, "all of it");
}
