/* SPDX-License-Identifier: MIT */
#ifndef SIM_SIM_MMU_H
#define SIM_SIM_MMU_H

/* What page tables (sim_mmu.c) and TLBs (sim_tlb.c) tell each other. */

#include "core/ports/sim/sim.h"

/* The page table for @vaddr and the entry's index in it; NULL if none. */
uint8_t *sim_walk(vaddr_t vaddr, unsigned int *index);

/* One entry of a table, as wide as the machine's entries are. */
pte_t sim_entry_read(const uint8_t *table, unsigned int index);
void sim_entry_write(uint8_t *table, unsigned int index, pte_t entry);

/*
 * What @cpu uses for @vaddr: what it cached, else what it finds in memory, with
 * the bits @set in the PTE. Not present: no translation.
 */
pte_t sim_translate(struct sim_cpu *cpu, vaddr_t vaddr, pte_t set);

/* The PTE of @vaddr was written; TLBs may notice. */
void sim_tlb_pte_changed(vaddr_t vaddr, bool present);

/* A number for what the TLB holds. */
uint64_t sim_tlb_hash(const struct sim_cpu *cpu);

void sim_tlb_reset(void);

#endif
