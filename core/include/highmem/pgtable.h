/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_PGTABLE_H
#define HIGHMEM_PGTABLE_H

/*
 * The i386's page tables, as the processor walks them: two levels of 32-bit
 * entries, or with PAE three of 64-bit ones. Intel SDM, volume 3A, sections
 * 4.3 and 4.4.
 *
 *			without PAE	with PAE
 *	root		1024 PDEs	4 PDPTEs, of 1 GiB each
 *	directory	the root	512 PDEs
 *	page table	1024 PTEs	512 PTEs
 *	large page	4 MiB		2 MiB
 *
 * Two halves: operations on one entry, for a port's port_pte_*(), and the
 * building of tables, for boot. The first may be called from any context.
 * Building takes no lock: the caller lets nobody else build in the same
 * tables; processors may walk them meanwhile.
 */

#include <highmem/types.h>

#include "core/port/port.h"

/* ---- One entry ------------------------------------------------------------ */

/*
 * An entry in memory: one word, or with PAE two, the lower half first. Another
 * processor may walk it between any two accesses, so their order matters, and
 * these functions are the only place that knows it. The present bit is in the
 * lower half.
 */

/* The entry as it was at one instant, never half of one and half of another. */
pte_t pgtable_entry_read(const port_atomic_t *entry, bool pae);

/*
 * Write an entry that was none. With PAE the upper half goes first. A walker
 * sees it whole or not at all, and after all that was stored before. pre: the
 * entry is none; without PAE, @pte fits 32 bits.
 */
void pgtable_entry_set(port_atomic_t *entry, bool pae, pte_t pte);

/*
 * Exchange the entry with none: the lower half first. Returns what it was, with
 * the accessed and dirty bits that the processor had set by then. No flush.
 */
pte_t pgtable_entry_clear(port_atomic_t *entry, bool pae);

/* ---- A tree of tables ------------------------------------------------------ */

/* No frame: what alloc() returns when there is none. */
#define PGTABLE_NO_FRAME UINT32_MAX

/*
 * Where tables come from. A frame's content may be anything. Without PAE, and
 * for the root always, it must lie below 4 GiB: CR3 has 32 bits.
 */
struct pgtable_memory {
	void *arg;
	pfn_t (*alloc)(void *arg);
	void (*free)(void *arg, pfn_t pfn);
	/* Where the core reaches the frame, a page of words. Never NULL. */
	port_atomic_t *(*table)(void *arg, pfn_t pfn);
};

struct pgtable {
	struct pgtable_memory memory;
	bool pae;
	bool nx;	     /* EFER.NXE is set: PTE_NX may be used. PAE only */
	pfn_t root;	     /* for CR3 */
	uint32_t nr_tables;  /* frames that are its own, the root among them */
	vaddr_t linked_from; /* from here on the master's tables; 0: nowhere */
	char why[128];	     /* the sentence of the last refusal */
};

/*
 * The empty tree. Returns NULL, or a sentence: no frame for the root, or one
 * that CR3 cannot name. pre: @memory's functions are set.
 */
const char *pgtable_init(struct pgtable *pt,
			 const struct pgtable_memory *memory, bool pae,
			 bool nx);

/*
 * Gives back every frame that this tree took; not the kernel's tables that
 * pgtable_link_kernel() put there. An empty tree, after a refusal or for the
 * second time, has none. pre: no processor uses the tree.
 */
void pgtable_destroy(struct pgtable *pt);

struct pgtable_range {
	vaddr_t vaddr;
	paddr_t paddr;
	uint64_t size;
	/*
	 * Bits of a 4 KiB PTE: PTE_PRESENT and any of PTE_WRITE, _USER, _PWT,
	 * _PCD, _PAT, _GLOBAL, _ACCESSED, _DIRTY, _NX.
	 */
	pte_t prot;
	/*
	 * Large pages wherever both addresses are aligned, enough is left and
	 * no page table is there. Without PAE: CR4.PSE must be set.
	 */
	bool large;
};

/*
 * Map a range. All or nothing: returns NULL, or a sentence, and then not a word
 * of the tables is different and no frame is missing. Refused: addresses or a
 * size that are no multiple of PAGE_SIZE, nothing to map, a range that leaves
 * the 4 GiB or what an entry can hold, bits that @pt cannot have, an address
 * that is mapped already or belongs to the master, a page for user mode in a
 * page table that is the kernel's, and no frame for a table. No flush is needed: what
 * was none is in no TLB. With PAE a new PDPTE is not seen by a processor before
 * it loads CR3 again (pgtable_prepare() makes them at boot).
 */
const char *pgtable_map(struct pgtable *pt, const struct pgtable_range *range);

/*
 * Unmap a range; what is not mapped in it stays so. Refused, with nothing
 * changed, where it would cut a large page in two. Tables stay, they may be in
 * paging-structure caches and in other trees. The caller flushes.
 */
const char *pgtable_unmap(struct pgtable *pt, vaddr_t vaddr, uint64_t size);

/*
 * Let the page tables of a range exist, empty, so that PTEs can be set later
 * in any context: pkmap and the fixmap. All or nothing; refused where a large
 * page is in the way.
 */
const char *pgtable_prepare(struct pgtable *pt, vaddr_t vaddr, uint64_t size);

/*
 * The PTE of @vaddr, none or not; NULL where it has no page table, a large page
 * included. Any context; the answer stays true as long as the tree lives.
 */
port_atomic_t *pgtable_pte(const struct pgtable *pt, vaddr_t vaddr);

/*
 * May an entry of a 4 KiB page of the kernel's have these bits? It needs the
 * present bit; PTE_USER is not the kernel's; a bit that the processor reserves
 * makes it fault, as NX does without PAE. NULL, or what is wrong. Any context.
 */
const char *pgtable_check_prot(pte_t prot, bool pae);

/* What maps an address. */
struct pgtable_mapping {
	pte_t prot;    /* bits of a 4 KiB PTE, whatever the size; 0: nothing */
	pfn_t pfn;     /* the frame of this very page, in a large one, too */
	uint64_t size; /* of the page; with prot 0, of the hole that is sure */
};

struct pgtable_mapping pgtable_lookup(const struct pgtable *pt, vaddr_t vaddr);

/*
 * The master kernel page directory: let @to have @master's kernel, from
 * @page_offset to the end, by pointing to the same tables. To be called for a
 * new tree, and again after a top-level entry of @master changed. Returns NULL
 * or a sentence: @page_offset must be a multiple of what a top-level entry
 * covers, 1 GiB with PAE and 4 MiB without; both must be of the same kind; @to
 * must have nothing of its own there, and be linked at one address only.
 *
 * *@reload says: processors that run on @to may keep what was there, invlpg
 * notwithstanding (PDPTEs with PAE), and must load CR3 again. Xen lost such a
 * flush once (cb199cc7de).
 */
const char *pgtable_link_kernel(struct pgtable *to,
				const struct pgtable *master,
				vaddr_t page_offset, bool *reload);

/* ---- A kernel's tables ------------------------------------------------------ */

struct layout;

/* A piece of the direct map that is different. Page aligned. */
struct pgtable_piece {
	vaddr_t start;
	vaddr_t end;
	pte_t prot; /* 0: not mapped, a guard */
};

struct pgtable_kernel {
	pte_t prot; /* of the direct map; without PTE_NX: see pieces */
	bool large;
	/*
	 * In order, apart from each other, inside the direct map. They are
	 * mapped with 4 KiB pages.
	 */
	const struct pgtable_piece *pieces;
	unsigned int nr_pieces;
	/* Below this address 4 KiB pages only. 0: no such wish. */
	vaddr_t small_below;
};

/*
 * A kernel's final tables in an empty tree: the direct map of @layout, and
 * empty page tables for pkmap and the fixmap. Returns NULL, or a sentence; the
 * caller then destroys @pt.
 */
const char *pgtable_build_kernel(struct pgtable *pt,
				 const struct layout *layout,
				 const struct pgtable_kernel *kernel);

#endif
