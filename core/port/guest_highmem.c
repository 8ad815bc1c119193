/* SPDX-License-Identifier: MIT */
#include "core/port/guest.h"
#include "core/port/machine.h"

/* The core on a test machine. One machine at a time, so one of these. */
struct highmem highmem_guest_state;

static const char *boot(const struct highmem_config *config)
{
	return highmem_init(&highmem_guest_state, config);
}

static void sched_out(struct port_task *prev)
{
	kmap_local_sched_out(&highmem_guest_state, port_task_kmap_ctrl(prev));
}

static void sched_in(struct port_task *next)
{
	kmap_local_sched_in(&highmem_guest_state, port_task_kmap_ctrl(next));
}

static void task_ends(struct port_task *task)
{
	kmap_local_assert_none(port_task_kmap_ctrl(task));
}

/*
 * Plain reads of words that are atomic elsewhere: nobody runs meanwhile. What
 * only observers read is left out: statistics, who unmapped a page last.
 */
static uint32_t word(const void *atomic)
{
	uint32_t value;

	__builtin_memcpy(&value, atomic, sizeof(value));
	return value;
}

static uint64_t hash(uint64_t hash)
{
	const struct pkmap *pkmap = &highmem_guest_state.pkmap;

	hash = guest_mix(hash, word(&pkmap->lock));
	for (unsigned int w = 0; w * 32 < highmem_guest_state.config.nr_slots;
	     w++)
		hash = guest_mix(hash, pkmap->free[w]);
	for (unsigned int s = 0; s < highmem_guest_state.config.nr_slots; s++)
		hash = guest_mix(hash, word(&pkmap->slot[s]));
	for (unsigned int i = 0; i < highmem_guest_state.config.nr_pages; i++)
		hash = guest_mix(
			hash,
			word(&highmem_guest_state.config.mem_map[i].pkmap));
	for (unsigned int c = 0; c < highmem_guest_state.config.nr_colours;
	     c++) {
		const struct pkmap_queue *queue = &pkmap->queue[c];

		hash = guest_mix(hash, pkmap->hand[c]);
		hash = guest_mix(hash, word(&queue->lock));
		hash = guest_mix(hash, (uint64_t)queue->given << 32 |
					       word(&queue->nr));
		hash = guest_mix(hash, (uintptr_t)queue->head);
		hash = guest_mix(hash, (uintptr_t)queue->tail);
	}
	return hash;
}

static uint64_t hash_task(uint64_t hash, struct port_task *task)
{
	const struct kmap_ctrl *ctrl = port_task_kmap_ctrl(task);

	hash = guest_mix(hash,
			 (uint64_t)ctrl->atomic << 32 | word(&ctrl->depth));
	hash = guest_mix(hash,
			 (uint64_t)ctrl->direct[0] << 32 | ctrl->direct[1]);
	for (unsigned int i = 0; i < highmem_guest_state.config.local_depth;
	     i++)
		hash = guest_mix(hash, ctrl->pte[i]);
	return hash;
}

const struct guest highmem_guest = {
	.boot = boot,
	.sched_out = sched_out,
	.sched_in = sched_in,
	.task_ends = task_ends,
	.hash = hash,
	.hash_task = hash_task,
};

struct highmem *machine_boot(const struct machine_config *config)
{
	machine_boot_guest(config, &highmem_guest);
	return &highmem_guest_state;
}
