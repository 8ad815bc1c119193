/* SPDX-License-Identifier: MIT */
#include "core/ports/sim/sim_mmu.h"

/*
 * The PTEs that the core writes, and memory as tasks see it. What the tables
 * are made of is in sim_memory.c.
 */

/*
 * The page tables of pkmap and the fixmap, which exist from boot on. They map
 * addresses that follow each other and are frames that follow each other, so
 * that a PTE is found without a walk.
 */
static struct {
	const struct pgtable *tree;
	vaddr_t base;
	port_atomic_t *first;
} windows;

#define WINDOW_WORDS (2 * SIM_TABLE_WORDS)

void sim_find_windows(const struct pgtable *tree)
{
	windows.tree = tree;
	windows.base = sim.config.pae ? PKMAP_BASE_PAE : PKMAP_BASE_NONPAE;
	windows.first = pgtable_pte(tree, windows.base);
	if (pgtable_pte(tree, FIXADDR_TOP - PAGE_SIZE) - windows.first >=
	    (ptrdiff_t)WINDOW_WORDS)
		port_bug("sim: pkmap and the fixmap are not side by side");
}

/* ---- Entries ------------------------------------------------------------------------- */

static bool is_upper_half(const port_atomic_t *word)
{
	return sim.config.pae && (word - sim_tables[0]) % 2 != 0;
}

static const port_atomic_t *entry_around(const port_atomic_t *word)
{
	return is_upper_half(word) ? word - 1 : word;
}

/* The address that an entry of a window maps; 0 for other tables' entries. */
static vaddr_t vaddr_of(const port_atomic_t *word)
{
	size_t offset = (size_t)(word - windows.first);

	if (word < windows.first || offset >= WINDOW_WORDS)
		return 0;
	return windows.base + ((offset >> sim.config.pae) << PAGE_SHIFT);
}

static port_atomic_t *entry_of(vaddr_t vaddr)
{
	size_t offset = (vaddr - windows.base) >> PAGE_SHIFT << sim.config.pae;

	if (offset < WINDOW_WORDS)
		return windows.first + offset;
	return (uint64_t)vaddr >> 32 ? NULL : pgtable_pte(windows.tree, vaddr);
}

static pte_t entry_in_memory(const port_atomic_t *entry)
{
	pte_t upper = sim.config.pae ? (pte_t)entry[1].value << 32 : 0;

	return upper | entry[0].value;
}

pte_t sim_pte_in_memory(vaddr_t vaddr)
{
	const port_atomic_t *entry = entry_of(vaddr);

	return entry ? entry_in_memory(entry) : 0;
}

pte_t sim_entry_seen(const port_atomic_t *word)
{
	const port_atomic_t *entry = entry_around(word);
	pte_t pte = sim_visible(entry);

	if (sim.config.pae)
		pte |= (pte_t)sim_visible(entry + 1) << 32;
	return pte_present(pte) ? pte : 0;
}

const void *sim_entry_name(const port_atomic_t *word)
{
	return (const void *)vaddr_of(word);
}

/*
 * What a walker may find is what was meant to be there, or nothing. While an
 * entry is present its upper half must not change: a walk in between finds the
 * frame number of no page, or of another one.
 */
void sim_table_written(const port_atomic_t *word, uint32_t before)
{
	vaddr_t vaddr = vaddr_of(word);
	pte_t pte = entry_in_memory(entry_around(word));
	char why[128];

	if (!vaddr || word->value == before)
		return;
	if (is_upper_half(word) && pte_present(pte)) {
		hm_format(why, sizeof(why),
			  "sim: the upper half of the PTE at %p changes while "
			  "it is present: a walk finds pfn %x",
			  vaddr, pte_pfn(pte));
		port_bug(why);
	}
	sim_tlb_pte_changed(vaddr, pte_present(pte));
}

/*
 * Without control nothing comes between two halves and nothing waits, and the
 * oracle reads every PTE after every operation.
 */
pte_t port_pte_read(vaddr_t vaddr)
{
	const port_atomic_t *entry = entry_of(vaddr);

	if (!entry)
		return 0;
	return sim_controlled ? pgtable_entry_read(entry, sim.config.pae)
			      : entry_in_memory(entry);
}

/* For writing; NULL, and a report, where there is no page table. */
static port_atomic_t *entry_to_write(vaddr_t vaddr)
{
	port_atomic_t *entry = entry_of(vaddr);

	if (entry)
		sim_table_touch(entry);
	else
		port_bug("sim: a PTE without a page table");
	return entry;
}

/*
 * The halves are the core's to order. Under control each is a point of its own
 * (sim_control.c), and TLBs hear of it when it reaches memory; otherwise here.
 * A handler that comes between two halves has its own caller.
 */
void port_pte_set(vaddr_t vaddr, pte_t pte)
{
	port_atomic_t *entry = entry_to_write(vaddr);
	const void *outer = sim_running()->pte_caller;

	if (!entry)
		return;
	if (pte_present(pgtable_entry_read(entry, sim.config.pae)))
		port_bug("sim: port_pte_set over a PTE that is present");
	sim_running()->pte_caller = __builtin_return_address(0);
	pgtable_entry_set(entry, sim.config.pae, pte);
	sim_running()->pte_caller = outer;
	if (!sim_controlled)
		sim_tlb_pte_changed(vaddr, true);
}

pte_t port_pte_clear(vaddr_t vaddr)
{
	port_atomic_t *entry = entry_to_write(vaddr);
	const void *outer = sim_running()->pte_caller;
	pte_t old;

	if (!entry)
		return 0;
	sim_running()->pte_caller = __builtin_return_address(0);
	old = pgtable_entry_clear(entry, sim.config.pae);
	sim_running()->pte_caller = outer;
	if (!sim_controlled)
		sim_tlb_pte_changed(vaddr, false);
	return old;
}

/* ---- Memory as tasks see it -------------------------------------------------- */

/*
 * A CPU sees its own stores, those to page tables too: what waits goes to
 * memory before its walk.
 */
static void drain_tables(struct sim_cpu *cpu)
{
	for (unsigned int i = 0; i < cpu->nr_stores; i++)
		if (sim_is_table_word(cpu->stores[i].word)) {
			sim_drain(sim.cpu);
			return;
		}
}

static uint32_t *word_at(const void *addr, pte_t set)
{
	struct sim_cpu *cpu = &sim.cpus[sim.cpu];
	vaddr_t vaddr = (vaddr_t)addr;
	uint32_t *word = NULL;
	char why[64];
	pte_t pte;

	drain_tables(cpu);
	pte = sim_translate(cpu, vaddr, set);
	if (pte_present(pte))
		word = sim_frame_word(pte_pfn(pte), vaddr & ~PAGE_MASK);
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

uint64_t sim_hash_ptes(uint64_t hash)
{
	for (unsigned int s = 0; s < sim.config.nr_slots; s++)
		hash = sim_mix(hash, sim_pte_in_memory(sim.geometry.pkmap_base +
						       s * PAGE_SIZE));
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		for (unsigned int i = 0; i < sim.config.local_depth; i++)
			hash = sim_mix(
				hash,
				sim_pte_in_memory(fixmap_vaddr(
					FIX_KMAP_BEGIN +
					sim.cpus[c].id * KM_MAX_IDX + i)));
	return hash;
}
