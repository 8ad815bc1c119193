/* SPDX-License-Identifier: MIT */

/*
 * Tasks on all CPUs. One lock guards their state, and is held across a switch:
 * who lets go of it is the next task, when the last one is saved. So whoever
 * finds a task ready may run it at once, and who wakes one finds it either
 * awake or asleep. the guest's sched_out() and _in() run under the lock: they
 * take none and wake nobody. Nothing else of the core is called with it.
 *
 * A CPU without a task waits in its idle task. The boot CPU's is the
 * controlling context, which is in machine_run() then.
 */

#include <highmem/format.h>

#include "core/port/machine.h"
#include "core/ports/i686/cpu.h"
#include "core/ports/i686/sched.h"
#include "core/ports/i686/smp.h"
#include "core/ports/i686/stacks.h"

_Alignas(PAGE_SIZE) struct i686_stack
	i686_stacks[MACHINE_MAX_TASKS + HIGHMEM_MAX_CPUS];

struct sched sched = { .nr_cpus = 1 };

void i686_switch(uint32_t *save_esp, uint32_t load_esp);

unsigned int sched_nr_cpus(void)
{
	return atomic_load_explicit(&sched.nr_cpus, memory_order_relaxed);
}

void sched_init(void)
{
	for (unsigned int cpu = 0; cpu < HIGHMEM_MAX_CPUS; cpu++) {
		sched.idle[cpu].cpu = cpu;
		i686_cpus[cpu].current = idle_of(cpu);
	}
}

/* All CPUs are idle: machine_run() returns only then. */
void sched_reset(const struct guest *guest, unsigned int cpus)
{
	port_irq_t flags = port_irq_save();

	raw_lock(&sched.lock);
	for (unsigned int i = 0; i <= MACHINE_MAX_TASKS; i++)
		sched.task[i] = (struct port_task){ .id = i };
	sched.nr_tasks = 0;
	sched.hand = 0;
	sched.guest = guest;
	atomic_store(&sched.nr_cpus, cpus);
	raw_unlock(&sched.lock);
	port_irq_restore(flags);
}

/* ---- Switching ------------------------------------------------------------------ */

static void start_running(struct port_task *next, const struct i686_cpu *cpu)
{
	if (next == idle_of(cpu->id))
		return;
	sched.hand = next->id;
	next->state = TASK_RUNNING;
	if (next->cpu != cpu->id)
		i686_cpu_count(migrations);
	next->cpu = cpu->id;
}

/* Returns when it is this task's turn again, maybe on another CPU. */
static void switch_to(struct port_task *next)
{
	struct i686_cpu *cpu = i686_this_cpu();
	struct port_task *prev = cpu->current;

	start_running(next, cpu);
	if (next == prev)
		return;
	i686_note("switch", prev->id, next->id);
	i686_cpu_count(switches);
	if (sched.guest && sched.guest->sched_out)
		sched.guest->sched_out(prev);
	cpu->current = next;
	if (sched.guest && sched.guest->sched_in)
		sched.guest->sched_in(next);
	i686_switch(&prev->esp, next->esp);
}

/*
 * Lets interrupts in until one comes. What was decided under the lock may
 * change right after it is released: then the kick is already on its way, and
 * ends the wait.
 */
static void wait_for_interrupt(void)
{
	raw_unlock(&sched.lock);
	irq_wait();
	raw_lock(&sched.lock);
}

/*
 * The current task cannot go on, or need not. The lock is held, also when it
 * returns: at this task's next turn, or at once for an idle task.
 */
static void give_up_cpu(void)
{
	struct i686_cpu *cpu = i686_this_cpu();
	struct port_task *next;

	/* An interrupt of the wait must not switch away from it. */
	cpu->preempt_count++;
	while (!(next = next_task(cpu)))
		wait_for_interrupt();
	cpu->preempt_count--;
	cpu->need_resched = 0;
	switch_to(next);
}

void sched_idle(void)
{
	raw_lock(&sched.lock);
	for (;;) {
		give_up_cpu();
		wait_for_interrupt();
	}
}

void i686_set_round_robin(bool on)
{
	sched.round_robin = on;
}

void i686_set_parallel(bool on)
{
	if (sched.running)
		i686_panic("i686_set_parallel: a machine runs");
	sched.parallel = on;
}

void i686_resched(void)
{
	i686_this_cpu()->need_resched = 1;
}

void sched_preempt(void)
{
	struct i686_cpu *cpu = i686_this_cpu();

	if (cpu->irq_depth || cpu->preempt_count || is_idle(cpu->id))
		return;
	raw_lock(&sched.lock);
	cpu->current->state = TASK_READY;
	give_up_cpu();
	raw_unlock(&sched.lock);
}

void i686_preempt(void)
{
	port_irq_t flags = port_irq_save();

	if (flags & I686_EFLAGS_IF)
		sched_preempt();
	port_irq_restore(flags);
}

/* The boot CPU keeps the time, unless tasks run one at a time. */
void sched_tick(void)
{
	if (!sched.parallel)
		return;
	raw_lock(&sched.lock);
	if (port_cpu_id() == 0) {
		atomic_fetch_add(&sched.now, 1);
		wake_expired();
	}
	raw_unlock(&sched.lock);
	i686_resched();
}

/* ---- The contract ------------------------------------------------------------ */

uint64_t port_now(void)
{
	return atomic_load(&sched.now);
}

uint32_t port_task_id(const struct port_task *task)
{
	return task->id;
}

struct kmap_ctrl *port_task_kmap_ctrl(struct port_task *task)
{
	return &task->kmap;
}

/* The task's own word: only interrupts come between, and they undo theirs. */
void port_migrate_disable(void)
{
	port_task_current()->migrate_disabled++;
	i686_barrier();
}

void port_migrate_enable(void)
{
	struct port_task *task = port_task_current();

	i686_barrier();
	if (task->migrate_disabled == 0)
		port_bug("migration enabled more often than disabled");
	else
		task->migrate_disabled--;
}

void i686_preempt_underflow(void)
{
	port_preempt_disable();
	port_bug("preemption enabled more often than disabled");
}

bool port_may_sleep(void)
{
	return i686_cpu_irq_depth() == 0 && i686_cpu_preempt_count() == 0 &&
	       (i686_eflags() & I686_EFLAGS_IF);
}

bool port_park(uint64_t deadline)
{
	struct port_task *task = port_task_current();
	port_irq_t flags;
	bool woken;

	if (!port_may_sleep() || task->id == 0)
		i686_panic("port_park where sleeping is not allowed");
	flags = port_irq_save();
	i686_note("park", task->id, task->woken);
	raw_lock(&sched.lock);
	if (!task->woken) { /* a deadline is looked at in a tick, and not here */
		task->deadline = deadline;
		task->state = TASK_ASLEEP;
		give_up_cpu();
	}
	woken = task->woken;
	task->woken = false;
	raw_unlock(&sched.lock);
	port_irq_restore(flags);
	return woken;
}

bool port_signal_pending(const struct port_task *task)
{
	return port_atomic_load(&task->signal) != 0;
}

void port_unpark(struct port_task *task)
{
	port_irq_t flags = port_irq_save();

	port_fence();
	i686_note("unpark", task->id, port_task_id(port_task_current()));
	raw_lock(&sched.lock);
	task->woken = true;
	if (task->state == TASK_ASLEEP) {
		task->state = TASK_READY;
		if (sched.parallel)
			wake_cpu_for(task);
	}
	raw_unlock(&sched.lock);
	port_irq_restore(flags);
}

/* ---- machine.h ---------------------------------------------------------------- */

static void check_balance(const struct port_task *task)
{
	char sentence[96];

	if (i686_cpu_preempt_count())
		hm_format(sentence, sizeof(sentence),
			  "task %u ends with preemption disabled", task->id);
	else if (task->migrate_disabled)
		hm_format(sentence, sizeof(sentence),
			  "task %u ends with migration disabled", task->id);
	else
		return;
	port_bug(sentence);
	i686_this_cpu()->preempt_count = 0;
}

/* Where a new task's stack returns to: interrupts are off, the lock is held. */
static void begin(void)
{
	struct port_task *task = port_task_current();

	raw_unlock(&sched.lock);
	irq_on();
	task->entry(task->arg);
	if (sched.guest->task_ends)
		sched.guest->task_ends(task);
	check_balance(task);
	irq_off();
	raw_lock(&sched.lock);
	task->state = TASK_ENDED;
	give_up_cpu();
	i686_panic("task %u came back after its end", task->id);
}

uint32_t machine_spawn(unsigned int cpu, void (*entry)(void *arg), void *arg)
{
	uint32_t id = sched.nr_tasks + 1;
	struct port_task *task = &sched.task[id];
	uint32_t *top;

	if (id > MACHINE_MAX_TASKS || cpu >= sched_nr_cpus() || !sched.guest)
		i686_panic("machine_spawn on CPU %u of %u: task %u of %u", cpu,
			   sched_nr_cpus(), id, MACHINE_MAX_TASKS);
	top = i686_stacks[id].words + I686_STACK_BYTES / sizeof(*top);
	*--top = 0; /* begin()'s return address */
	*--top = (uint32_t)begin;
	for (int i = 0; i < 5; i++) /* what i686_switch() pops */
		*--top = 0;
	task->esp = (uint32_t)top;
	task->entry = entry;
	task->arg = arg;
	task->cpu = cpu;
	sched.nr_tasks = id;
	return id;
}

static bool others_are_idle(void)
{
	for (unsigned int cpu = 1; cpu < sched_nr_cpus(); cpu++)
		if (!is_idle(cpu))
			return false;
	return true;
}

static bool all_have_ended(void)
{
	for (unsigned int id = 1; id <= sched.nr_tasks; id++)
		if (sched.task[id].state != TASK_ENDED)
			return false;
	return true;
}

/*
 * An idle CPU's interrupt may be about to wake somebody. What it waits for, or
 * holds back, it has from after its depth went up; and it goes down after the
 * port_unpark(), which wants the lock that we have. So who finds 0 here, and
 * all asleep, will find them so for ever, but for an interrupt yet to come.
 */
static bool others_are_interrupted(void)
{
	for (unsigned int cpu = 1; cpu < sched_nr_cpus(); cpu++)
		if (*(const volatile uint32_t *)&i686_cpus[cpu].irq_depth)
			return true;
	return false;
}

static bool run_has_come_to_rest(void)
{
	return run_is_over() && others_are_idle() &&
	       (all_have_ended() || !others_are_interrupted());
}

static void kick_others(void)
{
	for (unsigned int cpu = 1; cpu < sched_nr_cpus(); cpu++)
		smp_kick(cpu);
}

enum machine_verdict machine_run(void)
{
	port_irq_t flags = port_irq_save();

	raw_lock(&sched.lock);
	sched.running = true;
	if (sched.parallel)
		kick_others();
	give_up_cpu();
	while (!run_has_come_to_rest()) {
		wait_for_interrupt();
		give_up_cpu();
	}
	sched.running = false;
	raw_unlock(&sched.lock);
	port_irq_restore(flags);
	return all_have_ended() ? MACHINE_DONE : MACHINE_STALLED;
}

/*
 * Preemption is off: this task keeps its CPU, but tasks of other CPUs may go
 * on before it does, as on the sim.
 */
static void yield_to_other_cpus(void)
{
	struct port_task *task = port_task_current();

	raw_lock(&sched.lock);
	task->state = TASK_READY;
	task->keeps_cpu = true;
	give_up_cpu();
	task->keeps_cpu = false;
	raw_unlock(&sched.lock);
}

/* One at a time, a yield takes one tick, as on the sim. */
void machine_yield(uint32_t rank)
{
	port_irq_t flags = port_irq_save();

	port_task_current()->rank = rank;
	if (!sched.parallel) {
		raw_lock(&sched.lock);
		atomic_fetch_add(&sched.now, 1);
		wake_expired();
		raw_unlock(&sched.lock);
		if (i686_this_cpu()->preempt_count && (flags & I686_EFLAGS_IF))
			yield_to_other_cpus();
	}
	port_irq_restore(flags);
	i686_preempt();
}

void machine_kill(uint32_t id)
{
	port_atomic_store(&sched.task[id].signal, 1);
	port_unpark(&sched.task[id]);
}

bool machine_take_signal(void)
{
	uint32_t pending = 1;

	return port_atomic_cas(&port_task_current()->signal, &pending, 0);
}

bool machine_task_asleep(uint32_t id)
{
	return id <= sched.nr_tasks && sched.task[id].state == TASK_ASLEEP;
}
