/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/ports/sim/sim.h"

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

static pte_t entry_read(const uint8_t *table, unsigned int index)
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

static void entry_write(uint8_t *table, unsigned int index, pte_t entry)
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
static uint8_t *walk(vaddr_t vaddr, unsigned int *index)
{
	uint8_t *table = table_frames[FRAME_ROOT];

	if (!sim.config.pae) {
		*index = (vaddr >> 12) & 1023;
		return next_table(entry_read(table, (vaddr >> 22) & 1023));
	}
	table = next_table(entry_read(table, (vaddr >> 30) & 3));
	if (!table)
		return NULL;
	*index = (vaddr >> 12) & 511;
	return next_table(entry_read(table, (vaddr >> 21) & 511));
}

static void link_table(uint8_t *table, unsigned int index, unsigned int frame)
{
	entry_write(table, index,
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
	entry_write(root, 3, pte_make(TABLE_BASE_PFN + FRAME_PD, PTE_PRESENT));
	link_table(pd, (PKMAP_BASE_PAE >> 21) & 511, FRAME_PT_PKMAP);
	link_table(pd, (FIXADDR_START >> 21) & 511, FRAME_PT_FIXMAP);
}

pte_t port_pte_read(vaddr_t vaddr)
{
	unsigned int index;
	uint8_t *table = walk(vaddr, &index);

	return table ? entry_read(table, index) : 0;
}

static pte_t pte_exchange(vaddr_t vaddr, pte_t pte)
{
	unsigned int index;
	uint8_t *table = walk(vaddr, &index);
	pte_t old;

	if (!table) {
		port_bug("sim: a PTE without a page table");
		return 0;
	}
	old = entry_read(table, index);
	entry_write(table, index, pte);
	return old;
}

/*
 * PTEs that changed since the last audit, so that an audit costs as much as
 * what happened, not as much as there is. An overflow means: look at all.
 */
#define MAX_CHANGED 64

static void load_everywhere(vaddr_t vaddr);
static bool may_use(unsigned int cpu, vaddr_t vaddr);

static vaddr_t changed[MAX_CHANGED];
static unsigned int nr_changed;

static void note_change(vaddr_t vaddr)
{
	if (nr_changed < MAX_CHANGED)
		changed[nr_changed] = vaddr;
	nr_changed++;
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
	note_change(vaddr);
	if (sim_controlled)
		load_everywhere(vaddr);
	sim_tell(SIM_PTE_SET, (void *)vaddr, old, pte,
		 __builtin_return_address(0));
}

pte_t port_pte_clear(vaddr_t vaddr)
{
	pte_t old;

	sim_point(SIM_PTE_CLEAR);
	sim_drain(sim.cpu);
	note_change(vaddr);
	old = pte_exchange(vaddr, 0);
	sim_tell(SIM_PTE_CLEAR, (void *)vaddr, old, 0,
		 __builtin_return_address(0));
	return old;
}

/* ---- TLBs ------------------------------------------------------------------ */

static unsigned int tlb_index(vaddr_t vaddr)
{
	return (unsigned int)((vaddr - SIM_WINDOW_BASE) >> PAGE_SHIFT);
}

static bool is_window(vaddr_t vaddr)
{
	return vaddr >= SIM_WINDOW_BASE && vaddr < FIXADDR_TOP;
}

static void tlb_load(struct sim_cpu *cpu, vaddr_t vaddr, pte_t pte)
{
	unsigned int index = tlb_index(vaddr);

	if (cpu->tlb[index] == 0) {
		cpu->tlb[index] = pte;
		cpu->cached[cpu->nr_cached++] = (uint16_t)index;
	}
}

static void tlb_drop(struct sim_cpu *cpu, vaddr_t vaddr)
{
	unsigned int index = tlb_index(vaddr);

	if (!is_window(vaddr) || cpu->tlb[index] == 0)
		return;
	cpu->tlb[index] = 0;
	for (unsigned int i = 0; i < cpu->nr_cached; i++) {
		if (cpu->cached[i] == index) {
			cpu->cached[i] = cpu->cached[--cpu->nr_cached];
			return;
		}
	}
}

static void tlb_drop_all(struct sim_cpu *cpu)
{
	while (cpu->nr_cached > 0)
		cpu->tlb[cpu->cached[--cpu->nr_cached]] = 0;
}

/* What @cpu uses for @vaddr: what it cached, else what it finds in memory. */
static pte_t translate(struct sim_cpu *cpu, vaddr_t vaddr, pte_t set)
{
	unsigned int index;
	uint8_t *table;
	pte_t cached;
	pte_t pte;

	if (!is_window(vaddr))
		return 0;
	cached = cpu->tlb[tlb_index(vaddr)];
	if (cached != 0 && (cached & set) == set)
		return cached;
	table = walk(vaddr, &index);
	pte = table ? entry_read(table, index) : 0;
	/* The first write through a cached entry marks the PTE it came from. */
	if (cached != 0) {
		if (pte_present(pte) && pte_pfn(pte) == pte_pfn(cached))
			entry_write(table, index, pte | set);
		cpu->tlb[tlb_index(vaddr)] = cached | set;
		return cached;
	}
	if (!pte_present(pte))
		return 0;
	entry_write(table, index, pte | set);
	tlb_load(cpu, vaddr, pte | set);
	return pte;
}

/*
 * Under control the worst speculation: what is present when it is flushed is
 * loaded again at once.
 */
static void flush_page(unsigned int cpu, vaddr_t vaddr)
{
	tlb_drop(&sim.cpus[cpu], vaddr);
	if (sim_controlled && may_use(cpu, vaddr))
		translate(&sim.cpus[cpu], vaddr, PTE_ACCESSED);
}

static void flush_all(unsigned int cpu)
{
	tlb_drop_all(&sim.cpus[cpu]);
	if (!sim_controlled)
		return;
	for (unsigned int s = 0; s < sim.config.nr_slots; s++)
		translate(&sim.cpus[cpu],
			  sim.hm.config.pkmap_base + s * PAGE_SIZE,
			  PTE_ACCESSED);
}

void port_tlb_flush_local_page(vaddr_t vaddr)
{
	sim_point(SIM_FLUSH_LOCAL);
	sim.tlb_stats.local_pages++;
	flush_page(sim.cpu, vaddr);
	sim_tell(SIM_FLUSH_LOCAL, (void *)vaddr, 0, 0,
		 __builtin_return_address(0));
}

static void check_shootdown(void)
{
	struct sim_cpu *cpu = &sim.cpus[sim.cpu];

	sim.tlb_stats.shootdowns++;
	if (cpu->irq_off || cpu->irq_depth > 0)
		port_bug("sim: shootdown with interrupts off can deadlock");
}

void port_tlb_shootdown_pages(const vaddr_t *pages, unsigned int nr)
{
	check_shootdown();
	sim.tlb_stats.shootdown_pages += nr;
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++) {
		sim_point(SIM_SHOOTDOWN); /* the CPUs answer one by one */
		for (unsigned int i = 0; i < nr; i++)
			flush_page(c, pages[i]);
	}
	sim_tell(SIM_SHOOTDOWN, (void *)pages[0], nr, 0,
		 __builtin_return_address(0));
}

void port_tlb_shootdown_all(void)
{
	check_shootdown();
	sim.tlb_stats.full++;
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++) {
		sim_point(SIM_SHOOTDOWN);
		flush_all(c);
	}
	sim_tell(SIM_SHOOTDOWN, NULL, 0, 0, __builtin_return_address(0));
}

/*
 * Another CPU's local windows are never used here, so they are not loaded
 * either: a stale one harms nobody.
 */
static bool may_use(unsigned int cpu, vaddr_t vaddr)
{
	unsigned int fix = virt_to_fix(vaddr);

	return fix < FIX_KMAP_BEGIN || fix > FIX_KMAP_END ||
	       (fix - FIX_KMAP_BEGIN) / KM_MAX_IDX == cpu;
}

static void load_everywhere(vaddr_t vaddr)
{
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		if (may_use(c, vaddr))
			translate(&sim.cpus[c], vaddr, PTE_ACCESSED);
}

void sim_tlb_load_changed(void)
{
	if (nr_changed <= MAX_CHANGED) {
		for (unsigned int i = 0; i < nr_changed; i++)
			load_everywhere(changed[i]);
	} else {
		for (unsigned int i = 0; i < SIM_WINDOW_PAGES; i++)
			load_everywhere(SIM_WINDOW_BASE + i * PAGE_SIZE);
	}
	nr_changed = 0;
}

static const char *audit_entry(unsigned int c, vaddr_t vaddr)
{
	static char why[128];
	pte_t cached = sim.cpus[c].tlb[tlb_index(vaddr)];
	pte_t pte = port_pte_read(vaddr);

	if (cached == 0 ||
	    (pte_present(pte) && pte_pfn(pte) == pte_pfn(cached)))
		return NULL;
	hm_format(why, sizeof(why),
		  "stale TLB entry: CPU %u still has pfn %x at %p, the PTE "
		  "says %s %x",
		  c, pte_pfn(cached), vaddr, pte_present(pte) ? "pfn" : "none",
		  pte_pfn(pte));
	return why;
}

static const char *audit_page(vaddr_t vaddr)
{
	const char *why = NULL;

	for (unsigned int c = 0; !why && c < sim.config.nr_cpus; c++)
		if (is_window(vaddr))
			why = audit_entry(c, vaddr);
	return why;
}

const char *sim_tlb_audit(void)
{
	const char *why = NULL;

	if (nr_changed <= MAX_CHANGED) {
		for (unsigned int i = 0; !why && i < nr_changed; i++)
			why = audit_page(changed[i]);
		return why;
	}
	for (unsigned int i = 0; !why && i < SIM_WINDOW_PAGES; i++)
		why = audit_page(SIM_WINDOW_BASE + i * PAGE_SIZE);
	return why;
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
		pte_t pte = translate(&sim.cpus[sim.cpu], vaddr, set);

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

/* A TLB is a set: the order in which it was filled does not matter. */
static uint64_t tlb_sum(const struct sim_cpu *cpu)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < cpu->nr_cached; i++)
		sum += sim_mix(cpu->cached[i], cpu->tlb[cpu->cached[i]]);
	return sum;
}

uint64_t sim_mmu_hash(uint64_t hash)
{
	hash = hash_ptes(hash);
	for (uint32_t i = 0; i < sim.hm.config.nr_pages; i++)
		hash = hash_page(hash, i);
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		hash = sim_mix(hash, tlb_sum(&sim.cpus[c]));
	return hash;
}

void sim_mmu_reset(void)
{
	while (nr_dirty > 0) {
		unsigned int index = dirty[--nr_dirty];

		is_dirty[index] = false;
		memset(page_frames[index], 0, PAGE_SIZE);
	}
	nr_changed = 0;
	memset(table_frames, 0, sizeof(table_frames));
	build_tables();
	for (unsigned int c = 0; c < HIGHMEM_MAX_CPUS; c++)
		tlb_drop_all(&sim.cpus[c]);
}
