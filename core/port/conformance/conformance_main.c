/* SPDX-License-Identifier: MIT */

/* Runs the conformance suite on a port that has a libc below it. */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/port/conformance/conformance.h"
#include "core/port/port.h"

#define EXIT_USAGE 1
#define EXIT_BUG 77

static const char help[] =
	"usage: conformance_test [--list] [--filter TEXT]\n"
	"\n"
	"Runs every case of the conformance suite on one port, or those whose\n"
	"name contains TEXT; --list only prints the names.\n"
	"\n"
	"Exit: 0 all passed, 77 a case failed, 1 usage.\n";

struct options {
	const char *filter;
	bool list;
};

/* -1: go on; else exit with it. */
static int parse(struct options *options, int argc, char **argv)
{
	static const char prefix[] = "--filter=";

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			fputs(help, stdout);
			return 0;
		}
		if (strcmp(argv[i], "--list") == 0) {
			options->list = true;
		} else if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc) {
			options->filter = argv[++i];
		} else if (strncmp(argv[i], prefix, strlen(prefix)) == 0) {
			options->filter = argv[i] + strlen(prefix);
		} else {
			fprintf(stderr,
				"conformance_test: unknown option "
				"'%s', or no value; see --help\n",
				argv[i]);
			return EXIT_USAGE;
		}
	}
	return -1;
}

struct counts {
	unsigned int passed, failed, skipped;
};

static void run(const struct conformance_case *c, unsigned int n,
		struct counts *counts)
{
	const char *why = c->run();

	if (!why) {
		counts->passed++;
		printf("ok %u %s\n", n, c->name);
	} else if (strncmp(why, "skip: ", 6) == 0) {
		counts->skipped++;
		printf("ok %u %s # SKIP %s\n", n, c->name, why + 6);
	} else {
		counts->failed++;
		printf("not ok %u %s\n# %s\n", n, c->name, why);
	}
	fflush(stdout); /* so that a case that hangs is known by name */
}

int main(int argc, char **argv)
{
	struct options options = { .filter = "" };
	struct counts counts = { 0 };
	int status = parse(&options, argc, argv);

	if (status >= 0)
		return status;
	for (unsigned int i = 0; i < conformance_nr_cases; i++) {
		const struct conformance_case *c = &conformance_cases[i];

		if (!strstr(c->name, options.filter))
			continue;
		if (options.list)
			puts(c->name);
		else
			run(c, i + 1, &counts);
	}
	if (options.list)
		return 0;
	printf("# port: %s\n", port_facts()->name);
	printf("cases: %u passed, %u failed, %u skipped\n", counts.passed,
	       counts.failed, counts.skipped);
	if (counts.failed > 0)
		return EXIT_BUG;
	if (counts.passed > 0)
		return 0;
	fprintf(stderr, "conformance_test: no case ran; --list names them\n");
	return EXIT_USAGE;
}
