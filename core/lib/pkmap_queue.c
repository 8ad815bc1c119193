/* SPDX-License-Identifier: MIT */
#include "core/lib/pkmap_queue.h"

port_irq_t queue_lock(struct pkmap_queue *queue)
{
	port_irq_t flags = port_irq_save();

	port_spin_lock(&queue->lock);
	return flags;
}

void queue_unlock(struct pkmap_queue *queue, port_irq_t flags)
{
	port_spin_unlock(&queue->lock);
	port_irq_restore(flags);
}

void queue_append(struct pkmap_queue *queue, struct pkmap_waiter *waiter)
{
	port_irq_t flags = queue_lock(queue);

	waiter->next = NULL;
	if (queue->tail)
		queue->tail->next = waiter;
	else
		queue->head = waiter;
	queue->tail = waiter;
	port_atomic_fetch_add(&queue->nr, 1);
	queue_unlock(queue, flags);
}

/* Unlink the waiter that *@link points to. pre: queue->lock is held. */
static void queue_unlink(struct pkmap_queue *queue, struct pkmap_waiter **link)
{
	struct pkmap_waiter *waiter = *link;

	*link = waiter->next;
	if (queue->tail == waiter) {
		queue->tail = NULL;
		for (struct pkmap_waiter *w = queue->head; w; w = w->next)
			queue->tail = w;
	}
	port_atomic_fetch_add(&queue->nr, (uint32_t)-1);
}

void queue_grant(struct highmem *hm, struct pkmap_queue *queue,
		 struct pkmap_waiter **link, unsigned int slot,
		 enum pkmap_grant grant)
{
	struct pkmap_waiter *waiter = *link;

	HM_ASSERT(port_atomic_load(&waiter->granted) == GRANT_NONE);
	queue_unlink(queue, link);
	waiter->slot = slot;
	queue->given += grant == GRANT_SLOT;
	port_atomic_store(&waiter->granted, grant);
	if (waiter->task != port_task_current())
		hm_count(hm, HM_STAT_WAKEUP);
	/* Us too: in an interrupt we may have cut in on our way to sleep. */
	port_unpark(waiter->task);
}

bool queue_leave(struct pkmap_queue *queue, struct pkmap_waiter *waiter)
{
	port_irq_t flags = queue_lock(queue);
	struct pkmap_waiter **link = &queue->head;
	bool waiting = port_atomic_load(&waiter->granted) == GRANT_NONE;

	if (waiting) {
		while (*link != waiter)
			link = &(*link)->next;
		queue_unlink(queue, link);
	}
	queue_unlock(queue, flags);
	return waiting;
}

static bool is_killed(const struct pkmap_waiter *waiter)
{
	return waiter->killable && port_signal_pending(waiter->task);
}

/* The clock ends it, not port_park() alone: a wake-up can hide that it is time. */
bool queue_wait(struct highmem *hm, struct pkmap_queue *queue,
		struct pkmap_waiter *waiter, uint64_t deadline)
{
	port_irq_t flags;

	while (port_atomic_load(&waiter->granted) == GRANT_NONE) {
		bool killed = is_killed(waiter);

		if (!killed && port_now() < deadline && port_park(deadline))
			continue;
		if (!queue_leave(queue, waiter))
			continue; /* nobody else knows of what we were given */
		hm_count(hm, killed ? HM_STAT_KILLED : HM_STAT_TIMEOUT);
		return false;
	}
	flags = queue_lock(queue); /* see queue_grant() */
	queue->given -= port_atomic_load(&waiter->granted) == GRANT_SLOT;
	queue_unlock(queue, flags);
	return true;
}
