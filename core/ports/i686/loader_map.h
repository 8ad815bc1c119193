/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_LOADER_MAP_H
#define CORE_PORTS_I686_LOADER_MAP_H

/* The firmware's map of physical memory, as a multiboot loader hands it on. */

#include <highmem/memmap.h>

/*
 * Read @len bytes of multiboot memory map entries, which may be more than @map
 * has room for if they can be united. Returns NULL, or one sentence that says
 * what is wrong with them.
 */
const char *loader_map_parse(struct memmap *map, const void *entries,
			     size_t len);

#endif
