/* SPDX-License-Identifier: MIT */

/* Do the PTEs of pkmap and the fixmap, and this CPU's TLB, agree? */

#include <highmem/format.h>
#include <highmem/layout.h>

#include "core/ports/i686/internal.h"

/* By CPU: all may look at the same time. */
static char whys[HIGHMEM_MAX_CPUS][160];

/*
 * What this CPU reads at @vaddr has to be what the PTE there says. The look
 * leaves a present PTE in the TLB, so that a flush which is missing later is
 * seen for certain, and not only when the entry happened to stay.
 */
static const char *audit_page(vaddr_t vaddr)
{
	pte_t pte = port_pte_read(vaddr);
	uint32_t seen = 0, there;
	bool readable = i686_probe_load((const void *)vaddr, &seen);
	char *why = whys[port_cpu_id()];

	if (pte_none(pte) && !readable)
		return NULL;
	if (pte_none(pte)) {
		hm_format(why, sizeof(whys[0]),
			  "stale TLB entry: %x has no PTE, "
			  "but CPU %u reads %x",
			  vaddr, port_cpu_id(), seen);
		return why;
	}
	there = *paging_frame(pte_pfn(pte));
	if (readable && seen == there)
		return NULL;
	hm_format(why, sizeof(whys[0]),
		  "stale TLB entry: %x maps pfn %x, which holds "
		  "%x, but CPU %u reads %x",
		  vaddr, pte_pfn(pte), there, port_cpu_id(), seen);
	return why;
}

static bool in_mem_map(const struct highmem_config *config, pfn_t pfn)
{
	for (unsigned int i = 0; i < config->nr_ranges; i++)
		if (pfn - config->ranges[i].first_pfn <
		    config->ranges[i].nr_pages)
			return true;
	return false;
}

static const char *audit_entry(const struct highmem_config *config,
			       vaddr_t vaddr)
{
	const pte_t mmu_bits = PTE_ACCESSED | PTE_DIRTY;
	pte_t pte = port_pte_read(vaddr) & ~mmu_bits;
	pte_t wanted = pte_make(pte_pfn(pte), config->prot) & ~mmu_bits;

	if (pte_none(pte))
		return NULL;
	if (pte == wanted && in_mem_map(config, pte_pfn(pte)))
		return NULL;
	hm_format(whys[port_cpu_id()], sizeof(whys[0]),
		  "PTE %x:%x at %x: not a frame of mem_map with the bits of "
		  "its config",
		  (uint32_t)(pte >> 32), (uint32_t)pte, vaddr);
	return whys[port_cpu_id()];
}

static const char *audit_unused(vaddr_t vaddr, unsigned int nr)
{
	if (nr == 0 || paging_is_unused(vaddr, nr))
		return NULL;
	hm_format(whys[port_cpu_id()], sizeof(whys[0]),
		  "something is mapped at or above %x, where nothing may be",
		  vaddr);
	return whys[port_cpu_id()];
}

static const char *audit_pkmap(const struct highmem_config *config)
{
	const struct layout *layout = i686_layout();
	const char *bad = NULL;

	for (uint32_t i = 0; i < config->nr_slots && !bad; i++) {
		vaddr_t vaddr = layout->pkmap_base + (i << PAGE_SHIFT);

		bad = audit_entry(config, vaddr);
		if (!bad)
			bad = audit_page(vaddr);
	}
	if (bad)
		return bad;
	return audit_unused(layout->pkmap_base +
				    (config->nr_slots << PAGE_SHIFT),
			    layout->last_pkmap - config->nr_slots);
}

/* Windows of other CPUs: old translations of them may stay here. */
static const char *audit_fixmap(const struct highmem_config *config)
{
	unsigned int nr = KM_MAX_IDX * sched_nr_cpus();
	unsigned int own = FIX_KMAP_BEGIN + port_cpu_id() * KM_MAX_IDX;
	const char *bad = NULL;

	for (unsigned int i = 0; i < nr && !bad; i++)
		bad = audit_entry(config, fixmap_vaddr(FIX_KMAP_BEGIN + i));
	for (unsigned int i = 0; i < KM_MAX_IDX && !bad; i++)
		bad = audit_page(fixmap_vaddr(own + i));
	if (bad)
		return bad;
	return audit_unused(fixmap_vaddr(FIX_KMAP_END),
			    FIX_KMAP_END - FIX_KMAP_BEGIN + 1 - nr);
}

const char *paging_audit(const struct highmem_config *config)
{
	const char *bad = audit_pkmap(config);

	return bad ? bad : audit_fixmap(config);
}
