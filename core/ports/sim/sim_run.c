/* SPDX-License-Identifier: MIT */
#include "core/ports/sim/sim.h"

/* A run from its begin to its end: who is next, and why nobody is. */

/* The run ends although tasks could go on. */
static bool abandoned;

/* Where a panic in a switch goes on: that is nobody's fiber. */
static jmp_buf end_of_run;
static bool running;

static struct port_task *pick_task(void)
{
	struct port_task *best = NULL;

	for (unsigned int i = 0; i < sim.nr_tasks; i++) {
		struct port_task *task = &sim.tasks[i];

		if (sim_can_run(task) && (!best || task->rank < best->rank))
			best = task;
	}
	return best;
}

/* Nobody can run: let time pass until somebody's deadline. */
static bool advance_time(void)
{
	uint64_t next = PORT_NO_DEADLINE;

	for (unsigned int i = 0; i < sim.nr_tasks; i++)
		if (sim.tasks[i].state == SIM_TASK_PARKED &&
		    sim.tasks[i].deadline < next)
			next = sim.tasks[i].deadline;
	if (next == PORT_NO_DEADLINE)
		return false;
	sim.now = next;
	sim_wake_expired();
	return true;
}

static bool all_done(void)
{
	for (unsigned int i = 0; i < sim.nr_tasks; i++)
		if (sim.tasks[i].state != SIM_TASK_DONE)
			return false;
	return true;
}

void sim_stop_run(void)
{
	abandoned = true;
	if (sim_running() != &sim.controller)
		sim_leave_run();
}

void sim_stop_for_panic(void)
{
	if (!running)
		return;
	sim_stop_run();
	longjmp(end_of_run, 1);
}

/* Who spins for a lock that nobody will release has been interrupted with it. */
static void report_spinners(void)
{
	for (unsigned int i = 0; i < sim.nr_tasks; i++)
		if (sim.tasks[i].state == SIM_TASK_SPINNING)
			port_bug("sim: a task spins on a lock that nobody "
				 "will release");
}

/* Who waits for an answer to a shootdown waits for ever. */
static void report_silent_cpus(void)
{
	char sentence[128];

	for (unsigned int c = 0; c < sim.config.nr_cpus; c++) {
		if (sim.cpus[c].shootdowns == 0)
			continue;
		hm_format(sentence, sizeof(sentence),
			  "sim: CPU %u waits with interrupts off, and task %u "
			  "waits for it to answer a shootdown: deadlock",
			  c,
			  (unsigned int)__builtin_ctz(sim.cpus[c].shootdowns));
		port_bug(sentence);
	}
}

static void run_until_nobody_can(void)
{
	struct port_task *next;

	while ((next = pick_task()) != NULL) {
		next = sim_choose_next(next);
		if (abandoned)
			return;
		sim_switch_to(next);
		if (abandoned)
			return;
	}
}

enum machine_verdict machine_run(void)
{
	abandoned = false;
	sim_control_begin();
	running = true;
	if (setjmp(end_of_run) == 0)
		do {
			run_until_nobody_can();
		} while (!abandoned && (sim_answer_all() || sim_drain_all() ||
					advance_time()));
	running = false;
	sim_control_end();
	if (abandoned || all_done())
		return abandoned ? MACHINE_STALLED : MACHINE_DONE;
	report_silent_cpus();
	report_spinners();
	return MACHINE_STALLED;
}
