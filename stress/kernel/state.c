/* SPDX-License-Identifier: MIT */

#include "stress/kernel/state.h"

#include "core/port/machine.h"
#include "core/ports/i686/console.h"
#include "core/ports/i686/i686.h"
#include "stress/kernel/torture.h"

/* Free slots have nothing to tell, and 1024 of them would hide the others. */
static void print_slot(const struct highmem *hm, unsigned int nr)
{
	uint32_t page = port_atomic_load(&hm->pkmap.slot[nr].page);
	bool free = hm->pkmap.free[nr / 32] >> (nr % 32) & 1;
	uint32_t word;

	if (free && !page)
		return;
	console_printf("# slot %u: %s", nr, free ? "free, " : "");
	if (!page || page > hm->config.nr_pages) {
		console_printf("between owners\n");
		return;
	}
	word = port_atomic_load(&hm->config.mem_map[page - 1].pkmap);
	console_printf("page %u of mem_map, whose word says slot %u, "
		       "count %u\n",
		       page - 1, pkmap_word_slot(word), pkmap_word_count(word));
}

/* A list that was being changed may lead anywhere, but not for ever. */
static void print_waiters(const struct pkmap_queue *queue)
{
	const struct pkmap_waiter *waiter = queue->head;
	uint32_t word;

	for (int i = 0; waiter && i <= MACHINE_MAX_TASKS; i++) {
		if (!i686_probe_load(waiter, &word)) {
			console_printf("#   a waiter at %x, which is no "
				       "memory\n",
				       (uint32_t)waiter);
			return;
		}
		console_printf("#   task %u%s: granted %u, slot %u\n",
			       port_task_id(waiter->task),
			       waiter->killable ? ", killable" : "",
			       port_atomic_load(&waiter->granted),
			       waiter->slot);
		waiter = waiter->next;
	}
}

static void print_queue(const struct highmem *hm, unsigned int colour)
{
	const struct pkmap_queue *queue = &hm->pkmap.queue[colour];

	console_printf("# colour %u: %u wait, lock %s, next slot %u\n", colour,
		       port_atomic_load(&queue->nr),
		       port_spin_is_locked(&queue->lock) ? "held" : "free",
		       hm->pkmap.hand[colour]);
	print_waiters(queue);
}

static void print_machine(void)
{
	const struct highmem *hm = &highmem_guest_state;

	console_printf("# pkmap of %u slots, its lock %s\n",
		       hm->config.nr_slots,
		       port_spin_is_locked(&hm->pkmap.lock) ? "held" : "free");
	for (unsigned int s = 0; s < hm->config.nr_slots; s++)
		print_slot(hm, s);
	for (unsigned int c = 0; c < hm->config.nr_colours; c++)
		print_queue(hm, c);
	torture_print_state();
}

void state_init(void)
{
	i686_set_state_printer(print_machine);
}
