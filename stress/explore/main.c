/* SPDX-License-Identifier: MIT */

/* explore: finds, replays, shrinks and explains schedules that break a program. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/build/prng.h"
#include "stress/explore/options.h"
#include "stress/oracle/finding.h"
#include "stress/process/output.h"
#include "stress/program/program_file.h"
#include "stress/subjects/launch/launch.h"

#define REPORT_SECONDS 5.0

static struct program program;

static int missing(const char *what)
{
	fprintf(stderr, "explore: %s; see explore --help\n", what);
	return EXIT_BAD;
}

static int status_of(enum exec_verdict verdict)
{
	switch (verdict) {
	case EXEC_OK:
	case EXEC_REFUSED:
		return EXIT_FINE;
	case EXEC_DEADLOCK:
		return EXIT_STALLED;
	default:
		return EXIT_BUG;
	}
}

/* Others of us go on: this is a place to stop at for a debugger only. */
static void found_it(void)
{
	fflush(stdout);
}

/* One line; from no file if there is none. */
static void print_replay(const struct program *found, const char *path)
{
	static char pipe[64 * 1024];
	char home[2048];

	if (!path && program_as_pipe(found, pipe, sizeof(pipe)))
		printf("replay: %sbazel run //stress/explore:explore -- replay "
		       "%s-\n",
		       pipe, replay_flags());
	if (!path)
		return;
	if (path[0] == '/' || !getcwd(home, sizeof(home)))
		home[0] = '\0';
	printf("replay: bazel run //stress/explore:explore -- replay "
	       "%s%s%s%s\n",
	       replay_flags(), home, home[0] ? "/" : "", path);
}

int report_finding(struct program *found, const char *dir)
{
	static struct controlled_result result;
	char text[8192];
	char path[4096];
	uint64_t replays = 0;
	bool saved;

	if (!minimize_program(found, MINIMIZE_MOST_REPLAYS, &replays)) {
		fprintf(stderr, "explore: the finding does not fail again\n");
		return EXIT_BAD;
	}
	trace_program(found, TRACE_NONE, &result);
	snprintf(path, sizeof(path), "%s%sexplore-%016llx.hmt", dir ? dir : "",
		 dir ? "/" : "", (unsigned long long)result.trace_hash);
	saved = save_program(found, path);
	program_print(found, text, sizeof(text));
	printf("\nminimised to %u operations and %u choices in %llu runs:\n\n%s\n",
	       found->nr_ops, found->nr_choices, (unsigned long long)replays,
	       text);
	trace_program(found, TRACE_TABLE, &result);
	printf("\nBUG: %s\n%s\ntrace hash %016llx\n", result.exec.sentence,
	       explain_program(found), (unsigned long long)result.trace_hash);
	fflush(stdout);
	finding_print(STDOUT_FILENO, result.exec.sentence);
	print_replay(found, saved ? path : NULL);
	finding_end(result.exec.sentence, found_it);
	return EXIT_BUG;
}

/* ---- Verbs on one file ------------------------------------------------------------- */

static int verb_replay(const struct options *o)
{
	static struct controlled_result result;
	bool machine_readable = o->trace == TRACE_JSON ||
				o->trace == TRACE_HTML;
	enum exec_verdict verdict = trace_program(&program, o->trace, &result);

	if (machine_readable)
		return status_of(verdict);
	if (result.nr_unmatched > 0)
		printf("note: %u choices of the program fit no question; was it "
		       "recorded by another version of the core?\n",
		       result.nr_unmatched);
	printf("%s%s\n%s%strace hash %016llx\n",
	       verdict == EXEC_BUG ? "BUG: " : "",
	       verdict == EXEC_OK ? "ok" : result.exec.sentence,
	       verdict == EXEC_OK ? "" : explain_program(&program),
	       verdict == EXEC_OK ? "" : "\n",
	       (unsigned long long)result.trace_hash);
	return status_of(verdict);
}

static int verb_minimize(const struct options *o)
{
	uint64_t most = o->iterations ? o->iterations : MINIMIZE_MOST_REPLAYS;
	static char text[64 * 1024];
	uint64_t replays;

	if (!minimize_program(&program, most, &replays))
		return missing("the program does not fail as it is");
	if (!save_program(&program, o->out)) {
		program_print(&program, text, sizeof(text));
		fputs(text, stdout);
		return EXIT_BAD;
	}
	printf("%u operations, %u choices, %llu runs\n", program.nr_ops,
	       program.nr_choices, (unsigned long long)replays);
	return EXIT_FINE;
}

static int verb_explain(const struct options *o)
{
	(void)o;
	printf("%s\n", explain_program(&program));
	return EXIT_FINE;
}

/* A Criterion test that plays the program; it must pass once the bug is gone. */
static void export_c(const char *text)
{
	printf("/* SPDX-License-Identifier: MIT */\n"
	       "#include <criterion/criterion.h>\n\n"
	       "#include \"stress/schedule/controlled.h\"\n\n"
	       "static const char text[] =\n\t\"");
	for (; *text; text++) {
		if (*text == '\n')
			printf("\\n\"%s", text[1] ? "\n\t\"" : "");
		else
			putchar(*text);
	}
	printf(";\n\n"
	       "Test(regression, the_program_passes)\n"
	       "{\n"
	       "\tstatic struct controlled_result result;\n"
	       "\tstatic struct program program;\n"
	       "\tstruct controlled_options options = { 0 };\n"
	       "\tstruct program_error error;\n\n"
	       "\tcr_assert(program_parse(&program, text, sizeof(text) - 1, "
	       "&error));\n"
	       "\toptions.faults = controlled_faults_of(&program);\n"
	       "\tcontrolled_run(&program, &options, &result);\n"
	       "\tcr_assert_neq(result.exec.verdict, EXEC_BUG, \"%%s\",\n"
	       "\t\t      result.exec.sentence);\n"
	       "}\n");
}

static int verb_export(const struct options *o)
{
	static char text[64 * 1024];

	program_print(&program, text, sizeof(text));
	if (o->as_c)
		export_c(text);
	else
		fputs(text, stdout);
	return EXIT_FINE;
}

/* ---- selftest ------------------------------------------------------------------------ */

/* The same choices must give the same run, however often. */
static int verb_selftest(const struct options *o)
{
	uint64_t rounds = o->iterations ? o->iterations : 1000000;
	static struct search_result found;
	static struct controlled_result again;
	struct search_options search = o->search;
	struct controlled_options replay = { .faults = search.faults };
	uint64_t seed = o->seed;
	double next_report;

	search.strategy = SEARCH_RANDOM;
	search.iterations = 1;
	next_report = now_seconds() + REPORT_SECONDS;
	for (uint64_t i = 0; i < rounds; i++) {
		struct machine_config machine = { .nr_cpus = 2,
						  .nr_slots = 2,
						  .nr_colours = 1,
						  .nr_pages = 4,
						  .local_depth = 4 };

		if (now_seconds() >= next_report) {
			fprintf(stderr, "explore: %llu of %llu runs\n",
				(unsigned long long)i,
				(unsigned long long)rounds);
			next_report += REPORT_SECONDS;
		}
		program_generate(&program, &machine, 2, 3, &seed);
		search_program(&program, &search, &seed, &found);
		controlled_record(&program, &found.run);
		controlled_run(&program, &replay, &again);
		if (again.trace_hash != found.run.trace_hash ||
		    again.nr_unmatched != 0) {
			printf("run %llu gave another trace when replayed\n",
			       (unsigned long long)i);
			return EXIT_BUG;
		}
	}
	printf("%llu runs replayed, every trace hash the same\n",
	       (unsigned long long)rounds);
	return EXIT_FINE;
}

/* ---- All ------------------------------------------------------------------------------ */

static const struct verb {
	const char *name;
	bool takes_file;
	int (*run)(const struct options *options);
} verbs[] = {
	{ "run", false, verb_run },
	{ "exhaust", false, verb_exhaust },
	{ "replay", true, verb_replay },
	{ "minimize", true, verb_minimize },
	{ "explain", true, verb_explain },
	{ "export", true, verb_export },
	{ "selftest", false, verb_selftest },
};

static const struct verb *find_verb(const char *name)
{
	const struct verb *verb = verbs;

	while (strcmp(verb->name, name) != 0)
		verb++; /* options.c knows no others */
	return verb;
}

static int perform(int argc, char **argv)
{
	const char *home = getenv("BUILD_WORKING_DIRECTORY");
	const struct verb *verb;
	struct options options;
	int status;

	subject_choose("explore", &argc, argv);
	status = options_parse(&options, argc, argv);
	if (status >= 0)
		return status;
	if (home && chdir(home) != 0)
		return missing(strerror(errno));
	verb = find_verb(options.verb);
	/* Of the others, --out is a file. */
	catch_crashes(verb->run == verb_run || verb->run == verb_exhaust
			      ? options.out
			      : NULL);
	if (verb->takes_file && !load_program(&program, &options))
		return EXIT_BAD;
	if (verb->takes_file && options.search.max_steps != 0)
		program.calm_after = options.search.max_steps;
	return verb->run(&options);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	output_outlive_errors();
	return output_finish("explore", perform(argc, argv));
}
