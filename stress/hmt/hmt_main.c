/* SPDX-License-Identifier: MIT */

/* hmt: look at op programs, convert them, run them on the simulated machine. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress/process/command.h"
#include "stress/process/output.h"
#include "stress/program/program_file.h"
#include "stress/schedule/controlled.h"
#include "stress/subjects/launch/launch.h"
#include "stress/subjects/subject.h"

#define EXIT_BAD 1
#define EXIT_STALLED 70
#define EXIT_BUG 77

#define MAX_TEXT (16 * 1024)

static bool traced, as_bytes, black_box;
static const char *out;

enum {
	CHECK,
	PRINT,
	ENCODE,
	RUN,
	SUBJECTS,
};

static const struct command_verb verbs[] = {
	[CHECK] = { "check", "FILE...", "is each a good program?", 1,
		    COMMAND_MANY },
	[PRINT] = { "print", "FILE", "as text in canonical form", 1, 1 },
	[ENCODE] = { "encode", "FILE -o OUT", "as a fuzz target reads it", 1,
		     1 },
	[RUN] = { "run", "FILE", "on the sim, with the oracle", 1, 1 },
	[SUBJECTS] = { "subjects", NULL, "what is tested, and what of it", 0,
		       0 },
};

static const struct option_row rows[] = {
	{ .name = "trace",
	  .kind = OPTION_SWITCH,
	  .into = &traced,
	  .verbs = 1U << RUN,
	  .help = "each operation, when it has ended" },
	{ .name = "black-box",
	  .kind = OPTION_SWITCH,
	  .into = &black_box,
	  .verbs = 1U << RUN | 1U << SUBJECTS,
	  .help = "judge by what can be seen from outside" },
	{ .name = "bytes",
	  .kind = OPTION_SWITCH,
	  .into = &as_bytes,
	  .help = "FILE is an input of a fuzz target, such as what is in a "
		  "corpus, or a crash file" },
	{ .name = "out",
	  .letter = 'o',
	  .kind = OPTION_TEXT,
	  .value = "OUT",
	  .into = &out,
	  .verbs = 1U << ENCODE,
	  .help = "where encode writes the bytes" },
	SUBJECT_OPTIONS,
};

static const struct command command = {
	.name = "hmt",
	.help = "FILE is an op program as text (.hmt, docs/testing.md tells the form); - is\n"
		"standard input. If it has choices, run plays them; if not, it runs twice, one\n"
		"operation at a time and under control, and must pass both. The trace hash tells\n"
		"one run under control from another.\n",
	.verbs = verbs,
	.nr_verbs = sizeof(verbs) / sizeof(verbs[0]),
	.options = rows,
	.nr_options = sizeof(rows) / sizeof(rows[0]),
	.after = "Exit status: 0 fine, 77 a bug was found, 70 the program deadlocks by\n"
		 "itself, 1 anything else.",
};

static struct program program;

static int complain(const char *path, const char *what)
{
	fprintf(stderr, "hmt: %s: %s\n", path, what);
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
	return 0;
}

static int encode(const char *path)
{
	uint8_t bytes[PROGRAM_MAX_BYTES];
	size_t len;

	if (!load(path))
		return EXIT_BAD;
	if (program.calm_after != 0)
		return complain(path, "bytes have no place for its calm line");
	len = program_encode(&program, bytes, sizeof(bytes));
	if (!output_save(out, (const char *)bytes, len))
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

	printf("replay: %sbazel run //stress/hmt:hmt -- run --trace %s%s%s\n",
	       piped ? again : "",
	       subject_replay_flags(exec_judges_from_outside()),
	       as_bytes && !piped ? "--bytes " : "", path);
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

static int run_plain(const char *path)
{
	const struct exec_options options = { .trace = traced ? trace : NULL };
	struct exec_result result;

	exec_program(&program, &options, &result);
	print_stats(&result);
	return judge(path, &result);
}

/* All faults are offered, as a fuzz target does, so the steps are the same. */
static int run_controlled(const char *path)
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

static int run(const char *path)
{
	const char *why;
	int status;

	if (!load(path))
		return EXIT_BAD;
	why = program_can(&program);
	if (why)
		return complain(path, why);
	status = program.nr_choices > 0 ? 0 : run_plain(path);
	if (status == 0)
		status = run_controlled(path);
	if (status == 0)
		printf("ok\n");
	return status;
}

/* ---- subjects ------------------------------------------------------------------ */

static const char *lacks(unsigned int nr)
{
	return subject_op(&the_subject, false, nr);
}

static const char *has(unsigned int nr)
{
	return subject_op(&the_subject, true, nr);
}

static const char *promises(unsigned int nr)
{
	return subject_promise(&the_subject, nr);
}

static const char *not_demanded(unsigned int nr)
{
	return subject_not_demanded(&the_subject, exec_judges_from_outside(),
				    nr);
}

static void print_list(const char *head, const char *separator,
		       const char *(*item)(unsigned int nr))
{
	printf("  %-13s %s", head, item(0) ? item(0) : "-");
	for (unsigned int i = 1; item(0) && item(i); i++)
		printf("%s%s", separator, item(i));
	printf("\n");
}

static void print_limit(const char *what, unsigned int most)
{
	if (most != 0)
		printf(", at most %u %s", most, what);
}

static void print_limits(void)
{
	const struct subject_limits *limits = &the_subject.limits;
	bool pae = limits->machines & SUBJECT_PAE;
	bool no_pae = limits->machines & SUBJECT_NO_PAE;

	printf("  %-13s %s", "machines",
	       pae && no_pae ? "with PAE and without"
			     : (pae ? "with PAE" : "without PAE"));
	print_limit("CPUs", limits->cpus);
	print_limit("slots", limits->slots);
	print_limit("colours", limits->colours);
	print_limit("local maps", limits->local_depth);
	printf("\n");
}

static int subjects(void)
{
	printf("%s: %s\n", the_subject.name, the_subject.what);
	print_list("has", ", ", has);
	print_list("lacks", ", ", lacks);
	print_limits();
	print_list("promises", ", ", promises);
	print_list("not demanded", "\n                ", not_demanded);
	return 0;
}

/* Paths are the user's, not Bazel's. */
static void go_home(void)
{
	const char *home = getenv("BUILD_WORKING_DIRECTORY");

	if (home && chdir(home) != 0)
		complain(home, strerror(errno));
}

static int perform(int argc, char **argv)
{
	struct command_line line;
	const char *why;
	int status;

	subject_choose("hmt", &argc, argv);
	status = command_parse(&command, argc, argv, &line);
	if (status >= 0)
		return status;
	why = subject_wrong(&the_subject);
	if (why)
		return command_wrong(&command, "subject %s: %s",
				     the_subject.name, why);
	if (black_box)
		exec_judge_from_outside();
	if (line.verb == ENCODE && !out)
		return command_wrong(&command, "encode writes to -o OUT");
	go_home();
	switch (line.verb) {
	case CHECK:
		return check(line.files);
	case PRINT:
		return print(line.files[0]);
	case ENCODE:
		return encode(line.files[0]);
	case SUBJECTS:
		return subjects();
	default:
		return run(line.files[0]);
	}
}

int main(int argc, char **argv)
{
	output_outlive_errors();
	return output_finish("hmt", perform(argc, argv));
}
