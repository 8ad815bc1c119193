/* SPDX-License-Identifier: MIT */
#include <highmem/layout.h>

#include "core/boot/pgtable.h"

/* ---- The master kernel page directory ---------------------------------------- */

static const char *check_link(struct pgtable *to, const struct pgtable *master,
			      vaddr_t page_offset)
{
	vaddr_t covers = (vaddr_t)1 << top_shift(to);
	uint64_t start = page_offset;

	if (to->pae != master->pae)
		return pgtable_refuse(to, "the trees differ: PAE or not");
	if (start == 0 || start >= ADDRESSES)
		return pgtable_refuse(to, "the kernel cannot begin at %p",
				      page_offset);
	if (page_offset & (covers - 1))
		return pgtable_refuse(to,
				      "%p: a top-level entry would be half the "
				      "kernel's",
				      page_offset);
	if (to->linked_from && to->linked_from != page_offset)
		return pgtable_refuse(to, "the kernel is linked at %p already",
				      to->linked_from);
	return NULL;
}

static const char *check_own(struct pgtable *to, unsigned int first)
{
	for (unsigned int i = first; i < entries_in_root(to); i++)
		if (!pte_none(pgtable_entry_read(entry_at(to, to->root, i),
						 to->pae)))
			return pgtable_refuse(to, "%p has a table of its own",
					      (vaddr_t)i << top_shift(to));
	return NULL;
}

/* Processors that run on the tree set accessed bits in their own copy. */
static pte_t without_mmu_bits(pte_t entry)
{
	return entry & ~(PTE_ACCESSED | PTE_DIRTY);
}

/* Returns whether a processor may keep what was there before. */
static bool link_entry(struct pgtable *to, const struct pgtable *master,
		       unsigned int index)
{
	port_atomic_t *entry = entry_at(to, to->root, index);
	pte_t old = pgtable_entry_read(entry, to->pae);
	pte_t new = pgtable_entry_read(entry_at(master, master->root, index),
				       to->pae);

	if (without_mmu_bits(old) == without_mmu_bits(new))
		return false;
	if (!pte_none(old))
		pgtable_entry_clear(entry, to->pae);
	if (!pte_none(new))
		pgtable_entry_set(entry, to->pae, new);
	return to->pae || !pte_none(old);
}

const char *pgtable_link_kernel(struct pgtable *to,
				const struct pgtable *master,
				vaddr_t page_offset, bool *reload)
{
	unsigned int first = (unsigned int)(page_offset >> top_shift(to));
	const char *why = check_link(to, master, page_offset);

	*reload = false;
	if (!why && !to->linked_from)
		why = check_own(to, first);
	if (why)
		return why;
	to->linked_from = page_offset;
	for (unsigned int i = first; i < entries_in_root(to); i++)
		*reload |= link_entry(to, master, i);
	return NULL;
}

/* ---- A kernel's tables ------------------------------------------------------------ */

static const char *map_direct(struct pgtable *pt, const struct layout *layout,
			      vaddr_t start, vaddr_t end, pte_t prot,
			      bool large)
{
	const struct pgtable_range range = {
		.vaddr = start,
		.paddr = layout_pa(layout, start),
		.size = end - start,
		.prot = prot,
		.large = large,
	};

	return start < end ? pgtable_map(pt, &range) : NULL;
}

/* The direct map between two pieces. */
static const char *map_between(struct pgtable *pt, const struct layout *layout,
			       const struct pgtable_kernel *kernel,
			       vaddr_t start, vaddr_t end)
{
	vaddr_t small = kernel->small_below;
	const char *why;

	small = small < start ? start : small < end ? small : end;
	why = map_direct(pt, layout, start, small, kernel->prot, false);
	if (!why)
		why = map_direct(pt, layout, small, end, kernel->prot,
				 kernel->large);
	return why;
}

static const char *check_pieces(struct pgtable *pt, const struct layout *layout,
				const struct pgtable_kernel *kernel)
{
	vaddr_t last = layout->page_offset;

	for (unsigned int i = 0; i < kernel->nr_pieces; i++) {
		const struct pgtable_piece *piece = &kernel->pieces[i];

		if (piece->start < last || piece->end <= piece->start ||
		    piece->end > layout->high_memory)
			return pgtable_refuse(pt,
					      "%p: no piece of the direct "
					      "map, or out of order",
					      piece->start);
		last = piece->end;
	}
	return NULL;
}

static const char *map_pieces(struct pgtable *pt, const struct layout *layout,
			      const struct pgtable_kernel *kernel)
{
	vaddr_t at = layout->page_offset;
	const char *why = NULL;

	for (unsigned int i = 0; i < kernel->nr_pieces && !why; i++) {
		const struct pgtable_piece *piece = &kernel->pieces[i];

		why = map_between(pt, layout, kernel, at, piece->start);
		if (!why && piece->prot)
			why = map_direct(pt, layout, piece->start, piece->end,
					 piece->prot, false);
		at = piece->end;
	}
	if (!why)
		why = map_between(pt, layout, kernel, at, layout->high_memory);
	return why;
}

const char *pgtable_build_kernel(struct pgtable *pt,
				 const struct layout *layout,
				 const struct pgtable_kernel *kernel)
{
	const struct layout_area *fixmap = &layout->area[LAYOUT_FIXMAP];
	const char *why = check_pieces(pt, layout, kernel);

	if (!why)
		why = map_pieces(pt, layout, kernel);
	if (!why)
		why = pgtable_prepare(pt, layout->pkmap_base,
				      (uint64_t)layout->last_pkmap
					      << PAGE_SHIFT);
	if (!why)
		why = pgtable_prepare(pt, (vaddr_t)fixmap->start,
				      fixmap->end - fixmap->start);
	return why;
}
