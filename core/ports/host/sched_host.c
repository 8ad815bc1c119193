/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <string.h>

#include "core/ports/host/host.h"

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
	host_cpus_reset();
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
		host_cpu_queue(&host_tasks[i]);
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
	host_cpus_claim();
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
	host_cpus_shutdown();
	host_nr_tasks = 0;
}
