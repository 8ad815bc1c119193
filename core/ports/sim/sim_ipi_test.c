/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <criterion/criterion.h>

#include "core/port/port.h"
#include "core/ports/sim/sim.h"

/*
 * Shootdowns that a CPU answers late. A, on CPU 0, takes a mapping away and
 * shoots it down; B, on CPU 1, uses it.
 */

static struct page *page0;
static vaddr_t vaddr;
static port_spinlock_t lock;
static char events[64];
static unsigned int nr_delays; /* how many questions to answer with "later" */
static unsigned int ack_at;    /* answer which SIM_ACK with "now"; 0: none */

static void note(char c)
{
	events[strlen(events)] = c;
}

static unsigned int choose(void *arg, enum sim_question question,
			   const uint8_t *options, unsigned int nr)
{
	(void)arg;
	(void)options;
	(void)nr;
	if (question == SIM_DELAY && nr_delays > 0) {
		nr_delays--;
		return 1;
	}
	if (question != SIM_ACK || ack_at == 0)
		return 0;
	ack_at--;
	return ack_at == 0;
}

static const struct sim_control control = {
	.choose = choose,
	.delays = true,
	.max_steps = 1000,
};

static void boot_under(const struct sim_control *chooser, unsigned int nr_cpus)
{
	const struct machine_config config = {
		.nr_cpus = nr_cpus,
		.nr_slots = 2,
		.nr_colours = 1,
		.nr_pages = 2,
		.local_depth = 2,
	};
	struct highmem *hm;

	sim_set_control(chooser);
	hm = machine_boot(&config);
	page0 = &hm->config.mem_map[MACHINE_LOWMEM_PAGES];
	vaddr = hm->config.pkmap_base;
	machine_poke32(page0, 0, 42);
	port_pte_set(vaddr, pte_make(page_to_pfn(hm, page0), hm->config.prot));
	port_spin_init(&lock);
}

static void boot(unsigned int nr_cpus)
{
	boot_under(&control, nr_cpus);
}

static void take_away(void *arg)
{
	(void)arg;
	machine_yield(2);
	port_pte_clear(vaddr);
	note('a');
	port_tlb_shootdown_pages(&vaddr, 1);
	note('A');
	machine_yield(9);
}

static bool sees_page(void)
{
	bool sees = machine_load32((void *)vaddr) == 42;

	machine_take_bug(); /* a page fault, if not */
	return sees;
}

static void use(void *arg)
{
	(void)arg;
	note(sees_page() ? 'b' : '-');
	for (uint32_t rank = 3; rank < 6; rank++) {
		machine_yield(rank);
		note(sees_page() ? 'b' : '-');
	}
}

static enum machine_verdict run(void (*user)(void *arg))
{
	enum machine_verdict verdict;

	machine_spawn(0, take_away, NULL);
	machine_spawn(1, user, NULL);
	verdict = machine_run();
	sim_set_control(NULL);
	return verdict;
}

Test(sim_ipi, answered_at_once_by_default)
{
	boot(2);
	cr_expect_eq(run(use), MACHINE_DONE);
	cr_expect_str_eq(events, "baA---");
}

/* B goes on with what its TLB has; its next switch makes it answer. */
Test(sim_ipi, until_it_is_answered_the_old_translation_is_used)
{
	boot(2);
	nr_delays = 1;
	cr_expect_eq(run(use), MACHINE_DONE);
	cr_expect_str_eq(events, "babbbA", "A waits until B has ended");
}

Test(sim_ipi, it_is_answered_when_somebody_says_so)
{
	boot(2);
	nr_delays = 1;
	ack_at = 2;
	cr_expect_eq(run(use), MACHINE_DONE);
	cr_expect_str_eq(events, "bab-A-");
}

static void use_with_interrupts_off(void *arg)
{
	port_irq_t flags;

	(void)arg;
	note(sees_page() ? 'b' : '-');
	flags = port_irq_save();
	machine_yield(3);
	note(sees_page() ? 'b' : '-');
	port_irq_restore(flags);
	note(sees_page() ? 'b' : '-');
}

Test(sim_ipi, it_is_answered_when_interrupts_come_on)
{
	boot(2);
	cr_expect_eq(run(use_with_interrupts_off), MACHINE_DONE);
	cr_expect_str_eq(events, "bab-A");
}

/* What Linux' debug_pagealloc did under a lock that others took irqs off. */
static void take_away_under_lock(void *arg)
{
	port_spin_lock(&lock);
	machine_yield(2);
	take_away(arg);
	port_spin_unlock(&lock);
}

static void lock_with_interrupts_off(void *arg)
{
	port_irq_t flags;

	(void)arg;
	sees_page();
	machine_yield(1);
	flags = port_irq_save();
	port_spin_lock(&lock);
	port_spin_unlock(&lock);
	port_irq_restore(flags);
}

Test(sim_ipi, who_waits_with_interrupts_off_for_who_waits_for_it)
{
	const char *bug;

	boot(2);
	machine_spawn(0, take_away_under_lock, NULL);
	machine_spawn(1, lock_with_interrupts_off, NULL);
	cr_expect_eq(machine_run(), MACHINE_STALLED);
	sim_set_control(NULL);
	bug = machine_take_bug();
	cr_assert_not_null(bug);
	cr_expect_str_eq(bug,
			 "sim: CPU 1 waits with interrupts off, and task 1 "
			 "waits for it to answer a shootdown: deadlock");
}

static void lock_with_interrupts_on(void *arg)
{
	(void)arg;
	sees_page();
	machine_yield(1);
	port_spin_lock(&lock);
	port_spin_unlock(&lock);
}

Test(sim_ipi, who_spins_with_interrupts_on_answers)
{
	boot(2);
	nr_delays = 1;
	machine_spawn(0, take_away_under_lock, NULL);
	machine_spawn(1, lock_with_interrupts_on, NULL);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_null(machine_take_bug());
	sim_set_control(NULL);
}

/* Full shootdowns of two tasks at a time, each answered by the other's CPU. */
static void flush_all(void *arg)
{
	(void)arg;
	for (uint32_t rank = 0; rank < 3; rank++) {
		machine_yield(rank);
		port_tlb_shootdown_all();
	}
	note('F');
}

Test(sim_ipi, two_who_wait_for_each_other)
{
	boot(3);
	nr_delays = 12;
	machine_spawn(0, flush_all, NULL);
	machine_spawn(1, flush_all, NULL);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_null(machine_take_bug());
	sim_set_control(NULL);
	cr_expect_str_eq(events, "FF");
}

/* ---- A TLB that forgets ------------------------------------------------------------ */

/* At the last point before the second read: the first three are others'. */
static unsigned int drop_before_last(void *arg, enum sim_question question,
				     const uint8_t *options, unsigned int nr)
{
	(void)arg;
	(void)options;
	(void)nr;
	return question == SIM_DROP && sim_steps() == 4;
}

/* The PTE is gone and nobody flushed: whose TLB has the page still sees it. */
static void read_clear_read(void *arg)
{
	(void)arg;
	note(sees_page() ? 'b' : '-');
	port_pte_clear(vaddr);
	note(sees_page() ? 'b' : '-');
}

static void read_after_clear(const struct sim_control *chooser)
{
	boot_under(chooser, 1);
	machine_spawn(0, read_clear_read, NULL);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	sim_set_control(NULL);
}

Test(sim_tlb, an_entry_outlives_its_pte_unless_the_tlb_forgets)
{
	struct sim_control forgetful = control;

	read_after_clear(&control);
	cr_expect_str_eq(events, "bb");
	machine_shutdown();
	forgetful.choose = drop_before_last;
	forgetful.drops = true;
	memset(events, 0, sizeof(events));
	read_after_clear(&forgetful);
	cr_expect_str_eq(events, "b-");
}
