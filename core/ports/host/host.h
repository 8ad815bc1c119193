/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_HOST_HOST_H
#define CORE_PORTS_HOST_HOST_H

/*
 * What the files of this port share. port_host.c: time, locks, TLBs, reports;
 * cpus_host.c: who runs; park_host.c: who sleeps; sched_host.c: tasks, from
 * their start to their end; machine_host.c: the machine that tests boot.
 */

#include <pthread.h>
#include <setjmp.h>

#include <highmem/highmem.h>

#include "core/port/machine.h"

/* ---- Reports ------------------------------------------------------------- */

#define HOST_MAX_BUGS 16
#define HOST_BUG_BYTES 200

/*
 * The sentences of one task, oldest first: each task writes its own, so that
 * a report costs no lock and orders nobody.
 */
struct host_bugs {
	unsigned int first;
	unsigned int nr;
	unsigned int nr_lost;		/* came while all places were taken */
	uint32_t ticket[HOST_MAX_BUGS]; /* which came first, among all tasks */
	char text[HOST_MAX_BUGS][HOST_BUG_BYTES];
	char taken[HOST_BUG_BYTES];
};

void host_bugs_reset(struct host_bugs *bugs);

/* Is there a sentence, and when did it come? Take it. */
bool host_bugs_oldest(const struct host_bugs *bugs, uint32_t *ticket);
const char *host_bugs_take(struct host_bugs *bugs);

/* port_bug() with a format. */
__attribute__((format(printf, 1, 2))) void host_bug(const char *format, ...);

/* ---- Tasks --------------------------------------------------------------- */

/* The word a sleeper waits on. */
enum host_token {
	HOST_TOKEN_NONE,
	HOST_TOKEN_SET, /* port_unpark() was here */
	HOST_TOKEN_ASLEEP,
	HOST_TOKEN_KILLED, /* the machine goes down; do not come back */
};

struct host_task {
	struct port_task task; /* first: the core's pointer is ours */
	struct kmap_ctrl ctrl;
	unsigned int cpu;
	uint32_t token;	   /* enum host_token; atomic */
	uint32_t signal;   /* machine_kill(); atomic */
	uint32_t returned; /* guarded by the run's lock; atomic */

	/* Guarded by the CPU's lock. */
	bool wants_cpu;
	pthread_cond_t turn; /* "look again, it may be yours" */
	uint32_t rank;	     /* written by the task while it has the CPU */

	/* The controlling context's. */
	bool started;
	bool joined;
	pthread_t thread;
	void (*entry)(void *arg);
	void *arg;

	jmp_buf killed;
	struct host_bugs bugs;
};

/* Task 0 is the controlling context; those of machine_spawn() follow. */
extern struct host_task host_tasks[1 + MACHINE_MAX_TASKS];
extern unsigned int host_nr_tasks; /* without task 0 */

static inline struct host_task *host_task_self(void)
{
	return &host_tasks[host_self.task->id];
}

/* What this port cannot do, and so nobody can go on. */
_Noreturn void host_give_up(const char *what, int error);

/* ---- CPUs ---------------------------------------------------------------- */

/* Who runs on the machine, and is told of switches; NULL: none has booted. */
extern const struct guest *host_guest;

/* All CPUs are the controlling context's; nobody waits for any. */
void host_cpus_reset(void);
void host_cpus_shutdown(void);

/* The controlling context takes all CPUs; no task runs on any. */
void host_cpus_claim(void);

/* Stand in line for the task's CPU. */
void host_cpu_queue(struct host_task *task);

/* Let a task of lower rank have the CPU. pre: port_may_sleep(). */
void host_cpu_yield(struct host_task *task);

/* Does anybody wait for this task's CPU? Cheap; may be old. */
bool host_cpu_wanted(const struct host_task *task);

/* Get the task's CPU, when its turn comes; give up CPU @nr. */
void host_cpu_enter(struct host_task *task);
void host_cpu_leave(unsigned int nr);

/* ---- Sleeping ------------------------------------------------------------ */

enum host_run_state {
	HOST_RUN_GOES_ON,
	HOST_RUN_DONE,
	HOST_RUN_STALLED,
};

void host_run_reset(void);

/* @nr_tasks more will run. */
void host_run_begin(unsigned int nr_tasks);

/* The last thing a task does. */
void host_run_returned(struct host_task *task);

/* Until no task can go on. */
enum host_run_state host_run_wait(void);

/* Does it sleep in port_park()? Any time. */
bool host_task_asleep(const struct host_task *task);

/* If it sleeps, its thread ends. */
void host_kill_sleeper(struct host_task *task);

/* ---- Scheduling ---------------------------------------------------------- */

/* A new task; @entry runs once host_run() starts it. */
struct host_task *host_task_make(unsigned int cpu, void (*entry)(void *arg),
				 void *arg);

/* No tasks, all CPUs the controlling context's. */
void host_sched_reset(void);

/* Start all tasks that were not, and wait as machine_run() does. */
enum machine_verdict host_run(void);

/* End the threads that still sleep, and forget all tasks. */
void host_sched_shutdown(void);

/*
 * A tick of port_now() is 2^13 ns: about what a wake-up takes, so that a
 * deadline a few ticks away and a slot handed over come close together.
 */
#define HOST_TICK_SHIFT 13

/* ---- TLBs ---------------------------------------------------------------- */

/* See struct host_tlb_entry. */
extern uint32_t host_page_stamp[HOST_TABLE_PAGES];
extern uint32_t host_all_stamp;

/* No PTE, no TLB entry. */
void host_mmu_reset(void);

#endif
