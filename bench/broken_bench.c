/* SPDX-License-Identifier: MIT */
#include "bench/bench.h"

/* Benchmarks that must fail: smoke_test.py looks whether the runner sees it. */

static void timed_pair(struct bench_task *task, uint64_t n)
{
	while (n-- > 0) {
		kmap(task->hm, bench_page(task, 0));
		kunmap(task->hm, bench_page(task, 0));
	}
}

static void timed_double_kunmap(struct bench_task *task, uint64_t n)
{
	timed_pair(task, n);
	kunmap(task->hm, bench_page(task, 0));
}

/* More pages than slots, and nobody gives one back. */
static void timed_sleep_for_ever(struct bench_task *task, uint64_t n)
{
	(void)n;
	for (unsigned int i = 0; i <= task->bench->nr_slots; i++)
		kmap(task->hm, bench_page(task, i));
}

#define BROKEN(name_, how, stat) \
	{ \
		.name = (name_), \
		.nr_tasks = 1, \
		.nr_slots = 2, \
		.nr_pages = 3, \
		.timed = timed_##how, \
		.expect = (stat), \
		.per_op = 1, \
		.slack = 1, \
	}

const struct bench benches[] = {
	BROKEN("fine", pair, HM_STAT_HIT),
	BROKEN("hits_that_are_misses", pair, HM_STAT_LOCAL),
	BROKEN("double_kunmap", double_kunmap, HM_STAT_HIT),
	BROKEN("sleep_for_ever", sleep_for_ever, HM_STAT_MISS),
};

const unsigned int nr_benches = sizeof(benches) / sizeof(benches[0]);
