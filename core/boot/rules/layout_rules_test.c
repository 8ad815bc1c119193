/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/boot/rules/layout_rules.h"

/*
 * The rules hold for what layout_compute() makes, and each bit of what it makes
 * matters to some rule: with any one turned round, some rule is broken. And each
 * rule is broken by some of these.
 */

#define MIB(n) ((uint64_t)(n) << 20)

static struct layout layout;
static bool red[64];

/* ---- Layouts -------------------------------------------------------------------- */

static struct memmap pc(uint64_t mib)
{
	return (struct memmap){
		.nr = 3,
		.range = { { 0, 0x9fc00, MEMMAP_RAM },
			   { MIB(1), MIB(mib) / 2, MEMMAP_RAM },
			   { MIB(mib) / 2 + MIB(3), MIB(mib), MEMMAP_RAM } },
	};
}

static const struct {
	uint64_t mib;
	bool pae;
	unsigned int page_struct_size;
	const char *words;
} machines[] = {
	{ 128, false, 32, "" },
	{ 1024, false, 32, "" },
	{ 3072, false, 32, "page_offset=0x80000000" },
	{ 8192, true, 32, "" },
	{ 12288, true, 32, "vmalloc=256M" },
	{ 6144, true, 200, "" },
	{ 1024, false, 4000, "highmem=0" },
	{ 1024, false, 32, "highmem=300M vmalloc=64M" },
	{ 1024, false, 32, "lowmem=256M" },
	{ 512, true, 32, "lowmem=8M highmem=100M" },
};

#define NR_MACHINES (sizeof(machines) / sizeof(machines[0]))

static const char *try_map(const struct memmap *map, bool pae,
			   unsigned int page_struct_size, const char *words)
{
	struct layout_options options;
	char why[128];

	layout_default_options(&options);
	cr_assert_null(layout_parse_words(&options, words, why, sizeof(why)));
	options.pae = pae;
	options.page_struct_size = page_struct_size;
	return layout_compute(&layout, map, &options);
}

static void make(unsigned int nr)
{
	const struct memmap map = pc(machines[nr].mib);
	const char *why = try_map(&map, machines[nr].pae,
				  machines[nr].page_struct_size,
				  machines[nr].words);

	cr_assert_null(why, "machine %u: %s", nr, why);
}

static void expect_sound(const char *name)
{
	const struct layout_rule *rule = layout_broken_rule(&layout);

	cr_expect_null(rule, "%s: not true: %s", name, rule->sentence);
}

Test(layout_rules, hold)
{
	for (unsigned int nr = 0; nr < NR_MACHINES; nr++) {
		make(nr);
		expect_sound(machines[nr].words);
	}
}

/* ---- Every bit ------------------------------------------------------------------- */

struct field {
	void *at;
	size_t size;
	const char *name;
};

static struct field fields[256];
static unsigned int nr_fields;

static void add(void *at, size_t size, const char *name)
{
	fields[nr_fields++] = (struct field){ at, size, name };
}

#define ADD(field) add(&(field), sizeof(field), #field)

static void add_map(struct memmap *map)
{
	ADD(map->nr);
	for (unsigned int i = 0; i < map->nr; i++) {
		ADD(map->range[i].start);
		ADD(map->range[i].end);
		ADD(map->range[i].type);
	}
}

/* All but names, sentences, and what nobody looks at: behind the last range. */
static void find_fields(void)
{
	nr_fields = 0;
	add_map(&layout.ram);
	add_map(&layout.highmem);
	ADD(layout.lowmem_end);
	ADD(layout.max_pfn);
	ADD(layout.nr_pages);
	ADD(layout.nr_lowmem);
	ADD(layout.nr_highmem);
	ADD(layout.mem_map_bytes);
	ADD(layout.page_offset);
	ADD(layout.high_memory);
	ADD(layout.vmalloc_start);
	ADD(layout.vmalloc_end);
	ADD(layout.pkmap_base);
	ADD(layout.last_pkmap);
	for (unsigned int i = 0; i < LAYOUT_NR_AREAS; i++) {
		ADD(layout.area[i].start);
		ADD(layout.area[i].end);
	}
	ADD(layout.why[0]);
}

typedef void then_fn(unsigned int machine, const struct field *field,
		     unsigned int bit);

/* With each bit of each field of each layout turned round. */
static void for_each_bit(then_fn *then)
{
	for (unsigned int nr = 0; nr < NR_MACHINES; nr++) {
		make(nr);
		find_fields();
		for (unsigned int f = 0; f < nr_fields; f++) {
			for (unsigned int b = 0; b < 8 * fields[f].size; b++) {
				uint8_t *byte = (uint8_t *)fields[f].at + b / 8;

				*byte ^= (uint8_t)(1U << b % 8);
				then(nr, &fields[f], b);
				*byte ^= (uint8_t)(1U << b % 8);
			}
		}
	}
}

static void expect_seen(unsigned int machine, const struct field *field,
			unsigned int bit)
{
	cr_expect_not_null(layout_broken_rule(&layout),
			   "machine %u: bit %u of %s may be anything", machine,
			   bit, field->name);
}

Test(layout_rules, see_every_bit_of_every_field)
{
	for_each_bit(expect_seen);
}

/* ---- Every rule ------------------------------------------------------------------- */

static void note_the_red(unsigned int machine, const struct field *field,
			 unsigned int bit)
{
	(void)machine;
	(void)field;
	(void)bit;
	for (unsigned int r = 0; r < layout_nr_rules; r++)
		red[r] |= !layout_rules[r].holds(&layout);
}

/* What no bit of a result does: other options than those it was made from. */
static void break_options(void)
{
	static const struct layout_options odd = {
		.nr_cpus = HIGHMEM_MAX_CPUS + 1,
		.vmalloc_bytes = MIB(4000),
		.highmem_bytes = MIB(5),
		.lowmem_limit = PAGE_SIZE,
	};

	make(0);
	layout.options = odd;
	note_the_red(0, NULL, 0);
	make(0);
	layout.nr_warnings = LAYOUT_MAX_WARNINGS;
	note_the_red(0, NULL, 0);
}

Test(layout_rules, each_can_be_broken)
{
	cr_assert_leq(layout_nr_rules, sizeof(red) / sizeof(red[0]));
	for_each_bit(note_the_red);
	break_options();
	for (unsigned int r = 0; r < layout_nr_rules; r++)
		cr_expect(red[r], "%s: nothing breaks it",
			  layout_rules[r].name);
}

/* ---- Real machines ------------------------------------------------------------------ */

/* "9fc00-a0000 2" */
static struct memmap_range read_range(char *line)
{
	struct memmap_range range;
	char *at;

	range.start = strtoull(line, &at, 16);
	cr_assert_eq(*at, '-', "%s", line);
	range.end = strtoull(at + 1, &at, 16);
	range.type = (uint32_t)strtoul(at, &at, 10);
	cr_assert_eq(*at, '\n', "%s", line);
	return range;
}

static struct memmap read_map(const char *path)
{
	FILE *file = fopen(path, "r");
	struct memmap map = { .nr = 0 };
	char line[128];

	cr_assert_not_null(file, "%s", path);
	while (fgets(line, sizeof(line), file)) {
		cr_assert_lt(map.nr, MEMMAP_MAX_RANGES);
		map.range[map.nr++] = read_range(line);
	}
	fclose(file);
	return map;
}

static void try_real(const char *path)
{
	static const char *const words[] = { "", "highmem=32M",
					     "lowmem=64M vmalloc=512M",
					     "page_offset=0x80000000" };
	const struct memmap map = read_map(path);
	struct memmap ram;

	cr_assert_null(memmap_ram(&ram, &map), "%s", path);
	for (unsigned int i = 0; i < 8; i++) {
		const char *why = try_map(&map, i % 2, 32, words[i / 2]);

		if (!why)
			expect_sound(path);
		else if (i < 2) /* the default is to be had with some RAM */
			cr_expect_lt(memmap_frames(&ram, 256, 4096), 3840,
				     "%s: %s", path, why);
	}
}

Test(layout_rules, hold_for_real_machines)
{
	glob_t found;

	cr_assert_eq(glob("core/boot/e820/*.map", 0, NULL, &found), 0);
	cr_expect_geq(found.gl_pathc, 10);
	for (size_t i = 0; i < found.gl_pathc; i++)
		try_real(found.gl_pathv[i]);
	globfree(&found);
}
