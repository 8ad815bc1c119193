/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "core/ports/i686/loader_map.h"

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

Test(loader_map, refuses_too_many_ranges)
{
	struct bytes bytes = { .len = 0 };
	struct memmap map;

	for (unsigned int i = 0; i < MEMMAP_MAX_RANGES; i++)
		put_range(&bytes, FRAME(2 * i), FRAME(2 * i + 1), MEMMAP_RAM);
	cr_assert_null(parse(&map, &bytes));
	put_range(&bytes, FRAME(1000), FRAME(1001), MEMMAP_RAM);
	expect_refusal(&bytes, "more than 32");
}

/* ---- As text ------------------------------------------------------------------- */

Test(loader_map_text, ranges_with_and_without_a_type)
{
	struct memmap map;

	cr_assert_null(loader_map_parse_text(
		&map, "0-9f000,100000-1fffffffff:2,9-4,0-ffffffffffffffff:1"));
	cr_assert_eq(map.nr, 4);
	cr_expect_eq(map.range[0].end, 0x9f000);
	cr_expect_eq(map.range[0].type, MEMMAP_RAM);
	cr_expect_eq(map.range[1].start, 0x100000);
	cr_expect_eq(map.range[1].end, 0x1fffffffff);
	cr_expect_eq(map.range[1].type, RESERVED);
	cr_expect_eq(map.range[2].end, 4, "others refuse that");
	cr_expect_eq(map.range[3].end, UINT64_MAX);
}

Test(loader_map_text, what_is_no_map)
{
	static const char *const texts[] = {
		"",
		"0",
		"0-",
		"-1",
		"0-1:",
		"0-1:g",
		"g-1",
		"0-1,",
		"0x0-1",
		"0-10000000000000000",
		"0-1:100000000",
	};
	struct memmap map;

	for (unsigned int i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_str_eq(loader_map_parse_text(&map, texts[i]),
				 "memmap= is not START-END:TYPE,... in "
				 "hexadecimal",
				 "%s", texts[i]);
	cr_expect_str_eq(loader_map_parse_text(&map, "0-1:1 "),
			 "memmap= goes on after its last range");
	cr_expect_str_eq(loader_map_parse_text(&map, "0-1:1-2"),
			 "memmap= goes on after its last range");
}

/* "0-1" so many times. */
static void write_ranges(char *text, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		memcpy(text + 4 * i, ",0-1", sizeof(",0-1"));
	memmove(text, text + 1, strlen(text));
}

Test(loader_map_text, more_ranges_than_there_is_room_for)
{
	char text[256];
	struct memmap map;

	write_ranges(text, MEMMAP_MAX_RANGES);
	cr_expect_null(loader_map_parse_text(&map, text));
	cr_expect_eq(map.nr, MEMMAP_MAX_RANGES);
	write_ranges(text, MEMMAP_MAX_RANGES + 1);
	cr_expect_str_eq(loader_map_parse_text(&map, text),
			 "the memory map has more than 32 ranges");
}
