/* SPDX-License-Identifier: MIT */
#include <highmem/memmap.h>

static const char too_many[] = "the memory map has more than 512 ranges";
static const char backwards[] = "the memory map has a range that ends before "
				"it starts";

_Static_assert(MEMMAP_MAX_RANGES == 512, "too_many says how many");

/* ---- One range after the other ----------------------------------------------- */

static bool comes_first(const struct memmap_range *a,
			const struct memmap_range *b)
{
	return a->type < b->type || (a->type == b->type && a->start < b->start);
}

/* By type, then by start. Firmware's maps are nearly in order. */
static void sort(struct memmap *map)
{
	for (unsigned int i = 1; i < map->nr; i++) {
		const struct memmap_range range = map->range[i];
		unsigned int at = i;

		for (; at > 0 && comes_first(&range, &map->range[at - 1]); at--)
			map->range[at] = map->range[at - 1];
		map->range[at] = range;
	}
}

/* Ranges of one type that touch or overlap become one. */
static void unite(struct memmap *map)
{
	unsigned int last = 0;

	sort(map);
	for (unsigned int i = 1; i < map->nr; i++) {
		const struct memmap_range *range = &map->range[i];

		if (range->type != map->range[last].type ||
		    range->start > map->range[last].end)
			map->range[++last] = *range;
		else if (range->end > map->range[last].end)
			map->range[last].end = range->end;
	}
	map->nr = last + 1;
}

const char *memmap_add(struct memmap *map, uint64_t start, uint64_t end,
		       uint32_t type)
{
	if (end < start)
		return backwards;
	if (start == end)
		return NULL;
	if (map->nr == MEMMAP_MAX_RANGES)
		unite(map);
	if (map->nr == MEMMAP_MAX_RANGES)
		return too_many;
	map->range[map->nr++] = (struct memmap_range){
		.start = start,
		.end = end,
		.type = type,
	};
	return NULL;
}

/* ---- RAM, for certain -------------------------------------------------------- */

/* From one bound to the next, where everything is alike. */
struct stretch {
	uint64_t end; /* where it starts, if nothing comes behind it */
	bool ram;
};

/*
 * The bounds are looked for in all ranges each time: an array of them would
 * not fit a kernel's stack.
 */
static struct stretch stretch_from(const struct memmap *map, uint64_t at)
{
	struct stretch stretch = { .end = at };
	bool ram = false, other = false;

	for (unsigned int i = 0; i < map->nr; i++) {
		const struct memmap_range *range = &map->range[i];
		uint64_t bound = range->start > at ? range->start : range->end;

		if (range->start == range->end || bound <= at)
			continue;
		if (stretch.end == at || bound < stretch.end)
			stretch.end = bound;
		if (range->start > at)
			continue;
		ram |= range->type == MEMMAP_RAM;
		other |= range->type != MEMMAP_RAM;
	}
	stretch.ram = ram && !other;
	return stretch;
}

/*
 * Whole frames only: from the next frame's start to the last one's end. There
 * is room: RAM ranges have no more pieces than their number, and each other
 * range cuts one piece in two at the most.
 */
static void keep_frames(struct memmap *ram, uint64_t start, uint64_t end)
{
	uint64_t mask = (1U << PAGE_SHIFT) - 1;
	uint64_t first = (start >> PAGE_SHIFT) + ((start & mask) != 0);

	if (first >= end >> PAGE_SHIFT)
		return;
	ram->range[ram->nr++] = (struct memmap_range){
		.start = first << PAGE_SHIFT,
		.end = end & ~mask,
		.type = MEMMAP_RAM,
	};
}

static void find_ram(struct memmap *ram, const struct memmap *map)
{
	struct stretch stretch;
	uint64_t at = 0, first = 0;
	bool was_ram = false;

	for (;; at = stretch.end) {
		stretch = stretch_from(map, at);
		if (was_ram && !stretch.ram)
			keep_frames(ram, first, at);
		if (!was_ram && stretch.ram)
			first = at;
		was_ram = stretch.ram;
		if (stretch.end == at)
			break;
	}
}

const char *memmap_ram(struct memmap *ram, const struct memmap *map)
{
	ram->nr = 0;
	if (map->nr > MEMMAP_MAX_RANGES)
		return too_many;
	for (unsigned int i = 0; i < map->nr; i++)
		if (map->range[i].end < map->range[i].start)
			return backwards;
	find_ram(ram, map);
	return ram->nr ? NULL : "the memory map has no RAM";
}

uint64_t memmap_frames(const struct memmap *ram, uint64_t first, uint64_t end)
{
	uint64_t nr = 0;

	for (unsigned int i = 0; i < ram->nr; i++) {
		uint64_t from = ram->range[i].start >> PAGE_SHIFT;
		uint64_t to = ram->range[i].end >> PAGE_SHIFT;

		from = from > first ? from : first;
		to = to < end ? to : end;
		if (from < to)
			nr += to - from;
	}
	return nr;
}

const char *memmap_keep(struct memmap *both, const struct memmap *ram,
			const struct memmap *other)
{
	unsigned int i = 0, j = 0;

	both->nr = 0;
	while (i < ram->nr && j < other->nr) {
		const struct memmap_range *a = &ram->range[i];
		const struct memmap_range *b = &other->range[j];
		const char *why = NULL;
		uint64_t start = a->start > b->start ? a->start : b->start;
		uint64_t end = a->end < b->end ? a->end : b->end;

		if (start < end)
			why = memmap_add(both, start, end, MEMMAP_RAM);
		if (why)
			return why;
		if (a->end == end)
			i++;
		if (b->end == end)
			j++;
	}
	return NULL;
}
