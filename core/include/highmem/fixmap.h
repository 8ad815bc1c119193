/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_FIXMAP_H
#define HIGHMEM_FIXMAP_H

/*
 * The fixmap: addresses known at compile time, at the top of the 4 GiB,
 * growing down. Index 0 is the page right below FIXADDR_TOP. The pkmap area
 * lies below it, on a page table of its own:
 *
 *	0xffffffff  +----------------------+
 *	            | hole, one page       |  catches a wrapped pointer
 *	FIXADDR_TOP +----------------------+
 *	            | fixed addresses      |  index 0, 1, 2 ... downwards,
 *	            | kmap_local windows   |  KM_MAX_IDX for each CPU
 *	            | the kernel's own     |  from FIX_APIC_BASE on
 *	FIXADDR_START  ------------------- +
 *	            | unused, at least one | guard
 *	            | page                 |
 *	            +----------------------+
 *	            | pkmap, LAST_PKMAP    |
 *	PKMAP_BASE  +----------------------+
 *
 * After Linux: arch/x86/include/asm/fixmap.h and pgtable_32_areas.h.
 */

#include <highmem/types.h>

#define HIGHMEM_MAX_CPUS 8

/* Local maps that one task and the interrupts above it may nest. */
#define KM_MAX_IDX 16

enum fixed_addresses {
	FIX_HOLE,
	FIX_KMAP_BEGIN,
	FIX_KMAP_END = FIX_KMAP_BEGIN + KM_MAX_IDX * HIGHMEM_MAX_CPUS - 1,
	FIX_HOLE_BELOW,
	FIX_APIC_BASE, /* the local APIC's registers */
	FIX_EARLY,     /* a page that boot looks at for a moment */
	__end_of_fixed_addresses
};

#define FIXADDR_TOP ((vaddr_t)0xfffff000)
#define FIXADDR_SIZE ((vaddr_t)__end_of_fixed_addresses << PAGE_SHIFT)
#define FIXADDR_START (FIXADDR_TOP - FIXADDR_SIZE)

/* One page table maps 4 MiB without PAE, 2 MiB with it. */
#define LAST_PKMAP_NONPAE 1024
#define LAST_PKMAP_PAE 512

/* The page table below the one that holds FIXADDR_START. */
#define PKMAP_BASE_FOR(last) \
	((FIXADDR_START & ~((vaddr_t)(last) * PAGE_SIZE - 1)) - \
	 (vaddr_t)(last) * PAGE_SIZE)
#define PKMAP_BASE_NONPAE PKMAP_BASE_FOR(LAST_PKMAP_NONPAE)
#define PKMAP_BASE_PAE PKMAP_BASE_FOR(LAST_PKMAP_PAE)

_Static_assert((FIXADDR_TOP - 1) / (LAST_PKMAP_PAE * PAGE_SIZE) ==
		       FIXADDR_START / (LAST_PKMAP_PAE * PAGE_SIZE),
	       "the fixmap fits one PAE page table");

/* The address of fixmap entry @idx, any index: index 0 is the highest. */
static inline vaddr_t fixmap_vaddr(unsigned int idx)
{
	return FIXADDR_TOP - ((vaddr_t)(idx + 1) << PAGE_SHIFT);
}

/*
 * The address of the constant fixmap entry @idx. An index out of range does
 * not compile; an index known only at run time uses fixmap_vaddr().
 */
#define fix_to_virt(idx) \
	(fixmap_vaddr(idx) + \
	 0 * sizeof(struct { \
		 _Static_assert((idx) >= 0 && (idx) < __end_of_fixed_addresses, \
				"fixmap index out of range"); \
		 int ok; \
	 }))

/*
 * The fixmap index of @vaddr, or __end_of_fixed_addresses when it lies
 * outside. Both bounds are inclusive of the first and the last byte.
 */
static inline unsigned int virt_to_fix(vaddr_t vaddr)
{
	if (vaddr < FIXADDR_START || vaddr >= FIXADDR_TOP)
		return __end_of_fixed_addresses;
	return (unsigned int)((FIXADDR_TOP - 1 - vaddr) >> PAGE_SHIFT);
}

/* ---- Mapping the kernel's own entries --------------------------------------- */

#define FIXMAP_PROT (PTE_PRESENT | PTE_WRITE)
#define FIXMAP_PROT_NOCACHE (FIXMAP_PROT | PTE_PCD | PTE_PWT)

/*
 * Map @paddr, a page's, at fixmap entry @idx, or unmap the entry. It must be
 * one of the kernel's own, from FIX_APIC_BASE on: the windows are kmap_local's.
 * False, and a sentence to port_bug(), for any other entry, an address or a
 * protection that does not fit. One caller at a time for each entry.
 *
 * What was mapped there before is unmapped and every CPU forgets it, so that is
 * not for interrupts, nor while they are off (port_tlb_shootdown_pages()). An
 * entry that is none is mapped in any context. Needs the fixmap's page tables.
 */
bool fixmap_set(unsigned int idx, paddr_t paddr, pte_t prot);
bool fixmap_clear(unsigned int idx);

/*
 * The same, but only this CPU forgets what was there: for the time before other
 * CPUs run, and for entries that only this CPU ever used. Any context.
 */
bool fixmap_set_early(unsigned int idx, paddr_t paddr, pte_t prot);
bool fixmap_clear_early(unsigned int idx);

/* @idx, if it is a constant and one of the kernel's own entries. */
#define FIXMAP_OWN(idx) \
	((unsigned int)(idx) + \
	 0 * (unsigned int)sizeof(struct { \
		 _Static_assert((idx) > FIX_HOLE_BELOW && \
					(idx) < __end_of_fixed_addresses, \
				"not a fixmap entry of the kernel's own"); \
		 int ok; \
	 }))

/* Linux's names. @idx is a constant; another one does not compile. */
#define set_fixmap(idx, paddr, prot) fixmap_set(FIXMAP_OWN(idx), paddr, prot)
#define set_fixmap_nocache(idx, paddr) \
	fixmap_set(FIXMAP_OWN(idx), paddr, FIXMAP_PROT_NOCACHE)
#define clear_fixmap(idx) fixmap_clear(FIXMAP_OWN(idx))

#endif
