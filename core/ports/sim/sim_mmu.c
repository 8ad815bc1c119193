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

/*
 * What is no longer all zero, so that a reset costs as much as what happened:
 * pages, which eighths of each, and which of the tables' 64 pieces.
 */
#define PAGE_PIECE (PAGE_SIZE / 8)
#define TABLE_PIECE (TABLE_FRAMES * PAGE_SIZE / 64)

static uint16_t dirty[MACHINE_LOWMEM_PAGES + MACHINE_MAX_PAGES];
static uint8_t dirty_pieces[MACHINE_LOWMEM_PAGES + MACHINE_MAX_PAGES];
static unsigned int nr_dirty;
static uint64_t dirty_tables;

/*
 * Where walks ended, by 2 MiB: after build_tables() nothing writes the levels
 * above the page tables.
 */
static struct {
	vaddr_t region;
	uint8_t *table;
} walks[4];

/* An aligned word lies in one piece. */
static uint32_t *page_word(uint32_t index, unsigned int offset)
{
	if (dirty_pieces[index] == 0)
		dirty[nr_dirty++] = (uint16_t)index;
	dirty_pieces[index] |= (uint8_t)(1U << offset / PAGE_PIECE);
	return (uint32_t *)(void *)(page_frames[index] + offset);
}

/* A word of a physical frame, or NULL where there is no memory. */
static uint32_t *frame_word(pfn_t pfn, unsigned int offset)
{
	const struct highmem_config *config = &sim.hm.config;

	if (pfn - TABLE_BASE_PFN < TABLE_FRAMES) {
		/* A wild map, of a broken core: anything may change. */
		dirty_tables = UINT64_MAX;
		memset(walks, 0, sizeof(walks));
		return (uint32_t *)(void *)(table_frames[pfn - TABLE_BASE_PFN] +
					    offset);
	}
	if (pfn >= config->first_pfn &&
	    pfn - config->first_pfn < config->nr_pages)
		return page_word(pfn - config->first_pfn, offset);
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
	size_t offset = (size_t)(table - table_frames[0]) +
			index * (sim.config.pae ? sizeof(entry)
						: sizeof(narrow));

	dirty_tables |= UINT64_C(1) << offset / TABLE_PIECE;
	if (sim.config.pae)
		memcpy(table + index * sizeof(entry), &entry, sizeof(entry));
	else
		memcpy(table + index * sizeof(narrow), &narrow, sizeof(narrow));
}

static uint8_t *next_table(pte_t entry)
{
	pfn_t nr = pte_pfn(entry) - TABLE_BASE_PFN;

	return pte_present(entry) && nr < TABLE_FRAMES ? table_frames[nr]
						       : NULL;
}

static uint8_t *walk_from_root(vaddr_t vaddr)
{
	uint8_t *table = table_frames[FRAME_ROOT];

	if (!sim.config.pae)
		return next_table(sim_entry_read(table, (vaddr >> 22) & 1023));
	table = next_table(sim_entry_read(table, (vaddr >> 30) & 3));
	if (!table)
		return NULL;
	return next_table(sim_entry_read(table, (vaddr >> 21) & 511));
}

/* The page table for @vaddr and the entry's index in it; NULL if none. */
uint8_t *sim_walk(vaddr_t vaddr, unsigned int *index)
{
	vaddr_t region = vaddr >> 21;
	unsigned int i = region % (sizeof(walks) / sizeof(walks[0]));

	*index = (vaddr >> 12) & (sim.config.pae ? 511 : 1023);
	if (walks[i].region != region || !walks[i].table) {
		walks[i].region = region;
		walks[i].table = walk_from_root(vaddr);
	}
	return walks[i].table;
}

static void link_table(uint8_t *table, unsigned int index, unsigned int frame)
{
	sim_entry_write(table, index,
			pte_make(TABLE_BASE_PFN + frame,
				 PTE_PRESENT | PTE_WRITE));
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
	sim_entry_write(root, 3,
			pte_make(TABLE_BASE_PFN + FRAME_PD, PTE_PRESENT));
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
	unsigned int offset = vaddr & ~PAGE_MASK;
	uint32_t *word = NULL;
	char why[64];

	if (lowmem >> PAGE_SHIFT < config->highmem_start_pfn) {
		word = frame_word((pfn_t)(lowmem >> PAGE_SHIFT), offset);
	} else {
		pte_t pte = sim_translate(&sim.cpus[sim.cpu], vaddr, set);

		if (pte_present(pte))
			word = frame_word(pte_pfn(pte), offset);
	}
	if (word)
		return word;
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
	return page_word((uint32_t)(page - sim.hm.config.mem_map), offset);
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

static void clean_page(unsigned int index)
{
	for (unsigned int i = 0; dirty_pieces[index] >> i != 0; i++)
		if (dirty_pieces[index] >> i & 1)
			memset(page_frames[index] + i * PAGE_PIECE, 0,
			       PAGE_PIECE);
	dirty_pieces[index] = 0;
}

void sim_mmu_reset(void)
{
	while (nr_dirty > 0)
		clean_page(dirty[--nr_dirty]);
	for (unsigned int i = 0; i < 64; i++)
		if (dirty_tables >> i & 1)
			memset((uint8_t *)table_frames + i * TABLE_PIECE, 0,
			       TABLE_PIECE);
	dirty_tables = 0;
	memset(walks, 0, sizeof(walks));
	build_tables();
	sim_tlb_reset();
}
