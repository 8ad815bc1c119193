/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <assert.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#include "bench/runner.h"

/* What moved inside of the timed regions. */
struct counts {
	uint64_t stat[HM_NR_STATS];
	uint64_t local_flushes;
	uint64_t shootdowns;
};

/*
 * Tasks meet where the timed region begins and again where it ends. The last
 * to arrive takes the time, for all: nobody runs before the clock does, and
 * the clock runs until everybody is done. Regions are numbered from 1.
 */
struct bench_run {
	const struct bench *bench;
	struct highmem *hm;
	uint64_t nr_operations;
	_Atomic uint64_t arrived;  /* sum over all regions */
	_Atomic uint64_t released; /* number of the region that began */
	_Atomic uint64_t left;	   /* sum over all regions */
	uint64_t started;	   /* the rest is the last one's */
	uint64_t elapsed;
	struct counts before;
	struct counts moved;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void bench_relax(void)
{
	sched_yield();
}

unsigned int bench_others_at_work(const struct bench_task *task)
{
	return task->bench->nr_tasks - 1 -
	       (unsigned int)atomic_load(&task->run->left);
}

/* ---- The timed region ---------------------------------------------------- */

static struct counts counts_now(const struct highmem *hm)
{
	struct machine_tlb_stats tlb = machine_tlb_stats();
	struct counts now = {
		.local_flushes = tlb.local_pages,
		.shootdowns = tlb.shootdowns,
	};

	for (unsigned int i = 0; i < HM_NR_STATS; i++)
		now.stat[i] = highmem_stat(hm, (enum highmem_stat)i);
	return now;
}

/* The machine's counters wrap at 2^32; a region moves them by less. */
static void counts_add_difference(struct counts *sum,
				  const struct counts *before,
				  const struct counts *now)
{
	for (unsigned int i = 0; i < HM_NR_STATS; i++)
		sum->stat[i] += (uint32_t)(now->stat[i] - before->stat[i]);
	sum->local_flushes += (uint32_t)(now->local_flushes -
					 before->local_flushes);
	sum->shootdowns += (uint32_t)(now->shootdowns - before->shootdowns);
}

static void region_enter(struct bench_run *run, uint64_t region)
{
	uint64_t all = region * run->bench->nr_tasks;

	if (atomic_fetch_add(&run->arrived, 1) + 1 == all) {
		run->before = counts_now(run->hm);
		run->started = now_ns();
		atomic_store(&run->released, region);
	}
	while (atomic_load(&run->released) < region)
		bench_relax();
}

static void region_leave(struct bench_run *run, uint64_t region)
{
	uint64_t all = region * run->bench->nr_tasks;
	struct counts now;

	if (atomic_fetch_add(&run->left, 1) + 1 < all)
		return;
	run->elapsed += now_ns() - run->started;
	now = counts_now(run->hm);
	counts_add_difference(&run->moved, &run->before, &now);
}

static uint64_t share_of(const struct bench_task *task)
{
	uint64_t nr_tasks = task->bench->nr_tasks;
	uint64_t n = task->run->nr_operations;

	return n / nr_tasks + (task->nr < n % nr_tasks);
}

static void task_main(void *arg)
{
	struct bench_task *task = arg;
	const struct bench *bench = task->bench;
	uint64_t rounds = bench->before_each ? share_of(task) : 1;
	uint64_t n = bench->before_each ? 1 : share_of(task);

	if (bench->prepare)
		bench->prepare(task);
	for (uint64_t region = 1; region <= rounds; region++) {
		if (bench->before_each)
			bench->before_each(task);
		region_enter(task->run, region);
		bench->timed(task, n);
		region_leave(task->run, region);
	}
	if (bench->finish)
		bench->finish(task);
}

/* ---- The result ---------------------------------------------------------- */

static double ratio(uint64_t what, uint64_t per)
{
	return per ? (double)what / (double)per : 0;
}

/*
 * Which counters there are is up to the row, never to what happened:
 * google-benchmark dies when repetitions of one benchmark differ in that.
 */
static void add_counter(struct bench_result *result, const char *name,
			double value)
{
	assert(result->nr_counters < BENCH_MAX_COUNTERS);
	result->counter[result->nr_counters].name = name;
	result->counter[result->nr_counters].value = value;
	result->nr_counters++;
}

static void add_counters(struct bench_result *result,
			 const struct bench_run *run)
{
	const struct counts *moved = &run->moved;
	const uint64_t *stat = moved->stat;
	unsigned int wanted = run->bench->counters;
	double n = (double)run->nr_operations;

	if (wanted & BENCH_SHOOTDOWNS)
		add_counter(result, "shootdowns_per_1000",
			    1000 * (double)moved->shootdowns / n);
	if (wanted & BENCH_SLOTS)
		add_counter(result, "slots_per_shootdown",
			    ratio(stat[HM_STAT_RETIRED], stat[HM_STAT_FLUSH]));
	if (wanted & BENCH_WORDS)
		add_counter(result, "words_per_miss",
			    ratio(stat[HM_STAT_PROBE], stat[HM_STAT_MISS]));
	/* Nobody gives up here: every wait ends with one slot handed over. */
	if (wanted & BENCH_WAKEUPS)
		add_counter(result, "wakeups_per_handover",
			    ratio(stat[HM_STAT_WAKEUP], stat[HM_STAT_WAIT]));
	if (wanted & BENCH_LOCAL_FLUSHES)
		add_counter(result, "local_flushes",
			    (double)moved->local_flushes / n);
	result->seconds = (double)run->elapsed / 1e9;
}

static void fail(struct bench_result *result, enum bench_status status,
		 const char *why)
{
	if (result->status != BENCH_FINE)
		return;
	result->status = status;
	snprintf(result->why, sizeof(result->why), "%s", why);
}

static void check_expected(struct bench_result *result,
			   const struct bench_run *run)
{
	const struct bench *bench = run->bench;
	uint64_t want = run->nr_operations * bench->per_op;
	uint64_t have = run->moved.stat[bench->expect];
	char why[128];

	if (have <= want && have + bench->slack >= want)
		return;
	snprintf(why, sizeof(why),
		 "%llu operations moved '%s' by %llu, expected %llu",
		 (unsigned long long)run->nr_operations,
		 highmem_stat_name(bench->expect), (unsigned long long)have,
		 (unsigned long long)want);
	fail(result, BENCH_BUG, why);
}

static void check_machine(struct bench_result *result, struct highmem *hm,
			  enum machine_verdict verdict)
{
	const char *why = machine_take_bug();

	if (why)
		fail(result, BENCH_BUG, why);
	if (verdict == MACHINE_STALLED) {
		fail(result, BENCH_STALLED, "a task sleeps for ever");
		return;
	}
	why = highmem_validate(hm);
	if (!why)
		why = machine_audit();
	if (why)
		fail(result, BENCH_BUG, why);
}

/* ---- One benchmark ------------------------------------------------------- */

unsigned int bench_count(void)
{
	return nr_benches;
}

const char *bench_name(unsigned int nr)
{
	assert(nr < nr_benches);
	return benches[nr].name;
}

static enum machine_verdict run_tasks(struct bench_run *run)
{
	struct bench_task tasks[MACHINE_MAX_TASKS];

	for (unsigned int i = 0; i < run->bench->nr_tasks; i++) {
		tasks[i] = (struct bench_task){
			.hm = run->hm,
			.bench = run->bench,
			.run = run,
			.nr = i,
		};
		machine_spawn(i, task_main, &tasks[i]);
	}
	return machine_run();
}

void bench_measure(unsigned int nr, uint64_t n, struct bench_result *result)
{
	const struct bench *bench = &benches[nr];
	struct bench_run run = { .bench = bench, .nr_operations = n };
	enum machine_verdict verdict;

	assert(nr < nr_benches);
	assert(!bench->before_each || bench->nr_tasks == 1);
	memset(result, 0, sizeof(*result));
	run.hm = machine_boot(&(struct machine_config){
		.nr_cpus = bench->nr_tasks,
		.nr_slots = bench->nr_slots,
		.nr_colours = 1,
		.nr_pages = bench->nr_pages,
		.local_depth = KM_MAX_IDX,
	});
	verdict = run_tasks(&run);
	check_machine(result, run.hm, verdict);
	if (verdict == MACHINE_DONE)
		check_expected(result, &run);
	add_counters(result, &run);
	machine_shutdown();
}
