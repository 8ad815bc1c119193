/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_MEMMAP_H
#define CORE_PORTS_I686_MEMMAP_H

/* The firmware's map of physical memory, as a multiboot loader hands it on. */

#include <highmem/memmap.h>

/*
 * Read @len bytes of multiboot memory map entries. Returns NULL, or one
 * sentence that says what is wrong with them.
 */
const char *memmap_parse(struct memmap *map, const void *entries, size_t len);

/*
 * How many frames from @pfn on, up to @max, are RAM without a gap, and are
 * claimed by no range of another type.
 */
uint32_t memmap_frames_from(const struct memmap *map, pfn_t pfn, uint32_t max);

#endif
