/* SPDX-License-Identifier: MIT */
#include "core/testing/conformance_state.h"

/* The cases of kmap.h. What each proves is its name. */

static uint32_t count_of(const struct page *page)
{
	uint32_t slot = port_atomic_load(&page->pkmap_slot);

	return slot ? port_atomic_load(&ct_hm->pkmap.slot[slot - 1].count) : 0;
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
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, kmap_shows);
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
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, kmap_lowmem);
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
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, kmap_twice);
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
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, kmap_idle);
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
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, kmap_counts);
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
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, reuse_slots);
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
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, flush_unused);
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
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, high_get);
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
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, get_in_interrupt);
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
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, try_full);
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
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, unmap_unmapped);
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
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, kmap_atomically);
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
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, to_page);
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

/* ---- Several tasks -------------------------------------------------------------- */

/*
 * Steps that tasks take in turn, whoever runs them: a counter in the core's
 * own shared words, so that it orders memory on every port.
 */
static port_atomic_t step;

/* Who waits goes to the end of the line, so that all come to run. */
static port_atomic_t turn;

static void let_others_run(void)
{
	machine_yield(port_atomic_fetch_add(&turn, 1));
}

static void await_step(uint32_t n)
{
	while (port_atomic_load(&step) < n)
		let_others_run();
}

static void next_step(void)
{
	port_atomic_fetch_add(&step, 1);
}

/* Wait until @n tasks queue for a slot of the only colour. */
static void await_queue(uint32_t n)
{
	while (port_atomic_load(&ct_hm->pkmap.queue[0].nr) < n)
		let_others_run();
}

static void holder(void *arg)
{
	uint32_t waiters = *(const uint32_t *)arg;

	kmap(ct_hm, ct_page(0));
	kmap(ct_hm, ct_page(1));
	next_step();
	await_queue(waiters);
	kunmap(ct_hm, ct_page(0));
	kunmap(ct_hm, ct_page(1));
}

static void waiter(void *arg)
{
	struct page *page = ct_page(*(const uint32_t *)arg);
	void *vaddr;

	await_step(1);
	vaddr = kmap(ct_hm, page);
	CT_EXPECT(vaddr != NULL);
	CT_EXPECT(ct_shows(vaddr, page));
	kunmap(ct_hm, page);
}

static bool boot_for_tasks(void)
{
	const struct machine_config config = CT_SMALL;

	port_atomic_store(&step, 0);
	port_atomic_store(&turn, 1);
	return ct_boot(&config);
}

/* The holder lets go when @nr_waiters tasks wait for @pages. */
static const char *run_waiters(uint32_t nr_waiters, const uint32_t *pages,
			       void (*entry)(void *arg))
{
	static uint32_t nr;
	static uint32_t page_of[3];

	if (!boot_for_tasks())
		return ct_finish();
	nr = nr_waiters;
	machine_spawn(0, holder, &nr);
	for (uint32_t i = 0; i < nr_waiters; i++) {
		page_of[i] = pages[i];
		machine_spawn(0, entry, &page_of[i]);
	}
	return ct_finish();
}

const char *ct_kmap_waits_and_is_served(void)
{
	static const uint32_t pages[] = { 2 };
	const char *why = run_waiters(1, pages, waiter);

	if (!why && (highmem_stat(ct_hm, HM_STAT_WAIT) != 1 ||
		     highmem_stat(ct_hm, HM_STAT_HANDOVER) != 1 ||
		     highmem_stat(ct_hm, HM_STAT_WAKEUP) != 1))
		why = "one wait, one hand-over, one wake-up were due";
	return why;
}

/* Waiter n queues when n - 1 others do, and must be the n-th to be served. */
static void ordered_waiter(void *arg)
{
	uint32_t n = *(const uint32_t *)arg;
	struct page *page = ct_page(n + 1);

	await_step(1);
	await_queue(n - 1);
	kmap(ct_hm, page);
	CT_EXPECT(port_atomic_fetch_add(&step, 1) == n);
	kunmap(ct_hm, page);
}

static void one_holder(void *arg)
{
	(void)arg;
	kmap(ct_hm, ct_page(0));
	kmap(ct_hm, ct_page(1));
	next_step();
	await_queue(2);
	kunmap(ct_hm, ct_page(0));
	await_step(3); /* both are served, one after the other */
	kunmap(ct_hm, ct_page(1));
}

const char *ct_waiters_are_served_in_order(void)
{
	static uint32_t number[2] = { 1, 2 };

	if (!boot_for_tasks())
		return ct_finish();
	machine_spawn(0, one_holder, NULL);
	machine_spawn(0, ordered_waiter, &number[0]);
	machine_spawn(0, ordered_waiter, &number[1]);
	return ct_finish();
}

static void sharing_waiter(void *arg)
{
	(void)arg;
	await_step(1);
	CT_EXPECT(ct_shows(kmap(ct_hm, ct_page(2)), ct_page(2)));
	next_step();
	await_step(3); /* both have it at the same time */
	kunmap(ct_hm, ct_page(2));
}

static void holder_of_one_slot(void *arg)
{
	(void)arg;
	kmap(ct_hm, ct_page(0));
	kmap(ct_hm, ct_page(1));
	next_step();
	await_queue(2);
	kunmap(ct_hm, ct_page(0));
	await_step(3); /* one slot must do for the two of them */
	kunmap(ct_hm, ct_page(1));
}

const char *ct_waiters_for_one_page_share_a_slot(void)
{
	if (!boot_for_tasks())
		return ct_finish();
	machine_spawn(0, holder_of_one_slot, NULL);
	machine_spawn(0, sharing_waiter, NULL);
	machine_spawn(0, sharing_waiter, NULL);
	return ct_finish();
}

static void hold_until_step_2(void *arg)
{
	(void)arg;
	kmap(ct_hm, ct_page(0));
	kmap(ct_hm, ct_page(1));
	next_step();
	await_step(2);
	kunmap(ct_hm, ct_page(0));
	kunmap(ct_hm, ct_page(1));
}

static void times_out(void *arg)
{
	(void)arg;
	await_step(1);
	CT_EXPECT(kmap_timeout(ct_hm, ct_page(2), port_now() + 2) == NULL);
	CT_EXPECT(port_atomic_load(&ct_hm->pkmap.queue[0].nr) == 0);
	CT_EXPECT(highmem_stat(ct_hm, HM_STAT_TIMEOUT) == 1);
	next_step();
}

const char *ct_kmap_timeout_gives_up(void)
{
	if (!boot_for_tasks())
		return ct_finish();
	machine_spawn(0, hold_until_step_2, NULL);
	machine_spawn(0, times_out, NULL);
	return ct_finish();
}

static void served_in_time(void *arg)
{
	uint64_t deadline = port_now() + ((uint64_t)1 << 40);

	(void)arg;
	await_step(1);
	CT_EXPECT(ct_shows(kmap_timeout(ct_hm, ct_page(2), deadline),
			   ct_page(2)));
	kunmap(ct_hm, ct_page(2));
}

const char *ct_kmap_timeout_is_served_in_time(void)
{
	static uint32_t nr = 1;

	if (!boot_for_tasks())
		return ct_finish();
	machine_spawn(0, holder, &nr);
	machine_spawn(0, served_in_time, NULL);
	return ct_finish();
}

/*
 * Both CPUs load the translation of a slot; one CPU gives the slot to another
 * page; the other CPU must not go on seeing the first one.
 */
static void fill_both_slots(void *arg)
{
	(void)arg;
	for (uint32_t round = 0; round < 8; round++) {
		struct page *page = ct_page(round % 4);

		await_step(2 * round);
		CT_EXPECT(ct_shows(kmap(ct_hm, page), page));
		next_step();
		await_step(2 * round + 2);
		kunmap(ct_hm, page);
	}
}

static void look_from_other_cpu(void *arg)
{
	(void)arg;
	for (uint32_t round = 0; round < 8; round++) {
		struct page *page = ct_page(round % 4);

		await_step(2 * round + 1);
		CT_EXPECT(ct_shows(page_address(ct_hm, page), page));
		next_step();
	}
}

const char *ct_other_cpu_sees_the_reused_slot(void)
{
	struct machine_config config = CT_SMALL;

	config.nr_cpus = 2;
	port_atomic_store(&step, 0);
	port_atomic_store(&turn, 1);
	if (!ct_boot(&config))
		return ct_finish();
	machine_spawn(0, fill_both_slots, NULL);
	machine_spawn(1, look_from_other_cpu, NULL);
	return ct_finish();
}
