/* SPDX-License-Identifier: MIT */
#include "fuzz/pgtable/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/boot/rules/layout_rules.h"

const char *pgtable_wrong(const char *format, ...)
{
	static char sentence[200];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	return sentence;
}

/* ---- What is RAM, by looking at the firmware's map for each frame --------------- */

static bool covers(const struct memmap_range *range, uint64_t byte)
{
	return byte >= range->start && byte < range->end;
}

/* Bounds cut the frame into parts in which every byte is alike. */
static bool part_is_ram(const struct memmap *map, uint64_t byte)
{
	bool ram = false;

	for (unsigned int i = 0; i < map->nr; i++) {
		if (!covers(&map->range[i], byte))
			continue;
		if (map->range[i].type != MEMMAP_RAM)
			return false;
		ram = true;
	}
	return ram;
}

static bool frame_is_ram(const struct memmap *map, uint64_t pfn)
{
	uint64_t start = pfn << PAGE_SHIFT;

	if (!part_is_ram(map, start))
		return false;
	for (unsigned int i = 0; i < map->nr; i++) {
		const uint64_t bounds[2] = { map->range[i].start,
					     map->range[i].end };

		for (unsigned int b = 0; b < 2; b++)
			if (bounds[b] >> PAGE_SHIFT == pfn &&
			    !part_is_ram(map, bounds[b]))
				return false;
	}
	return true;
}

#define NR_FRAMES (UINT64_C(1) << (64 - PAGE_SHIFT))

static bool has_frame(const struct memmap *ram, uint64_t pfn)
{
	for (unsigned int i = 0; i < ram->nr; i++)
		if (covers(&ram->range[i], pfn << PAGE_SHIFT))
			return true;
	return false;
}

static const char *check_frame(const struct pgtable_input *input,
			       const struct layout *layout, uint64_t pfn)
{
	bool here = has_frame(&layout->ram, pfn);
	bool used = pfn < layout->max_pfn && frame_is_ram(&input->map, pfn);
	bool high = has_frame(&layout->highmem, pfn);

	if (pfn >= NR_FRAMES)
		return NULL; /* a neighbour that is none */
	if (here != used)
		return pgtable_wrong("frame %#" PRIx64 " is %sRAM to layout",
				     pfn, here ? "" : "not ");
	if (high != (here && pfn >= layout->lowmem_end))
		return pgtable_wrong("frame %#" PRIx64 " is %shighmem", pfn,
				     high ? "" : "not ");
	return NULL;
}

/* Where anything begins or ends, and the neighbours. */
static const char *check_ram(const struct pgtable_input *input,
			     const struct layout *layout)
{
	const struct memmap *map = &input->map;
	const char *why = NULL;

	for (unsigned int i = 0; i < 2 * map->nr && !why; i++) {
		const struct memmap_range *range = &map->range[i / 2];
		uint64_t at = i % 2 ? range->start : range->end;

		for (uint64_t d = 0; d < 3 && !why; d++)
			why = check_frame(input, layout,
					  (at >> PAGE_SHIFT) + 1 - d);
	}
	for (uint64_t d = 0; d < 3 && !why; d++)
		why = check_frame(input, layout, layout->lowmem_end + 1 - d);
	if (!why && frame_is_ram(map, layout->max_pfn - 1) != true)
		return pgtable_wrong("the last frame is not RAM");
	return why;
}

const char *pgtable_check_layout(const struct pgtable_input *input,
				 const struct layout *layout)
{
	const struct layout_rule *rule = layout_broken_rule(layout);

	if (rule)
		return pgtable_wrong("the layout breaks %s: %s", rule->name,
				     rule->sentence);
	return check_ram(input, layout);
}
