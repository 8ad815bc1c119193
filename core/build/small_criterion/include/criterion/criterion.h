/* SPDX-License-Identifier: MIT */
#ifndef SMALL_CRITERION_H
#define SMALL_CRITERION_H

/*
 * The words of Criterion that our tests use, for programs that cannot have it:
 * Debian's libcriterion exists for the machine that builds and for no other.
 * The tests themselves do not know the difference.
 *
 * Each test runs in a child of its own. A failed cr_expect goes on, a failed
 * cr_assert ends the child; both may be used on any stack. runner.c has main().
 *
 * Messages are checked as printf's: what is right with one width of long and
 * wrong with another does not compile.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A check without a message leaves the dots of its macro empty. */
#pragma clang diagnostic ignored "-Wc23-extensions"

struct cr_test {
	const char *suite;
	const char *name;
	void (*run)(void);
	struct cr_test *next;
};

/* What is done around each test of a suite, in its child. */
struct cr_suite {
	const char *name;
	void (*init)(void);
	void (*fini)(void);
	struct cr_suite *next;
};

struct cr_place {
	const char *file;
	int line;
	bool ends; /* the test, if it fails */
};

void cr_add_test(struct cr_test *test);
void cr_add_suite(struct cr_suite *suite);

/* @message begins with a space: a format must not be empty. */
void cr_failed(const struct cr_place *place, const char *what,
	       const char *message, ...) __attribute__((format(printf, 3, 4)));

/* The sentence of a failed comparison of strings; in static memory. */
const char *cr_differ(const char *what, const char *left, const char *right);

void cr_log_error(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void cr_log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- Tests ------------------------------------------------------------------- */

#define Test(suite_, name_) \
	static void suite_##_##name_##_run(void); \
	static struct cr_test suite_##_##name_##_test = { \
		#suite_, #name_, suite_##_##name_##_run, NULL \
	}; \
	__attribute__((constructor)) static void suite_##_##name_##_add(void) \
	{ \
		cr_add_test(&suite_##_##name_##_test); \
	} \
	static void suite_##_##name_##_run(void)

#define TestSuite(suite_, ...) \
	static struct cr_suite suite_##_suite = { .name = #suite_, \
						  __VA_ARGS__ }; \
	__attribute__((constructor)) static void suite_##_suite_add(void) \
	{ \
		cr_add_suite(&suite_##_suite); \
	} \
	extern int suite_##_suite_end_ /* takes the semicolon */

/* ---- Checks ------------------------------------------------------------------- */

#define CR_CHECK_(ends_, condition_, what_, ...) \
	do { \
		if (!(condition_)) { \
			const struct cr_place place_ = { __FILE__, __LINE__, \
							 ends_ }; \
\
			cr_failed(&place_, what_, " " __VA_ARGS__); \
		} \
	} while (0)

#define CR_OP_(ends_, a_, op_, b_, ...) \
	CR_CHECK_(ends_, (a_)op_(b_), #a_ " " #op_ " " #b_, __VA_ARGS__)

#define CR_STR_(ends_, a_, b_, ...) \
	do { \
		const char *left_ = (a_); \
		const char *right_ = (b_); \
\
		CR_CHECK_(ends_, strcmp(left_, right_) == 0, \
			  cr_differ(#a_ " is " #b_, left_, right_), \
			  __VA_ARGS__); \
	} while (0)

#define cr_expect(a, ...) CR_CHECK_(false, a, #a, __VA_ARGS__)
#define cr_expect_not(a, ...) CR_CHECK_(false, !(a), "not " #a, __VA_ARGS__)
#define cr_expect_null(a, ...) CR_OP_(false, a, ==, NULL, __VA_ARGS__)
#define cr_expect_not_null(a, ...) CR_OP_(false, a, !=, NULL, __VA_ARGS__)
#define cr_expect_eq(a, b, ...) CR_OP_(false, a, ==, b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...) CR_OP_(false, a, !=, b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...) CR_OP_(false, a, <, b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...) CR_OP_(false, a, <=, b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...) CR_OP_(false, a, >, b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...) CR_OP_(false, a, >=, b, __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) CR_STR_(false, a, b, __VA_ARGS__)
#define cr_expect_str_empty(a, ...) CR_STR_(false, a, "", __VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...) \
	CR_CHECK_(false, memcmp(a, b, size) == 0, #a " holds " #b, __VA_ARGS__)

#define cr_assert_arr_eq(a, b, size, ...) \
	CR_CHECK_(true, memcmp(a, b, size) == 0, #a " holds " #b, __VA_ARGS__)
#define cr_assert(a, ...) CR_CHECK_(true, a, #a, __VA_ARGS__)
#define cr_assert_fail(...) CR_CHECK_(true, false, "not this far", __VA_ARGS__)
#define cr_assert_not(a, ...) CR_CHECK_(true, !(a), "not " #a, __VA_ARGS__)
#define cr_assert_null(a, ...) CR_OP_(true, a, ==, NULL, __VA_ARGS__)
#define cr_assert_not_null(a, ...) CR_OP_(true, a, !=, NULL, __VA_ARGS__)
#define cr_assert_eq(a, b, ...) CR_OP_(true, a, ==, b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...) CR_OP_(true, a, !=, b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...) CR_OP_(true, a, <, b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...) CR_OP_(true, a, <=, b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...) CR_OP_(true, a, >, b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...) CR_OP_(true, a, >=, b, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) CR_STR_(true, a, b, __VA_ARGS__)

#endif
