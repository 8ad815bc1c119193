/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/ports/sim/sim_mmu.h"

/*
 * Physical memory: a few frames for the page tables at the bottom, and the
 * frames of mem_map. Page tables are bytes in frames, in the i386's format.
 */

#define TABLE_BASE_PFN 1
#define TABLE_FRAMES 4

enum {
	FRAME_ROOT, /* page directory; with PAE the PDPT */
	FRAME_PD,   /* with PAE: the page directory of the last GiB */
	FRAME_PT_PKMAP,
	FRAME_PT_FIXMAP,
};

static uint8_t table_frames[TABLE_FRAMES][PAGE_SIZE];
static uint8_t page_frames[MACHINE_LOWMEM_PAGES + MACHINE_MAX_PAGES][PAGE_SIZE];

/* Pages whose frame is no longer all zero. */
static uint16_t dirty[MACHINE_LOWMEM_PAGES + MACHINE_MAX_PAGES];
static bool is_dirty[MACHINE_LOWMEM_PAGES + MACHINE_MAX_PAGES];
static unsigned int nr_dirty;

static uint8_t *page_frame(uint32_t index)
{
	if (!is_dirty[index]) {
		is_dirty[index] = true;
		dirty[nr_dirty++] = (uint16_t)index;
	}
	return page_frames[index];
}

/* The bytes of a physical frame, or NULL where there is no memory. */
static uint8_t *frame_of(pfn_t pfn)
{
	const struct highmem_config *config = &sim.hm.config;

	if (pfn - TABLE_BASE_PFN < TABLE_FRAMES)
		return table_frames[pfn - TABLE_BASE_PFN];
	if (pfn >= config->first_pfn &&
	    pfn - config->first_pfn < config->nr_pages)
		return page_frame(pfn - config->first_pfn);
	return NULL;
}

/* ---- Page tables ----------------------------------------------------------- */

pte_t sim_entry_read(const uint8_t *table, unsigned int index)
{
	uint32_t narrow;
	pte_t entry;

	if (sim.config.pae) {
		memcpy(&entry, table + index * sizeof(entry), sizeof(entry));
		return entry;
	}
	memcpy(&narrow, table + index * sizeof(narrow), sizeof(narrow));
	return narrow;
}

void sim_entry_write(uint8_t *table, unsigned int index, pte_t entry)
{
	uint32_t narrow = (uint32_t)entry;

	if (sim.config.pae)
		memcpy(table + index * sizeof(entry), &entry, sizeof(entry));
	else
		memcpy(table + index * sizeof(narrow), &narrow, sizeof(narrow));
}

static uint8_t *next_table(pte_t entry)
{
	return pte_present(entry) ? frame_of(pte_pfn(entry)) : NULL;
}

/* The page table for @vaddr and the entry's index in it; NULL if none. */
uint8_t *sim_walk(vaddr_t vaddr, unsigned int *index)
{
	uint8_t *table = table_frames[FRAME_ROOT];

	if (!sim.config.pae) {
		*index = (vaddr >> 12) & 1023;
		return next_table(sim_entry_read(table, (vaddr >> 22) & 1023));
	}
	table = next_table(sim_entry_read(table, (vaddr >> 30) & 3));
	if (!table)
		return NULL;
	*index = (vaddr >> 12) & 511;
	return next_table(sim_entry_read(table, (vaddr >> 21) & 511));
}

static void link_table(uint8_t *table, unsigned int index, unsigned int frame)
{
	sim_entry_write(table, index,
		    pte_make(TABLE_BASE_PFN + frame, PTE_PRESENT | PTE_WRITE));
}

static void build_tables(void)
{
	uint8_t *root = table_frames[FRAME_ROOT];
	uint8_t *pd = table_frames[FRAME_PD];

	if (!sim.config.pae) {
		link_table(root, PKMAP_BASE_NONPAE >> 22, FRAME_PT_PKMAP);
		link_table(root, FIXADDR_START >> 22, FRAME_PT_FIXMAP);
		return;
	}
	/* A PDPTE has no write bit; only present is set. */
	sim_entry_write(root, 3, pte_make(TABLE_BASE_PFN + FRAME_PD, PTE_PRESENT));
	link_table(pd, (PKMAP_BASE_PAE >> 21) & 511, FRAME_PT_PKMAP);
	link_table(pd, (FIXADDR_START >> 21) & 511, FRAME_PT_FIXMAP);
}

pte_t port_pte_read(vaddr_t vaddr)
{
	unsigned int index;
	uint8_t *table = sim_walk(vaddr, &index);

	return table ? sim_entry_read(table, index) : 0;
}

static pte_t pte_exchange(vaddr_t vaddr, pte_t pte)
{
	unsigned int index;
	uint8_t *table = sim_walk(vaddr, &index);
	pte_t old;

	if (!table) {
		port_bug("sim: a PTE without a page table");
		return 0;
	}
	old = sim_entry_read(table, index);
	sim_entry_write(table, index, pte);
	return old;
}

/*
 * The store buffer is drained first: these words are read by page walkers, and
 * a PTE is modelled as written by a locked operation.
 */
void port_pte_set(vaddr_t vaddr, pte_t pte)
{
	pte_t old;

	sim_point(SIM_PTE_SET);
	sim_drain(sim.cpu);
	old = pte_exchange(vaddr, pte);
	if (pte_present(old))
		port_bug("sim: port_pte_set over a PTE that is present");
	sim_tlb_pte_changed(vaddr, true);
	sim_tell(SIM_PTE_SET, (void *)vaddr, old, pte,
		 __builtin_return_address(0));
}

pte_t port_pte_clear(vaddr_t vaddr)
{
	pte_t old;

	sim_point(SIM_PTE_CLEAR);
	sim_drain(sim.cpu);
	sim_tlb_pte_changed(vaddr, false);
	old = pte_exchange(vaddr, 0);
	sim_tell(SIM_PTE_CLEAR, (void *)vaddr, old, 0,
		 __builtin_return_address(0));
	return old;
}

/* ---- Memory as tasks see it -------------------------------------------------- */

static uint32_t *word_at(const void *addr, pte_t set)
{
	const struct highmem_config *config = &sim.hm.config;
	vaddr_t vaddr = (vaddr_t)addr;
	vaddr_t lowmem = vaddr - config->page_offset;
	uint8_t *frame = NULL;
	char why[64];

	if (lowmem >> PAGE_SHIFT < config->highmem_start_pfn) {
		frame = frame_of((pfn_t)(lowmem >> PAGE_SHIFT));
	} else {
		pte_t pte = sim_translate(&sim.cpus[sim.cpu], vaddr, set);

		if (pte_present(pte))
			frame = frame_of(pte_pfn(pte));
	}
	if (frame)
		return (uint32_t *)(void *)(frame + (vaddr & ~PAGE_MASK));
	hm_format(why, sizeof(why), "page fault at %p on CPU %u", vaddr,
		  sim.cpu);
	port_bug(why);
	return NULL;
}

uint32_t machine_load32(const void *vaddr)
{
	const uint32_t *word;
	uint32_t value;

	sim_point(SIM_MEM_LOAD);
	word = word_at(vaddr, PTE_ACCESSED);
	value = word ? *word : 0;
	sim_tell(SIM_MEM_LOAD, vaddr, value, value,
		 __builtin_return_address(0));
	return value;
}

void machine_store32(void *vaddr, uint32_t value)
{
	uint32_t *word;

	sim_point(SIM_MEM_STORE);
	word = word_at(vaddr, PTE_ACCESSED | PTE_DIRTY);
	if (word)
		*word = value;
	sim_tell(SIM_MEM_STORE, vaddr, 0, value, __builtin_return_address(0));
}

static uint32_t *word_of(const struct page *page, unsigned int offset)
{
	return (uint32_t *)(void *)(page_frame(
					    (uint32_t)(page -
						       sim.hm.config.mem_map)) +
				    offset);
}

uint32_t machine_peek32(const struct page *page, unsigned int offset)
{
	return *word_of(page, offset);
}

void machine_poke32(struct page *page, unsigned int offset, uint32_t value)
{
	*word_of(page, offset) = value;
}

/* The words of a page that a program can touch (core/testing/oracle.c). */
static uint64_t hash_page(uint64_t hash, uint32_t index)
{
	const uint32_t *words = (const void *)page_frames[index];

	for (unsigned int i = 0; i <= 6; i++)
		hash = sim_mix(hash, words[16 * i]);
	return sim_mix(hash, words[PAGE_SIZE / 4 - 1]);
}

static uint64_t hash_ptes(uint64_t hash)
{
	for (unsigned int s = 0; s < sim.config.nr_slots; s++)
		hash = sim_mix(hash, port_pte_read(sim.hm.config.pkmap_base +
						   s * PAGE_SIZE));
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		for (unsigned int i = 0; i < sim.config.local_depth; i++)
			hash = sim_mix(hash, port_pte_read(fixmap_vaddr(
						     FIX_KMAP_BEGIN +
						     c * KM_MAX_IDX + i)));
	return hash;
}

uint64_t sim_mmu_hash(uint64_t hash)
{
	hash = hash_ptes(hash);
	for (uint32_t i = 0; i < sim.hm.config.nr_pages; i++)
		hash = hash_page(hash, i);
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		hash = sim_mix(hash, sim_tlb_hash(&sim.cpus[c]));
	return hash;
}

void sim_mmu_reset(void)
{
	while (nr_dirty > 0) {
		unsigned int index = dirty[--nr_dirty];

		is_dirty[index] = false;
		memset(page_frames[index], 0, PAGE_SIZE);
	}
	memset(table_frames, 0, sizeof(table_frames));
	build_tables();
	sim_tlb_reset();
}
