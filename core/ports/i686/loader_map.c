/* SPDX-License-Identifier: MIT */

#include "core/ports/i686/loader_map.h"

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

	if (base + length < base)
		return "the memory map has a range that ends beyond 64 bits";
	return memmap_add(map, base, base + length, get32(entry + ENTRY_TYPE));
}

const char *loader_map_parse(struct memmap *map, const void *entries,
			     size_t len)
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
