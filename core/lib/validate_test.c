/* SPDX-License-Identifier: MIT */
#include "core/lib/test_machine.h"

#include "core/lib/pkmap_queue.h"

/*
 * Each test breaks one thing in a state that is sound and expects the one
 * sentence about it. Slot 0 holds p0, live; slot 1 holds p1, idle; slots 2 and
 * 3 are free.
 */
static struct highmem *hm;

static void boot_sound(unsigned int nr_colours)
{
	hm = boot((struct machine_config){
		.nr_slots = 4, .nr_pages = 8, .nr_colours = nr_colours });
	kmap(hm, high(hm, 0));
	touch(hm, high(hm, 1));
	cr_assert_null(highmem_validate(hm));
}

#define EXPECT_WHY(sentence) \
	do { \
		const char *why_ = highmem_validate(hm); \
		cr_assert_not_null(why_); \
		cr_expect_str_eq(why_, "highmem_validate: " sentence); \
	} while (0)

/* Replace the PTE of @slot. */
static void set_pte(unsigned int slot, pte_t pte)
{
	port_pte_clear(pkmap_vaddr(hm, slot));
	if (pte)
		port_pte_set(pkmap_vaddr(hm, slot), pte);
}

static void set_page(unsigned int slot, uint32_t cookie)
{
	port_atomic_store(&hm->pkmap.slot[slot].page, cookie);
}

static void set_word(struct page *page, unsigned int slot, uint32_t count)
{
	port_atomic_store(&page->pkmap, pkmap_word(slot, count));
}

/* ---- What is fine ----------------------------------------------------------- */

Test(validate, a_new_machine)
{
	static const unsigned int sizes[] = { 2, 31, 32, 33, 64, 1024 };

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		hm = boot((struct machine_config){ .nr_slots = sizes[i] });
		cr_expect_null(highmem_validate(hm));
		machine_shutdown();
	}
}

Test(validate, the_accessed_and_dirty_bits)
{
	boot_sound(1);
	set_pte(0, pte_make(0x38000, PTE_PRESENT | PTE_WRITE | PTE_ACCESSED |
					     PTE_DIRTY));
	cr_expect_null(highmem_validate(hm));
}

/* Slot 1 is on its way to a waiter, and p1 has got slot 2 meanwhile. */
Test(validate, a_slot_that_is_handed_over)
{
	boot_sound(1);
	set_count(hm, 1, 0);
	hm->pkmap.queue[0].given = 1;
	cr_expect_null(highmem_validate(hm));
	cr_expect_eq(kmap(hm, high(hm, 1)), slot_address(hm, 2));
	cr_expect_null(highmem_validate(hm));
}

/* It says so where it is declared: a count knows no history. */
Test(validate, a_count_that_is_too_high_looks_fine)
{
	boot_sound(1);
	set_count(hm, 0, 17);
	cr_expect_null(highmem_validate(hm));
}

/* ---- The lock, the free map, the hands ------------------------------------------ */

Test(validate, lock)
{
	boot_sound(1);
	port_spin_lock(&hm->pkmap.lock);
	EXPECT_WHY("lock 0: not true: !port_spin_is_locked(&hm->pkmap.lock)");
}

Test(validate, free_map_beyond_the_last_slot)
{
	char sentence[160];

	for (unsigned int w = 0; w < HIGHMEM_MAX_SLOTS / 32; w++) {
		boot_sound(1);
		hm->pkmap.free[w] |= w == 0 ? 1u << 4 : 1u << 31;
		hm_format(sentence, sizeof(sentence),
			  "highmem_validate: word of the free map %u: not "
			  "true: (hm->pkmap.free[w] & ~slots_in_word(hm, w)) "
			  "== 0",
			  w);
		cr_expect_str_eq(highmem_validate(hm), sentence);
		machine_shutdown();
	}
}

Test(validate, free_map_in_the_last_word)
{
	hm = boot((struct machine_config){ .nr_slots = 33 });
	hm->pkmap.free[1] |= 2;
	EXPECT_WHY("word of the free map 1: not true: (hm->pkmap.free[w] & "
		   "~slots_in_word(hm, w)) == 0");
}

/* Each bit of the words beyond, and of the last word, one by one. */
Test(validate, no_bit_beyond_the_last_slot_goes_unseen)
{
	static const unsigned int sizes[] = { 31, 32, 40 };

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		hm = boot((struct machine_config){ .nr_slots = sizes[i] });
		for (unsigned int bit = sizes[i]; bit < 96; bit++) {
			hm->pkmap.free[bit / 32] |= (uint32_t)1 << (bit % 32);
			cr_expect_not_null(highmem_validate(hm), "bit %u", bit);
			hm->pkmap.free[bit / 32] &= ~((uint32_t)1
						      << (bit % 32));
		}
		cr_expect_null(highmem_validate(hm));
		machine_shutdown();
	}
}

Test(validate, hand)
{
	boot_sound(2);
	hm->pkmap.hand[1] = 4;
	cr_expect_null(highmem_validate(hm));
	hm->pkmap.hand[1] = 5;
	EXPECT_WHY("hand 1: not true: hm->pkmap.hand[colour] <= "
		   "hm->config.nr_slots");
	hm->pkmap.hand[0] = 5;
	EXPECT_WHY("hand 0: not true: hm->pkmap.hand[colour] <= "
		   "hm->config.nr_slots");
}

/* ---- Slots ----------------------------------------------------------------------- */

Test(validate, a_mapped_slot_is_not_free)
{
	boot_sound(1);
	hm->pkmap.free[0] |= 1u << 1;
	EXPECT_WHY("slot 1: not true: !slot_is_free(hm, nr)");
}

Test(validate, a_slot_names_a_page_of_mem_map)
{
	boot_sound(1);
	set_page(0, 11);
	EXPECT_WHY("slot 0: not true: cookie <= hm->config.nr_pages");
}

Test(validate, a_mapped_slot_has_a_pte)
{
	boot_sound(1);
	set_pte(1, 0);
	EXPECT_WHY("slot 1: not true: pte_present(pte)");
}

Test(validate, the_pte_is_that_of_the_page)
{
	boot_sound(1);
	set_pte(0, pte_make(0x38001, PTE_PRESENT | PTE_WRITE));
	EXPECT_WHY("slot 0: not true: pte_pfn(pte) == page_to_pfn(hm, page)");
}

Test(validate, the_page_is_highmem)
{
	boot_sound(1);
	set_page(0, 1);
	set_pte(0, pte_make(0x37ffe, PTE_PRESENT | PTE_WRITE));
	EXPECT_WHY("slot 0: not true: page_is_highmem(hm, page)");
}

Test(validate, slot_and_page_have_one_colour)
{
	boot_sound(2);
	set_page(0, page_cookie(hm, high(hm, 1)));
	set_pte(0, pte_make(0x38001, PTE_PRESENT | PTE_WRITE));
	EXPECT_WHY("slot 0: not true: page_colour(hm, page) == "
		   "slot_colour(hm, nr)");
}

#define LOST \
	"not true: slot_is_free(hm, s) || slot_is_mapped(hm, s) || given-- > 0"

Test(validate, the_page_knows_its_slot)
{
	boot_sound(1);
	port_atomic_store(&high(hm, 0)->pkmap, 0);
	EXPECT_WHY("slot 0: " LOST);
}

Test(validate, two_slots_for_one_page)
{
	boot_sound(1);
	hm->pkmap.free[0] &= ~(1u << 2);
	set_page(2, page_cookie(hm, high(hm, 0)));
	set_pte(2, pte_make(0x38000, PTE_PRESENT | PTE_WRITE));
	EXPECT_WHY("slot 2: " LOST);
}

/* Taken, and then forgotten. */
Test(validate, a_slot_that_is_nobodys)
{
	boot_sound(2);
	hm->pkmap.free[0] &= ~(1u << 3);
	EXPECT_WHY("slot 3: " LOST);
	hm->pkmap.queue[0].given = 1;
	EXPECT_WHY("queue 0: not true: given == 0");
	hm->pkmap.queue[0].given = 0;
	hm->pkmap.queue[1].given = 1;
	cr_expect_null(highmem_validate(hm));
	hm->pkmap.queue[1].given = 2;
	EXPECT_WHY("queue 1: not true: given == 0");
}

Test(validate, a_slot_without_a_page_has_no_pte)
{
	boot_sound(1);
	set_pte(3, pte_make(0x38005, PTE_PRESENT | PTE_WRITE));
	EXPECT_WHY("slot 3: not true: pte_none(pte)");
}

/* ---- Pages ------------------------------------------------------------------------- */

Test(validate, a_lowmem_page_has_no_slot)
{
	boot_sound(1);
	set_word(low(hm, 1), 0, 2);
	EXPECT_WHY("page 1: not true: page_is_highmem(hm, page)");
	set_word(low(hm, 0), 0, 2);
	EXPECT_WHY("page 0: not true: page_is_highmem(hm, page)");
}

Test(validate, a_page_names_a_slot_that_exists)
{
	boot_sound(1);
	set_word(high(hm, 5), 4, 2);
	EXPECT_WHY("page 7: not true: slot < hm->config.nr_slots");
}

Test(validate, a_page_in_a_slot_has_a_count)
{
	boot_sound(1);
	set_word(high(hm, 1), 1, 0);
	EXPECT_WHY("page 3: not true: pkmap_word_count(word) != 0");
}

Test(validate, the_slot_of_a_page_is_its_own)
{
	boot_sound(1);
	set_word(high(hm, 5), 0, 2);
	EXPECT_WHY("page 7: not true: port_atomic_load(&hm->pkmap.slot[slot]"
		   ".page) == index + 1");
}

/* ---- Queues ------------------------------------------------------------------------ */

static struct pkmap_waiter first;
static struct pkmap_waiter second;

static void boot_queue(void)
{
	boot_sound(2);
	first.page = high(hm, 4);
	second.page = high(hm, 6);
	queue_append(&hm->pkmap.queue[0], &first);
	queue_append(&hm->pkmap.queue[0], &second);
	cr_assert_null(highmem_validate(hm));
}

Test(validate, lock_of_a_queue)
{
	boot_queue();
	port_spin_lock(&hm->pkmap.queue[1].lock);
	EXPECT_WHY("queue 1: not true: !port_spin_is_locked(&queue->lock)");
}

Test(validate, a_waiter_in_the_queue_of_another_colour)
{
	boot_queue();
	second.page = high(hm, 5);
	EXPECT_WHY("queue 0: not true: page_colour(hm, w->page) == colour");
}

/* It is looked at before it is followed: the core itself finds nothing wrong. */
Test(validate, a_waiter_for_what_is_no_page)
{
	boot_queue();
	second.page = hm->config.mem_map + hm->config.nr_pages;
	EXPECT_WHY("queue 0: not true: page_cookie(hm, w->page) != 0");
	second.page = (struct page *)((uintptr_t)high(hm, 6) + 1);
	EXPECT_WHY("queue 0: not true: page_cookie(hm, w->page) != 0");
	second.page = NULL;
	EXPECT_WHY("queue 0: not true: page_cookie(hm, w->page) != 0");
	EXPECT_BUG("");
}

Test(validate, a_queue_in_a_circle)
{
	boot_queue();
	second.next = &first;
	EXPECT_WHY("queue 0: not true: nr <= port_atomic_load(&queue->nr)");
}

Test(validate, what_is_beyond_the_last_colour_is_nobodys)
{
	boot_sound(2);
	port_atomic_store(&hm->pkmap.queue[2].nr, 1);
	cr_expect_null(highmem_validate(hm));
}

Test(validate, a_waiter_that_was_served_and_still_queues)
{
	boot_queue();
	port_atomic_store(&first.granted, GRANT_SLOT);
	EXPECT_WHY("queue 0: not true: port_atomic_load(&w->granted) == 0");
}

Test(validate, the_tail_is_the_last)
{
	boot_queue();
	hm->pkmap.queue[0].tail = &first;
	EXPECT_WHY("queue 0: not true: queue->tail == last");
}

Test(validate, the_tail_of_an_empty_queue)
{
	boot_queue();
	hm->pkmap.queue[1].tail = &first;
	EXPECT_WHY("queue 1: not true: queue->tail == last");
}

Test(validate, the_length_is_that_of_the_queue)
{
	boot_queue();
	port_atomic_store(&hm->pkmap.queue[0].nr, 1);
	EXPECT_WHY("queue 0: not true: port_atomic_load(&queue->nr) == nr");
}
