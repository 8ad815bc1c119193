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

struct page {
	/*
	 * 0: not in the pkmap area; n: in slot n-1. Written under the pkmap
	 * lock, read by anybody: a reader pins the slot and then looks whether
	 * the slot still belongs to the page.
	 */
	port_atomic_t pkmap_slot;
	/* Who unmapped it last (port_task_id), for the sentence of a misuse. */
	port_stat_t last_unmap;
};

/* Frame number <-> descriptor. Any context. */
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
