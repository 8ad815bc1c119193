/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_LOADER_MAP_H
#define CORE_PORTS_I686_LOADER_MAP_H

/* The firmware's map of physical memory, as a multiboot loader hands it on. */

#include <highmem/memmap.h>

/*
 * Read @len bytes of multiboot memory map entries. Returns NULL, or one
 * sentence that says what is wrong with them.
 */
const char *loader_map_parse(struct memmap *map, const void *entries,
			     size_t len);

/*
 * The same from a boot word, to try another PC's memory:
 * "0-9f000,100000-8000000,e0000000-f0000000:2": start, end, type (1, RAM, if
 * it is not there), all in hexadecimal. A range may end before it starts: that
 * is for others to refuse.
 */
const char *loader_map_parse_text(struct memmap *map, const char *text);

#endif
