/* SPDX-License-Identifier: MIT */

/*
 * The kernel: runs the conformance suite and its own cases, and tells KTAP
 * about it on the serial port. Words of the command line after " -- " (before
 * it stands what the loader says, as the name of the image):
 *
 *	case=TEXT	only cases whose names contain TEXT
 *	break=KIND	one more case that goes wrong on purpose (break.h)
 */

#include <highmem/format.h>

#include "core/ports/i686/console.h"
#include "core/ports/i686/i686.h"
#include "core/testing/machine.h"
#include "stress/kernel/break.h"
#include "stress/kernel/cases.h"

/* A case takes a few milliseconds; a loaded host may stretch that. */
#define CASE_SECONDS 20

static char only[64];	    /* case= */
static char break_kind[16]; /* break= */

static struct {
	unsigned int nr; /* cases run so far */
	unsigned int passed, failed, skipped;
} total;

/* ---- The command line -------------------------------------------------------- */

static bool starts_with(const char *text, const char *start)
{
	while (*start && *text == *start)
		text++, start++;
	return !*start;
}

static bool contains(const char *text, const char *part)
{
	for (; *text; text++)
		if (starts_with(text, part))
			return true;
	return !*part;
}

/* What follows the first @mark; the end of @line if there is none. */
static const char *after(const char *line, const char *mark)
{
	while (*line && !starts_with(line, mark))
		line++;
	while (*line && *mark)
		line++, mark++;
	return line;
}

/* The value of the word that begins with @key; none: empty. */
static void read_option(const char *options, const char *key, char *value,
			size_t size)
{
	const char *word = after(options, key);
	size_t len = 0;

	for (; *word && *word != ' ' && len + 1 < size; word++)
		value[len++] = *word;
	value[len] = '\0';
}

/* ---- Cases --------------------------------------------------------------------- */

static void report(const char *name, const char *why)
{
	total.nr++;
	if (!why) {
		total.passed++;
		console_printf("ok %u %s\n", total.nr, name);
	} else if (starts_with(why, "skip: ")) {
		total.skipped++;
		console_printf("ok %u %s # SKIP %s\n", total.nr, name,
			       why + sizeof("skip: ") - 1);
	} else {
		total.failed++;
		console_printf("# %s\nnot ok %u %s\n", why, total.nr, name);
	}
}

static void run_case(const struct conformance_case *test)
{
	const char *why;

	i686_set_activity(test->name);
	i686_watchdog(CASE_SECONDS);
	why = test->run();
	machine_shutdown(); /* a case that failed may have left it up */
	if (i686_unexpected_bugs() && !why)
		why = "something was reported that the case did not expect";
	if (!port_may_sleep())
		i686_panic("%s left preemption or interrupts off", test->name);
	i686_watchdog(0);
	i686_set_activity(NULL);
	report(test->name, why);
}

static const struct suite {
	const struct conformance_case *cases;
	const unsigned int *nr;
} suites[] = {
	{ conformance_cases, &conformance_nr_cases },
	{ program_cases, &program_nr_cases },
	{ step_cases, &step_nr_cases },
	{ handover_cases, &handover_nr_cases },
	{ storm_cases, &storm_nr_cases },
};

#define NR_SUITES (sizeof(suites) / sizeof(suites[0]))

/* Calls @visit, if any, for each chosen case; returns their number. */
static unsigned int
for_each_case(void (*visit)(const struct conformance_case *test))
{
	unsigned int nr = 0;

	for (unsigned int s = 0; s < NR_SUITES; s++)
		for (unsigned int i = 0; i < *suites[s].nr; i++) {
			if (!contains(suites[s].cases[i].name, only))
				continue;
			nr++;
			if (visit)
				visit(&suites[s].cases[i]);
		}
	return nr;
}

void kernel_main(const char *command_line)
{
	const char *options = after(command_line, " --");
	const struct conformance_case *broken;

	read_option(options, " case=", only, sizeof(only));
	read_option(options, " break=", break_kind, sizeof(break_kind));
	broken = break_case(break_kind);
	if (break_kind[0] && !broken)
		i686_panic("break=%s: there is no such kind", break_kind);
	console_printf("KTAP version 1\n1..%u\n",
		       for_each_case(NULL) + (broken ? 1 : 0));
	console_printf("# %u MiB of highmem from pfn %x on\n",
		       i686_highmem_frames() >> (20 - PAGE_SHIFT),
		       I686_HIGHMEM_PFN);
	for_each_case(run_case);
	if (broken)
		run_case(broken);
	console_printf("# Totals: pass:%u fail:%u skip:%u\n", total.passed,
		       total.failed, total.skipped);
	i686_exit(total.failed ? I686_EXIT_FAIL : I686_EXIT_PASS);
}
