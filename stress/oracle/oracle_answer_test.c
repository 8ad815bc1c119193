/* SPDX-License-Identifier: MIT */
#include "stress/oracle/test_run.h"

/*
 * What the core says is broken: an answer, a sentence that does not come, a
 * last flush. The machine is broken right before it is asked.
 */

#define EXPECT_SEEN(text, place, break_it, said) \
	do { \
		struct sabotage sabotage_ = { place, break_it }; \
		cr_expect_eq(run(text, &sabotage_), EXEC_BUG); \
		cr_expect_str_eq(result.sentence, said); \
	} while (0)

/* p0 is page 2 of mem_map. */
#define P0 2

static struct kmap_ctrl *ctrl(void)
{
	return port_task_kmap_ctrl(port_task_current());
}

/* ---- Sleeping ------------------------------------------------------------------- */

static void forbid_to_sleep(struct highmem *hm)
{
	(void)hm;
	port_preempt_disable();
}

static void allow_to_sleep(struct highmem *hm)
{
	(void)hm;
	port_preempt_enable();
}

static void turn_interrupts_on(struct highmem *hm)
{
	(void)hm;
	sim.cpus[0].irq_off = false;
	sim.cpus[0].irq_depth = 0;
}

Test(oracle_answer, a_kmap_that_is_refused)
{
	EXPECT_SEEN("machine\ntask A: yield; kmap p0", 1, forbid_to_sleep,
		    "kmap returned NULL");
	EXPECT_SEEN("machine\ntask A: yield; killable p0", 1, forbid_to_sleep,
		    "kmap_killable gave up without a signal");
}

Test(oracle_answer, a_kmap_that_might_sleep_in_atomic_context)
{
	EXPECT_SEEN("machine\ntask A: atomic p0; kmap p1", 1, allow_to_sleep,
		    "kmap in atomic context gave a map");
	EXPECT_SEEN("machine\ntask A:\nirq I: yield; kmap p1\nA: raise I", 1,
		    turn_interrupts_on, "kmap in atomic context gave a map");
	EXPECT_SEEN("machine\ntask A: atomic p0; flush", 1, allow_to_sleep,
		    "misuse not reported: kmap_flush_unused in atomic "
		    "context");
}

/* ---- kmap_try() ------------------------------------------------------------------ */

static void pretend_a_queue(struct highmem *hm)
{
	port_atomic_store(&hm->pkmap.queue[0].nr, 1);
}

static void let_slot_0_forget_p0(struct highmem *hm)
{
	port_atomic_store(&hm->pkmap.slot[0].page, P0 + 3);
}

/* As many users as can be counted: the core refuses more. */
static void fill_p0(struct highmem *hm)
{
	port_atomic_store(&hm->config.mem_map[P0].pkmap,
			  pkmap_word(0, PKMAP_COUNT_MAX));
}

static void name_the_slot_after_the_last(struct highmem *hm)
{
	port_atomic_store(&hm->config.mem_map[P0 + 2].pkmap,
			  pkmap_word(2, PKMAP_COUNT_MAX));
}

Test(oracle_answer, a_try_that_is_refused)
{
	EXPECT_SEEN("machine\ntask A: kmap p0; try p1", 1, pretend_a_queue,
		    "kmap_try refused p1, but slot 1 is to be had");
	EXPECT_SEEN("machine\ntask A: kmap p0; kunmap p0; kmap p1; try p2", 3,
		    pretend_a_queue,
		    "kmap_try refused p2, but slot 0 is to be had");
	EXPECT_SEEN("machine\ntask A: kmap p0; kmap p1; try p0", 2, fill_p0,
		    "kmap_try refused p0, which is mapped");
}

/* The slot after the last would be looked at, and it is not there. */
Test(oracle_answer, a_page_in_a_slot_that_is_not)
{
	EXPECT_SEEN("machine\ntask A: kmap p0; kmap p1; try p2", 2,
		    name_the_slot_after_the_last,
		    "a page is mapped in slot 2, of 2");
}

/* B waits in a kmap, and what it waits in has been a try all the time. */
static void call_it_a_try(struct highmem *hm)
{
	(void)hm;
	program.ops[2].kind = OP_TRY;
}

Test(oracle_answer, a_try_that_waits)
{
	EXPECT_SEEN("machine\ntask A: kmap p0; kmap p1\ntask B: kmap p2\n"
		    "A: yield; yield; kunmap p0",
		    3, call_it_a_try, "task B waits in kmap_try");
	EXPECT_SEEN("machine\ntask A: kmap p0; kmap p1\ntask B: kmap p2\n"
		    "A: yield; kmap p3",
		    3, call_it_a_try, "task B waits in kmap_try");
}

/* ---- Addresses ------------------------------------------------------------------- */

Test(oracle_answer, an_address_of_another_page)
{
	EXPECT_SEEN("machine\ntask A: kmap p0; check", 1, let_slot_0_forget_p0,
		    "kmap_to_page of 0xff800000 is not p0");
}

/* ---- Local maps ------------------------------------------------------------------ */

static void forget_a_window(struct highmem *hm)
{
	vaddr_t window = fixmap_vaddr(FIX_KMAP_BEGIN);

	(void)hm;
	port_pte_clear(window);
	port_tlb_flush_local_page(window);
	port_atomic_store(&ctrl()->depth, 0);
}

static void use_all_windows(struct highmem *hm)
{
	port_atomic_store(&ctrl()->depth, hm->config.local_depth);
}

Test(oracle_answer, how_many_windows_there_are)
{
	EXPECT_SEEN("machine depth=1\ntask A: local p0; local p1", 1,
		    forget_a_window, "a local map beyond the last window");
	EXPECT_SEEN("machine depth=2\ntask A: local p0; local p1", 1,
		    use_all_windows,
		    "a local map was refused with windows left");
}

/* What is in window 0 is the second map now: to unmap it is in order. */
static void swap_the_maps(struct highmem *hm)
{
	port_pte_clear(fixmap_vaddr(FIX_KMAP_BEGIN + 1));
	port_tlb_flush_local_page(fixmap_vaddr(FIX_KMAP_BEGIN + 1));
	port_atomic_store(&ctrl()->depth, 1);
	(void)hm;
}

Test(oracle_answer, an_order_that_is_accepted)
{
	EXPECT_SEEN("machine\ntask A: local p0; local p1; misorder", 2,
		    swap_the_maps,
		    "misuse not reported: kunmap_local of the oldest map "
		    "first");
}

/* ---- Before the first operation, and without a last one ---------------------- */

Test(oracle_answer, a_machine_that_does_not_boot)
{
	static const struct exec_options options;
	struct program_error error;
	static const char text[] = "machine\ntask A: kmap p0";

	cr_assert(program_parse(&program, text, strlen(text), &error));
	program.machine.nr_colours = 3; /* no text can say that */
	exec_program(&program, &options, &result);
	cr_expect_eq(result.verdict, EXEC_BUG);
	cr_expect_str_eq(result.sentence, "nr_colours must be 1, 2, 4 or 8");
}

static void hold_the_lock(struct highmem *hm)
{
	hm->pkmap.lock.locked.value = 1;
}

Test(oracle_answer, what_was_reported_before_a_stall)
{
	EXPECT_SEEN("machine\ntask A: yield; kmap p0", 1, hold_the_lock,
		    "sim: a spin lock is taken twice: deadlock");
}

/* ---- Statistics ------------------------------------------------------------------ */

static void count_a_map_too_many(struct highmem *hm)
{
	port_stat_inc(&hm->stats[0].stat[HM_STAT_MISS]);
}

Test(oracle_answer, statistics_that_do_not_add_up)
{
	EXPECT_SEEN("machine\ntask A: kmap p0; yield", 1, count_a_map_too_many,
		    "the statistics have 2 slots mapped and 1 retired, but all "
		    "are free");
}

static void count_two_shootdowns(struct highmem *hm)
{
	port_stat_inc(&hm->stats[0].stat[HM_STAT_FLUSH]);
	port_stat_inc(&hm->stats[0].stat[HM_STAT_FLUSH]);
}

Test(oracle_answer, a_shootdown_for_nothing)
{
	EXPECT_SEEN("machine\ntask A: kmap p0; kmap p1; yield", 2,
		    count_two_shootdowns, "3 shootdowns for 2 retired slots");
}

/* ---- The last flush -------------------------------------------------------------- */

static void (*break_last)(struct highmem *hm);

/* The last time that it is called, task A has ended. */
static bool freeze(bool on)
{
	if (on && sim.tasks[0].state == SIM_TASK_DONE)
		break_last(&highmem_guest_state);
	return true;
}

static void expect_last(void (*break_it)(struct highmem *hm), const char *said)
{
	const struct exec_options options = { .freeze = freeze };
	struct program_error error;
	static const char text[] = "machine\ntask A: kmap p0";

	break_last = break_it;
	cr_assert(program_parse(&program, text, strlen(text), &error));
	exec_program(&program, &options, &result);
	cr_expect_eq(result.verdict, EXEC_BUG);
	cr_expect_str_eq(result.sentence, said);
}

static void forget_slot_1(struct highmem *hm)
{
	hm->pkmap.free[0] &= ~2u;
}

Test(oracle_answer, a_slot_that_the_last_flush_leaves)
{
	expect_last(forget_slot_1, "slot 1 is not free after all tasks have "
				   "ended and a flush");
}

Test(oracle_answer, a_last_flush_that_does_not_return)
{
	expect_last(hold_the_lock, "the last flush does not return");
}

static void report_something(struct highmem *hm)
{
	(void)hm;
	port_bug("something is wrong");
}

Test(oracle_answer, a_sentence_during_the_last_flush)
{
	expect_last(report_something, "something is wrong");
}
