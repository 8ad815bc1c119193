/* SPDX-License-Identifier: MIT */
#include <highmem/format.h>

#include "stress/schedule/test_controlled.h"

/*
 * Each kind of choice at each step of a small program: whatever comes of it,
 * the oracle must be content, and the record must play again.
 */

static void play(void)
{
	const struct controlled_options options = {
		.faults = CONTROLLED_ALL_FAULTS,
	};

	controlled_run(&program, &options, &result);
}

/* What runs with one choice at one step came to. */
struct tally {
	unsigned int runs; /* in which the choice was offered */
	unsigned int with; /* and the statistic was not 0 */
	unsigned int without;
};

static struct tally try_each_step(const char *text, struct choice choice,
				  enum highmem_stat stat)
{
	struct tally tally = { 0 };
	uint32_t steps;

	parse(text);
	play();
	steps = result.steps;
	cr_assert_eq(result.exec.verdict, EXEC_OK, "%s", result.exec.sentence);
	for (choice.step = 1; choice.step <= steps; choice.step++) {
		program.nr_choices = 1;
		program.choices[0] = choice;
		play();
		cr_assert_eq(result.exec.verdict, EXEC_OK, "step %u: %s",
			     choice.step, result.exec.sentence);
		if (result.nr_unmatched > 0)
			continue;
		tally.runs++;
		tally.with += result.exec.stats[stat] > 0;
		tally.without += result.exec.stats[stat] == 0;
		cr_expect_eq(result.nr_choices, 1);
	}
	return tally;
}

/* ---- Signals ------------------------------------------------------------------- */

#define B_WAITS_KILLABLY \
	"machine cpus=2 slots=2\n" \
	"task A cpu=0: kmap p0; kmap p1\n" \
	"task B cpu=1: killable p2\n" \
	"task C cpu=1: kmap p3\n" \
	"A: kunmap p0; kunmap p1\n"

Test(controlled, a_signal_at_any_step)
{
	const struct choice cancel_b = { .kind = CHOICE_CANCEL, .arg = 1 };
	struct tally tally = try_each_step(B_WAITS_KILLABLY, cancel_b,
					   HM_STAT_KILLED);

	cr_expect_gt(tally.with, 10, "it gave up");
	cr_expect_gt(tally.without, 10, "or was served before");
}

/*
 * B is on its way out, has heard of the signal and not yet left the queue, when
 * A hands it a slot: cancel B, let it run for a few steps, and A goes on.
 */
Test(controlled, a_signal_and_a_slot_at_once)
{
	uint32_t steps;
	unsigned int served = 0;

	parse(B_WAITS_KILLABLY);
	play();
	steps = result.steps;
	for (uint32_t step = 1; step <= steps; step++) {
		for (uint32_t more = 1; more < 10; more++) {
			program.nr_choices = 3;
			program.choices[0] = (struct choice){ step,
							      CHOICE_CANCEL,
							      1 };
			program.choices[1] = (struct choice){ step, CHOICE_RUN,
							      1 };
			program.choices[2] = (struct choice){ step + more,
							      CHOICE_RUN, 0 };
			play();
			cr_assert_eq(result.exec.verdict, EXEC_OK,
				     "steps %u + %u: %s", step, more,
				     result.exec.sentence);
			served += result.nr_unmatched == 0 &&
				  result.exec.stats[HM_STAT_KILLED] == 0;
		}
	}
	cr_expect_gt(served, 0, "B kept what it was given");
}

Test(controlled, a_signal_is_for_those_who_can_be_killed)
{
	parse("machine cpus=2 slots=2\ntask A: kmap p0\ntask B cpu=1: kmap p1\n"
	      "choices v2: 5=A:cancel 6=B:cancel");
	play();
	cr_expect_eq(result.nr_unmatched, 2);
}

/* ---- Late answers to a shootdown ------------------------------------------------ */

Test(controlled, a_shootdown_is_answered_late)
{
	const struct choice delay = { .kind = CHOICE_DELAY };
	struct tally tally = try_each_step(
		"machine cpus=3 slots=2\n"
		"task A cpu=0: kmap p0; kunmap p0; kmap p1; kunmap p1; kmap p2\n"
		"task B cpu=1: kmap p0; check; kunmap p0; local p1; check\n"
		"task C cpu=2: kmap p0; check; kunmap p0; flush; check\n",
		delay, HM_STAT_FLUSH);

	cr_expect_gt(tally.runs, 1, "%u", tally.runs);
}

/* ---- A TLB that forgets --------------------------------------------------------- */

Test(controlled, a_tlb_forgets_at_any_step)
{
	const struct choice drop = { .kind = CHOICE_DROP, .arg = 1 };
	struct tally tally = try_each_step(
		"machine cpus=2 slots=2\n"
		"task A cpu=0: kmap p0; write p0; kunmap p0; kmap p1\n"
		"task B cpu=1: kmap p0; local p2; write p2; check; flush; check\n",
		drop, HM_STAT_FLUSH);

	cr_expect_gt(tally.runs, 40, "%u", tally.runs);
}

/* Its TLB is what it comes back with, and that is not asked about before. */
Test(controlled, a_cpu_that_is_offline_forgets_nothing)
{
	for (unsigned int gone = 0; gone < 2; gone++) {
		parse(gone ? "machine cpus=2\ntask A: kmap p0; kunmap p0\n"
			     "choices v2: 11=offline:1 13=drop:1"
			   : "machine cpus=2\ntask A: kmap p0; kunmap p0\n"
			     "choices v2: 13=drop:1");
		play();
		cr_expect_eq(result.nr_choices, 1);
		cr_expect_eq(result.nr_unmatched, gone);
	}
}

/* ---- A boot without memory -------------------------------------------------------- */

/* The first boot is refused, and the program runs on the second as on a first. */
static void expect_refused(struct choice choice)
{
	const uint64_t hash = result.trace_hash;
	const uint64_t outcome = result.exec.outcome;

	program.nr_choices = 1;
	program.choices[0] = choice;
	play();
	cr_assert_eq(result.exec.verdict, EXEC_REFUSED, "%s",
		     result.exec.sentence);
	cr_expect_str_eq(result.exec.sentence,
			 "refused at boot: no memory for a page table");
	cr_expect_eq(result.nr_unmatched, 0);
	cr_assert_eq(result.nr_choices, 1);
	cr_expect_eq(result.choices[0].kind, choice.kind);
	cr_expect_eq(result.choices[0].arg, choice.arg);
	cr_expect_eq(result.exec.outcome, outcome);
	cr_expect_neq(result.trace_hash, hash);
}

static void expect_sound_without_choices(void)
{
	program.nr_choices = 0;
	play();
	cr_assert_eq(result.exec.verdict, EXEC_OK, "%s", result.exec.sentence);
}

Test(controlled, any_allocation_of_the_boot_fails)
{
	static const char *const texts[] = {
		"machine cpus=2 slots=2\ntask A: kmap p0; write p0\n",
		"machine slots=2 pae=yes\ntask A: kmap p0; local p1; check\n",
	};

	for (unsigned int pae = 0; pae < 2; pae++) {
		unsigned int nr_allocs;

		parse(texts[pae]);
		nr_allocs = program_nr_allocs(&program.machine);
		for (unsigned int nr = 0; nr < nr_allocs; nr++) {
			struct choice choice = { 0, CHOICE_ALLOC, (uint8_t)nr };

			expect_sound_without_choices();
			expect_refused(choice);
			choice.kind = CHOICE_ALLOC_ON;
			expect_sound_without_choices();
			expect_refused(choice);
		}
		program.choices[0] = (struct choice){ 0, CHOICE_ALLOC,
						      (uint8_t)nr_allocs };
		play();
		cr_expect_eq(result.exec.verdict, EXEC_OK);
		cr_expect_eq(result.nr_unmatched, 1);
	}
}

/* Without its class it is not asked about. */
Test(controlled, a_boot_has_memory_without_the_fault)
{
	const struct controlled_options options = { .faults = 0 };

	parse("machine\ntask A: kmap p0\nchoices v2: 0=alloc:1");
	controlled_run(&program, &options, &result);
	cr_expect_eq(result.exec.verdict, EXEC_OK);
	cr_expect_eq(result.nr_unmatched, 1);
}

/* ---- A full record --------------------------------------------------------------- */

static unsigned int always_the_last(void *arg, uint32_t step,
				    enum sim_question question,
				    const uint8_t *options, unsigned int nr)
{
	(void)arg;
	(void)step;
	(void)question;
	(void)options;
	return nr - 1;
}

Test(controlled, what_is_recorded_replays_however_long_it_was)
{
	const struct controlled_options options = {
		.choose = always_the_last,
		.faults = FAULT_MIGRATE,
	};
	uint64_t hash;

	parse("machine cpus=3 slots=2\ntask A: kmap p0; check; kunmap p0\n"
	      "task B: kmap p0; check; kunmap p0\n");
	for (unsigned int i = 0; i < 40; i++, program.nr_ops += 6)
		memcpy(&program.ops[program.nr_ops], program.ops,
		       6 * sizeof(program.ops[0]));
	controlled_run(&program, &options, &result);
	cr_assert_eq(result.nr_choices, PROGRAM_MAX_CHOICES);
	hash = result.trace_hash;
	controlled_record(&program, &result);
	play();
	cr_expect_eq(result.nr_unmatched, 0);
	cr_expect_eq(result.trace_hash, hash);
}

/* A run that turned calm does so again, at the same step, from its text. */
Test(controlled, a_program_says_where_it_turns_calm)
{
	struct controlled_options options = {
		.choose = always_the_last,
		.faults = FAULT_MIGRATE,
		.max_steps = 23,
	};
	static char text[4096];
	uint64_t hash;

	parse("machine cpus=3 slots=2\ntask A: kmap p0; check; kunmap p0\n"
	      "task B: kmap p0; check; kunmap p0\ncalm after 99\n");
	controlled_run(&program, &options, &result);
	cr_expect_eq(result.calm_since, 24, "%u", result.calm_since);
	hash = result.trace_hash;
	controlled_record(&program, &result);
	program_print(&program, text, sizeof(text));
	parse(text);
	play();
	cr_expect_eq(result.calm_since, 24, "%u", result.calm_since);
	cr_expect_eq(result.trace_hash, hash);
	options.max_steps = 0;
	controlled_run(&program, &options, &result);
	cr_expect_eq(result.trace_hash, hash);
	controlled_record(&program, &result);
	cr_expect_eq(program.calm_after, 23);
}

/* ---- Migration ----------------------------------------------------------------- */

Test(controlled, a_task_moves_at_any_step)
{
	const struct choice migrate = { .kind = CHOICE_MIGRATE, .arg = 1 };
	struct tally tally = try_each_step(
		"machine cpus=2 slots=2\n"
		"task A cpu=0: kmap p0; local p1; check; unlocal; kmap p2; "
		"write p2; kunmap p0; kunmap p2; local p3; check\n"
		"task B cpu=1: kmap p1; local p0; check; unlocal; kunmap p1\n",
		migrate, HM_STAT_HIT);

	cr_expect_gt(tally.runs, 20, "%u", tally.runs);
}

static unsigned int moves_of(const char *text)
{
	const struct choice migrate = { .kind = CHOICE_MIGRATE, .arg = 1 };

	return try_each_step(text, migrate, HM_STAT_HIT).runs;
}

/* Each map more is as many steps at which it cannot. */
Test(controlled, a_task_with_a_local_map_stays)
{
	unsigned int with_none = moves_of(
		"machine cpus=2\ntask A: yield; yield; "
		"local p0; unlocal");
	unsigned int with_one = moves_of("machine cpus=2\ntask A: local p0; "
					 "check; check; check; unlocal");

	cr_expect_leq(with_one, with_none, "%u and %u", with_one, with_none);
	cr_expect_gt(with_one, 0);
}

/* ---- CPUs that come and go ------------------------------------------------------ */

/* Gone at step @from and back at step @to; could it be? */
static bool gone_between(unsigned int cpu, uint32_t from, uint32_t to)
{
	const uint8_t arg = (uint8_t)cpu;

	program.nr_choices = 2;
	program.choices[0] = (struct choice){ from, CHOICE_OFFLINE, arg };
	program.choices[1] = (struct choice){ to, CHOICE_ONLINE, arg };
	play();
	cr_assert_eq(result.exec.verdict, EXEC_OK, "CPU %u, %u to %u: %s", cpu,
		     from, to, result.exec.sentence);
	return result.nr_unmatched == 0;
}

Test(controlled, a_cpu_goes_at_any_step_and_comes_back)
{
	unsigned int gone[2] = { 0 };
	uint32_t steps;

	parse("machine cpus=2 slots=2\n"
	      "task A cpu=0: kmap p0; check; kunmap p0; kmap p1; kmap p2\n"
	      "task B cpu=1: kmap p0; local p1; check; unlocal; kunmap p0\n"
	      "irq I cpu=1: local p3; check\nB: raise I; flush; kmap p3\n"
	      "A: kunmap p1; kunmap p2\n");
	play();
	steps = result.steps;
	for (uint32_t i = 1; i <= steps; i++)
		for (uint32_t j = i + 1; j < i + 20; j++)
			for (unsigned int cpu = 0; cpu < 2; cpu++)
				gone[cpu] += gone_between(cpu, i, j);
	cr_expect_gt(gone[0], 250, "%u", gone[0]);
	cr_expect_gt(gone[1], 250, "%u", gone[1]);
}

/* ---- Interrupts in interrupts -------------------------------------------------- */

#define TWO_HANDLERS(nested) \
	"machine cpus=1 slots=2 depth=8 nested=" nested "\n" \
	"task A: local p0; check; kmap p1\n" \
	"irq I: local p1; get p1; local p2; check; unlocal\n" \
	"irq J: local p3; check; kunmap p1\n"

/* I at every step, and J at every step after; how many J came inside of I? */
static unsigned int nest(const char *text)
{
	unsigned int both = 0;
	uint32_t steps;

	parse(text);
	play();
	steps = result.steps;
	for (uint32_t i = 1; i <= steps; i++) {
		for (uint32_t j = i; j < i + 20; j++) {
			program.nr_choices = 2;
			program.choices[0] = (struct choice){ i, CHOICE_IRQ,
							      0 };
			program.choices[1] = (struct choice){ j, CHOICE_IRQ,
							      1 };
			play();
			cr_assert_eq(result.exec.verdict, EXEC_OK, "%u %u: %s",
				     i, j, result.exec.sentence);
			both += result.nr_unmatched == 0;
		}
	}
	return both;
}

Test(controlled, an_interrupt_in_an_interrupt)
{
	unsigned int without = nest(TWO_HANDLERS("no"));
	unsigned int with = nest(TWO_HANDLERS("yes"));

	cr_expect_gt(with, 2 * without, "%u and %u", with, without);
}

/* ---- Classes of faults --------------------------------------------------------- */

Test(faults, names_and_bits)
{
	uint32_t faults = 0;

	for (unsigned int i = 0; i < CONTROLLED_NR_FAULTS; i++) {
		cr_expect(controlled_faults_parse(controlled_fault_name(i),
						  &faults));
		cr_expect_eq(faults, 1U << i);
	}
	cr_expect(controlled_faults_parse("all", &faults));
	cr_expect_eq(faults, CONTROLLED_ALL_FAULTS);
	cr_expect(controlled_faults_parse("none", &faults));
	cr_expect_eq(faults, 0);
	cr_expect(controlled_faults_parse("tso,irq,tso", &faults));
	cr_expect_eq(faults, FAULT_IRQ | FAULT_TSO);
}

Test(faults, what_is_none)
{
	static const char *const texts[] = {
		"",	    ",",    "irq,", ",irq",    "rain",
		"irq,rain", "irqs", "ir",   "all,irq", "irq tso",
	};
	uint32_t faults;

	for (unsigned int i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_not(controlled_faults_parse(texts[i], &faults), "%s",
			      texts[i]);
}

Test(faults, those_that_a_program_needs)
{
	static const struct {
		const char *choice;
		uint32_t faults;
	} cases[] = {
		{ "A", 0 },
		{ "A:timeout", FAULT_TIMEOUT },
		{ "A:spurious", FAULT_SPURIOUS },
		{ "A:cancel", FAULT_CANCEL },
		{ "irq:I", FAULT_IRQ },
		{ "hold", FAULT_TSO },
		{ "migrate:0", FAULT_MIGRATE },
		{ "delay", FAULT_IPI },
		{ "drop:0", FAULT_TLB },
		{ "alloc:1", FAULT_OOM },
		{ "alloc:1:on", FAULT_OOM },
		{ "offline:0", FAULT_HOTPLUG },
		{ "online:0", FAULT_HOTPLUG },
	};
	char text[64];

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hm_format(text, sizeof(text),
			  "machine\ntask A\nirq I\nchoices v2: %u=%s",
			  cases[i].faults != FAULT_OOM, cases[i].choice);
		parse(text);
		cr_expect_eq(controlled_faults_of(&program), cases[i].faults,
			     "%s", text);
	}
}

/* ---- Misuses ------------------------------------------------------------------- */

/* One kunmap too many at each step of others' operations: it is always told. */
Test(misuse, in_the_middle_of_others)
{
	struct choice choice = { .kind = CHOICE_RUN, .arg = 1 };
	struct tally tally;

	tally = try_each_step("machine cpus=2 slots=2\n"
			      "task A: kmap p0; kmap p1; kunmap p0; kmap p2\n"
			      "A: flush; kunmap p1; get p1\n"
			      "task B cpu=1: kunmap p3\n",
			      choice, HM_STAT_MISUSE);
	cr_expect_gt(tally.runs, 30, "%u", tally.runs);
	cr_expect_eq(tally.without, 0, "%u", tally.without);
}

/* But not of a page that somebody uses, or is about to. */
Test(misuse, of_what_another_maps)
{
	struct choice choice = { .kind = CHOICE_RUN, .arg = 1 };
	struct tally tally;

	tally = try_each_step("machine cpus=2 slots=2\n"
			      "task A: kmap p0; check; kunmap p0; get p0\n"
			      "task B cpu=1: kunmap p0\n",
			      choice, HM_STAT_MISUSE);
	cr_expect_gt(tally.with, 0);
	cr_expect_gt(tally.without, tally.with);
}
