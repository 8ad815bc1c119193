/* SPDX-License-Identifier: MIT */

/*
 * What the port promises when CPUs run at the same time. No case waits for a
 * time: each ends when all has happened, and the watchdog has the last word.
 */

#include "core/port/machine.h"
#include "core/ports/i686/i686.h"
#include "stress/kernel/cases.h"
#include "stress/kernel/world.h"

#define NR_SLOTS 2

static struct {
	unsigned int nr_cpus;
	unsigned int arg[MACHINE_MAX_TASKS];
	port_atomic_t ready; /* tasks that are there */
} all;

/*
 * Right here another CPU comes in: QEMU with one thread for all CPUs goes on
 * to the next one at a pause.
 */
static void let_others_in(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* All are there: from here on they run side by side. */
static void meet(unsigned int nr)
{
	port_atomic_fetch_add(&all.ready, 1);
	while (port_atomic_load(&all.ready) < nr)
		machine_yield(0);
}

/* @nr tasks, the first on CPU @first, the next on the one after it, ... */
static const char *run_tasks(unsigned int nr, void (*entry)(void *arg),
			     unsigned int stride)
{
	const char *why;

	all.nr_cpus = i686_nr_cpus();
	if (all.nr_cpus < 2)
		return "skip: this PC has 1 CPU";
	i686_set_parallel(true);
	port_atomic_store(&all.ready, 0);
	world_boot_on(all.nr_cpus, NR_SLOTS);
	for (unsigned int i = 0; i < nr; i++) {
		all.arg[i] = i;
		machine_spawn(i * stride % all.nr_cpus, entry, &all.arg[i]);
	}
	why = world_run();
	i686_set_parallel(false);
	return why;
}

/* ---- Wake-ups --------------------------------------------------------------------- */

#define NR_PINGS 200

static struct {
	struct port_task *task[2];
	port_atomic_t whose; /* turn it is: even or odd */
} ping;

/* Each sleeps until the other has had its turn. */
static void ping_task(void *arg)
{
	unsigned int me = *(const unsigned int *)arg;

	ping.task[me] = port_task_current();
	meet(2);
	for (unsigned int i = 0; i < NR_PINGS; i++) {
		while (port_atomic_load(&ping.whose) % 2 != me) {
			let_others_in(); /* they wake before the sleep */
			port_park(PORT_NO_DEADLINE);
		}
		port_atomic_fetch_add(&ping.whose, 1);
		port_unpark(ping.task[!me]);
	}
}

static const char *wake_ups(void)
{
	const char *why;

	port_atomic_store(&ping.whose, 0);
	why = run_tasks(2, ping_task, 1);
	if (!why && port_atomic_load(&ping.whose) != 2 * NR_PINGS)
		why = "a turn is missing";
	return why;
}

/* ---- A run at rest ------------------------------------------------------------------ */

#define LOOKS 5 /* ticks in which the boot CPU looks whether all is over */

static struct {
	port_atomic_t due;    /* the next interrupt of another CPU is the one */
	port_atomic_t inside; /* it has begun */
	port_atomic_t over;
} slow;

static void take_time(void)
{
	uint64_t until = port_now() + LOOKS;

	while (port_now() < until)
		let_others_in();
}

/*
 * It wakes task 1, on another CPU, but in its own good time: meanwhile nobody
 * runs anywhere.
 */
static void wake_slowly(void *unused)
{
	uint32_t due = 1;

	(void)unused;
	if (port_cpu_id() == 0 || !port_atomic_cas(&slow.due, &due, 0))
		return;
	port_atomic_store(&slow.inside, 1);
	while (!machine_task_asleep(1))
		let_others_in();
	take_time();
	port_atomic_store(&slow.over, 1);
	port_unpark(ping.task[0]);
}

static void sleep_task(void *arg)
{
	(void)arg;
	ping.task[0] = port_task_current();
	port_atomic_store(&slow.due, 1);
	while (!port_atomic_load(&slow.inside))
		machine_yield(0);
	while (!port_atomic_load(&slow.over))
		port_park(PORT_NO_DEADLINE);
}

static const char *slow_wake_up(void)
{
	const char *why;

	port_atomic_store(&slow.due, 0);
	port_atomic_store(&slow.inside, 0);
	port_atomic_store(&slow.over, 0);
	i686_timer(I686_TIMER_HZ, wake_slowly, NULL);
	why = run_tasks(1, sleep_task, 1);
	i686_timer(I686_TIMER_HZ, NULL, NULL);
	return why;
}

static void hook_slowly(void *unused)
{
	uint32_t due = 1;

	(void)unused;
	if (port_cpu_id() == 0 || !port_atomic_cas(&slow.due, &due, 0))
		return;
	port_atomic_store(&slow.inside, 1);
	take_time();
	port_atomic_store(&slow.over, 1);
}

/* No task: while a clock's hook is replaced, a CPU is in it. */
static const char *hook_is_over(void)
{
	if (i686_nr_cpus() < 2)
		return "skip: this PC has 1 CPU";
	port_atomic_store(&slow.inside, 0);
	port_atomic_store(&slow.over, 0);
	port_atomic_store(&slow.due, 1);
	i686_set_parallel(true);
	world_boot_on(2, NR_SLOTS);
	i686_timer(I686_TIMER_HZ, hook_slowly, NULL);
	while (!port_atomic_load(&slow.inside))
		let_others_in();
	i686_timer(I686_TIMER_HZ, NULL, NULL);
	if (!port_atomic_load(&slow.over))
		world_fail("a CPU is still in the hook that was replaced");
	while (!port_atomic_load(&slow.over))
		let_others_in();
	i686_set_parallel(false);
	return world_run();
}

/* ---- Deadlines ---------------------------------------------------------------------- */

#define TICKS_TO_WAIT 5
#define TICKS_HELD 100

static port_atomic_t waiter_is_back;

/* At each tick, also at the one of its deadline, the waiter is woken. */
static void pester(void *unused)
{
	(void)unused;
	machine_kill(2);
}

static void hold_task(void *unused)
{
	uint64_t until = port_now() + TICKS_HELD;

	(void)unused;
	for (unsigned int i = 0; i < NR_SLOTS; i++)
		kmap(world_hm(), world_page(i));
	meet(2);
	while (!port_atomic_load(&waiter_is_back) && port_now() < until)
		machine_yield(0);
	for (unsigned int i = 0; i < NR_SLOTS; i++)
		kunmap(world_hm(), world_page(i));
}

static void wait_task(void *unused)
{
	(void)unused;
	meet(2);
	if (kmap_timeout(world_hm(), world_page(NR_SLOTS),
			 port_now() + TICKS_TO_WAIT))
		world_fail("a wait for %u ticks, woken at each, took %u",
			   TICKS_TO_WAIT, TICKS_HELD);
	port_atomic_store(&waiter_is_back, 1);
}

/* One CPU: what its clock's interrupt does, it does before any task runs. */
static const char *deadline_among_wake_ups(void)
{
	const char *why;

	port_atomic_store(&all.ready, 0);
	port_atomic_store(&waiter_is_back, 0);
	i686_set_parallel(true);
	world_boot_on(1, NR_SLOTS);
	machine_spawn(0, hold_task, NULL);
	machine_spawn(0, wait_task, NULL);
	i686_timer(I686_TIMER_HZ, pester, NULL);
	why = world_run();
	i686_timer(I686_TIMER_HZ, NULL, NULL);
	i686_set_parallel(false);
	return why;
}

/* ---- Spin locks -------------------------------------------------------------------- */

#define NR_ADDS 500

static struct {
	port_spinlock_t lock;
	volatile uint32_t sum; /* no atomic word: the lock has to do it */
} counter;

static void add_task(void *arg)
{
	uint32_t sum;

	(void)arg;
	meet(all.nr_cpus);
	for (unsigned int i = 0; i < NR_ADDS; i++) {
		port_spin_lock(&counter.lock);
		sum = counter.sum;
		let_others_in();
		counter.sum = sum + 1;
		port_spin_unlock(&counter.lock);
	}
}

static const char *spin_locks(void)
{
	const char *why;

	port_spin_init(&counter.lock);
	counter.sum = 0;
	why = run_tasks(i686_nr_cpus(), add_task, 1);
	if (!why && counter.sum != all.nr_cpus * NR_ADDS)
		why = "two CPUs had the lock at the same time";
	return why;
}

/* ---- Shootdowns --------------------------------------------------------------------- */

#define NR_SHOTS 50

/* Everybody waits for everybody, and has to answer meanwhile. */
static void shoot_task(void *arg)
{
	vaddr_t vaddr = world_hm()->config.pkmap_base;

	(void)arg;
	port_migrate_disable();
	meet(all.nr_cpus);
	for (unsigned int i = 0; i < NR_SHOTS; i++)
		port_tlb_shootdown_pages(&vaddr, 1);
	port_migrate_enable();
}

static const char *shootdowns(void)
{
	const char *why = run_tasks(i686_nr_cpus(), shoot_task, 1);

	if (!why && machine_tlb_stats().shootdowns != all.nr_cpus * NR_SHOTS)
		why = "a shootdown was not counted";
	return why;
}

/* The second task spins for the lock that the first one shoots with. */
static void shoot_with_lock_task(void *arg)
{
	vaddr_t vaddr = world_hm()->config.pkmap_base;

	port_migrate_disable();
	if (*(const unsigned int *)arg) {
		meet(2);
		port_spin_lock(&counter.lock);
		port_spin_unlock(&counter.lock);
	} else {
		port_spin_lock(&counter.lock);
		port_atomic_fetch_add(&all.ready, 1);
		while (port_atomic_load(&all.ready) < 2)
			;
		for (unsigned int i = 0; i < NR_SHOTS; i++)
			port_tlb_shootdown_pages(&vaddr, 1);
		port_spin_unlock(&counter.lock);
	}
	port_migrate_enable();
}

static const char *spinning(void)
{
	port_spin_init(&counter.lock);
	return run_tasks(2, shoot_with_lock_task, 1);
}

/* ---- Moving ------------------------------------------------------------------------- */

static port_atomic_t seen_on; /* one bit for each CPU */

static uint32_t all_cpus(void)
{
	return ((uint32_t)1 << all.nr_cpus) - 1;
}

static void note_cpu(void)
{
	uint32_t cpus = port_atomic_load(&seen_on);

	port_preempt_disable();
	while (!port_atomic_cas(&seen_on, &cpus,
				cpus | (uint32_t)1 << port_cpu_id()))
		;
	port_preempt_enable();
}

/* All begin on CPU 0, and go on until each CPU has had one of them. */
static void moving_task(void *arg)
{
	(void)arg;
	while (port_atomic_load(&seen_on) != all_cpus()) {
		note_cpu();
		machine_yield(0);
	}
}

static const char *moving(void)
{
	unsigned int nr = i686_nr_cpus() + 1;

	port_atomic_store(&seen_on, 0);
	return run_tasks(nr < MACHINE_MAX_TASKS ? nr : MACHINE_MAX_TASKS,
			 moving_task, 0);
}

/*
 * A task with a window stays, though other CPUs look for work: it keeps the
 * window until they have had MOVES turns with tasks that may go anywhere.
 */
#define HOLDERS 2
#define MOVES 100

static port_atomic_t turns_on[HIGHMEM_MAX_CPUS];
static port_atomic_t holders;

static uint32_t turns_elsewhere(unsigned int cpu)
{
	uint32_t turns = 0;

	for (unsigned int c = 0; c < HIGHMEM_MAX_CPUS; c++)
		if (c != cpu)
			turns += port_atomic_load(&turns_on[c]);
	return turns;
}

static void wandering_task(void)
{
	while (port_atomic_load(&holders) != 0) {
		port_preempt_disable();
		port_atomic_fetch_add(&turns_on[port_cpu_id()], 1);
		port_preempt_enable();
		machine_yield(0);
	}
}

static void hold_window(unsigned int page)
{
	void *vaddr = kmap_local_page(world_hm(), world_page(page));
	unsigned int cpu = port_cpu_id();
	uint32_t from = turns_elsewhere(cpu);

	while (turns_elsewhere(cpu) - from < MOVES) {
		machine_yield(0);
		if (port_cpu_id() != cpu) {
			world_fail("a task with a window moved from "
				   "CPU %u to CPU %u",
				   cpu, port_cpu_id());
			break;
		}
		world_check_tag(vaddr, page);
	}
	kunmap_local(world_hm(), vaddr);
}

static void staying_task(void *arg)
{
	unsigned int nr = *(const unsigned int *)arg;

	if (nr >= HOLDERS) {
		wandering_task();
		return;
	}
	for (unsigned int round = 0; round < 10; round++) {
		hold_window(1 + nr);
		machine_yield(0);
	}
	port_atomic_fetch_add(&holders, (uint32_t)-1);
}

static const char *staying(void)
{
	for (unsigned int c = 0; c < HIGHMEM_MAX_CPUS; c++)
		port_atomic_store(&turns_on[c], 0);
	port_atomic_store(&holders, HOLDERS);
	return run_tasks(MACHINE_MAX_TASKS, staying_task, 1);
}

/* ---- Time ----------------------------------------------------------------------------- */

static port_atomic_t latest;

/* Whoever reads the time after another does not read less. */
static void time_task(void *arg)
{
	(void)arg;
	meet(all.nr_cpus);
	for (unsigned int i = 0; i < 500; i++) {
		uint32_t before = port_atomic_load(&latest);
		uint32_t now = (uint32_t)port_now();

		let_others_in();
		if ((int32_t)(now - before) < 0)
			world_fail("time goes back from %u to %u", before, now);
		if ((int32_t)(now - before) > 0)
			port_atomic_cas(&latest, &before, now);
	}
	if (port_park(port_now() + 3) && *(const unsigned int *)arg == 0)
		world_fail("nobody woke this task, yet it was");
}

static const char *time_goes_on(void)
{
	port_atomic_store(&latest, (uint32_t)port_now());
	return run_tasks(i686_nr_cpus(), time_task, 1);
}

const struct conformance_case parallel_cases[] = {
	{ "parallel_wake_ups", wake_ups },
	{ "parallel_slow_interrupt_wakes_the_last_task", slow_wake_up },
	{ "parallel_hook_is_over_when_replaced", hook_is_over },
	{ "parallel_deadline_among_wake_ups", deadline_among_wake_ups },
	{ "parallel_spin_locks", spin_locks },
	{ "parallel_shootdowns", shootdowns },
	{ "parallel_shootdown_at_a_spinning_cpu", spinning },
	{ "parallel_tasks_move_to_idle_cpus", moving },
	{ "parallel_tasks_with_windows_stay", staying },
	{ "parallel_time_goes_on", time_goes_on },
};

const unsigned int parallel_nr_cases = sizeof(parallel_cases) /
				       sizeof(parallel_cases[0]);
