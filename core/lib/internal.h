/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_LIB_INTERNAL_H
#define HIGHMEM_LIB_INTERNAL_H

/* What the files of core/lib tell each other. */

#include <highmem/format.h>
#include <highmem/highmem.h>

#include "core/port/port.h"

/*
 * Three tiers by cost. Each is about the core's own state: if it is not true,
 * there is nothing sound to go on with, and port_panic() does not return. What
 * a caller does wrong is no matter for them: hm_misuse(), in every tier.
 *
 * HM_CHECK: always there, for what would corrupt memory if it were false.
 * HM_ASSERT: HIGHMEM_DEBUG >= 1, cheap, for what the code believes.
 * HM_ASSERT_EXPENSIVE: HIGHMEM_DEBUG >= 2, walks.
 *
 * A tier that is off still compiles its condition, but does not run it.
 */
#ifndef HIGHMEM_DEBUG
#define HIGHMEM_DEBUG 1
#endif

#define HM_STRING_(x) #x
#define HM_STRING(x) HM_STRING_(x)
#define HM_CHECK(cond) \
	((cond) ? (void)0 \
		: port_panic("highmem: BUG: not true at " __FILE__ \
			     ":" HM_STRING(__LINE__) ": " #cond))
#define HM_OFF(cond) ((void)sizeof((cond) ? 1 : 0))

#if HIGHMEM_DEBUG >= 1
#define HM_ASSERT(cond) HM_CHECK(cond)
#else
#define HM_ASSERT(cond) HM_OFF(cond)
#endif

#if HIGHMEM_DEBUG >= 2
#define HM_ASSERT_EXPENSIVE(cond) HM_CHECK(cond)
#else
#define HM_ASSERT_EXPENSIVE(cond) HM_OFF(cond)
#endif

#define PKMAP_NONE UINT32_MAX

/* Report a caller's broken rule: "highmem: BUG: " and the sentence. */
void hm_misuse(struct highmem *hm, const char *format, ...);

void hm_count(struct highmem *hm, enum highmem_stat which);

/*
 * 1 + the page's index in mem_map: how struct pkmap_slot names it. 0: it is no
 * page of mem_map. By numbers, as a pointer that is wrong compares with nothing.
 */
static inline uint32_t page_cookie(const struct highmem *hm,
				   const struct page *page)
{
	uintptr_t offset = (uintptr_t)page - (uintptr_t)hm->config.mem_map;

	if (offset / sizeof(*page) >= hm->config.nr_pages ||
	    offset % sizeof(*page) != 0)
		return 0;
	return (uint32_t)(offset / sizeof(*page)) + 1;
}

/*
 * page_to_pfn(), for those whose caller must name a page of mem_map: for any
 * other it reports a misuse of @call and returns PFN_NONE.
 */
pfn_t hm_pfn_of(struct highmem *hm, const struct page *page, const char *call);

static inline vaddr_t pkmap_vaddr(const struct highmem *hm, unsigned int slot)
{
	return hm->config.pkmap_base + ((vaddr_t)slot << PAGE_SHIFT);
}

static inline unsigned int slot_colour(const struct highmem *hm,
				       unsigned int slot)
{
	return slot & (hm->config.nr_colours - 1);
}

static inline unsigned int pfn_colour(const struct highmem *hm, pfn_t pfn)
{
	return pfn & (hm->config.nr_colours - 1);
}

static inline unsigned int page_colour(const struct highmem *hm,
				       const struct page *page)
{
	return pfn_colour(hm, page_to_pfn(hm, page));
}

static inline bool is_highmem_pfn(const struct highmem *hm, pfn_t pfn)
{
	return pfn >= hm->config.highmem_start_pfn;
}

/* The slot that @vaddr lies in, or PKMAP_NONE. */
static inline unsigned int pkmap_slot_of(const struct highmem *hm,
					 vaddr_t vaddr)
{
	vaddr_t nr = (vaddr - hm->config.pkmap_base) >> PAGE_SHIFT;

	if (vaddr < hm->config.pkmap_base || nr >= hm->config.nr_slots)
		return PKMAP_NONE;
	return (unsigned int)nr;
}

/* Is @page mapped, there? If not, the slot is on its way to somebody else. */
static inline bool page_is_in(const struct page *page, unsigned int slot)
{
	return pkmap_word_slot(port_atomic_load(&page->pkmap)) == slot;
}

static inline bool slot_is_free(const struct highmem *hm, unsigned int slot)
{
	return (hm->pkmap.free[slot / 32] >> (slot % 32)) & 1;
}

/* Window @depth of @cpu. */
static inline vaddr_t kmap_window(unsigned int cpu, unsigned int depth)
{
	return fixmap_vaddr(FIX_KMAP_BEGIN + cpu * KM_MAX_IDX + depth);
}

/* Is @vaddr in any CPU's windows? Both ends belong to them. */
static inline bool is_kmap_window(vaddr_t vaddr)
{
	unsigned int idx = virt_to_fix(vaddr);

	return idx >= FIX_KMAP_BEGIN && idx <= FIX_KMAP_END;
}

/* The direct map's address of a lowmem frame. */
static inline vaddr_t lowmem_vaddr(const struct highmem *hm, pfn_t pfn)
{
	return hm->config.page_offset + ((vaddr_t)pfn << PAGE_SHIFT);
}

/*
 * Is @vaddr in the direct map? The subtraction may wrap: the direct map does
 * not (check_pages()), so an address below it lands above its end.
 */
static inline bool is_lowmem_vaddr(const struct highmem *hm, vaddr_t vaddr)
{
	return (vaddr - hm->config.page_offset) >> PAGE_SHIFT <
	       hm->config.highmem_start_pfn;
}

#endif
