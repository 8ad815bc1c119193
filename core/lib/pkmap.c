/* SPDX-License-Identifier: MIT */
#include "core/lib/internal.h"
#include "core/lib/pkmap_queue.h"

/*
 * Persistent maps. The counts are those of Linux; where they stand, and who has
 * to take a lock, differs. page->pkmap holds the number of the page's slot and
 * the count, in one word (page.h). So
 *
 *	0 -> {slot, 2}		by who maps a page that is not mapped,
 *				under pkmap.lock, once the PTE is written;
 *	{slot, n} -> n + 1	by who maps it again (n >= 1);
 *	{slot, n} -> n - 1	by kunmap() (n >= 2);
 *	{slot, 1} -> 0		by who takes the idle slot away.
 *
 * All but the first are compare-and-swaps. Whichever succeeds knows that the
 * page is mapped in that slot at that moment, and a user keeps it so: a hit
 * takes no lock and looks at nothing else. A kunmap() too many finds no user
 * and says so.
 *
 * When the search for a free slot passes the last one, all idle slots of the
 * colour are taken away, their PTEs are cleared, and one shootdown covers them
 * all. Only then are they free. The order word, PTE, TLB is the point: a user
 * can come until the word is 0, and a translation can be loaded until the PTE
 * is gone.
 *
 * No slot, free or idle: the task queues. A kunmap() that leaves a slot idle
 * while somebody queues takes it away at once and gives it to the oldest
 * waiter, one wake-up for one slot; a newcomer does not overtake the queue. No
 * wake-up is lost, because
 *
 *	the waiter	raises queue.nr, fence, looks at the counts;
 *	the kunmap	lowers the count, fence, looks at queue.nr;
 *
 * so at least one sees the other; and a slot that a flush freed between the
 * two steps of a kunmap is served by the one who flushed (serve_queue()).
 */

/* Instead of a slot: its page has as many users as can be counted. */
#define PKMAP_FULL (PKMAP_NONE - 1)

/* What a kmap() asks for, and for how long. */
struct request {
	struct page *page;
	pfn_t pfn;
	unsigned int colour;
	uint64_t deadline;
	bool killable; /* not even that long, if a signal comes */
};

/* No deadline at all: do not wait. */
#define DO_NOT_WAIT 0

/* ---- Users come and go ---------------------------------------------------- */

/* One user more, if @page is mapped: its slot, PKMAP_NONE or PKMAP_FULL. */
static unsigned int page_get(struct page *page)
{
	uint32_t word = port_atomic_load(&page->pkmap);

	while (word != 0) {
		if (pkmap_word_count(word) == PKMAP_COUNT_MAX)
			return PKMAP_FULL;
		if (port_atomic_cas(&page->pkmap, &word, word + 1))
			return pkmap_word_slot(word);
	}
	return PKMAP_NONE;
}

/* One user less. Returns the word as it was; 0: there was no user. */
static uint32_t page_put(struct page *page)
{
	uint32_t word = port_atomic_load(&page->pkmap);

	while (pkmap_word_count(word) >= 2)
		if (port_atomic_cas(&page->pkmap, &word, word - 1))
			return word;
	return 0;
}

/* Idle -> not mapped. Fails if the page has a user, or is not in @slot. */
static bool page_take_idle(struct page *page, unsigned int slot)
{
	uint32_t idle = pkmap_word(slot, 1);

	/* Look first: a flush comes by all slots, and few of them are idle. */
	return port_atomic_load(&page->pkmap) == idle &&
	       port_atomic_cas(&page->pkmap, &idle, 0);
}

static struct pkmap_queue *slot_queue(struct highmem *hm, unsigned int slot)
{
	return &hm->pkmap.queue[slot_colour(hm, slot)];
}

/*
 * @page has just become idle in @slot. The one who lowered the count did so
 * with a full fence, the other half of which is in wait_for_slot(). If the page
 * was taken away since, it is for that one to serve the queue; if it came back
 * and is idle again there, the slot is as good as before.
 */
static void hand_over(struct highmem *hm, struct page *page, unsigned int slot)
{
	struct pkmap_queue *queue = slot_queue(hm, slot);
	port_irq_t flags;

	if (queue_is_empty(queue))
		return;
	flags = queue_lock(queue);
	if (queue->head && page_take_idle(page, slot)) {
		hm_count(hm, HM_STAT_HANDOVER);
		queue_grant(hm, queue, &queue->head, slot, GRANT_SLOT);
	}
	queue_unlock(queue, flags);
}

/* ---- Slots come and go: all below holds pkmap.lock ------------------------- */

/* The page whose PTE @slot has, or NULL. */
static struct page *slot_page(struct highmem *hm, unsigned int slot)
{
	uint32_t cookie = port_atomic_load(&hm->pkmap.slot[slot].page);

	HM_ASSERT(cookie <= hm->config.nr_pages);
	return cookie ? &hm->config.mem_map[cookie - 1] : NULL;
}

/* pre: the caller owns the slot, which is in no TLB; the page has none. */
static void slot_install(struct highmem *hm, unsigned int slot,
			 const struct request *request)
{
	pte_t pte = pte_make(request->pfn, hm->config.prot);

	HM_ASSERT(port_spin_is_locked(&hm->pkmap.lock));
	HM_ASSERT(slot_colour(hm, slot) == request->colour);
	HM_CHECK(pte_none(port_pte_read(pkmap_vaddr(hm, slot))));
	port_pte_set(pkmap_vaddr(hm, slot), pte);
	port_atomic_store(&hm->pkmap.slot[slot].page,
			  page_cookie(hm, request->page));
	/* Last: who finds the page mapped finds all of it. */
	port_atomic_store(&request->page->pkmap, pkmap_word(slot, 2));
	hm_count(hm, HM_STAT_MISS);
}

/*
 * Undo slot_install(), but for TLBs. pre: @slot was @page's, and is not any
 * more; the page may have a newer slot by now.
 */
static void slot_retire(struct highmem *hm, unsigned int slot,
			const struct page *page)
{
	pte_t old;

	HM_CHECK(!page_is_in(page, slot));
	port_atomic_store(&hm->pkmap.slot[slot].page, 0);
	old = port_pte_clear(pkmap_vaddr(hm, slot));
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

static void slot_set_free(struct highmem *hm, unsigned int slot)
{
	HM_ASSERT(!slot_is_free(hm, slot));
	HM_ASSERT(port_atomic_load(&hm->pkmap.slot[slot].page) == 0);
	hm->pkmap.free[slot / 32] |= (uint32_t)1 << (slot % 32);
}

/* Take idle slots of @colour away, into batch[] from @nr on; the new length. */
static unsigned int retire_idle(struct highmem *hm, unsigned int colour,
				unsigned int nr)
{
	/* A miss comes by all slots: what does not change is read once. */
	const struct pkmap_slot *slot = hm->pkmap.slot;
	struct page *mem_map = hm->config.mem_map;
	unsigned int nr_slots = hm->config.nr_slots;
	unsigned int step = hm->config.nr_colours;

	for (unsigned int s = colour; s < nr_slots; s += step) {
		uint32_t cookie = port_atomic_load(&slot[s].page);

		if (cookie == 0 || !page_take_idle(&mem_map[cookie - 1], s))
			continue;
		slot_retire(hm, s, &mem_map[cookie - 1]);
		hm->pkmap.batch[nr++] = pkmap_vaddr(hm, s);
	}
	return nr;
}

/*
 * A slot that was handed over keeps its PTE until its new owner has the lock.
 * Do that for the owner, whose slot it stays. What retire_idle() found idle and
 * could not take is among these, or got a user.
 */
static unsigned int retire_given(struct highmem *hm, unsigned int nr)
{
	for (unsigned int s = 0; s < hm->config.nr_slots; s++) {
		struct page *page = slot_page(hm, s);

		if (!page || page_is_in(page, s))
			continue;
		slot_retire(hm, s, page);
		hm->pkmap.batch[nr++] = pkmap_vaddr(hm, s);
	}
	return nr;
}

/* One shootdown for @nr slots in batch[]; the first @nr_idle become free. */
static void flush_batch(struct highmem *hm, unsigned int nr_idle,
			unsigned int nr)
{
	const vaddr_t *batch = hm->pkmap.batch;

	if (nr == 0)
		return;
	shootdown(hm, batch, nr);
	for (unsigned int i = 0; i < nr_idle; i++)
		slot_set_free(hm, pkmap_slot_of(hm, batch[i]));
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
	unsigned int slot = find_free(hm, colour, pkmap->hand[colour]);
	unsigned int nr;

	if (slot == PKMAP_NONE) {
		nr = retire_idle(hm, colour, 0);
		flush_batch(hm, nr, nr);
		slot = find_free(hm, colour, 0);
	}
	if (slot == PKMAP_NONE)
		return PKMAP_NONE;
	HM_ASSERT(slot < hm->config.nr_slots);
	pkmap->free[slot / 32] &= ~((uint32_t)1 << (slot % 32));
	pkmap->hand[colour] = slot + 1;
	return slot;
}

/* While somebody waits and a slot can be had, bring them together. */
static void serve_queue(struct highmem *hm, unsigned int colour)
{
	struct pkmap_queue *queue = &hm->pkmap.queue[colour];

	while (!queue_is_empty(queue)) {
		unsigned int slot = slot_take(hm, colour);
		port_irq_t flags;

		if (slot == PKMAP_NONE)
			return;
		flags = queue_lock(queue);
		if (queue->head)
			queue_grant(hm, queue, &queue->head, slot, GRANT_SLOT);
		else
			slot_set_free(hm, slot); /* the last one gave up */
		queue_unlock(queue, flags);
	}
}

/* @page has just got @slot, and a user: all who queue for it may use it too. */
static void share_slot(struct highmem *hm, unsigned int slot, struct page *page)
{
	struct pkmap_queue *queue = slot_queue(hm, slot);
	struct pkmap_waiter **link = &queue->head;
	port_irq_t flags;

	if (queue_is_empty(queue))
		return;
	flags = queue_lock(queue);
	while (*link) {
		if ((*link)->page != page || page_get(page) != slot) {
			link = &(*link)->next;
			continue;
		}
		hm_count(hm, HM_STAT_SHARE);
		queue_grant(hm, queue, link, slot, GRANT_SHARED);
	}
	queue_unlock(queue, flags);
}

/* A slot that was handed over has its old mapping, unless a flush came by. */
static void slot_clean(struct highmem *hm, unsigned int slot)
{
	vaddr_t vaddr = pkmap_vaddr(hm, slot);
	struct page *page = slot_page(hm, slot);

	HM_ASSERT(!slot_is_free(hm, slot));
	if (!page)
		return;
	slot_retire(hm, slot, page);
	shootdown(hm, &vaddr, 1);
}

/* ---- kmap ------------------------------------------------------------------ */

/* Use the slot that the queue gave, unless the page got another meanwhile. */
static unsigned int take_over(struct highmem *hm, const struct request *request,
			      unsigned int given)
{
	unsigned int slot;

	port_spin_lock(&hm->pkmap.lock);
	slot = page_get(request->page);
	slot_clean(hm, given);
	if (slot == PKMAP_NONE) {
		slot = given;
		slot_install(hm, slot, request);
		share_slot(hm, slot, request->page);
	} else {
		slot_set_free(hm, given);
		serve_queue(hm, request->colour);
	}
	port_spin_unlock(&hm->pkmap.lock);
	return slot;
}

/* Queue up, look again, sleep. Takes over pkmap.lock and drops it. */
static unsigned int wait_for_slot(struct highmem *hm,
				  const struct request *request)
{
	struct pkmap_queue *queue = &hm->pkmap.queue[request->colour];
	struct pkmap_waiter waiter = {
		.page = request->page,
		.task = port_task_current(),
		.killable = request->killable,
	};

	hm_count(hm, HM_STAT_WAIT);
	queue_append(queue, &waiter);
	port_fence();
	serve_queue(hm, request->colour);
	port_spin_unlock(&hm->pkmap.lock);
	if (!queue_wait(hm, queue, &waiter, request->deadline))
		return PKMAP_NONE;
	if (port_atomic_load(&waiter.granted) == GRANT_SHARED)
		return waiter.slot;
	return take_over(hm, request, waiter.slot);
}

static unsigned int kmap_miss(struct highmem *hm, const struct request *request)
{
	unsigned int slot;

	port_spin_lock(&hm->pkmap.lock);
	slot = page_get(request->page);
	if (slot != PKMAP_NONE) {
		hm_count(hm, HM_STAT_HIT); /* another's miss was first */
	} else if (queue_is_empty(&hm->pkmap.queue[request->colour])) {
		slot = slot_take(hm, request->colour);
		if (slot != PKMAP_NONE)
			slot_install(hm, slot, request);
	}
	if (slot == PKMAP_NONE && request->deadline != DO_NOT_WAIT)
		return wait_for_slot(hm, request);
	port_spin_unlock(&hm->pkmap.lock);
	return slot;
}

/* The address to hand out, or NULL. */
static void *address_in(struct highmem *hm, unsigned int slot, pfn_t pfn)
{
	if (slot == PKMAP_NONE)
		return NULL;
	if (slot == PKMAP_FULL) {
		hm_misuse(hm, "kmap of pfn %x: it has %u users already", pfn,
			  PKMAP_COUNT_MAX - 1);
		return NULL;
	}
	HM_ASSERT(slot < hm->config.nr_slots);
	return (void *)pkmap_vaddr(hm, slot);
}

static void *kmap_until(struct highmem *hm, struct page *page,
			uint64_t deadline, bool killable)
{
	pfn_t pfn = hm_pfn_of(hm, page, "kmap");
	unsigned int slot;

	if (pfn == PFN_NONE)
		return NULL;
	if (!port_may_sleep()) {
		hm_misuse(hm, "kmap of pfn %x where sleeping is not allowed",
			  pfn);
		return NULL;
	}
	if (!is_highmem_pfn(hm, pfn))
		return (void *)lowmem_vaddr(hm, pfn);
	slot = page_get(page);
	if (slot != PKMAP_NONE)
		hm_count(hm, HM_STAT_HIT);
	else
		slot = kmap_miss(hm, &(struct request){ page, pfn,
							pfn_colour(hm, pfn),
							deadline, killable });
	return address_in(hm, slot, pfn);
}

void *kmap(struct highmem *hm, struct page *page)
{
	return kmap_until(hm, page, PORT_NO_DEADLINE, false);
}

void *kmap_try(struct highmem *hm, struct page *page)
{
	return kmap_until(hm, page, DO_NOT_WAIT, false);
}

void *kmap_timeout(struct highmem *hm, struct page *page, uint64_t deadline)
{
	deadline = deadline == DO_NOT_WAIT ? 1 : deadline;
	return kmap_until(hm, page, deadline, false);
}

void *kmap_killable(struct highmem *hm, struct page *page)
{
	return kmap_until(hm, page, PORT_NO_DEADLINE, true);
}

void *kmap_high_get(struct highmem *hm, struct page *page)
{
	pfn_t pfn = hm_pfn_of(hm, page, "kmap_high_get");

	return pfn == PFN_NONE ? NULL : address_in(hm, page_get(page), pfn);
}

void kunmap(struct highmem *hm, struct page *page)
{
	pfn_t pfn = hm_pfn_of(hm, page, "kunmap");
	uint32_t word;

	if (pfn == PFN_NONE || !is_highmem_pfn(hm, pfn))
		return;
	word = page_put(page);
	if (word == 0) {
		hm_misuse(hm,
			  "kunmap of page %u (pfn %x): not mapped; "
			  "last unmapped by task %u",
			  page_cookie(hm, page) - 1, pfn,
			  port_stat_read(&page->last_unmap));
		return;
	}
	port_stat_set(&page->last_unmap, port_task_id(port_task_current()));
	if (pkmap_word_count(word) == 2)
		hand_over(hm, page, pkmap_word_slot(word));
}

void kmap_flush_unused(struct highmem *hm)
{
	unsigned int nr_idle = 0;

	if (!port_may_sleep()) {
		hm_misuse(hm,
			  "kmap_flush_unused where sleeping is not allowed");
		return;
	}
	port_spin_lock(&hm->pkmap.lock);
	for (unsigned int c = 0; c < hm->config.nr_colours; c++)
		nr_idle = retire_idle(hm, c, nr_idle);
	flush_batch(hm, nr_idle, retire_given(hm, nr_idle));
	for (unsigned int c = 0; c < hm->config.nr_colours; c++)
		serve_queue(hm, c);
	port_spin_unlock(&hm->pkmap.lock);
}
