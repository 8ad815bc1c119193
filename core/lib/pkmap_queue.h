/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_LIB_PKMAP_QUEUE_H
#define HIGHMEM_LIB_PKMAP_QUEUE_H

/*
 * The tasks that wait for a slot of one colour, in order. Its lock nests
 * inside pkmap.lock and is held with interrupts off, because an interrupt may
 * kunmap() and wake. Nobody sends a shootdown under it.
 */

#include "core/lib/internal.h"

/* What a waiter finds in pkmap_waiter.granted. */
enum pkmap_grant {
	GRANT_NONE,
	GRANT_SLOT,   /* the slot is the waiter's, and no page's */
	GRANT_SHARED, /* the page is mapped there, counted for the waiter */
};

port_irq_t queue_lock(struct pkmap_queue *queue);
void queue_unlock(struct pkmap_queue *queue, port_irq_t flags);

/* Any time; with the lock not held the answer may be old. */
static inline bool queue_is_empty(const struct pkmap_queue *queue)
{
	return port_atomic_load(&queue->nr) == 0;
}

/* pre: pkmap.lock is held, the queue's is not. */
void queue_append(struct pkmap_queue *queue, struct pkmap_waiter *waiter);

/*
 * Give @slot to the waiter at *@link and wake it. pre: queue->lock is held.
 * The waiter lives on a stack that is gone once it knows, so it takes and
 * drops the lock before it returns: then we are past port_unpark().
 */
void queue_grant(struct highmem *hm, struct pkmap_queue *queue,
		 struct pkmap_waiter **link, unsigned int slot,
		 enum pkmap_grant grant);

/*
 * Sleep until the queue serves @waiter; then queue_grant() is done with it.
 * False: the deadline or a signal came first, and the waiter has left.
 */
bool queue_wait(struct highmem *hm, struct pkmap_queue *queue,
		struct pkmap_waiter *waiter, uint64_t deadline);

/* A waiter whose time is up leaves; false if it was served meanwhile. */
bool queue_leave(struct pkmap_queue *queue, struct pkmap_waiter *waiter);

#endif
