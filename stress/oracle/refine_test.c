/* SPDX-License-Identifier: MIT */
#include "stress/oracle/refine.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/ports/sim/sim.h"

/*
 * Histories by hand: calls and returns of A, B and the handler I on two slots
 * and four pages. The core is not called; only the model judges.
 */

#define P0 (MACHINE_LOWMEM_PAGES + 0)
#define P1 (MACHINE_LOWMEM_PAGES + 1)
#define P2 (MACHINE_LOWMEM_PAGES + 2)
#define P3 (MACHINE_LOWMEM_PAGES + 3)

static struct exec exec;
static struct exec_result result;
static struct exec_options options;
static struct actor a = { .index = 0 };
static struct actor b = { .index = 1 };
static struct actor i = { .index = PROGRAM_MAX_TASKS };

static void boot_with(unsigned int nr_slots)
{
	const struct machine_config config = { .nr_cpus = 1,
					       .nr_slots = nr_slots,
					       .nr_colours = 1,
					       .nr_pages = 4,
					       .local_depth = 1 };

	exec = (struct exec){ .result = &result, .options = &options };
	result = (struct exec_result){ .verdict = EXEC_OK };
	exec.hm = machine_boot(&config);
	exec.config = &exec.hm->config;
	refine_begin(&exec, true);
}

static void boot(void)
{
	boot_with(2);
}

static void shut_down(void)
{
	refine_end();
	machine_shutdown();
}

TestSuite(refine, .init = boot, .fini = shut_down);

static void whole(struct actor *actor, enum op_kind kind, unsigned int page,
		  bool yes)
{
	refine_call(&exec, actor, kind, page);
	refine_return(&exec, actor, yes);
}

static void expect_fine(void)
{
	cr_expect_eq(result.verdict, EXEC_OK, "%s", result.sentence);
}

static void expect_blamed(const char *sentence)
{
	cr_expect_eq(result.verdict, EXEC_BUG);
	cr_expect_not_null(strstr(result.sentence, sentence), "%s",
			   result.sentence);
}

Test(refine, get_tells_whether_the_page_is_mapped)
{
	whole(&a, OP_GET, P0, false);
	whole(&a, OP_KMAP, P0, true);
	whole(&b, OP_GET, P0, true);
	whole(&i, OP_GET, P1, false);
	whole(&a, OP_KUNMAP, P0, true);
	whole(&b, OP_KUNMAP, P0, true);
	whole(&b, OP_GET, P0, true);
	expect_fine();
}

Test(refine, a_get_that_misses_a_mapped_page)
{
	whole(&a, OP_KMAP, P0, true);
	whole(&b, OP_GET, P0, false);
	expect_blamed("explains that B's get p0 said no");
}

Test(refine, a_get_of_what_was_never_mapped)
{
	whole(&a, OP_KMAP, P0, true);
	whole(&b, OP_GET, P1, true);
	expect_blamed("explains that B's get p1 said yes");
}

Test(refine, a_get_may_fall_on_either_side_of_what_overlaps_it)
{
	refine_call(&exec, &b, OP_GET, P0);
	whole(&a, OP_KMAP, P0, true);
	refine_return(&exec, &b, false);
	refine_call(&exec, &b, OP_GET, P1);
	whole(&a, OP_KMAP, P1, true);
	refine_return(&exec, &b, true);
	expect_fine();
}

Test(refine, what_has_returned_stays)
{
	refine_call(&exec, &b, OP_FLUSH, 0);
	whole(&a, OP_KMAP, P0, true);
	whole(&i, OP_GET, P0, false);
	expect_blamed("I's get p0 said no");
}

Test(refine, a_map_beyond_the_slots)
{
	whole(&a, OP_KMAP, P0, true);
	whole(&a, OP_KMAP, P1, true);
	refine_call(&exec, &b, OP_KMAP, P2);
	refine_call(&exec, &a, OP_KUNMAP, P0);
	refine_return(&exec, &b, true);
	refine_return(&exec, &a, true);
	expect_fine();
	whole(&a, OP_KMAP, P0, true);
	expect_blamed("explains that A's kmap p0 said yes");
}

Test(refine, a_try_that_was_refused_with_a_slot_left)
{
	whole(&a, OP_KMAP, P0, true);
	whole(&b, OP_TRY, P1, false);
	expect_blamed("explains that B's try p1 said no");
}

Test(refine, a_try_that_was_refused_with_an_idle_slot)
{
	whole(&a, OP_KMAP, P0, true);
	whole(&a, OP_KMAP, P1, true);
	whole(&b, OP_TRY, P2, false);
	whole(&a, OP_KUNMAP, P0, true);
	expect_fine();
	whole(&b, OP_TRY, P2, false);
	expect_blamed("explains that B's try p2 said no");
}

Test(refine, a_try_may_be_refused_behind_one_who_waits_or_pins)
{
	whole(&a, OP_KMAP, P0, true);
	refine_call(&exec, &a, OP_KMAP, P1);
	whole(&b, OP_TRY, P2, false);
	refine_return(&exec, &a, true);
	whole(&a, OP_KUNMAP, P1, true);
	refine_call(&exec, &i, OP_GET, P1);
	whole(&b, OP_TRY, P2, false);
	refine_return(&exec, &i, true);
	expect_fine();
}

Test(refine, a_lookup_of_what_is_not_mapped_is_no_excuse_for_a_try)
{
	whole(&a, OP_KMAP, P0, true);
	whole(&a, OP_KMAP, P1, true);
	whole(&a, OP_KUNMAP, P1, true);
	refine_call(&exec, &i, OP_GET, P2);
	whole(&b, OP_TRY, P2, false);
	expect_blamed("explains that B's try p2 said no");
}

/* All three slots are mapped, the last one is idle, and B's search begins. */
static void b_tries_beside_an_idle_page(void)
{
	shut_down();
	boot_with(3);
	whole(&a, OP_KMAP, P0, true);
	whole(&a, OP_KMAP, P1, true);
	whole(&a, OP_KMAP, P2, true);
	whole(&a, OP_KUNMAP, P2, true);
	refine_call(&exec, &b, OP_TRY, P3);
}

/* It comes by p0 and p1 while A has them, and by p2 when I has it. */
Test(refine, a_try_may_miss_what_becomes_idle_behind_its_search)
{
	b_tries_beside_an_idle_page();
	whole(&a, OP_KUNMAP, P0, true);
	whole(&a, OP_KUNMAP, P1, true);
	whole(&i, OP_GET, P2, true);
	refine_return(&exec, &b, false);
	expect_fine();
}

Test(refine, a_try_must_not_miss_what_is_idle_all_the_time)
{
	b_tries_beside_an_idle_page();
	whole(&a, OP_KUNMAP, P0, true);
	whole(&i, OP_GET, P1, true);
	refine_return(&exec, &b, false);
	expect_blamed("explains that B's try p3 said no");
}

Test(refine, what_was_busy_before_a_try_counts_for_nothing)
{
	b_tries_beside_an_idle_page();
	refine_return(&exec, &b, true);
	whole(&a, OP_KUNMAP, P0, true);
	whole(&b, OP_TRY, P2, false);
	expect_blamed("explains that B's try p2 said no");
}

Test(refine, a_flush_takes_what_is_idle)
{
	whole(&a, OP_KMAP, P0, true);
	whole(&a, OP_KUNMAP, P0, true);
	whole(&a, OP_FLUSH, 0, true);
	whole(&b, OP_GET, P0, true);
	expect_blamed("explains that B's get p0 said yes");
}

Test(refine, a_flush_leaves_what_a_lookup_disturbs)
{
	whole(&a, OP_KMAP, P0, true);
	whole(&a, OP_KUNMAP, P0, true);
	refine_call(&exec, &a, OP_FLUSH, 0);
	whole(&i, OP_GET, P1, false);
	refine_return(&exec, &a, true);
	whole(&b, OP_GET, P0, true);
	expect_fine();
}

Test(refine, a_wait_may_be_given_up)
{
	whole(&a, OP_KMAP, P0, true);
	whole(&b, OP_KILLABLE, P1, false);
	whole(&a, OP_KMAP, P1, true);
	whole(&b, OP_TIMEOUT, P2, false);
	expect_fine();
	whole(&b, OP_TIMEOUT, P1, false);
	expect_blamed("explains that B's timeout p1 said no");
}

/* ---- Who queues is not overtaken ------------------------------------------------ */

static struct port_task sleeper = { .id = 1 };
static struct pkmap_waiter waiter = { .task = &sleeper };

/* A queues for P2, as the core would have it; B comes for a page after that. */
static void b_comes_while_a_queues(unsigned int page)
{
	exec.actors[0].id = sleeper.id;
	exec.actors[0].waits_for = P2;
	refine_call(&exec, &a, OP_KMAP, P2);
	exec.hm->pkmap.queue[0].head = &waiter;
	refine_call(&exec, &b, OP_KMAP, page);
}

Test(refine, nobody_overtakes_who_queues)
{
	b_comes_while_a_queues(P3);
	refine_return(&exec, &b, true);
	expect_blamed("overtaken: B came later and has a slot for p3, while A "
		      "still queues for p2");
}

Test(refine, who_was_served_is_not_overtaken)
{
	b_comes_while_a_queues(P3);
	exec.hm->pkmap.queue[0].head = NULL;
	refine_return(&exec, &b, true);
	expect_fine();
}

Test(refine, a_share_overtakes_nobody)
{
	b_comes_while_a_queues(P3);
	refine_call(&exec, &i, OP_GET, P3);
	refine_return(&exec, &b, true);
	expect_fine();
}
