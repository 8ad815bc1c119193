/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "core/boot/rules/layout_rules.h"

#define MIB(n) ((uint64_t)(n) << 20)
#define PAGES(mib) ((uint64_t)(mib) << 8)
#define RESERVED 2

static struct layout layout;
static struct layout_options options;

/* The way a PC looks: a hole below 1 MiB, and one for devices below 4 GiB. */
static struct memmap pc(uint64_t mib)
{
	struct memmap map = {
		.nr = 2,
		.range = { { 0, 0x9fc00, MEMMAP_RAM },
			   { MIB(1), MIB(mib), MEMMAP_RAM } },
	};

	if (mib > 3072) {
		map.range[1].end = MIB(3072);
		map.range[2] = (struct memmap_range){ MIB(4096),
						      MIB(mib + 1024),
						      MEMMAP_RAM };
		map.nr = 3;
	}
	return map;
}

/* One piece, and no hole below 1 MiB. */
static struct memmap whole(uint64_t mib)
{
	return (struct memmap){ 1, { { 0, MIB(mib), MEMMAP_RAM } } };
}

static void boot_words(const char *words)
{
	char why[128];

	layout_default_options(&options);
	cr_assert_null(layout_parse_words(&options, words, why, sizeof(why)));
}

/* Whatever else is asked of it: the rules. */
static void compute(struct memmap map)
{
	const char *why = layout_compute(&layout, &map, &options);
	const struct layout_rule *rule;

	cr_assert_null(why, "%s", why);
	rule = layout_broken_rule(&layout);
	cr_expect_null(rule, "%s: not true: %s", rule->name, rule->sentence);
}

static void expect_impossible(struct memmap map, const char *word)
{
	const char *why = layout_compute(&layout, &map, &options);

	cr_assert_not_null(why, "possible, but should not be: %s", word);
	cr_expect(strstr(why, word), "%s: no '%s'", why, word);
}

static void expect_warnings(const char *first, const char *second)
{
	const char *const words[] = { first, second };
	unsigned int nr = (first != NULL) + (second != NULL);

	cr_expect_eq(layout.nr_warnings, nr, "%u warnings, such as %s",
		     layout.nr_warnings, layout.warning[0]);
	for (unsigned int i = 0; i < nr && i < layout.nr_warnings; i++)
		cr_expect(strstr(layout.warning[i], words[i]), "%s: no '%s'",
			  layout.warning[i], words[i]);
}

/* ---- Where things are -------------------------------------------------------- */

/* The numbers of the picture in layout.h. */
Test(layout, one_gib_on_a_pc)
{
	boot_words("");
	compute(pc(1024));
	cr_expect_eq(layout.high_memory, 0xf8000000);
	cr_expect_eq(layout.vmalloc_start, 0xf8800000);
	cr_expect_eq(layout.vmalloc_end, 0xff7fe000);
	cr_expect_eq(layout.pkmap_base, 0xff800000);
	cr_expect_eq(layout.last_pkmap, 1024);
	cr_expect_eq(layout.area[LAYOUT_UNUSED].start, 0xffc00000);
	cr_expect_eq(layout.area[LAYOUT_FIXMAP].start, FIXADDR_START);
	cr_expect_eq(layout.area[LAYOUT_HOLE].start, 0xfffff000);
	cr_expect_eq(layout.lowmem_end, PAGES(896));
	cr_expect_eq(layout.nr_highmem, PAGES(128));
	cr_expect_eq(layout.nr_lowmem, PAGES(896) - 256 + 0x9f);
	cr_expect_eq(layout.highmem.nr, 1);
	cr_expect_eq(layout.highmem.range[0].start, MIB(896));
	cr_expect_eq(layout.highmem.range[0].end, MIB(1024));
	cr_expect_eq(layout.mem_map_bytes, MIB(8));
	expect_warnings(NULL, NULL);
}

Test(layout, with_pae)
{
	boot_words("");
	options.pae = true;
	compute(pc(6144));
	cr_expect_eq(layout.high_memory, 0xf8000000);
	cr_expect_eq(layout.pkmap_base, 0xffc00000);
	cr_expect_eq(layout.last_pkmap, 512);
	cr_expect_eq(layout.highmem.nr, 2);
	cr_expect_eq(layout.highmem.range[1].start, MIB(4096));
	cr_expect_eq(layout.max_pfn, PAGES(7168));
	cr_expect_eq(layout.nr_highmem, PAGES(3072 - 896 + 3072));
	expect_warnings(NULL, NULL);
}

Test(layout, less_ram_means_more_vmalloc)
{
	boot_words("");
	compute(pc(128));
	cr_expect_eq(layout.high_memory, 0xc8000000);
	cr_expect_eq(layout.vmalloc_start, 0xc8800000);
	cr_expect_eq(layout.nr_highmem, 0);
	cr_expect_eq(layout.highmem.nr, 0);
	expect_warnings(NULL, NULL);
	compute(pc(896));
	cr_expect_eq(layout.nr_highmem, 0);
	compute(pc(897));
	cr_expect_eq(layout.nr_highmem, PAGES(1));
}

Test(layout, the_other_splits)
{
	boot_words("page_offset=0x80000000");
	compute(pc(3072));
	cr_expect_eq(layout.high_memory, 0xf8000000);
	cr_expect_eq(layout.lowmem_end, PAGES(1920));
	boot_words("page_offset=0x40000000");
	compute(pc(3072));
	cr_expect_eq(layout.lowmem_end, PAGES(2944));
	boot_words("page_offset=0xb0000000");
	compute(pc(3072));
	cr_expect_eq(layout.lowmem_end, PAGES(1152));
	options.pae = true;
	expect_impossible(pc(3072),
			  "0xb0000000 must be a multiple of 1024 MiB");
	boot_words("page_offset=0xc0001000");
	expect_impossible(pc(3072), "a multiple of 4 MiB");
	boot_words("page_offset=0");
	expect_impossible(pc(3072), "not 0");
	options.page_offset = (vaddr_t)((uint64_t)1 << 32); /* or 0 */
	expect_impossible(pc(3072), "0 must be a multiple");
}

Test(layout, lowmem_ends_where_mips_has_no_more_addresses)
{
	boot_words("lowmem=512M page_offset=0x80000000");
	compute(pc(1024));
	cr_expect_eq(layout.high_memory, 0xa0000000);
	cr_expect_eq(layout.nr_highmem, PAGES(512));
	boot_words("lowmem=2000M");
	compute(pc(1024));
	cr_expect_eq(layout.lowmem_end, PAGES(896), "no more than fits");
	boot_words("lowmem=3M");
	expect_impossible(pc(1024), "lowmem=3M is too little: at least 4M");
}

Test(layout, vmalloc_takes_its_room_from_lowmem)
{
	boot_words("vmalloc=256M");
	compute(pc(1024));
	cr_expect_eq(layout.lowmem_end, PAGES(768));
	boot_words("vmalloc=0x8000001");
	compute(pc(1024));
	cr_expect_eq(layout.lowmem_end, PAGES(896) - 1, "rounded up to pages");
	boot_words("vmalloc=1020M");
	compute(pc(64));
	cr_expect_eq(layout.lowmem_end, PAGES(4));
	boot_words("vmalloc=1021M");
	expect_impossible(pc(1024), "vmalloc=1021M is too much: above "
				    "0xc0000000 there are 1024 MiB");
	boot_words("vmalloc=3G");
	expect_impossible(pc(1024), "vmalloc=3072M is too much");
}

Test(layout, gap_pkmap_and_fixmap_are_part_of_vmalloc)
{
	boot_words("vmalloc=20M");
	expect_impossible(pc(1024), "too little: gap, pkmap and fixmap are in "
				    "it, at least 21M");
	boot_words("vmalloc=21M");
	compute(pc(1024));
	cr_expect_geq(layout.vmalloc_end - layout.vmalloc_start, MIB(4));
	options.vmalloc_bytes = MIB(4096) - layout.vmalloc_end + MIB(8) +
				LAYOUT_MIN_VMALLOC;
	compute(pc(1024));
	options.vmalloc_bytes -= PAGE_SIZE;
	expect_impossible(pc(1024), "too little");
	boot_words("vmalloc=17M");
	options.pae = true;
	compute(pc(1024));
}

/* ---- highmem= ----------------------------------------------------------------- */

Test(layout, highmem_is_carved_out_of_lowmem)
{
	boot_words("highmem=32M");
	compute(pc(128));
	cr_expect_eq(layout.lowmem_end, PAGES(96));
	cr_expect_eq(layout.nr_highmem, PAGES(32));
	cr_expect_eq(layout.high_memory, 0xc6000000);
	expect_warnings(NULL, NULL);
	boot_words("highmem=124M");
	compute(pc(128));
	cr_expect_eq(layout.lowmem_end, PAGES(4));
	boot_words("highmem=125M");
	expect_impossible(pc(128), "highmem=125M is too much: of 127 MiB of "
				   "RAM, lowmem needs 4");
	boot_words("highmem=1000G");
	expect_impossible(pc(128), "too much");
}

Test(layout, highmem_of_ram_in_one_piece)
{
	boot_words("highmem=512M");
	compute(whole(1024));
	cr_expect_eq(layout.lowmem_end, PAGES(512));
	boot_words("highmem=1021M");
	expect_impossible(whole(1024), "too much: of 1024 MiB of RAM");
}

Test(layout, highmem_may_lie_on_both_sides_of_a_hole)
{
	struct memmap map = pc(128);

	map.range[map.nr++] = (struct memmap_range){ MIB(160), MIB(170),
						     MEMMAP_RAM };
	boot_words("highmem=20M");
	compute(map);
	cr_expect_eq(layout.lowmem_end, PAGES(118));
	cr_expect_eq(layout.highmem.nr, 2);
	cr_expect_eq(layout.nr_highmem, PAGES(20));
}

Test(layout, highmem_that_is_not_wanted_is_not_used)
{
	boot_words("highmem=28M");
	compute(pc(1024));
	cr_expect_eq(layout.nr_highmem, PAGES(28));
	cr_expect_eq(layout.max_pfn, PAGES(924));
	expect_warnings("highmem=28M: 100 MiB of RAM are not used", NULL);
	boot_words("highmem=0");
	compute(pc(1024));
	cr_expect_eq(layout.nr_highmem, 0);
	cr_expect_eq(layout.max_pfn, PAGES(896));
	boot_words("highmem=128M");
	compute(pc(1024));
	expect_warnings(NULL, NULL);
	boot_words("highmem=2200M");
	options.pae = true;
	compute(pc(6144));
	cr_expect_eq(layout.nr_highmem, PAGES(2200), "the hole does not count");
	cr_expect_eq(layout.max_pfn, PAGES(4096 + 24));
}

Test(layout, no_highmem_above_a_hole_that_lowmem_ends_in)
{
	struct memmap map = pc(800);

	map.range[map.nr++] = (struct memmap_range){ MIB(1000), MIB(1100),
						     MEMMAP_RAM };
	boot_words("");
	compute(map);
	cr_expect_eq(layout.lowmem_end, PAGES(896));
	boot_words("highmem=0");
	compute(map);
	cr_expect_eq(layout.lowmem_end, PAGES(800));
	cr_expect_eq(layout.nr_highmem, 0);
}

/* ---- Memory maps ---------------------------------------------------------------- */

Test(layout, ram_that_no_entry_can_name_is_not_used)
{
	boot_words("");
	compute(pc(6144));
	cr_expect_eq(layout.max_pfn, PAGES(3072));
	expect_warnings("3072 MiB of RAM beyond 4 GiB are not used: that takes "
			"PAE",
			NULL);
	boot_words("page_offset=0x40000000");
	options.pae = true;
	compute(pc(65536));
	cr_expect_eq(layout.max_pfn, PAGES(65536));
	cr_expect(strstr(layout.warning[0], "1024 MiB of RAM beyond 64 GiB"));
}

Test(layout, maps_that_cannot_be)
{
	struct memmap map = { .nr = 0 };

	boot_words("");
	expect_impossible(map, "no RAM");
	map.range[map.nr++] = (struct memmap_range){ MIB(1), 0, MEMMAP_RAM };
	expect_impossible(map, "ends before it starts");
	map.range[0].end = MIB(3);
	expect_impossible(map, "RAM ends at 3 MiB: at least 4");
	map.range[0] = (struct memmap_range){ MIB(2), MIB(64), MEMMAP_RAM };
	expect_impossible(map, "no RAM at 1 MiB");
	/* It is there for one range, and not for another. */
	map.range[0].start = MIB(1);
	map.range[map.nr++] = (struct memmap_range){ MIB(1), MIB(1) + 1,
						     RESERVED };
	expect_impossible(map, "no RAM at 1 MiB");
	map.range[0] = (struct memmap_range){ MIB(8192), MIB(9000),
					      MEMMAP_RAM };
	map.nr = 1;
	expect_impossible(map, "no RAM at 1 MiB");
}

/* As many ranges as there can be, and a hole where lowmem ends. */
Test(layout, of_a_full_map)
{
	const uint64_t step = MIB(MEMMAP_MAX_RANGES > 64 ? 4 : 56);
	struct memmap map = { 1, { { 0, MIB(4), MEMMAP_RAM } } };

	for (; map.nr < MEMMAP_MAX_RANGES; map.nr++)
		map.range[map.nr] = (struct memmap_range){
			MIB(1) + map.nr * step, (map.nr + 1) * step, 1
		};
	boot_words("");
	compute(map);
	cr_expect_eq(layout.highmem.range[0].start, MIB(897));
}

/* ---- Unwise, or impossible ------------------------------------------------------- */

Test(layout, mem_map_eats_lowmem)
{
	const struct memmap one_range = {
		.nr = 1,
		.range = { { 0, MIB(64), MEMMAP_RAM } },
	};

	boot_words("");
	options.pae = true;
	options.page_struct_size = 256;
	options.highmem_ratio = 100;
	compute(pc(7168));
	expect_warnings("mem_map takes 512 of 895 MiB of lowmem", NULL);
	options.mem_map_percent = 58;
	compute(pc(7168));
	expect_warnings(NULL, NULL);
	options.page_struct_size = 448;
	expect_impossible(pc(7168), "mem_map has 896 MiB and does not fit 895 "
				    "MiB of lowmem");
	/* Exactly as large, and a page less. */
	options.page_struct_size = 4096;
	options.mem_map_percent = 100;
	options.highmem_bytes = 0;
	expect_impossible(one_range, "does not fit");
	options.page_struct_size = 4095;
	compute(one_range);
	options.page_struct_size = 0;
	expect_impossible(pc(7168), "1 to 4096 bytes, not 0");
	options.page_struct_size = 4097;
	expect_impossible(pc(7168), "not 4097");
	boot_words("");
	options.page_struct_size = 1792;
	compute(whole(1024)); /* half of it exactly */
	expect_warnings(NULL, NULL);
	options.page_struct_size = 1793;
	compute(whole(1024));
	expect_warnings("mem_map takes 448 of 896 MiB of lowmem", NULL);
}

/* 128 MiB and 64 KiB just below 64 GiB. */
Test(layout, mem_map_of_ram_alone)
{
	struct memmap far = pc(128);

	far.range[far.nr++] = (struct memmap_range){ MIB(65536) - 0x10000,
						     MIB(65536), MEMMAP_RAM };
	boot_words("");
	options.pae = true;
	options.page_struct_size = 8;
	expect_impossible(far, "mem_map has 128 MiB and does not fit 127 MiB");
	options.sparse_mem_map = true;
	compute(far);
	cr_expect_eq(layout.nr_highmem, 16);
	cr_expect_eq(layout.mem_map_bytes, 8 * layout.nr_pages);
	expect_warnings(NULL, NULL);
	options.page_struct_size = 4096;
	expect_impossible(far, "mem_map has 127 MiB and does not fit 127 MiB");
}

Test(layout, much_ram_is_possible_and_unwise)
{
	boot_words("");
	options.pae = true;
	compute(pc(8192));
	expect_warnings("7296 MiB of highmem are more than 8 times lowmem, "
			"which has 895 MiB",
			NULL);
	options.highmem_ratio = 9;
	compute(pc(8192));
	expect_warnings(NULL, NULL);
	compute(whole(8192));
	expect_warnings(NULL, NULL);
	compute(pc(8194));
	expect_warnings("8193 MiB of RAM: more than 8 GiB", NULL);
}

Test(layout, windows_for_so_many_cpus)
{
	boot_words("");
	options.nr_cpus = HIGHMEM_MAX_CPUS;
	compute(pc(1024));
	options.nr_cpus++;
	expect_impossible(pc(1024),
			  "9 CPUs: the fixmap has windows for 1 to 8");
	options.nr_cpus = 0;
	expect_impossible(pc(1024), "0 CPUs");
}

/* ---- __pa and __va ---------------------------------------------------------------- */

Test(layout, direct_map_there_and_back)
{
	boot_words("");
	compute(pc(1024));
	cr_expect_eq(layout_pa(&layout, 0xc0000000), 0);
	cr_expect_eq(layout_pa(&layout, 0xf7ffffff), MIB(896) - 1);
	cr_expect_eq(layout_va(&layout, MIB(896) - 1), 0xf7ffffff);
	cr_expect(layout_is_direct(&layout, 0xc0000000));
	cr_expect(layout_is_direct(&layout, 0xf7ffffff));
	cr_expect_not(layout_is_direct(&layout, 0xf8000000));
	cr_expect_not(layout_is_direct(&layout, 0xbfffffff));
	cr_expect(layout_is_lowmem(&layout, MIB(896) - 1));
	cr_expect_not(layout_is_lowmem(&layout, MIB(896)));
	cr_expect_not(layout_is_lowmem(&layout, MIB(4096)));
}
