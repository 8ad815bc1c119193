/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_SCHED_H
#define CORE_PORTS_I686_SCHED_H

/*
 * The tasks, as sched.c and turns.c see them. All of it is touched with the
 * lock held and interrupts off, but for the atomic words.
 */

#include "core/ports/i686/internal.h"

extern struct sched {
	port_spinlock_t lock;
	const struct guest *guest; /* NULL: no machine is up */
	bool running;		   /* machine_run() is under way */
	bool parallel, round_robin;
	_Atomic uint32_t nr_cpus;
	_Atomic uint64_t now;
	unsigned int hand; /* whose turn it was last */
	unsigned int nr_tasks;
	struct port_task task[MACHINE_MAX_TASKS + 1]; /* by id, from 1 on */
	struct port_task idle[HIGHMEM_MAX_CPUS];
} sched;

static inline struct port_task *idle_of(unsigned int cpu)
{
	return &sched.idle[cpu];
}

static inline bool is_idle(unsigned int cpu)
{
	return i686_cpus[cpu].current == idle_of(cpu);
}

/* ---- turns.c --------------------------------------------------------------- */

/* Nobody runs or can, and no deadline will come. */
bool run_is_over(void);

/* @task is ready: an idle CPU that may run it gets to know. */
void wake_cpu_for(const struct port_task *task);

/* Those whose deadline has come are ready. */
void wake_expired(void);

/*
 * What @cpu, this one, does next: a task that is ready, or its idle task. NULL:
 * nobody, but its task is to stay where it is. One at a time, the CPU of a task
 * that waits for its turn has nothing better to do, and keeps its windows, as
 * on the sim.
 */
struct port_task *next_task(const struct i686_cpu *cpu);

#endif
