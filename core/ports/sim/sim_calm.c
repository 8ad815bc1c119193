/* SPDX-License-Identifier: MIT */
#include "core/ports/sim/sim.h"

/*
 * The calm phase, in which everybody must be served: nothing is late or lost,
 * and each task that can run has its turn, in the order of their numbers.
 *
 * A turn is long enough for an operation that nobody disturbs. So who fails
 * here does not merely lose a race against another that keeps step with it:
 * it waits for something that does not come.
 */
#define STEPS_OF_A_TURN 64

static struct {
	uint32_t since;	    /* step; 0: not yet */
	uint32_t end;	    /* the first step that it does not have */
	uint32_t turn_ends; /* step */
	uint32_t turn_of;   /* task id */
	uint32_t gave_up_on;
} calm;

void sim_calm_reset(void)
{
	calm.since = 0;
	calm.turn_ends = 0;
	calm.turn_of = 0;
	calm.gave_up_on = 0;
}

uint32_t sim_calm_since(void)
{
	return calm.since;
}

uint32_t sim_gave_up_on(void)
{
	return calm.gave_up_on;
}

void sim_calm_begin(uint32_t steps)
{
	calm.since = sim_steps();
	calm.end = calm.since + steps;
	sim_drain_all();
}

struct port_task *sim_calm_next(void)
{
	struct port_task *task;

	sim_answer_all(); /* whose interrupts have come on since */
	do {
		task = &sim.tasks[calm.turn_of % sim.nr_tasks];
		calm.turn_of = task->id;
	} while (!sim_can_run(task));
	calm.turn_ends = sim_steps() + STEPS_OF_A_TURN;
	return task;
}

void sim_calm_point(void)
{
	struct port_task *self = sim_running();
	struct port_task *next = self;

	if (sim_steps() >= calm.end) {
		calm.gave_up_on = self->id;
		sim_stop_run();
	}
	if (sim_steps() >= calm.turn_ends)
		next = sim_calm_next(); /* us, if nobody else can */
	if (next != self)
		sim_switch_to(next);
}
