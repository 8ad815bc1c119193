/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_MEMMAP_H
#define HIGHMEM_MEMMAP_H

/*
 * Physical memory, as firmware describes it: ranges with 64-bit bounds, in any
 * order, that may touch and overlap.
 */

#include <highmem/types.h>

#define MEMMAP_MAX_RANGES 32
#define MEMMAP_RAM 1

struct memmap_range {
	uint64_t start;
	uint64_t end;  /* the first byte behind it */
	uint32_t type; /* MEMMAP_RAM, or something to keep away from */
};

struct memmap {
	unsigned int nr;
	struct memmap_range range[MEMMAP_MAX_RANGES];
};

/*
 * The whole page frames that are RAM, for certain: @ram gets them in order, no
 * two of them touch. A byte is RAM if a RAM range has it and no other range
 * does: what one range calls RAM and another one something else is kept away
 * from. A frame is RAM if all its bytes are. An empty range says nothing.
 *
 * Returns NULL, or a sentence: a range that ends before it starts, more than
 * MEMMAP_MAX_RANGES of them, nothing that is RAM. @ram may not be @map.
 * Context: any.
 */
const char *memmap_ram(struct memmap *ram, const struct memmap *map);

/* RAM frames of @ram (memmap_ram()) in [@first, @end), 64-bit frame numbers. */
uint64_t memmap_frames(const struct memmap *ram, uint64_t first, uint64_t end);

#endif
