/* SPDX-License-Identifier: MIT */

#include "core/ports/i686/bootmem.h"

#define NOWHERE UINT64_MAX

void bootmem_init(struct bootmem *bootmem, uint64_t limit)
{
	bootmem->ram.nr = 0;
	bootmem->limit = limit;
	bootmem->next = 0;
	bootmem->nr_reserved = 0;
}

const char *bootmem_reserve(struct bootmem *bootmem, uint64_t start,
			    uint64_t end)
{
	if (start >= end)
		return NULL;
	if (bootmem->nr_reserved == BOOTMEM_MAX_RESERVED)
		return "the loader left too many pieces in memory";
	bootmem->reserved[bootmem->nr_reserved++] = (struct memmap_range){
		.start = start, .end = end
	};
	return NULL;
}

/* The end of a reserved range that meets [@start, @end), or @start. */
static uint64_t behind_reserved(const struct bootmem *bootmem, uint64_t start,
				uint64_t end)
{
	for (unsigned int i = 0; i < bootmem->nr_reserved; i++) {
		const struct memmap_range *range = &bootmem->reserved[i];

		if (range->start < end && range->end > start)
			return (range->end + PAGE_SIZE - 1) &
			       ~(uint64_t)(PAGE_SIZE - 1);
	}
	return start;
}

/* @start if [@start, @end) is RAM, else where the next RAM begins. */
static uint64_t in_ram(const struct memmap *ram, uint64_t start, uint64_t end)
{
	for (unsigned int i = 0; i < ram->nr; i++) {
		if (ram->range[i].start > start)
			return ram->range[i].start;
		if (end <= ram->range[i].end)
			return start;
	}
	return NOWHERE;
}

pfn_t bootmem_alloc_row(struct bootmem *bootmem, unsigned int nr,
			unsigned int colour, unsigned int colours)
{
	uint64_t size = (uint64_t)nr << PAGE_SHIFT, at = bootmem->next, from;

	do {
		at += (uint64_t)((colour - (uint32_t)(at >> PAGE_SHIFT)) &
				 (colours - 1))
		      << PAGE_SHIFT;
		if (at > bootmem->limit || size > bootmem->limit - at)
			return BOOTMEM_NONE;
		from = at;
		at = in_ram(&bootmem->ram, at, at + size);
		if (at == from)
			at = behind_reserved(bootmem, at, at + size);
	} while (at != from);
	bootmem->next = at + size;
	return (pfn_t)(at >> PAGE_SHIFT);
}

pfn_t bootmem_alloc(struct bootmem *bootmem)
{
	return bootmem_alloc_row(bootmem, 1, 0, 1);
}

pfn_t bootmem_alloc_below(struct bootmem *bootmem, uint64_t limit)
{
	const uint64_t usual = bootmem->limit;
	pfn_t pfn;

	bootmem->limit = limit < usual ? limit : usual;
	pfn = bootmem_alloc(bootmem);
	bootmem->limit = usual;
	return pfn;
}

uint64_t bootmem_reserved_end(const struct bootmem *bootmem)
{
	uint64_t end = 0;

	for (unsigned int i = 0; i < bootmem->nr_reserved; i++)
		if (bootmem->reserved[i].end > end)
			end = bootmem->reserved[i].end;
	return end;
}
