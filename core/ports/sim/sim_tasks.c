/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/ports/sim/sim.h"

static uint8_t stacks[MACHINE_MAX_TASKS][SIM_STACK_SIZE]
	__attribute__((aligned(16)));

static struct sim_cpu *this_cpu(void)
{
	return &sim.cpus[sim.cpu];
}

/* ---- This CPU --------------------------------------------------------------- */

const struct port_facts *port_facts(void)
{
	return &sim.facts;
}

unsigned int port_cpu_id(void)
{
	return this_cpu()->id;
}

void port_preempt_disable(void)
{
	sim.running->preempt_count++;
}

void port_preempt_enable(void)
{
	if (sim.running->preempt_count == 0)
		port_bug("sim: preemption enabled more often than disabled");
	else
		sim.running->preempt_count--;
}

void port_migrate_disable(void)
{
	sim.running->migrate_count++;
}

void port_migrate_enable(void)
{
	if (sim.running->migrate_count == 0)
		port_bug("sim: migration enabled more often than disabled");
	else
		sim.running->migrate_count--;
}

port_irq_t port_irq_save(void)
{
	port_irq_t was_off = this_cpu()->irq_off;

	this_cpu()->irq_off = true;
	return was_off;
}

void port_irq_restore(port_irq_t flags)
{
	this_cpu()->irq_off = flags;
	if (!flags && (sim.silent >> sim.cpu & 1))
		sim_answer(sim.cpu);
}

bool port_may_sleep(void)
{
	return sim.running->preempt_count == 0 && !this_cpu()->irq_off &&
	       this_cpu()->irq_depth == 0;
}

/* An interrupt gives back all that it took. */
static void check_return(const struct port_task *before, bool irq_off)
{
	if (sim.running->preempt_count != before->preempt_count)
		port_bug("sim: an interrupt returns with preemption disabled");
	if (sim.running->migrate_count != before->migrate_count)
		port_bug("sim: an interrupt returns with migration disabled");
	if (this_cpu()->irq_off != irq_off)
		port_bug(irq_off ? "sim: an interrupt handler turned interrupts "
				   "on"
				 : "sim: an interrupt returns with interrupts "
				   "off");
}

bool machine_interrupt(void (*handler)(void *arg), void *arg)
{
	const struct port_task before = {
		.preempt_count = sim.running->preempt_count,
		.migrate_count = sim.running->migrate_count,
	};
	struct sim_cpu *cpu = this_cpu();
	bool irq_off = !sim.config.nested_irqs;

	if (cpu->irq_off)
		return false;
	cpu->irq_off = irq_off;
	cpu->irq_depth++;
	handler(arg);
	check_return(&before, irq_off);
	cpu->irq_depth--;
	cpu->irq_off = false;
	return true;
}

/* ---- Locks -------------------------------------------------------------------- */

static void stop_here(enum sim_task_state state);

void port_spin_init(port_spinlock_t *lock)
{
	lock->locked.value = 0;
}

/*
 * Without control operations run one at a time, so whoever holds the lock
 * waits for us: forever. With it, the holder may be on another CPU.
 */
static void wait_for_lock(port_spinlock_t *lock)
{
	if (!sim_controlled) {
		port_bug("sim: a spin lock is taken twice: deadlock");
		stop_here(SIM_TASK_STUCK);
	}
	sim.running->lock = lock;
	stop_here(SIM_TASK_SPINNING);
	sim_take_irq();
}

void port_spin_lock(port_spinlock_t *lock)
{
	port_preempt_disable();
	sim_point(SIM_LOCK);
	sim_drain(sim.cpu);
	while (lock->locked.value != 0)
		wait_for_lock(lock);
	lock->locked.value = 1;
	sim_tell(SIM_LOCK, lock, 0, 1, __builtin_return_address(0));
}

/* On x86 a plain store: it may stay in the store buffer. */
void port_spin_unlock(port_spinlock_t *lock)
{
	if (!port_spin_is_locked(lock))
		port_bug("sim: a spin lock is released that is not held");
	if (sim_controlled)
		sim_store_by(&lock->locked, 0, __builtin_return_address(0));
	else
		lock->locked.value = 0;
	port_preempt_enable();
}

bool port_spin_is_locked(const port_spinlock_t *lock)
{
	return lock->locked.value != 0;
}

/* ---- Tasks --------------------------------------------------------------------- */

struct port_task *port_task_current(void)
{
	return sim.running;
}

uint32_t port_task_id(const struct port_task *task)
{
	return task->id;
}

struct kmap_ctrl *port_task_kmap_ctrl(struct port_task *task)
{
	return &task->ctrl;
}

#define NEVER_LOOKED UINT64_MAX /* no deadline is later */

uint64_t port_now(void)
{
	sim.running->looked = sim.now;
	return sim.now;
}

static void run_fiber(struct port_task *task, int last)
{
	struct port_task *from = sim.running;

	sim.running = task;
	fiber_switch(&from->fiber, &task->fiber, last);
}

/*
 * A CPU's windows belong to its current task, NULL if it has none. Interrupts
 * are off and no other CPU can notice, so the switch is one step. The
 * scheduler's locks are full fences: no store stays behind.
 */
static void swap_windows(struct sim_cpu *cpu, struct port_task *task)
{
	bool controlled = sim_controlled;
	port_irq_t flags = port_irq_save();

	/*
	 * The scheduler's lock is a locked operation; and what follows goes
	 * past the store buffer, in which PTEs of windows may wait.
	 */
	sim_drain((unsigned int)(cpu - sim.cpus));
	sim_controlled = false;
	if (cpu->current && sim.guest->sched_out)
		sim.guest->sched_out(cpu->current);
	if (task && sim.guest->sched_in)
		sim.guest->sched_in(task);
	sim_controlled = controlled;
	cpu->current = task;
	port_irq_restore(flags);
}

static void switch_to(struct port_task *task)
{
	struct sim_cpu *cpu = &sim.cpus[task->cpu];

	sim.cpu = task->cpu;
	task->state = SIM_TASK_READY;
	if (cpu->current != task)
		swap_windows(cpu, task);
	run_fiber(task, 0);
}

bool sim_may_leave(const struct port_task *task)
{
	const struct sim_cpu *from = &sim.cpus[task->cpu];

	return task->preempt_count == 0 && task->migrate_count == 0 &&
	       (from->current != task ||
		(!from->irq_off && from->irq_depth == 0));
}

bool sim_can_migrate(const struct port_task *task, unsigned int cpu)
{
	const struct sim_cpu *to = &sim.cpus[cpu];

	return cpu != task->cpu && sim_may_leave(task) && !to->offline &&
	       sim_cpu_lets_go(to);
}

void sim_migrate(struct port_task *task, unsigned int cpu)
{
	struct sim_cpu *from = &sim.cpus[task->cpu];
	unsigned int now = sim.cpu;

	sim_drain(task->cpu); /* see swap_windows() */
	if (from->current == task) {
		sim.cpu = task->cpu;
		swap_windows(from, NULL);
		sim.cpu = now;
	}
	task->cpu = cpu;
	if (task == sim.running) {
		sim.cpu = cpu;
		swap_windows(&sim.cpus[cpu], task);
	}
}

void sim_switch_to(struct port_task *task)
{
	switch_to(task);
}

void sim_leave_run(void)
{
	run_fiber(&sim.controller, 0);
}

/* Back to machine_run(), which goes on with somebody else. */
static void stop_here(enum sim_task_state state)
{
	sim.running->state = state;
	sim_leave_run();
}

void sim_wait_for_answers(void)
{
	stop_here(SIM_TASK_FLUSHING);
	sim_take_irq();
}

static void check_park(struct port_task *self, uint64_t deadline)
{
	if (!port_may_sleep())
		port_bug("sim: sleeping in atomic context");
	if (deadline != PORT_NO_DEADLINE && self->looked >= deadline)
		port_bug("sim: sleeps again without a look at the clock: "
			 "wake-ups can keep it beyond its deadline");
	self->looked = NEVER_LOOKED;
}

bool port_park(uint64_t deadline)
{
	struct port_task *self = sim.running;

	check_park(self, deadline);
	sim_point(SIM_PARK);
	if (self->token) {
		self->token = false;
		return true;
	}
	if (deadline <= sim.now)
		return false;
	self->deadline = deadline;
	self->timed_out = false;
	sim_tell(SIM_PARK, NULL, 0, 0, __builtin_return_address(0));
	stop_here(SIM_TASK_PARKED);
	self->token = false;
	return !self->timed_out;
}

void sim_wake(struct port_task *task, bool timed_out)
{
	task->timed_out = timed_out;
	task->state = SIM_TASK_READY;
}

bool port_signal_pending(const struct port_task *task)
{
	return port_atomic_load(&task->signal) != 0;
}

void machine_kill(uint32_t id)
{
	struct port_task *task = &sim.tasks[id - 1];

	port_atomic_store(&task->signal, 1);
	port_unpark(task);
}

bool machine_take_signal(void)
{
	uint32_t pending = 1;

	return port_atomic_cas(&sim.running->signal, &pending, 0);
}

void sim_kill(struct port_task *task)
{
	task->signal.value = 1;
	task->token = true;
	if (task->state == SIM_TASK_PARKED)
		task->state = SIM_TASK_READY;
}

void port_unpark(struct port_task *task)
{
	sim_point(SIM_UNPARK);
	sim_drain(sim.cpu);
	sim_tell(SIM_UNPARK, task, task->token, 1, __builtin_return_address(0));
	task->token = true;
	if (task->state == SIM_TASK_PARKED)
		task->state = SIM_TASK_READY;
}

void sim_wake_expired(void)
{
	for (unsigned int i = 0; i < sim.nr_tasks; i++) {
		struct port_task *task = &sim.tasks[i];

		if (task->state == SIM_TASK_PARKED &&
		    task->deadline <= sim.now) {
			task->timed_out = true;
			task->state = SIM_TASK_READY;
		}
	}
}

void machine_yield(uint32_t rank)
{
	sim.now++;
	sim_wake_expired();
	sim.running->rank = rank;
	stop_here(SIM_TASK_READY);
}

static void task_main(void *arg)
{
	struct port_task *self = arg;

	self->entry(self->arg);
	if (sim.guest->task_ends)
		sim.guest->task_ends(self);
	if (!port_may_sleep())
		port_bug("sim: a task ends in atomic context");
	if (self->migrate_count != 0)
		port_bug("sim: a task ends with migration disabled");
	self->state = SIM_TASK_DONE;
	sim.running = &sim.controller;
	fiber_switch(&self->fiber, &sim.controller.fiber, 1);
}

/*
 * What an earlier run left on the stack must not show in sim_state_hash(): two
 * searches of the same programs are to count the same. No task goes deeper.
 */
#define CLEAN_BYTES 8192

uint32_t machine_spawn(unsigned int cpu, void (*entry)(void *arg), void *arg)
{
	struct port_task *task = &sim.tasks[sim.nr_tasks];

	memset(task, 0, sizeof(*task));
	task->id = ++sim.nr_tasks;
	task->cpu = sim.cpus[cpu].offline ? sim_first_online() : cpu;
	task->entry = entry;
	task->arg = arg;
	task->looked = NEVER_LOOKED;
	if (sim_has_control())
		fiber_clean(stacks[task->id - 1], SIM_STACK_SIZE, CLEAN_BYTES);
	fiber_make(&task->fiber, stacks[task->id - 1], SIM_STACK_SIZE,
		   task_main, task);
	return task->id;
}

bool machine_task_asleep(uint32_t id)
{
	return sim.tasks[id - 1].state == SIM_TASK_PARKED;
}

void sim_tasks_reset(void)
{
	sim.nr_tasks = 0;
	sim.silent = 0;
	sim.now = 1;
	sim.cpu = 0;
	sim.running = &sim.controller;
	sim.controller.preempt_count = 0;
	sim.controller.migrate_count = 0;
	for (unsigned int c = 0; c < HIGHMEM_MAX_CPUS; c++) {
		sim.cpus[c].current = NULL;
		sim.cpus[c].irq_depth = 0;
		sim.cpus[c].irqs_active = 0;
		sim.cpus[c].shootdowns = 0;
		sim.cpus[c].irq_off = false;
		sim.cpus[c].offline = false;
		sim.cpus[c].nr_stores = 0;
	}
}
