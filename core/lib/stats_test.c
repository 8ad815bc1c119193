/* SPDX-License-Identifier: MIT */
#include "core/lib/test_machine.h"

Test(stats, all_are_zero_after_boot)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	for (unsigned int s = 0; s < HM_NR_STATS; s++)
		cr_expect_eq(highmem_stat(hm, (enum highmem_stat)s), 0);
}

Test(stats, a_second_boot_begins_at_zero)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	touch(hm, high(hm, 0));
	EXPECT_STAT(hm, MISS, 1);
	machine_shutdown();
	hm = boot((struct machine_config){ 0 });
	EXPECT_STAT(hm, MISS, 0);
}

Test(stats, counting_one_leaves_the_others)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	hm_count(hm, HM_STAT_WAIT);
	hm_count(hm, HM_STAT_WAIT);
	for (unsigned int s = 0; s < HM_NR_STATS; s++)
		cr_expect_eq(highmem_stat(hm, (enum highmem_stat)s),
			     s == HM_STAT_WAIT ? 2 : 0);
}

static void count_one(void *hm)
{
	hm_count(hm, HM_STAT_MISUSE);
}

Test(stats, the_sum_is_over_all_cpus_and_wraps)
{
	struct highmem *hm = boot((struct machine_config){ .nr_cpus = 8 });

	for (unsigned int cpu = 0; cpu < 8; cpu++)
		machine_spawn(cpu, count_one, hm);
	cr_assert_eq(machine_run(), MACHINE_DONE);
	EXPECT_STAT(hm, MISUSE, 8);
	for (unsigned int cpu = 0; cpu < 8; cpu++)
		cr_expect_eq(
			port_stat_read(&hm->stats[cpu].stat[HM_STAT_MISUSE]),
			1);
	port_stat_set(&hm->stats[3].stat[HM_STAT_MISUSE], UINT32_MAX);
	EXPECT_STAT(hm, MISUSE, 6);
}

Test(stats, counting_leaves_preemption_as_it_was)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	hm_count(hm, HM_STAT_HIT);
	cr_expect(port_may_sleep());
	port_preempt_disable();
	hm_count(hm, HM_STAT_HIT);
	cr_expect_not(port_may_sleep());
	port_preempt_enable();
	cr_expect(port_may_sleep());
	EXPECT_BUG("");
}

/* The counters end where the last CPU's end. */
Test(stats, what_lies_behind_is_not_counted)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	memset(hm->why, 0xff, sizeof(hm->why));
	EXPECT_STAT(hm, HIT, 0);
}

Test(stats, names)
{
	static const char *const names[] = {
		"hit",	      "miss",	"probe",    "flush",  "retired",
		"full_flush", "wait",	"handover", "share",  "wakeup",
		"timeout",    "killed", "local",    "misuse",
	};

	cr_assert_eq(sizeof(names) / sizeof(names[0]), HM_NR_STATS);
	for (unsigned int s = 0; s < HM_NR_STATS; s++)
		cr_expect_str_eq(highmem_stat_name((enum highmem_stat)s),
				 names[s]);
}

Test(stats, a_number_that_is_none_of_them_is_reported)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	/* Lands in the next CPU's first counter: inside struct highmem. */
	EXPECT_PANIC(hm_count(hm, HM_NR_STATS), "core/lib/stats.c",
		     "which < HM_NR_STATS");
}
