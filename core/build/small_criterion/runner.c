/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include <criterion/criterion.h>

#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char usage_text[] =
	"usage: PROGRAM [--filter=GLOB] [--skip=GLOB] [--timeout=SECONDS]\n"
	"               [--list] [--help]\n"
	"\n"
	"Runs the tests in it, each in a process of its own.\n"
	"\n"
	"  --filter=GLOB      only those whose SUITE/NAME fits, as page/*\n"
	"  --skip=GLOB        not those\n"
	"  --timeout=SECONDS  of CPU time for each, 1 to 3600 (default 60); ten\n"
	"                     times that by the clock\n"
	"  --list             print SUITE/NAME of each and run none\n"
	"\n"
	"Exit status: 0 all passed, 1 some failed, or nothing ran.\n";

struct options {
	const char *filter;
	const char *skip;
	unsigned int timeout;
	bool list;
};

static struct cr_test *tests;
static struct cr_test **tests_end = &tests;
static struct cr_suite *suites;

/* In the child: */
static bool has_failed;

/* A test that calls exit(0) has not come to its end. */
#define STATUS_PASSED 90

void cr_add_test(struct cr_test *test)
{
	*tests_end = test;
	tests_end = &test->next;
}

void cr_add_suite(struct cr_suite *suite)
{
	suite->next = suites;
	suites = suite;
}

/* ---- What a test says ---------------------------------------------------------- */

void cr_failed(const struct cr_place *place, const char *what,
	       const char *message, ...)
{
	va_list args;

	has_failed = true;
	fprintf(stderr, "[----] %s:%d: not true: %s", place->file, place->line,
		what);
	if (message[1]) {
		fputc(':', stderr);
		va_start(args, message);
		vfprintf(stderr, message, args);
		va_end(args);
	}
	fputc('\n', stderr);
	if (place->ends)
		_exit(1);
}

const char *cr_differ(const char *what, const char *left, const char *right)
{
	static char text[1024];

	snprintf(text, sizeof(text), "%s: \"%s\", not \"%s\"", what, left,
		 right);
	return text;
}

void cr_log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
}

void cr_log_info(const char *format, ...)
{
	(void)format;
}

/* ---- One test ------------------------------------------------------------------ */

static const struct cr_suite *suite_of(const struct cr_test *test)
{
	static const struct cr_suite none;

	for (const struct cr_suite *s = suites; s; s = s->next)
		if (strcmp(s->name, test->suite) == 0)
			return s;
	return &none;
}

/* CPU time, so that the load of the machine decides nothing. */
static void limit_time(unsigned int seconds)
{
	const struct rlimit limit = { seconds, seconds + 1 };

	setrlimit(RLIMIT_CPU, &limit);
	alarm(10 * seconds);
}

/* Without atexit(): what the parent has registered is not this test's. */
static _Noreturn void run_in_child(const struct cr_test *test,
				   unsigned int timeout)
{
	const struct cr_suite *suite = suite_of(test);

	limit_time(timeout);
	if (suite->init)
		suite->init();
	test->run();
	if (suite->fini)
		suite->fini();
	fflush(NULL);
	_exit(has_failed ? 1 : STATUS_PASSED);
}

static void say_why(int status, unsigned int timeout)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		printf("still running after %u s of CPU time\n", timeout);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("still running after %u s\n", 10 * timeout);
	else if (WIFSIGNALED(status))
		printf("crashed: %s\n", strsignal(WTERMSIG(status)));
	else
		printf("exit status %d\n", WEXITSTATUS(status));
}

static bool passes(const struct cr_test *test, unsigned int nr,
		   unsigned int timeout)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0)
		run_in_child(test, timeout);
	if (child < 0 || waitpid(child, &status, 0) != child) {
		fprintf(stderr, "cannot run %s::%s: %s\n", test->suite,
			test->name, strerror(errno));
		exit(1);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_PASSED) {
		printf("ok %u - %s::%s\n", nr, test->suite, test->name);
		return true;
	}
	printf("not ok %u - %s::%s # ", nr, test->suite, test->name);
	say_why(status, timeout);
	return false;
}

/* ---- All of them ---------------------------------------------------------------- */

static _Noreturn void usage(const char *why, const char *what)
{
	fprintf(stderr, "%s '%s'; see --help\n", why, what);
	exit(1);
}

static unsigned int parse_seconds(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n < 1 || n > 3600)
		usage("--timeout wants seconds, 1 to 3600, not", text);
	return (unsigned int)n;
}

static void parse(struct options *options, const char *word)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		fputs(usage_text, stdout);
		exit(0);
	} else if (strcmp(word, "--list") == 0) {
		options->list = true;
	} else if (strncmp(word, "--filter=", 9) == 0) {
		options->filter = word + 9;
	} else if (strncmp(word, "--skip=", 7) == 0) {
		options->skip = word + 7;
	} else if (strncmp(word, "--timeout=", 10) == 0) {
		options->timeout = parse_seconds(word + 10);
	} else {
		usage("unknown argument", word);
	}
}

static bool fits(const struct cr_test *test, const char *filter)
{
	char name[256];

	snprintf(name, sizeof(name), "%s/%s", test->suite, test->name);
	return fnmatch(filter, name, 0) == 0;
}

int main(int argc, char **argv)
{
	struct options options = { .filter = "*", .skip = "", .timeout = 60 };
	unsigned int nr_passed = 0;
	unsigned int nr_failed = 0;

	for (int i = 1; i < argc; i++)
		parse(&options, argv[i]);
	for (const struct cr_test *test = tests; test; test = test->next) {
		if (!fits(test, options.filter) || fits(test, options.skip))
			continue;
		if (options.list)
			printf("%s/%s\n", test->suite, test->name);
		else if (passes(test, nr_passed + nr_failed + 1,
				options.timeout))
			nr_passed++;
		else
			nr_failed++;
	}
	if (options.list)
		return 0;
	if (nr_passed + nr_failed == 0)
		usage("no test fits", options.filter);
	printf("cases: %u passed, %u failed\n", nr_passed, nr_failed);
	return nr_failed != 0;
}
