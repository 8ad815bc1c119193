/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "stress/explore/explore.h"

/*
 * Pruning must not change what a search finds: on programs that are small
 * enough for both, the pruned search has the outcomes of the plain one.
 */

static const char *const texts[] = {
	/* Two users of one page. */
	"machine cpus=2 slots=2 pages=3\n"
	"task A cpu=0: kmap p0; kunmap p0\n"
	"task B cpu=1: kmap p0; kunmap p0\n",
	/* A refusal that depends on who is first. */
	"machine cpus=2 slots=2 pages=4\n"
	"task A cpu=0: kmap p0; kmap p1; kunmap p0\n"
	"task B cpu=1: try p2; kunmap p2\n",
	/* A wait, a hand-over, and a flush in between. */
	"machine cpus=2 slots=2 pages=4\n"
	"task A cpu=0: kmap p0; kmap p1; kunmap p0\n"
	"task B cpu=1: kmap p2; flush\n",
	/* A deadlock of the program itself, or not. */
	"machine cpus=2 slots=2 pages=4\n"
	"task A cpu=0: kmap p0; kmap p2\n"
	"task B cpu=1: kmap p1; kmap p3\n",
	/* An interrupt that takes part in a mapping. */
	"machine cpus=1 slots=2 pages=3\n"
	"task A cpu=0: kmap p0; local p1; kunmap p0\n"
	"irq I cpu=0: get p0; local p2; check\n",
	/* Two tasks of one CPU, with windows. */
	"machine cpus=1 slots=2 pages=3 depth=2\n"
	"task A cpu=0: local p0; kmap p1; check\n"
	"task B cpu=0: local p2; kmap p1; check\n",
};

static void parse(struct program *program, const char *text)
{
	struct program_error error;

	cr_assert(program_parse(program, text, strlen(text), &error), "%u: %s",
		  error.line, error.expected);
}

static enum search_end search_under(const char *text, uint32_t faults,
				    unsigned int bound, bool prune,
				    struct search_result *result)
{
	static struct program program;
	uint64_t seed = 1;
	const struct search_options options = {
		.strategy = SEARCH_DFS,
		.faults = faults,
		.max_preemptions = bound,
		.prune = prune,
	};

	parse(&program, text);
	return search_program(&program, &options, &seed, result);
}

static void search(const char *text, unsigned int bound, bool prune,
		   struct search_result *result)
{
	cr_assert_eq(search_under(text, FAULT_IRQ, bound, prune, result),
		     SEARCH_DONE, "%s", text);
}

/* Both searches, to their ends: the same outcomes, by a shorter way. */
static void compare(const char *text, uint32_t faults, unsigned int bound)
{
	static struct search_result plain;
	static struct search_result pruned;

	cr_assert_eq(search_under(text, faults, bound, false, &plain),
		     SEARCH_DONE, "%s", text);
	cr_assert_eq(search_under(text, faults, bound, true, &pruned),
		     SEARCH_DONE, "%s", text);
	cr_expect_eq(plain.outcomes, pruned.outcomes, "%s", text);
	cr_expect_eq(plain.deadlocks > 0, pruned.deadlocks > 0, "%s", text);
	cr_expect_leq(pruned.steps, plain.steps, "%s", text);
}

Test(search, pruning_keeps_all_outcomes)
{
	static const uint32_t classes[] = {
		FAULT_IRQ,
		FAULT_TSO,
		FAULT_SPURIOUS | FAULT_TIMEOUT,
		FAULT_OOM,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t f = 0; f < sizeof(classes) / sizeof(classes[0]);
		     f++)
			for (unsigned int bound = 0; bound <= 1; bound++)
				compare(texts[i], classes[f], bound);
}

/* Few accesses each, for a plain search has all orders of them to go through. */
static const struct {
	const char *text;
	uint32_t faults;
} tiny[] = {
	{ "machine cpus=2 slots=2 pages=2\n"
	  "task A cpu=0: get p0\n"
	  "task B cpu=1: flush\n",
	  0 },
	{ "machine cpus=2 slots=2 pages=2\n"
	  "task A cpu=0: flush\n"
	  "task B cpu=1: flush\n",
	  0 },
	{ "machine cpus=2 slots=2 pages=2\n"
	  "task A cpu=0: local p0\n"
	  "task B cpu=1: get p0\n",
	  0 },
	{ "machine cpus=1 slots=2 pages=2\n"
	  "task A cpu=0: local p0\n"
	  "irq I cpu=0: local p1\n",
	  FAULT_IRQ },
	{ "machine cpus=1 slots=2 pages=2\n"
	  "task A cpu=0: kmap p0\n",
	  FAULT_TSO },
};

Test(search, pruning_keeps_all_outcomes_without_a_bound)
{
	for (size_t i = 0; i < sizeof(tiny) / sizeof(tiny[0]); i++)
		compare(tiny[i].text, tiny[i].faults, EXPLORE_UNBOUNDED);
}

/* What a run could have come to without the calm phase was not tried. */
Test(search, one_that_turns_calm_is_not_whole)
{
	static struct search_result result;
	static struct program program;
	struct search_options options = { .strategy = SEARCH_DFS };
	uint64_t seed = 1;

	parse(&program, texts[0]);
	for (unsigned int prune = 0; prune <= 1; prune++) {
		options.prune = prune;
		options.max_steps = 20;
		cr_expect_eq(search_program(&program, &options, &seed, &result),
			     SEARCH_STOPPED);
		cr_expect(result.incomplete);
		cr_expect_gt(result.schedules, 0);
		options.max_steps = 200;
		cr_expect_eq(search_program(&program, &options, &seed, &result),
			     SEARCH_DONE);
		cr_expect_not(result.incomplete);
	}
}

/* ---- What is free -------------------------------------------------------------------- */

struct sample {
	const struct search_result *result;
	unsigned int nr[CHOICE_NR_KINDS]; /* most in one run */
	unsigned int late_answers;	  /* runs with a delay and its end */
};

/* Asked every 64 schedules. */
static bool look_at_run(void *arg)
{
	struct sample *sample = arg;
	const struct controlled_result *run = &sample->result->run;
	unsigned int nr[CHOICE_NR_KINDS] = { 0 };

	for (unsigned int i = 0; i < run->nr_choices; i++)
		nr[run->choices[i].kind]++;
	for (unsigned int k = 0; k < CHOICE_NR_KINDS; k++)
		if (nr[k] > sample->nr[k])
			sample->nr[k] = nr[k];
	sample->late_answers += nr[CHOICE_DELAY] && nr[CHOICE_ACK];
	return false;
}

/* The delay takes the whole bound; when it ends costs nothing. */
Test(search, a_late_answer_costs_its_delay_only)
{
	static struct search_result result;
	static struct program program;
	struct sample sample = { .result = &result };
	const struct search_options options = {
		.strategy = SEARCH_DFS,
		.faults = FAULT_IPI,
		.max_preemptions = 1,
		.should_stop = look_at_run,
		.arg = &sample,
	};
	uint64_t seed = 1;

	parse(&program, "machine cpus=2 slots=2 pages=4\n"
			"task A cpu=0: kmap p0; kunmap p0; flush\n"
			"task B cpu=1: kmap p1; write p1; check\n");
	cr_expect_eq(search_program(&program, &options, &seed, &result),
		     SEARCH_DONE);
	cr_expect_eq(sample.nr[CHOICE_DELAY], 1);
	cr_expect_gt(sample.late_answers, 0);
}

/* No bound: whatever a bounded search sees, and more. */
Test(search, no_bound_is_the_widest)
{
	static struct search_result bounded;
	static struct search_result unbounded;

	search(texts[0], 2, true, &bounded);
	search(texts[0], EXPLORE_UNBOUNDED, true, &unbounded);
	cr_expect_gt(unbounded.states, bounded.states);
}

/* What it finds it can tell: never more choices than a program holds. */
Test(search, a_run_deviates_no_more_than_a_program_holds)
{
	static struct search_result result;
	static struct program program;
	struct search_options options = {
		.strategy = SEARCH_RANDOM,
		.faults = CONTROLLED_ALL_FAULTS,
		.iterations = 1,
	};
	unsigned int most = 0;
	uint64_t seed = 3;
	const struct machine_config machine = { .nr_cpus = 4,
						.nr_slots = 2,
						.nr_colours = 1,
						.nr_pages = 6,
						.local_depth = 4 };

	program_generate(&program, &machine, 4, 80, &seed);
	for (unsigned int i = 0; i < 200; i++) {
		search_program(&program, &options, &seed, &result);
		if (result.run.nr_choices > most)
			most = result.run.nr_choices;
	}
	cr_expect_eq(most, PROGRAM_MAX_CHOICES, "%u", most);
}

Test(search, outcomes_grow_with_what_the_order_decides)
{
	static struct search_result result;

	search(texts[0], 1, true, &result);
	cr_expect_eq(result.deadlocks, 0);
	search(texts[3], 0, true, &result);
	cr_expect_gt(result.deadlocks, 0);
	cr_expect_gt(result.schedules, result.deadlocks);
}

/* A bound of one more never loses a schedule. */
Test(search, bounds_nest)
{
	static struct search_result narrow;
	static struct search_result wide;

	search(texts[0], 0, false, &narrow);
	search(texts[0], 1, false, &wide);
	cr_expect_lt(narrow.schedules, wide.schedules);
}

Test(search, the_same_seed_gives_the_same_search)
{
	static struct search_result first;
	static struct search_result second;
	static struct program program;
	const struct search_options options = {
		.strategy = SEARCH_PORTFOLIO,
		.faults = CONTROLLED_ALL_FAULTS,
		.depth = 3,
		.iterations = 200,
	};
	uint64_t one = 7;
	uint64_t two = 7;

	parse(&program, texts[2]);
	search_program(&program, &options, &one, &first);
	search_program(&program, &options, &two, &second);
	cr_expect_eq(first.steps, second.steps);
	cr_expect_eq(first.run.trace_hash, second.run.trace_hash);
	cr_expect_eq(one, two);
}

/* ---- Kinds of sentences ------------------------------------------------------------ */

Test(kind, numbers_and_tasks_do_not_matter)
{
	cr_expect(same_kind("slot 3 has count 2", "slot 0 has count 14"));
	cr_expect(same_kind("A reads 0x7a at 0xff", "B reads 0x1 at 0xfe"));
	cr_expect_not(same_kind("slot 3 has count 2", "page 3 has count 2"));
	cr_expect_not(same_kind("page fault", "page fault at 0x1000"));
	cr_expect_not(same_kind("kmap", "kunmap"));
}
