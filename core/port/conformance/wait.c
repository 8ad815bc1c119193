/* SPDX-License-Identifier: MIT */
#include "core/port/conformance/state.h"

/* The cases of kmap.h that take several tasks. What each proves is its name. */

/*
 * Steps that tasks take in turn, whoever runs them: a counter in the core's
 * own shared words, so that it orders memory on every port.
 */
static port_atomic_t step;

/* Who waits goes to the end of the line, so that all come to run. */
static port_atomic_t turn;

static void let_others_run(void)
{
	machine_yield(port_atomic_fetch_add(&turn, 1));
}

static void await_step(uint32_t n)
{
	while (port_atomic_load(&step) < n)
		let_others_run();
}

static void next_step(void)
{
	port_atomic_fetch_add(&step, 1);
}

/* Wait until @n tasks queue for a slot of the only colour. */
static void await_queue(uint32_t n)
{
	while (port_atomic_load(&ct_hm->pkmap.queue[0].nr) < n)
		let_others_run();
}

static void hold_all_until_somebody_waits(uint32_t waiters)
{
	kmap(ct_hm, ct_page(0));
	kmap(ct_hm, ct_page(1));
	next_step();
	await_queue(waiters);
}

static void holder(void *arg)
{
	hold_all_until_somebody_waits(*(const uint32_t *)arg);
	kunmap(ct_hm, ct_page(0));
	kunmap(ct_hm, ct_page(1));
}

static void waiter(void *arg)
{
	struct page *page = ct_page(*(const uint32_t *)arg);
	void *vaddr;

	await_step(1);
	vaddr = kmap(ct_hm, page);
	CT_EXPECT(vaddr != NULL);
	CT_EXPECT(ct_shows(vaddr, page));
	kunmap(ct_hm, page);
}

static bool boot_for_tasks(void)
{
	const struct machine_config config = CT_SMALL;

	port_atomic_store(&step, 0);
	port_atomic_store(&turn, 1);
	return ct_boot(&config);
}

/* The holder lets go when @nr_waiters tasks wait for @pages. */
static const char *run_waiters(uint32_t nr_waiters, const uint32_t *pages,
			       void (*entry)(void *arg))
{
	static uint32_t nr;
	static uint32_t page_of[3];

	if (!boot_for_tasks())
		return ct_finish();
	nr = nr_waiters;
	machine_spawn(0, holder, &nr);
	for (uint32_t i = 0; i < nr_waiters; i++) {
		page_of[i] = pages[i];
		machine_spawn(0, entry, &page_of[i]);
	}
	return ct_finish();
}

const char *ct_kmap_waits_and_is_served(void)
{
	static const uint32_t pages[] = { 2 };
	const char *why = run_waiters(1, pages, waiter);

	if (!why && (highmem_stat(ct_hm, HM_STAT_WAIT) != 1 ||
		     highmem_stat(ct_hm, HM_STAT_HANDOVER) != 1 ||
		     highmem_stat(ct_hm, HM_STAT_WAKEUP) != 1))
		why = "one wait, one hand-over, one wake-up were due";
	return why;
}

/* The core takes a lock, with interrupts off, and gives back what it found. */
static void quiet_holder(void *arg)
{
	port_irq_t flags;

	(void)arg;
	hold_all_until_somebody_waits(1);
	flags = port_irq_save();
	kunmap(ct_hm, ct_page(0));
	CT_EXPECT(!port_may_sleep());
	port_irq_restore(flags);
	CT_EXPECT(port_may_sleep());
	kunmap(ct_hm, ct_page(1));
}

const char *ct_kunmap_leaves_interrupts_as_they_were(void)
{
	static uint32_t page = 2;

	if (!boot_for_tasks())
		return ct_finish();
	machine_spawn(0, quiet_holder, NULL);
	machine_spawn(0, waiter, &page);
	return ct_finish();
}

/* Waiter n queues when n - 1 others do, and must be the n-th to be served. */
static void ordered_waiter(void *arg)
{
	uint32_t n = *(const uint32_t *)arg;
	struct page *page = ct_page(n + 1);

	await_step(1);
	await_queue(n - 1);
	kmap(ct_hm, page);
	CT_EXPECT(port_atomic_fetch_add(&step, 1) == n);
	kunmap(ct_hm, page);
}

static void one_holder(void *arg)
{
	(void)arg;
	kmap(ct_hm, ct_page(0));
	kmap(ct_hm, ct_page(1));
	next_step();
	await_queue(2);
	kunmap(ct_hm, ct_page(0));
	await_step(3); /* both are served, one after the other */
	kunmap(ct_hm, ct_page(1));
}

const char *ct_waiters_are_served_in_order(void)
{
	static uint32_t number[2] = { 1, 2 };

	if (!boot_for_tasks())
		return ct_finish();
	machine_spawn(0, one_holder, NULL);
	machine_spawn(0, ordered_waiter, &number[0]);
	machine_spawn(0, ordered_waiter, &number[1]);
	return ct_finish();
}

static void sharing_waiter(void *arg)
{
	(void)arg;
	await_step(1);
	CT_EXPECT(ct_shows(kmap(ct_hm, ct_page(2)), ct_page(2)));
	next_step();
	await_step(3); /* both have it at the same time */
	kunmap(ct_hm, ct_page(2));
}

static void holder_of_one_slot(void *arg)
{
	(void)arg;
	kmap(ct_hm, ct_page(0));
	kmap(ct_hm, ct_page(1));
	next_step();
	await_queue(2);
	kunmap(ct_hm, ct_page(0));
	await_step(3); /* one slot must do for the two of them */
	kunmap(ct_hm, ct_page(1));
}

const char *ct_waiters_for_one_page_share_a_slot(void)
{
	if (!boot_for_tasks())
		return ct_finish();
	machine_spawn(0, holder_of_one_slot, NULL);
	machine_spawn(0, sharing_waiter, NULL);
	machine_spawn(0, sharing_waiter, NULL);
	return ct_finish();
}

static void hold_until_step_2(void *arg)
{
	(void)arg;
	kmap(ct_hm, ct_page(0));
	kmap(ct_hm, ct_page(1));
	next_step();
	await_step(2);
	kunmap(ct_hm, ct_page(0));
	kunmap(ct_hm, ct_page(1));
}

static void times_out(void *arg)
{
	(void)arg;
	await_step(1);
	CT_EXPECT(kmap_timeout(ct_hm, ct_page(2), port_now() + 2) == NULL);
	CT_EXPECT(port_atomic_load(&ct_hm->pkmap.queue[0].nr) == 0);
	CT_EXPECT(highmem_stat(ct_hm, HM_STAT_TIMEOUT) == 1);
	next_step();
}

const char *ct_kmap_timeout_gives_up(void)
{
	if (!boot_for_tasks())
		return ct_finish();
	machine_spawn(0, hold_until_step_2, NULL);
	machine_spawn(0, times_out, NULL);
	return ct_finish();
}

static void served_in_time(void *arg)
{
	uint64_t deadline = port_now() + ((uint64_t)1 << 40);

	(void)arg;
	await_step(1);
	CT_EXPECT(ct_shows(kmap_timeout(ct_hm, ct_page(2), deadline),
			   ct_page(2)));
	kunmap(ct_hm, ct_page(2));
}

const char *ct_kmap_timeout_is_served_in_time(void)
{
	static uint32_t nr = 1;

	if (!boot_for_tasks())
		return ct_finish();
	machine_spawn(0, holder, &nr);
	machine_spawn(0, served_in_time, NULL);
	return ct_finish();
}

/* Kills task 2 when it queues; then waits for what it makes of that. */
static void killer(void *arg)
{
	(void)arg;
	kmap(ct_hm, ct_page(0));
	kmap(ct_hm, ct_page(1));
	next_step();
	await_queue(1);
	machine_kill(2);
	await_step(2);
	kunmap(ct_hm, ct_page(0));
	kunmap(ct_hm, ct_page(1));
}

static void is_killed(void *arg)
{
	(void)arg;
	await_step(1);
	CT_EXPECT(kmap_killable(ct_hm, ct_page(2)) == NULL);
	CT_EXPECT(port_atomic_load(&ct_hm->pkmap.queue[0].nr) == 0);
	CT_EXPECT(highmem_stat(ct_hm, HM_STAT_KILLED) == 1);
	CT_EXPECT(port_signal_pending(port_task_current()));
	CT_EXPECT(machine_take_signal());
	CT_EXPECT(!port_signal_pending(port_task_current()));
	CT_EXPECT(!machine_take_signal());
	next_step();
}

const char *ct_kmap_killable_gives_up(void)
{
	if (!boot_for_tasks())
		return ct_finish();
	machine_spawn(0, killer, NULL);
	machine_spawn(0, is_killed, NULL);
	return ct_finish();
}

static void killable_waiter(void *arg)
{
	(void)arg;
	await_step(1);
	CT_EXPECT(ct_shows(kmap_killable(ct_hm, ct_page(2)), ct_page(2)));
	CT_EXPECT(!machine_take_signal());
	kunmap(ct_hm, ct_page(2));
}

const char *ct_kmap_killable_is_served(void)
{
	static uint32_t nr = 1;

	if (!boot_for_tasks())
		return ct_finish();
	machine_spawn(0, holder, &nr);
	machine_spawn(0, killable_waiter, NULL);
	return ct_finish();
}

/*
 * Both CPUs load the translation of a slot; one CPU gives the slot to another
 * page; the other CPU must not go on seeing the first one.
 */
static void fill_both_slots(void *arg)
{
	(void)arg;
	for (uint32_t round = 0; round < 8; round++) {
		struct page *page = ct_page(round % 4);

		await_step(2 * round);
		CT_EXPECT(ct_shows(kmap(ct_hm, page), page));
		next_step();
		await_step(2 * round + 2);
		kunmap(ct_hm, page);
	}
}

static void look_from_other_cpu(void *arg)
{
	(void)arg;
	for (uint32_t round = 0; round < 8; round++) {
		struct page *page = ct_page(round % 4);

		await_step(2 * round + 1);
		CT_EXPECT(ct_shows(page_address(ct_hm, page), page));
		next_step();
	}
}

const char *ct_other_cpu_sees_the_reused_slot(void)
{
	struct machine_config config = CT_SMALL;

	config.nr_cpus = 2;
	port_atomic_store(&step, 0);
	port_atomic_store(&turn, 1);
	if (!ct_boot(&config))
		return ct_finish();
	machine_spawn(0, fill_both_slots, NULL);
	machine_spawn(1, look_from_other_cpu, NULL);
	return ct_finish();
}
