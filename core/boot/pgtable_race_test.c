/* SPDX-License-Identifier: MIT */
#include <highmem/pgtable.h>

#include "core/lib/test_schedules.h"

/*
 * PAE entries are written in two halves, and anything may come in between: a
 * read on another CPU, or a page walk.
 */

#define RW (PTE_PRESENT | PTE_WRITE)

/* ---- A read never mixes two entries ------------------------------------------ */

/* Not part of a page table, so that each load is a point. */
static port_atomic_t entry[2];

/* Their lower halves are the same, as far as the present bit goes. */
static const pte_t old = (pte_t)0x1 << 32 | 0x5000 | RW;
static const pte_t new = (pte_t)0x2 << 32 | 0x5000 | RW;

static void start_with_old(void)
{
	entry[0].value = (uint32_t)old;
	entry[1].value = (uint32_t)(old >> 32);
}

static void replace(void *arg)
{
	(void)arg;
	SEE(pgtable_entry_clear(entry, true) == old);
	pgtable_entry_set(entry, true, new);
}

static void read(void *arg)
{
	pte_t seen = pgtable_entry_read(entry, true);

	(void)arg;
	SEE(seen == old || seen == new || seen == 0);
}

Test(pgtable_race, a_read_sees_one_entry_or_none)
{
	EXPLORE(3, .machine = { .nr_cpus = 2, .nr_slots = 2, .pae = true },
		.setup = start_with_old, .tasks = { read, replace });
}

/* ---- No walk sees half of one -------------------------------------------------- */

static void map_many(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 3; i++) {
		kmap(hm, high(hm, i));
		kunmap(hm, high(hm, i));
	}
}

static void map_local_often(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 2; i++)
		kunmap_local(hm, kmap_local_page(hm, high(hm, i)));
}

/* The simulated machine reports an entry that is half another one's. */
Test(pgtable_race, a_walk_sees_whole_entries)
{
	EXPLORE(1,
		.machine = { .nr_cpus = 2,
			     .nr_slots = 2,
			     .nr_pages = 4,
			     .local_depth = 2,
			     .pae = true },
		.tasks = { map_many, map_local_often });
}
