/* SPDX-License-Identifier: MIT */
#include <highmem/format.h>

#include "core/boot/pgtable.h"

const char *pgtable_refuse(struct pgtable *pt, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	hm_vformat(pt->why, sizeof(pt->why), format, args);
	va_end(args);
	return pt->why;
}

/* ---- Frames ---------------------------------------------------------------- */

/* What an entry that points to a table can name; and CR3, for the root. */
static bool is_usable(const struct pgtable *pt, pfn_t pfn, bool root)
{
	unsigned int bits = pt->pae && !root ? PFN_BITS_PAE : PFN_BITS_NONPAE;

	return pfn >> bits == 0;
}

/* A processor may walk the table as soon as it is linked: none, everywhere. */
static void empty_table(const struct pgtable *pt, pfn_t pfn)
{
	port_atomic_t *words = entry_at(pt, pfn, 0);

	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		port_atomic_store(&words[i], 0);
}

static void give_back(struct pgtable *pt, pfn_t pfn)
{
	pt->memory.free(pt->memory.arg, pfn);
}

static const char *take_frame(struct pgtable *pt, bool root, pfn_t *pfn)
{
	*pfn = pt->memory.alloc(pt->memory.arg);
	if (*pfn == PGTABLE_NO_FRAME)
		return pgtable_refuse(pt, "no memory for a page table");
	if (is_usable(pt, *pfn, root))
		return NULL;
	give_back(pt, *pfn);
	return pgtable_refuse(pt, "frame %x is too high for a page table",
			      *pfn);
}

/*
 * Frames are taken before anything is changed, and wait in a chain: the first
 * word of each names the next.
 */
static void release_chain(struct pgtable *pt, pfn_t chain)
{
	while (chain != PGTABLE_NO_FRAME) {
		pfn_t next = port_atomic_load(entry_at(pt, chain, 0));

		give_back(pt, chain);
		chain = next;
	}
}

static const char *take_chain(struct pgtable *pt, uint32_t nr, pfn_t *chain)
{
	*chain = PGTABLE_NO_FRAME;
	for (; nr > 0; nr--) {
		pfn_t pfn;
		const char *why = take_frame(pt, false, &pfn);

		if (why) {
			release_chain(pt, *chain);
			return why;
		}
		port_atomic_store(entry_at(pt, pfn, 0), *chain);
		*chain = pfn;
	}
	return NULL;
}

static pfn_t take_from_chain(struct pgtable *pt, pfn_t *chain)
{
	pfn_t pfn = *chain;

	*chain = port_atomic_load(entry_at(pt, pfn, 0));
	empty_table(pt, pfn);
	pt->nr_tables++;
	return pfn;
}

/* ---- The tree ----------------------------------------------------------------- */

const char *pgtable_init(struct pgtable *pt,
			 const struct pgtable_memory *memory, bool pae, bool nx)
{
	const char *why;

	*pt = (struct pgtable){ .memory = *memory, .pae = pae, .nx = nx };
	if (nx && !pae)
		return pgtable_refuse(pt, "no-execute pages need PAE");
	why = take_frame(pt, true, &pt->root);
	if (why)
		return why;
	empty_table(pt, pt->root);
	pt->nr_tables = 1;
	return NULL;
}

static void destroy_directory(struct pgtable *pt, pfn_t directory,
			      unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		pte_t pde = pgtable_entry_read(entry_at(pt, directory, i),
					       pt->pae);

		if (pte_present(pde) && !pde_is_large(pde))
			give_back(pt, pte_pfn(pde));
	}
	give_back(pt, directory);
}

void pgtable_destroy(struct pgtable *pt)
{
	unsigned int own = pt->linked_from ? (unsigned int)(pt->linked_from >>
							    top_shift(pt))
					   : entries_in_root(pt);

	if (pt->nr_tables == 0)
		return;
	if (!pt->pae) {
		destroy_directory(pt, pt->root, own);
	} else {
		for (unsigned int i = 0; i < own; i++) {
			pte_t pdpte = pgtable_entry_read(
				entry_at(pt, pt->root, i), true);

			if (pte_present(pdpte))
				destroy_directory(pt, pte_pfn(pdpte),
						  entries_per_table(pt));
		}
		give_back(pt, pt->root);
	}
	pt->nr_tables = 0;
	pt->root = PGTABLE_NO_FRAME;
}

port_atomic_t *pgtable_directory_entry(const struct pgtable *pt, vaddr_t vaddr)
{
	pfn_t directory = pt->root;
	pte_t pdpte;

	if (pt->pae) {
		pdpte = pgtable_entry_read(root_entry(pt, vaddr), true);
		if (!pte_present(pdpte))
			return NULL;
		directory = pte_pfn(pdpte);
	}
	return entry_at(pt, directory,
			(vaddr >> pde_shift(pt)) & (entries_per_table(pt) - 1));
}

/* ---- Mapping -------------------------------------------------------------------- */

/* A range on its way into the tree; vaddr and paddr move on piece by piece. */
struct job {
	uint64_t vaddr;
	uint64_t end;
	paddr_t paddr;
	pte_t prot; /* 0: page tables only */
	bool large;
};

#define PROT_BITS \
	(PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_PWT | PTE_PCD | \
	 PTE_ACCESSED | PTE_DIRTY | PTE_PAT | PTE_GLOBAL | PTE_NX)

static pte_t large_prot(pte_t prot)
{
	pte_t pat = prot & PTE_PAT ? PDE_PAT : 0;

	return (prot & ~PTE_PAT) | PDE_LARGE | pat;
}

static pte_t prot_of_large(pte_t pde)
{
	pte_t pat = pde & PDE_PAT ? PTE_PAT : 0;

	return (pde & PROT_BITS & ~PDE_LARGE) | pat;
}

/* A piece lies under one directory entry. */
static uint64_t piece_end(const struct pgtable *pt, const struct job *job)
{
	uint64_t next = (job->vaddr | (pde_size(pt) - 1)) + 1;

	return next < job->end ? next : job->end;
}

static void next_piece(const struct pgtable *pt, struct job *job)
{
	uint64_t end = piece_end(pt, job);

	job->paddr += end - job->vaddr;
	job->vaddr = end;
}

static bool wants_large(const struct pgtable *pt, const struct job *job)
{
	uint64_t size = pde_size(pt);

	return job->large && ((job->vaddr | job->paddr) & (size - 1)) == 0 &&
	       job->end - job->vaddr >= size;
}

static const char *check_prot(struct pgtable *pt, pte_t prot)
{
	if (!pte_present(prot))
		return pgtable_refuse(pt, "a mapping needs the present bit");
	if (prot & ~PROT_BITS)
		return pgtable_refuse(pt, "invalid protection bits");
	if ((prot & PTE_NX) && !pt->nx)
		return pgtable_refuse(pt, "no-execute is not switched on");
	return NULL;
}

static const char *check_bounds(struct pgtable *pt, vaddr_t vaddr,
				uint64_t size)
{
	uint64_t start = vaddr;

	if ((vaddr | size) & ~PAGE_MASK)
		return pgtable_refuse(pt, "%p: not a whole number of pages",
				      vaddr);
	if (size == 0)
		return pgtable_refuse(pt, "%p: an empty range", vaddr);
	if (start >= ADDRESSES || size > ADDRESSES - start)
		return pgtable_refuse(pt, "%p: the range ends beyond 4 GiB",
				      vaddr);
	if (pt->linked_from && start + size > pt->linked_from)
		return pgtable_refuse(pt, "%p belongs to the master's tables",
				      vaddr);
	return NULL;
}

static const char *check_frames(struct pgtable *pt,
				const struct pgtable_range *range)
{
	unsigned int bits = pt->pae ? PFN_BITS_PAE : PFN_BITS_NONPAE;
	uint64_t limit = (uint64_t)1 << (bits + PAGE_SHIFT);

	if (range->paddr & ~PAGE_MASK)
		return pgtable_refuse(pt, "%p: the frame is not page aligned",
				      range->vaddr);
	if (range->paddr >= limit || range->size > limit - range->paddr)
		return pgtable_refuse(pt,
				      "%p: a frame is too high for an "
				      "entry",
				      range->vaddr);
	return NULL;
}

/* Nothing may be in the way of a piece that already has a page table. */
static const char *check_ptes(struct pgtable *pt, const struct job *job,
			      pfn_t table)
{
	uint64_t end = piece_end(pt, job);

	/* Not a vaddr_t: where that has 32 bits, it cannot reach @end. */
	for (uint64_t vaddr = job->vaddr; vaddr < end; vaddr += PAGE_SIZE) {
		port_atomic_t *entry = pte_at(pt, table, (vaddr_t)vaddr);

		if (!pte_none(pgtable_entry_read(entry, pt->pae)))
			return pgtable_refuse(pt, "%p is mapped already",
					      (vaddr_t)vaddr);
	}
	return NULL;
}

static const char *check_piece(struct pgtable *pt, const struct job *job,
			       pte_t pde)
{
	if (pte_none(pde))
		return NULL;
	if (pde_is_large(pde))
		return pgtable_refuse(pt,
				      "%p is mapped already, by a large "
				      "page",
				      (vaddr_t)job->vaddr);
	if ((job->prot & PTE_USER) && !(pde & PTE_USER))
		return pgtable_refuse(pt, "%p: the page table is the kernel's",
				      (vaddr_t)job->vaddr);
	return job->prot ? check_ptes(pt, job, pte_pfn(pde)) : NULL;
}

/* How many tables the job will need; nothing is changed. */
static const char *check_job(struct pgtable *pt, struct job job, uint32_t *nr)
{
	uint64_t new_directory = ADDRESSES;

	for (*nr = 0; job.vaddr < job.end; next_piece(pt, &job)) {
		port_atomic_t *entry = pgtable_directory_entry(
			pt, (vaddr_t)job.vaddr);
		pte_t pde = entry ? pgtable_entry_read(entry, pt->pae) : 0;
		const char *why = check_piece(pt, &job, pde);

		if (why)
			return why;
		if (!entry && new_directory != job.vaddr >> PDPTE_SHIFT) {
			new_directory = job.vaddr >> PDPTE_SHIFT;
			++*nr;
		}
		if (pte_none(pde) && !wants_large(pt, &job))
			++*nr;
	}
	return NULL;
}

/* The directory entry, with a directory around it. A PDPTE has no write bit. */
static port_atomic_t *need_directory(struct pgtable *pt, vaddr_t vaddr,
				     pfn_t *chain)
{
	port_atomic_t *entry = pgtable_directory_entry(pt, vaddr);

	if (entry)
		return entry;
	pgtable_entry_set(root_entry(pt, vaddr), true,
			  pte_make(take_from_chain(pt, chain), PTE_PRESENT));
	return pgtable_directory_entry(pt, vaddr);
}

static void map_piece(struct pgtable *pt, const struct job *job, pfn_t *chain)
{
	uint64_t end = piece_end(pt, job);
	port_atomic_t *entry = need_directory(pt, (vaddr_t)job->vaddr, chain);
	pte_t pde = pgtable_entry_read(entry, pt->pae);
	paddr_t paddr = job->paddr;

	if (pte_none(pde) && wants_large(pt, job)) {
		pgtable_entry_set(entry, pt->pae,
				  paddr | large_prot(job->prot));
		return;
	}
	if (pte_none(pde)) {
		pde = pte_make(take_from_chain(pt, chain),
			       PTE_PRESENT | PTE_WRITE | (job->prot & PTE_USER));
		pgtable_entry_set(entry, pt->pae, pde);
	}
	if (!job->prot)
		return;
	for (uint64_t vaddr = job->vaddr; vaddr < end;
	     vaddr += PAGE_SIZE, paddr += PAGE_SIZE)
		pgtable_entry_set(pte_at(pt, pte_pfn(pde), (vaddr_t)vaddr),
				  pt->pae, paddr | job->prot);
}

static const char *do_job(struct pgtable *pt, struct job job)
{
	uint32_t nr;
	pfn_t chain;
	const char *why = check_job(pt, job, &nr);

	if (!why)
		why = take_chain(pt, nr, &chain);
	if (why)
		return why;
	for (; job.vaddr < job.end; next_piece(pt, &job))
		map_piece(pt, &job, &chain);
	return NULL;
}

const char *pgtable_map(struct pgtable *pt, const struct pgtable_range *range)
{
	const struct job job = {
		.vaddr = range->vaddr,
		.end = range->vaddr + range->size,
		.paddr = range->paddr,
		.prot = range->prot,
		.large = range->large,
	};
	const char *why = check_bounds(pt, range->vaddr, range->size);

	if (!why)
		why = check_prot(pt, range->prot);
	if (!why)
		why = check_frames(pt, range);
	return why ? why : do_job(pt, job);
}

const char *pgtable_prepare(struct pgtable *pt, vaddr_t vaddr, uint64_t size)
{
	const struct job job = { .vaddr = vaddr, .end = vaddr + size };
	const char *why = check_bounds(pt, vaddr, size);

	return why ? why : do_job(pt, job);
}

/* ---- Unmapping --------------------------------------------------------------------- */

static const char *check_unmap(struct pgtable *pt, struct job job)
{
	for (; job.vaddr < job.end; next_piece(pt, &job)) {
		port_atomic_t *entry = pgtable_directory_entry(
			pt, (vaddr_t)job.vaddr);
		pte_t pde = entry ? pgtable_entry_read(entry, pt->pae) : 0;

		if (pde_is_large(pde) &&
		    piece_end(pt, &job) - job.vaddr < pde_size(pt))
			return pgtable_refuse(pt,
					      "%p: a large page would be "
					      "cut in two",
					      (vaddr_t)job.vaddr);
	}
	return NULL;
}

static void unmap_piece(struct pgtable *pt, const struct job *job)
{
	port_atomic_t *entry = pgtable_directory_entry(pt, (vaddr_t)job->vaddr);
	pte_t pde = entry ? pgtable_entry_read(entry, pt->pae) : 0;
	uint64_t end = piece_end(pt, job);

	if (pte_none(pde))
		return;
	if (pde_is_large(pde)) {
		pgtable_entry_clear(entry, pt->pae);
		return;
	}
	for (uint64_t vaddr = job->vaddr; vaddr < end; vaddr += PAGE_SIZE)
		pgtable_entry_clear(pte_at(pt, pte_pfn(pde), (vaddr_t)vaddr),
				    pt->pae);
}

const char *pgtable_unmap(struct pgtable *pt, vaddr_t vaddr, uint64_t size)
{
	struct job job = { .vaddr = vaddr, .end = vaddr + size };
	const char *why = check_bounds(pt, vaddr, size);

	if (!why)
		why = check_unmap(pt, job);
	if (why)
		return why;
	for (; job.vaddr < job.end; next_piece(pt, &job))
		unmap_piece(pt, &job);
	return NULL;
}

/* ---- Looking --------------------------------------------------------------------------- */

port_atomic_t *pgtable_pte(const struct pgtable *pt, vaddr_t vaddr)
{
	port_atomic_t *entry = pgtable_directory_entry(pt, vaddr);
	pte_t pde = entry ? pgtable_entry_read(entry, pt->pae) : 0;

	if (!pte_present(pde) || pde_is_large(pde))
		return NULL;
	return pte_at(pt, pte_pfn(pde), vaddr);
}

static struct pgtable_mapping mapping_of_pte(pte_t pte)
{
	if (!pte_present(pte))
		return (struct pgtable_mapping){ .size = PAGE_SIZE };
	return (struct pgtable_mapping){
		.prot = pte & PROT_BITS,
		.pfn = pte_pfn(pte),
		.size = PAGE_SIZE,
	};
}

struct pgtable_mapping pgtable_lookup(const struct pgtable *pt, vaddr_t vaddr)
{
	port_atomic_t *entry = pgtable_directory_entry(pt, vaddr);
	pfn_t pages = (pfn_t)(pde_size(pt) >> PAGE_SHIFT);
	pte_t pde;

	if (!entry)
		return (struct pgtable_mapping){ .size = (uint64_t)1
							 << PDPTE_SHIFT };
	pde = pgtable_entry_read(entry, pt->pae);
	if (!pte_present(pde))
		return (struct pgtable_mapping){ .size = pde_size(pt) };
	if (!pde_is_large(pde))
		return mapping_of_pte(pgtable_entry_read(
			pte_at(pt, pte_pfn(pde), vaddr), pt->pae));
	return (struct pgtable_mapping){
		.prot = prot_of_large(pde),
		.pfn = (pte_pfn(pde) & ~(pages - 1)) |
		       ((pfn_t)(vaddr >> PAGE_SHIFT) & (pages - 1)),
		.size = pde_size(pt),
	};
}
