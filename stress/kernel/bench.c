/* SPDX-License-Identifier: MIT */

/*
 * Instructions per operation, exactly. With -icount shift=0 QEMU's clock is
 * the number of instructions that ran, and rdtsc reads it. A row with a name
 * that bench/ has does what the row there does, so that both can stand side by
 * side; bench.py prints the table.
 *
 * A row runs n and then 2n operations; the difference is that of n, without
 * what the row needs once. Each is done three times: an interrupt of the clock
 * adds to one of them, so the least counts, and all are the same but for that.
 */

#include <highmem/format.h>

#include "core/port/machine.h"
#include "core/ports/i686/console.h"
#include "core/ports/i686/i686.h"
#include "stress/kernel/bench.h"

#define NR_OPS 1024 /* a multiple of the slots, for misses */
#define NR_FLUSHES 8
#define NR_TRIES 3

/* So few ticks that hardly a try has one. */
#define QUIET_HZ 19

struct row {
	const char *name;
	unsigned int slots, pages, arg;
	void (*prepare)(unsigned int arg);
	uint32_t (*timed)(unsigned int arg, uint32_t n); /* instructions */
	void (*finish)(unsigned int arg);
	uint32_t nr_ops;
	bool two_tasks;
	/* A row proves that it measures what it says: per operation. */
	enum highmem_stat expect;
	unsigned int per_op;
};

static struct {
	struct highmem *hm;
	const struct row *row;
	uint32_t overhead;     /* of reading the clock twice */
	unsigned int next;     /* page of a sweep */
	uint32_t instructions; /* of row->nr_ops operations */
	uint32_t shootdowns;
	struct i686_counts counts;
	port_stat_t over;
	bool honest;
} bench;

/* ---- The clock ------------------------------------------------------------- */

static uint32_t now(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return low;
}

/* 2 * @turns instructions. */
static void spin(uint32_t turns)
{
	__asm__ volatile("1: decl %0; jnz 1b" : "+r"(turns) : : "cc");
}

static uint32_t spin_time(uint32_t turns)
{
	uint32_t begin = now();

	spin(turns);
	return now() - begin;
}

static bool counts_instructions(void)
{
	return spin_time(3000) - spin_time(1000) == 4000 &&
	       spin_time(3000) - spin_time(2000) == 2000;
}

static void measure_overhead(void)
{
	uint32_t begin = now();

	bench.overhead = now() - begin;
}

/* ---- Operations ------------------------------------------------------------ */

static struct page *page_of(unsigned int nr)
{
	return &bench.hm->config.mem_map[MACHINE_LOWMEM_PAGES + nr];
}

static void make_idle(unsigned int arg)
{
	for (unsigned int i = 0; i < arg; i++) {
		kmap(bench.hm, page_of(i));
		kunmap(bench.hm, page_of(i));
	}
}

static void hold(unsigned int arg)
{
	for (unsigned int i = 0; i < arg; i++)
		kmap(bench.hm, page_of(i));
}

static void let_go(unsigned int arg)
{
	for (unsigned int i = 0; i < arg; i++)
		kunmap(bench.hm, page_of(i));
}

/* Pairs over pages first .. end - 1, on and on from where the last one was. */
static uint32_t sweep(unsigned int first, unsigned int end, uint32_t n)
{
	struct highmem *hm = bench.hm;
	unsigned int nr = bench.next < first ? first : bench.next;
	struct page *page = page_of(nr);
	uint32_t begin = now();

	while (n-- > 0) {
		kmap(hm, page);
		kunmap(hm, page);
		if (++page == page_of(end))
			page = page_of(first);
	}
	begin = now() - begin;
	bench.next = (unsigned int)(page - page_of(0));
	return begin;
}

static uint32_t timed_hit(unsigned int arg, uint32_t n)
{
	return sweep(0, arg, n);
}

static uint32_t timed_miss(unsigned int arg, uint32_t n)
{
	return sweep(arg, bench.row->pages, n);
}

static uint32_t timed_kmap_hit(unsigned int arg, uint32_t n)
{
	uint32_t sum = 0, begin;

	(void)arg;
	while (n-- > 0) {
		begin = now();
		kmap(bench.hm, page_of(0));
		sum += now() - begin - bench.overhead;
		kunmap(bench.hm, page_of(0));
	}
	return sum;
}

static uint32_t timed_kunmap(unsigned int arg, uint32_t n)
{
	uint32_t sum = 0, begin;

	(void)arg;
	while (n-- > 0) {
		kmap(bench.hm, page_of(0));
		begin = now();
		kunmap(bench.hm, page_of(0));
		sum += now() - begin - bench.overhead;
	}
	return sum;
}

static uint32_t timed_flush(unsigned int arg, uint32_t n)
{
	uint32_t sum = 0, begin;

	while (n-- > 0) {
		make_idle(arg);
		begin = now();
		kmap_flush_unused(bench.hm);
		sum += now() - begin - bench.overhead;
	}
	return sum;
}

static uint32_t timed_local(unsigned int arg, uint32_t n)
{
	struct highmem *hm = bench.hm;
	void *vaddr[KM_MAX_IDX];
	uint32_t begin = now();

	while (n-- > 0) {
		for (unsigned int i = 0; i < arg; i++)
			vaddr[i] = kmap_local_page(hm, page_of(i));
		for (unsigned int i = arg; i-- > 0;)
			kunmap_local(hm, vaddr[i]);
	}
	return now() - begin;
}

static uint32_t timed_atomic(unsigned int arg, uint32_t n)
{
	struct highmem *hm = bench.hm;
	struct page *page = page_of(0);
	uint32_t begin = now();

	while (n-- > 0) {
		kunmap_atomic(hm, kmap_atomic(hm, page));
		page = page == page_of(arg - 1) ? page_of(0) : page + 1;
	}
	return now() - begin;
}

static void map_locals(unsigned int arg)
{
	for (unsigned int i = 0; i < arg; i++)
		kmap_local_page(bench.hm, page_of(i));
}

/* Windows lie side by side, the first map's highest; this is CPU 0. */
static void unmap_locals(unsigned int arg)
{
	for (unsigned int i = arg; i-- > 0;)
		kunmap_local(bench.hm,
			     (void *)fixmap_vaddr(FIX_KMAP_BEGIN + i));
}

/* What the scheduler asks of the core, when a task leaves and comes back. */
static uint32_t timed_switch(unsigned int arg, uint32_t n)
{
	struct kmap_ctrl *ctrl = port_task_kmap_ctrl(port_task_current());
	port_irq_t flags = port_irq_save();
	uint32_t begin = now();

	(void)arg;
	while (n-- > 0) {
		kmap_local_sched_out(bench.hm, ctrl);
		kmap_local_sched_in(bench.hm, ctrl);
	}
	begin = now() - begin;
	port_irq_restore(flags);
	return begin;
}

/* The whole of it: to the other task, which has as many maps, and back. */
static uint32_t timed_context_switch(unsigned int arg, uint32_t n)
{
	uint32_t begin = now();

	(void)arg;
	while (n-- > 0)
		machine_yield(0);
	return now() - begin;
}

/* ---- Rows -------------------------------------------------------------------- */

#define HIT(name_, pages_, arg_, prepare_, timed_, finish_) \
	{ .name = (name_), \
	  .slots = 512, \
	  .pages = (pages_), \
	  .arg = (arg_), \
	  .prepare = (prepare_), \
	  .timed = (timed_), \
	  .finish = (finish_), \
	  .nr_ops = NR_OPS, \
	  .expect = HM_STAT_HIT, \
	  .per_op = 1 }

#define MISS(held) \
	{ .name = "miss/held:" #held, \
	  .slots = 1024, \
	  .pages = 4096, \
	  .arg = (held), \
	  .prepare = hold, \
	  .timed = timed_miss, \
	  .finish = let_go, \
	  .nr_ops = NR_OPS, \
	  .expect = HM_STAT_MISS, \
	  .per_op = 1 }

#define FLUSH(idle) \
	{ .name = "flush/idle:" #idle, \
	  .slots = 512, \
	  .pages = 512, \
	  .arg = (idle), \
	  .timed = timed_flush, \
	  .nr_ops = NR_FLUSHES, \
	  .expect = HM_STAT_RETIRED, \
	  .per_op = (idle) }

#define LOCAL(name_, maps, arg_, timed_) \
	{ .name = (name_), \
	  .slots = 2, \
	  .pages = 64, \
	  .arg = (arg_), \
	  .timed = (timed_), \
	  .nr_ops = NR_OPS, \
	  .expect = HM_STAT_LOCAL, \
	  .per_op = (maps) }

#define SWITCH(name_, maps, timed_, two) \
	{ .name = (name_), \
	  .slots = 2, \
	  .pages = 64, \
	  .arg = (maps), \
	  .prepare = map_locals, \
	  .timed = (timed_), \
	  .finish = unmap_locals, \
	  .nr_ops = NR_OPS, \
	  .two_tasks = (two), \
	  .expect = HM_STAT_LOCAL }

static const struct row rows[] = {
	HIT("hit/pages:1", 2, 1, make_idle, timed_hit, NULL),
	HIT("hit/pages:512", 513, 512, make_idle, timed_hit, NULL),
	HIT("kmap/hit", 2, 1, make_idle, timed_kmap_hit, NULL),
	HIT("kunmap/last_user", 2, 1, make_idle, timed_kunmap, NULL),
	HIT("kunmap/other_users", 2, 1, hold, timed_kunmap, let_go),
	MISS(0),
	MISS(512),
	MISS(896),
	FLUSH(1),
	FLUSH(8),
	FLUSH(32),
	FLUSH(64),
	FLUSH(512),
	LOCAL("local/same_page", 1, 1, timed_local),
	LOCAL("nested/maps:4", 4, 4, timed_local),
	LOCAL("atomic/new_page", 1, 64, timed_atomic),
	SWITCH("switch/maps:0", 0, timed_switch, false),
	SWITCH("switch/maps:1", 1, timed_switch, false),
	SWITCH("switch/maps:4", 4, timed_switch, false),
	SWITCH("switch/maps:16", 16, timed_switch, false),
	SWITCH("context_switch/maps:0", 0, timed_context_switch, true),
	SWITCH("context_switch/maps:1", 1, timed_context_switch, true),
	SWITCH("context_switch/maps:4", 4, timed_context_switch, true),
	SWITCH("context_switch/maps:16", 16, timed_context_switch, true),
};

/* ---- A run --------------------------------------------------------------------- */

/* Counts what happens besides; false: the row is not what it says. */
static bool count_once(const struct row *row)
{
	struct i686_counts before = i686_counts(), after;
	uint32_t flushes = highmem_stat(bench.hm, HM_STAT_FLUSH);
	uint32_t seen = highmem_stat(bench.hm, row->expect);

	row->timed(row->arg, row->nr_ops);
	after = i686_counts();
	bench.shootdowns = highmem_stat(bench.hm, HM_STAT_FLUSH) - flushes;
	bench.counts.invlpgs = after.invlpgs - before.invlpgs;
	bench.counts.full_flushes = after.full_flushes - before.full_flushes;
	bench.counts.ipis = after.ipis - before.ipis;
	return highmem_stat(bench.hm, row->expect) - seen ==
	       row->per_op * row->nr_ops;
}

static uint32_t least(const struct row *row, uint32_t nr_ops)
{
	uint32_t best = UINT32_MAX, took;

	for (unsigned int i = 0; i < NR_TRIES; i++) {
		took = row->timed(row->arg, nr_ops);
		if (took < best)
			best = took;
	}
	return best;
}

static void measuring_task(void *unused)
{
	const struct row *row = bench.row;

	(void)unused;
	if (row->prepare)
		row->prepare(row->arg);
	row->timed(row->arg, row->nr_ops); /* from now on all is as always */
	bench.instructions = least(row, 2 * row->nr_ops) -
			     least(row, row->nr_ops);
	bench.honest = count_once(row);
	if (row->finish)
		row->finish(row->arg);
	port_stat_set(&bench.over, 1);
}

static void other_task(void *unused)
{
	(void)unused;
	map_locals(bench.row->arg);
	while (!port_stat_read(&bench.over))
		machine_yield(0);
	unmap_locals(bench.row->arg);
}

/* A number with three digits behind the point. */
static void per_op(char *buf, size_t size, uint32_t sum, uint32_t nr_ops)
{
	uint32_t rest = sum % nr_ops * 1000 / nr_ops;

	hm_format(buf, size, "%u.%u%u%u", sum / nr_ops, rest / 100,
		  rest / 10 % 10, rest % 10);
}

static void print_row(const struct row *row)
{
	char text[5][24];
	const uint32_t sums[] = {
		bench.instructions,   bench.shootdowns,
		bench.counts.invlpgs, bench.counts.full_flushes,
		bench.counts.ipis,
	};

	for (unsigned int i = 0; i < 5; i++)
		per_op(text[i], sizeof(text[i]), sums[i], row->nr_ops);
	console_printf("# bench: %s %s %s %s %s %s\n", row->name, text[0],
		       text[1], text[2], text[3], text[4]);
}

static const char *run_row(const struct row *row)
{
	const struct machine_config config = {
		.nr_cpus = i686_nr_cpus(),
		.nr_slots = row->slots,
		.nr_colours = 1,
		.nr_pages = row->pages,
		.local_depth = KM_MAX_IDX,
		.pae = port_facts()->pae,
	};
	const char *why = machine_can(&config);

	if (why) {
		console_printf("# bench: %s skipped: %s\n", row->name, why);
		return NULL;
	}
	bench.row = row;
	bench.over = (port_stat_t){ 0 };
	bench.next = 0;
	bench.hm = machine_boot(&config);
	machine_spawn(0, measuring_task, NULL);
	if (row->two_tasks)
		machine_spawn(0, other_task, NULL);
	if (machine_run() == MACHINE_STALLED)
		return "a task sleeps and nobody will wake it";
	why = machine_take_bug();
	if (!why && !bench.honest)
		why = "a row does not do what its name says";
	print_row(row);
	machine_shutdown();
	return why;
}

static const char *run_all(void)
{
	const char *why = NULL;

	measure_overhead();
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]) && !why;
	     i++)
		why = run_row(&rows[i]);
	return why;
}

static const char *run_bench(void)
{
	const char *why;

	if (!counts_instructions())
		return "skip: the clock counts no instructions: use --icount";
	i686_set_round_robin(true);
	i686_timer(QUIET_HZ, NULL, NULL);
	why = run_all();
	i686_timer(I686_TIMER_HZ, NULL, NULL);
	i686_set_round_robin(false);
	return why;
}

const struct conformance_case bench_case = { "bench", run_bench };
