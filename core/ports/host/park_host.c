/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/ports/host/host.h"

/* ---- Who sleeps ---------------------------------------------------------- */

/*
 * A run is over when every task has returned, or when the others all sleep
 * without a deadline and none has a token: nobody is left to wake them. The
 * counts say exactly that, because a task counts itself in before it sleeps
 * and out before it takes its token, both under the lock.
 *
 * The lock is one that TSan does not see, and so are the counts; else every
 * sleep would order all tasks, and hide races in the core.
 */
static struct {
	uint32_t lock;
	uint32_t nr_live;   /* started and not returned */
	uint32_t nr_asleep; /* for good, unless somebody unparks them */
	uint32_t state;	    /* enum host_run_state; a futex */
} run;

static void run_lock(void)
{
	while (__atomic_exchange_n(&run.lock, 1, __ATOMIC_RELAXED))
		sched_yield();
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static void run_unlock(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&run.lock, 0, __ATOMIC_RELAXED);
}

/* pre: the run's lock is held. Returns the new value. */
static uint32_t run_count(uint32_t *count, uint32_t delta)
{
	uint32_t value = __atomic_load_n(count, __ATOMIC_RELAXED) + delta;

	__atomic_store_n(count, value, __ATOMIC_RELAXED);
	return value;
}

/* pre: the run's lock is held. */
static enum host_run_state run_state_now(void)
{
	uint32_t live = run_count(&run.nr_live, 0);

	if (live == 0)
		return HOST_RUN_DONE;
	if (run_count(&run.nr_asleep, 0) < live)
		return HOST_RUN_GOES_ON;
	for (unsigned int i = 1; i <= host_nr_tasks; i++)
		if (!run_count(&host_tasks[i].returned, 0) &&
		    __atomic_load_n(&host_tasks[i].token, __ATOMIC_RELAXED) ==
			    HOST_TOKEN_SET)
			return HOST_RUN_GOES_ON;
	return HOST_RUN_STALLED;
}

static void futex_wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Returns when *@word is not @value, at @until (absolute), or for no reason. */
static void futex_wait(uint32_t *word, uint32_t value,
		       const struct timespec *until)
{
	syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value, until, NULL,
		FUTEX_BITSET_MATCH_ANY);
}

static void run_over(enum host_run_state state)
{
	if (state == HOST_RUN_GOES_ON)
		return;
	__atomic_store_n(&run.state, state, __ATOMIC_RELEASE);
	futex_wake(&run.state);
}

/* ---- Park and unpark ----------------------------------------------------- */

/* A token that is there already: no sleep. */
static bool token_take(struct host_task *self)
{
	uint32_t set = HOST_TOKEN_SET;

	if (!__atomic_compare_exchange_n(&self->token, &set, HOST_TOKEN_NONE,
					 false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return false;
	port_fence();
	return true;
}

/*
 * From here on an unpark has to wake us. Release: the controlling context
 * reads what a task that sleeps for good has left behind (sleepers_seen()).
 */
static bool fall_asleep(struct host_task *self, bool for_good)
{
	enum host_run_state state = HOST_RUN_GOES_ON;
	uint32_t none = HOST_TOKEN_NONE;
	bool asleep;

	run_lock();
	asleep = __atomic_compare_exchange_n(&self->token, &none,
					     HOST_TOKEN_ASLEEP, false,
					     __ATOMIC_RELEASE,
					     __ATOMIC_RELAXED);
	if (asleep && for_good) {
		run_count(&run.nr_asleep, 1);
		state = run_state_now();
	}
	run_unlock();
	run_over(state);
	return asleep;
}

/* Returns whether somebody unparked us. */
static bool wake_up(struct host_task *self, bool for_good)
{
	uint32_t token;

	run_lock();
	if (for_good)
		run_count(&run.nr_asleep, (uint32_t)-1);
	token = __atomic_exchange_n(&self->token, HOST_TOKEN_NONE,
				    __ATOMIC_RELAXED);
	run_unlock();
	port_fence();
	if (token == HOST_TOKEN_KILLED)
		longjmp(self->killed, 1);
	return token == HOST_TOKEN_SET;
}

bool host_task_asleep(const struct host_task *task)
{
	return __atomic_load_n(&task->token, __ATOMIC_RELAXED) ==
	       HOST_TOKEN_ASLEEP;
}

/* See port_now(). */
static struct timespec time_of_tick(uint64_t tick)
{
	uint64_t latest = INT64_MAX >> HOST_TICK_SHIFT;
	uint64_t ns = (tick < latest ? tick : latest) << HOST_TICK_SHIFT;

	return (struct timespec){
		.tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000),
	};
}

/* pre: the CPU has been left. */
static bool sleep_until(struct host_task *self, uint64_t deadline)
{
	bool for_good = deadline == PORT_NO_DEADLINE;
	struct timespec until = time_of_tick(deadline);

	if (!fall_asleep(self, for_good))
		return token_take(self);
	while (host_task_asleep(self) && (for_good || port_now() < deadline))
		futex_wait(&self->token, HOST_TOKEN_ASLEEP,
			   for_good ? NULL : &until);
	return wake_up(self, for_good);
}

bool port_park(uint64_t deadline)
{
	struct host_task *self = host_task_self();
	bool unparked;

	if (!port_may_sleep()) {
		host_bug("host: port_park() where sleeping is not allowed");
		return true;
	}
	if (token_take(self))
		return true;
	if (self == &host_tasks[0] && deadline == PORT_NO_DEADLINE)
		host_give_up("the controlling context sleeps, and no task runs",
			     EDEADLK);
	if (self == &host_tasks[0])
		return sleep_until(self, deadline);
	host_cpu_leave(self->cpu);
	unparked = sleep_until(self, deadline);
	host_cpu_enter(self);
	return unparked;
}

/* Relaxed: what orders it before the sleeper's look is port_unpark(). */
bool port_signal_pending(const struct port_task *task)
{
	return __atomic_load_n(&host_tasks[task->id].signal,
			       __ATOMIC_RELAXED) != 0;
}

void machine_kill(uint32_t id)
{
	__atomic_store_n(&host_tasks[id].signal, 1, __ATOMIC_RELAXED);
	port_unpark(&host_tasks[id].task);
}

bool machine_take_signal(void)
{
	return __atomic_exchange_n(&host_task_self()->signal, 0,
				   __ATOMIC_RELAXED) != 0;
}

void port_unpark(struct port_task *task)
{
	struct host_task *sleeper = &host_tasks[task->id];

	port_fence();
	if (__atomic_exchange_n(&sleeper->token, HOST_TOKEN_SET,
				__ATOMIC_RELAXED) == HOST_TOKEN_ASLEEP)
		futex_wake(&sleeper->token);
}

/* ---- A run, seen from the controlling context ---------------------------- */

void host_run_begin(unsigned int nr_tasks)
{
	run_lock();
	run_count(&run.nr_live, nr_tasks);
	run_unlock();
	__atomic_store_n(&run.state, HOST_RUN_GOES_ON, __ATOMIC_RELAXED);
}

void host_run_reset(void)
{
	run.nr_live = 0;
	run.nr_asleep = 0;
}

void host_run_returned(struct host_task *task)
{
	enum host_run_state state;

	run_lock();
	run_count(&task->returned, 1);
	run_count(&run.nr_live, (uint32_t)-1);
	state = run_state_now();
	run_unlock();
	run_over(state);
}

enum host_run_state host_run_wait(void)
{
	uint32_t state;

	while ((state = __atomic_load_n(&run.state, __ATOMIC_ACQUIRE)) ==
	       HOST_RUN_GOES_ON)
		futex_wait(&run.state, HOST_RUN_GOES_ON, NULL);
	return (enum host_run_state)state;
}

void host_kill_sleeper(struct host_task *task)
{
	if (!host_task_asleep(task))
		return;
	__atomic_store_n(&task->token, HOST_TOKEN_KILLED, __ATOMIC_RELAXED);
	futex_wake(&task->token);
}
