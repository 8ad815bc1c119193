/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_BOOTMEM_H
#define CORE_PORTS_I686_BOOTMEM_H

/*
 * Page frames for the boot, before there is any other allocator: from the
 * bottom up, around what the loader left in memory. Nothing is given back: a
 * boot that cannot finish its tables ends.
 */

#include <highmem/memmap.h>
#include <highmem/types.h>

#define BOOTMEM_MAX_RESERVED 24

#define BOOTMEM_NONE UINT32_MAX

struct bootmem {
	struct memmap ram; /* memmap_ram() */
	uint64_t limit;	   /* nothing at or above this address */
	uint64_t next;	   /* no frame below is free */
	unsigned int nr_reserved;
	struct memmap_range reserved[BOOTMEM_MAX_RESERVED];
};

void bootmem_init(struct bootmem *bootmem, uint64_t limit);

/* Keep away from [@start, @end). NULL, or a sentence: there are too many. */
const char *bootmem_reserve(struct bootmem *bootmem, uint64_t start,
			    uint64_t end);

/* A frame, or BOOTMEM_NONE. */
pfn_t bootmem_alloc(struct bootmem *bootmem);

/* The same, all of it below @limit. */
pfn_t bootmem_alloc_below(struct bootmem *bootmem, uint64_t limit);

/*
 * @nr frames in a row, the first of them @colour modulo @colours, which is a
 * power of two; or BOOTMEM_NONE.
 */
pfn_t bootmem_alloc_row(struct bootmem *bootmem, unsigned int nr,
			unsigned int colour, unsigned int colours);

/* The end of the highest reserved range. */
uint64_t bootmem_reserved_end(const struct bootmem *bootmem);

#endif
