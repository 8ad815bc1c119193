/* SPDX-License-Identifier: MIT */

/*
 * The kernel: runs the conformance suite and its own cases, and tells KTAP
 * about it on the serial port. Words of the command line after " -- " (before
 * it stands what the loader says, as the name of the image):
 *
 *	run=torture	only that, not the suite
 *	run=bench	instructions per operation (bench.c)
 *	time=N		torture for N seconds (torture.c), after the suite
 *	seed=N		of the random programs, and of torture (1)
 *	round=N		torture begins with that round (0)
 *	smp=N		there must be N CPUs, or everything is skipped
 *	case=TEXT	only cases whose names contain TEXT
 *	break=KIND	one more case that goes wrong on purpose (break.h)
 *	plain		programs from modules without nested interrupts, and with
 *			the page tables that there are
 *	one_cpu		the same, and on one CPU
 *
 * Any other word ends the boot with a list of them. The port has words of its
 * own, on memory: README.md has all that there are. With boot modules,
 * their programs are replayed instead of the suite (replay.h).
 */

#include <highmem/format.h>

#include "core/port/machine.h"
#include "core/ports/i686/console.h"
#include "core/ports/i686/i686.h"
#include "core/ports/i686/words.h"
#include "stress/kernel/bench.h"
#include "stress/kernel/break.h"
#include "stress/kernel/cases.h"
#include "stress/kernel/replay.h"
#include "stress/kernel/state.h"
#include "stress/kernel/torture.h"

static char only[64]; /* case= */

/* Those above; words.h says how to read them. */
const char *const kernel_words[] = {
	"run=",	 "time=",  "seed=", "round=",  "smp=",
	"case=", "break=", "plain", "one_cpu", NULL,
};

/* ---- Cases --------------------------------------------------------------------- */

/* All but the cases of memory.c build machines, which have highmem. */
static bool needs_highmem(const struct conformance_case *test)
{
	return test < memory_cases || test >= memory_cases + memory_nr_cases;
}

static void run_if_possible(const struct conformance_case *test)
{
	if (!i686_layout()->nr_highmem && needs_highmem(test))
		report_case(test->name,
			    "skip: there is no highmem: take more RAM, "
			    "or the word highmem=32M");
	else
		run_case(test);
}

static const struct suite {
	const struct conformance_case *cases;
	const unsigned int *nr;
} suites[] = {
	{ memory_cases, &memory_nr_cases },
	{ conformance_cases, &conformance_nr_cases },
	{ smp_cases, &smp_nr_cases },
	{ parallel_cases, &parallel_nr_cases },
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
			if (!text_contains(suites[s].cases[i].name, only))
				continue;
			nr++;
			if (visit)
				visit(&suites[s].cases[i]);
		}
	return nr;
}

/*
 * Why this machine is not what the command line asks for; NULL: it is. The
 * port has seen to pae and nopae. Without highmem each case says for itself
 * that it needs some.
 */
static const char *misfit(void)
{
	const struct machine_config config = {
		.nr_cpus = word_number("smp", 1),
		.nr_slots = 2,
		.nr_colours = 1,
		.nr_pages = 1,
		.local_depth = 1,
		.pae = port_facts()->pae,
	};

	return i686_layout()->nr_highmem ? machine_can(&config) : NULL;
}

/* The case of break=KIND, or NULL. */
static const struct conformance_case *broken_case(void)
{
	const struct conformance_case *broken;
	char kind[16];

	if (!word_value("break", kind, sizeof(kind)))
		return NULL;
	broken = break_case(kind);
	if (!broken)
		i686_refuse("break=%s: there is no such kind", kind);
	return broken;
}

static _Noreturn void run_suite(void)
{
	const struct conformance_case *broken = broken_case();
	bool tortured = word_number("time", 0) != 0;

	word_value("case", only, sizeof(only));
	console_printf("1..%u\n", for_each_case(NULL) + (broken ? 1 : 0) +
					  (tortured ? 1 : 0));
	for_each_case(run_if_possible);
	if (broken)
		run_case(broken);
	if (tortured)
		run_if_possible(&torture_case);
	finish_cases();
}

static _Noreturn void run_one(const struct conformance_case *test)
{
	console_printf("1..1\n");
	run_if_possible(test);
	finish_cases();
}

static bool is_text(const char *text, const char *other)
{
	return text_starts_with(text, other) && text_starts_with(other, text);
}

/* run=WHAT */
static _Noreturn void run_chosen(void)
{
	char what[16];

	if (!word_value("run", what, sizeof(what)))
		run_suite();
	if (is_text(what, "torture"))
		run_one(&torture_case);
	if (is_text(what, "bench"))
		run_one(&bench_case);
	i686_refuse("run=%s: there is no such thing to run", what);
}

void kernel_main(void)
{
	const char *why;

	console_printf("KTAP version 1\n");
	state_init();
	why = misfit();
	if (why) {
		console_printf("1..0 # SKIP %s\n", why);
		finish_cases();
	}
	if (i686_nr_modules() == 0)
		run_chosen();
	replay_modules();
	finish_cases();
}
