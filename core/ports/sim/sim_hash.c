/* SPDX-License-Identifier: MIT */
#include "core/ports/sim/sim.h"

/*
 * The state of the machine as one number, for a search that does not want to
 * come twice to the same place. What only observers read is left out: time, how
 * long a run is already. The guest adds its own state.
 *
 * A stack also holds dead values, and those differ between two ways to the
 * same state. That costs a search some repetition and never hides a state.
 */

/* ASan's red zones and what nobody has written are bytes like others here. */
__attribute__((no_sanitize("address", "memory"))) static uint64_t
hash_bytes(uint64_t hash, const void *from, const void *to)
{
	const uintptr_t *word = from;

	for (; (const void *)word < to; word++)
		hash = sim_mix(hash, *word);
	return hash;
}

static uint64_t hash_cpu(uint64_t hash, const struct sim_cpu *cpu)
{
	hash = sim_mix(hash, (uintptr_t)cpu->current);
	hash = sim_mix(hash, (uint64_t)cpu->irqs_active << 32 |
				     (uint64_t)cpu->irq_depth << 2 |
				     (uint64_t)cpu->offline << 1 |
				     cpu->irq_off);
	hash = sim_mix(hash, cpu->shootdowns);
	for (unsigned int i = 0; i < cpu->nr_stores; i++) {
		hash = sim_mix(hash, (uintptr_t)cpu->stores[i].word);
		hash = sim_mix(hash, cpu->stores[i].value);
	}
	return sim_mix(hash, cpu->nr_stores);
}

static const void *live_stack(const struct port_task *task)
{
	return task == sim_running() ? sim_point_sp : task->fiber.sp;
}

static uint64_t hash_task(uint64_t hash, struct port_task *task)
{
	const char *end = (const char *)task->fiber.stack +
			  task->fiber.stack_size;

	hash = sim_mix(hash, (uint64_t)task->cpu << 8 | task->state);
	if (task->state == SIM_TASK_DONE)
		return hash;
	hash = sim_mix(hash, (uint64_t)task->preempt_count << 32 |
				     task->migrate_count);
	hash = sim_mix(hash, (uint64_t)task->signal.value << 2 |
				     (uint64_t)task->token << 1 |
				     task->timed_out);
	hash = sim_mix(hash, task->deadline);
	if (task->flush_waits != 0)
		hash = sim_mix(hash, (uint64_t)task->flush_nr << 32 |
					     task->flush_waits);
	hash = sim_mix(hash, task->rank);
	if (sim.guest->hash_task)
		hash = sim.guest->hash_task(hash, task);
	return hash_bytes(hash, live_stack(task), end);
}

uint64_t sim_state_hash(void)
{
	uint64_t hash = sim_mix(sim.cpu, (uintptr_t)sim_running());

	if (sim.guest->hash)
		hash = sim.guest->hash(hash);
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		hash = hash_cpu(hash, &sim.cpus[c]);
	for (unsigned int i = 0; i < sim.nr_tasks; i++)
		hash = hash_task(hash, &sim.tasks[i]);
	return sim_mmu_hash(hash);
}
