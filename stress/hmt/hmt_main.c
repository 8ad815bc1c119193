/* SPDX-License-Identifier: MIT */

/* hmt: look at op programs, convert them, run them on the simulated machine. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress/program/program_file.h"
#include "stress/schedule/controlled.h"

#define EXIT_BAD 1
#define EXIT_STALLED 70
#define EXIT_BUG 77

#define MAX_TEXT (16 * 1024)

static const char usage[] =
	"usage: hmt check FILE...          is each a good program? file:line: what\n"
	"       hmt print FILE             as text in canonical form\n"
	"       hmt encode FILE -o OUT     as the bytes that a fuzz target reads\n"
	"       hmt run FILE [--trace]     on the simulated machine, with the oracle\n"
	"       hmt VERB --bytes ...       FILE is an input of a fuzz target\n"
	"       hmt --help\n"
	"\n"
	"FILE is an op program as text (.hmt, docs/testing.md tells the form); - is\n"
	"standard input. With --bytes it is read as a fuzz target reads it: what is in\n"
	"a fuzz corpus, or a crash file. If it has choices, run plays them; if not,\n"
	"it runs twice, one operation at a time and under control, and must pass both.\n"
	"The trace hash tells one run under control from another.\n"
	"\n"
	"Exit status: 0 fine, 77 a bug was found, 70 the program deadlocks by\n"
	"itself, 1 anything else.\n";

static struct program program;
static bool as_bytes; /* --bytes */

static int complain(const char *path, const char *what)
{
	fprintf(stderr, "hmt: %s: %s\n", path, what);
	return EXIT_BAD;
}

static int usage_error(const char *what, const char *which)
{
	fprintf(stderr, "hmt: %s%s; see hmt --help\n", what, which);
	return EXIT_BAD;
}

static bool load(const char *path)
{
	return program_read(&program, path, as_bytes, "hmt");
}

static int check(char **paths)
{
	int status = 0;

	for (; *paths; paths++)
		if (!load(*paths))
			status = EXIT_BAD;
	return status;
}

static int print(const char *path)
{
	static char text[MAX_TEXT];

	if (!load(path))
		return EXIT_BAD;
	program_print(&program, text, sizeof(text));
	fputs(text, stdout);
	if (fflush(stdout) != 0)
		return complain("standard output", strerror(errno));
	return 0;
}

static int encode(const char *path, const char *out)
{
	uint8_t bytes[PROGRAM_MAX_BYTES];
	size_t len;
	FILE *file;

	if (!load(path))
		return EXIT_BAD;
	if (program.calm_after != 0)
		return complain(path, "bytes have no place for its calm line");
	len = program_encode(&program, bytes, sizeof(bytes));
	file = fopen(out, "wb");
	if (!file)
		return complain(out, strerror(errno));
	if (fwrite(bytes, 1, len, file) != len || fflush(file) != 0) {
		fclose(file);
		return complain(out, strerror(errno));
	}
	if (fclose(file) != 0)
		return complain(out, strerror(errno));
	return 0;
}

/* ---- run ---------------------------------------------------------------------- */

static void trace(void *arg, const char *task, const char *op,
		  const char *outcome)
{
	(void)arg;
	printf("  %s  %-14s %s\n", task, op, outcome);
	fflush(stdout);
}

static void print_stats(const struct exec_result *result)
{
	printf("%u operations, %u skipped;", result->nr_performed,
	       result->nr_skipped);
	for (unsigned int s = 0; s < HM_NR_STATS; s++)
		if (result->stats[s] != 0)
			printf(" %s %u", highmem_stat_name(s),
			       result->stats[s]);
	printf("\n");
}

/* What came from standard input comes from there again, in the same line. */
static void print_replay(const char *path)
{
	static char again[2 * MAX_TEXT];
	bool piped = program_file_is_stdin(path) &&
		     program_as_pipe(&program, again, sizeof(again));

	printf("replay: %sbazel run //stress/hmt:hmt -- run --trace %s%s\n",
	       piped ? again : "", as_bytes && !piped ? "--bytes " : "", path);
}

static int judge(const char *path, const struct exec_result *result)
{
	switch (result->verdict) {
	case EXEC_OK:
		return 0;
	case EXEC_REFUSED:
		printf("%s; it ran on the second boot\n", result->sentence);
		return 0;
	case EXEC_DEADLOCK:
		printf("%s\n", result->sentence);
		return EXIT_STALLED;
	default:
		printf("BUG: %s\n", result->sentence);
		print_replay(path);
		return EXIT_BUG;
	}
}

static int run_plain(const char *path, bool traced)
{
	const struct exec_options options = { .trace = traced ? trace : NULL };
	struct exec_result result;

	exec_program(&program, &options, &result);
	print_stats(&result);
	return judge(path, &result);
}

/* All faults are offered, as a fuzz target does, so the steps are the same. */
static int run_controlled(const char *path, bool traced)
{
	const struct controlled_options options = {
		.trace = traced ? trace : NULL,
		.faults = CONTROLLED_ALL_FAULTS,
	};
	static struct controlled_result result;

	controlled_run(&program, &options, &result);
	print_stats(&result.exec);
	printf("%u steps under control, trace hash %016" PRIx64 "\n",
	       result.steps, result.trace_hash);
	if (result.nr_unmatched > 0)
		printf("%u of %u choices were not offered at their step\n",
		       result.nr_unmatched, program.nr_choices);
	if (result.calm_since != 0)
		printf("step %u: calm: no more choices, all tasks in turn\n",
		       result.calm_since);
	return judge(path, &result.exec);
}

static int run(const char *path, bool traced)
{
	const char *why;
	int status;

	if (!load(path))
		return EXIT_BAD;
	why = machine_can(&program.machine);
	if (why)
		return complain(path, why);
	status = program.nr_choices > 0 ? 0 : run_plain(path, traced);
	if (status == 0)
		status = run_controlled(path, traced);
	if (status == 0)
		printf("ok\n");
	return status;
}

static int run_verb(char **args)
{
	const char *path = NULL;
	bool traced = false;

	for (; *args; args++) {
		if (strcmp(*args, "--trace") == 0)
			traced = true;
		else if (**args == '-' && !program_file_is_stdin(*args))
			return usage_error("unknown flag ", *args);
		else if (path)
			return usage_error("one FILE only, not also ", *args);
		else
			path = *args;
	}
	return path ? run(path, traced) : usage_error("run what?", "");
}

/* Takes --bytes away, wherever it stands. Returns how many are left. */
static int take_bytes(int argc, char **argv)
{
	int left = 0;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--bytes") == 0)
			as_bytes = true;
		else
			argv[left++] = argv[i];
	}
	argv[left] = NULL;
	return left;
}

/* Paths are the user's, not Bazel's. */
static void go_home(void)
{
	const char *home = getenv("BUILD_WORKING_DIRECTORY");

	if (home && chdir(home) != 0)
		complain(home, strerror(errno));
}

int main(int argc, char **argv)
{
	const char *verb;

	argc = take_bytes(argc, argv);
	verb = argc > 1 ? argv[1] : "";
	go_home();
	if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (strcmp(verb, "check") == 0 && argc > 2)
		return check(argv + 2);
	if (strcmp(verb, "print") == 0 && argc == 3)
		return print(argv[2]);
	if (strcmp(verb, "encode") == 0 && argc == 5 &&
	    strcmp(argv[3], "-o") == 0)
		return encode(argv[2], argv[4]);
	if (strcmp(verb, "run") == 0)
		return run_verb(argv + 2);
	if (argc < 2)
		return usage_error("what shall it do?", "");
	return usage_error("wrong verb or arguments: ", verb);
}
