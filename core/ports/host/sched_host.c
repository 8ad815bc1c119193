/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
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

/* ---- CPUs ---------------------------------------------------------------- */

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

static void cpu_queue(struct host_cpu *cpu, struct host_task *task)
{
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
		cpu_queue(cpu, task);
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
		cpu_queue(cpu, task);
		cpu_drop(cpu, task->cpu);
		cpu_wait_turn(cpu, task);
	}
	pthread_mutex_unlock(&cpu->lock);
}

/* The controlling context takes all CPUs; no task runs on any. */
static void cpus_claim(void)
{
	for (unsigned int nr = 0; nr < HIGHMEM_MAX_CPUS; nr++) {
		pthread_mutex_lock(&cpus[nr].lock);
		if (nr == 0)
			cpu_switch(&cpus[0], &host_tasks[0]);
		cpus[nr].owner = &host_tasks[0];
		pthread_mutex_unlock(&cpus[nr].lock);
	}
}

/* ---- Tasks --------------------------------------------------------------- */

struct host_task *host_task_make(unsigned int cpu, void (*entry)(void *arg),
				 void *arg)
{
	struct host_task *task;

	if (host_nr_tasks == MACHINE_MAX_TASKS)
		host_give_up("more tasks than MACHINE_MAX_TASKS", ENOSPC);
	task = &host_tasks[++host_nr_tasks];
	memset(&task->ctrl, 0, sizeof(task->ctrl));
	task->task.id = host_nr_tasks;
	task->task.kmap_ctrl = &task->ctrl;
	task->cpu = cpu;
	__atomic_store_n(&task->token, HOST_TOKEN_NONE, __ATOMIC_RELAXED);
	task->wants_cpu = false;
	task->rank = 0;
	__atomic_store_n(&task->returned, 0, __ATOMIC_RELAXED);
	task->started = false;
	task->joined = false;
	task->entry = entry;
	task->arg = arg;
	pthread_cond_init(&task->turn, NULL);
	host_bugs_reset(&task->bugs);
	return task;
}

/* What a task must have given back. */
static void check_end(struct host_task *task)
{
	if (host_self.preempt_off)
		host_bug("host: task %u ended with preemption disabled (%d)",
			 task->task.id, (int)host_self.preempt_off);
	if (host_self.migrate_off)
		host_bug("host: task %u ended with migration disabled (%d)",
			 task->task.id, (int)host_self.migrate_off);
	if (host_self.irqs_off)
		host_bug("host: task %u ended with interrupts off",
			 task->task.id);
	if (host_guest && host_guest->task_ends)
		host_guest->task_ends(&task->task);
}

static void *task_thread(void *arg)
{
	struct host_task *task = arg;

	host_self.task = &task->task;
	host_self.cpu = task->cpu;
	if (setjmp(task->killed))
		return NULL;
	host_cpu_enter(task);
	task->entry(task->arg);
	check_end(task);
	host_cpu_leave(task->cpu);
	host_run_returned(task);
	return NULL;
}

static void task_start(struct host_task *task)
{
	pthread_attr_t attr;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1024 * 1024);
	error = pthread_create(&task->thread, &attr, task_thread, task);
	if (error)
		host_give_up("cannot make a thread", error);
	pthread_attr_destroy(&attr);
	task->started = true;
}

static void task_join(struct host_task *task)
{
	if (!task->started || task->joined)
		return;
	pthread_join(task->thread, NULL);
	task->joined = true;
}

/* ---- A run --------------------------------------------------------------- */

void host_sched_reset(void)
{
	struct host_task *control = &host_tasks[0];

	host_nr_tasks = 0;
	memset(&control->ctrl, 0, sizeof(control->ctrl));
	control->task.kmap_ctrl = &control->ctrl;
	control->token = HOST_TOKEN_NONE;
	host_bugs_reset(&control->bugs);
	for (unsigned int nr = 0; nr < HIGHMEM_MAX_CPUS; nr++) {
		pthread_mutex_init(&cpus[nr].lock, NULL);
		cpus[nr].owner = control;
		cpus[nr].loaded = nr == 0 ? control : NULL;
		cpus[nr].nr_waiting = 0;
	}
	host_run_reset();
}

/*
 * All tasks stand in line before the first one runs, so that on one CPU the
 * order is that of the ranks from the start, and on several all set off
 * together.
 */
static void start_tasks(unsigned int first)
{
	host_run_begin(host_nr_tasks - first + 1);
	for (unsigned int i = first; i <= host_nr_tasks; i++)
		cpu_queue(&cpus[host_tasks[i].cpu], &host_tasks[i]);
	for (unsigned int i = first; i <= host_nr_tasks; i++)
		task_start(&host_tasks[i]);
	for (unsigned int nr = 0; nr < HIGHMEM_MAX_CPUS; nr++)
		host_cpu_leave(nr);
}

/* Join those that returned, and see what those that sleep have done. */
static void collect_tasks(void)
{
	for (unsigned int i = 1; i <= host_nr_tasks; i++)
		if (__atomic_load_n(&host_tasks[i].token, __ATOMIC_ACQUIRE) !=
		    HOST_TOKEN_ASLEEP)
			task_join(&host_tasks[i]);
}

enum machine_verdict host_run(void)
{
	unsigned int first = 1;
	enum host_run_state state;

	while (first <= host_nr_tasks && host_tasks[first].started)
		first++;
	if (first > host_nr_tasks)
		return MACHINE_DONE;
	start_tasks(first);
	state = host_run_wait();
	collect_tasks();
	cpus_claim();
	return state == HOST_RUN_DONE ? MACHINE_DONE : MACHINE_STALLED;
}

/*
 * A sleeper's thread leaves through longjmp(): its stack, where others may
 * have seen a queue entry, goes away only now.
 */
void host_sched_shutdown(void)
{
	for (unsigned int i = 1; i <= host_nr_tasks; i++) {
		struct host_task *task = &host_tasks[i];

		host_kill_sleeper(task);
		task_join(task);
		pthread_cond_destroy(&task->turn);
	}
	for (unsigned int nr = 0; nr < HIGHMEM_MAX_CPUS; nr++)
		pthread_mutex_destroy(&cpus[nr].lock);
	host_nr_tasks = 0;
}
