/* SPDX-License-Identifier: MIT */

/*
 * What every CPU and task is at, for who asks why nothing goes on. Read without
 * the lock, which a CPU that died may have: a line may be half old.
 */

#include "core/ports/i686/console.h"
#include "core/ports/i686/sched.h"
#include "core/ports/i686/smp.h"
#include "core/ports/i686/state.h"

static void (*print_more)(void);

void i686_set_state_printer(void (*print)(void))
{
	print_more = print;
}

void state_print_cpu(unsigned int nr)
{
	const struct i686_cpu *cpu = &i686_cpus[nr];

	console_printf("# CPU %u: task %u, in %u interrupts, preemption off "
		       "%u times\n",
		       nr, port_task_id(cpu->current), cpu->irq_depth,
		       cpu->preempt_count);
}

static const char *state_name(enum task_state state)
{
	static const char *const names[] = {
		[TASK_READY] = "ready",
		[TASK_RUNNING] = "runs",
		[TASK_ASLEEP] = "asleep",
		[TASK_ENDED] = "has ended",
	};

	return (unsigned int)state <= TASK_ENDED ? names[state] : "lost";
}

static void print_task(const struct port_task *task, uint64_t now)
{
	console_printf("# task %u: %s", task->id, state_name(task->state));
	if (task->state == TASK_ASLEEP && task->deadline == PORT_NO_DEADLINE)
		console_printf(" without a deadline");
	else if (task->state == TASK_ASLEEP && task->deadline >= now)
		console_printf(" for %u ticks more",
			       (uint32_t)(task->deadline - now));
	else if (task->state == TASK_ASLEEP)
		console_printf(", though its deadline was %u ticks ago",
			       (uint32_t)(now - task->deadline));
	console_printf(", CPU %u%s%s, %u local maps, migration off %u "
		       "times\n",
		       task->cpu, task->woken ? ", woken" : "",
		       port_signal_pending(task) ? ", killed" : "",
		       port_atomic_load(&task->kmap.depth),
		       task->migrate_disabled);
}

void state_print_tasks(void)
{
	uint64_t now = atomic_load(&sched.now);

	if (!sched.guest)
		return;
	console_printf("# a machine of %u CPUs %s, tick %u, %s\n",
		       sched_nr_cpus(),
		       sched.running ? "runs its tasks" : "has run its tasks",
		       (uint32_t)now,
		       sched.parallel ? "side by side" : "one at a time");
	for (unsigned int id = 1; id <= sched.nr_tasks; id++)
		print_task(&sched.task[id], now);
	if (print_more)
		print_more();
	print_bugs();
}

void i686_print_state(void)
{
	for (unsigned int cpu = 0; cpu < smp_nr_cpus(); cpu++)
		state_print_cpu(cpu);
	state_print_tasks();
}
