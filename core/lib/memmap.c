/* SPDX-License-Identifier: MIT */
#include <highmem/memmap.h>

#define MAX_BOUNDS (2 * MEMMAP_MAX_RANGES)

/* Where something begins or ends, in order. */
struct bounds {
	unsigned int nr;
	uint64_t at[MAX_BOUNDS];
};

static void insert(struct bounds *bounds, uint64_t at)
{
	unsigned int i = bounds->nr++;

	for (; i > 0 && bounds->at[i - 1] > at; i--)
		bounds->at[i] = bounds->at[i - 1];
	bounds->at[i] = at;
}

static const char *find_bounds(struct bounds *bounds, const struct memmap *map)
{
	bounds->nr = 0;
	if (map->nr > MEMMAP_MAX_RANGES)
		return "the memory map has more than 32 ranges";
	for (unsigned int i = 0; i < map->nr; i++) {
		if (map->range[i].end < map->range[i].start)
			return "the memory map has a range that ends before "
			       "it starts";
		insert(bounds, map->range[i].start);
		insert(bounds, map->range[i].end);
	}
	return NULL;
}

/* Is the byte RAM for one range, and nothing else for any other? */
static bool is_ram(const struct memmap *map, uint64_t byte)
{
	bool ram = false;

	for (unsigned int i = 0; i < map->nr; i++) {
		const struct memmap_range *range = &map->range[i];

		if (byte < range->start || byte >= range->end)
			continue;
		if (range->type != MEMMAP_RAM)
			return false;
		ram = true;
	}
	return ram;
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

const char *memmap_ram(struct memmap *ram, const struct memmap *map)
{
	struct bounds bounds;
	const char *why = find_bounds(&bounds, map);
	unsigned int i = 0;

	ram->nr = 0;
	if (why)
		return why;
	/* Between two bounds everything is alike. */
	while (i < bounds.nr) {
		unsigned int first = i;

		while (i + 1 < bounds.nr && is_ram(map, bounds.at[i]))
			i++;
		keep_frames(ram, bounds.at[first], bounds.at[i]);
		if (i == first)
			i++;
	}
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
