/* SPDX-License-Identifier: MIT */
#include "stress/oracle/test_run.h"

#include "core/build/prng.h"

/* Programs that are fine, and what each operation does. */

#define EXPECT_STORY(text, lines) \
	do { \
		cr_expect_eq(run(text, NULL), EXEC_OK, "%s", result.sentence); \
		cr_expect_str_eq(story, lines); \
	} while (0)

/* ---- Each kind of operation --------------------------------------------------- */

Test(exec, kmap_and_kunmap)
{
	EXPECT_STORY("machine\ntask A: kmap p0; kmap p0; kunmap p0; kunmap p0",
		     "A: kmap p0 -> ok\nA: kmap p0 -> ok\n"
		     "A: kunmap p0 -> ok\nA: kunmap p0 -> ok\n");
	cr_expect_eq(result.stats[HM_STAT_HIT], 1);
	cr_expect_eq(result.stats[HM_STAT_MISS], 1);
	cr_expect_eq(result.nr_performed, 4);
	cr_expect_eq(result.nr_skipped, 0);
}

Test(exec, kunmap_of_what_nobody_maps_is_a_misuse)
{
	EXPECT_STORY("machine\ntask A: kunmap p0; kunmap l0",
		     "A: kunmap p0 -> reported and refused\n"
		     "A: kunmap l0 -> skipped\n");
	cr_expect_eq(result.stats[HM_STAT_MISUSE], 1);
	cr_expect_eq(result.nr_performed, 1);
	cr_expect_eq(result.nr_skipped, 1);
}

Test(exec, kunmap_of_what_another_maps_is_skipped)
{
	EXPECT_STORY("machine\ntask A: kmap p0\ntask B: kunmap p0\n"
		     "A: kunmap p0\n",
		     "A: kmap p0 -> ok\nB: kunmap p0 -> skipped\n"
		     "A: kunmap p0 -> ok\n");
}

Test(exec, try)
{
	EXPECT_STORY("machine slots=2\ntask A: try p0; try p1; try p2; try l1",
		     "A: try p0 -> ok\nA: try p1 -> ok\nA: try p2 -> no\n"
		     "A: try l1 -> ok\n");
}

Test(exec, timeout)
{
	EXPECT_STORY("machine slots=2\ntask A: timeout p0; timeout p1; "
		     "timeout p2",
		     "A: timeout p0 -> ok\nA: timeout p1 -> ok\n"
		     "A: timeout p2 -> no\n");
	cr_expect_eq(result.stats[HM_STAT_TIMEOUT], 1);
}

Test(exec, killable)
{
	EXPECT_STORY("machine slots=2\ntask A: killable p0; killable p1\n"
		     "task B: killable p2\nA: cancel B; cancel A\n"
		     "B: killable p2; kunmap p2\nA: killable p3; kunmap p0\n",
		     "A: killable p0 -> ok\nA: killable p1 -> ok\n"
		     "A: cancel B -> ok\nB: killable p2 -> no\n"
		     "A: cancel A -> ok\nA: killable p3 -> no\n"
		     "A: kunmap p0 -> ok\nB: killable p2 -> ok\n"
		     "B: kunmap p2 -> ok\n");
	cr_expect_eq(result.stats[HM_STAT_KILLED], 2);
	cr_expect_eq(result.stats[HM_STAT_TIMEOUT], 0);
}

Test(exec, get)
{
	EXPECT_STORY("machine\ntask A: get p0; kmap p0; get p0; kunmap p0; "
		     "kunmap p0; get p0; get l0",
		     "A: get p0 -> no\nA: kmap p0 -> ok\nA: get p0 -> ok\n"
		     "A: kunmap p0 -> ok\nA: kunmap p0 -> ok\n"
		     "A: get p0 -> ok\nA: get l0 -> no\n");
}

Test(exec, local_and_unlocal)
{
	EXPECT_STORY("machine depth=2\ntask A: unlocal; local p0; local l0; "
		     "local p1; local p2; unlocal; unlocal; unlocal",
		     "A: unlocal -> skipped\nA: local p0 -> ok\n"
		     "A: local l0 -> ok\nA: local p1 -> ok\n"
		     "A: local p2 -> reported and refused\n"
		     "A: unlocal -> ok\nA: unlocal -> ok\nA: unlocal -> ok\n");
	cr_expect_eq(result.stats[HM_STAT_LOCAL], 2);
}

Test(exec, local_of_lowmem_takes_a_window_if_forced)
{
	EXPECT_STORY("machine depth=1 force=yes\ntask A: local l0; local l1",
		     "A: local l0 -> ok\nA: local l1 -> reported and refused\n");
}

Test(exec, atomic_forbids_to_sleep)
{
	EXPECT_STORY("machine\ntask A: atomic p0; kmap p1; try p1; timeout p1; "
		     "flush; get p1; unlocal; kmap p1",
		     "A: atomic p0 -> ok\n"
		     "A: kmap p1 -> reported and refused\n"
		     "A: try p1 -> reported and refused\n"
		     "A: timeout p1 -> reported and refused\n"
		     "A: flush -> reported and refused\nA: get p1 -> no\n"
		     "A: unlocal -> ok\nA: kmap p1 -> ok\n");
}

Test(exec, a_handler_raises_another_if_interrupts_nest)
{
	static const char text[] =
		"irq I\nirq J\nI: local p0; raise I; raise J; unlocal\n"
		"J: local p1; raise I; check\n"
		"task A: local p2; raise I; check; unlocal\n";
	char program_text[256];

	hm_format(program_text, sizeof(program_text), "machine nested=yes\n%s",
		  text);
	EXPECT_STORY(program_text,
		     "A: local p2 -> ok\nI: local p0 -> ok\n"
		     "I: raise I -> skipped\nJ: local p1 -> ok\n"
		     "J: raise I -> skipped\nJ: check -> ok\n"
		     "I: raise J -> ok\nI: unlocal -> ok\nA: raise I -> ok\n"
		     "A: check -> ok\nA: unlocal -> ok\n");
	cr_expect_eq(result.stats[HM_STAT_LOCAL], 3);
	hm_format(program_text, sizeof(program_text), "machine\n%s", text);
	EXPECT_STORY(program_text,
		     "A: local p2 -> ok\nI: local p0 -> ok\n"
		     "I: raise I -> skipped\nI: raise J -> skipped\n"
		     "I: unlocal -> ok\nA: raise I -> ok\n"
		     "A: check -> ok\nA: unlocal -> ok\n");
}

Test(exec, misorder)
{
	EXPECT_STORY("machine\ntask A: misorder; local p0; misorder; local p1; "
		     "misorder; unlocal; unlocal; local l0; local p0; misorder",
		     "A: misorder -> skipped\nA: local p0 -> ok\n"
		     "A: misorder -> skipped\nA: local p1 -> ok\n"
		     "A: misorder -> reported and refused\n"
		     "A: unlocal -> ok\nA: unlocal -> ok\n"
		     "A: local l0 -> ok\nA: local p0 -> ok\n"
		     "A: misorder -> skipped\n");
}

Test(exec, write_and_check)
{
	EXPECT_STORY("machine\ntask A: write p0; kmap p0; write p0; local p0; "
		     "check; local p1; write p1; write l0; check",
		     "A: write p0 -> skipped\nA: kmap p0 -> ok\n"
		     "A: write p0 -> ok\nA: local p0 -> ok\nA: check -> ok\n"
		     "A: local p1 -> ok\nA: write p1 -> ok\n"
		     "A: write l0 -> skipped\nA: check -> ok\n");
}

Test(exec, flush)
{
	EXPECT_STORY("machine\ntask A: kmap p0; kunmap p0; flush; get p0",
		     "A: kmap p0 -> ok\nA: kunmap p0 -> ok\nA: flush -> ok\n"
		     "A: get p0 -> no\n");
	cr_expect_eq(result.stats[HM_STAT_FLUSH], 1);
}

Test(exec, raise)
{
	EXPECT_STORY("machine cpus=2\ntask A cpu=0\nirq I cpu=0\n"
		     "irq J cpu=1: check\n"
		     "I: local p1; kmap p2; write p1; raise I\n"
		     "A: local p0; raise I; raise J; unlocal",
		     "A: local p0 -> ok\nI: local p1 -> ok\n"
		     "I: kmap p2 -> reported and refused\n"
		     "I: write p1 -> ok\nI: raise I -> skipped\n"
		     "A: raise I -> ok\nA: raise J -> skipped\n"
		     "A: unlocal -> ok\n");
}

Test(exec, a_handlers_maps_are_on_top_of_the_tasks)
{
	EXPECT_STORY("machine depth=2\ntask A\nirq I: local p1; local p2\n"
		     "A: local p0; raise I; local p1",
		     "A: local p0 -> ok\nI: local p1 -> ok\n"
		     "I: local p2 -> reported and refused\nA: raise I -> ok\n"
		     "A: local p1 -> ok\n");
}

Test(exec, yield)
{
	EXPECT_STORY("machine\ntask A: yield; yield",
		     "A: yield -> ok\nA: yield -> ok\n");
}

/* ---- Tasks ------------------------------------------------------------------------ */

Test(exec, operations_run_in_the_order_of_the_text)
{
	EXPECT_STORY("machine cpus=2\ntask A cpu=0: kmap p0\n"
		     "task B cpu=1: kmap p1\nA: kunmap p0; kmap p1\n"
		     "B: kunmap p1\nA: kunmap p1",
		     "A: kmap p0 -> ok\nB: kmap p1 -> ok\nA: kunmap p0 -> ok\n"
		     "A: kmap p1 -> ok\nB: kunmap p1 -> ok\n"
		     "A: kunmap p1 -> ok\n");
}

/* B is told when it is done: after the kunmap that served it. */
Test(exec, a_task_that_waits_is_overtaken)
{
	EXPECT_STORY("machine slots=2\ntask A: kmap p0; kmap p1\n"
		     "task B: kmap p2; yield\nA: kunmap p0; kunmap p1",
		     "A: kmap p0 -> ok\nA: kmap p1 -> ok\nA: kunmap p0 -> ok\n"
		     "B: kmap p2 -> ok\nB: yield -> ok\nA: kunmap p1 -> ok\n");
	cr_expect_eq(result.stats[HM_STAT_WAIT], 1);
	cr_expect_eq(result.stats[HM_STAT_HANDOVER], 1);
}

Test(exec, a_task_gives_back_what_it_holds_at_its_end)
{
	EXPECT_STORY("machine slots=2\ntask A: kmap p0; kmap p1; local p2; "
		     "atomic p3\ntask B: kmap p2",
		     "A: kmap p0 -> ok\nA: kmap p1 -> ok\nA: local p2 -> ok\n"
		     "A: atomic p3 -> ok\nB: kmap p2 -> ok\n");
}

Test(exec, rounds)
{
	static const char text[] = "machine\ntask A: kmap p0; local p1";
	port_stat_t progress[PROGRAM_MAX_TASKS] = { { 0 } };
	const struct exec_options options = {
		.repeat = 5,
		.progress = progress,
	};
	struct program_error error;

	cr_assert(program_parse(&program, text, strlen(text), &error));
	exec_program(&program, &options, &result);
	cr_expect_eq(result.verdict, EXEC_OK, "%s", result.sentence);
	cr_expect_eq(result.nr_performed, 10);
	cr_expect_eq(result.stats[HM_STAT_MISS], 1);
	cr_expect_eq(result.stats[HM_STAT_HIT], 4);
	cr_expect_eq(port_stat_read(&progress[0]), 10);
	cr_expect_eq(port_stat_read(&progress[1]), 0);
}

/* ---- Deadlock of the program itself ---------------------------------------------- */

Test(exec, a_deadlock_of_the_program_is_named_as_such)
{
	cr_expect_eq(run("machine cpus=2 slots=2\n"
			 "task A cpu=0: kmap p0\ntask B cpu=1: kmap p1\n"
			 "A: kmap p2\nB: kmap p3",
			 NULL),
		     EXEC_DEADLOCK);
	cr_expect_str_eq(result.sentence,
			 "deadlock of the program: every slot is held by a "
			 "task that waits for one; A waits for p2");
}

Test(exec, one_task_can_deadlock_alone)
{
	cr_expect_eq(run("machine slots=2\ntask A: kmap p0; kmap p1; kmap p2",
			 NULL),
		     EXEC_DEADLOCK);
}

Test(exec, a_run_after_a_deadlock_is_not_affected)
{
	run("machine slots=2\ntask A: kmap p0; kmap p1; kmap p2", NULL);
	EXPECT_STORY("machine slots=2\ntask A: kmap p0; kmap p1",
		     "A: kmap p0 -> ok\nA: kmap p1 -> ok\n");
}

/* ---- Random programs ----------------------------------------------------------------- */

/* On the healthy core every program is fine, or deadlocks by its own fault. */
static unsigned int run_random(uint64_t *seed, unsigned int nr_tasks,
			       unsigned int *deadlocks)
{
	static const struct exec_options options = { .repeat = 0 };
	uint64_t before = *seed;
	uint8_t bytes[PROGRAM_HEADER_BYTES];
	struct machine_config machine;

	for (unsigned int b = 0; b < sizeof(bytes); b++)
		bytes[b] = (uint8_t)prng_next(seed);
	bytes[1] %= 4; /* few slots, so that tasks wait */
	bytes[2] = 3 + bytes[2] % 6;
	program_decode(&program, bytes, sizeof(bytes));
	machine = program.machine;
	program_generate(&program, &machine, nr_tasks, 4 + prng_below(seed, 12),
			 seed);
	exec_program(&program, &options, &result);
	*deadlocks += result.verdict == EXEC_DEADLOCK;
	if (result.verdict != EXEC_BUG)
		return 0;
	cr_log_error("seed %llu: %s\n", (unsigned long long)before,
		     result.sentence);
	return 1;
}

#define NR_RANDOM 5000

Test(exec_random, twenty_thousand_programs)
{
	uint64_t seed = 20240607;
	unsigned int bugs = 0;

	for (unsigned int tasks = 1; tasks <= PROGRAM_MAX_TASKS; tasks++) {
		unsigned int deadlocks = 0;

		for (unsigned int i = 0; i < NR_RANDOM && bugs < 5; i++)
			bugs += run_random(&seed, tasks, &deadlocks);
		/* Neither none nor most: else they would say little. */
		cr_expect_gt(deadlocks, NR_RANDOM / 1000, "%u tasks: %u", tasks,
			     deadlocks);
		cr_expect_lt(deadlocks, NR_RANDOM / 2, "%u tasks: %u", tasks,
			     deadlocks);
	}
	cr_expect_eq(bugs, 0);
}

/* The same for any bytes at all. */
Test(exec_random, any_bytes)
{
	static const struct exec_options options = { .repeat = 0 };
	uint64_t seed = 99;
	unsigned int bugs = 0;

	for (unsigned int i = 0; i < 5000; i++) {
		uint8_t bytes[90];

		for (unsigned int b = 0; b < sizeof(bytes); b++)
			bytes[b] = (uint8_t)prng_next(&seed);
		program_decode(&program, bytes, prng_below(&seed, 91));
		exec_program(&program, &options, &result);
		bugs += result.verdict == EXEC_BUG;
	}
	cr_expect_eq(bugs, 0);
}
