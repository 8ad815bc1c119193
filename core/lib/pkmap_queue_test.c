/* SPDX-License-Identifier: MIT */
#include "core/lib/test_users.h"

#include "core/lib/pkmap_queue.h"

/* ---- Order, and one wake-up for one slot ----------------------------------- */

Test(pkmap_queue, three_waiters_are_served_in_order)
{
	struct user users[] = {
		{ 'H', 0, 1, 10, 0, NULL }, { 'I', 1, 2, 20, 0, NULL },
		{ 'A', 2, 3, 30, 0, NULL }, { 'B', 3, 4, 40, 0, NULL },
		{ 'C', 4, 5, 50, 0, NULL },
	};

	boot_small(2);
	RUN(users);
	cr_expect_str_eq(events, "HIABC");
	cr_expect_eq(users[2].address, slot_address(hm, 0), "H's slot");
	cr_expect_eq(users[3].address, slot_address(hm, 1), "I's slot");
	cr_expect_eq(users[4].address, slot_address(hm, 0), "A's slot");
	EXPECT_STAT(hm, WAIT, 3);
	EXPECT_STAT(hm, HANDOVER, 3);
	EXPECT_STAT(hm, WAKEUP, 3);
	EXPECT_STAT(hm, MISS, 5);
	EXPECT_STAT(hm, SHARE, 0);
	EXPECT_STAT(hm, TIMEOUT, 0);
}

Test(pkmap_queue, a_slot_handed_over_is_flushed_of_its_old_page)
{
	struct user users[] = {
		{ 'H', 0, 1, 10, 0, NULL },
		{ 'I', 1, 2, 99, 0, NULL },
		{ 'A', 2, 3, 30, 0, NULL },
	};

	boot_small(2);
	RUN(users);
	cr_expect_str_eq(events, "HIA");
	cr_expect_null(page_address(hm, high(hm, 0)));
	cr_expect_eq(page_address(hm, high(hm, 2)), slot_address(hm, 0));
	cr_expect_eq(machine_tlb_stats().shootdowns, 1);
	cr_expect_eq(machine_tlb_stats().shootdown_pages, 1);
	EXPECT_STAT(hm, RETIRED, 1);
}

Test(pkmap_queue, waiters_of_one_page_share_its_slot)
{
	struct user users[] = {
		{ 'H', 0, 1, 10, 0, NULL }, { 'I', 1, 2, 99, 0, NULL },
		{ 'A', 2, 3, 40, 0, NULL }, { 'B', 2, 4, 40, 0, NULL },
		{ 'C', 2, 5, 40, 0, NULL },
	};

	boot_small(2);
	RUN(users);
	cr_expect_str_eq(events, "HIABC");
	for (unsigned int i = 2; i < 5; i++)
		cr_expect_eq(users[i].address, slot_address(hm, 0));
	EXPECT_STAT(hm, HANDOVER, 1);
	EXPECT_STAT(hm, SHARE, 2);
	EXPECT_STAT(hm, WAKEUP, 3);
	cr_expect_eq(slot_count(hm, 0), 1);
}

/* B's page is in the middle: sharing must not disturb who is around it. */
Test(pkmap_queue, sharing_skips_waiters_of_other_pages)
{
	struct user users[] = {
		{ 'H', 0, 1, 10, 0, NULL }, { 'I', 1, 2, 50, 0, NULL },
		{ 'A', 2, 3, 60, 0, NULL }, { 'B', 3, 4, 70, 0, NULL },
		{ 'C', 2, 5, 60, 0, NULL }, { 'D', 4, 6, 80, 0, NULL },
	};

	boot_small(2);
	RUN(users);
	cr_expect_str_eq(events, "HIACBD");
	EXPECT_STAT(hm, SHARE, 1);
	EXPECT_STAT(hm, HANDOVER, 3);
	EXPECT_STAT(hm, WAKEUP, 4);
}

Test(pkmap_queue, each_colour_has_its_own_queue)
{
	struct user users[] = {
		{ 'H', 0, 1, 10, 0, NULL },
		{ 'I', 1, 2, 20, 0, NULL },
		{ 'A', 2, 3, 30, 0, NULL },
		{ 'B', 3, 4, 40, 0, NULL },
	};

	hm = boot((struct machine_config){ .nr_slots = 2, .nr_colours = 2 });
	RUN(users);
	cr_expect_str_eq(events, "HIAB");
	cr_expect_eq(users[2].address, slot_address(hm, 0));
	cr_expect_eq(users[3].address, slot_address(hm, 1));
	EXPECT_STAT(hm, HANDOVER, 2);
}

/* ---- Deadlines --------------------------------------------------------------- */

static void hold_until_time(void *arg)
{
	uint64_t until = *(uint64_t *)arg;

	kmap(hm, high(hm, 0));
	kmap(hm, high(hm, 1));
	while (port_now() < until)
		port_park(until);
	kunmap(hm, high(hm, 1));
	kunmap(hm, high(hm, 0));
}

/* Both slots are held until @until; the users' deadlines are around it. */
static void run_with_holder(uint64_t until, struct user *users, unsigned int nr)
{
	boot_small(2);
	machine_spawn(0, hold_until_time, &until);
	run(users, nr);
}

Test(pkmap_queue, a_waiter_gives_up_when_its_time_has_come)
{
	struct user users[] = { { 'A', 2, 1, 9, 20, NULL } };

	run_with_holder(100, users, 1);
	cr_expect_str_eq(events, "-");
	EXPECT_STAT(hm, WAIT, 1);
	EXPECT_STAT(hm, TIMEOUT, 1);
	EXPECT_STAT(hm, HANDOVER, 0);
	EXPECT_STAT(hm, WAKEUP, 0);
	cr_expect_null(hm->pkmap.queue[0].head);
	cr_expect_null(hm->pkmap.queue[0].tail);
}

Test(pkmap_queue, a_waiter_is_served_before_its_time_has_come)
{
	struct user users[] = { { 'A', 2, 1, 9, 200, NULL } };

	run_with_holder(100, users, 1);
	cr_expect_str_eq(events, "A");
	EXPECT_STAT(hm, TIMEOUT, 0);
	EXPECT_STAT(hm, HANDOVER, 1);
	EXPECT_STAT(hm, WAKEUP, 1);
}

static void wait_until(void *arg)
{
	at(1);
	note(kmap_timeout(hm, high(hm, 2), *(uint64_t *)arg) ? 'A' : '-');
	if (events[0] == 'A')
		kunmap(hm, high(hm, 2));
}

/*
 * Both wake at one tick. The holder runs first and serves the waiter, whose
 * port_park() nevertheless says that its time has come.
 */
Test(pkmap_queue, served_in_the_tick_of_the_deadline)
{
	static uint64_t deadline = 50;

	boot_small(2);
	machine_spawn(0, hold_until_time, &deadline);
	machine_spawn(1, wait_until, &deadline);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_str_eq(events, "A");
	EXPECT_STAT(hm, TIMEOUT, 0);
	EXPECT_STAT(hm, HANDOVER, 1);
	EXPECT_SOUND(hm);
}

Test(pkmap_queue, a_deadline_in_the_past_does_not_sleep)
{
	boot_small(2);
	kmap(hm, high(hm, 0));
	cr_expect_eq(kmap_timeout(hm, high(hm, 1), 0), slot_address(hm, 1));
	cr_expect_null(kmap_timeout(hm, high(hm, 2), 0));
	cr_expect_null(kmap_timeout(hm, high(hm, 2), port_now()));
	EXPECT_STAT(hm, TIMEOUT, 2);
	kunmap(hm, high(hm, 0));
	cr_expect_eq(kmap_timeout(hm, high(hm, 2), 0), slot_address(hm, 0));
	EXPECT_SOUND(hm);
}

/* It is killable in no way, so a signal is a wake-up for no reason. */
static void pester(void *arg)
{
	(void)arg;
	for (uint32_t place = 10; place < 90; place++) {
		at(place);
		machine_kill(2);
	}
}

Test(pkmap_queue, wake_ups_at_each_tick_do_not_keep_a_waiter)
{
	static uint64_t deadline = 50;

	boot_small(2);
	hold_both();
	machine_spawn(0, pester, NULL);
	machine_spawn(1, wait_until, &deadline);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_str_eq(events, "-");
	EXPECT_STAT(hm, TIMEOUT, 1);
	EXPECT_SOUND(hm);
}

/* Of A, B and C one gives up; the two that stay keep their order. */
static void check_leaving(unsigned int who, const char *expected)
{
	struct user users[] = {
		{ 'A', 2, 1, 70, 0, NULL },
		{ 'B', 3, 2, 80, 0, NULL },
		{ 'C', 4, 3, 90, 0, NULL },
	};

	memset(events, 0, sizeof(events));
	users[who].ticks = 10;
	run_with_holder(100, users, 3);
	cr_expect_str_eq(events, expected);
	EXPECT_STAT(hm, WAIT, 3);
	EXPECT_STAT(hm, TIMEOUT, 1);
	EXPECT_STAT(hm, HANDOVER, 2);
	EXPECT_STAT(hm, WAKEUP, 2);
	machine_shutdown();
}

Test(pkmap_queue, the_head_the_middle_or_the_tail_gives_up)
{
	check_leaving(0, "-BC");
	check_leaving(1, "-AC");
	check_leaving(2, "-AB");
}

/* After the tail has left, the next to come is appended to the right one. */
Test(pkmap_queue, a_newcomer_after_the_tail_has_left)
{
	struct user users[] = {
		{ 'A', 2, 1, 70, 60, NULL },
		{ 'B', 3, 2, 80, 10, NULL },
	};
	struct pkmap_waiter late = { .page = NULL };

	run_with_holder(40, users, 2);
	cr_expect_str_eq(events, "-A");
	queue_append(&hm->pkmap.queue[0], &late);
	cr_expect_eq(hm->pkmap.queue[0].head, &late);
	cr_expect_eq(hm->pkmap.queue[0].tail, &late);
	cr_expect(queue_leave(&hm->pkmap.queue[0], &late));
	cr_expect_null(hm->pkmap.queue[0].tail);
}

/* ---- Signals ------------------------------------------------------------------- */

/* A waits for p2 and is killed at @place; H lets go of its slot at @release. */
struct killing {
	uint32_t place;
	uint32_t release;
};

static void hold_and_kill(void *arg)
{
	const struct killing *killing = arg;
	bool kill_first = killing->place < killing->release;

	hold_both();
	at(kill_first ? killing->place : killing->release);
	if (kill_first)
		machine_kill(2);
	else
		kunmap(hm, high(hm, 0));
	at(kill_first ? killing->release : killing->place);
	if (kill_first)
		kunmap(hm, high(hm, 0));
	else
		machine_kill(2);
	at(100);
	kunmap(hm, high(hm, 1));
}

static void wait_killable(void *arg)
{
	uint32_t wakes_at = *(const uint32_t *)arg;
	void *vaddr;

	at(wakes_at);
	vaddr = kmap_killable(hm, high(hm, 2));
	note(vaddr ? 'A' : '-');
	if (vaddr)
		kunmap(hm, high(hm, 2));
	cr_expect(port_signal_pending(port_task_current()));
	cr_expect(machine_take_signal());
	cr_expect_not(port_signal_pending(port_task_current()));
}

static void run_killing(struct killing killing, const char *expected)
{
	uint32_t wakes_at = 1;

	memset(events, 0, sizeof(events));
	boot_small(2);
	machine_spawn(0, hold_and_kill, &killing);
	machine_spawn(1, wait_killable, &wakes_at);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_str_eq(events, expected);
	cr_expect_eq(port_atomic_load(&hm->pkmap.queue[0].nr), 0);
	EXPECT_SOUND(hm);
}

Test(pkmap_queue, a_killed_waiter_gives_up)
{
	run_killing((struct killing){ 10, 50 }, "-");
	EXPECT_STAT(hm, KILLED, 1);
	EXPECT_STAT(hm, TIMEOUT, 0);
	EXPECT_STAT(hm, HANDOVER, 0);
	cr_expect_eq(slot_count(hm, 0), 1, "nobody was there to take it");
}

/*
 * H hands its slot to A and kills A before A has run: the slot is A's, and
 * comes back through A's kunmap().
 */
static void release_and_kill_at_once(void *arg)
{
	(void)arg;
	hold_both();
	at(10);
	kunmap(hm, high(hm, 0));
	machine_kill(2);
	kunmap(hm, high(hm, 1));
}

Test(pkmap_queue, a_slot_given_before_the_signal_is_kept)
{
	uint32_t wakes_at = 1;

	boot_small(2);
	machine_spawn(0, release_and_kill_at_once, NULL);
	machine_spawn(1, wait_killable, &wakes_at);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_str_eq(events, "A");
	EXPECT_STAT(hm, KILLED, 0);
	EXPECT_STAT(hm, HANDOVER, 1);
	EXPECT_SOUND(hm);
	kmap_flush_unused(hm);
	cr_expect(slot_is_free(hm, 0) && slot_is_free(hm, 1));
}

/* B is behind A; what A leaves is B's, in order. */
Test(pkmap_queue, a_killed_waiter_leaves_the_others_their_places)
{
	struct killing killing = { 10, 50 };
	struct user users[] = { { 'B', 3, 2, 60, 0, NULL } };
	uint32_t wakes_at = 1;

	boot_small(2);
	machine_spawn(0, hold_and_kill, &killing);
	machine_spawn(1, wait_killable, &wakes_at);
	RUN(users);
	cr_expect_str_eq(events, "-B");
	EXPECT_STAT(hm, HANDOVER, 1);
}

static void signal_before_the_wait(void *arg)
{
	(void)arg;
	machine_kill(1);
	cr_expect_eq(kmap_killable(hm, high(hm, 0)), slot_address(hm, 0),
		     "a free slot needs no wait");
	kmap(hm, high(hm, 1));
	cr_expect_null(kmap_killable(hm, high(hm, 2)));
	cr_expect_eq(kmap_killable(hm, high(hm, 1)), slot_address(hm, 1));
	EXPECT_STAT(hm, KILLED, 1);
}

Test(pkmap_queue, who_is_killed_already_does_not_wait_at_all)
{
	boot_small(2);
	machine_spawn(0, signal_before_the_wait, NULL);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	EXPECT_SOUND(hm);
}

/* A waits in what no signal ends, and gets its slot. */
static void wait_on(void *arg)
{
	const uint64_t *ticks = arg;
	struct page *page = high(hm, 2);

	at(1);
	cr_expect_not_null(ticks ? kmap_timeout(hm, page, port_now() + *ticks)
				 : kmap(hm, page));
	note('A');
	kunmap(hm, page);
}

static void expect_served(uint64_t *ticks)
{
	struct killing killing = { 10, 50 };

	boot_small(2);
	machine_spawn(0, hold_and_kill, &killing);
	machine_spawn(1, wait_on, ticks);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_str_eq(events, "A");
	EXPECT_STAT(hm, KILLED, 0);
	EXPECT_STAT(hm, TIMEOUT, 0);
	EXPECT_SOUND(hm);
}

Test(pkmap_queue, kmap_waits_on_through_a_signal)
{
	expect_served(NULL);
}

Test(pkmap_queue, kmap_timeout_waits_on_through_a_signal)
{
	uint64_t ticks = 1000;

	expect_served(&ticks);
}

Test(pkmap_queue, what_is_appended_comes_last_whatever_it_held)
{
	struct pkmap_waiter first = { .task = NULL };
	struct pkmap_waiter last = { .next = &first };
	struct pkmap_queue *queue;

	boot_small(2);
	queue = &hm->pkmap.queue[0];
	queue_append(queue, &first);
	queue_append(queue, &last);
	cr_expect_eq(first.next, &last);
	cr_expect_null(last.next);
}

/* ---- Broken state ------------------------------------------------------------------ */

Test(pkmap_queue, a_waiter_that_is_served_twice_is_reported)
{
	struct pkmap_waiter waiter = { .task = NULL };

	boot_small(2);
	hold_both();
	waiter.task = port_task_current();
	port_atomic_store(&waiter.granted, GRANT_SLOT);
	queue_append(&hm->pkmap.queue[0], &waiter);
	EXPECT_PANIC(kunmap(hm, high(hm, 0)), "core/lib/pkmap_queue.c",
		     "port_atomic_load(&waiter->granted) == GRANT_NONE");
}
