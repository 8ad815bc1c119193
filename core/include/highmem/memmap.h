/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_MEMMAP_H
#define HIGHMEM_MEMMAP_H

/*
 * Physical memory, as firmware describes it: ranges with 64-bit bounds, in any
 * order, that may touch and overlap.
 */

#include <highmem/types.h>

/* A PC with EFI has up to 300, before any of them are united. */
#define MEMMAP_MAX_RANGES 512
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
 * One range more. When there is no room left for it, those of the same type
 * that touch or overlap become one: what @map says of a byte stays, the order
 * of the ranges does not. An empty range is passed over.
 *
 * Returns NULL, or a sentence: a range that ends before it starts, more than
 * MEMMAP_MAX_RANGES that cannot be united. Context: any; in time this goes
 * with the square of how many there are, if they come in no order.
 */
const char *memmap_add(struct memmap *map, uint64_t start, uint64_t end,
		       uint32_t type);

/*
 * The whole page frames that are RAM, for certain: @ram gets them in order, no
 * two of them touch. A byte is RAM if a RAM range has it and no other range
 * does: what one range calls RAM and another one something else is kept away
 * from. A frame is RAM if all its bytes are. An empty range says nothing.
 *
 * Returns NULL, or a sentence: a range that ends before it starts, more than
 * MEMMAP_MAX_RANGES of them, nothing that is RAM. @ram may not be @map.
 * Context: any; in time this goes with the square of the number of ranges.
 */
const char *memmap_ram(struct memmap *ram, const struct memmap *map);

/*
 * What is RAM for both, @ram and @other, which come from memmap_ram(); so does
 * then @both, but for that it may be empty. It may be neither of the two.
 * Returns NULL, or a sentence: there are too many pieces. Context: any.
 */
const char *memmap_keep(struct memmap *both, const struct memmap *ram,
			const struct memmap *other);

/* RAM frames of @ram (memmap_ram()) in [@first, @end), 64-bit frame numbers. */
uint64_t memmap_frames(const struct memmap *ram, uint64_t first, uint64_t end);

#endif
