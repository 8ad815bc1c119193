/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stress/torture/torture.h"

#define TICK_NS (50 * NS_PER_MS)

/* The lock is taken once in a round and once in a tick, never by a task. */
static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopping;
	const struct torture_options *options;
	const struct round *round; /* that runs now, or NULL */
	port_stat_t progress[PROGRAM_MAX_TASKS];
	struct stall_clock stalls;
	struct totals totals; /* of the rounds that have ended */
	uint64_t ops_before;  /* ops_now() when this round began */
	uint64_t began, said; /* when */
	uint64_t ops_said;
} watch = { .lock = PTHREAD_MUTEX_INITIALIZER };

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Operations of all tasks so far, those that made no sense included. */
static uint64_t ops_now(void)
{
	uint64_t ops = watch.ops_before;

	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		ops += port_stat_read(&watch.progress[t]);
	return ops;
}

/* Of those who waited to the end, how many had to be woken: 1.00 is ideal. */
static void print_ratio(char *buf, size_t size, const uint64_t *stats)
{
	uint64_t served = stats[HM_STAT_WAIT] - stats[HM_STAT_TIMEOUT] -
			  stats[HM_STAT_KILLED];

	if (served == 0)
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, "%.2f",
			 (double)stats[HM_STAT_WAKEUP] / (double)served);
}

static void say_statistics(uint64_t now)
{
	const struct totals *t = &watch.totals;
	const uint64_t *s = t->stats;
	uint64_t ops = ops_now();
	uint64_t span = now - watch.said;
	char ratio[32];

	print_ratio(ratio, sizeof(ratio), s);
	say("highmem-torture: %4" PRIu64 "s rounds %" PRIu64 " ops %" PRIu64
	    " (%.0f/s) hit %" PRIu64 " miss %" PRIu64 " flush %" PRIu64
	    " wait %" PRIu64 " handover %" PRIu64 " timeout %" PRIu64
	    " wakeups/served %s deadlocks %" PRIu64 "\n",
	    (now - watch.began) / NS_PER_S, t->rounds, ops,
	    (double)(ops - watch.ops_said) * 1e9 / (double)(span ? span : 1),
	    s[HM_STAT_HIT], s[HM_STAT_MISS], s[HM_STAT_FLUSH], s[HM_STAT_WAIT],
	    s[HM_STAT_HANDOVER], s[HM_STAT_TIMEOUT], ratio, t->deadlocks);
	watch.said = now;
	watch.ops_said = ops;
}

/* The tasks are stuck for ever, so there is nothing to return to. */
static _Noreturn void die_of_stall(void)
{
	char why[64];

	say_statistics(now_ns());
	snprintf(why, sizeof(why), "stall: no operation for %" PRIu64 " ms",
		 watch.options->stall_ns / NS_PER_MS);
	for (unsigned int t = 0; t < watch.round->program.nr_tasks; t++)
		say("highmem-torture: !!! task %c: %u operations, %s\n",
		    actor_letter(t), port_stat_read(&watch.progress[t]),
		    machine_task_asleep(t + 1) ? "asleep in port_park()"
					       : "awake or ended");
	failure_speak(why);
	_exit(EXIT_STALLED);
}

static void look(void)
{
	uint64_t now = now_ns();

	if (watch.round && stall_check(&watch.stalls, watch.progress, now,
				       watch.options->stall_ns))
		die_of_stall();
	if (now - watch.said >= watch.options->stat_interval_ns)
		say_statistics(now);
}

static void *watch_thread(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&watch.lock);
	while (!watch.stopping) {
		uint64_t at = now_ns() + TICK_NS;
		struct timespec until = {
			.tv_sec = (time_t)(at / NS_PER_S),
			.tv_nsec = (long)(at % NS_PER_S),
		};

		pthread_cond_timedwait(&watch.stop, &watch.lock, &until);
		look();
	}
	pthread_mutex_unlock(&watch.lock);
	return NULL;
}

void watch_start(const struct torture_options *options)
{
	pthread_condattr_t attr;
	int error;

	watch.options = options;
	watch.began = now_ns();
	watch.said = watch.began;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&watch.stop, &attr);
	pthread_condattr_destroy(&attr);
	error = pthread_create(&watch.thread, NULL, watch_thread, NULL);
	if (error) {
		fprintf(stderr, "torture: cannot make a thread: %s\n",
			strerror(error));
		exit(EXIT_USAGE);
	}
}

port_stat_t *watch_round_begin(const struct round *round)
{
	pthread_mutex_lock(&watch.lock);
	watch.ops_before = ops_now();
	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		port_stat_set(&watch.progress[t], 0);
	stall_restart(&watch.stalls, watch.progress, now_ns());
	watch.round = round;
	pthread_mutex_unlock(&watch.lock);
	return watch.progress;
}

void watch_round_end(const struct exec_result *result)
{
	pthread_mutex_lock(&watch.lock);
	watch.round = NULL;
	watch.totals.rounds++;
	watch.totals.deadlocks += result->verdict == EXEC_DEADLOCK;
	watch.totals.performed += result->nr_performed;
	watch.totals.skipped += result->nr_skipped;
	for (unsigned int s = 0; s < HM_NR_STATS; s++)
		watch.totals.stats[s] += result->stats[s];
	pthread_mutex_unlock(&watch.lock);
}

struct totals watch_stop(void)
{
	pthread_mutex_lock(&watch.lock);
	watch.stopping = true;
	pthread_cond_signal(&watch.stop);
	pthread_mutex_unlock(&watch.lock);
	pthread_join(watch.thread, NULL);
	say_statistics(now_ns());
	return watch.totals;
}
