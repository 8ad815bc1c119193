/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "core/ports/i686/loader_map.h"

#define FRAME(n) ((uint64_t)(n) << PAGE_SHIFT)
#define RESERVED 2
#define NR_ENTRIES 2000

/* A multiboot memory map under construction. */
struct bytes {
	unsigned char data[24 * NR_ENTRIES];
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
	return loader_map_parse(map, bytes->data, bytes->len);
}

static void expect_refusal(const struct bytes *bytes, const char *word)
{
	struct memmap map;
	const char *why = parse(&map, bytes);

	cr_assert_not_null(why);
	cr_assert_not_null(strstr(why, word), "%s: no '%s'", why, word);
}

Test(loader_map, reads_what_a_pc_says)
{
	struct bytes bytes = { .len = 0 };
	struct memmap map;

	put_range(&bytes, 0, 0x9fc00, MEMMAP_RAM);
	put_range(&bytes, 0x9fc00, 0xa0000, RESERVED);
	put_range(&bytes, 0x100000, 0x3ffe0000, MEMMAP_RAM);
	cr_assert_null(parse(&map, &bytes));
	cr_assert_eq(map.nr, 3);
	cr_assert_eq(map.range[2].end, 0x3ffe0000);
	cr_assert_eq(map.range[2].start, 0x100000);
	cr_assert_eq(map.range[1].start, 0x9fc00);
	cr_assert_eq(map.range[1].type, RESERVED);
}

Test(loader_map, entries_may_be_longer_than_we_know)
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
	cr_assert_eq(map.nr, 2);
	cr_assert_eq(map.range[0].end, FRAME(3));
	cr_assert_eq(map.range[1].start, FRAME(3));
}

Test(loader_map, refuses_an_empty_map)
{
	struct bytes bytes = { .len = 0 };

	expect_refusal(&bytes, "empty");
	put_range(&bytes, FRAME(1), FRAME(1), MEMMAP_RAM);
	expect_refusal(&bytes, "empty");
}

Test(loader_map, refuses_every_cut)
{
	struct bytes bytes = { .len = 0 };

	put_range(&bytes, 0, FRAME(1), MEMMAP_RAM);
	for (size_t len = 24; --len > 0;) {
		bytes.len = len;
		expect_refusal(&bytes, "middle");
	}
}

Test(loader_map, refuses_a_size_that_lies)
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

Test(loader_map, refuses_a_range_that_wraps)
{
	struct bytes bytes = { .len = 0 };

	put(&bytes, 20, 4);
	put(&bytes, UINT64_MAX - 1, 8);
	put(&bytes, 4096, 8);
	put(&bytes, MEMMAP_RAM, 4);
	expect_refusal(&bytes, "64 bits");
}

/* In pieces of a page, the other way round: they are one in the end. */
Test(loader_map, as_many_ranges_as_a_loader_likes)
{
	struct memmap map;
	struct bytes bytes = { .len = 0 };

	for (unsigned int i = NR_ENTRIES; i-- > 0;)
		put_range(&bytes, FRAME(i), FRAME(i + 1), MEMMAP_RAM);
	cr_assert_null(parse(&map, &bytes));
	cr_assert_leq(map.nr, MEMMAP_MAX_RANGES);
	cr_assert_eq(memmap_frames(&map, 0, UINT64_MAX), NR_ENTRIES);
}

Test(loader_map, refuses_too_many_that_do_not_touch)
{
	struct bytes bytes = { .len = 0 };
	struct memmap map;

	for (unsigned int i = 0; i < MEMMAP_MAX_RANGES; i++)
		put_range(&bytes, FRAME(2 * i), FRAME(2 * i + 1), MEMMAP_RAM);
	cr_assert_null(parse(&map, &bytes));
	cr_assert_eq(map.nr, MEMMAP_MAX_RANGES);
	put_range(&bytes, FRAME(5000), FRAME(5001), MEMMAP_RAM);
	expect_refusal(&bytes, "more than 512");
}
