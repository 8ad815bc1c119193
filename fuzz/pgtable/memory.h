/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_PGTABLE_MEMORY_H
#define FUZZ_PGTABLE_MEMORY_H

/*
 * Physical memory of any size that holds only page tables: frames are given
 * out all over the RAM of a layout, and exist from then on. The core and the
 * walker reach the same words.
 */

#include <highmem/layout.h>
#include <highmem/pgtable.h>

#include "core/ports/sim/walk.h"

extern const struct pgtable_memory pgtable_memory;
extern const struct walk_memory pgtable_walk_memory;

/* All frames free. The @fail-th allocation from now on fails. */
void pgtable_memory_reset(const struct layout *layout, uint32_t fail);

/* Frames that are out, and allocations so far. */
uint32_t pgtable_memory_taken(void);
uint32_t pgtable_memory_allocs(void);

/* NULL, or what was done wrong: a frame given back twice. */
const char *pgtable_memory_misuse(void);

#endif
