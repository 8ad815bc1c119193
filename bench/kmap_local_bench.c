/* SPDX-License-Identifier: MIT */
#include "bench/bench.h"

/* Local maps: this CPU's windows, no lock, no shootdown. */

#define NR_PAGES 1024

static const struct page *last_page(const struct bench_task *task)
{
	return bench_page(task, NR_PAGES - 1);
}

/* One operation: kmap_local_page() and kunmap_local(). */
static void timed_same_page(struct bench_task *task, uint64_t n)
{
	struct highmem *hm = task->hm;
	struct page *page = bench_page(task, 0);

	while (n-- > 0)
		kunmap_local(hm, kmap_local_page(hm, page));
}

/* The same with another page each time. */
static void timed_new_page(struct bench_task *task, uint64_t n)
{
	struct highmem *hm = task->hm;
	struct page *page = bench_page(task, 0);

	while (n-- > 0) {
		kunmap_local(hm, kmap_local_page(hm, page));
		page = page == last_page(task) ? bench_page(task, 0) : page + 1;
	}
}

/* kmap_atomic() and kunmap_atomic(). */
static void timed_atomic(struct bench_task *task, uint64_t n)
{
	struct highmem *hm = task->hm;
	struct page *page = bench_page(task, 0);

	while (n-- > 0) {
		kunmap_atomic(hm, kmap_atomic(hm, page));
		page = page == last_page(task) ? bench_page(task, 0) : page + 1;
	}
}

/* One operation: arg maps, one inside the other, and their arg unmaps. */
static void timed_nested(struct bench_task *task, uint64_t n)
{
	struct highmem *hm = task->hm;
	void *vaddr[KM_MAX_IDX];

	while (n-- > 0) {
		for (unsigned int i = 0; i < task->bench->arg; i++)
			vaddr[i] = kmap_local_page(hm, bench_page(task, i));
		for (unsigned int i = task->bench->arg; i-- > 0;)
			kunmap_local(hm, vaddr[i]);
	}
}

/*
 * One operation: what the scheduler has to do for a task with arg local maps
 * when it leaves a CPU and comes back.
 */
static void prepare_switch(struct bench_task *task)
{
	for (unsigned int i = 0; i < task->bench->arg; i++)
		kmap_local_page(task->hm, bench_page(task, i));
}

static void timed_switch(struct bench_task *task, uint64_t n)
{
	struct kmap_ctrl *ctrl = port_task_kmap_ctrl(port_task_current());
	port_irq_t flags = port_irq_save();

	while (n-- > 0) {
		kmap_local_sched_out(task->hm, ctrl);
		kmap_local_sched_in(task->hm, ctrl);
	}
	port_irq_restore(flags);
}

/* Windows lie side by side, the first map's highest. */
static void finish_switch(struct bench_task *task)
{
	for (unsigned int i = task->bench->arg; i-- > 0;)
		kunmap_local(task->hm,
			     (void *)fixmap_vaddr(FIX_KMAP_BEGIN + i));
}

#define LOCAL(name_, maps, how) \
	{ \
		.name = (name_), \
		.nr_tasks = 1, \
		.nr_slots = 2, \
		.nr_pages = NR_PAGES, \
		.arg = (maps), \
		.timed = timed_##how, \
		.expect = HM_STAT_LOCAL, \
		.per_op = (maps), \
		.counters = BENCH_SHOOTDOWNS | BENCH_LOCAL_FLUSHES, \
	}

#define SWITCH(maps) \
	{ \
		.name = "switch/maps:" #maps, \
		.nr_tasks = 1, \
		.nr_slots = 2, \
		.nr_pages = NR_PAGES, \
		.arg = (maps), \
		.prepare = prepare_switch, \
		.timed = timed_switch, \
		.finish = finish_switch, \
		.expect = HM_STAT_LOCAL, \
		.counters = BENCH_SHOOTDOWNS | BENCH_LOCAL_FLUSHES, \
	}

const struct bench benches[] = {
	LOCAL("local/same_page", 1, same_page),
	LOCAL("local/new_page", 1, new_page),
	LOCAL("atomic/new_page", 1, atomic),
	LOCAL("nested/maps:4", 4, nested),
	SWITCH(0),
	SWITCH(1),
	SWITCH(4),
	SWITCH(16),
};

const unsigned int nr_benches = sizeof(benches) / sizeof(benches[0]);
