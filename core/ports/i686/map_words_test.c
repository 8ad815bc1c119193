/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/ports/i686/map_words.h"

#define MIB(n) ((uint64_t)(n) << 20)

static struct memmap map;
static char why[160];

/* As the loader gave it: 640 KiB and from 1 to 1,024 MiB. */
static const char *apply(const char *words)
{
	map = (struct memmap){ 2,
			       { { 0, 0xa0000, MEMMAP_RAM },
				 { MIB(1), MIB(1024), MEMMAP_RAM } } };
	return map_words_apply(&map, words, why, sizeof(why));
}

static void expect_range(unsigned int nr, uint64_t start, uint64_t end,
			 uint32_t type)
{
	cr_assert_lt(nr, map.nr);
	cr_expect_eq(map.range[nr].start, start, "%u: %#lx", nr,
		     (unsigned long)map.range[nr].start);
	cr_expect_eq(map.range[nr].end, end, "%u: %#lx", nr,
		     (unsigned long)map.range[nr].end);
	cr_expect_eq(map.range[nr].type, type, "%u: %u", nr,
		     map.range[nr].type);
}

Test(map_words, other_words_change_nothing)
{
	cr_assert_null(apply("quiet mems=5 xmem=5 memmap highmem=5M exactmap "));
	cr_expect_eq(map.nr, 2);
	cr_assert_null(apply(""));
	cr_expect_eq(map.nr, 2);
}

Test(map_words, bounds_in_hexadecimal_instead_of_the_loaders)
{
	cr_assert_null(apply("memmap=0-9f000,100000-1FfFFFffff:2 "
			     "memmap=0x0-0XffffffffFFFFFFFF:1,5-6:a"));
	cr_assert_eq(map.nr, 4);
	expect_range(0, 0, 0x9f000, MEMMAP_RAM);
	expect_range(1, 0x100000, 0x1fffffffff, 2);
	expect_range(2, 0, UINT64_MAX, MEMMAP_RAM);
	expect_range(3, 5, 6, 10);
}

Test(map_words, linuxs_sizes_beside_the_loaders)
{
	cr_assert_null(apply("memmap=64K$0x10000,1g@4G memmap=4096#1048576 "
			     "memmap=0X1Fm@0x1fM"));
	cr_assert_eq(map.nr, 6);
	expect_range(2, 0x10000, 0x20000, 2);
	expect_range(3, MIB(4096), MIB(5120), MEMMAP_RAM);
	expect_range(4, MIB(1), MIB(1) + 4096, 3);
	expect_range(5, MIB(31), MIB(62), MEMMAP_RAM);
}

Test(map_words, exactmap_empties_the_map_where_it_stands)
{
	cr_assert_null(apply("memmap=1M@2M memmap=exactmap memmap=1M@0"));
	cr_assert_eq(map.nr, 1);
	expect_range(0, 0, MIB(1), MEMMAP_RAM);
	cr_assert_null(apply("memmap=exactmap"));
	cr_expect_eq(map.nr, 0);
	cr_assert_null(apply("memmap=1M@2M,0-5,1M@4M,6-7"));
	cr_assert_eq(map.nr, 3, "only the first of its kind empties it");
}

Test(map_words, mem_ends_it_and_the_least_one_counts)
{
	struct memmap ram;

	cr_assert_null(apply("mem=512M"));
	cr_assert_null(memmap_ram(&ram, &map));
	cr_expect_eq(ram.nr, 2);
	cr_expect_eq(ram.range[1].end, MIB(512));
	cr_assert_null(apply("mem=0x1000000 memmap=1G@4G mem=2G"));
	cr_assert_null(memmap_ram(&ram, &map));
	cr_expect_eq(ram.range[ram.nr - 1].end, MIB(16));
	cr_assert_null(apply("mem=0"));
	cr_expect_not_null(memmap_ram(&ram, &map));
}

#define NO_FORM \
	": not START-END:TYPE in hexadecimal, SIZE@START, SIZE#START, " \
	"SIZE$START or exactmap"

Test(map_words, are_refused_in_one_sentence)
{
	static const char *const words[][2] = {
		{ "memmap=", "memmap=" NO_FORM },
		{ "memmap=0", "memmap=0" NO_FORM },
		{ "memmap=0-", "memmap=0-" NO_FORM },
		{ "memmap=-1", "memmap=-1" NO_FORM },
		{ "memmap=0-1:", "memmap=0-1:" NO_FORM },
		{ "memmap=0-1:g", "memmap=0-1:g" NO_FORM },
		{ "memmap=g-1", "memmap=g-1" NO_FORM },
		{ "memmap=0-1,", "memmap=" NO_FORM },
		{ "memmap=0-1,5 x", "memmap=5" NO_FORM },
		{ "memmap=0-1:100000000", "memmap=0-1:100000000" NO_FORM },
		{ "memmap=0-1:1-2", "memmap=0-1:1-2" NO_FORM },
		{ "memmap=0-1M", "memmap=0-1M" NO_FORM },
		{ "memmap=exactmaps", "memmap=exactmaps" NO_FORM },
		{ "memmap=1M@", "memmap=1M@" NO_FORM },
		{ "memmap=1T@1M", "memmap=1T@1M" NO_FORM },
		{ "memmap=1M@1M@", "memmap=1M@1M@" NO_FORM },
		{ "memmap=fM@1M", "memmap=fM@1M" NO_FORM },
		{ "memmap=1M!1M", "memmap=1M!1M" NO_FORM },
		{ "memmap=0-10000000000000000",
		  "memmap=0-10000000000000000: a number has more than 64 "
		  "bits" },
		{ "memmap=17179869184G@0",
		  "memmap=17179869184G@0: a number has more than 64 bits" },
		{ "memmap=4G@0xffffffff00000001",
		  "memmap=4G@0xffffffff00000001: the range ends beyond 64 "
		  "bits" },
		{ "memmap=9-4", "memmap=9-4: the memory map has a range that "
				"ends before it starts" },
		{ "mem=", "mem=: not a size like 512M" },
		{ "mem=5X", "mem=5X: not a size like 512M" },
		{ "mem=all", "mem=all: not a size like 512M" },
		{ "mem=18446744073709551616",
		  "mem=18446744073709551616: a number has more than 64 bits" },
	};

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *sentence = apply(words[i][0]);

		cr_assert_not_null(sentence, "%s", words[i][0]);
		cr_expect_str_eq(sentence, words[i][1], "%s", sentence);
	}
}

Test(map_words, no_more_of_a_word_than_there_is_room_for)
{
	char word[300] = "memmap=";

	memset(word + 7, 'z', 250);
	cr_assert_not_null(apply(word));
	cr_expect_lt(strlen(why), sizeof(why) - 1);
	cr_expect_not_null(strstr(why, "exactmap"));
}

/* "START-END" so many times, each of them a page. */
static const char *apply_many(unsigned int nr, unsigned int pages_apart)
{
	static char words[32 * (MEMMAP_MAX_RANGES + 100)] = "memmap=";
	size_t len = 7;

	for (unsigned int i = 0; i < nr; i++)
		len += (size_t)snprintf(words + len, sizeof(words) - len,
					"%x-%x,", i * pages_apart << PAGE_SHIFT,
					(i * pages_apart + 1) << PAGE_SHIFT);
	words[len - 1] = '\0';
	return apply(words);
}

Test(map_words, as_many_as_there_is_room_for_when_united)
{
	cr_assert_null(apply_many(MEMMAP_MAX_RANGES, 2));
	cr_expect_eq(map.nr, MEMMAP_MAX_RANGES);
	cr_assert_null(apply_many(MEMMAP_MAX_RANGES + 90, 1));
	cr_expect_eq(memmap_frames(&map, 0, UINT64_MAX),
		     MEMMAP_MAX_RANGES + 90);
	cr_expect_str_eq(apply_many(MEMMAP_MAX_RANGES + 1, 2),
			 "memmap=400000-401000: the memory map has more than "
			 "512 ranges");
}
