/* SPDX-License-Identifier: MIT */
#include "stress/oracle/test_run.h"

/*
 * What programs do with pages and addresses that are not their own: which
 * outcome each has, and that the oracle looks.
 */

/* p0 is page 2 of mem_map. */
#define P0 2

static const struct exec_options options_with_story = { .trace = tell };
static unsigned int nr_said;

static void on_report(void *arg, const char *sentence)
{
	(void)arg;
	nr_said += strncmp(sentence, "highmem: BUG: kunmap_", 21) == 0;
}

/* @text passes, and its operations end in @want: "ok no ok". */
static void expect(const char *text, const char *want)
{
	struct exec_options options = options_with_story;
	struct program_error error;
	char got[256] = "";

	nr_said = 0;
	options.report = on_report;
	cr_assert(program_parse(&program, text, strlen(text), &error),
		  "line %u: %s", error.line, error.expected);
	memset(story, 0, sizeof(story));
	exec_program(&program, &options, &result);
	cr_expect_eq(result.verdict, EXEC_OK, "%s", result.sentence);
	for (char *at = story; (at = strstr(at, " -> "));) {
		size_t len = strcspn(at += 4, "\n");

		hm_format(got + strlen(got), sizeof(got) - strlen(got), "%s",
			  got[0] ? ", " : "");
		strncat(got, at, len);
	}
	cr_expect_str_eq(got, want, "%s", story);
}

static void expect_seen(const char *text, unsigned int place,
			void (*break_it)(struct highmem *hm), const char *said)
{
	struct sabotage sabotage = { place, break_it };

	cr_expect_eq(run(text, &sabotage), EXEC_BUG);
	cr_expect_str_eq(result.sentence, said);
}

/* ---- stray ------------------------------------------------------------------------ */

Test(stray, every_address_that_no_local_map_gave)
{
	expect("machine\ntask A: stray p0; kmap p0; stray p0; kunmap p0; "
	       "stray p0",
	       "reported and refused, ok, reported and refused, ok, "
	       "reported and refused");
	cr_expect_eq(nr_said, 6, "%u", nr_said);
}

Test(stray, beside_maps_that_stay)
{
	expect("machine depth=2\ntask A: local p0; atomic p1; stray p2; check; "
	       "unlocal; unlocal",
	       "ok, ok, reported and refused, ok, ok, ok");
	expect("machine\ntask A: kmap p1; local p0\nirq I: local p2; "
	       "stray p1; stray p3\nA: raise I; check",
	       "ok, ok, ok, reported and refused, reported and refused, ok, "
	       "ok");
}

/* One sentence for the call of the other kind; the map stays. */
Test(stray, by_the_call_of_the_other_kind)
{
	expect("machine\ntask A: local p0; stray p0; check; atomic p1; "
	       "stray p1; stray p0; check; unlocal; unlocal",
	       "ok, reported and refused, ok, ok, reported and refused, "
	       "reported and refused, ok, ok, ok");
	cr_expect_eq(nr_said, 4, "%u", nr_said);
}

/* Of lowmem pages without a window only their number is known. */
Test(stray, of_lowmem_that_nobody_mapped)
{
	expect("machine\ntask A: stray l0; local l0; stray l1; atomic l1; "
	       "stray l0; unlocal; unlocal\nirq I: stray l0\nA: raise I",
	       "reported and refused, ok, reported and refused, ok, skipped, "
	       "ok, ok, skipped, ok");
	cr_expect_eq(nr_said, 3, "%u", nr_said);
	expect("machine force=yes\ntask A: local l0; stray l1; stray l0; check",
	       "ok, reported and refused, reported and refused, ok");
}

/* A window that the core believes to be A's newest. */
static void one_map_more(struct highmem *hm)
{
	struct kmap_ctrl *ctrl = port_task_kmap_ctrl(port_task_current());
	vaddr_t window = fixmap_vaddr(FIX_KMAP_BEGIN);
	pte_t pte = pte_make(page_to_pfn(hm, &hm->config.mem_map[P0]),
			     hm->config.prot);

	port_pte_set(window, pte);
	ctrl->pte[0] = pte;
	port_atomic_store(&ctrl->depth, 1);
	port_migrate_disable();
}

Test(stray, one_that_is_accepted)
{
	expect_seen("machine\ntask A: yield; stray p1", 1, one_map_more,
		    "misuse not reported: kunmap_local of a stray address");
}

/* ---- release ---------------------------------------------------------------------- */

Test(release, what_another_holds_is_gone)
{
	expect("machine\ntask A: kmap p0\ntask B: release p0\nA: kunmap p0",
	       "ok, ok, reported and refused");
	expect("machine\ntask A: kmap p0; kmap p0\ntask B: release p0\n"
	       "A: check; kunmap p0",
	       "ok, ok, ok, ok, ok");
}

Test(release, nobody_else_holds_it)
{
	expect("machine\ntask A: kmap p0; release p0; kunmap p0; release p0",
	       "ok, skipped, ok, skipped");
}

Test(release, the_slot_is_free_for_who_waits)
{
	expect("machine\ntask A: kmap p0; kmap p1\ntask B: kmap p2\n"
	       "task C: release p0",
	       "ok, ok, ok, ok");
	cr_expect(strstr(story, "C: release p0 -> ok\nB: kmap p2 -> ok\n"),
		  "%s", story);
}

Test(release, in_an_interrupt)
{
	expect("machine\ntask A: kmap p0\nirq I: release p0\n"
	       "A: raise I; kunmap p0",
	       "ok, ok, ok, reported and refused");
}

/* ---- address ---------------------------------------------------------------------- */

Test(address, with_a_map_and_without)
{
	expect("machine\ntask A: address l0; address p0; kmap p0; address p0; "
	       "kunmap p0; address p0; flush; address p0",
	       "ok, no, ok, ok, ok, ok, ok, no");
}

static void swap_the_answers(struct highmem *hm)
{
	struct page *page = &hm->config.mem_map[P0];
	struct page one = page[0];

	page[0] = page[1];
	page[1] = one;
}

static void name_the_last_slot(struct highmem *hm)
{
	port_atomic_store(&hm->config.mem_map[P0].pkmap,
			  pkmap_word(hm->config.nr_slots - 1, 1));
}

Test(address, of_another_page)
{
	expect_seen("machine\ntask A: kmap p0; kmap p1; address p0", 2,
		    swap_the_answers,
		    "page_address of p0 is 0xff801000, but A has it at "
		    "0xff800000");
	expect_seen("machine\ntask A: yield; address p0", 1, name_the_last_slot,
		    "page_address of p0 is 0xff801000: another is there");
	expect_seen("machine slots=4 colours=2\ntask A: yield; address p0", 1,
		    name_the_last_slot,
		    "page_address of p0 is 0xff803000: no slot for it");
}

/* ---- stale ------------------------------------------------------------------------ */

Test(stale, shows_what_is_there_now)
{
	expect("machine\ntask A: stale p0; kmap p0; stale p0; kunmap p0; "
	       "stale p0; flush; stale p0",
	       "skipped, ok, skipped, ok, ok, ok, no");
	expect("machine\ntask A: kmap p0; kunmap p0; kmap p1; kmap p2; "
	       "stale p0",
	       "ok, ok, ok, ok, ok");
}

Test(stale, on_another_cpu)
{
	expect("machine cpus=2\ntask A: kmap p0\ntask B cpu=1: kmap p0; "
	       "kunmap p0\nA: kunmap p0; flush\nB: stale p0",
	       "ok, ok, ok, ok, ok, no");
}

/* The page table forgets slot 0, and CPU 0's TLB does not. */
static void forget_slot_0(struct highmem *hm)
{
	port_pte_clear(hm->config.pkmap_base);
}

Test(stale, a_tlb_that_remembers)
{
	expect_seen("machine\ntask A: kmap p0; kunmap p0; stale p0", 2,
		    forget_slot_0,
		    "A had p0 at 0xff800000, where the PTE says none 0x0 now, "
		    "and reads 0xa6000258 there");
}
