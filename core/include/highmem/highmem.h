/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_HIGHMEM_H
#define HIGHMEM_HIGHMEM_H

/*
 * struct highmem is the whole state of the subsystem. The caller owns its
 * memory; there are no globals, so a test builds one, throws it away and
 * builds another. Kernels have one.
 */

#include <highmem/fixmap.h>
#include <highmem/kmap.h>
#include <highmem/kmap_local.h>
#include <highmem/page.h>
#include <highmem/stats.h>

#define HIGHMEM_MAX_SLOTS LAST_PKMAP_NONPAE
#define HIGHMEM_MAX_COLOURS 8

struct highmem_config {
	struct page *mem_map; /* zeroed, nr_pages of them */
	pfn_t first_pfn;      /* frame of mem_map[0] */
	uint32_t nr_pages;
	/*
	 * RAM with holes: mem_map has no descriptors for these, and is made of
	 * the pages of these ranges, one after the other in ascending order.
	 * first_pfn means nothing then. 0: one piece, from first_pfn on.
	 */
	unsigned int nr_ranges;
	const struct page_range *ranges; /* stays with the caller */
	pfn_t highmem_start_pfn; /* first frame without a direct mapping */
	vaddr_t page_offset;	 /* address of frame 0 in the direct map */
	pte_t prot;	       /* PTE bits of all maps: pgtable_check_prot() */
	vaddr_t pkmap_base;    /* nr_colours pages aligned; tables exist */
	unsigned int nr_slots; /* 2 to LAST_PKMAP */
	unsigned int nr_colours;  /* power of two, divides nr_slots */
	unsigned int local_depth; /* 1 to KM_MAX_IDX */
	/*
	 * Debug geometry: local maps of lowmem pages take windows too, so that
	 * a machine without highmem tests the same code.
	 */
	bool force_map;
};

/* A task that waits for a slot; lives on its stack. */
struct pkmap_waiter {
	struct pkmap_waiter *next;
	struct page *page;
	struct port_task *task;
	bool killable;	       /* a signal ends the wait */
	unsigned int slot;     /* valid once granted */
	port_atomic_t granted; /* enum pkmap_grant */
};

/* Waiters of one colour, oldest first. */
struct pkmap_queue {
	port_spinlock_t lock; /* taken with interrupts off: kunmap() */
	struct pkmap_waiter *head;
	struct pkmap_waiter *tail;
	port_atomic_t nr; /* length; read without the lock */
	uint32_t given;	  /* slots on their way to a waiter that sleeps yet */
};

/*
 * What a slot maps. Users are counted in the page's own word (page.h); a slot
 * is in one of three states:
 *
 *	free	bit in the free map; page 0, PTE none, in no TLB.
 *	mapped	page p, and p's word names the slot.
 *	given	neither: a waiter has it, or its page's miss. Cleaned, page 0,
 *		or with the PTE of the page that it was taken from.
 */
struct pkmap_slot {
	port_atomic_t page; /* 0, or 1 + index in mem_map: whose the PTE is */
};

struct pkmap {
	/*
	 * Guards the free map, the hands, slot.page, and the first value of a
	 * page's word. Taken with interrupts on: a shootdown is waited for.
	 */
	port_spinlock_t lock;
	uint32_t free[HIGHMEM_MAX_SLOTS / 32];	/* mapped by no PTE, no TLB */
	unsigned int hand[HIGHMEM_MAX_COLOURS]; /* search goes on from here */
	struct pkmap_slot slot[HIGHMEM_MAX_SLOTS];
	struct pkmap_queue queue[HIGHMEM_MAX_COLOURS];
	vaddr_t batch[HIGHMEM_MAX_SLOTS]; /* pages of a flush under way */
};

struct highmem {
	struct highmem_config config;
	struct pkmap pkmap;
	struct highmem_cpu_stats stats[HIGHMEM_MAX_CPUS];
	char why[160]; /* the sentence of the last highmem_validate() */
};

/*
 * Set up @hm. Returns NULL, or one sentence that says what is wrong with
 * @config, and then @hm is unusable. Context: boot.
 */
const char *highmem_init(struct highmem *hm,
			 const struct highmem_config *config);

/*
 * Walk all state and compare each part with the others: pages' words, free map,
 * slots, PTEs, queues. A slot that is neither free, nor mapped, nor on its way
 * to a waiter is lost, and found. Returns NULL or the first contradiction in
 * one sentence (valid until the next call).
 *
 * It does not know the history: a count that is too high by one looks fine
 * here, and it sees neither TLBs nor other CPUs' windows. The oracle of
 * stress/oracle does. Context: no kmap, kunmap or flush is under way (tasks
 * asleep in kmap() are fine).
 */
const char *highmem_validate(struct highmem *hm);

/*
 * What it says of one slot, of one page of mem_map, of the queue of one
 * colour: for those who know what changed. Of a slot it reads its page, its
 * PTE and its bit in the free map; of a page its word and that slot's page. How
 * many slots of a colour are given, only highmem_validate() compares.
 */
const char *highmem_validate_slot(struct highmem *hm, unsigned int nr);
const char *highmem_validate_page(struct highmem *hm, uint32_t index);
const char *highmem_validate_queue(struct highmem *hm, unsigned int colour);

#endif
