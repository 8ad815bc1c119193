/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_PAGE_H
#define HIGHMEM_PAGE_H

/*
 * Page descriptors. One struct page for each page frame of mem_map; its
 * place in the array tells its frame number, so it stores none.
 */

#include <highmem/types.h>

#include "core/port/port.h"

struct highmem;

/*
 * page->pkmap says where the page is mapped and by how many: one word, so that
 * one compare-and-swap sees and changes both.
 *
 *	 31          19 18           0
 *	+--------------+--------------+
 *	|   slot + 1   |    count     |	  0 as a whole: not mapped
 *	+--------------+--------------+
 *
 * Count 1 is idle: mapped, and nobody uses it. A kmap() takes it back for
 * nothing; TLBs may hold it, so the slot cannot be reused before a flush.
 * Count n + 1: n users. Who writes when: pkmap.c.
 */
struct page {
	port_atomic_t pkmap;
	/* Who unmapped it last (port_task_id), for the sentence of a misuse. */
	port_stat_t last_unmap;
};

#define PKMAP_COUNT_BITS 19
#define PKMAP_COUNT_MAX (((uint32_t)1 << PKMAP_COUNT_BITS) - 1)
/* What the upper bits can name. */
#define PKMAP_MAX_SLOTS ((1u << (32 - PKMAP_COUNT_BITS)) - 1)

static inline uint32_t pkmap_word(unsigned int slot, uint32_t count)
{
	return (uint32_t)(slot + 1) << PKMAP_COUNT_BITS | count;
}

static inline uint32_t pkmap_word_count(uint32_t word)
{
	return word & PKMAP_COUNT_MAX;
}

/* UINT32_MAX when @word is 0. */
static inline uint32_t pkmap_word_slot(uint32_t word)
{
	return (word >> PKMAP_COUNT_BITS) - 1;
}

/*
 * Frame number <-> descriptor. PFN_NONE when @page is none of mem_map; such a
 * page is no highmem, and has no address. Any context.
 */
pfn_t page_to_pfn(const struct highmem *hm, const struct page *page);

/* NULL when mem_map has no such frame. Any context. */
struct page *pfn_to_page(struct highmem *hm, pfn_t pfn);

/* Is the page outside the direct map? Any context. */
bool page_is_highmem(const struct highmem *hm, const struct page *page);

/*
 * The kernel address of @page: arithmetic for lowmem; for highmem its pkmap
 * address or NULL. Takes no lock. The answer for a highmem page is stable
 * only while the caller holds a kmap of it. Any context.
 */
void *page_address(struct highmem *hm, const struct page *page);

#endif
