/* SPDX-License-Identifier: MIT */
#ifndef SIM_SIM_MMU_H
#define SIM_SIM_MMU_H

/*
 * What physical memory and the page tables in it (sim_memory.c), their entries
 * (sim_mmu.c), TLBs (sim_tlb.c) and control tell each other.
 */

#include <highmem/pgtable.h>

#include "core/ports/sim/sim.h"

/* Frames for page tables, from this one on; PAE's tree takes 5. */
#define SIM_TABLE_PFN 1u
#define SIM_TABLE_FRAMES 8u
#define SIM_TABLE_WORDS (PAGE_SIZE / sizeof(port_atomic_t))

extern port_atomic_t sim_tables[SIM_TABLE_FRAMES][SIM_TABLE_WORDS];

/* Is it part of a page table, which processors walk? */
static inline bool sim_is_table_word(const port_atomic_t *word)
{
	return (uintptr_t)word - (uintptr_t)sim_tables < sizeof(sim_tables);
}

/* A word of physical memory, about to be used; NULL where there is none. */
uint32_t *sim_frame_word(pfn_t pfn, unsigned int offset);

/* A table's word is about to be written: the next reset restores it. */
void sim_table_touch(const port_atomic_t *word);

/* The tables are new: where are the PTEs of pkmap and the fixmap? */
void sim_find_windows(const struct pgtable *tree);

/* Their part of sim_mmu_hash(). */
uint64_t sim_hash_ptes(uint64_t hash);

/* Physical memory as a walk sees it. */
extern const struct walk_memory sim_walk_memory;

/* The PTE of a window as it stands in memory, store buffers left out. */
pte_t sim_pte_in_memory(vaddr_t vaddr);

/* The entry around a table's word as this CPU sees it; not present: 0. */
pte_t sim_entry_seen(const port_atomic_t *word);

/* The address that it maps, for sim_tell(); NULL in an upper table. */
const void *sim_entry_name(const port_atomic_t *word);

/* A table's word in memory was @before, and is something else now. */
void sim_table_written(const port_atomic_t *word, uint32_t before);

/*
 * What @cpu uses for @vaddr: what it cached, else what it finds in memory, with
 * the bits @set in the PTE. Not present: no translation.
 */
pte_t sim_translate(struct sim_cpu *cpu, vaddr_t vaddr, pte_t set);

/* The PTE of @vaddr was written; TLBs may notice. */
void sim_tlb_pte_changed(vaddr_t vaddr, bool present);

/* Any PTE may have been written. */
void sim_tlb_all_changed(void);

/* A number for what the TLB holds. */
uint64_t sim_tlb_hash(const struct sim_cpu *cpu);

void sim_tlb_reset(void);

#endif
