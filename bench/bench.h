/* SPDX-License-Identifier: MIT */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

/*
 * What a file of benchmarks tells the runner: a table, benches[]. Each row is
 * one machine, freshly booted, some tasks on CPUs of their own, and what they
 * do:
 *
 *	prepare		fills slots, holds pages; not timed
 *	timed		performs @n operations in a loop; timed
 *	finish		gives back what the port wants back; not timed
 *
 * or, where one operation uses up what the next one needs, prepare, then for
 * each operation before_each (not timed) and timed with n = 1.
 *
 * Functions that are timed are named timed_*: instructions.py counts what
 * happens inside of those.
 */

#include <highmem/highmem.h>

#include "core/port/machine.h"

struct bench_task;

/* Counters beside the time, the same in each run of a row. */
enum bench_counters {
	BENCH_SHOOTDOWNS = 1,	  /* per 1000 operations */
	BENCH_SLOTS = 2,	  /* retired by a shootdown */
	BENCH_WORDS = 4,	  /* of the free map read in a miss */
	BENCH_WAKEUPS = 8,	  /* for one slot handed to a waiter */
	BENCH_LOCAL_FLUSHES = 16, /* of one page on this CPU, per operation */
};

struct bench {
	const char *name;
	unsigned int nr_tasks;
	unsigned int nr_slots;
	unsigned int nr_pages; /* few: each is cleared at boot */
	unsigned int arg;      /* what the number in the name says */
	void (*prepare)(struct bench_task *task);
	void (*before_each)(struct bench_task *task); /* nr_tasks == 1 */
	void (*timed)(struct bench_task *task, uint64_t n);
	void (*finish)(struct bench_task *task);
	/*
	 * A row proves that it measures what its name says: each operation
	 * moves @expect by @per_op, except for at most @slack of the total.
	 */
	enum highmem_stat expect;
	unsigned int per_op;
	unsigned int slack;
	unsigned int counters; /* enum bench_counters */
};

extern const struct bench benches[];
extern const unsigned int nr_benches;

struct bench_run;

struct bench_task {
	struct highmem *hm;
	const struct bench *bench;
	struct bench_run *run;
	unsigned int nr; /* 0 to nr_tasks - 1; also its CPU */
};

/* Highmem page @i of nr_pages. */
static inline struct page *bench_page(const struct bench_task *task,
				      unsigned int i)
{
	return &task->hm->config.mem_map[MACHINE_LOWMEM_PAGES + i];
}

/* How many other tasks have operations left. */
unsigned int bench_others_at_work(const struct bench_task *task);

/* Let another thread of the host run; for loops that wait for one. */
void bench_relax(void);

#endif
