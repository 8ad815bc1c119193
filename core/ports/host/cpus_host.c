/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ports/host/host.h"

/*
 * A task is a thread. It runs while it owns its CPU, which it gives up only
 * in machine_yield() and port_park(): with a CPU for each task, all run all
 * the time.
 */

struct host_task host_tasks[1 + MACHINE_MAX_TASKS];
unsigned int host_nr_tasks;
const struct guest *host_guest;

_Noreturn void host_give_up(const char *what, int error)
{
	fprintf(stderr, "host port: %s: %s\n", what, strerror(error));
	exit(1);
}

struct host_cpu {
	_Alignas(64) pthread_mutex_t lock;
	struct host_task *owner;
	struct host_task *loaded; /* whose local maps fill the windows */
	uint32_t nr_waiting;	  /* written under the lock */
};

static struct host_cpu cpus[HIGHMEM_MAX_CPUS];

static bool runs_before(const struct host_task *a, const struct host_task *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return a->task.id < b->task.id;
}

/* pre: the CPU's lock is held. */
static struct host_task *first_in_line(unsigned int cpu)
{
	struct host_task *first = NULL;

	for (unsigned int i = 1; i <= host_nr_tasks; i++) {
		struct host_task *task = &host_tasks[i];

		if (task->cpu == cpu && task->wants_cpu &&
		    (!first || runs_before(task, first)))
			first = task;
	}
	return first;
}

void host_cpu_queue(struct host_task *task)
{
	struct host_cpu *cpu = &cpus[task->cpu];

	task->wants_cpu = true;
	__atomic_store_n(&cpu->nr_waiting, cpu->nr_waiting + 1,
			 __ATOMIC_RELAXED);
}

static void cpu_drop(struct host_cpu *cpu, unsigned int nr)
{
	struct host_task *next;

	cpu->owner = NULL;
	next = first_in_line(nr);
	if (next)
		pthread_cond_signal(&next->turn);
}

/* The switch itself: runs on the thread of the one who comes. */
static void cpu_switch(struct host_cpu *cpu, struct host_task *task)
{
	cpu->owner = task;
	if (cpu->loaded == task)
		return;
	host_self.irqs_off = true;
	if (host_guest && host_guest->sched_out && cpu->loaded)
		host_guest->sched_out(&cpu->loaded->task);
	if (host_guest && host_guest->sched_in)
		host_guest->sched_in(&task->task);
	host_self.irqs_off = false;
	cpu->loaded = task;
}

/* pre: queued. */
static void cpu_wait_turn(struct host_cpu *cpu, struct host_task *task)
{
	while (cpu->owner || first_in_line(task->cpu) != task)
		pthread_cond_wait(&task->turn, &cpu->lock);
	task->wants_cpu = false;
	__atomic_store_n(&cpu->nr_waiting, cpu->nr_waiting - 1,
			 __ATOMIC_RELAXED);
	cpu_switch(cpu, task);
}

void host_cpu_enter(struct host_task *task)
{
	struct host_cpu *cpu = &cpus[task->cpu];

	pthread_mutex_lock(&cpu->lock);
	if (!task->wants_cpu)
		host_cpu_queue(task);
	cpu_wait_turn(cpu, task);
	pthread_mutex_unlock(&cpu->lock);
}

void host_cpu_leave(unsigned int nr)
{
	pthread_mutex_lock(&cpus[nr].lock);
	cpu_drop(&cpus[nr], nr);
	pthread_mutex_unlock(&cpus[nr].lock);
}

bool host_cpu_wanted(const struct host_task *task)
{
	return __atomic_load_n(&cpus[task->cpu].nr_waiting, __ATOMIC_RELAXED);
}

void host_cpu_yield(struct host_task *task)
{
	struct host_cpu *cpu = &cpus[task->cpu];
	struct host_task *next;

	pthread_mutex_lock(&cpu->lock);
	next = first_in_line(task->cpu);
	if (next && runs_before(next, task)) {
		host_cpu_queue(task);
		cpu_drop(cpu, task->cpu);
		cpu_wait_turn(cpu, task);
	}
	pthread_mutex_unlock(&cpu->lock);
}

void host_cpus_claim(void)
{
	for (unsigned int nr = 0; nr < HIGHMEM_MAX_CPUS; nr++) {
		pthread_mutex_lock(&cpus[nr].lock);
		if (nr == 0)
			cpu_switch(&cpus[0], &host_tasks[0]);
		cpus[nr].owner = &host_tasks[0];
		pthread_mutex_unlock(&cpus[nr].lock);
	}
}

void host_cpus_reset(void)
{
	for (unsigned int nr = 0; nr < HIGHMEM_MAX_CPUS; nr++) {
		pthread_mutex_init(&cpus[nr].lock, NULL);
		cpus[nr].owner = &host_tasks[0];
		cpus[nr].loaded = nr == 0 ? &host_tasks[0] : NULL;
		cpus[nr].nr_waiting = 0;
	}
}

void host_cpus_shutdown(void)
{
	for (unsigned int nr = 0; nr < HIGHMEM_MAX_CPUS; nr++)
		pthread_mutex_destroy(&cpus[nr].lock);
}
