/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Bazel wants a test's cases, their names and times in $XML_OUTPUT_FILE, and
 * Criterion writes such a file if $CRITERION_OUTPUTS says where. Only the test
 * itself: a program that a test runs, a broken core under its unit tests, say,
 * has the same environment and is not to answer for it.
 */
static int is_the_test(void)
{
	const char *path = getenv("TEST_BINARY");
	const char *name = path ? strrchr(path, '/') : NULL;

	return path &&
	       !strcmp(name ? name + 1 : path, program_invocation_short_name);
}

__attribute__((constructor)) static void ask_for_xml(void)
{
	const char *file = getenv("XML_OUTPUT_FILE");
	char outputs[4096];

	if (!file || !is_the_test())
		return;
	if (snprintf(outputs, sizeof(outputs), "xml:%s", file) <
	    (int)sizeof(outputs))
		setenv("CRITERION_OUTPUTS", outputs, 0);
}
