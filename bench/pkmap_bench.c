/* SPDX-License-Identifier: MIT */
#include "bench/bench.h"

/*
 * Persistent maps. Unless said otherwise one operation is a pair, kmap() and
 * kunmap(), and there are 1024 slots.
 */

#define NR_SLOTS LAST_PKMAP_NONPAE
#define MISS_PAGES MACHINE_MAX_PAGES

static void hold(struct bench_task *task, unsigned int first, unsigned int end)
{
	for (unsigned int i = first; i < end; i++)
		kmap(task->hm, bench_page(task, i));
}

static void make_idle(struct bench_task *task, unsigned int first,
		      unsigned int end)
{
	for (unsigned int i = first; i < end; i++) {
		kmap(task->hm, bench_page(task, i));
		kunmap(task->hm, bench_page(task, i));
	}
}

/* Pairs over pages first .. end - 1, round and round. */
static void sweep(struct bench_task *task, unsigned int first, unsigned int end,
		  uint64_t n)
{
	struct highmem *hm = task->hm;
	struct page *page = bench_page(task, first);

	while (n-- > 0) {
		kmap(hm, page);
		kunmap(hm, page);
		if (++page == bench_page(task, end))
			page = bench_page(task, first);
	}
}

/* ---- Hit: the page is mapped already -------------------------------------- */

static void prepare_hit(struct bench_task *task)
{
	make_idle(task, 0, task->bench->arg);
}

static void timed_hit(struct bench_task *task, uint64_t n)
{
	sweep(task, 0, task->bench->arg, n);
}

static void prepare_hit_own_page(struct bench_task *task)
{
	make_idle(task, task->nr, task->nr + 1);
}

static void timed_hit_own_page(struct bench_task *task, uint64_t n)
{
	sweep(task, task->nr, task->nr + 1, n);
}

/* ---- Miss: a slot is searched, and flushed when none is left -------------- */

/* Of 1024 slots, arg belong to somebody who keeps them. */
static void prepare_miss(struct bench_task *task)
{
	hold(task, 0, task->bench->arg);
}

/* The pages are more than the slots: each is gone when its turn comes again. */
static void timed_miss(struct bench_task *task, uint64_t n)
{
	sweep(task, task->bench->arg, MISS_PAGES, n);
}

/* ---- Flush: kmap_flush_unused() of arg idle slots ------------------------- */

/* arg divides the slots, so no search wraps around and flushes on its way. */
static void before_flush(struct bench_task *task)
{
	make_idle(task, 0, task->bench->arg);
}

static void timed_flush(struct bench_task *task, uint64_t n)
{
	while (n-- > 0)
		kmap_flush_unused(task->hm);
}

/* ---- Hand-over: one slot for all tasks ------------------------------------ */

/*
 * Two slots, and page 0 keeps one. Whoever has the other waits until all others
 * queue for it: one operation is a kunmap() that wakes the next task, until
 * that task is back from its kmap() and the one before it is in the queue.
 */
static void prepare_handover(struct bench_task *task)
{
	if (task->nr == 0)
		hold(task, 0, 1);
}

static bool all_others_wait(const struct bench_task *task)
{
	return port_atomic_load(&task->hm->pkmap.queue[0].nr) >=
	       bench_others_at_work(task);
}

static void timed_handover(struct bench_task *task, uint64_t n)
{
	struct page *page = bench_page(task, 1 + task->nr);

	while (n-- > 0) {
		kmap(task->hm, page);
		while (!all_others_wait(task))
			bench_relax();
		kunmap(task->hm, page);
	}
}

/* ---- The table ------------------------------------------------------------ */

#define HIT(name_, tasks, pages, how) \
	{ \
		.name = (name_), \
		.nr_tasks = (tasks), \
		.nr_slots = NR_SLOTS, \
		.nr_pages = (pages) + (tasks), \
		.arg = (pages), \
		.prepare = prepare_##how, \
		.timed = timed_##how, \
		.expect = HM_STAT_HIT, \
		.per_op = 1, \
		.counters = BENCH_SHOOTDOWNS, \
	}

#define MISS(held) \
	{ \
		.name = "miss/held:" #held, \
		.nr_tasks = 1, \
		.nr_slots = NR_SLOTS, \
		.nr_pages = MISS_PAGES, \
		.arg = (held), \
		.prepare = prepare_miss, \
		.timed = timed_miss, \
		.expect = HM_STAT_MISS, \
		.per_op = 1, \
		.counters = BENCH_SHOOTDOWNS | BENCH_SLOTS | BENCH_WORDS, \
	}

#define FLUSH(idle) \
	{ \
		.name = "flush/idle:" #idle, \
		.nr_tasks = 1, \
		.nr_slots = NR_SLOTS, \
		.nr_pages = NR_SLOTS, \
		.arg = (idle), \
		.before_each = before_flush, \
		.timed = timed_flush, \
		.expect = HM_STAT_RETIRED, \
		.per_op = (idle), \
		.counters = BENCH_SHOOTDOWNS | BENCH_SLOTS, \
	}

/* The first operation of all waits for nobody, nor does the last. */
#define HANDOVER(tasks) \
	{ \
		.name = "handover/tasks:" #tasks, \
		.nr_tasks = (tasks), \
		.nr_slots = 2, \
		.nr_pages = 1 + (tasks), \
		.prepare = prepare_handover, \
		.timed = timed_handover, \
		.expect = HM_STAT_WAIT, \
		.per_op = 1, \
		.slack = (tasks), \
		.counters = BENCH_WAKEUPS, \
	}

const struct bench benches[] = {
	HIT("hit/pages:1", 1, 1, hit),
	HIT("hit/pages:512", 1, 512, hit),
	HIT("hit_own_page/tasks:2", 2, 1, hit_own_page),
	HIT("hit_same_page/tasks:2", 2, 1, hit),
	MISS(0),
	MISS(102),
	MISS(512),
	MISS(922),
	MISS(1013),
	FLUSH(1),
	FLUSH(2),
	FLUSH(4),
	FLUSH(8),
	FLUSH(16),
	FLUSH(32),
	FLUSH(64),
	FLUSH(128),
	FLUSH(256),
	FLUSH(512),
	FLUSH(1024),
	HANDOVER(2),
	HANDOVER(4),
};

const unsigned int nr_benches = sizeof(benches) / sizeof(benches[0]);
