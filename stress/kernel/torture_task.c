/* SPDX-License-Identifier: MIT */

/*
 * Tasks that map, look, write and unmap as fast as they can, and interrupts
 * that do it in the middle of them. Each page has its tag in word 0. Word n
 * is task n's: it knows for all pages what it wrote there last, so a write
 * that went to another page, or got lost, is seen at the next visit. The words
 * behind them are the CPUs', one for each map that an interrupt has at a time.
 *
 * A task that holds a slot does not wait for another one, or all could wait
 * for ever: it tries, or waits with a deadline.
 */

#include <highmem/format.h>

#include "core/ports/i686/console.h"
#include "core/ports/i686/i686.h"
#include "stress/kernel/torture.h"

#define IRQ_DEPTH 2
#define IRQ_WORD(cpu, depth) \
	(1 + MACHINE_MAX_TASKS + (cpu) * IRQ_DEPTH + (depth) - 1)

struct worker {
	uint32_t random; /* xorshift: prng.h's would be half of the work */
	uint32_t value;
	uint32_t pairs, refusals, timeouts;
	uint32_t written[TORTURE_PAGES];
};

static struct {
	struct highmem *hm;
	unsigned int nr_pages, nr_tasks;
	bool (*over)(void);
	port_stat_t stop;
	port_stat_t irq_pairs;
	port_atomic_t claimed; /* somebody has failed */
	char sentence[192];
} torture;

static struct worker workers[MACHINE_MAX_TASKS + 1]; /* by task id */

/* ---- What must be true ------------------------------------------------------- */

static void fail(const char *format, ...)
{
	uint32_t none = 0;
	va_list args;

	if (port_atomic_cas(&torture.claimed, &none, 1)) {
		va_start(args, format);
		hm_vformat(torture.sentence, sizeof(torture.sentence), format,
			   args);
		va_end(args);
	}
	port_stat_set(&torture.stop, 1);
}

static bool stopped(void)
{
	return port_stat_read(&torture.stop) != 0;
}

static uint32_t tag(unsigned int nr)
{
	return 0x70a60000 + nr;
}

static struct page *page_of(unsigned int nr)
{
	return &torture.hm->config.mem_map[MACHINE_LOWMEM_PAGES + nr];
}

static unsigned int self(void)
{
	return port_task_id(port_task_current());
}

/* Migration may make a lie of the CPU: it is a hint for the reader. */
static void expect(const void *vaddr, unsigned int nr, unsigned int word,
		   uint32_t expected, const char *how)
{
	uint32_t seen = machine_load32((const uint32_t *)vaddr + word);

	if (seen != expected)
		fail("%s of task %u on CPU %u: word %u of page %u at %p is %x "
		     "and reads as %x",
		     how, self(), port_cpu_id(), word, nr, (vaddr_t)vaddr,
		     expected, seen);
}

static void check(const struct worker *worker, const void *vaddr,
		  unsigned int nr, const char *how)
{
	expect(vaddr, nr, 0, tag(nr), how);
	expect(vaddr, nr, self(), worker->written[nr], how);
}

static void use(struct worker *worker, void *vaddr, unsigned int nr,
		const char *how)
{
	check(worker, vaddr, nr, how);
	worker->written[nr] = ++worker->value;
	machine_store32((uint32_t *)vaddr + self(), worker->value);
	check(worker, vaddr, nr, how);
}

/* ---- Operations -------------------------------------------------------------- */

static uint32_t draw(struct worker *worker, uint32_t limit)
{
	uint32_t x = worker->random;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	worker->random = x;
	return (x >> 8) % limit;
}

static unsigned int any_page(struct worker *worker)
{
	unsigned int hot = TORTURE_HOT < torture.nr_pages ? TORTURE_HOT
							  : torture.nr_pages;

	return draw(worker, 2) ? draw(worker, hot)
			       : draw(worker, torture.nr_pages);
}

static void *must(void *vaddr, const char *how)
{
	if (!vaddr)
		fail("%s of task %u on CPU %u gave no address", how, self(),
		     port_cpu_id());
	return vaddr;
}

static void done(struct worker *worker, void *vaddr, unsigned int nr,
		 const char *how)
{
	use(worker, vaddr, nr, how);
	kunmap(torture.hm, page_of(nr));
	worker->pairs++;
}

static void do_kmap(struct worker *worker)
{
	unsigned int nr = any_page(worker);
	void *vaddr = must(kmap(torture.hm, page_of(nr)), "kmap");

	if (vaddr)
		done(worker, vaddr, nr, "kmap");
}

static void do_try(struct worker *worker)
{
	unsigned int nr = any_page(worker);
	void *vaddr = kmap_try(torture.hm, page_of(nr));

	if (vaddr)
		done(worker, vaddr, nr, "kmap_try");
	else
		worker->refusals++;
}

static void do_get(struct worker *worker)
{
	unsigned int nr = draw(worker, TORTURE_HOT) % torture.nr_pages;
	void *vaddr = kmap_high_get(torture.hm, page_of(nr));

	if (vaddr)
		done(worker, vaddr, nr, "kmap_high_get");
	else
		worker->refusals++;
}

static void do_timeout(struct worker *worker)
{
	unsigned int nr = any_page(worker);
	void *vaddr = kmap_timeout(torture.hm, page_of(nr),
				   port_now() + draw(worker, 6));

	if (vaddr)
		done(worker, vaddr, nr, "kmap_timeout");
	else
		worker->timeouts++;
}

static void do_killable(struct worker *worker)
{
	unsigned int nr = any_page(worker);
	void *vaddr = kmap_killable(torture.hm, page_of(nr));

	if (vaddr)
		done(worker, vaddr, nr, "kmap_killable");
	else if (!machine_take_signal())
		fail("kmap_killable of task %u gave up without a signal",
		     self());
}

/* One map held, and another that must not wait for ever. */
static void do_two(struct worker *worker)
{
	unsigned int nr = any_page(worker);
	void *vaddr = must(kmap(torture.hm, page_of(nr)), "kmap");

	if (!vaddr)
		return;
	if (draw(worker, 2))
		do_try(worker);
	else
		do_timeout(worker);
	done(worker, vaddr, nr, "kmap that was held");
}

/* Maps inside of maps, and @inside in the innermost. */
static void nest(struct worker *worker, unsigned int depth,
		 void (*inside)(struct worker *worker))
{
	unsigned int nr = any_page(worker);
	void *vaddr = must(kmap_local_page(torture.hm, page_of(nr)), "local");

	if (!vaddr)
		return;
	use(worker, vaddr, nr, "local map");
	if (depth > 1)
		nest(worker, depth - 1, inside);
	else if (inside)
		inside(worker);
	check(worker, vaddr, nr, "local map that was held");
	kunmap_local(torture.hm, vaddr);
	worker->pairs++;
}

static void do_yield(struct worker *worker)
{
	(void)worker;
	machine_yield(0);
}

static void intrude(void *unused);

static void do_interrupt(struct worker *worker)
{
	(void)worker;
	machine_interrupt(intrude, NULL);
}

static void do_atomic(struct worker *worker)
{
	unsigned int nr = any_page(worker);
	void *vaddr = must(kmap_atomic(torture.hm, page_of(nr)), "atomic");

	if (!vaddr)
		return;
	use(worker, vaddr, nr, "kmap_atomic");
	kunmap_atomic(torture.hm, vaddr);
	worker->pairs++;
}

static void do_local(struct worker *worker)
{
	nest(worker, 1 + draw(worker, 4), NULL);
}

static void do_local_over_switch(struct worker *worker)
{
	nest(worker, 1 + draw(worker, 3), do_yield);
}

static void do_local_over_kmap(struct worker *worker)
{
	nest(worker, 1 + draw(worker, 3), do_kmap);
}

static void do_local_over_interrupt(struct worker *worker)
{
	nest(worker, 1 + draw(worker, 3), do_interrupt);
}

static void do_flush(struct worker *worker)
{
	(void)worker;
	kmap_flush_unused(torture.hm);
}

static void perform_any(struct worker *worker)
{
	static const struct {
		void (*perform)(struct worker *worker);
		unsigned int weight; /* of 100 */
	} table[] = {
		{ do_kmap, 30 },
		{ do_killable, 4 },
		{ do_local, 26 },
		{ do_try, 7 },
		{ do_timeout, 5 },
		{ do_get, 7 },
		{ do_two, 5 },
		{ do_atomic, 5 },
		{ do_local_over_switch, 4 },
		{ do_local_over_kmap, 3 },
		{ do_local_over_interrupt, 2 },
		{ do_yield, 1 },
		{ do_flush, 1 },
	};
	unsigned int ticket = draw(worker, 100), i = 0;

	while (ticket >= table[i].weight)
		ticket -= table[i++].weight;
	table[i].perform(worker);
}

/* ---- Tasks and interrupts ------------------------------------------------------ */

static void task_main(void *arg)
{
	struct worker *worker = arg;

	while (!stopped())
		perform_any(worker);
}

/* Its place moves with the value it writes. */
static uint32_t irq_value[HIGHMEM_MAX_CPUS];

static void intrude_local(unsigned int depth)
{
	unsigned int cpu = port_cpu_id(), word = IRQ_WORD(cpu, depth);
	uint32_t value = ++irq_value[cpu];
	unsigned int nr = value * 7919 % torture.nr_pages;
	uint32_t *vaddr = kmap_local_page(torture.hm, page_of(nr));

	if (!must(vaddr, "interrupt's local map"))
		return;
	machine_store32(vaddr + word, value);
	if (depth > 1)
		intrude_local(depth - 1);
	expect(vaddr, nr, 0, tag(nr), "interrupt's local map");
	expect(vaddr, nr, word, value, "interrupt's local map");
	kunmap_local(torture.hm, vaddr);
	port_stat_inc(&torture.irq_pairs);
}

static void intrude_pkmap(void)
{
	unsigned int nr = irq_value[port_cpu_id()] % TORTURE_HOT;
	void *vaddr;

	if (nr >= torture.nr_pages)
		return;
	vaddr = kmap_high_get(torture.hm, page_of(nr));
	if (!vaddr)
		return;
	expect(vaddr, nr, 0, tag(nr), "interrupt's kmap_high_get");
	kunmap(torture.hm, page_of(nr));
	port_stat_inc(&torture.irq_pairs);
}

static void intrude(void *unused)
{
	(void)unused;
	intrude_local(IRQ_DEPTH);
	intrude_pkmap();
}

static void tick(void *unused)
{
	if (port_cpu_id() == 0 && torture.over())
		port_stat_set(&torture.stop, 1);
	if (port_cpu_id() == 0)
		machine_kill(1 + irq_value[0] % torture.nr_tasks);
	if (!stopped())
		intrude(unused);
	i686_resched();
}

/* ---- A round ------------------------------------------------------------------- */

static void begin(const struct torture_round *round, uint32_t seed)
{
	torture.stop = (port_stat_t){ 0 };
	torture.irq_pairs = (port_stat_t){ 0 };
	torture.claimed = (port_atomic_t){ 0 };
	torture.nr_pages = round->machine.nr_pages;
	torture.nr_tasks = round->nr_tasks;
	torture.hm = machine_boot(&round->machine);
	for (unsigned int nr = 0; nr < torture.nr_pages; nr++)
		machine_poke32(page_of(nr), 0, tag(nr));
	for (unsigned int i = 1; i <= round->nr_tasks; i++) {
		workers[i] = (struct worker){
			.random = (seed ^ i * 0x9e3779b9u) | 1,
		};
		machine_spawn((i - 1) % round->machine.nr_cpus, task_main,
			      &workers[i]);
	}
}

static void check_at_end(unsigned int nr, unsigned int word, uint32_t expected)
{
	uint32_t seen = machine_peek32(page_of(nr), word * sizeof(seen));

	if (seen != expected)
		fail("at the end word %u of page %u is %x, not %x", word, nr,
		     seen, expected);
}

static void check_all_pages(unsigned int nr_tasks)
{
	for (unsigned int nr = 0; nr < torture.nr_pages; nr++) {
		check_at_end(nr, 0, tag(nr));
		for (unsigned int i = 1; i <= nr_tasks; i++)
			check_at_end(nr, i, workers[i].written[nr]);
	}
}

/* All slots must be free after a flush: nobody holds a map. */
static void janitor(void *unused)
{
	(void)unused;
	kmap_flush_unused(torture.hm);
	for (unsigned int s = 0; s < torture.hm->config.nr_slots; s++)
		if (!(torture.hm->pkmap.free[s / 32] >> (s % 32) & 1))
			fail("slot %u is not free after all have ended", s);
}

static void fail_if(const char *why)
{
	if (why)
		fail("%s", why);
}

static void look_at_all(const struct torture_round *round)
{
	fail_if(machine_take_bug());
	fail_if(machine_audit());
	fail_if(highmem_validate(torture.hm));
	check_all_pages(round->nr_tasks);
	machine_spawn(0, janitor, NULL);
	if (machine_run() == MACHINE_STALLED)
		fail("the last flush does not end");
	fail_if(machine_take_bug());
}

void torture_print_state(void)
{
	if (torture.over)
		console_printf("# torture: its tasks %s\n",
			       stopped() ? "were told to end" : "go on");
}

static void count(const struct torture_round *round,
		  struct torture_counts *counts)
{
	*counts = (struct torture_counts){
		.in_irqs = port_stat_read(&torture.irq_pairs),
	};
	counts->pairs = counts->in_irqs;
	for (unsigned int i = 1; i <= round->nr_tasks; i++) {
		counts->pairs += workers[i].pairs;
		counts->refusals += workers[i].refusals;
		counts->timeouts += workers[i].timeouts;
	}
	for (unsigned int s = 0; s < HM_NR_STATS; s++)
		counts->stats[s] = highmem_stat(torture.hm,
						(enum highmem_stat)s);
}

const char *torture_loops(const struct torture_round *round, uint32_t seed,
			  bool (*over)(void), struct torture_counts *counts)
{
	bool stalled;

	torture.over = over;
	begin(round, seed);
	i686_timer(round->hz, tick, NULL);
	stalled = machine_run() == MACHINE_STALLED;
	i686_timer(I686_TIMER_HZ, NULL, NULL);
	if (stalled) {
		i686_print_state();
		fail("a task sleeps and nobody will wake it");
	} else {
		look_at_all(round);
	}
	count(round, counts);
	machine_shutdown();
	return port_atomic_load(&torture.claimed) ? torture.sentence : NULL;
}
