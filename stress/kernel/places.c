/* SPDX-License-Identifier: MIT */

#include "stress/kernel/places.h"

#include <highmem/format.h>

#include "core/port/machine.h"
#include "core/ports/i686/console.h"
#include "core/ports/i686/i686.h"
#include "stress/kernel/world.h"

#define LEAST_PLACES 50
#define MAX_PLACES 4096

/* Where the body comes when nobody interrupts it. */
static struct i686_place places[MAX_PLACES];
static unsigned int nr_places;

static struct {
	const struct scenario *scenario;
	const struct i686_place *place; /* NULL: find all places */
	bool reached;
} run;

static void note_place(void *unused)
{
	struct i686_place *place = &places[nr_places];

	(void)unused;
	if (nr_places == MAX_PLACES)
		i686_panic("more than %u places", MAX_PLACES);
	*place = (struct i686_place){ .eip = i686_step_eip() };
	for (unsigned int i = nr_places++; i-- > 0 && !place->pass;)
		if (places[i].eip == place->eip)
			place->pass = places[i].pass + 1;
}

void interrupted(void (*body)(void *arg), void *arg)
{
	if (run.place)
		run.reached = i686_break(body, arg, run.place,
					 run.scenario->intrude, NULL);
	else
		i686_step(body, arg, note_place, NULL);
}

static const char *run_once(const struct i686_place *place)
{
	run.place = place;
	run.reached = false;
	world_boot(run.scenario->nr_slots);
	for (unsigned int i = 0; i < 2 && run.scenario->task[i]; i++)
		machine_spawn(0, run.scenario->task[i], NULL);
	return world_run();
}

static const char *run_all(unsigned int *nr_runs)
{
	const char *why;

	nr_places = 0;
	why = run_once(NULL);
	console_printf("# %u places\n", nr_places);
	if (!why && nr_places < LEAST_PLACES)
		why = "the trap flag found hardly any place";
	for (*nr_runs = 0; *nr_runs < nr_places && !why; ++*nr_runs) {
		why = run_once(&places[*nr_runs]);
		if (!why && !run.reached)
			why = "it does not come there";
	}
	return why;
}

const char *try_every_place(const struct scenario *scenario)
{
	static char sentence[224];
	unsigned int nr_runs;
	const char *why;

	run.scenario = scenario;
	i686_set_round_robin(scenario->round_robin);
	why = run_all(&nr_runs);
	i686_set_round_robin(false);
	if (!why)
		return NULL;
	hm_format(sentence, sizeof(sentence), "place %u of %u: %s", nr_runs,
		  nr_places, why);
	return sentence;
}
