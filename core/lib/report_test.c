/* SPDX-License-Identifier: MIT */
#include "core/lib/test_machine.h"

Test(report, a_misuse_is_a_sentence_and_is_counted)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	hm_misuse(hm, "page %u of task %u", 3, 4);
	hm_misuse(hm, "again");
	EXPECT_BUG("highmem: BUG: page 3 of task 4");
	EXPECT_BUG("highmem: BUG: again");
	EXPECT_BUG("");
	EXPECT_STAT(hm, MISUSE, 2);
}

Test(report, a_sentence_that_is_too_long_is_cut)
{
	struct highmem *hm = boot((struct machine_config){ 0 });
	char text[301];

	memset(text, 'x', 300);
	text[300] = '\0';
	hm_misuse(hm, "%s", text);
	cr_expect_eq(strlen(take_bug()), 191);
}

Test(report, a_check_names_its_file_and_condition)
{
	unsigned int two = 2;

	boot((struct machine_config){ 0 });
	HM_CHECK(two == 2);
	EXPECT_BUG("");
	EXPECT_PANIC(HM_CHECK(two == 3), "core/lib/report_test.c", "two == 3");
}

static unsigned int evaluated;

static bool evaluate(void)
{
	evaluated++;
	return false;
}

Test(report, a_tier_that_is_off_does_not_run_its_condition)
{
	boot((struct machine_config){ 0 });
	HM_OFF(evaluate());
	cr_expect_eq(evaluated, 0);
	EXPECT_PANIC(HM_CHECK(evaluate()), "core/lib/report_test.c",
		     "evaluate()");
	cr_expect_eq(evaluated, 1);
}
