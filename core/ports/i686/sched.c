/* SPDX-License-Identifier: MIT */

/*
 * Tasks of one CPU. Their state is touched with interrupts off. The
 * controlling context is task 0: it runs when nobody else can.
 */

#include <highmem/format.h>

#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"
#include "core/ports/i686/stacks.h"
#include "core/testing/machine.h"

_Alignas(PAGE_SIZE) struct i686_stack i686_stacks[MACHINE_MAX_TASKS + 1];

static struct port_task tasks[MACHINE_MAX_TASKS + 1];
static unsigned int nr_tasks = 1; /* with task 0 */
static bool round_robin;
static struct highmem *switching; /* NULL: no machine is up */

struct i686_cpu i686_cpus[1] = { { .current = &tasks[0] } };

void i686_switch(uint32_t *save_esp, uint32_t load_esp);

void sched_reset(struct highmem *hm)
{
	port_irq_t flags = port_irq_save();

	for (unsigned int i = 0; i <= MACHINE_MAX_TASKS; i++)
		tasks[i] = (struct port_task){ .id = i };
	nr_tasks = 1;
	switching = hm;
	port_irq_restore(flags);
}

/* ---- Whose turn ------------------------------------------------------------- */

static struct port_task *next_in_turn(const struct port_task *current)
{
	for (unsigned int i = 1; i < nr_tasks; i++) {
		unsigned int id = (current->id + i - 1) % (nr_tasks - 1) + 1;

		if (tasks[id].state == TASK_READY)
			return &tasks[id];
	}
	return NULL;
}

static struct port_task *lowest_rank(void)
{
	struct port_task *best = NULL;

	for (unsigned int id = 1; id < nr_tasks; id++)
		if (tasks[id].state == TASK_READY &&
		    (!best || tasks[id].rank < best->rank))
			best = &tasks[id];
	return best;
}

static struct port_task *pick(void)
{
	if (round_robin)
		return next_in_turn(i686_this_cpu()->current);
	return lowest_rank();
}

static uint32_t nr_switches;

uint32_t sched_switches(void)
{
	return nr_switches;
}

static void switch_to(struct port_task *next)
{
	struct i686_cpu *cpu = i686_this_cpu();
	struct port_task *prev = cpu->current;

	if (next == prev)
		return;
	nr_switches++;
	if (switching)
		kmap_local_sched_out(switching, &prev->kmap);
	cpu->current = next;
	if (switching)
		kmap_local_sched_in(switching, &next->kmap);
	i686_switch(&prev->esp, next->esp);
}

/* The next one, or PORT_NO_DEADLINE. */
static uint64_t next_deadline(void)
{
	uint64_t next = PORT_NO_DEADLINE;

	for (unsigned int id = 1; id < nr_tasks; id++)
		if (tasks[id].state == TASK_ASLEEP && tasks[id].deadline < next)
			next = tasks[id].deadline;
	return next;
}

/* Nobody can run: wait for a deadline. False: there is none. */
static bool wait_for_deadline(void)
{
	uint64_t next = next_deadline();

	if (next == PORT_NO_DEADLINE)
		return false;
	if (timer_is_virtual())
		timer_pass(next);
	else
		irq_wait();
	return true;
}

/*
 * The current task cannot go on: run another, wait for a deadline, or end
 * machine_run(). Returns when it is this task's turn again.
 */
static void give_up_cpu(void)
{
	struct i686_cpu *cpu = i686_this_cpu();
	struct port_task *next;

	/* An interrupt of the wait must not switch away from it. */
	cpu->preempt_count++;
	do
		next = pick();
	while (!next && wait_for_deadline());
	cpu->preempt_count--;
	switch_to(next ? next : &tasks[0]);
}

void i686_set_round_robin(bool on)
{
	round_robin = on;
}

void i686_resched(void)
{
	i686_this_cpu()->need_resched = true;
}

void sched_preempt(void)
{
	struct i686_cpu *cpu = i686_this_cpu();
	struct port_task *next;

	if (cpu->irq_depth || cpu->preempt_count || cpu->current->id == 0)
		return;
	cpu->need_resched = false;
	next = pick();
	if (next)
		switch_to(next);
}

void i686_preempt(void)
{
	port_irq_t flags = port_irq_save();

	if (flags & I686_EFLAGS_IF)
		sched_preempt();
	port_irq_restore(flags);
}

void sched_tick(uint64_t now)
{
	for (unsigned int id = 1; id < nr_tasks; id++)
		if (tasks[id].state == TASK_ASLEEP && tasks[id].deadline <= now)
			tasks[id].state = TASK_READY;
}

/* ---- The contract ------------------------------------------------------------ */

struct port_task *port_task_current(void)
{
	return i686_this_cpu()->current;
}

uint32_t port_task_id(const struct port_task *task)
{
	return task->id;
}

struct kmap_ctrl *port_task_kmap_ctrl(struct port_task *task)
{
	return &task->kmap;
}

void port_migrate_disable(void)
{
	port_task_current()->migrate_disabled++;
}

void port_migrate_enable(void)
{
	port_task_current()->migrate_disabled--;
}

bool port_may_sleep(void)
{
	const struct i686_cpu *cpu = i686_this_cpu();

	return cpu->irq_depth == 0 && cpu->preempt_count == 0 &&
	       (i686_eflags() & I686_EFLAGS_IF);
}

bool port_park(uint64_t deadline)
{
	port_irq_t flags;
	struct port_task *task = port_task_current();
	bool woken;

	if (!port_may_sleep() || task->id == 0)
		i686_panic("port_park where sleeping is not allowed");
	flags = port_irq_save();
	if (!task->woken) {
		task->deadline = deadline;
		task->state = TASK_ASLEEP;
		give_up_cpu();
	}
	woken = task->woken;
	task->woken = false;
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
	task->woken = true;
	if (task->state == TASK_ASLEEP)
		task->state = TASK_READY;
	port_irq_restore(flags);
}

/* ---- machine.h ---------------------------------------------------------------- */

static void check_balance(const struct port_task *task)
{
	char sentence[96];

	if (i686_this_cpu()->preempt_count)
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

/* Where a new task's stack returns to: interrupts are still off. */
static void begin(void)
{
	struct port_task *task = port_task_current();

	irq_on();
	task->entry(task->arg);
	kmap_local_assert_none(&task->kmap);
	check_balance(task);
	irq_off();
	task->state = TASK_ENDED;
	give_up_cpu();
	i686_panic("task %u came back after its end", task->id);
}

uint32_t machine_spawn(unsigned int cpu, void (*entry)(void *arg), void *arg)
{
	struct port_task *task = &tasks[nr_tasks];
	uint32_t *top;

	if (nr_tasks > MACHINE_MAX_TASKS || cpu != 0 || !switching)
		i686_panic("machine_spawn on CPU %u: task %u of %u", cpu,
			   nr_tasks, MACHINE_MAX_TASKS);
	top = i686_stacks[nr_tasks].words + I686_STACK_BYTES / sizeof(*top);
	*--top = 0; /* begin()'s return address */
	*--top = (uint32_t)begin;
	for (int i = 0; i < 5; i++) /* what i686_switch() pops */
		*--top = 0;
	task->esp = (uint32_t)top;
	task->entry = entry;
	task->arg = arg;
	nr_tasks++;
	return task->id;
}

enum machine_verdict machine_run(void)
{
	port_irq_t flags = port_irq_save();

	give_up_cpu();
	port_irq_restore(flags);
	for (unsigned int id = 1; id < nr_tasks; id++)
		if (tasks[id].state != TASK_ENDED)
			return MACHINE_STALLED;
	return MACHINE_DONE;
}

void machine_yield(uint32_t rank)
{
	port_irq_t flags;

	if (timer_is_virtual()) {
		flags = port_irq_save();
		timer_pass(port_now() + 1);
		port_irq_restore(flags);
	}
	port_task_current()->rank = rank;
	i686_preempt();
}

void machine_kill(uint32_t id)
{
	port_atomic_store(&tasks[id].signal, 1);
	port_unpark(&tasks[id]);
}

bool machine_take_signal(void)
{
	uint32_t pending = 1;

	return port_atomic_cas(&port_task_current()->signal, &pending, 0);
}

bool machine_task_asleep(uint32_t id)
{
	return id < nr_tasks && tasks[id].state == TASK_ASLEEP;
}
