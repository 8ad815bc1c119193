/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include <highmem/memmap.h>

#define RESERVED 2
#define FRAME(n) ((uint64_t)(n) << PAGE_SHIFT)

static void add(struct memmap *map, uint64_t start, uint64_t end, uint32_t type)
{
	map->range[map->nr++] = (struct memmap_range){ start, end, type };
}

static struct memmap ram_of(const struct memmap *map)
{
	struct memmap ram;

	cr_assert_null(memmap_ram(&ram, map));
	return ram;
}

static void expect_piece(const struct memmap *ram, unsigned int nr,
			 uint64_t first, uint64_t end)
{
	cr_assert_lt(nr, ram->nr);
	cr_expect_eq(ram->range[nr].start, FRAME(first));
	cr_expect_eq(ram->range[nr].end, FRAME(end));
	cr_expect_eq(ram->range[nr].type, MEMMAP_RAM);
}

Test(memmap, comes_out_in_order_and_in_one_piece_where_it_touches)
{
	struct memmap map = { .nr = 0 };
	struct memmap ram;

	add(&map, FRAME(8), FRAME(12), MEMMAP_RAM);
	add(&map, FRAME(20), FRAME(21), MEMMAP_RAM);
	add(&map, FRAME(4), FRAME(8), MEMMAP_RAM);
	add(&map, FRAME(2), FRAME(5), MEMMAP_RAM);
	add(&map, FRAME(8), FRAME(12), MEMMAP_RAM);
	ram = ram_of(&map);
	cr_assert_eq(ram.nr, 2);
	expect_piece(&ram, 0, 2, 12);
	expect_piece(&ram, 1, 20, 21);
}

Test(memmap, what_lies_behind_the_last_range_is_none)
{
	struct memmap map = { .nr = 0 };
	struct memmap ram;

	add(&map, FRAME(0), FRAME(100), MEMMAP_RAM);
	add(&map, FRAME(60), FRAME(70), RESERVED);
	map.nr = 1;
	ram = ram_of(&map);
	cr_assert_eq(ram.nr, 1);
	expect_piece(&ram, 0, 0, 100);
}

Test(memmap, what_two_ranges_disagree_about_is_no_ram)
{
	struct memmap map = { .nr = 0 };
	struct memmap ram;

	add(&map, FRAME(60), FRAME(70), RESERVED);
	add(&map, FRAME(0), FRAME(100), MEMMAP_RAM);
	add(&map, FRAME(30) + 5, FRAME(30) + 6, RESERVED);
	add(&map, FRAME(90), FRAME(200), RESERVED);
	add(&map, FRAME(50), FRAME(50), RESERVED); /* says nothing */
	ram = ram_of(&map);
	cr_assert_eq(ram.nr, 3);
	expect_piece(&ram, 0, 0, 30);
	expect_piece(&ram, 1, 31, 60);
	expect_piece(&ram, 2, 70, 90);
}

Test(memmap, half_a_frame_is_none)
{
	struct memmap map = { .nr = 0 };
	struct memmap ram;

	add(&map, FRAME(1) + 1, FRAME(3) - 1, MEMMAP_RAM); /* no frame */
	add(&map, FRAME(8) - 1, FRAME(10) + 4095, MEMMAP_RAM);
	add(&map, FRAME(20), FRAME(20) + 2048, MEMMAP_RAM); /* two halves */
	add(&map, FRAME(20) + 2048, FRAME(21), MEMMAP_RAM);
	ram = ram_of(&map);
	cr_assert_eq(ram.nr, 2);
	expect_piece(&ram, 0, 8, 10);
	expect_piece(&ram, 1, 20, 21);
}

Test(memmap, up_to_the_last_byte_of_64_bits)
{
	struct memmap map = { .nr = 0 };
	struct memmap ram;

	add(&map, FRAME(5), UINT64_MAX, MEMMAP_RAM);
	ram = ram_of(&map);
	expect_piece(&ram, 0, 5, UINT64_MAX >> PAGE_SHIFT);
	map.nr = 0;
	add(&map, UINT64_MAX - 5, UINT64_MAX, MEMMAP_RAM);
	cr_expect_str_eq(memmap_ram(&ram, &map), "the memory map has no RAM");
}

Test(memmap, refuses_what_wraps_and_what_is_empty)
{
	struct memmap map = { .nr = 0 };
	struct memmap ram;

	cr_expect_str_eq(memmap_ram(&ram, &map), "the memory map has no RAM");
	add(&map, FRAME(1), FRAME(2), RESERVED);
	cr_expect_str_eq(memmap_ram(&ram, &map), "the memory map has no RAM");
	add(&map, FRAME(5), FRAME(4), MEMMAP_RAM);
	cr_expect(strstr(memmap_ram(&ram, &map), "ends before it starts"));
}

Test(memmap, refuses_too_many)
{
	struct memmap map = { .nr = 0 };
	struct memmap ram;

	for (unsigned int i = 0; i < MEMMAP_MAX_RANGES - 1; i++)
		add(&map, FRAME(4 * i + 1), FRAME(4 * i + 2), RESERVED);
	add(&map, 0, FRAME(4 * MEMMAP_MAX_RANGES), MEMMAP_RAM);
	cr_expect_null(memmap_ram(&ram, &map));
	cr_expect_eq(ram.nr, MEMMAP_MAX_RANGES);
	map.nr = MEMMAP_MAX_RANGES + 1;
	cr_expect(strstr(memmap_ram(&ram, &map), "more than 512 ranges"));
}

/* ---- One range after the other ------------------------------------------------- */

Test(memmap_add, refuses_what_ends_before_it_starts_and_skips_what_is_empty)
{
	struct memmap map = { .nr = 0 };

	cr_expect(strstr(memmap_add(&map, 5, 4, MEMMAP_RAM),
			 "ends before it starts"));
	cr_expect_null(memmap_add(&map, 5, 5, MEMMAP_RAM));
	cr_expect_eq(map.nr, 0);
}

Test(memmap_add, thousands_that_touch_are_a_few)
{
	struct memmap map = { .nr = 0 };
	struct memmap ram;

	/* From the top down, each other one twice, a hole in the middle. */
	for (unsigned int i = 5000; i-- > 0;) {
		if (i == 2500)
			continue;
		cr_assert_null(
			memmap_add(&map, FRAME(i), FRAME(i + 1), MEMMAP_RAM));
		if (i % 2)
			cr_assert_null(memmap_add(&map, FRAME(i), FRAME(i + 1),
						  MEMMAP_RAM));
	}
	cr_assert_null(memmap_add(&map, FRAME(10), FRAME(11), RESERVED));
	ram = ram_of(&map);
	cr_assert_eq(ram.nr, 3);
	expect_piece(&ram, 0, 0, 10);
	expect_piece(&ram, 1, 11, 2500);
	expect_piece(&ram, 2, 2501, 5000);
}

Test(memmap_add, refuses_what_cannot_be_united)
{
	struct memmap map = { .nr = 0 };
	struct memmap ram;

	for (unsigned int i = 0; i < MEMMAP_MAX_RANGES; i++)
		cr_assert_null(memmap_add(&map, FRAME(2 * i), FRAME(2 * i + 1),
					  MEMMAP_RAM));
	cr_expect(strstr(memmap_add(&map, 1, 2, RESERVED),
			 "more than 512 ranges"));
	ram = ram_of(&map);
	cr_expect_eq(ram.nr, MEMMAP_MAX_RANGES);
	/* Types do not unite, however much they touch. */
	map.nr = 0;
	for (unsigned int i = 0; i < MEMMAP_MAX_RANGES; i++)
		cr_assert_null(memmap_add(&map, FRAME(i), FRAME(i + 1), i));
	cr_expect(strstr(memmap_add(&map, 0, 1, 1000), "more than 512"));
	cr_expect_null(memmap_ram(&ram, &map));
	expect_piece(&ram, 0, 1, 2);
}

/* ---- RAM for two ------------------------------------------------------------------ */

Test(memmap_keep, what_both_have)
{
	struct memmap a = { .nr = 0 }, b = { .nr = 0 }, both;

	add(&a, FRAME(1), FRAME(10), MEMMAP_RAM);
	add(&a, FRAME(20), FRAME(30), MEMMAP_RAM);
	add(&a, FRAME(40), FRAME(50), MEMMAP_RAM);
	add(&b, FRAME(0), FRAME(2), MEMMAP_RAM);
	add(&b, FRAME(5), FRAME(6), MEMMAP_RAM);
	add(&b, FRAME(9), FRAME(30), MEMMAP_RAM);
	add(&b, FRAME(50), FRAME(60), MEMMAP_RAM);
	for (unsigned int turn = 0; turn < 2; turn++) {
		cr_assert_null(turn ? memmap_keep(&both, &a, &b)
				    : memmap_keep(&both, &b, &a));
		cr_assert_eq(both.nr, 4);
		expect_piece(&both, 0, 1, 2);
		expect_piece(&both, 1, 5, 6);
		expect_piece(&both, 2, 9, 10);
		expect_piece(&both, 3, 20, 30);
	}
	b.nr = 0;
	cr_expect_null(memmap_keep(&both, &a, &b));
	cr_expect_eq(both.nr, 0);
}

Test(memmap_keep, too_many_pieces)
{
	struct memmap a = { .nr = 0 }, b = { .nr = 0 }, both;

	for (unsigned int i = 0; i < MEMMAP_MAX_RANGES; i++) {
		add(&a, FRAME(10 * i), FRAME(10 * i + 6), MEMMAP_RAM);
		add(&b, FRAME(10 * i + 5), FRAME(10 * i + 11), MEMMAP_RAM);
	}
	cr_expect(strstr(memmap_keep(&both, &a, &b), "more than 512"));
}

/* ---- Counting --------------------------------------------------------------------- */

Test(memmap, counts_frames)
{
	struct memmap map = { .nr = 0 };
	struct memmap ram;

	add(&map, FRAME(10), FRAME(20), MEMMAP_RAM);
	add(&map, FRAME(30), FRAME(40), MEMMAP_RAM);
	ram = ram_of(&map);
	cr_expect_eq(memmap_frames(&ram, 0, UINT64_MAX), 20);
	cr_expect_eq(memmap_frames(&ram, 15, 35), 10);
	cr_expect_eq(memmap_frames(&ram, 20, 30), 0);
	cr_expect_eq(memmap_frames(&ram, 19, 31), 2);
	cr_expect_eq(memmap_frames(&ram, 35, 15), 0);
}
