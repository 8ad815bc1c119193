/* SPDX-License-Identifier: MIT */
#include "core/lib/internal.h"

/* The frame of mem_map[@index]; the last range takes what is too much. */
static pfn_t pfn_in_ranges(const struct highmem_config *config, uint32_t index)
{
	const struct page_range *range = config->ranges;
	const struct page_range *last = range + config->nr_ranges - 1;

	for (; range < last && index >= range->nr_pages; range++)
		index -= range->nr_pages;
	return range->first_pfn + index;
}

/* A frame below a range wraps to a number that no range has. */
static struct page *page_in_ranges(const struct highmem_config *config,
				   pfn_t pfn)
{
	struct page *first = config->mem_map;

	for (unsigned int i = 0; i < config->nr_ranges; i++) {
		const struct page_range *range = &config->ranges[i];

		if (pfn - range->first_pfn < range->nr_pages)
			return first + (pfn - range->first_pfn);
		first += range->nr_pages;
	}
	return NULL;
}

pfn_t page_to_pfn(const struct highmem *hm, const struct page *page)
{
	uint32_t cookie = page_cookie(hm, page);

	if (cookie == 0)
		return PFN_NONE;
	if (hm->config.nr_ranges)
		return pfn_in_ranges(&hm->config, cookie - 1);
	return hm->config.first_pfn + cookie - 1;
}

pfn_t hm_pfn_of(struct highmem *hm, const struct page *page, const char *call)
{
	pfn_t pfn = page_to_pfn(hm, page);

	if (pfn == PFN_NONE)
		hm_misuse(hm, "%s of %p: no page of mem_map", call,
			  (vaddr_t)page);
	return pfn;
}

struct page *pfn_to_page(struct highmem *hm, pfn_t pfn)
{
	if (hm->config.nr_ranges)
		return page_in_ranges(&hm->config, pfn);
	if (pfn < hm->config.first_pfn)
		return NULL;
	if (pfn - hm->config.first_pfn >= hm->config.nr_pages)
		return NULL;
	return &hm->config.mem_map[pfn - hm->config.first_pfn];
}

bool page_is_highmem(const struct highmem *hm, const struct page *page)
{
	pfn_t pfn = page_to_pfn(hm, page);

	return pfn != PFN_NONE && is_highmem_pfn(hm, pfn);
}

void *page_address(struct highmem *hm, const struct page *page)
{
	pfn_t pfn = page_to_pfn(hm, page);
	uint32_t word;

	if (pfn == PFN_NONE)
		return NULL;
	if (!is_highmem_pfn(hm, pfn))
		return (void *)lowmem_vaddr(hm, pfn);
	word = port_atomic_load(&page->pkmap);
	if (word == 0)
		return NULL;
	HM_ASSERT(pkmap_word_slot(word) < hm->config.nr_slots);
	return (void *)pkmap_vaddr(hm, pkmap_word_slot(word));
}

/* The page that a PTE of this CPU's window names, if it names one. */
static struct page *window_to_page(struct highmem *hm, vaddr_t vaddr)
{
	pte_t pte = port_pte_read(vaddr & PAGE_MASK);

	return pte_present(pte) ? pfn_to_page(hm, pte_pfn(pte)) : NULL;
}

static struct page *pkmap_to_page(struct highmem *hm, unsigned int slot)
{
	uint32_t cookie = port_atomic_load(&hm->pkmap.slot[slot].page);

	HM_ASSERT(cookie <= hm->config.nr_pages);
	return cookie ? &hm->config.mem_map[cookie - 1] : NULL;
}

struct page *kmap_to_page(struct highmem *hm, const void *addr)
{
	vaddr_t vaddr = (vaddr_t)addr;

	if (is_kmap_window(vaddr))
		return window_to_page(hm, vaddr);
	if (pkmap_slot_of(hm, vaddr) != PKMAP_NONE)
		return pkmap_to_page(hm, pkmap_slot_of(hm, vaddr));
	if (is_lowmem_vaddr(hm, vaddr))
		return pfn_to_page(hm,
				   (pfn_t)((vaddr - hm->config.page_offset) >>
					   PAGE_SHIFT));
	return NULL;
}
