/* SPDX-License-Identifier: MIT */
#include "core/ports/sim/test_tasks.h"

/* ---- From CPU to CPU ---------------------------------------------------------------- */

static void move_about(void *arg)
{
	struct port_task *self = port_task_current();

	(void)arg;
	cr_expect(sim_can_migrate(self, 1));
	cr_expect_not(sim_can_migrate(self, 0), "it is there");
	port_migrate_disable();
	cr_expect_not(sim_can_migrate(self, 1), "migration is off");
	port_migrate_enable();
	port_preempt_disable();
	cr_expect_not(sim_can_migrate(self, 1), "preemption is off");
	port_preempt_enable();
	port_irq_restore(port_irq_save());
	sim_migrate(self, 1);
	cr_expect_eq(port_cpu_id(), 1);
	cr_expect_eq(sim.cpus[1].current, self);
	cr_expect_null(sim.cpus[0].current);
	machine_yield(1);
	cr_expect_eq(port_cpu_id(), 1, "it came back to where it was");
}

Test(sim_cpu, migration)
{
	boot(2);
	machine_spawn(0, move_about, NULL);
	run_all();
}

static void pinned(void *arg)
{
	(void)arg;
	port_preempt_disable();
	machine_yield(5);
	port_preempt_enable();
}

static void look_at_others(void *arg)
{
	(void)arg;
	machine_yield(1);
	cr_expect_not(sim_can_migrate(&sim.tasks[0], 1), "it is pinned");
	cr_expect_not(sim_can_migrate(port_task_current(), 0),
		      "nobody can be put on its CPU");
}

Test(sim_cpu, who_keeps_the_cpu_is_not_moved_and_not_displaced)
{
	boot(2);
	machine_spawn(0, pinned, NULL);
	machine_spawn(1, look_at_others, NULL);
	run_all();
}

static void end_pinned(void *arg)
{
	(void)arg;
	port_migrate_disable();
}

Test(sim_cpu, ending_with_migration_disabled_is_reported)
{
	boot(1);
	machine_spawn(0, end_pinned, NULL);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	expect_bug("sim: a task ends with migration disabled");
}

/* ---- Interrupts ---------------------------------------------------------------- */

static void leave_migration_disabled(void *arg)
{
	(void)arg;
	port_migrate_disable();
}

static void leave_interrupts_off(void *arg)
{
	(void)arg;
	port_irq_save();
}

static void turn_interrupts_on(void *arg)
{
	(void)arg;
	port_irq_restore(false);
}

/* Calls @handler in an interrupt of a machine where they @nest or do not. */
static void interrupt_with(void (*handler)(void *arg), bool nest,
			   const char *sentence)
{
	boot(1);
	sim.config.nested_irqs = nest;
	machine_interrupt(handler, NULL);
	if (sentence)
		expect_bug(sentence);
	cr_expect_null(machine_take_bug());
	machine_shutdown();
}

Test(sim_cpu, an_interrupt_gives_back_what_it_took)
{
	interrupt_with(leave_migration_disabled, false,
		       "sim: an interrupt returns with migration disabled");
	interrupt_with(leave_interrupts_off, true,
		       "sim: an interrupt returns with interrupts off");
	interrupt_with(leave_interrupts_off, false, NULL);
	interrupt_with(turn_interrupts_on, false,
		       "sim: an interrupt handler turned interrupts on");
	interrupt_with(turn_interrupts_on, true, NULL);
}

static void interrupt_again(void *arg)
{
	if (machine_interrupt(interrupt_again, NULL))
		note('x');
	(void)arg;
}

Test(sim_cpu, a_handler_is_interrupted_only_with_interrupts_on)
{
	interrupt_with(interrupt_again, false, NULL);
	cr_expect_str_eq(events, "");
}

/* ---- Interrupts of a CPU that spins ------------------------------------------------- */

static port_spinlock_t lock;

/* B comes while A holds the lock; then an interrupt at each point of A's. */
static unsigned int interrupt_b(void *arg, enum sim_question question,
				const uint8_t *options, unsigned int nr)
{
	(void)arg;
	if (question == SIM_WHO)
		return lock.locked.value && options[nr - 1] == 2 ? nr - 1 : 0;
	return question == SIM_DELAY ||
	       (question == SIM_IRQ && sim_running()->id == 1 &&
		lock.locked.value != 0);
}

static void say_whom(void *arg, unsigned int irq)
{
	(void)arg;
	(void)irq;
	cr_expect_eq(sim_running()->id, 2);
	cr_expect_eq(machine_this_cpu(), 1);
	cr_expect_gt(sim_running()->preempt_count, 0, "it keeps its CPU");
	note('i');
}

static void hold_the_lock(void *arg)
{
	(void)arg;
	port_spin_lock(&lock);
	for (unsigned int i = 0; i < 3; i++) {
		note('a');
		port_fence();
	}
	note('A');
	port_spin_unlock(&lock);
}

static void want_the_lock(void *arg)
{
	port_irq_t flags = arg ? port_irq_save() : false;

	port_spin_lock(&lock);
	note('B');
	port_spin_unlock(&lock);
	if (arg)
		port_irq_restore(flags);
}

static void run_with_irq(void (*b)(void *arg), void *arg)
{
	const struct sim_control control = {
		.choose = interrupt_b,
		.irqs = { [1] = 1 },
		.interrupt = say_whom,
		.delays = true,
		.max_steps = 1000,
	};

	sim_set_control(&control);
	boot(2);
	port_spin_init(&lock);
	machine_spawn(0, hold_the_lock, NULL);
	machine_spawn(1, b, arg);
	run_all();
	sim_set_control(NULL);
}

Test(sim_cpu, who_spins_with_interrupts_on_takes_them)
{
	run_with_irq(want_the_lock, NULL);
	cr_expect_str_eq(events, "aaiaiAiB");
}

Test(sim_cpu, who_spins_with_interrupts_off_takes_none)
{
	static int off;

	run_with_irq(want_the_lock, &off);
	cr_expect_str_eq(events, "aaaAB");
}

static void flush_all(void *arg)
{
	(void)arg;
	port_tlb_shootdown_all();
	note('F');
}

Test(sim_cpu, who_waits_for_answers_takes_them)
{
	run_with_irq(flush_all, NULL);
	cr_expect_str_eq(events, "aaiaiAiF");
}
