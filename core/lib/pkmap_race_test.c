/* SPDX-License-Identifier: MIT */
#include "core/lib/test_schedules.h"

/*
 * What can only go wrong between two accesses of one operation. Each test
 * says which line of pkmap.c or pkmap_queue.c it is there for; it passes in
 * every schedule with a few switches.
 */

static void use_page(unsigned int n)
{
	char *address = kmap(hm, high(hm, n));

	SEE(address);
	if (!address)
		return;
	machine_store32(address + 64 * port_cpu_id(), n);
	SEE(machine_load32(address + 64 * port_cpu_id()) == n);
	SEE(kmap_to_page(hm, address) == high(hm, n));
	kunmap(hm, high(hm, n));
}

static void use_p0(void *arg)
{
	(void)arg;
	use_page(0);
}

static void use_p2(void *arg)
{
	(void)arg;
	use_page(2);
}

static void use_p3(void *arg)
{
	(void)arg;
	use_page(3);
}

static const char *nobody_holds_anything(void)
{
	for (unsigned int s = 0; s < hm->config.nr_slots; s++)
		if (slot_count(hm, s) > 1)
			return "a slot still has users";
	return NULL;
}

#define TWO_SLOTS { .nr_cpus = 2, .nr_slots = 2, .nr_pages = 4 }

static void p0_is_idle(void)
{
	touch(hm, high(hm, 0));
}

/* page_get() and page_put(): the count changed, try again. */
Test(pkmap_race, two_hits_of_one_slot)
{
	EXPLORE(3, .machine = TWO_SLOTS, .setup = p0_is_idle,
		.tasks = { use_p0, use_p0 }, .wrong = nobody_holds_anything);
}

static const char *two_kmaps_are_counted(void)
{
	uint32_t hits = highmem_stat(hm, HM_STAT_HIT);

	if (hits + highmem_stat(hm, HM_STAT_MISS) != 2)
		return "a kmap is neither a hit nor a miss";
	return nobody_holds_anything();
}

/* kmap_miss(): somebody else's miss was first. */
Test(pkmap_race, two_misses_of_one_page)
{
	EXPLORE(3, .machine = TWO_SLOTS, .tasks = { use_p0, use_p0 },
		.wrong = two_kmaps_are_counted);
}

/* page_take_idle(): a hit was first. */
static void p0_and_p1_are_idle(void)
{
	touch(hm, high(hm, 0));
	touch(hm, high(hm, 1));
}

Test(pkmap_race, a_hit_against_a_flush)
{
	EXPLORE(2, .machine = TWO_SLOTS, .setup = p0_and_p1_are_idle,
		.tasks = { use_p0, use_p2 }, .wrong = nobody_holds_anything);
}

static void flush_unused(void *arg)
{
	(void)arg;
	kmap_flush_unused(hm);
}

Test(pkmap_race, a_hit_against_flush_unused)
{
	EXPLORE(3, .machine = TWO_SLOTS, .setup = p0_and_p1_are_idle,
		.tasks = { use_p0, flush_unused },
		.wrong = nobody_holds_anything);
}

/* ---- Somebody waits -------------------------------------------------------- */

static void p1_is_held(void)
{
	kmap(hm, high(hm, 1));
}

/* wait_for_slot() against hand_over(): no wake-up is lost. */
Test(pkmap_race, a_waiter_against_the_last_kunmap)
{
	EXPLORE(2, .machine = TWO_SLOTS, .setup = p1_is_held,
		.tasks = { use_p0, use_p2 });
}

/* hand_over(): a hit took the idle slot back. */
Test(pkmap_race, a_waiter_against_a_kunmap_and_a_hit)
{
	EXPLORE(2, .machine = { .nr_cpus = 3, .nr_slots = 2, .nr_pages = 4 },
		.setup = p1_is_held, .tasks = { use_p0, use_p2, use_p0 });
}

/* share_slot(), take_over(): the page got another slot meanwhile. */
Test(pkmap_race, two_waiters_of_one_page)
{
	EXPLORE(2, .machine = { .nr_cpus = 3, .nr_slots = 2, .nr_pages = 4 },
		.setup = p1_is_held, .tasks = { use_p0, use_p2, use_p2 });
}

Test(pkmap_race, two_waiters_of_two_pages)
{
	EXPLORE(2, .machine = { .nr_cpus = 3, .nr_slots = 2, .nr_pages = 4 },
		.setup = p1_is_held, .tasks = { use_p0, use_p2, use_p3 });
}

static void p0_and_p1_are_taken(void)
{
	kmap(hm, high(hm, 0));
	kmap(hm, high(hm, 1));
}

/* Who waits for p2 is served with p0's slot, and p1's becomes idle. */
static void drop_both(void *arg)
{
	(void)arg;
	kunmap(hm, high(hm, 0));
	kunmap(hm, high(hm, 1));
}

/* take_over(): it asks under the lock whether the page has a slot by now. */
Test(pkmap_race, a_waiter_against_a_miss_of_its_page)
{
	EXPLORE(3, .machine = { .nr_cpus = 3, .nr_slots = 2, .nr_pages = 4 },
		.setup = p0_and_p1_are_taken,
		.tasks = { use_p2, drop_both, use_p2 },
		.wrong = nobody_holds_anything);
}

/* kmap_flush_unused(): it serves who waits for what it freed. */
Test(pkmap_race, a_waiter_against_a_flush)
{
	EXPLORE(2, .machine = { .nr_cpus = 3, .nr_slots = 2, .nr_pages = 4 },
		.setup = p1_is_held, .tasks = { use_p0, use_p2, flush_unused });
}

/* ---- Nobody uses a page: where may it still be mapped? -------------------------- */

static void drop_p0_for_good(void *arg)
{
	(void)arg;
	kunmap(hm, high(hm, 0));
}

static bool is_in_a_pte(const struct page *page)
{
	for (unsigned int s = 0; s < hm->config.nr_slots; s++) {
		pte_t pte = port_pte_read(pkmap_vaddr(hm, s));

		if (pte_present(pte) && pte_pfn(pte) == page_to_pfn(hm, page))
			return true;
	}
	return false;
}

/* p0 lost its last user before the call, or not; it never gets another. */
static void flush_and_look_for_p0(void *arg)
{
	const struct page *p0 = high(hm, 0);
	bool used = pkmap_word_count(port_atomic_load(&p0->pkmap)) > 1;

	(void)arg;
	kmap_flush_unused(hm);
	if (!used)
		SEE(!is_in_a_pte(p0));
}

/*
 * kmap_flush_unused(): p0's slot is idle, or handed over and nobody came for
 * it, or it is handed over right under the flush's hand (retire_given()).
 */
Test(pkmap_race, a_flush_against_a_hand_over)
{
	EXPLORE(3, .machine = { .nr_cpus = 3, .nr_slots = 2, .nr_pages = 4 },
		.setup = p0_and_p1_are_taken,
		.tasks = { use_p2, drop_p0_for_good, flush_and_look_for_p0 });
}

/* ---- One kunmap() too many -------------------------------------------------------- */

static void p1_is_idle(void)
{
	kmap(hm, high(hm, 3));
	touch(hm, high(hm, 1));
}

static void get_p1(void *arg)
{
	(void)arg;
	if (kmap_high_get(hm, high(hm, 1)))
		kunmap(hm, high(hm, 1));
}

/* Takes the slot that p1 had. */
static void unmap_p0_twice(void *arg)
{
	use_p0(arg);
	SEE(!machine_take_bug());
	kunmap(hm, high(hm, 0));
	SEE(machine_take_bug());
}

/* page_put(): whoever looks for p1 meanwhile does not count in p0's place. */
Test(pkmap_race, a_kunmap_too_many_is_seen_at_once)
{
	EXPLORE(3, .machine = TWO_SLOTS, .setup = p1_is_idle,
		.tasks = { get_p1, unmap_p0_twice });
}

/* ---- Somebody gives up ------------------------------------------------------ */

static void wait_a_little(void *arg)
{
	(void)arg;
	if (kmap_timeout(hm, high(hm, 2), port_now() + 3))
		kunmap(hm, high(hm, 2));
}

/* queue_leave(): served in the moment of giving up. */
Test(pkmap_race, a_deadline_against_a_kunmap)
{
	EXPLORE(2, .machine = TWO_SLOTS, .setup = p1_is_held,
		.tasks = { use_p0, wait_a_little }, .timeouts = true);
}

/* serve_queue(): the last waiter gave up, the slot stays free. */
Test(pkmap_race, a_deadline_against_a_flush)
{
	EXPLORE(3, .machine = { .nr_cpus = 3, .nr_slots = 2, .nr_pages = 4 },
		.setup = p1_is_held,
		.tasks = { use_p0, wait_a_little, flush_unused },
		.timeouts = true);
}

static void wait_a_little_for_p3(void *arg)
{
	(void)arg;
	if (kmap_timeout(hm, high(hm, 3), port_now() + 3))
		kunmap(hm, high(hm, 3));
}

/* hand_over(): who leaves has the queue's lock, and somebody else still waits. */
Test(pkmap_race, a_kunmap_while_one_of_two_waiters_leaves)
{
	EXPLORE(2, .machine = { .nr_cpus = 3, .nr_slots = 2, .nr_pages = 4 },
		.setup = p0_and_p1_are_taken,
		.tasks = { use_p2, wait_a_little_for_p3, drop_p0_for_good },
		.timeouts = true);
}

/* ---- Interrupts -------------------------------------------------------------- */

static bool p0_held;

static void p0_and_p1_are_held(void)
{
	kmap(hm, high(hm, 0));
	kmap(hm, high(hm, 1));
	p0_held = true;
}

/* An interrupt lets p0 go, once. */
static void drop_p0(void *arg)
{
	(void)arg;
	if (!p0_held)
		return;
	p0_held = false;
	kunmap(hm, high(hm, 0));
}

static void drop_p0_late(void *arg)
{
	at(1);
	drop_p0(arg);
}

/*
 * queue_grant(): the interrupt runs as the very task that it serves, which is
 * on its way to sleep.
 */
Test(pkmap_race, an_interrupt_serves_the_task_that_it_cut_in)
{
	EXPLORE(2, .machine = TWO_SLOTS, .setup = p0_and_p1_are_held,
		.tasks = { use_p2, drop_p0_late }, .handler = drop_p0);
}

static void get_p0(void *arg)
{
	(void)arg;
	if (kmap_high_get(hm, high(hm, 0)))
		kunmap(hm, high(hm, 0));
}

/* queue_lock(): an interrupt takes the lock too, so it must not cut in. */
Test(pkmap_race, an_interrupt_that_pins_in_the_middle_of_everything)
{
	EXPLORE(2, .machine = TWO_SLOTS, .setup = p1_is_held,
		.tasks = { use_p0, use_p2 }, .handler = get_p0);
}
