/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress/oracle/finding.h"
#include "stress/process/instrumented.h"
#include "stress/process/output.h"
#include "stress/torture/torture.h"

/* Absent without LeakSanitizer. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static volatile sig_atomic_t interrupted;

/* A second Ctrl-C ends the program the hard way. */
static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void catch_interrupts(void)
{
	struct sigaction action = {
		.sa_handler = on_interrupt,
		.sa_flags = SA_RESETHAND | SA_RESTART,
	};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void say_start(const struct torture_options *options)
{
	char shape[128];

	options_print(options, shape, sizeof(shape));
	say("highmem-torture: --- Start of test: %s\n", shape);
	say("highmem-torture: seed=%" PRIu64 " time=%.1fs rounds=%" PRIu64
	    " threads=%u slots=%u repeat=%u stat-interval=%.1fs stall=%.1fs "
	    "program=%s log=%s out=%s refind=%.1fs\n",
	    options->seed, (double)options->time_ns / 1e9, options->rounds,
	    options->threads, options->slots, options->repeat,
	    (double)options->stat_interval_ns / 1e9,
	    (double)options->stall_ns / 1e9,
	    options->program_path ? options->program_path : "none",
	    options->log_path ? options->log_path : "none", options->out_dir,
	    options->refind ? (double)options->refind_ns / 1e9 : 0.0);
}

/* NULL: the round passed. Else why not, valid until the next round. */
static const char *run_round(const struct torture_options *options,
			     const struct round *round, uint64_t passed)
{
	static struct exec_result result;
	struct exec_options exec = {
		.repeat = round->repeat,
		.parallel = true,
	};

	round_announce(round);
	failure_arm(options, round, passed);
	exec.progress = watch_round_begin(round);
	exec_program(&round->program, &exec, &result);
	watch_round_end(&result);
	if (result.verdict == EXEC_DEADLOCK && round->safe)
		return "a deadlock in a program that cannot have one";
	return result.verdict == EXEC_BUG ? result.sentence : NULL;
}

static bool is_over(const struct torture_options *options, uint64_t rounds,
		    uint64_t began)
{
	return interrupted || (options->rounds && rounds == options->rounds) ||
	       (options->time_ns && now_ns() - began >= options->time_ns);
}

static const char *run_rounds(const struct torture_options *options)
{
	static struct round round;
	uint64_t began = now_ns();
	uint64_t rounds = 0;
	const char *why;

	if (options->program_path && !round_load(&round, options))
		exit(EXIT_USAGE);
	do {
		if (!options->program_path)
			round_draw(&round, options,
				   options->only_round ? options->round
						       : rounds);
		why = run_round(options, &round, rounds);
		rounds++;
	} while (!why && !is_over(options, rounds, began));
	return why;
}

/* Leaks belong to the verdict: afterwards it would be too late to change it. */
static bool leaks(void)
{
	return __lsan_do_recoverable_leak_check &&
	       __lsan_do_recoverable_leak_check();
}

static void end_red(void)
{
	exit(EXIT_BUG);
}

static int torture(const struct torture_options *options)
{
	struct totals totals;
	const char *why;

	say_start(options);
	watch_start(options);
	why = run_rounds(options);
	totals = watch_stop();
	if (!why && leaks())
		why = "memory leaked; the report stands above";
	if (why) {
		finding_print(STDOUT_FILENO, why);
		failure_speak(why);
		finding_end(why, end_red);
	}
	failure_disarm();
	if (interrupted)
		say("highmem-torture: interrupted\n");
	say("highmem-torture: --- End of test: SUCCESS: seed=%" PRIu64
	    " rounds=%" PRIu64 " performed=%" PRIu64 " skipped=%" PRIu64 "\n",
	    options->seed, totals.rounds, totals.performed, totals.skipped);
	say("cases: %" PRIu64 " passed, 0 failed\n", totals.rounds);
	return say_lost_nothing() ? EXIT_FINE : EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const char *home = getenv("BUILD_WORKING_DIRECTORY");
	struct torture_options options;
	int status;

	require_instrumented();
	/* Under `bazel run`, file names are meant where the user stands. */
	if (home && chdir(home) != 0)
		fprintf(stderr,
			"torture: cannot go to %s; file names are "
			"taken from here\n",
			home);
	status = options_parse(&options, argc, argv);
	if (status >= 0)
		return status;
	output_outlive_errors();
	if (!output_fits_in(options.out_dir)) {
		fprintf(stderr,
			"torture: --out %s: %s; it names a directory for the "
			".hmt of a failure\n",
			options.out_dir, strerror(errno));
		return EXIT_USAGE;
	}
	if (options.log_path && !say_open_log(options.log_path))
		return EXIT_USAGE;
	if (options.refind && !refind_start(&options))
		return EXIT_USAGE;
	catch_interrupts();
	return torture(&options);
}
