/* SPDX-License-Identifier: MIT */
#include "core/ports/sim/sim.h"

/*
 * CPUs that come and go. One that is offline runs nothing, answers nothing and
 * is asked for nothing; its TLB keeps what it had, and page tables change
 * meanwhile. It goes as with Linux' stop_machine(), which first has a thread of
 * its own run on every CPU: only when each of them could switch tasks. It comes
 * back at any point: nobody is stopped for that.
 */

/* Who is pinned keeps its CPU; the windows of its local maps are there. */
static bool all_may_leave(unsigned int cpu)
{
	for (unsigned int i = 0; i < sim.nr_tasks; i++) {
		const struct port_task *task = &sim.tasks[i];

		if (task->cpu == cpu && task->state != SIM_TASK_DONE &&
		    !sim_may_leave(task))
			return false;
	}
	return true;
}

/* Nobody holds a spin lock, or counts on its CPU to stay for another reason. */
static bool all_let_go(void)
{
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		if (!sim_cpu_lets_go(&sim.cpus[c]))
			return false;
	return true;
}

/* The CPU that executes stays, so one is always online. */
bool sim_can_go_offline(unsigned int cpu)
{
	const struct sim_cpu *goes = &sim.cpus[cpu];

	return cpu != sim.cpu && !goes->offline && goes->shootdowns == 0 &&
	       goes->irq_depth == 0 && !goes->irq_off && all_let_go() &&
	       all_may_leave(cpu);
}

unsigned int sim_first_online(void)
{
	unsigned int cpu = 0;

	while (sim.cpus[cpu].offline)
		cpu++;
	return cpu;
}

void sim_go_offline(unsigned int cpu)
{
	sim_drain(cpu);
	sim.cpus[cpu].offline = true;
	for (unsigned int i = 0; i < sim.nr_tasks; i++) {
		struct port_task *task = &sim.tasks[i];

		if (task->cpu == cpu && task->state != SIM_TASK_DONE)
			sim_migrate(task, sim_first_online());
	}
}

/* As a CPU starts: it loads CR3 before it uses any translation. */
void sim_come_online(unsigned int cpu)
{
	sim_tlb_flush_all(cpu);
	sim.cpus[cpu].offline = false;
	sim_tlb_load_slots(cpu);
}
