/* SPDX-License-Identifier: MIT */
#include "core/ports/sim/test_tasks.h"

/* ---- Who runs ---------------------------------------------------------------------- */

/* "a1 b2 a3" says: note a, yield with rank 1; ... */
struct script {
	const char *text;
	uint64_t woken_at;
};

static void play(void *arg)
{
	const struct script *script = arg;

	for (const char *s = script->text; *s; s += 2) {
		machine_yield((uint32_t)(s[1] - '0'));
		note(s[0]);
	}
}

Test(sim_tasks, the_lowest_rank_runs_next)
{
	struct script one = { "a1b4c5", 0 };
	struct script two = { "A2B3C6", 0 };

	boot(2);
	machine_spawn(0, play, &one);
	machine_spawn(1, play, &two);
	run_all();
	cr_expect_str_eq(events, "aABbcC");
}

Test(sim_tasks, of_equal_ranks_the_lowest_id)
{
	struct script one = { "a1b1", 0 };
	struct script two = { "A1B1", 0 };

	boot(1);
	machine_spawn(0, play, &one);
	machine_spawn(0, play, &two);
	run_all();
	cr_expect_str_eq(events, "abAB");
}

static void say_cpu(void *arg)
{
	uint32_t id = port_task_id(port_task_current());

	(void)arg;
	note((char)('0' + port_cpu_id()));
	note((char)('a' + id));
}

Test(sim_tasks, ids_count_from_1_and_a_task_stays_on_its_cpu)
{
	boot(8);
	cr_expect_eq(machine_spawn(7, say_cpu, NULL), 1);
	cr_expect_eq(machine_spawn(0, say_cpu, NULL), 2);
	cr_expect_eq(machine_spawn(3, say_cpu, NULL), 3);
	run_all();
	cr_expect_str_eq(events, "7b0c3d");
}

Test(sim_tasks, facts)
{
	boot(3);
	cr_expect_str_eq(port_facts()->name, "sim");
	cr_expect_eq(port_facts()->cpu_mask, 7);
	cr_expect_not(port_facts()->pae);
}

static void keep_the_cpu(void *arg)
{
	(void)arg;
	port_preempt_disable();
	machine_yield(5);
	note('a');
	machine_yield(8);
	note('b');
	port_preempt_enable();
	machine_yield(9);
	note('c');
}

Test(sim_tasks, with_preemption_disabled_nobody_else_gets_the_cpu)
{
	struct script same_cpu = { "1627", 0 };
	struct script other_cpu = { "x6y7", 0 };

	boot(2);
	machine_spawn(0, keep_the_cpu, NULL);
	machine_spawn(0, play, &same_cpu);
	machine_spawn(1, play, &other_cpu);
	run_all();
	cr_expect_str_eq(events, "axyb12c");
}

/* ---- Sleep and time ------------------------------------------------------------------ */

static void sleep_until(void *arg)
{
	uint64_t until = *(uint64_t *)arg;

	cr_expect_lt(port_now(), until);
	cr_expect_not(port_park(until));
	cr_expect_eq(port_now(), until);
	note((char)('a' + port_task_id(port_task_current()) - 1));
}

Test(sim_tasks, sleepers_wake_in_the_order_of_their_deadlines)
{
	uint64_t until[] = { 300, 100, 200 };

	boot(2);
	for (unsigned int i = 0; i < 3; i++)
		machine_spawn(i % 2, sleep_until, &until[i]);
	run_all();
	cr_expect_str_eq(events, "bca");
	cr_expect_eq(port_now(), 300);
}

Test(sim_tasks, equal_deadlines_wake_together)
{
	uint64_t until = 50;

	boot(2);
	machine_spawn(0, sleep_until, &until);
	machine_spawn(1, sleep_until, &until);
	run_all();
	cr_expect_str_eq(events, "ab");
}

static void park_for_a_tick(void *arg)
{
	(void)arg;
	cr_expect_not(port_park(port_now() + 1));
	note('p');
}

static void let_time_pass(void *arg)
{
	uint64_t before = port_now();

	(void)arg;
	for (unsigned int i = 0; i < 20; i++) {
		machine_yield(0);
		cr_expect_gt(port_now(), before, "time goes back");
		before = port_now();
	}
	cr_expect_not(port_park(before + 1));
	cr_expect_gt(port_now(), before, "time goes back");
	note('t');
}

Test(sim_tasks, time_never_goes_back)
{
	boot(2);
	machine_spawn(0, park_for_a_tick, NULL);
	machine_spawn(1, let_time_pass, NULL);
	run_all();
	cr_expect_str_eq(events, "pt");
}

#define BLIND_SLEEP \
	"sim: sleeps again without a look at the clock: " \
	"wake-ups can keep it beyond its deadline"

static void park_in_the_past(void *arg)
{
	(void)arg;
	machine_yield(1);
	cr_expect_not(port_park(0));
	expect_bug(BLIND_SLEEP);
	cr_expect_not(port_park(port_now()));
	expect_bug(BLIND_SLEEP);
	note('d');
}

Test(sim_tasks, a_deadline_that_has_passed_does_not_sleep)
{
	boot(1);
	machine_spawn(0, park_in_the_past, NULL);
	run_all();
	cr_expect_str_eq(events, "d");
}

/* The look before the first sleep does not count for the second. */
static void park_twice(void *arg)
{
	uint64_t until = port_now() + 10;

	(void)arg;
	port_unpark(port_task_current());
	cr_expect(port_park(until));
	cr_expect_null(machine_take_bug());
	port_park(until);
	expect_bug(BLIND_SLEEP);
	port_unpark(port_task_current());
	port_park(PORT_NO_DEADLINE);
	note('d');
}

Test(sim_tasks, each_sleep_with_a_deadline_needs_a_look_at_the_clock)
{
	boot(1);
	machine_spawn(0, park_twice, NULL);
	run_all();
	cr_expect_str_eq(events, "d");
}

static void sleep_for_ever(void *arg)
{
	(void)arg;
	note('s');
	cr_expect(port_park(PORT_NO_DEADLINE));
	note('w');
}

Test(sim_tasks, who_sleeps_for_ever_stalls_the_machine)
{
	boot(1);
	machine_spawn(0, sleep_for_ever, NULL);
	cr_expect_eq(machine_run(), MACHINE_STALLED);
	cr_expect(machine_task_asleep(1));
	cr_expect_str_eq(events, "s");
	port_unpark(&sim.tasks[0]);
	cr_expect_not(machine_task_asleep(1));
	run_all();
	cr_expect_str_eq(events, "sw");
}

static void unpark_first(void *arg)
{
	(void)arg;
	machine_yield(1);
	port_unpark(&sim.tasks[0]);
	note('u');
}

Test(sim_tasks, unpark_wakes)
{
	boot(2);
	machine_spawn(0, sleep_for_ever, NULL);
	machine_spawn(1, unpark_first, NULL);
	run_all();
	cr_expect_str_eq(events, "suw");
}

static void unpark_self_then_sleep(void *arg)
{
	(void)arg;
	port_unpark(port_task_current());
	port_unpark(port_task_current());
	cr_expect(port_park(PORT_NO_DEADLINE));
	note('1');
	cr_expect_not(port_park(port_now() + 5), "it is remembered once");
	note('2');
}

Test(sim_tasks, an_unpark_that_comes_first_is_remembered_once)
{
	boot(1);
	machine_spawn(0, unpark_self_then_sleep, NULL);
	run_all();
	cr_expect_str_eq(events, "12");
}

static void sleep_with_deadline(void *arg)
{
	*(bool *)arg = port_park(port_now() + 100);
	cr_expect_lt(port_now(), 50);
}

Test(sim_tasks, unpark_comes_before_the_deadline)
{
	bool woken = false;

	boot(2);
	machine_spawn(0, sleep_with_deadline, &woken);
	machine_spawn(1, unpark_first, NULL);
	run_all();
	cr_expect(woken);
}

/* ---- Context --------------------------------------------------------------------------- */

Test(sim_tasks, where_sleeping_is_allowed)
{
	port_irq_t outer;
	port_irq_t inner;

	boot(1);
	cr_expect(port_may_sleep());
	port_preempt_disable();
	port_preempt_disable();
	port_preempt_enable();
	cr_expect_not(port_may_sleep());
	port_preempt_enable();
	cr_expect(port_may_sleep());
	outer = port_irq_save();
	inner = port_irq_save();
	port_irq_restore(inner);
	cr_expect_not(port_may_sleep());
	port_irq_restore(outer);
	cr_expect(port_may_sleep());
	port_migrate_disable();
	cr_expect(port_may_sleep());
	port_migrate_enable();
}

static void sleep_in_atomic(void *arg)
{
	(void)arg;
	port_preempt_disable();
	port_park(port_now() + 1);
	port_preempt_enable();
}

Test(sim_tasks, sleeping_elsewhere_is_reported)
{
	boot(1);
	machine_spawn(0, sleep_in_atomic, NULL);
	machine_run();
	expect_bug("sim: sleeping in atomic context");
}

static void sleep_a_tick(void *arg)
{
	(void)arg;
	port_park(port_now() + 1);
}

static void sleep_in_a_handler(void *arg)
{
	(void)arg;
	machine_interrupt(sleep_a_tick, NULL);
}

/* Also where handlers run with interrupts on. */
Test(sim_tasks, sleeping_in_a_handler_is_reported)
{
	for (unsigned int nested = 0; nested < 2; nested++) {
		boot(1);
		sim.config.nested_irqs = nested;
		machine_spawn(0, sleep_in_a_handler, NULL);
		machine_run();
		expect_bug("sim: sleeping in atomic context");
		cr_expect_null(machine_take_bug());
	}
}

static void end_in_atomic(void *arg)
{
	(void)arg;
	port_preempt_disable();
}

Test(sim_tasks, ending_in_atomic_context_is_reported)
{
	boot(1);
	machine_spawn(0, end_in_atomic, NULL);
	machine_run();
	expect_bug("sim: a task ends in atomic context");
}

Test(sim_tasks, enabling_more_often_than_disabling_is_reported)
{
	boot(1);
	port_preempt_enable();
	expect_bug("sim: preemption enabled more often than disabled");
	port_migrate_enable();
	expect_bug("sim: migration enabled more often than disabled");
	cr_expect(port_may_sleep());
}

/* ---- Interrupts ------------------------------------------------------------------------ */

static void look_around(void *arg)
{
	*(struct port_task **)arg = port_task_current();
	cr_expect_not(port_may_sleep());
	cr_expect_not(machine_interrupt(look_around, arg), "they are off");
	note('i');
}

Test(sim_tasks, an_interrupt_runs_as_the_task_it_cut_in)
{
	struct port_task *who = NULL;
	port_irq_t flags;

	boot(1);
	cr_expect(machine_interrupt(look_around, (void *)&who));
	cr_expect_eq(who, port_task_current());
	cr_expect_str_eq(events, "i");
	cr_expect(port_may_sleep());
	flags = port_irq_save();
	cr_expect_not(machine_interrupt(look_around, (void *)&who));
	port_irq_restore(flags);
	cr_expect_str_eq(events, "i");
}

static void leave_preemption_disabled(void *arg)
{
	(void)arg;
	port_preempt_disable();
}

Test(sim_tasks, an_interrupt_that_leaves_preemption_disabled_is_reported)
{
	boot(1);
	machine_interrupt(leave_preemption_disabled, NULL);
	expect_bug("sim: an interrupt returns with preemption disabled");
}

/* ---- Locks ------------------------------------------------------------------------------ */

Test(sim_tasks, a_lock_disables_preemption)
{
	port_spinlock_t lock;

	boot(1);
	port_spin_init(&lock);
	cr_expect_not(port_spin_is_locked(&lock));
	port_spin_lock(&lock);
	cr_expect(port_spin_is_locked(&lock));
	cr_expect_not(port_may_sleep());
	port_spin_unlock(&lock);
	cr_expect_not(port_spin_is_locked(&lock));
	cr_expect(port_may_sleep());
	cr_expect_null(machine_take_bug());
}

Test(sim_tasks, unlocking_what_is_not_locked_is_reported)
{
	port_spinlock_t lock;

	boot(1);
	port_spin_init(&lock);
	port_preempt_disable();
	port_spin_unlock(&lock);
	expect_bug("sim: a spin lock is released that is not held");
}

static void lock_twice(void *arg)
{
	port_spin_lock(arg);
	note('1');
	port_spin_lock(arg);
	note('2');
}

Test(sim_tasks, a_lock_taken_twice_stops_the_task)
{
	port_spinlock_t lock;

	boot(1);
	port_spin_init(&lock);
	machine_spawn(0, lock_twice, &lock);
	cr_expect_eq(machine_run(), MACHINE_STALLED);
	expect_bug("sim: a spin lock is taken twice: deadlock");
	cr_expect_str_eq(events, "1");
	cr_expect_not(machine_task_asleep(1), "it spins");
}
