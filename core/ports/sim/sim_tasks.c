/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/ports/sim/sim.h"

static uint8_t stacks[MACHINE_MAX_TASKS][SIM_STACK_SIZE]
	__attribute__((aligned(16)));

/* The task whose fiber runs; the controller between runs. */
static struct port_task *running;

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
	return sim.cpu;
}

void port_preempt_disable(void)
{
	running->preempt_count++;
}

void port_preempt_enable(void)
{
	if (running->preempt_count == 0)
		port_bug("sim: preemption enabled more often than disabled");
	else
		running->preempt_count--;
}

void port_migrate_disable(void)
{
	running->migrate_count++;
}

void port_migrate_enable(void)
{
	if (running->migrate_count == 0)
		port_bug("sim: migration enabled more often than disabled");
	else
		running->migrate_count--;
}

port_irq_t port_irq_save(void)
{
	port_irq_t was_off = this_cpu()->irq_off;

	this_cpu()->irq_off = true;
	return was_off;
}

void port_irq_restore(port_irq_t was_off)
{
	this_cpu()->irq_off = was_off;
}

bool port_may_sleep(void)
{
	return running->preempt_count == 0 && !this_cpu()->irq_off &&
	       this_cpu()->irq_depth == 0;
}

bool machine_interrupt(void (*handler)(void *arg), void *arg)
{
	struct sim_cpu *cpu = this_cpu();
	uint32_t preempt_count = running->preempt_count;

	if (cpu->irq_off)
		return false;
	cpu->irq_off = true;
	cpu->irq_depth++;
	handler(arg);
	if (running->preempt_count != preempt_count)
		port_bug("sim: an interrupt returns with preemption disabled");
	cpu->irq_depth--;
	cpu->irq_off = false;
	return true;
}

/* ---- Locks -------------------------------------------------------------------- */

static void stop_here(enum sim_task_state state);

void port_spin_init(port_spinlock_t *lock)
{
	lock->locked = false;
}

/* Operations run one at a time, so whoever holds it waits for us: forever. */
void port_spin_lock(port_spinlock_t *lock)
{
	port_preempt_disable();
	if (lock->locked) {
		port_bug("sim: a spin lock is taken twice: deadlock");
		stop_here(SIM_TASK_STUCK);
	}
	lock->locked = true;
}

void port_spin_unlock(port_spinlock_t *lock)
{
	if (!lock->locked)
		port_bug("sim: a spin lock is released that is not held");
	lock->locked = false;
	port_preempt_enable();
}

bool port_spin_is_locked(const port_spinlock_t *lock)
{
	return lock->locked;
}

/* ---- Tasks --------------------------------------------------------------------- */

struct port_task *port_task_current(void)
{
	return running;
}

uint32_t port_task_id(const struct port_task *task)
{
	return task->id;
}

struct kmap_ctrl *port_task_kmap_ctrl(struct port_task *task)
{
	return &task->ctrl;
}

uint64_t port_now(void)
{
	return sim.now;
}

static void run_fiber(struct port_task *task, int last)
{
	struct port_task *from = running;

	running = task;
	fiber_switch(&from->fiber, &task->fiber, last);
}

/* A CPU's windows belong to its current task. */
static void switch_to(struct port_task *task)
{
	struct sim_cpu *cpu = &sim.cpus[task->cpu];

	sim.cpu = task->cpu;
	if (cpu->current != task) {
		port_irq_t flags = port_irq_save();

		if (cpu->current)
			kmap_local_sched_out(&sim.hm, &cpu->current->ctrl);
		kmap_local_sched_in(&sim.hm, &task->ctrl);
		cpu->current = task;
		port_irq_restore(flags);
	}
	run_fiber(task, 0);
}

/* Back to machine_run(), which goes on with somebody else. */
static void stop_here(enum sim_task_state state)
{
	running->state = state;
	run_fiber(&sim.controller, 0);
}

bool port_park(uint64_t deadline)
{
	struct port_task *self = running;

	if (!port_may_sleep())
		port_bug("sim: sleeping in atomic context");
	if (self->token) {
		self->token = false;
		return true;
	}
	if (deadline <= sim.now)
		return false;
	self->deadline = deadline;
	self->timed_out = false;
	stop_here(SIM_TASK_PARKED);
	self->token = false;
	return !self->timed_out;
}

void port_unpark(struct port_task *task)
{
	task->token = true;
	if (task->state == SIM_TASK_PARKED)
		task->state = SIM_TASK_READY;
}

static void wake_expired(void)
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
	wake_expired();
	running->rank = rank;
	stop_here(SIM_TASK_READY);
}

static void task_main(void *arg)
{
	struct port_task *self = arg;

	self->entry(self->arg);
	kmap_local_assert_none(&self->ctrl);
	if (!port_may_sleep())
		port_bug("sim: a task ends in atomic context");
	self->state = SIM_TASK_DONE;
	running = &sim.controller;
	fiber_switch(&self->fiber, &sim.controller.fiber, 1);
}

uint32_t machine_spawn(unsigned int cpu, void (*entry)(void *arg), void *arg)
{
	struct port_task *task = &sim.tasks[sim.nr_tasks];

	memset(task, 0, sizeof(*task));
	task->id = ++sim.nr_tasks;
	task->cpu = cpu;
	task->entry = entry;
	task->arg = arg;
	fiber_make(&task->fiber, stacks[task->id - 1], SIM_STACK_SIZE,
		   task_main, task);
	return task->id;
}

/* May @task have its CPU, or must the one that is there keep it? */
static bool can_run(const struct port_task *task)
{
	const struct port_task *current = sim.cpus[task->cpu].current;

	return task->state == SIM_TASK_READY &&
	       (!current || current == task || current->preempt_count == 0);
}

static struct port_task *pick_task(void)
{
	struct port_task *best = NULL;

	for (unsigned int i = 0; i < sim.nr_tasks; i++) {
		struct port_task *task = &sim.tasks[i];

		if (can_run(task) && (!best || task->rank < best->rank))
			best = task;
	}
	return best;
}

/* Nobody can run: let time pass until somebody's deadline. */
static bool advance_time(void)
{
	uint64_t next = PORT_NO_DEADLINE;

	for (unsigned int i = 0; i < sim.nr_tasks; i++)
		if (sim.tasks[i].state == SIM_TASK_PARKED &&
		    sim.tasks[i].deadline < next)
			next = sim.tasks[i].deadline;
	if (next == PORT_NO_DEADLINE)
		return false;
	sim.now = next;
	wake_expired();
	return true;
}

static bool all_done(void)
{
	for (unsigned int i = 0; i < sim.nr_tasks; i++)
		if (sim.tasks[i].state != SIM_TASK_DONE)
			return false;
	return true;
}

enum machine_verdict machine_run(void)
{
	do {
		for (struct port_task *t = pick_task(); t; t = pick_task())
			switch_to(t);
	} while (advance_time());
	return all_done() ? MACHINE_DONE : MACHINE_STALLED;
}

bool machine_task_asleep(uint32_t id)
{
	return sim.tasks[id - 1].state == SIM_TASK_PARKED;
}

void sim_tasks_reset(void)
{
	sim.nr_tasks = 0;
	sim.now = 1;
	sim.cpu = 0;
	running = &sim.controller;
	sim.controller.preempt_count = 0;
	sim.controller.migrate_count = 0;
	for (unsigned int c = 0; c < HIGHMEM_MAX_CPUS; c++) {
		sim.cpus[c].current = NULL;
		sim.cpus[c].irq_depth = 0;
		sim.cpus[c].irq_off = false;
	}
}
