/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress/explore/search/checkpoint.h"

static const struct certificate sums = {
	.programs = 17,
	.schedules = 123456789012,
	.outcomes = UINT64_MAX,
};

#define SEARCH "tasks=2 ops=3 preemptions=2"

static char path[] = "/tmp/checkpoint_test.XXXXXX";

static void make_path(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
}

static void remove_path(void)
{
	unlink(path);
}

TestSuite(checkpoint, .init = make_path, .fini = remove_path);

static void expect_refused(struct certificate asked)
{
	struct certificate before = asked;

	cr_expect_not(checkpoint_load(path, SEARCH, &asked));
	cr_expect_eq(asked.programs, before.programs);
	cr_expect_eq(access(path, F_OK), 0, "it is left alone");
}

Test(checkpoint, comes_back_as_it_was)
{
	struct certificate found = sums;

	found.programs = 0;
	found.outcomes = 0;
	cr_assert(checkpoint_save(path, SEARCH, &sums));
	cr_assert(checkpoint_load(path, SEARCH, &found));
	cr_expect_eq(found.programs, sums.programs);
	cr_expect_eq(found.schedules, sums.schedules);
	cr_expect_eq(found.outcomes, sums.outcomes);
}

Test(checkpoint, of_another_search_is_refused)
{
	struct certificate asked = { .programs = 0 };

	cr_assert(checkpoint_save(path, "tasks=2 ops=4 preemptions=2", &sums));
	expect_refused(asked);
}

Test(checkpoint, cut_at_any_place_is_refused)
{
	long size;
	FILE *file;

	cr_assert(checkpoint_save(path, SEARCH, &sums));
	file = fopen(path, "r");
	cr_assert_not_null(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	fclose(file);
	for (long len = size - 2; len >= 0; len--) {
		cr_assert_eq(truncate(path, len), 0);
		expect_refused(sums);
	}
}

Test(checkpoint, with_a_changed_digit_is_refused)
{
	FILE *file;

	cr_assert(checkpoint_save(path, SEARCH, &sums));
	file = fopen(path, "r+");
	cr_assert_not_null(file);
	fseek(file, -3, SEEK_END);
	fputc('x', file);
	fclose(file);
	expect_refused(sums);
}

/* Its checksum is right: who writes one by hand can compute it. */
Test(checkpoint, with_the_escapes_of_a_terminal_is_refused_without_them)
{
	const struct certificate asked = sums;
	char said[4096] = "";
	int saved = dup(STDERR_FILENO);
	FILE *err = tmpfile();

	cr_assert(checkpoint_save(path, "tasks=\x1b]0;x\x07\x9b", &sums));
	cr_assert_not_null(err);
	cr_assert_geq(saved, 0);
	cr_assert_geq(dup2(fileno(err), STDERR_FILENO), 0);
	expect_refused(asked);
	cr_assert_geq(dup2(saved, STDERR_FILENO), 0);
	cr_assert_eq(fseek(err, 0, SEEK_SET), 0);
	cr_expect_gt(fread(said, 1, sizeof(said) - 1, err), 0);
	fclose(err);
	close(saved);
	cr_expect_null(strpbrk(said, "\x1b\x07\x9b"));
}

Test(checkpoint, is_not_written_through_a_link)
{
	char part[sizeof(path) + 5];
	char other[sizeof(path) + 6];
	FILE *file;

	snprintf(part, sizeof(part), "%s.part", path);
	snprintf(other, sizeof(other), "%s.other", path);
	file = fopen(other, "w");
	cr_assert_not_null(file);
	fclose(file);
	cr_assert_eq(symlink(other, part), 0);
	cr_expect(checkpoint_save(path, SEARCH, &sums));
	file = fopen(other, "r");
	cr_assert_not_null(file);
	cr_expect_eq(fgetc(file), EOF, "somebody else's file");
	fclose(file);
	unlink(other);
}

Test(checkpoint, that_is_not_there_begins_anew)
{
	struct certificate asked = sums;

	unlink(path);
	asked.programs = 0;
	cr_expect(checkpoint_load(path, SEARCH, &asked));
	cr_expect_eq(asked.programs, 0);
}

Test(checkpoint, where_nothing_can_be_written_says_so)
{
	cr_expect_not(checkpoint_save("/nonexistent/checkpoint", SEARCH, &sums));
}
