/* SPDX-License-Identifier: MIT */
#include "core/ports/sim/sim.h"

/*
 * The state of the machine as one number, for a search that does not want to
 * come twice to the same place. What only observers read is left out:
 * statistics, time, who unmapped a page last, how long a run is already.
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

static uint64_t hash_pkmap(uint64_t hash)
{
	const struct highmem *hm = &sim.hm;
	const struct pkmap *pkmap = &hm->pkmap;

	hash = sim_mix(hash, pkmap->lock.locked.value);
	for (unsigned int w = 0; w * 32 < hm->config.nr_slots; w++)
		hash = sim_mix(hash, pkmap->free[w]);
	for (unsigned int s = 0; s < hm->config.nr_slots; s++)
		hash = sim_mix(hash, pkmap->slot[s].page.value);
	for (unsigned int i = 0; i < hm->config.nr_pages; i++)
		hash = sim_mix(hash, hm->config.mem_map[i].pkmap.value);
	for (unsigned int c = 0; c < hm->config.nr_colours; c++) {
		const struct pkmap_queue *queue = &pkmap->queue[c];

		hash = sim_mix(hash, pkmap->hand[c]);
		hash = sim_mix(hash, queue->lock.locked.value);
		hash = sim_mix(hash,
			       (uint64_t)queue->given << 32 | queue->nr.value);
		hash = sim_mix(hash, (uintptr_t)queue->head);
		hash = sim_mix(hash, (uintptr_t)queue->tail);
	}
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

static uint64_t hash_ctrl(uint64_t hash, const struct kmap_ctrl *ctrl)
{
	hash = sim_mix(hash, (uint64_t)ctrl->atomic << 32 | ctrl->depth.value);
	hash = sim_mix(hash, (uint64_t)ctrl->direct[0] << 32 | ctrl->direct[1]);
	for (unsigned int i = 0; i < sim.config.local_depth; i++)
		hash = sim_mix(hash, ctrl->pte[i]);
	return hash;
}

static const void *live_stack(const struct port_task *task)
{
	return task == sim_running() ? sim_point_sp : task->fiber.sp;
}

static uint64_t hash_task(uint64_t hash, const struct port_task *task)
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
	hash = hash_ctrl(hash, &task->ctrl);
	return hash_bytes(hash, live_stack(task), end);
}

uint64_t sim_state_hash(void)
{
	uint64_t hash = sim_mix(sim.cpu, (uintptr_t)sim_running());

	hash = hash_pkmap(hash);
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		hash = hash_cpu(hash, &sim.cpus[c]);
	for (unsigned int i = 0; i < sim.nr_tasks; i++)
		hash = hash_task(hash, &sim.tasks[i]);
	return sim_mmu_hash(hash);
}
