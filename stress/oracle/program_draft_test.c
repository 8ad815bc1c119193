/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "stress/oracle/exec.h"
#include "stress/program/program.h"

#define NR_DRAFTS 2000

static struct program program;
static struct exec_result result;

/* In how many of the drafts something happened, one operation at a time. */
static struct {
	unsigned int waited;
	unsigned int two_waited;
	unsigned int colours_waited;
	unsigned int shared;
	unsigned int handed_over;
	unsigned int gave_up;
	unsigned int full_flush;
	unsigned int deadlocked;
	unsigned int interrupted;
} seen;

static void run_draft(uint64_t *seed)
{
	const struct exec_options options = { .look = LOOK_AT_CHANGES };

	program_draft(&program, 3, 10, seed);
	cr_assert_null(machine_can(&program.machine));
	exec_program(&program, &options, &result);
	cr_assert_neq(result.verdict, EXEC_BUG, "%s", result.sentence);
}

static void count_what_happened(void)
{
	const uint32_t *stats = result.stats;

	seen.waited += stats[HM_STAT_WAIT] > 0;
	seen.two_waited += stats[HM_STAT_WAIT] > 1;
	seen.colours_waited += stats[HM_STAT_WAIT] > 0 &&
			       program.machine.nr_colours > 1;
	seen.shared += stats[HM_STAT_SHARE] > 0;
	seen.handed_over += stats[HM_STAT_HANDOVER] > 0;
	seen.gave_up += stats[HM_STAT_KILLED] + stats[HM_STAT_TIMEOUT] > 0;
	seen.full_flush += stats[HM_STAT_FULL_FLUSH] > 0;
	seen.deadlocked += result.verdict == EXEC_DEADLOCK;
	seen.interrupted += program.nr_irqs > 0;
}

/* Few programs drawn by weights alone get anywhere near. */
Test(program_draft, tasks_get_in_each_others_way)
{
	uint64_t seed = 1;

	for (unsigned int i = 0; i < NR_DRAFTS; i++) {
		run_draft(&seed);
		count_what_happened();
	}
	cr_expect_gt(seen.waited, NR_DRAFTS / 4, "%u", seen.waited);
	cr_expect_gt(seen.two_waited, NR_DRAFTS / 10, "%u", seen.two_waited);
	cr_expect_gt(seen.colours_waited, NR_DRAFTS / 16, "%u",
		     seen.colours_waited);
	cr_expect_gt(seen.shared, NR_DRAFTS / 100, "%u", seen.shared);
	cr_expect_gt(seen.handed_over, NR_DRAFTS / 5, "%u", seen.handed_over);
	cr_expect_gt(seen.gave_up, NR_DRAFTS / 100, "%u", seen.gave_up);
	cr_expect_gt(seen.full_flush, NR_DRAFTS / 100, "%u", seen.full_flush);
	cr_expect_gt(seen.interrupted, NR_DRAFTS / 5, "%u", seen.interrupted);
	cr_expect_lt(seen.deadlocked, NR_DRAFTS / 10, "%u", seen.deadlocked);
}

Test(program_draft, is_a_program)
{
	static uint8_t bytes[PROGRAM_MAX_BYTES], again[PROGRAM_MAX_BYTES];
	uint64_t seed = 2;

	for (unsigned int i = 0; i < NR_DRAFTS; i++) {
		size_t len;

		program_draft(&program, 1 + i % PROGRAM_MAX_TASKS, i % 13,
			      &seed);
		cr_expect_leq(program.nr_ops, i % 13 + 3 * PROGRAM_MAX_IRQS);
		len = program_encode(&program, bytes, sizeof(bytes));
		cr_assert(program_decode(&program, bytes, len));
		cr_assert_eq(program_encode(&program, again, sizeof(again)),
			     len);
		cr_assert_arr_eq(bytes, again, len);
	}
}
