/* SPDX-License-Identifier: MIT */
#ifndef PORT_BACKEND_H
#define PORT_BACKEND_H

/*
 * The simulated machine, inline half: one host thread plays all CPUs, so a
 * shared word is a plain word. See sim.h for the rest.
 */

#include <highmem/types.h>

typedef struct {
	uint32_t value;
} port_atomic_t;

typedef struct {
	uint32_t value;
} port_stat_t;

typedef struct {
	port_atomic_t locked;
} port_spinlock_t;

typedef bool port_irq_t;

/* Is somebody choosing (control.h)? Then each access goes the long way. */
extern bool sim_controlled;

uint32_t sim_load(const port_atomic_t *word);
void sim_store(port_atomic_t *word, uint32_t value);
bool sim_cas(port_atomic_t *word, uint32_t *expected, uint32_t desired);
uint32_t sim_fetch_add(port_atomic_t *word, uint32_t delta);
uint32_t sim_exchange(port_atomic_t *word, uint32_t value);
void sim_fence(void);

/* Always inlined, so that the long way knows who called. */
#define SIM_INLINE static inline __attribute__((always_inline))
#define SIM_CONTROLLED __builtin_expect(sim_controlled, 0)

SIM_INLINE uint32_t port_atomic_load(const port_atomic_t *word)
{
	return SIM_CONTROLLED ? sim_load(word) : word->value;
}

SIM_INLINE void port_atomic_store(port_atomic_t *word, uint32_t value)
{
	if (SIM_CONTROLLED)
		sim_store(word, value);
	else
		word->value = value;
}

SIM_INLINE bool port_atomic_cas(port_atomic_t *word, uint32_t *expected,
				uint32_t desired)
{
	if (SIM_CONTROLLED)
		return sim_cas(word, expected, desired);
	if (word->value != *expected) {
		*expected = word->value;
		return false;
	}
	word->value = desired;
	return true;
}

SIM_INLINE uint32_t port_atomic_fetch_add(port_atomic_t *word, uint32_t delta)
{
	uint32_t old = word->value;

	if (SIM_CONTROLLED)
		return sim_fetch_add(word, delta);
	word->value = old + delta;
	return old;
}

SIM_INLINE uint32_t port_atomic_exchange(port_atomic_t *word, uint32_t value)
{
	uint32_t old = word->value;

	if (SIM_CONTROLLED)
		return sim_exchange(word, value);
	word->value = value;
	return old;
}

SIM_INLINE void port_fence(void)
{
	if (SIM_CONTROLLED)
		sim_fence();
}

/* Interrupts come at accesses, and those are in the order of the program. */
static inline void port_barrier(void)
{
}

static inline void port_stat_inc(port_stat_t *stat)
{
	stat->value++;
}

static inline void port_stat_set(port_stat_t *stat, uint32_t value)
{
	stat->value = value;
}

static inline uint32_t port_stat_read(const port_stat_t *stat)
{
	return stat->value;
}

#endif
