/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "fuzz/pgtable/check.h"
#include "fuzz/pgtable/memory.h"

#define SMALL_LOWMEM (128 * LAYOUT_MIB)

static struct walk_cpu cpu;
static const struct layout *layout;
static struct pgtable_kernel kernel;
static struct pgtable_piece pieces[PGTABLE_INPUT_PIECES];
static struct pgtable tree;

/* ---- What is wanted ---------------------------------------------------------- */

static pte_t prot_of(const char *name, bool nx)
{
	pte_t no_execute = nx ? PTE_NX : 0;

	if (strcmp(name, "none") == 0)
		return 0;
	if (strcmp(name, "rx") == 0)
		return PTE_PRESENT;
	return PTE_PRESENT | no_execute |
	       (strcmp(name, "rw") == 0 ? PTE_WRITE : 0);
}

/* Pages of pieces are small, and there is a table for each 512 of them. */
#define MAX_PIECE_PAGES 16384u

/* Pieces that are out of order, outside or too large are left out. */
static void want(const struct pgtable_input *input)
{
	vaddr_t last = layout->page_offset;
	uint32_t room = MAX_PIECE_PAGES;

	kernel = (struct pgtable_kernel){
		.prot = prot_of("rw", input->nx),
		.large = !input->small || layout->lowmem_end >>
						  (20 - PAGE_SHIFT) >
						  SMALL_LOWMEM >> 20,
		.pieces = pieces,
	};
	for (unsigned int i = 0; i < input->nr_pieces; i++) {
		const struct pgtable_input_piece *piece = &input->piece[i];
		uint64_t end = (uint64_t)piece->page + piece->nr;
		vaddr_t start = layout->page_offset +
				((vaddr_t)piece->page << PAGE_SHIFT);

		if (piece->nr == 0 || piece->nr > room || start < last ||
		    end > layout->lowmem_end)
			continue;
		room -= piece->nr;
		last = start + ((vaddr_t)piece->nr << PAGE_SHIFT);
		pieces[kernel.nr_pieces++] = (struct pgtable_piece){
			start, last, prot_of(piece->prot, input->nx)
		};
	}
}

static pte_t wanted_prot(uint64_t vaddr)
{
	if (vaddr < layout->page_offset || vaddr >= layout->high_memory)
		return 0;
	for (unsigned int i = 0; i < kernel.nr_pieces; i++)
		if (vaddr >= pieces[i].start && vaddr < pieces[i].end)
			return pieces[i].prot;
	return kernel.prot;
}

/* ---- What the walker finds ------------------------------------------------------ */

static const char *check_access(uint32_t vaddr, unsigned int access,
				bool allowed)
{
	struct walk_page page;
	uint32_t error;
	bool good = walk(&cpu, &pgtable_walk_memory, vaddr, access, &page,
			 &error);

	if (good != allowed)
		return pgtable_wrong("%#x: access %u %s", vaddr, access,
				     good ? "is not refused" : "faults");
	if (!good && (error & WALK_ERROR_RESERVED))
		return pgtable_wrong("%#x: a reserved bit is set", vaddr);
	if (good && page.paddr != layout_pa(layout, vaddr))
		return pgtable_wrong("%#x is at %#" PRIx64
				     ", __pa says %#" PRIx64,
				     vaddr, page.paddr,
				     layout_pa(layout, vaddr));
	if (good && page.size != pgtable_lookup(&tree, vaddr).size)
		return pgtable_wrong("%#x: a lookup finds another page size",
				     vaddr);
	return NULL;
}

static const char *check_address(uint64_t vaddr)
{
	pte_t prot = wanted_prot(vaddr);
	struct pgtable_mapping seen = pgtable_lookup(&tree, (vaddr_t)vaddr);
	uint32_t at = (uint32_t)vaddr;
	bool mapped = pte_present(prot);
	bool executable = mapped && !(prot & PTE_NX);
	const char *why = check_access(at, WALK_USER, false);

	if (!why)
		why = check_access(at, WALK_READ, mapped);
	if (!why)
		why = check_access(at, WALK_FETCH, executable);
	if (!why)
		why = check_access(at, WALK_WRITE,
				   mapped && (prot & PTE_WRITE));
	if (why)
		return why;
	if ((seen.prot & ~(PTE_ACCESSED | PTE_DIRTY)) != prot)
		return pgtable_wrong("%#x: a lookup says %#" PRIx64, at,
				     seen.prot);
	if (mapped && seen.pfn != layout_pa(layout, at) >> PAGE_SHIFT)
		return pgtable_wrong("%#x: a lookup finds frame %#x", at,
				     seen.pfn);
	return NULL;
}

/* The byte, the one before it, and those a page away. */
static const char *check_around(uint64_t vaddr)
{
	static const int64_t near[] = { -4096, -1, 0, 4096 };
	const char *why = NULL;

	for (unsigned int i = 0; i < 4 && !why; i++) {
		uint64_t at = vaddr + (uint64_t)near[i];

		if (at < (uint64_t)1 << 32)
			why = check_address(at);
	}
	return why;
}

static const char *check_everywhere(void)
{
	const uint64_t mib = LAYOUT_MIB;
	const char *why = NULL;

	for (unsigned int i = 0; i < LAYOUT_NR_AREAS && !why; i++)
		why = check_around(layout->area[i].start);
	for (unsigned int i = 0; i < kernel.nr_pieces && !why; i++) {
		why = check_around(pieces[i].start);
		if (!why)
			why = check_around(pieces[i].end);
	}
	/* Where large pages begin and end, near both ends and inside. */
	for (uint64_t at = layout->page_offset;
	     at < layout->high_memory && !why; at += 2 * mib)
		if (at - layout->page_offset < 16 * mib ||
		    layout->high_memory - at < 16 * mib || at % (64 * mib) == 0)
			why = check_around(at);
	return why;
}

/* ---- pkmap and the fixmap: empty page tables that work --------------------------- */

static const char *check_window(vaddr_t vaddr)
{
	pfn_t pfn = (pfn_t)(layout->max_pfn - 1);
	pte_t pte = pte_make(pfn, PTE_PRESENT | PTE_WRITE);
	port_atomic_t *entry = pgtable_pte(&tree, vaddr);
	struct walk_page page;
	uint32_t error;
	pte_t left;

	if (!entry)
		return pgtable_wrong("%#lx has no page table",
				     (unsigned long)vaddr);
	pgtable_entry_set(entry, cpu.pae, pte);
	if (!walk(&cpu, &pgtable_walk_memory, (uint32_t)vaddr + 4095,
		  WALK_WRITE, &page, &error) ||
	    page.paddr != ((uint64_t)pfn << PAGE_SHIFT | 4095))
		return pgtable_wrong("%#lx does not show the last frame",
				     (unsigned long)vaddr);
	left = pgtable_entry_clear(entry, cpu.pae);
	if (left != (pte | PTE_ACCESSED | PTE_DIRTY))
		return pgtable_wrong("the MMU left %#" PRIx64 " at %#lx", left,
				     (unsigned long)vaddr);
	return check_address(vaddr);
}

static const char *check_windows(void)
{
	static const unsigned int areas[] = { LAYOUT_PKMAP, LAYOUT_FIXMAP };
	const char *why = NULL;

	for (unsigned int i = 0; i < 2 && !why; i++) {
		const struct layout_area *area = &layout->area[areas[i]];

		why = check_window((vaddr_t)area->start);
		if (!why)
			why = check_window((vaddr_t)(area->end - PAGE_SIZE));
	}
	return why;
}

/*
 * The last page there is: it is nobody's, its table is the fixmap's, and the
 * address behind it does not fit 32 bits.
 */
static const char *check_last_page(void)
{
	const struct pgtable_range last = {
		.vaddr = (vaddr_t)layout->area[LAYOUT_HOLE].start,
		.size = PAGE_SIZE,
		.prot = PTE_PRESENT,
	};
	const char *why = pgtable_map(&tree, &last);

	if (why)
		return why;
	if (pgtable_lookup(&tree, UINT32_MAX).prot != PTE_PRESENT)
		return pgtable_wrong("the last page cannot be mapped");
	if (!pgtable_map(&tree, &last))
		return pgtable_wrong("the last page was mapped over");
	why = pgtable_unmap(&tree, last.vaddr, last.size);
	return why ? why : check_around(last.vaddr);
}

/* ---- Building ----------------------------------------------------------------------- */

static const char *build(bool pae, bool nx)
{
	const char *why = pgtable_init(&tree, &pgtable_memory, pae, nx);

	return why ? why : pgtable_build_kernel(&tree, layout, &kernel);
}

static const char *check_given_back(void)
{
	pgtable_destroy(&tree);
	if (pgtable_memory_taken())
		return pgtable_wrong("%u frames are lost",
				     pgtable_memory_taken());
	return pgtable_memory_misuse();
}

/* The direct map away, and nothing is mapped. */
static const char *check_unmap(void)
{
	uint64_t size = layout->high_memory - layout->page_offset;
	const char *why = pgtable_unmap(&tree, layout->page_offset, size);

	if (why)
		return why;
	pieces[0] = (struct pgtable_piece){ layout->page_offset,
					    layout->high_memory, 0 };
	kernel.nr_pieces = 1;
	return check_everywhere();
}

static const char *check_built(const struct pgtable_input *input)
{
	const char *why;

	cpu = (struct walk_cpu){
		.pae = input->pae,
		.pse = true,
		.nxe = input->nx,
		.wp = true,
		.phys_bits = 36,
	};
	if (!walk_load_cr3(&cpu, &pgtable_walk_memory,
			   (uint32_t)tree.root << PAGE_SHIFT))
		return pgtable_wrong("CR3 cannot be loaded");
	why = check_everywhere();
	if (!why)
		why = check_windows();
	if (!why)
		why = check_last_page();
	return why ? why : check_unmap();
}

const char *pgtable_check_tables(const struct pgtable_input *input,
				 const struct layout *of)
{
	const char *why;

	layout = of;
	want(input);
	pgtable_memory_reset(layout, input->fail);
	why = build(input->pae, input->nx);
	if (!why != (pgtable_memory_allocs() <= input->fail))
		return pgtable_wrong("an allocation failed, and the build "
				     "says: %s",
				     why ? why : "all is well");
	if (why) {
		why = check_given_back();
		pgtable_memory_reset(layout, PGTABLE_NO_FAIL);
		if (!why)
			why = build(input->pae, input->nx);
	}
	if (!why)
		why = check_built(input);
	return why ? why : check_given_back();
}
