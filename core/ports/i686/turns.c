/* SPDX-License-Identifier: MIT */

/* Who can go on, whose turn it is, and where. The lock is held. */

#include "core/ports/i686/sched.h"
#include "core/ports/i686/smp.h"

/* ---- Who can go on ----------------------------------------------------------- */

static bool someone_is(enum task_state state)
{
	for (unsigned int id = 1; id <= sched.nr_tasks; id++)
		if (sched.task[id].state == state)
			return true;
	return false;
}

/* The first deadline of those who sleep. */
static uint64_t next_deadline(void)
{
	uint64_t next = PORT_NO_DEADLINE;

	for (unsigned int id = 1; id <= sched.nr_tasks; id++)
		if (sched.task[id].state == TASK_ASLEEP &&
		    sched.task[id].deadline < next)
			next = sched.task[id].deadline;
	return next;
}

bool run_is_over(void)
{
	return !someone_is(TASK_READY) && !someone_is(TASK_RUNNING) &&
	       next_deadline() == PORT_NO_DEADLINE;
}

/* A window is an address of this CPU, and a task that has one stays here. */
static bool may_run_on(const struct port_task *task, unsigned int cpu)
{
	return task->cpu == cpu ||
	       (sched.parallel && task->migrate_disabled == 0 &&
		port_atomic_load(&task->kmap.depth) == 0);
}

void wake_cpu_for(const struct port_task *task)
{
	unsigned int nr = sched_nr_cpus();

	for (unsigned int i = 0; i < nr; i++) {
		unsigned int cpu = (task->cpu + i) % nr;

		if (!is_idle(cpu) || !may_run_on(task, cpu))
			continue;
		if (cpu != port_cpu_id())
			smp_kick(cpu);
		return;
	}
}

void wake_expired(void)
{
	uint64_t now = atomic_load(&sched.now);

	for (unsigned int id = 1; id <= sched.nr_tasks; id++) {
		struct port_task *task = &sched.task[id];

		if (task->state != TASK_ASLEEP || task->deadline > now)
			continue;
		task->state = TASK_READY;
		if (sched.parallel)
			wake_cpu_for(task);
	}
}

/* ---- Whose turn ------------------------------------------------------------- */

/* The CPU of @task has preemption off in another one, which waits its turn. */
static bool is_kept_out(const struct port_task *task)
{
	const struct port_task *there = i686_cpus[task->cpu].current;

	return there != task && there->keeps_cpu;
}

/* @cpu: where; HIGHMEM_MAX_CPUS: wherever. */
static struct port_task *next_in_turn(unsigned int cpu)
{
	for (unsigned int i = 0; i < sched.nr_tasks; i++) {
		unsigned int id = (sched.hand + i) % sched.nr_tasks + 1;
		struct port_task *task = &sched.task[id];

		if (task->state == TASK_READY &&
		    (cpu == HIGHMEM_MAX_CPUS ? !is_kept_out(task)
					     : may_run_on(task, cpu)))
			return task;
	}
	return NULL;
}

static struct port_task *lowest_rank(void)
{
	struct port_task *best = NULL;

	for (unsigned int id = 1; id <= sched.nr_tasks; id++)
		if (sched.task[id].state == TASK_READY &&
		    !is_kept_out(&sched.task[id]) &&
		    (!best || sched.task[id].rank < best->rank))
			best = &sched.task[id];
	return best;
}

static struct port_task *first_of_all(void)
{
	return sched.round_robin ? next_in_turn(HIGHMEM_MAX_CPUS)
				 : lowest_rank();
}

static void pass_time_to(uint64_t deadline)
{
	if (deadline > atomic_load(&sched.now))
		atomic_store(&sched.now, deadline);
}

/* One at a time. When all sleep it is the first deadline's time at once. */
static struct port_task *pick_in_sequence(unsigned int cpu)
{
	struct port_task *best;

	if (someone_is(TASK_RUNNING))
		return NULL;
	best = first_of_all();
	if (!best) {
		pass_time_to(next_deadline());
		wake_expired();
		best = first_of_all();
	}
	if (best->cpu == cpu)
		return best;
	smp_kick(best->cpu);
	return NULL;
}

/* Who waits in the middle of its task has to hear that it is over. */
static void end_the_run(unsigned int self)
{
	for (unsigned int cpu = 0; cpu < sched_nr_cpus(); cpu++)
		if (cpu != self && (cpu == 0 || !is_idle(cpu)))
			smp_kick(cpu);
}

struct port_task *next_task(const struct i686_cpu *cpu)
{
	struct port_task *next;

	if (!sched.running || cpu->id >= sched_nr_cpus())
		return idle_of(cpu->id);
	if (run_is_over()) {
		end_the_run(cpu->id);
		return idle_of(cpu->id);
	}
	next = sched.parallel ? next_in_turn(cpu->id)
			      : pick_in_sequence(cpu->id);
	if (!next && (sched.parallel || cpu->current->state == TASK_ENDED))
		next = idle_of(cpu->id);
	return next;
}
