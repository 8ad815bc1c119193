/* SPDX-License-Identifier: MIT */
#include "stress/oracle/exec_state.h"
#include "stress/oracle/test_run.h"

/* What a flush leaves of pages that nobody uses. The machine is broken before. */

/* p0 is page 2 of mem_map, and in slot 0. */
#define P0 2

#define TEXT "machine cpus=2\ntask A: kmap p0; kunmap p0; flush"

static void expect_seen(const char *text, void (*break_it)(struct highmem *hm),
			const char *said)
{
	struct sabotage sabotage = { 2, break_it };

	cr_expect_eq(run(text, &sabotage), EXEC_BUG);
	cr_expect_str_eq(result.sentence, said);
}

/* A user whom nobody knows: the flush passes p0 over. */
static void count_one_user_more(struct highmem *hm)
{
	port_atomic_store(&hm->config.mem_map[P0].pkmap, pkmap_word(0, 2));
}

Test(oracle_use, a_page_that_a_flush_leaves_in_the_page_table)
{
	expect_seen(TEXT, count_one_user_more,
		    "p0 outlives A's flush: nobody used it meanwhile, and the "
		    "PTE of slot 0 still shows it");
}

/* The page table forgets slot 0 and the core, too; TLBs are not told. */
static void free_slot_0(struct highmem *hm)
{
	port_atomic_store(&hm->config.mem_map[P0].pkmap, 0);
	port_atomic_store(&hm->pkmap.slot[0].page, 0);
	port_pte_clear(hm->config.pkmap_base);
	hm->pkmap.free[0] |= 1;
}

Test(oracle_use, a_page_that_a_flush_leaves_in_a_tlb)
{
	expect_seen(TEXT, free_slot_0,
		    "stale TLB entry: CPU 0 still has pfn 0x38000 at "
		    "0xff800000, the PTE says none 0x0");
}

static void use_p0_in_secret(struct highmem *hm)
{
	kmap_high_get(hm, &hm->config.mem_map[P0]);
}

/* Who is used, is none of its business. */
Test(oracle_use, a_page_that_is_held)
{
	cr_expect_eq(run("machine cpus=2\ntask A: kmap p0; kmap p1; kunmap p1; "
			 "flush; check\ntask B cpu=1: get p0; flush",
			 NULL),
		     EXEC_OK, "%s", result.sentence);
	expect_seen("machine\ntask A: kmap p0; kunmap p0; flush; kmap p1",
		    use_p0_in_secret,
		    "p0 outlives A's flush: nobody used it meanwhile, and the "
		    "PTE of slot 0 still shows it");
}

/* ---- A kunmap() in two steps ----------------------------------------------------- */

static struct exec exec;

static bool is_unused(uint32_t count, unsigned int begun, unsigned int ending)
{
	const struct machine_config config = { .nr_cpus = 1,
					       .nr_slots = 2,
					       .nr_colours = 1,
					       .nr_pages = 2,
					       .local_depth = 1 };
	static const struct exec_options options;
	struct unused unused;

	exec = (struct exec){ .options = &options };
	exec.hm = machine_boot(&config);
	exec.config = &exec.hm->config;
	port_atomic_store(&exec.hm->config.mem_map[P0].pkmap,
			  pkmap_word(0, count));
	while (begun-- > 0)
		oracle_use_begins(&exec.actors[0], P0);
	while (ending-- > 0)
		oracle_use_ending(&exec.actors[1], P0);
	oracle_unused_begin(&exec, &unused);
	machine_shutdown();
	return unused.pages >> P0 & 1;
}

Test(oracle_use, a_page_that_is_let_go_and_not_yet_handed_over)
{
	cr_expect(is_unused(1, 1, 1));
	cr_expect(is_unused(0, 2, 2));
	cr_expect_not(is_unused(2, 1, 1),
		      "the kunmap is before its first step");
	cr_expect_not(is_unused(1, 2, 1), "somebody comes, or is a user");
	cr_expect(is_unused(0, 0, 0));
}
