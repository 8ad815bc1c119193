/* SPDX-License-Identifier: MIT */
#include "core/lib/test_machine.h"

static unsigned int nr_free(struct highmem *hm)
{
	unsigned int nr = 0;

	for (unsigned int s = 0; s < HIGHMEM_MAX_SLOTS; s++)
		nr += slot_is_free(hm, s);
	return nr;
}

#define EXPECT_TLB(field, value) cr_expect_eq(machine_tlb_stats().field, value)

/* ---- A slot's life: 0, 1, n ----------------------------------------------- */

Test(pkmap, counts_of_one_slot)
{
	struct highmem *hm = boot((struct machine_config){ 0 });
	struct page *page = high(hm, 0);
	void *address;

	cr_expect_eq(slot_count(hm, 0), 0);
	address = kmap(hm, page);
	cr_expect_eq(address, slot_address(hm, 0));
	cr_expect_eq(slot_count(hm, 0), 2);
	cr_expect_eq(kmap(hm, page), address);
	cr_expect_eq(slot_count(hm, 0), 3);
	kunmap(hm, page);
	cr_expect_eq(slot_count(hm, 0), 2);
	kunmap(hm, page);
	cr_expect_eq(slot_count(hm, 0), 1);
	EXPECT_STAT(hm, MISS, 1);
	EXPECT_STAT(hm, HIT, 1);
	EXPECT_SOUND(hm);
}

Test(pkmap, an_idle_slot_stays_mapped_and_is_taken_back_for_nothing)
{
	struct highmem *hm = boot((struct machine_config){ 0 });
	struct page *page = high(hm, 0);

	touch(hm, page);
	cr_expect_eq(pte_pfn(port_pte_read(PKMAP_BASE_NONPAE)), 0x38000);
	cr_expect_not(slot_is_free(hm, 0));
	cr_expect_eq(kmap(hm, page), slot_address(hm, 0));
	cr_expect_eq(slot_count(hm, 0), 2);
	EXPECT_STAT(hm, HIT, 1);
	EXPECT_STAT(hm, MISS, 1);
	EXPECT_TLB(shootdowns, 0);
	EXPECT_SOUND(hm);
}

Test(pkmap, what_is_written_through_a_map_is_in_the_page)
{
	struct highmem *hm = boot((struct machine_config){ 0 });
	char *address = kmap(hm, high(hm, 5));

	machine_store32(address, 0x11223344);
	machine_store32(address + 4092, 0x55667788);
	cr_expect_eq(machine_peek32(high(hm, 5), 0), 0x11223344);
	cr_expect_eq(machine_peek32(high(hm, 5), 4092), 0x55667788);
	EXPECT_SOUND(hm);
}

Test(pkmap, with_pae_the_upper_word_of_the_frame_counts)
{
	struct highmem *hm = boot((struct machine_config){ .pae = true });
	void *address = kmap(hm, high(hm, 1));

	cr_expect_eq((vaddr_t)address, PKMAP_BASE_PAE);
	machine_poke32(high(hm, 1), 0, 77);
	cr_expect_eq(machine_load32(address), 77);
	EXPECT_SOUND(hm);
}

Test(pkmap, lowmem_takes_no_slot)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	cr_expect_eq((vaddr_t)kmap(hm, low(hm, 0)), 0xc0000000);
	cr_expect_eq((vaddr_t)kmap_try(hm, low(hm, 1)), 0xc0001000);
	cr_expect_eq((vaddr_t)kmap_timeout(hm, low(hm, 1), 1), 0xc0001000);
	kunmap(hm, low(hm, 0));
	kunmap(hm, low(hm, 0));
	cr_expect_eq(nr_free(hm), 4);
	EXPECT_STAT(hm, HIT, 0);
	EXPECT_STAT(hm, MISS, 0);
	EXPECT_SOUND(hm);
}

/* ---- Wrap and flush --------------------------------------------------------- */

Test(pkmap, passing_the_last_slot_flushes_all_idle_ones_at_once)
{
	struct highmem *hm = boot((struct machine_config){ .nr_slots = 4 });

	for (unsigned int i = 0; i < 4; i++)
		touch(hm, high(hm, i));
	EXPECT_TLB(shootdowns, 0);
	cr_expect_eq(kmap(hm, high(hm, 4)), slot_address(hm, 0));
	EXPECT_TLB(shootdowns, 1);
	EXPECT_TLB(shootdown_pages, 4);
	EXPECT_TLB(full, 0);
	EXPECT_STAT(hm, FLUSH, 1);
	EXPECT_STAT(hm, FULL_FLUSH, 0);
	EXPECT_STAT(hm, RETIRED, 4);
	EXPECT_STAT(hm, MISS, 5);
	for (unsigned int i = 0; i < 4; i++)
		cr_expect_null(page_address(hm, high(hm, i)));
	cr_expect_eq(hm->pkmap.free[0], 0xe);
	EXPECT_SOUND(hm);
}

Test(pkmap, live_slots_survive_the_flush)
{
	struct highmem *hm = boot((struct machine_config){ .nr_slots = 4 });
	void *held = kmap(hm, high(hm, 0));

	for (unsigned int i = 1; i < 4; i++)
		touch(hm, high(hm, i));
	cr_expect_eq(kmap(hm, high(hm, 4)), slot_address(hm, 1));
	EXPECT_TLB(shootdown_pages, 3);
	EXPECT_STAT(hm, RETIRED, 3);
	cr_expect_eq(page_address(hm, high(hm, 0)), held);
	EXPECT_SOUND(hm);
}

/* Each slot is used once before any is used again. */
Test(pkmap, the_search_goes_on_from_where_it_stopped)
{
	struct highmem *hm = boot((struct machine_config){ .nr_slots = 4 });

	touch(hm, high(hm, 0));
	kmap_flush_unused(hm);
	cr_expect(slot_is_free(hm, 0));
	cr_expect_eq(kmap(hm, high(hm, 1)), slot_address(hm, 1));
	cr_expect_eq(kmap(hm, high(hm, 2)), slot_address(hm, 2));
	cr_expect_eq(kmap(hm, high(hm, 3)), slot_address(hm, 3));
	EXPECT_STAT(hm, FLUSH, 1);
	cr_expect_eq(kmap(hm, high(hm, 4)), slot_address(hm, 0));
	EXPECT_STAT(hm, FLUSH, 1); /* nothing was idle at the wrap */
	EXPECT_SOUND(hm);
}

Test(pkmap, no_translation_outlives_the_flush_on_any_cpu)
{
	struct highmem *hm = boot(
		(struct machine_config){ .nr_cpus = 8, .nr_slots = 2 });

	for (unsigned int i = 0; i < 10; i++) {
		kmap(hm, high(hm, i));
		cr_expect_str_eq(unsound(hm), ""); /* all TLBs load it */
		kunmap(hm, high(hm, i));
	}
	EXPECT_TLB(shootdowns, 4);
	EXPECT_TLB(shootdown_pages, 8);
}

Test(pkmap, flush_unused_takes_idle_slots_only)
{
	struct highmem *hm = boot((struct machine_config){ .nr_slots = 4 });

	kmap_flush_unused(hm);
	EXPECT_TLB(shootdowns, 0);
	kmap(hm, high(hm, 0));
	touch(hm, high(hm, 1));
	touch(hm, high(hm, 2));
	kmap_flush_unused(hm);
	EXPECT_TLB(shootdowns, 1);
	EXPECT_TLB(shootdown_pages, 2);
	cr_expect_eq(nr_free(hm), 3);
	cr_expect_eq(slot_count(hm, 0), 2);
	kmap_flush_unused(hm);
	EXPECT_TLB(shootdowns, 1);
	EXPECT_SOUND(hm);
}

/* The sim's ceiling is 33 pages. */
Test(pkmap, up_to_the_ceiling_pages_are_flushed_one_by_one)
{
	struct highmem *hm = boot(
		(struct machine_config){ .nr_slots = 64, .nr_pages = 64 });

	cr_assert_eq(port_facts()->tlb_flush_ceiling, 33);
	for (unsigned int i = 0; i < 33; i++)
		touch(hm, high(hm, i));
	kmap_flush_unused(hm);
	EXPECT_TLB(shootdowns, 1);
	EXPECT_TLB(shootdown_pages, 33);
	EXPECT_TLB(full, 0);
	EXPECT_STAT(hm, FULL_FLUSH, 0);
	cr_expect_eq(nr_free(hm), 64);
	EXPECT_SOUND(hm);
}

Test(pkmap, above_the_ceiling_everything_is_flushed)
{
	struct highmem *hm = boot(
		(struct machine_config){ .nr_slots = 64, .nr_pages = 64 });

	for (unsigned int i = 0; i < 34; i++)
		touch(hm, high(hm, i));
	kmap_flush_unused(hm);
	EXPECT_TLB(shootdowns, 1);
	EXPECT_TLB(shootdown_pages, 0);
	EXPECT_TLB(full, 1);
	EXPECT_STAT(hm, FLUSH, 1);
	EXPECT_STAT(hm, FULL_FLUSH, 1);
	EXPECT_STAT(hm, RETIRED, 34);
	EXPECT_SOUND(hm);
}

/* ---- Which slot --------------------------------------------------------------- */

/* The last word of the free map has bits that are no slots. */
Test(pkmap, the_free_map_holds_exactly_the_slots)
{
	static const unsigned int sizes[] = { 2,  3,  31, 32, 33,  40,
					      63, 64, 65, 96, 100, 1024 };

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct highmem *hm = boot((struct machine_config){
			.nr_slots = sizes[i], .nr_pages = 1025 });
		unsigned int wrong = 0;

		cr_expect_eq(nr_free(hm), sizes[i]);
		for (unsigned int s = 0; s < sizes[i]; s++)
			wrong += kmap(hm, high(hm, s)) != slot_address(hm, s);
		cr_expect_eq(wrong, 0);
		cr_expect_eq(nr_free(hm), 0);
		cr_expect_null(kmap_try(hm, high(hm, sizes[i])));
		EXPECT_SOUND(hm);
		machine_shutdown();
	}
}

Test(pkmap, the_search_reads_a_word_at_a_time)
{
	struct highmem *hm = boot(
		(struct machine_config){ .nr_slots = 96, .nr_pages = 97 });

	kmap(hm, high(hm, 0));
	EXPECT_STAT(hm, PROBE, 1);
	for (unsigned int i = 1; i < 96; i++)
		kmap(hm, high(hm, i));
	EXPECT_STAT(hm, PROBE, 96); /* the hand stands at the free slot */
	cr_expect_null(kmap_try(hm, high(hm, 96)));
	EXPECT_STAT(hm, PROBE, 96 + 3); /* none from the hand, 3 from 0 */
	kunmap(hm, high(hm, 80));
	kmap(hm, high(hm, 96));
	EXPECT_STAT(hm, PROBE, 99 + 3);
	EXPECT_SOUND(hm);
}

/* In the word of the hand it looks from the hand on; in the next, from 0. */
Test(pkmap, the_search_goes_on_in_the_next_word)
{
	struct highmem *hm = boot((struct machine_config){ .nr_slots = 64 });

	hm->pkmap.hand[0] = 5;
	hm->pkmap.free[0] = 0x1f;
	cr_expect_eq(kmap(hm, high(hm, 0)), slot_address(hm, 32));
	cr_expect_eq(hm->pkmap.hand[0], 33);
	EXPECT_STAT(hm, PROBE, 2);
}

static void check_colours(unsigned int nr_colours, unsigned int nr_slots)
{
	struct highmem *hm = boot((struct machine_config){
		.nr_colours = nr_colours,
		.nr_slots = nr_slots,
		.nr_pages = 64,
	});
	unsigned int wrong = 0;

	/* One colour after the other: each must leave the next one's alone. */
	for (unsigned int i = 0; i < nr_slots; i++) {
		unsigned int n = i * nr_colours % nr_slots +
				 i * nr_colours / nr_slots;
		vaddr_t address = (vaddr_t)kmap(hm, high(hm, n));
		pfn_t pfn = page_to_pfn(hm, high(hm, n));

		wrong += (address >> PAGE_SHIFT) % nr_colours !=
			 pfn % nr_colours;
	}
	cr_expect_eq(wrong, 0, "%u colours", nr_colours);
	cr_expect_eq(nr_free(hm), 0);
	EXPECT_SOUND(hm);
	machine_shutdown();
}

Test(pkmap, a_slot_has_the_colour_of_its_page)
{
	check_colours(1, 40);
	check_colours(2, 2);
	check_colours(2, 40);
	check_colours(4, 40);
	check_colours(8, 8);
	check_colours(8, 40);
}

Test(pkmap, one_colour_can_be_full_while_another_is_not)
{
	struct highmem *hm = boot(
		(struct machine_config){ .nr_colours = 2, .nr_slots = 4 });

	kmap(hm, high(hm, 0));
	kmap(hm, high(hm, 2));
	cr_expect_null(kmap_try(hm, high(hm, 4)));
	cr_expect_eq(kmap_try(hm, high(hm, 5)), slot_address(hm, 1));
	EXPECT_SOUND(hm);
}

Test(pkmap, a_wrap_flushes_its_own_colour_only)
{
	struct highmem *hm = boot(
		(struct machine_config){ .nr_colours = 4, .nr_slots = 8 });

	for (unsigned int i = 0; i < 8; i++)
		touch(hm, high(hm, i));
	kmap(hm, high(hm, 9));
	EXPECT_TLB(shootdowns, 1);
	EXPECT_TLB(shootdown_pages, 2);
	cr_expect_eq(page_address(hm, high(hm, 9)), slot_address(hm, 1));
	cr_expect_null(page_address(hm, high(hm, 1)));
	cr_expect_not_null(page_address(hm, high(hm, 0)));
	EXPECT_SOUND(hm);
}

Test(pkmap, flush_unused_flushes_every_colour)
{
	struct highmem *hm = boot(
		(struct machine_config){ .nr_colours = 4, .nr_slots = 8 });

	for (unsigned int i = 0; i < 8; i++)
		touch(hm, high(hm, i));
	kmap_flush_unused(hm);
	EXPECT_TLB(shootdowns, 1);
	EXPECT_TLB(shootdown_pages, 8);
	cr_expect_eq(nr_free(hm), 8);
	EXPECT_SOUND(hm);
}

/* ---- kmap_try and kmap_high_get -------------------------------------------------- */

Test(pkmap, try_takes_what_there_is_and_else_says_no)
{
	struct highmem *hm = boot((struct machine_config){ .nr_slots = 2 });

	cr_expect_eq(kmap_try(hm, high(hm, 0)), slot_address(hm, 0));
	cr_expect_eq(kmap_try(hm, high(hm, 1)), slot_address(hm, 1));
	cr_expect_null(kmap_try(hm, high(hm, 2)));
	cr_expect_eq(kmap_try(hm, high(hm, 1)), slot_address(hm, 1));
	kunmap(hm, high(hm, 0));
	cr_expect_eq(kmap_try(hm, high(hm, 2)), slot_address(hm, 0));
	EXPECT_STAT(hm, WAIT, 0);
	EXPECT_STAT(hm, HIT, 1);
	EXPECT_STAT(hm, MISS, 3);
	EXPECT_SOUND(hm);
}

Test(pkmap, get_takes_part_in_a_mapping_that_exists)
{
	struct highmem *hm = boot((struct machine_config){ 0 });
	struct page *page = high(hm, 0);

	cr_expect_null(kmap_high_get(hm, page));
	kmap(hm, page);
	cr_expect_eq(kmap_high_get(hm, page), slot_address(hm, 0));
	cr_expect_eq(slot_count(hm, 0), 3);
	kunmap(hm, page);
	kunmap(hm, page);
	cr_expect_eq(slot_count(hm, 0), 1);
	cr_expect_eq(kmap_high_get(hm, page), slot_address(hm, 0), "idle");
	cr_expect_eq(slot_count(hm, 0), 2);
	kunmap(hm, page);
	kmap_flush_unused(hm);
	cr_expect_null(kmap_high_get(hm, page));
	cr_expect_null(kmap_high_get(hm, low(hm, 0)), "it has no slot");
	EXPECT_SOUND(hm);
}

static void get_and_unmap(void *arg)
{
	struct highmem *hm = arg;

	cr_expect_not(port_may_sleep());
	cr_expect_eq(kmap_high_get(hm, high(hm, 0)), slot_address(hm, 0));
	cr_expect_eq(slot_count(hm, 0), 3);
	kunmap(hm, high(hm, 0));
	cr_expect_eq(kmap_high_get(hm, high(hm, 1)), slot_address(hm, 1));
	cr_expect_null(kmap_high_get(hm, high(hm, 2)));
}

Test(pkmap, get_works_in_an_interrupt)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	kmap(hm, high(hm, 0));
	touch(hm, high(hm, 1));
	cr_expect(machine_interrupt(get_and_unmap, hm));
	cr_expect_eq(slot_count(hm, 0), 2);
	cr_expect_eq(slot_count(hm, 1), 2);
	EXPECT_SOUND(hm);
}

/* Taken away a moment ago, and its PTE not yet cleared. */
Test(pkmap, a_page_that_was_taken_away_is_not_mapped)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	touch(hm, high(hm, 0));
	set_count(hm, 0, 0);
	cr_expect_null(kmap_high_get(hm, high(hm, 0)));
	cr_expect_null(page_address(hm, high(hm, 0)));
	cr_expect_eq(kmap(hm, high(hm, 0)), slot_address(hm, 1));
	cr_expect_eq(slot_count(hm, 0), 0);
}

/* ---- As many users as can be counted --------------------------------------------- */

#define FULL_SENTENCE \
	"highmem: BUG: kmap of pfn 0x38000: it has 524286 users already"

static struct highmem *boot_full(void)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	kmap(hm, high(hm, 0));
	set_count(hm, 0, PKMAP_COUNT_MAX - 1);
	cr_expect_eq(kmap(hm, high(hm, 0)), slot_address(hm, 0), "the last");
	cr_expect_eq(slot_count(hm, 0), PKMAP_COUNT_MAX);
	EXPECT_BUG("");
	return hm;
}

Test(pkmap, one_user_too_many_is_refused)
{
	struct highmem *hm = boot_full();

	cr_expect_null(kmap(hm, high(hm, 0)));
	EXPECT_BUG(FULL_SENTENCE);
	cr_expect_null(kmap_try(hm, high(hm, 0)));
	EXPECT_BUG(FULL_SENTENCE);
	cr_expect_null(kmap_timeout(hm, high(hm, 0), 5));
	EXPECT_BUG(FULL_SENTENCE);
	cr_expect_null(kmap_killable(hm, high(hm, 0)));
	EXPECT_BUG(FULL_SENTENCE);
	cr_expect_null(kmap_high_get(hm, high(hm, 0)));
	EXPECT_BUG(FULL_SENTENCE);
	cr_expect_eq(slot_count(hm, 0), PKMAP_COUNT_MAX);
	cr_expect_eq(page_address(hm, high(hm, 0)), slot_address(hm, 0));
	EXPECT_STAT(hm, MISS, 1);
	EXPECT_SOUND(hm);
}

Test(pkmap, a_full_count_comes_down_again)
{
	struct highmem *hm = boot_full();

	kunmap(hm, high(hm, 0));
	cr_expect_eq(slot_count(hm, 0), PKMAP_COUNT_MAX - 1);
	cr_expect_eq(kmap(hm, high(hm, 0)), slot_address(hm, 0));
	EXPECT_SOUND(hm);
}

/* ---- No further than there are slots and colours --------------------------------- */

Test(pkmap, what_lies_behind_the_last_slot_is_nobodys)
{
	struct highmem *hm = boot((struct machine_config){ .nr_slots = 4 });

	port_atomic_store(&hm->pkmap.slot[4].page,
			  page_cookie(hm, high(hm, 0)));
	port_atomic_store(&high(hm, 0)->pkmap, pkmap_word(4, 1));
	kmap_flush_unused(hm);
	cr_expect_eq(slot_count(hm, 4), 1);
	port_atomic_store(&high(hm, 0)->pkmap, 0);
	kmap_flush_unused(hm);
	cr_expect_neq(port_atomic_load(&hm->pkmap.slot[4].page), 0);
	EXPECT_BUG("");
}

/* The addresses of a flush lie behind the last colour's queue. */
Test(pkmap, what_lies_behind_the_last_colour_is_no_queue)
{
	struct highmem *hm = boot((struct machine_config){
		.nr_slots = 64, .nr_colours = 8, .nr_pages = 64 });

	for (unsigned int i = 0; i < 64; i++)
		touch(hm, high(hm, i));
	kmap_flush_unused(hm);
	EXPECT_STAT(hm, RETIRED, 64);
	EXPECT_SOUND(hm);
}
