/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_BOOT_PGTABLE_H
#define HIGHMEM_BOOT_PGTABLE_H

/* The shape of a tree of page tables, for the files that build and use it. */

#include <highmem/pgtable.h>

#define PDPTE_SHIFT 30
#define ADDRESSES ((uint64_t)1 << 32)

static inline unsigned int pde_shift(const struct pgtable *pt)
{
	return pt->pae ? 21 : 22;
}

/* What a directory entry covers: a large page, or a page table's pages. */
static inline uint64_t pde_size(const struct pgtable *pt)
{
	return (uint64_t)1 << pde_shift(pt);
}

static inline unsigned int entries_per_table(const struct pgtable *pt)
{
	return pt->pae ? 512 : 1024;
}

static inline unsigned int top_shift(const struct pgtable *pt)
{
	return pt->pae ? PDPTE_SHIFT : pde_shift(pt);
}

static inline unsigned int entries_in_root(const struct pgtable *pt)
{
	return pt->pae ? 4 : 1024;
}

static inline bool pde_is_large(pte_t pde)
{
	return (pde & PDE_LARGE) != 0;
}

static inline port_atomic_t *entry_at(const struct pgtable *pt, pfn_t table,
				      unsigned int index)
{
	return pt->memory.table(pt->memory.arg, table) +
	       index * (pt->pae ? 2 : 1);
}

static inline port_atomic_t *root_entry(const struct pgtable *pt, vaddr_t vaddr)
{
	return entry_at(pt, pt->root, (unsigned int)(vaddr >> top_shift(pt)));
}

static inline port_atomic_t *pte_at(const struct pgtable *pt, pfn_t table,
				    vaddr_t vaddr)
{
	return entry_at(pt, table,
			(vaddr >> PAGE_SHIFT) & (entries_per_table(pt) - 1));
}

/* The directory entry of @vaddr; NULL where PAE has no directory. */
port_atomic_t *pgtable_directory_entry(const struct pgtable *pt, vaddr_t vaddr);

/* Remember why something is refused, and return that. */
const char *pgtable_refuse(struct pgtable *pt, const char *format, ...);

#endif
