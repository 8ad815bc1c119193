/* SPDX-License-Identifier: MIT */
#include "core/lib/test_users.h"

#include "core/lib/pkmap_queue.h"

/* ---- Between the two steps of a kunmap -------------------------------------- */

/*
 * On real CPUs a kunmap() lowers the count, and only then sees the queue. The
 * tests stop the clock in between: the slots are idle, B waits.
 */
static void first_step_of_kunmap(unsigned int slot)
{
	cr_expect_eq(slot_count(hm, slot), 2);
	set_count(hm, slot, 1);
}

static void run_against_b(void (*entry)(void *arg))
{
	struct user users[] = { { 'B', 3, 2, 90, 0, NULL } };

	boot_small(2);
	hold_both();
	machine_spawn(0, entry, NULL);
	RUN(users);
}

static void try_it(void *arg)
{
	(void)arg;
	at(3);
	first_step_of_kunmap(0);
	cr_expect_null(kmap_try(hm, high(hm, 5)), "it overtook B");
	set_count(hm, 0, 2);
	kunmap(hm, high(hm, 0));
}

Test(pkmap_handover, try_does_not_overtake)
{
	run_against_b(try_it);
	cr_expect_str_eq(events, "B");
	EXPECT_STAT(hm, HANDOVER, 1);
}

static void flush_it(void *arg)
{
	(void)arg;
	at(3);
	first_step_of_kunmap(0);
	kmap_flush_unused(hm);
	cr_expect_null(hm->pkmap.queue[0].head);
	cr_expect_not(slot_is_free(hm, 0));
}

Test(pkmap_handover, who_flushes_serves_the_queue)
{
	run_against_b(flush_it);
	cr_expect_str_eq(events, "B");
	EXPECT_STAT(hm, HANDOVER, 0);
	EXPECT_STAT(hm, WAKEUP, 1);
	EXPECT_STAT(hm, RETIRED, 1);
}

static void queue_behind(void *arg)
{
	(void)arg;
	at(3);
	first_step_of_kunmap(0);
	cr_expect_eq(kmap(hm, high(hm, 5)), slot_address(hm, 0));
	note('C');
	kunmap(hm, high(hm, 5));
}

/* C is behind B, and what it finds for the queue is B's. */
Test(pkmap_handover, a_newcomer_does_not_overtake)
{
	run_against_b(queue_behind);
	cr_expect_str_eq(events, "BC");
	EXPECT_STAT(hm, WAIT, 2);
	EXPECT_STAT(hm, HANDOVER, 1);
	EXPECT_STAT(hm, WAKEUP, 2);
}

static void find_two(void *arg)
{
	(void)arg;
	at(3);
	first_step_of_kunmap(0);
	first_step_of_kunmap(1);
	cr_expect_eq(kmap(hm, high(hm, 5)), slot_address(hm, 1));
	note('C');
	kunmap(hm, high(hm, 5));
}

/* The second slot is C's own: nobody has to be woken for it. */
Test(pkmap_handover, a_newcomer_serves_all_and_itself)
{
	run_against_b(find_two);
	cr_expect_str_eq(events, "CB");
	EXPECT_STAT(hm, WAIT, 2);
	EXPECT_STAT(hm, WAKEUP, 1);
}

/* The waiter has gone by the time that the second step has the lock. */
Test(pkmap_handover, the_last_waiter_left_before_the_second_step)
{
	boot_small(2);
	hold_both();
	port_atomic_store(&hm->pkmap.queue[0].nr, 1);
	kunmap(hm, high(hm, 0));
	cr_expect_eq(slot_count(hm, 0), 1);
	EXPECT_STAT(hm, HANDOVER, 0);
	port_atomic_store(&hm->pkmap.queue[0].nr, 0);
	EXPECT_SOUND(hm);
}

/* ---- Interrupts ---------------------------------------------------------------- */

static void unmap_p0(void *arg)
{
	(void)arg;
	kunmap(hm, high(hm, 0));
}

static void unmap_in_interrupt(void *arg)
{
	(void)arg;
	hold_both();
	at(3);
	cr_expect(machine_interrupt(unmap_p0, NULL));
	at(80);
	kunmap(hm, high(hm, 1));
}

Test(pkmap_handover, an_interrupt_hands_over)
{
	struct user users[] = { { 'A', 2, 2, 70, 0, NULL } };

	boot_small(2);
	machine_spawn(0, unmap_in_interrupt, NULL);
	RUN(users);
	cr_expect_str_eq(events, "A");
	cr_expect_eq(users[0].address, slot_address(hm, 0));
	EXPECT_STAT(hm, WAKEUP, 1);
}

/*
 * The interrupt comes between a waiter's look at `granted` and its sleep, and
 * runs as that very task.
 */
static void cut_in_before_the_sleep(void *arg)
{
	struct pkmap_queue *queue = &hm->pkmap.queue[0];
	struct pkmap_waiter waiter = {
		.page = high(hm, 2),
		.task = port_task_current(),
	};

	(void)arg;
	hold_both();
	queue_append(queue, &waiter);
	cr_expect(machine_interrupt(unmap_p0, NULL));
	cr_expect_eq(port_atomic_load(&waiter.granted), GRANT_SLOT);
	cr_expect(port_park(port_now() + 100), "it sleeps on a lost wake-up");
}

Test(pkmap_handover, an_interrupt_serves_the_task_that_it_cut_in)
{
	boot_small(2);
	machine_spawn(0, cut_in_before_the_sleep, NULL);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	EXPECT_STAT(hm, WAKEUP, 0); /* it was awake */
	EXPECT_BUG("");
}

/* ---- The slot that was given is not needed any more ------------------------------ */

static struct port_task *task_b;

/* A waits for p2 and is given H's slot; before it runs, p2 is mapped. */
static void wait_for_p2(void *arg)
{
	(void)arg;
	at(5);
	cr_expect_eq(kmap(hm, high(hm, 2)), slot_address(hm, 1));
	note('A');
	at(60);
	kunmap(hm, high(hm, 2));
}

static void map_p2_meanwhile(void)
{
	hold_both();
	at(6);
	kunmap(hm, high(hm, 0)); /* handed to A, who sleeps yet */
	kunmap(hm, high(hm, 1)); /* idle */
	cr_expect_eq(kmap(hm, high(hm, 2)), slot_address(hm, 1));
	note('H');
	cr_expect_eq(slot_count(hm, 0), 0);
	cr_expect_not(slot_is_free(hm, 0));
}

static void map_p2_and_look(void *arg)
{
	(void)arg;
	map_p2_meanwhile();
	at(70);
	cr_expect_eq(slot_count(hm, 1), 2, "A shared it and has gone");
	cr_expect(slot_is_free(hm, 0), "A did not need it");
	cr_expect_null(page_address(hm, high(hm, 0)));
	kunmap(hm, high(hm, 2));
}

Test(pkmap_handover, the_page_was_mapped_meanwhile)
{
	boot_small(2);
	machine_spawn(0, map_p2_and_look, NULL);
	machine_spawn(1, wait_for_p2, NULL);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_str_eq(events, "HA");
	EXPECT_STAT(hm, HANDOVER, 1);
	EXPECT_STAT(hm, SHARE, 0);
	EXPECT_STAT(hm, MISS, 3);
	EXPECT_SOUND(hm);
}

static void map_p2_and_wake_b(void *arg)
{
	(void)arg;
	map_p2_meanwhile();
	port_unpark(task_b);
	at(70);
	kunmap(hm, high(hm, 2));
}

/* B queues after p2 was mapped and before A runs. */
static void wait_for_p3(void *arg)
{
	(void)arg;
	task_b = port_task_current();
	port_park(PORT_NO_DEADLINE);
	cr_expect_eq(kmap(hm, high(hm, 3)), slot_address(hm, 0));
	note('B');
	kunmap(hm, high(hm, 3));
}

Test(pkmap_handover, a_slot_that_is_not_needed_is_passed_on)
{
	boot_small(2);
	machine_spawn(0, map_p2_and_wake_b, NULL);
	machine_spawn(1, wait_for_p2, NULL);
	machine_spawn(0, wait_for_p3, NULL);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_str_eq(events, "HAB");
	EXPECT_STAT(hm, WAIT, 2);
	EXPECT_STAT(hm, HANDOVER, 1);
	EXPECT_STAT(hm, WAKEUP, 2);
	EXPECT_SOUND(hm);
}

/* p0 has got a newer slot by the time that A cleans the one it was given. */
static void map_p0_again(void *arg)
{
	(void)arg;
	hold_both();
	at(6);
	kunmap(hm, high(hm, 0)); /* handed to A, who sleeps yet */
	kunmap(hm, high(hm, 1));
	cr_expect_eq(kmap(hm, high(hm, 0)), slot_address(hm, 1));
	at(7);
	cr_expect_eq(page_address(hm, high(hm, 0)), slot_address(hm, 1));
	cr_expect_eq(page_address(hm, high(hm, 2)), slot_address(hm, 0));
	kunmap(hm, high(hm, 0));
}

Test(pkmap_handover, the_old_page_has_a_newer_slot)
{
	struct user users[] = { { 'A', 2, 5, 60, 0, NULL } };

	boot_small(2);
	machine_spawn(0, map_p0_again, NULL);
	RUN(users);
	cr_expect_str_eq(events, "A");
	EXPECT_STAT(hm, MISS, 4);
	EXPECT_STAT(hm, RETIRED, 2);
}

/* ---- A flush meets a slot on its way ---------------------------------------------- */

static void flush_before_a_runs(void *arg)
{
	(void)arg;
	hold_both();
	machine_load32(slot_address(hm, 0));
	at(6);
	kunmap(hm, high(hm, 0)); /* handed to A, who sleeps yet */
	cr_expect_not(pte_none(port_pte_read(pkmap_vaddr(hm, 0))));
	kmap_flush_unused(hm);
	cr_expect(pte_none(port_pte_read(pkmap_vaddr(hm, 0))));
	cr_expect_not(slot_is_free(hm, 0), "it is A's");
	cr_expect_eq(machine_tlb_stats().shootdowns, 1);
	EXPECT_SOUND(hm);
	at(70);
	cr_expect_eq(machine_tlb_stats().shootdowns, 1, "none of A's own");
	kunmap(hm, high(hm, 1));
}

Test(pkmap_handover, a_flush_unmaps_what_is_handed_over)
{
	struct user users[] = { { 'A', 2, 5, 60, 0, NULL } };

	boot_small(2);
	machine_spawn(0, flush_before_a_runs, NULL);
	RUN(users);
	cr_expect_str_eq(events, "A");
	cr_expect_eq(users[0].address, slot_address(hm, 0));
	EXPECT_STAT(hm, RETIRED, 1);
	EXPECT_STAT(hm, HANDOVER, 1);
}

/* p0 is idle in slot 1, and its old slot 0 is on its way. */
static void flush_both_slots_of_p0(void *arg)
{
	(void)arg;
	hold_both();
	at(6);
	kunmap(hm, high(hm, 0));
	kunmap(hm, high(hm, 1));
	kmap(hm, high(hm, 0));
	kunmap(hm, high(hm, 0));
	kmap_flush_unused(hm);
	cr_expect(pte_none(port_pte_read(pkmap_vaddr(hm, 0))));
	cr_expect(pte_none(port_pte_read(pkmap_vaddr(hm, 1))));
	cr_expect(slot_is_free(hm, 1));
	EXPECT_SOUND(hm);
}

Test(pkmap_handover, a_flush_finds_both_slots_of_a_page)
{
	struct user users[] = { { 'A', 2, 5, 60, 0, NULL } };

	boot_small(2);
	machine_spawn(0, flush_both_slots_of_p0, NULL);
	RUN(users);
	EXPECT_STAT(hm, RETIRED, 3);
	cr_expect_eq(machine_tlb_stats().shootdowns, 2);
}

/* ---- Broken state: the slot is not what it was when it was given -------------- */

static struct pkmap_waiter *waiter_a;

static void let_go_and_break(void *arg)
{
	void (*break_it)(void) = *(void (**)(void))arg;

	hold_both();
	at(6);
	waiter_a = hm->pkmap.queue[0].head;
	kunmap(hm, high(hm, 0));
	break_it();
}

static void run_broken(struct machine_config config, void (*break_it)(void))
{
	struct user a = { 'A', 2, 5, 60, 0, NULL };

	hm = boot(config);
	machine_spawn(0, let_go_and_break, &break_it);
	machine_spawn(1, use, &a);
	machine_run();
}

#define TWO_SLOTS ((struct machine_config){ .nr_slots = 2 })

static void map_p0_in_it(void)
{
	port_atomic_store(&high(hm, 0)->pkmap, pkmap_word(0, 5));
}

Test(pkmap_handover, a_given_slot_with_users_is_reported)
{
	run_broken(TWO_SLOTS, map_p0_in_it);
	EXPECT_CHECK("core/lib/pkmap.c", "!page_is_in(page, slot)");
}

static void free_it(void)
{
	hm->pkmap.free[0] |= 1;
}

Test(pkmap_handover, a_given_slot_in_the_free_map_is_reported)
{
	run_broken(TWO_SLOTS, free_it);
	EXPECT_CHECK("core/lib/pkmap.c", "!slot_is_free(hm, slot)");
}

static void give_slot_1(void)
{
	kunmap(hm, high(hm, 1));
	set_count(hm, 1, 0);
	waiter_a->slot = 1;
}

Test(pkmap_handover, a_given_slot_of_another_colour_is_reported)
{
	run_broken((struct machine_config){ .nr_slots = 2, .nr_colours = 2 },
		   give_slot_1);
	EXPECT_CHECK("core/lib/pkmap.c",
		     "slot_colour(hm, slot) == request->colour");
}
