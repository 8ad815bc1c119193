/* SPDX-License-Identifier: MIT */

#include "core/ports/i686/memmap.h"

/*
 * An entry: its size (not counting the size itself), base, length, type. It
 * may be longer than we know, and lies at any address.
 */
enum {
	ENTRY_SIZE = 0,
	ENTRY_BASE = 4,
	ENTRY_LENGTH = 12,
	ENTRY_TYPE = 20,
	ENTRY_END = 24,
};

static uint32_t get32(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
	       (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint64_t get64(const unsigned char *bytes)
{
	return get32(bytes) | (uint64_t)get32(bytes + 4) << 32;
}

static const char *parse_entry(struct memmap *map, const unsigned char *entry)
{
	uint64_t base = get64(entry + ENTRY_BASE);
	uint64_t length = get64(entry + ENTRY_LENGTH);

	if (!length)
		return NULL;
	if (base + length < base)
		return "the memory map has a range that ends beyond 64 bits";
	if (map->nr == MEMMAP_MAX_RANGES)
		return "the memory map has more than 32 ranges";
	map->range[map->nr++] = (struct memmap_range){
		.start = base,
		.end = base + length,
		.type = get32(entry + ENTRY_TYPE),
	};
	return NULL;
}

const char *memmap_parse(struct memmap *map, const void *entries, size_t len)
{
	const unsigned char *entry = entries;
	const char *why;
	size_t size;

	map->nr = 0;
	for (; len; entry += size, len -= size) {
		if (len < ENTRY_END)
			return "the memory map ends in the middle of an entry";
		size = get32(entry + ENTRY_SIZE);
		if (size < ENTRY_END - ENTRY_BASE)
			return "the memory map has an entry that is too short";
		if (size > len - ENTRY_BASE)
			return "the memory map has an entry beyond its end";
		size += ENTRY_BASE;
		why = parse_entry(map, entry);
		if (why)
			return why;
	}
	return map->nr ? NULL : "the memory map is empty";
}

/* The end of the RAM around @address, or @address itself. */
static uint64_t ram_end(const struct memmap *map, uint64_t address)
{
	uint64_t end = address;

	for (unsigned int i = 0; i < map->nr; i++) {
		const struct memmap_range *range = &map->range[i];

		if (range->type == MEMMAP_RAM && range->start <= address &&
		    range->end > end)
			end = range->end;
	}
	return end;
}

/* The first address in [@start, @end) that is not RAM after all, or @end. */
static uint64_t claimed(const struct memmap *map, uint64_t start, uint64_t end)
{
	for (unsigned int i = 0; i < map->nr; i++) {
		const struct memmap_range *range = &map->range[i];

		if (range->type == MEMMAP_RAM || range->end <= start ||
		    range->start >= end)
			continue;
		end = range->start > start ? range->start : start;
	}
	return end;
}

uint32_t memmap_frames_from(const struct memmap *map, pfn_t pfn, uint32_t max)
{
	uint64_t start = (uint64_t)pfn << PAGE_SHIFT;
	uint64_t limit = start + ((uint64_t)max << PAGE_SHIFT);
	uint64_t end = start, next;

	/* Neighbouring ranges may continue each other in any order. */
	while (end < limit && (next = ram_end(map, end)) > end)
		end = next;
	end = claimed(map, start, end < limit ? end : limit);
	return (uint32_t)((end - start) >> PAGE_SHIFT);
}
