/* SPDX-License-Identifier: MIT */
#ifndef STRESS_TORTURE_TEST_CASES_H
#define STRESS_TORTURE_TEST_CASES_H

/* main() of a test: a case passes if its function says so. */

#include <stdio.h>

#include "stress/torture/torture.h"

struct test_case {
	const char *name;
	bool (*run)(void);
};

#define CASE(function) { #function, function }

static inline int run_cases(const struct test_case *cases, unsigned int nr)
{
	unsigned int failed = 0;

	for (unsigned int i = 0; i < nr; i++) {
		bool passed = cases[i].run();

		printf("%s %u %s\n", passed ? "ok" : "not ok", i + 1,
		       cases[i].name);
		failed += !passed;
	}
	printf("cases: %u passed, %u failed\n", nr - failed, failed);
	return failed ? EXIT_BUG : EXIT_FINE;
}

#endif
