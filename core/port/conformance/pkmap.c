/* SPDX-License-Identifier: MIT */
#include "core/port/conformance/state.h"

/* The cases of kmap.h. What each proves is its name. */

static uint32_t count_of(const struct page *page)
{
	return pkmap_word_count(port_atomic_load(&page->pkmap));
}

/* ---- One task ------------------------------------------------------------------ */

static void kmap_shows(void *arg)
{
	void *vaddr = kmap(ct_hm, ct_page(0));

	(void)arg;
	CT_EXPECT(vaddr != NULL);
	CT_EXPECT(ct_shows(vaddr, ct_page(0)));
	CT_EXPECT(page_address(ct_hm, ct_page(0)) == vaddr);
	machine_store32((char *)vaddr + 8, 42);
	CT_EXPECT(machine_peek32(ct_page(0), 8) == 42);
	kunmap(ct_hm, ct_page(0));
}

const char *ct_kmap_gives_an_address_that_shows_the_page(void)
{
	return ct_run_small(kmap_shows);
}

static void kmap_lowmem(void *arg)
{
	struct page *page = ct_lowmem_page(0);
	void *vaddr = kmap(ct_hm, page);

	(void)arg;
	CT_EXPECT(vaddr == page_address(ct_hm, page));
	CT_EXPECT(ct_shows(vaddr, page));
	kunmap(ct_hm, page);
	CT_EXPECT(ct_shows(vaddr, page));
	CT_EXPECT(kmap_high_get(ct_hm, page) == NULL);
}

const char *ct_kmap_of_lowmem_is_the_direct_map(void)
{
	return ct_run_small(kmap_lowmem);
}

static void kmap_twice(void *arg)
{
	void *first = kmap(ct_hm, ct_page(1));
	void *second = kmap(ct_hm, ct_page(1));

	(void)arg;
	CT_EXPECT(first == second);
	kunmap(ct_hm, ct_page(1));
	CT_EXPECT(ct_shows(first, ct_page(1)));
	kunmap(ct_hm, ct_page(1));
}

const char *ct_second_kmap_shares_the_slot(void)
{
	return ct_run_small(kmap_twice);
}

static void kmap_idle(void *arg)
{
	void *vaddr = kmap(ct_hm, ct_page(0));
	uint32_t misses;

	(void)arg;
	kunmap(ct_hm, ct_page(0));
	misses = highmem_stat(ct_hm, HM_STAT_MISS);
	CT_EXPECT(kmap(ct_hm, ct_page(0)) == vaddr);
	CT_EXPECT(highmem_stat(ct_hm, HM_STAT_MISS) == misses);
	CT_EXPECT(highmem_stat(ct_hm, HM_STAT_HIT) == 1);
	CT_EXPECT(machine_tlb_stats().shootdowns == 0);
	kunmap(ct_hm, ct_page(0));
}

const char *ct_idle_mapping_is_a_hit(void)
{
	return ct_run_small(kmap_idle);
}

static void kmap_counts(void *arg)
{
	(void)arg;
	CT_EXPECT(count_of(ct_page(0)) == 0);
	kmap(ct_hm, ct_page(0));
	CT_EXPECT(count_of(ct_page(0)) == 2);
	kmap(ct_hm, ct_page(0));
	CT_EXPECT(count_of(ct_page(0)) == 3);
	kunmap(ct_hm, ct_page(0));
	kunmap(ct_hm, ct_page(0));
	CT_EXPECT(count_of(ct_page(0)) == 1);
	kmap_flush_unused(ct_hm);
	CT_EXPECT(count_of(ct_page(0)) == 0);
	CT_EXPECT(page_address(ct_hm, ct_page(0)) == NULL);
}

const char *ct_counts_are_users_plus_one(void)
{
	return ct_run_small(kmap_counts);
}

static void reuse_slots(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 64; i++) {
		struct page *page = ct_page(i % 4);
		void *vaddr = kmap(ct_hm, page);

		CT_EXPECT(ct_shows(vaddr, page));
		kunmap(ct_hm, page);
	}
	CT_EXPECT(highmem_stat(ct_hm, HM_STAT_FLUSH) > 0);
}

const char *ct_reuse_of_a_slot_shows_the_new_page(void)
{
	return ct_run_small(reuse_slots);
}

static void flush_unused(void *arg)
{
	void *live = kmap(ct_hm, ct_page(0));

	(void)arg;
	kmap(ct_hm, ct_page(1));
	kunmap(ct_hm, ct_page(1));
	kmap_flush_unused(ct_hm);
	CT_EXPECT(ct_shows(live, ct_page(0)));
	CT_EXPECT(page_address(ct_hm, ct_page(0)) == live);
	CT_EXPECT(page_address(ct_hm, ct_page(1)) == NULL);
	CT_EXPECT(highmem_stat(ct_hm, HM_STAT_RETIRED) == 1);
	kunmap(ct_hm, ct_page(0));
}

const char *ct_flush_unused_leaves_live_maps(void)
{
	return ct_run_small(flush_unused);
}

static void high_get(void *arg)
{
	void *vaddr;

	(void)arg;
	CT_EXPECT(kmap_high_get(ct_hm, ct_page(0)) == NULL);
	vaddr = kmap(ct_hm, ct_page(0));
	CT_EXPECT(kmap_high_get(ct_hm, ct_page(0)) == vaddr);
	kunmap(ct_hm, ct_page(0));
	kunmap(ct_hm, ct_page(0));
	CT_EXPECT(kmap_high_get(ct_hm, ct_page(0)) == vaddr);
	CT_EXPECT(ct_shows(vaddr, ct_page(0)));
	kunmap(ct_hm, ct_page(0));
}

const char *ct_kmap_high_get_only_if_mapped(void)
{
	return ct_run_small(high_get);
}

static void get_handler(void *arg)
{
	void *vaddr = kmap_high_get(ct_hm, ct_page(0));

	CT_EXPECT(vaddr == arg);
	CT_EXPECT(ct_shows(vaddr, ct_page(0)));
	kunmap(ct_hm, ct_page(0));
	CT_EXPECT(kmap_high_get(ct_hm, ct_page(1)) == NULL);
}

static void get_in_interrupt(void *arg)
{
	void *vaddr = kmap(ct_hm, ct_page(0));

	(void)arg;
	CT_EXPECT(machine_interrupt(get_handler, vaddr));
	CT_EXPECT(count_of(ct_page(0)) == 2);
	kunmap(ct_hm, ct_page(0));
}

const char *ct_kmap_high_get_in_an_interrupt(void)
{
	return ct_run_small(get_in_interrupt);
}

static void try_full(void *arg)
{
	(void)arg;
	CT_EXPECT(kmap_try(ct_hm, ct_page(0)) != NULL);
	CT_EXPECT(kmap_try(ct_hm, ct_page(1)) != NULL);
	CT_EXPECT(kmap_try(ct_hm, ct_page(2)) == NULL);
	CT_EXPECT(kmap_try(ct_hm, ct_page(0)) != NULL);
	kunmap(ct_hm, ct_page(0));
	kunmap(ct_hm, ct_page(0));
	CT_EXPECT(kmap_try(ct_hm, ct_page(2)) != NULL);
	CT_EXPECT(ct_shows(page_address(ct_hm, ct_page(2)), ct_page(2)));
	kunmap(ct_hm, ct_page(1));
	kunmap(ct_hm, ct_page(2));
}

const char *ct_kmap_try_refuses_when_all_are_held(void)
{
	return ct_run_small(try_full);
}

static void unmap_unmapped(void *arg)
{
	(void)arg;
	kunmap(ct_hm, ct_page(0));
	ct_expect_bug("highmem: BUG: kunmap of page 2 ");
	kmap(ct_hm, ct_page(0));
	kunmap(ct_hm, ct_page(0));
	kunmap(ct_hm, ct_page(0));
	ct_expect_bug("highmem: BUG: kunmap of page 2 ");
	CT_EXPECT(count_of(ct_page(0)) == 1);
	CT_EXPECT(highmem_stat(ct_hm, HM_STAT_MISUSE) == 2);
}

const char *ct_kunmap_misuse_is_reported(void)
{
	return ct_run_small(unmap_unmapped);
}

static void kmap_atomically(void *arg)
{
	(void)arg;
	port_preempt_disable();
	CT_EXPECT(kmap(ct_hm, ct_page(0)) == NULL);
	port_preempt_enable();
	ct_expect_bug("highmem: BUG: kmap of pfn ");
	CT_EXPECT(count_of(ct_page(0)) == 0);
}

const char *ct_kmap_in_atomic_context_is_reported(void)
{
	return ct_run_small(kmap_atomically);
}

static void to_page(void *arg)
{
	const char *vaddr = kmap(ct_hm, ct_page(3));
	const char *low = page_address(ct_hm, ct_lowmem_page(1));
	const char *window = kmap_local_page(ct_hm, ct_page(2));

	(void)arg;
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int offset = i * (PAGE_SIZE - 1);

		CT_EXPECT(kmap_to_page(ct_hm, vaddr + offset) == ct_page(3));
		CT_EXPECT(kmap_to_page(ct_hm, low + offset) ==
			  ct_lowmem_page(1));
		CT_EXPECT(kmap_to_page(ct_hm, window + offset) == ct_page(2));
	}
	kunmap_local(ct_hm, window);
	CT_EXPECT(kmap_to_page(ct_hm, window) == NULL);
	CT_EXPECT(kmap_to_page(ct_hm, (void *)FIXADDR_TOP) == NULL);
	kunmap(ct_hm, ct_page(3));
}

const char *ct_kmap_to_page_finds_every_byte(void)
{
	return ct_run_small(to_page);
}

static void hold_all_slots(void *arg)
{
	unsigned int nr = ct_hm->config.nr_slots;

	(void)arg;
	for (unsigned int i = 0; i < nr; i++)
		CT_EXPECT(ct_shows(kmap(ct_hm, ct_page(i)), ct_page(i)));
	CT_EXPECT(kmap_try(ct_hm, ct_page(nr)) == NULL);
	for (unsigned int i = 0; i < nr; i++) {
		CT_EXPECT(ct_shows(page_address(ct_hm, ct_page(i)), ct_page(i)));
		kunmap(ct_hm, ct_page(i));
	}
	CT_EXPECT(ct_shows(kmap(ct_hm, ct_page(nr)), ct_page(nr)));
	CT_EXPECT(highmem_stat(ct_hm, HM_STAT_RETIRED) == nr);
	CT_EXPECT(highmem_stat(ct_hm, HM_STAT_FLUSH) == 1);
	CT_EXPECT(highmem_stat(ct_hm, HM_STAT_FULL_FLUSH) ==
		  (nr > port_facts()->tlb_flush_ceiling));
	kunmap(ct_hm, ct_page(nr));
}

const char *ct_all_slots_and_a_full_flush(void)
{
	struct machine_config config = CT_SMALL;

	config.nr_slots = LAST_PKMAP_NONPAE;
	config.nr_pages = config.nr_slots + 1;
	return ct_run_one(&config, hold_all_slots);
}

const char *ct_slots_beyond_a_word_of_the_free_map(void)
{
	struct machine_config config = CT_SMALL;

	config.nr_slots = 33;
	config.nr_pages = config.nr_slots + 1;
	return ct_run_one(&config, hold_all_slots);
}

static void hold_one_colour(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 8; i += 4)
		CT_EXPECT(kmap_try(ct_hm, ct_page(i)) != NULL);
	CT_EXPECT(kmap_try(ct_hm, ct_page(8)) == NULL);
	CT_EXPECT(kmap_try(ct_hm, ct_page(1)) != NULL);
	for (unsigned int i = 0; i < 8; i += 4) {
		vaddr_t vaddr = (vaddr_t)page_address(ct_hm, ct_page(i));

		CT_EXPECT((vaddr >> PAGE_SHIFT) % 4 ==
			  page_to_pfn(ct_hm, ct_page(i)) % 4);
		kunmap(ct_hm, ct_page(i));
	}
	kunmap(ct_hm, ct_page(1));
}

const char *ct_colours_keep_to_their_slots(void)
{
	struct machine_config config = CT_SMALL;

	config.nr_slots = 8;
	config.nr_colours = 4;
	config.nr_pages = 12;
	return ct_run_one(&config, hold_one_colour);
}

const char *ct_frames_above_4_gib(void)
{
	struct machine_config config = CT_SMALL;

	config.pae = true;
	return ct_run_one(&config, reuse_slots);
}
