/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_TYPES_H
#define HIGHMEM_TYPES_H

/*
 * The words that every layer shares: frame numbers, kernel virtual
 * addresses, and page table entries in the format the i386 MMU reads.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Page frame number: a physical address divided by PAGE_SIZE. */
typedef uint32_t pfn_t;

#define PFN_NONE UINT32_MAX /* no frame has it */

/* A physical address, in bytes: 32 bits without PAE, 36 with it. */
typedef uint64_t paddr_t;

/* Frames in one piece. */
struct page_range {
	pfn_t first_pfn;
	uint32_t nr_pages;
};

/* A kernel virtual address as a number; never dereferenced by the core. */
typedef uintptr_t vaddr_t;

/*
 * A page table entry. With PAE all 64 bits are stored; without it the upper
 * 32 bits are zero and only the lower half exists in the table.
 */
typedef uint64_t pte_t;

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

/* Bits of a PTE, as in the Intel SDM, volume 3A, section 4.3 and 4.4. */
#define PTE_PRESENT ((pte_t)1 << 0)
#define PTE_WRITE ((pte_t)1 << 1)
#define PTE_USER ((pte_t)1 << 2)
#define PTE_PWT ((pte_t)1 << 3)
#define PTE_PCD ((pte_t)1 << 4)
#define PTE_ACCESSED ((pte_t)1 << 5)
#define PTE_DIRTY ((pte_t)1 << 6)
#define PTE_PAT ((pte_t)1 << 7) /* of a 4 KiB page */
#define PTE_GLOBAL ((pte_t)1 << 8)
#define PTE_NX ((pte_t)1 << 63) /* PAE with EFER.NXE */

/* The same bit of a directory entry says: a large page. Its PAT is bit 12. */
#define PDE_LARGE ((pte_t)1 << 7)
#define PDE_PAT ((pte_t)1 << 12)

/* Frame numbers that a PTE can hold: 20 bits without PAE, 24 with it. */
#define PFN_BITS_NONPAE 20
#define PFN_BITS_PAE 24

static inline pte_t pte_make(pfn_t pfn, pte_t prot)
{
	return ((pte_t)pfn << PAGE_SHIFT) | prot;
}

static inline pfn_t pte_pfn(pte_t pte)
{
	return (pfn_t)((pte & ~PTE_NX) >> PAGE_SHIFT);
}

static inline bool pte_present(pte_t pte)
{
	return (pte & PTE_PRESENT) != 0;
}

static inline bool pte_none(pte_t pte)
{
	return pte == 0;
}

#endif
