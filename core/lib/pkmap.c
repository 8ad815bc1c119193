/* SPDX-License-Identifier: MIT */
#include "core/lib/internal.h"
#include "core/lib/pkmap_queue.h"

/*
 * Persistent maps. The counts are those of Linux (struct pkmap_slot tells
 * them); what differs is who has to take a lock.
 *
 * A hit takes none. It reads page->pkmap_slot, pins that slot by raising its
 * count from n >= 1, and then looks whether the slot is still the page's: a
 * pinned slot cannot change owner, so the answer stays true. If it is not,
 * the pin is dropped like any other user's. The page cache of Linux and its
 * speculative references work the same way.
 *
 * A miss takes pkmap.lock, finds a free slot, and writes in the order PTE,
 * slot->page, page->pkmap_slot, count: whoever can pin the slot finds it whole.
 * The count comes last even though page->pkmap_slot is how one finds the slot:
 * somebody may still hold an old answer that names it.
 *
 * When the search passes the last slot, all idle slots of the colour are taken
 * away (count 1 -> 0, so that no hit can revive them), their PTEs are cleared,
 * and one shootdown covers them all. Only then are they free. The order
 * count, PTE, TLB is the point: a translation can be loaded until the PTE is
 * gone, and a user can come until the count is 0.
 *
 * No slot, free or idle: the task queues. A kunmap() that leaves a slot idle
 * while somebody queues takes it away at once and hands it to the oldest
 * waiter, one wake-up for one slot; a newcomer does not overtake the queue. No
 * wake-up is lost, because
 *
 *	the waiter	raises queue.nr, fence, looks at the counts;
 *	the kunmap	lowers the count, fence, looks at queue.nr;
 *
 * so at least one sees the other; and a slot that a flush freed between the
 * two steps of a kunmap is served by the one who flushed (serve_queue()).
 */

static bool slot_get(struct pkmap_slot *slot)
{
	uint32_t count = port_atomic_load(&slot->count);

	while (count != 0)
		if (port_atomic_cas(&slot->count, &count, count + 1))
			return true;
	return false;
}

/* Idle -> between owners. Fails if the slot found a user. */
static bool slot_take_idle(struct pkmap_slot *slot)
{
	uint32_t count = port_atomic_load(&slot->count);

	/* Look first: a flush comes by all slots, and few of them are idle. */
	return count == 1 && port_atomic_cas(&slot->count, &count, 0);
}

/* ---- Users come and go ---------------------------------------------------- */

static struct pkmap_queue *slot_queue(struct highmem *hm, unsigned int slot)
{
	return &hm->pkmap.queue[slot_colour(hm, slot)];
}

/*
 * The slot has just become idle. The one who lowered the count did so with a
 * full fence, the other half of which is in wait_for_slot().
 */
static void slot_idle(struct highmem *hm, unsigned int slot)
{
	struct pkmap_queue *queue = slot_queue(hm, slot);
	port_irq_t flags;

	if (queue_is_empty(queue))
		return;
	flags = queue_lock(queue);
	if (queue->head && slot_take_idle(&hm->pkmap.slot[slot])) {
		hm_count(hm, HM_STAT_HANDOVER);
		queue_grant(hm, queue, &queue->head, slot, GRANT_SLOT);
	}
	queue_unlock(queue, flags);
}

/* Drop a pin that the caller holds. */
static void slot_put(struct highmem *hm, unsigned int slot)
{
	uint32_t count = port_atomic_fetch_add(&hm->pkmap.slot[slot].count,
					       (uint32_t)-1);

	HM_CHECK(count >= 2);
	if (count == 2)
		slot_idle(hm, slot);
}

/* Pin the slot of @page, if it has one. */
static unsigned int page_pin(struct highmem *hm, const struct page *page)
{
	uint32_t nr = port_atomic_load(&page->pkmap_slot);
	struct pkmap_slot *slot;

	if (nr == 0)
		return PKMAP_NONE;
	HM_ASSERT(nr <= hm->config.nr_slots);
	slot = &hm->pkmap.slot[nr - 1];
	if (!slot_get(slot))
		return PKMAP_NONE;
	if (port_atomic_load(&slot->page) == page_cookie(hm, page))
		return nr - 1;
	slot_put(hm, nr - 1); /* it changed owner before we pinned it */
	return PKMAP_NONE;
}

/* ---- Owners come and go: all below holds pkmap.lock ------------------------ */

/* pre: the caller owns the slot (count 0), which is in no TLB. */
static void slot_install(struct highmem *hm, unsigned int nr, struct page *page)
{
	struct pkmap_slot *slot = &hm->pkmap.slot[nr];
	pte_t pte = pte_make(page_to_pfn(hm, page), hm->config.prot);

	HM_ASSERT(port_spin_is_locked(&hm->pkmap.lock));
	HM_ASSERT(slot_colour(hm, nr) == page_colour(hm, page));
	HM_CHECK(pte_none(port_pte_read(pkmap_vaddr(hm, nr))));
	port_pte_set(pkmap_vaddr(hm, nr), pte);
	port_atomic_store(&slot->page, page_cookie(hm, page));
	port_atomic_store(&page->pkmap_slot, nr + 1);
	port_atomic_store(&slot->count, 2); /* last: who can pin finds all */
	hm_count(hm, HM_STAT_MISS);
}

/*
 * Undo slot_install(), but for TLBs. pre: the caller owns the slot. The page
 * may already have a newer slot, if this one was handed over.
 */
static void slot_retire(struct highmem *hm, unsigned int nr)
{
	struct pkmap_slot *slot = &hm->pkmap.slot[nr];
	uint32_t cookie = port_atomic_load(&slot->page);
	struct page *page;
	pte_t old;

	HM_ASSERT(port_atomic_load(&slot->count) == 0);
	HM_CHECK(cookie != 0);
	page = &hm->config.mem_map[cookie - 1];
	if (port_atomic_load(&page->pkmap_slot) == nr + 1)
		port_atomic_store(&page->pkmap_slot, 0);
	port_atomic_store(&slot->page, 0);
	old = port_pte_clear(pkmap_vaddr(hm, nr));
	HM_CHECK(pte_pfn(old) == page_to_pfn(hm, page));
	hm_count(hm, HM_STAT_RETIRED);
}

static void shootdown(struct highmem *hm, const vaddr_t *pages, unsigned int nr)
{
	hm_count(hm, HM_STAT_FLUSH);
	if (nr <= port_facts()->tlb_flush_ceiling) {
		port_tlb_shootdown_pages(pages, nr);
		return;
	}
	hm_count(hm, HM_STAT_FULL_FLUSH);
	port_tlb_shootdown_all();
}

static void slot_set_free(struct highmem *hm, unsigned int nr)
{
	HM_ASSERT(!slot_is_free(hm, nr));
	HM_ASSERT(port_atomic_load(&hm->pkmap.slot[nr].count) == 0);
	hm->pkmap.free[nr / 32] |= (uint32_t)1 << (nr % 32);
}

/* Free all idle slots of @colour with one shootdown. */
static void flush_idle_slots(struct highmem *hm, unsigned int colour)
{
	struct pkmap *pkmap = &hm->pkmap;
	unsigned int nr = 0;

	for (unsigned int s = colour; s < hm->config.nr_slots;
	     s += hm->config.nr_colours) {
		if (!slot_take_idle(&pkmap->slot[s]))
			continue;
		slot_retire(hm, s);
		pkmap->batch[nr++] = pkmap_vaddr(hm, s);
	}
	if (nr == 0)
		return;
	shootdown(hm, pkmap->batch, nr);
	for (unsigned int i = 0; i < nr; i++)
		slot_set_free(hm, pkmap_slot_of(hm, pkmap->batch[i]));
}

/* The first free slot of @colour from @from on, a word at a time. */
static unsigned int find_free(struct highmem *hm, unsigned int colour,
			      unsigned int from)
{
	static const uint32_t every[HIGHMEM_MAX_COLOURS + 1] = {
		[1] = 0xffffffff,
		[2] = 0x55555555,
		[4] = 0x11111111,
		[8] = 0x01010101,
	};
	uint32_t colour_mask = every[hm->config.nr_colours] << colour;
	uint32_t mask = UINT32_MAX << (from % 32);

	HM_ASSERT(colour < hm->config.nr_colours);
	for (unsigned int word = from / 32; word * 32 < hm->config.nr_slots;
	     word++) {
		uint32_t bits = hm->pkmap.free[word] & colour_mask & mask;

		hm_count(hm, HM_STAT_PROBE);
		if (bits)
			return word * 32 + (unsigned int)__builtin_ctz(bits);
		mask = UINT32_MAX;
	}
	return PKMAP_NONE;
}

/* Own a slot of @colour that is in no TLB, or PKMAP_NONE. */
static unsigned int slot_take(struct highmem *hm, unsigned int colour)
{
	struct pkmap *pkmap = &hm->pkmap;
	unsigned int nr = find_free(hm, colour, pkmap->hand[colour]);

	if (nr == PKMAP_NONE) {
		flush_idle_slots(hm, colour);
		nr = find_free(hm, colour, 0);
	}
	if (nr == PKMAP_NONE)
		return PKMAP_NONE;
	HM_ASSERT(nr < hm->config.nr_slots);
	pkmap->free[nr / 32] &= ~((uint32_t)1 << (nr % 32));
	pkmap->hand[colour] = nr + 1;
	return nr;
}

/* While somebody waits and a slot can be had, bring them together. */
static void serve_queue(struct highmem *hm, unsigned int colour)
{
	struct pkmap_queue *queue = &hm->pkmap.queue[colour];

	while (!queue_is_empty(queue)) {
		unsigned int nr = slot_take(hm, colour);
		port_irq_t flags;

		if (nr == PKMAP_NONE)
			return;
		flags = queue_lock(queue);
		if (queue->head)
			queue_grant(hm, queue, &queue->head, nr, GRANT_SLOT);
		else
			slot_set_free(hm, nr); /* the last one gave up */
		queue_unlock(queue, flags);
	}
}

/* @page has just got @nr, pinned: all who queue for it may use it too. */
static void share_slot(struct highmem *hm, unsigned int nr, struct page *page)
{
	struct pkmap_queue *queue = slot_queue(hm, nr);
	struct pkmap_waiter **link = &queue->head;
	port_irq_t flags;

	if (queue_is_empty(queue))
		return;
	flags = queue_lock(queue);
	while (*link) {
		if ((*link)->page != page) {
			link = &(*link)->next;
			continue;
		}
		port_atomic_fetch_add(&hm->pkmap.slot[nr].count, 1);
		hm_count(hm, HM_STAT_SHARE);
		queue_grant(hm, queue, link, nr, GRANT_SHARED);
	}
	queue_unlock(queue, flags);
}

/* A slot that was handed over still has its old mapping. */
static void slot_clean(struct highmem *hm, unsigned int nr)
{
	vaddr_t vaddr = pkmap_vaddr(hm, nr);

	HM_ASSERT(!slot_is_free(hm, nr));
	if (port_atomic_load(&hm->pkmap.slot[nr].page) == 0)
		return;
	slot_retire(hm, nr);
	shootdown(hm, &vaddr, 1);
}

/* ---- kmap ------------------------------------------------------------------ */

/* Use the slot that the queue gave, unless the page got another meanwhile. */
static unsigned int take_over(struct highmem *hm, struct page *page,
			      unsigned int given)
{
	unsigned int nr;

	port_spin_lock(&hm->pkmap.lock);
	nr = page_pin(hm, page);
	slot_clean(hm, given);
	if (nr == PKMAP_NONE) {
		nr = given;
		slot_install(hm, nr, page);
		share_slot(hm, nr, page);
	} else {
		slot_set_free(hm, given);
		serve_queue(hm, slot_colour(hm, given));
	}
	port_spin_unlock(&hm->pkmap.lock);
	return nr;
}

/* How long a caller is ready to wait for a slot. */
struct patience {
	uint64_t deadline;
	bool killable; /* less long, if a signal comes */
};

/* Queue up, look again, sleep. Takes over pkmap.lock and drops it. */
static unsigned int wait_for_slot(struct highmem *hm, struct page *page,
				  struct patience patience)
{
	unsigned int colour = page_colour(hm, page);
	struct pkmap_queue *queue = &hm->pkmap.queue[colour];
	struct pkmap_waiter waiter = {
		.page = page,
		.task = port_task_current(),
		.killable = patience.killable,
	};

	hm_count(hm, HM_STAT_WAIT);
	queue_append(queue, &waiter);
	port_fence();
	serve_queue(hm, colour);
	port_spin_unlock(&hm->pkmap.lock);
	if (!queue_wait(hm, queue, &waiter, patience.deadline))
		return PKMAP_NONE;
	if (port_atomic_load(&waiter.granted) == GRANT_SHARED)
		return waiter.slot;
	return take_over(hm, page, waiter.slot);
}

/* No deadline at all: do not wait. */
#define DO_NOT_WAIT 0

static unsigned int kmap_miss(struct highmem *hm, struct page *page,
			      struct patience patience)
{
	unsigned int colour = page_colour(hm, page);
	unsigned int nr;

	port_spin_lock(&hm->pkmap.lock);
	nr = page_pin(hm, page);
	if (nr != PKMAP_NONE) {
		hm_count(hm, HM_STAT_HIT); /* another's miss was first */
	} else if (queue_is_empty(&hm->pkmap.queue[colour])) {
		nr = slot_take(hm, colour);
		if (nr != PKMAP_NONE)
			slot_install(hm, nr, page);
	}
	if (nr == PKMAP_NONE && patience.deadline != DO_NOT_WAIT)
		return wait_for_slot(hm, page, patience);
	port_spin_unlock(&hm->pkmap.lock);
	return nr;
}

static void *kmap_until(struct highmem *hm, struct page *page,
			struct patience patience)
{
	unsigned int nr;

	if (!port_may_sleep()) {
		hm_misuse(hm, "kmap of pfn %x where sleeping is not allowed",
			  page_to_pfn(hm, page));
		return NULL;
	}
	if (!page_is_highmem(hm, page))
		return page_address(hm, page);
	nr = page_pin(hm, page);
	if (nr != PKMAP_NONE)
		hm_count(hm, HM_STAT_HIT);
	else
		nr = kmap_miss(hm, page, patience);
	return nr == PKMAP_NONE ? NULL : (void *)pkmap_vaddr(hm, nr);
}

void *kmap(struct highmem *hm, struct page *page)
{
	return kmap_until(hm, page,
			  (struct patience){ PORT_NO_DEADLINE, false });
}

void *kmap_try(struct highmem *hm, struct page *page)
{
	return kmap_until(hm, page, (struct patience){ DO_NOT_WAIT, false });
}

void *kmap_timeout(struct highmem *hm, struct page *page, uint64_t deadline)
{
	deadline = deadline == DO_NOT_WAIT ? 1 : deadline;
	return kmap_until(hm, page, (struct patience){ deadline, false });
}

void *kmap_killable(struct highmem *hm, struct page *page)
{
	return kmap_until(hm, page,
			  (struct patience){ PORT_NO_DEADLINE, true });
}

void *kmap_high_get(struct highmem *hm, struct page *page)
{
	unsigned int nr = page_pin(hm, page);

	return nr == PKMAP_NONE ? NULL : (void *)pkmap_vaddr(hm, nr);
}

/* Lower the count of a slot that must have users; 0 when it has none. */
static uint32_t slot_put_checked(struct pkmap_slot *slot)
{
	uint32_t count = port_atomic_load(&slot->count);

	while (count >= 2)
		if (port_atomic_cas(&slot->count, &count, count - 1))
			return count;
	return 0;
}

void kunmap(struct highmem *hm, struct page *page)
{
	uint32_t nr = port_atomic_load(&page->pkmap_slot);
	uint32_t count = 0;

	if (!page_is_highmem(hm, page))
		return;
	if (nr != 0)
		count = slot_put_checked(&hm->pkmap.slot[nr - 1]);
	if (count == 0) {
		hm_misuse(hm,
			  "kunmap of page %u (pfn %x): not mapped; "
			  "last unmapped by task %u",
			  page_cookie(hm, page) - 1, page_to_pfn(hm, page),
			  port_stat_read(&page->last_unmap));
		return;
	}
	port_stat_set(&page->last_unmap, port_task_id(port_task_current()));
	if (count == 2)
		slot_idle(hm, nr - 1);
}

void kmap_flush_unused(struct highmem *hm)
{
	if (!port_may_sleep()) {
		hm_misuse(hm,
			  "kmap_flush_unused where sleeping is not allowed");
		return;
	}
	port_spin_lock(&hm->pkmap.lock);
	for (unsigned int c = 0; c < hm->config.nr_colours; c++) {
		flush_idle_slots(hm, c);
		serve_queue(hm, c);
	}
	port_spin_unlock(&hm->pkmap.lock);
}

void pkmap_init(struct highmem *hm)
{
	struct pkmap *pkmap = &hm->pkmap;

	port_spin_init(&pkmap->lock);
	for (unsigned int w = 0; w < HIGHMEM_MAX_SLOTS / 32; w++)
		pkmap->free[w] = 0;
	for (unsigned int s = 0; s < hm->config.nr_slots; s++) {
		port_atomic_store(&pkmap->slot[s].count, 0);
		port_atomic_store(&pkmap->slot[s].page, 0);
		slot_set_free(hm, s);
	}
	for (unsigned int c = 0; c < HIGHMEM_MAX_COLOURS; c++) {
		pkmap->hand[c] = 0;
		port_spin_init(&pkmap->queue[c].lock);
		pkmap->queue[c].head = NULL;
		pkmap->queue[c].tail = NULL;
		port_atomic_store(&pkmap->queue[c].nr, 0);
	}
}
