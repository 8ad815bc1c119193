/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/ports/sim/sim_mmu.h"

/* Shared words under x86-TSO: what a CPU stores waits in its buffer. */

/* A store reaches memory; processors walk page tables there. */
static void reach_memory(port_atomic_t *word, uint32_t value)
{
	uint32_t before = word->value;

	word->value = value;
	if (sim_is_table_word(word))
		sim_table_written(word, before);
}

void sim_drain_one(struct sim_cpu *cpu)
{
	struct sim_buffered_store store = cpu->stores[0];

	cpu->nr_stores--;
	for (unsigned int i = 0; i < cpu->nr_stores; i++)
		cpu->stores[i] = cpu->stores[i + 1];
	if (store.size == sizeof(uint32_t))
		reach_memory(store.word, (uint32_t)store.value);
	else
		memcpy(store.word, &store.value, store.size);
}

#define CALLER __builtin_return_address(0)

bool sim_drain_all(void)
{
	bool any = false;

	for (unsigned int c = 0; c < sim.config.nr_cpus; c++) {
		any |= sim.cpus[c].nr_stores > 0;
		sim_drain(c);
	}
	return any;
}

uint32_t sim_visible(const port_atomic_t *word)
{
	const struct sim_cpu *cpu = &sim.cpus[sim.cpu];

	for (unsigned int i = cpu->nr_stores; i-- > 0;)
		if (cpu->stores[i].word == word)
			return (uint32_t)cpu->stores[i].value;
	return word->value;
}

/*
 * Words of page tables. Only who owns an entry writes it, so reading one is no
 * point. A write is told as what the whole entry was and is to this CPU.
 */
static void tell_entry(enum sim_access access, const port_atomic_t *word,
		       pte_t before, const void *caller)
{
	pte_t after = sim_entry_seen(word);

	if (sim_entry_name(word) && (before || after))
		sim_tell(access, sim_entry_name(word), before, after, caller);
}

uint32_t sim_load(const port_atomic_t *word)
{
	uint32_t value;

	if (sim_is_table_word(word))
		return sim_visible(word);
	sim_point(SIM_LOAD);
	value = sim_visible(word);
	sim_tell(SIM_LOAD, word, value, value, CALLER);
	return value;
}

void sim_buffer_store(void *word, uint64_t value, unsigned int size)
{
	struct sim_cpu *cpu = &sim.cpus[sim.cpu];

	if (cpu->nr_stores == SIM_STORE_BUFFER)
		sim_drain_one(cpu);
	cpu->stores[cpu->nr_stores++] = (struct sim_buffered_store){ word,
								     value,
								     size };
	if (!sim_holds_store())
		sim_drain(sim.cpu);
}

static void buffer_store(port_atomic_t *word, uint32_t value)
{
	if (sim_buffers_stores())
		sim_buffer_store(word, value, sizeof(*word));
	else
		reach_memory(word, value); /* nothing waits before it */
}

static void store_entry(port_atomic_t *word, uint32_t value)
{
	const void *caller = sim_running()->pte_caller;
	pte_t before;

	sim_point(SIM_PTE_SET);
	before = sim_entry_seen(word);
	buffer_store(word, value);
	tell_entry(SIM_PTE_SET, word, before, caller);
}

void sim_store_by(port_atomic_t *word, uint32_t value, const void *caller)
{
	uint32_t before;

	sim_point(SIM_STORE);
	before = sim_visible(word);
	buffer_store(word, value);
	sim_tell(SIM_STORE, word, before, value, caller);
}

void sim_store(port_atomic_t *word, uint32_t value)
{
	if (sim_is_table_word(word))
		store_entry(word, value);
	else
		sim_store_by(word, value, CALLER);
}

bool sim_cas(port_atomic_t *word, uint32_t *expected, uint32_t desired)
{
	uint32_t found;
	bool good;

	sim_point(SIM_CAS);
	sim_drain(sim.cpu);
	found = word->value;
	good = found == *expected;
	if (good)
		word->value = desired;
	*expected = found;
	sim_tell(SIM_CAS, word, found, word->value, CALLER);
	return good;
}

uint32_t sim_fetch_add(port_atomic_t *word, uint32_t delta)
{
	uint32_t old;

	sim_point(SIM_ADD);
	sim_drain(sim.cpu);
	old = word->value;
	word->value = old + delta;
	sim_tell(SIM_ADD, word, old, word->value, CALLER);
	return old;
}

static uint32_t exchange_entry(port_atomic_t *word, uint32_t value)
{
	const void *caller = sim_running()->pte_caller;
	uint32_t old;
	pte_t before;

	sim_point(SIM_PTE_CLEAR);
	sim_drain(sim.cpu);
	before = sim_entry_seen(word);
	old = word->value;
	reach_memory(word, value);
	tell_entry(SIM_PTE_CLEAR, word, before, caller);
	return old;
}

uint32_t sim_exchange(port_atomic_t *word, uint32_t value)
{
	uint32_t old;

	if (sim_is_table_word(word))
		return exchange_entry(word, value);
	sim_point(SIM_EXCHANGE);
	sim_drain(sim.cpu);
	old = word->value;
	word->value = value;
	sim_tell(SIM_EXCHANGE, word, old, value, CALLER);
	return old;
}

void sim_fence(void)
{
	sim_point(SIM_FENCE);
	sim_drain(sim.cpu);
	sim_tell(SIM_FENCE, NULL, 0, 0, CALLER);
}
