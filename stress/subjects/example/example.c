/* SPDX-License-Identifier: MIT */
#include "core/port/machine.h"
#include "stress/subjects/subject.h"

/*
 * A subject to begin with (docs/subjects.md): a table of slots under a lock. A
 * page keeps its slot as long as somebody uses it. Nobody waits: when all slots
 * are taken, the answer is NULL.
 *
 * It has a bug. Who finds it by reading has read what explore found in less than
 * a second; -DMENDED is without it.
 */

#ifndef SUBJECT_NAME /* as --subject=NAME says */
#ifdef MENDED
#define SUBJECT_NAME "example-mended"
#else
#define SUBJECT_NAME "example"
#endif
#endif

struct slot {
	struct page *page;
	unsigned int users;
};

static const struct highmem_config *config;
static port_spinlock_t lock;
static struct slot slots[64];

static pfn_t pfn_of(const struct page *page)
{
	return machine_pfn(config, (uint32_t)(page - config->mem_map));
}

static bool is_lowmem(const struct page *page)
{
	return pfn_of(page) < config->highmem_start_pfn;
}

static void *lowmem_address(const struct page *page)
{
	return (void *)(config->page_offset +
			((vaddr_t)pfn_of(page) << PAGE_SHIFT));
}

static vaddr_t address(const struct slot *slot)
{
	return config->pkmap_base + (vaddr_t)(slot - slots) * PAGE_SIZE;
}

/* ---- The subject ------------------------------------------------------------------ */

static struct slot *find(const struct page *page)
{
	for (unsigned int s = 0; s < config->nr_slots; s++)
		if (slots[s].page == page)
			return &slots[s];
	return NULL;
}

static void *map(struct page *page)
{
	struct slot *slot;

	if (is_lowmem(page))
		return lowmem_address(page);
	port_spin_lock(&lock);
	slot = find(page);
	if (!slot)
		slot = find(NULL);
	if (slot && slot->users++ == 0) {
		slot->page = page;
		port_pte_set(address(slot),
			     pte_make(pfn_of(page), config->prot));
	}
	port_spin_unlock(&lock);
	return slot ? (void *)address(slot) : NULL;
}

static void unmap_slot(struct slot *slot)
{
	vaddr_t vaddr = address(slot);

	port_pte_clear(vaddr);
	port_tlb_shootdown_pages(&vaddr, 1);
}

static void unmap(struct page *page, const void *vaddr)
{
	struct slot *slot;
	bool last;

	(void)vaddr;
	if (is_lowmem(page))
		return;
	port_spin_lock(&lock);
	slot = find(page);
	last = --slot->users == 0;
#ifdef MENDED
	if (last)
		unmap_slot(slot);
#endif
	if (last)
		slot->page = NULL;
	port_spin_unlock(&lock);
#ifndef MENDED
	if (last)
		unmap_slot(slot);
#endif
}

/* ---- What the harness has to know of it --------------------------------------------- */

static const char *boot(const struct highmem_config *geometry)
{
	config = geometry;
	port_spin_init(&lock);
	for (unsigned int s = 0; s < 64; s++)
		slots[s] = (struct slot){ 0 };
	return NULL;
}

static uint64_t hash(uint64_t hash)
{
	hash = guest_mix(hash, port_spin_is_locked(&lock));
	for (unsigned int s = 0; s < config->nr_slots; s++)
		hash = guest_mix(guest_mix(hash, (uintptr_t)slots[s].page),
				 slots[s].users);
	return hash;
}

static const struct guest guest = { .boot = boot, .hash = hash };

const struct subject the_subject = {
	.name = SUBJECT_NAME,
	.what = "a table of slots, to begin with",
	.guest = &guest,
	.ops = { .kmap_try = map, .kunmap = unmap },
	.limits = {
		.machines = SUBJECT_PAE | SUBJECT_NO_PAE | SUBJECT_HOLES |
			    SUBJECT_SPARSE_CPUS,
		.slots = 64,
		.colours = 1,
	},
#ifdef WRONG
	.promises = SUBJECT_WAITERS_SHARE,
#else
	.promises = SUBJECT_ONE_ADDRESS | SUBJECT_NO_STALE_TLB,
#endif
};
