/* SPDX-License-Identifier: MIT */
#include "core/lib/internal.h"

/*
 * A flat list of predicates. EXPECT() ends the walk at the first one that
 * does not hold, with the thing it was looking at.
 */
#define EXPECT(hm, cond, what, nr) \
	do { \
		if (!(cond)) \
			return contradiction(hm, what, nr, #cond); \
	} while (0)

static const char *contradiction(struct highmem *hm, const char *what,
				 uint32_t nr, const char *cond)
{
	hm_format(hm->why, sizeof(hm->why),
		  "highmem_validate: %s %u: not true: %s", what, nr, cond);
	return hm->why;
}

static const char *validate_mapped_slot(struct highmem *hm, uint32_t nr,
					uint32_t cookie, pte_t pte)
{
	EXPECT(hm, !slot_is_free(hm, nr), "slot", nr);
	EXPECT(hm, cookie <= hm->config.nr_pages, "slot", nr);
	struct page *page = &hm->config.mem_map[cookie - 1];

	EXPECT(hm, pte_present(pte), "slot", nr);
	EXPECT(hm, pte_pfn(pte) == page_to_pfn(hm, page), "slot", nr);
	EXPECT(hm, page_is_highmem(hm, page), "slot", nr);
	EXPECT(hm, page_colour(hm, page) == slot_colour(hm, nr), "slot", nr);
	return NULL;
}

const char *highmem_validate_slot(struct highmem *hm, unsigned int nr)
{
	uint32_t cookie = port_atomic_load(&hm->pkmap.slot[nr].page);
	pte_t pte = port_pte_read(pkmap_vaddr(hm, nr));

	if (cookie != 0)
		return validate_mapped_slot(hm, nr, cookie, pte);
	EXPECT(hm, pte_none(pte), "slot", nr);
	return NULL;
}

const char *highmem_validate_page(struct highmem *hm, uint32_t index)
{
	struct page *page = &hm->config.mem_map[index];
	uint32_t word = port_atomic_load(&page->pkmap);
	uint32_t slot = pkmap_word_slot(word);

	if (word == 0)
		return NULL;
	EXPECT(hm, page_is_highmem(hm, page), "page", index);
	EXPECT(hm, slot < hm->config.nr_slots, "page", index);
	EXPECT(hm, pkmap_word_count(word) != 0, "page", index);
	EXPECT(hm, port_atomic_load(&hm->pkmap.slot[slot].page) == index + 1,
	       "page", index);
	return NULL;
}

/* pre: highmem_validate_slot() found nothing wrong. */
static bool slot_is_mapped(const struct highmem *hm, uint32_t slot)
{
	uint32_t cookie = port_atomic_load(&hm->pkmap.slot[slot].page);

	return cookie && page_is_in(&hm->config.mem_map[cookie - 1], slot);
}

/* What is neither free nor mapped was given to a waiter, or is lost. */
static const char *validate_given(struct highmem *hm, unsigned int colour)
{
	uint32_t given = hm->pkmap.queue[colour].given;

	for (uint32_t s = colour; s < hm->config.nr_slots;
	     s += hm->config.nr_colours)
		EXPECT(hm,
		       slot_is_free(hm, s) || slot_is_mapped(hm, s) ||
			       given-- > 0,
		       "slot", s);
	EXPECT(hm, given == 0, "queue", colour);
	return NULL;
}

const char *highmem_validate_queue(struct highmem *hm, unsigned int colour)
{
	struct pkmap_queue *queue = &hm->pkmap.queue[colour];
	struct pkmap_waiter *last = NULL;
	uint32_t nr = 0;

	EXPECT(hm, !port_spin_is_locked(&queue->lock), "queue", colour);
	for (struct pkmap_waiter *w = queue->head; w; w = w->next) {
		EXPECT(hm, nr <= port_atomic_load(&queue->nr), "queue", colour);
		EXPECT(hm, page_cookie(hm, w->page) != 0, "queue", colour);
		EXPECT(hm, page_colour(hm, w->page) == colour, "queue", colour);
		EXPECT(hm, port_atomic_load(&w->granted) == 0, "queue", colour);
		last = w;
		nr++;
	}
	EXPECT(hm, queue->tail == last, "queue", colour);
	EXPECT(hm, port_atomic_load(&queue->nr) == nr, "queue", colour);
	EXPECT(hm, hm->pkmap.hand[colour] <= hm->config.nr_slots, "hand",
	       colour);
	return NULL;
}

/* The bits of word @word that name slots. */
static uint32_t slots_in_word(const struct highmem *hm, uint32_t word)
{
	uint32_t first = word * 32;

	if (first >= hm->config.nr_slots)
		return 0;
	if (hm->config.nr_slots - first >= 32)
		return UINT32_MAX;
	return ((uint32_t)1 << (hm->config.nr_slots - first)) - 1;
}

static const char *validate_free_map(struct highmem *hm)
{
	for (uint32_t w = 0; w < HIGHMEM_MAX_SLOTS / 32; w++)
		EXPECT(hm, (hm->pkmap.free[w] & ~slots_in_word(hm, w)) == 0,
		       "word of the free map", w);
	return NULL;
}

const char *highmem_validate(struct highmem *hm)
{
	const char *why = validate_free_map(hm);

	EXPECT(hm, !port_spin_is_locked(&hm->pkmap.lock), "lock", 0);
	for (uint32_t s = 0; !why && s < hm->config.nr_slots; s++)
		why = highmem_validate_slot(hm, s);
	for (uint32_t i = 0; !why && i < hm->config.nr_pages; i++)
		why = highmem_validate_page(hm, i);
	for (uint32_t c = 0; !why && c < hm->config.nr_colours; c++)
		why = highmem_validate_queue(hm, c);
	for (uint32_t c = 0; !why && c < hm->config.nr_colours; c++)
		why = validate_given(hm, c);
	return why;
}
