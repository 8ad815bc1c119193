/* SPDX-License-Identifier: MIT */
#include <highmem/pgtable.h>

#include "core/lib/internal.h"

static bool is_power_of_two(unsigned int n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

static const char *check_slots(const struct highmem_config *config)
{
	unsigned int last = port_facts()->pae ? LAST_PKMAP_PAE
					      : LAST_PKMAP_NONPAE;
	vaddr_t end = FIXADDR_START - PAGE_SIZE;

	if (config->nr_slots < 2 || config->nr_slots > last)
		return "nr_slots must be 2 to 1024, with PAE 2 to 512";
	if (!is_power_of_two(config->nr_colours) ||
	    config->nr_colours > HIGHMEM_MAX_COLOURS)
		return "nr_colours must be 1, 2, 4 or 8";
	if (config->nr_slots % config->nr_colours != 0)
		return "nr_slots must be a multiple of nr_colours";
	if (config->pkmap_base & ~PAGE_MASK)
		return "pkmap_base must be page aligned";
	if (config->pkmap_base > end ||
	    (end - config->pkmap_base) >> PAGE_SHIFT < config->nr_slots)
		return "the pkmap area must end a page below the fixmap";
	if ((config->pkmap_base >> PAGE_SHIFT) & (config->nr_colours - 1))
		return "pkmap_base must have colour 0, that of slot 0";
	return NULL;
}

static const char *check_ranges(const struct highmem_config *config)
{
	uint64_t end = 0, nr_pages = 0;

	for (unsigned int i = 0; i < config->nr_ranges; i++) {
		const struct page_range *range = &config->ranges[i];

		if (range->nr_pages == 0 || range->first_pfn < end)
			return "the ranges of mem_map must ascend, "
			       "and none may be empty";
		end = (uint64_t)range->first_pfn + range->nr_pages;
		nr_pages += range->nr_pages;
	}
	if (config->nr_ranges && nr_pages != config->nr_pages)
		return "the ranges of mem_map must have nr_pages together";
	return NULL;
}

/* The frame after the last one. */
static uint64_t mem_map_end(const struct highmem_config *config)
{
	const struct page_range *last;

	if (!config->nr_ranges)
		return (uint64_t)config->first_pfn + config->nr_pages;
	last = &config->ranges[config->nr_ranges - 1];
	return (uint64_t)last->first_pfn + last->nr_pages;
}

static const char *check_pages(const struct highmem_config *config)
{
	unsigned int bits = port_facts()->pae ? PFN_BITS_PAE : PFN_BITS_NONPAE;
	uint64_t lowmem_end = config->page_offset +
			      ((uint64_t)config->highmem_start_pfn
			       << PAGE_SHIFT);

	if (!config->mem_map || config->nr_pages == 0)
		return "mem_map must describe at least one page";
	if (mem_map_end(config) > (uint64_t)1 << bits)
		return "a page frame number does not fit a page table entry";
	if (config->page_offset & ~PAGE_MASK)
		return "page_offset must be page aligned";
	if (lowmem_end < config->page_offset || /* it wraps */
	    lowmem_end > config->pkmap_base)
		return "the direct map must end below the pkmap area";
	return NULL;
}

static const char *check_rest(const struct highmem_config *config)
{
	if (config->local_depth < 1 || config->local_depth > KM_MAX_IDX)
		return "local_depth must be 1 to KM_MAX_IDX";
	if (port_facts()->cpu_mask >> HIGHMEM_MAX_CPUS)
		return "the machine has more CPUs than HIGHMEM_MAX_CPUS";
	return pgtable_check_prot(config->prot, port_facts()->pae);
}

static void pkmap_init(struct highmem *hm)
{
	struct pkmap *pkmap = &hm->pkmap;

	port_spin_init(&pkmap->lock);
	for (unsigned int w = 0; w < HIGHMEM_MAX_SLOTS / 32; w++)
		pkmap->free[w] = 0;
	for (unsigned int s = 0; s < hm->config.nr_slots; s++) {
		port_atomic_store(&pkmap->slot[s].page, 0);
		pkmap->free[s / 32] |= (uint32_t)1 << (s % 32);
	}
	for (unsigned int c = 0; c < HIGHMEM_MAX_COLOURS; c++) {
		pkmap->hand[c] = 0;
		port_spin_init(&pkmap->queue[c].lock);
		pkmap->queue[c].head = NULL;
		pkmap->queue[c].tail = NULL;
		pkmap->queue[c].given = 0;
		port_atomic_store(&pkmap->queue[c].nr, 0);
	}
}

const char *highmem_init(struct highmem *hm,
			 const struct highmem_config *config)
{
	const char *why = check_slots(config);

	if (!why)
		why = check_ranges(config);
	if (!why)
		why = check_pages(config);
	if (!why)
		why = check_rest(config);
	if (why)
		return why;
	hm->config = *config;
	for (unsigned int cpu = 0; cpu < HIGHMEM_MAX_CPUS; cpu++)
		for (unsigned int i = 0; i < HM_NR_STATS; i++)
			port_stat_set(&hm->stats[cpu].stat[i], 0);
	pkmap_init(hm);
	return NULL;
}
