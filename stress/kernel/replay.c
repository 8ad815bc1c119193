/* SPDX-License-Identifier: MIT */

#include "stress/kernel/replay.h"

#include <highmem/format.h>

#include "core/ports/i686/console.h"
#include "core/ports/i686/i686.h"
#include "core/ports/i686/words.h"
#include "stress/kernel/cases.h"
#include "stress/kernel/outcome.h"
#include "stress/kernel/pack.h"

static const struct program *program;
static const char *name;

static void say(const char *line)
{
	console_printf("%s\n", line);
}

static const char *run(void)
{
	static char skip[128];
	const char *why = program_can(program);

	if (!why)
		return outcome_of(name, program, say);
	hm_format(skip, sizeof(skip), "skip: %s", why);
	return skip;
}

static void replay_program(const char *of, const struct program *it)
{
	const struct conformance_case test = { .name = of, .run = run };

	name = of;
	program = it;
	if (word_given("plain") || word_given("one_cpu"))
		program = outcome_plain(it, port_facts()->pae,
					word_given("one_cpu"));
	run_case(&test);
}

/* All programs of all modules: their number, or the end of the run. */
static unsigned int for_each_program(pack_visit_t *visit)
{
	const struct i686_module *module;
	unsigned int sum = 0, nr;
	const char *why;

	for (unsigned int m = 0; (module = i686_get_module(m)); m++) {
		why = pack_for_each(module->name, module->data, module->size,
				    visit, &nr);
		if (why) {
			console_printf("Bail out! bad boot module %s\n", why);
			i686_exit(I686_EXIT_UNFIT);
		}
		sum += nr;
	}
	return sum;
}

void replay_modules(void)
{
	console_printf("1..%u\n", for_each_program(NULL));
	for_each_program(replay_program);
}
