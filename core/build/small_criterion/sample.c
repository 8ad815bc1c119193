/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <unistd.h>

/* One test of each kind, for runner_test.py. */

static int initialised;

static void init(void)
{
	initialised++;
}

static void fini(void)
{
	cr_expect_eq(initialised, 1, "the suite's end runs");
}

TestSuite(around, .init = init, .fini = fini);

Test(around, is_initialised)
{
	cr_expect_eq(initialised, 1);
	initialised = 1;
}

/* The other test had a process of its own. */
Test(around, is_initialised_once)
{
	cr_expect_eq(initialised, 1);
}

Test(around, its_end_can_fail)
{
	initialised = 7;
}

Test(plain, passes)
{
	cr_expect(true);
	cr_expect_not(false, "with %s", "a message");
	cr_expect_str_eq("a", "a");
	cr_expect_arr_eq("ab\0c", "ab\0c", 5);
}

Test(plain, fails_and_goes_on)
{
	cr_expect_str_eq("left", "right", "number %d", 3);
	cr_expect_eq(1, 2);
}

Test(plain, asserts_and_ends)
{
	cr_assert_eq(1, 2, "this is the end");
	cr_expect(false, "never seen");
}

Test(plain, crashes)
{
	abort();
}

Test(plain, exits_by_itself)
{
	exit(0);
}

Test(slow, never_ends)
{
	for (volatile int i = 0;; i ^= 1)
		;
}

Test(slow, never_wakes)
{
	for (;;)
		pause();
}
