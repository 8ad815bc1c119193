/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <stdio.h>
#include <string.h>

#include "stress/torture/test_cases.h"

/* A command line, what it must come to, and how it is typed again. */

#define MAX_ARGS 16

uint64_t now_ns(void)
{
	return 1; /* for want of watch.c: a seed when there is no getrandom() */
}

static struct torture_options options;

static int parse(const char *line)
{
	static char words[256];
	char *argv[MAX_ARGS + 1] = { (char[]){ "torture" } };
	int argc = 1;

	snprintf(words, sizeof(words), "%s", line);
	for (char *word = strtok(words, " "); word && argc < MAX_ARGS;
	     word = strtok(NULL, " "))
		argv[argc++] = word;
	return options_parse(&options, argc, argv);
}

static bool prints(const char *line)
{
	char typed[128];

	return options_print(&options, typed, sizeof(typed)) == strlen(line) &&
	       strcmp(typed, line) == 0;
}

static bool defaults(void)
{
	return parse("") == -1 && options.time_ns == 30 * NS_PER_S &&
	       options.rounds == 0 && !options.only_round &&
	       options.threads == 4 && options.slots == 0 &&
	       options.stat_interval_ns == 5 * NS_PER_S &&
	       options.stall_ns == 5 * NS_PER_S && !options.program_path &&
	       !options.log_path && !options.refind &&
	       options.refind_ns == 20 * NS_PER_S;
}

static bool bytes_are_asked_for(void)
{
	return parse("--program x") == -1 && !options.program_bytes &&
	       parse("--program - --bytes") == -1 && options.program_bytes &&
	       strcmp(options.program_path, "-") == 0;
}

static bool seeds_differ(void)
{
	uint64_t first;

	parse("");
	first = options.seed;
	return parse("") == -1 && options.seed != first;
}

static bool every_option(void)
{
	return parse("--time 8h --rounds=7 --seed 0x10 --round 3 --slots 2") ==
		       -1 &&
	       options.time_ns == 8 * 3600 * NS_PER_S && options.rounds == 7 &&
	       options.seed == 16 && options.only_round && options.round == 3 &&
	       options.slots == 2 && prints("--seed 16 --slots 2") &&
	       parse("--threads=1 --repeat 9 --stall 250ms --seed 1") == -1 &&
	       options.threads == 1 && options.repeat == 9 &&
	       options.stall_ns == 250 * NS_PER_MS &&
	       prints("--seed 1 --threads 1 --repeat 9") &&
	       parse("--time 1h30m --program a.hmt --log l --out d --stat-interval 2m") ==
		       -1 &&
	       options.time_ns == 5400 * NS_PER_S &&
	       strcmp(options.program_path, "a.hmt") == 0 &&
	       strcmp(options.log_path, "l") == 0 &&
	       strcmp(options.out_dir, "d") == 0 &&
	       options.stat_interval_ns == 120 * NS_PER_S &&
	       parse("--refind --explorer e") == -1 && options.refind &&
	       options.refind_ns == 20 * NS_PER_S &&
	       strcmp(options.explorer, "e") == 0 &&
	       parse("--refind=3s") == -1 && options.refind_ns == 3 * NS_PER_S;
}

static bool limits(void)
{
	return parse("--threads 4") == -1 && parse("--threads 5") == 1 &&
	       parse("--threads 0") == 1 && parse("--slots 64") == -1 &&
	       parse("--slots 65") == 1 && parse("--slots 1") == 1 &&
	       parse("--seed 18446744073709551615") == -1 &&
	       parse("--seed 18446744073709551616") == 1;
}

static bool nonsense_is_refused(void)
{
	return parse("--time") == 1 && parse("--time soon") == 1 &&
	       parse("--time 3x") == 1 && parse("--time -3") == 1 &&
	       parse("--stall 0") == 1 && parse("--refind=0") == 1 &&
	       parse("--refind 3s") == 1 && parse("--seed 1x") == 1 &&
	       parse("--bogus") == 1 && parse("extra") == 1 &&
	       parse("--slots 2 --slots 2") == 1 &&
	       parse("--round 1 --program a.hmt") == 1;
}

static bool help_is_fine(void)
{
	return parse("--help") == 0;
}

static const struct test_case cases[] = {
	CASE(defaults),	    CASE(bytes_are_asked_for),
	CASE(seeds_differ), CASE(every_option),
	CASE(limits),	    CASE(nonsense_is_refused),
	CASE(help_is_fine),
};

int main(void)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]));
}
