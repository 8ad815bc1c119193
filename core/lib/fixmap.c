/* SPDX-License-Identifier: MIT */
#include <highmem/fixmap.h>
#include <highmem/format.h>
#include <highmem/pgtable.h>

#include "core/port/port.h"

static bool refuse(unsigned int idx, const char *why)
{
	char sentence[96];

	hm_format(sentence, sizeof(sentence),
		  "highmem: BUG: fixmap entry %u: "
		  "%s",
		  idx, why);
	port_bug(sentence);
	return false;
}

static bool is_own(unsigned int idx)
{
	return idx > FIX_HOLE_BELOW && idx < __end_of_fixed_addresses;
}

static bool check_set(unsigned int idx, paddr_t paddr, pte_t prot)
{
	bool pae = port_facts()->pae;
	unsigned int bits = pae ? PFN_BITS_PAE : PFN_BITS_NONPAE;
	const char *why;

	if (!is_own(idx))
		return refuse(idx, "not one of the kernel's own");
	if (paddr & ~PAGE_MASK)
		return refuse(idx, "the frame is not page aligned");
	if (paddr >> PAGE_SHIFT >> bits)
		return refuse(idx, "the frame is too high for an entry");
	why = pgtable_check_prot(prot, pae);
	return why ? refuse(idx, why) : true;
}

/* Returns whether a TLB may hold what was there. */
static bool unmap(vaddr_t vaddr)
{
	return !pte_none(port_pte_read(vaddr)) &&
	       pte_present(port_pte_clear(vaddr));
}

static void forget(vaddr_t vaddr, bool early)
{
	if (early)
		port_tlb_flush_local_page(vaddr);
	else
		port_tlb_shootdown_pages(&vaddr, 1);
}

static bool clear(unsigned int idx, bool early)
{
	vaddr_t vaddr = fixmap_vaddr(idx);

	if (!is_own(idx))
		return refuse(idx, "not one of the kernel's own");
	if (unmap(vaddr))
		forget(vaddr, early);
	return true;
}

/* An entry is only ever set when it is none, and in no TLB. */
static bool set(unsigned int idx, paddr_t paddr, pte_t prot, bool early)
{
	if (!check_set(idx, paddr, prot))
		return false;
	clear(idx, early);
	port_pte_set(fixmap_vaddr(idx), paddr | prot);
	return true;
}

bool fixmap_set(unsigned int idx, paddr_t paddr, pte_t prot)
{
	return set(idx, paddr, prot, false);
}

bool fixmap_clear(unsigned int idx)
{
	return clear(idx, false);
}

bool fixmap_set_early(unsigned int idx, paddr_t paddr, pte_t prot)
{
	return set(idx, paddr, prot, true);
}

bool fixmap_clear_early(unsigned int idx)
{
	return clear(idx, true);
}
