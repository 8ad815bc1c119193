/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "core/ports/i686/memmap.h"

#define FRAME(n) ((uint64_t)(n) << PAGE_SHIFT)
#define RESERVED 2

/* A multiboot memory map under construction. */
struct bytes {
	unsigned char data[1024];
	size_t len;
};

static void put(struct bytes *bytes, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		bytes->data[bytes->len++] = (unsigned char)(value >> (8 * i));
}

static void put_range(struct bytes *bytes, uint64_t start, uint64_t end,
		      uint32_t type)
{
	put(bytes, 20, 4);
	put(bytes, start, 8);
	put(bytes, end - start, 8);
	put(bytes, type, 4);
}

static const char *parse(struct memmap *map, const struct bytes *bytes)
{
	return memmap_parse(map, bytes->data, bytes->len);
}

static void expect_refusal(const struct bytes *bytes, const char *word)
{
	struct memmap map;
	const char *why = parse(&map, bytes);

	cr_assert_not_null(why);
	cr_assert_not_null(strstr(why, word), "%s: no '%s'", why, word);
}

Test(memmap, reads_what_a_pc_says)
{
	struct bytes bytes = { .len = 0 };
	struct memmap map;

	put_range(&bytes, 0, 0x9fc00, MEMMAP_RAM);
	put_range(&bytes, 0x9fc00, 0xa0000, RESERVED);
	put_range(&bytes, 0x100000, 0x3ffe0000, MEMMAP_RAM);
	cr_assert_null(parse(&map, &bytes));
	cr_assert_eq(map.nr, 3);
	cr_assert_eq(map.range[2].end, 0x3ffe0000);
	cr_assert_eq(memmap_frames_from(&map, 0x100, UINT32_MAX),
		     0x3ffe0 - 0x100);
	cr_assert_eq(memmap_frames_from(&map, 0x38000, 16), 16);
	cr_assert_eq(memmap_frames_from(&map, 0x3ffe0, 16), 0);
	cr_assert_eq(memmap_frames_from(&map, 0xa0, 16), 0);
	/* Half a frame is none. */
	cr_assert_eq(memmap_frames_from(&map, 0x9e, 16), 1);
}

Test(memmap, entries_may_be_longer_than_we_know)
{
	struct bytes bytes = { .len = 0 };
	struct memmap map;

	put(&bytes, 24, 4);
	put(&bytes, FRAME(1), 8);
	put(&bytes, FRAME(2), 8);
	put(&bytes, MEMMAP_RAM, 4);
	put(&bytes, 0x12345678, 4);
	put_range(&bytes, FRAME(3), FRAME(4), MEMMAP_RAM);
	cr_assert_null(parse(&map, &bytes));
	cr_assert_eq(memmap_frames_from(&map, 1, 16), 3);
}

Test(memmap, neighbours_continue_in_any_order)
{
	struct bytes bytes = { .len = 0 };
	struct memmap map;

	put_range(&bytes, FRAME(8), FRAME(12), MEMMAP_RAM);
	put_range(&bytes, FRAME(4), FRAME(8), MEMMAP_RAM);
	put_range(&bytes, FRAME(2), FRAME(5), MEMMAP_RAM);
	cr_assert_null(parse(&map, &bytes));
	cr_assert_eq(memmap_frames_from(&map, 2, 100), 10);
	cr_assert_eq(memmap_frames_from(&map, 11, 100), 1);
	cr_assert_eq(memmap_frames_from(&map, 12, 100), 0);
}

Test(memmap, reserved_wins_where_ranges_overlap)
{
	struct bytes bytes = { .len = 0 };
	struct memmap map;

	put_range(&bytes, FRAME(0), FRAME(100), MEMMAP_RAM);
	put_range(&bytes, FRAME(60), FRAME(70), RESERVED);
	put_range(&bytes, FRAME(30) + 5, FRAME(31), RESERVED);
	cr_assert_null(parse(&map, &bytes));
	cr_assert_eq(memmap_frames_from(&map, 0, 100), 30);
	cr_assert_eq(memmap_frames_from(&map, 31, 100), 29);
	cr_assert_eq(memmap_frames_from(&map, 65, 100), 0);
	cr_assert_eq(memmap_frames_from(&map, 70, 100), 30);
}

Test(memmap, refuses_an_empty_map)
{
	struct bytes bytes = { .len = 0 };

	expect_refusal(&bytes, "empty");
	put_range(&bytes, FRAME(1), FRAME(1), MEMMAP_RAM);
	expect_refusal(&bytes, "empty");
}

Test(memmap, refuses_every_cut)
{
	struct bytes bytes = { .len = 0 };

	put_range(&bytes, 0, FRAME(1), MEMMAP_RAM);
	for (size_t len = 24; --len > 0;) {
		bytes.len = len;
		expect_refusal(&bytes, "middle");
	}
}

Test(memmap, refuses_a_size_that_lies)
{
	struct bytes bytes = { .len = 0 };

	put_range(&bytes, 0, FRAME(1), MEMMAP_RAM);
	bytes.data[0] = 0; /* would never advance */
	expect_refusal(&bytes, "too short");
	bytes.data[0] = 21;
	expect_refusal(&bytes, "beyond its end");
	memset(bytes.data, 0xff, 4);
	expect_refusal(&bytes, "beyond its end");
}

Test(memmap, refuses_a_range_that_wraps)
{
	struct bytes bytes = { .len = 0 };

	put(&bytes, 20, 4);
	put(&bytes, UINT64_MAX - 1, 8);
	put(&bytes, 4096, 8);
	put(&bytes, MEMMAP_RAM, 4);
	expect_refusal(&bytes, "64 bits");
}

Test(memmap, refuses_too_many_ranges)
{
	struct bytes bytes = { .len = 0 };
	struct memmap map;

	for (unsigned int i = 0; i < MEMMAP_MAX_RANGES; i++)
		put_range(&bytes, FRAME(2 * i), FRAME(2 * i + 1), MEMMAP_RAM);
	cr_assert_null(parse(&map, &bytes));
	put_range(&bytes, FRAME(1000), FRAME(1001), MEMMAP_RAM);
	expect_refusal(&bytes, "more than 32");
}
