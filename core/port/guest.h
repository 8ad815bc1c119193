/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORT_GUEST_H
#define CORE_PORT_GUEST_H

/*
 * What runs on a port's test machine, as far as the machine calls it: the core,
 * or another kernel's code in its place. What programs call is none of this.
 * The core as a guest: guest_highmem.c.
 */

#include <highmem/highmem.h>

struct guest {
	/*
	 * All its state as new, on a machine of this geometry, which stays as it
	 * is until the next boot. mem_map is zeroed, and the guest's to use.
	 * Returns NULL or one sentence why that cannot be. Context: boot.
	 */
	const char *(*boot)(const struct highmem_config *config);

	/*
	 * @prev leaves this CPU, @next comes: the local maps of the one are taken
	 * down, those of the other put up. Either hook may be NULL. Context:
	 * interrupts off; port_task_current() may be either of them, or neither.
	 */
	void (*sched_out)(struct port_task *prev);
	void (*sched_in)(struct port_task *next);

	/* @task is about to end: report what it leaves undone. Or NULL. */
	void (*task_ends)(struct port_task *task);

	/*
	 * Mix into @hash (guest_mix()) all that decides what the guest will do:
	 * its own variables, and what it keeps for one task. A run may have been
	 * stopped anywhere, with locks held, so these take none. Only the sim
	 * asks; what hash_task() would say may be part of hash().
	 */
	uint64_t (*hash)(uint64_t hash);
	uint64_t (*hash_task)(uint64_t hash, struct port_task *task);

	/*
	 * The machine's TLBs are flushed by hardware, not by interrupts: a
	 * shootdown is then allowed with interrupts off, and none is late.
	 */
	bool broadcast;
};

/* One more word into a hash. */
static inline uint64_t guest_mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ (value + 0x632be59bd9b4e019u)) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

/* The core, and its state from boot on: all that is not in tasks. */
extern const struct guest highmem_guest;
extern struct highmem highmem_guest_state;

#endif
