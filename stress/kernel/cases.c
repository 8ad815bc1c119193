/* SPDX-License-Identifier: MIT */

#include "stress/kernel/cases.h"

#include <highmem/format.h>

#include "core/port/machine.h"
#include "core/ports/i686/console.h"
#include "core/ports/i686/i686.h"
#include "core/ports/i686/words.h"

/* A case takes a few milliseconds; a loaded host may stretch that. */
#define CASE_SECONDS 20

static struct {
	unsigned int nr; /* cases run so far */
	unsigned int passed, failed, skipped;
} total;

void report_case(const char *name, const char *why)
{
	total.nr++;
	if (!why) {
		total.passed++;
		console_printf("ok %u %s\n", total.nr, name);
	} else if (text_starts_with(why, "skip: ")) {
		total.skipped++;
		console_printf("ok %u %s # SKIP %s\n", total.nr, name,
			       why + sizeof("skip: ") - 1);
	} else {
		total.failed++;
		console_printf("# %s\nnot ok %u %s\n", why, total.nr, name);
	}
}

void run_case(const struct conformance_case *test)
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
	report_case(test->name, why);
}

void finish_cases(void)
{
	console_printf("# Totals: pass:%u fail:%u skip:%u\n", total.passed,
		       total.failed, total.skipped);
	i686_exit(total.failed ? I686_EXIT_FAIL : I686_EXIT_PASS);
}
