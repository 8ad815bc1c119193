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
	bool locked;
} port_spinlock_t;

typedef bool port_irq_t;

static inline uint32_t port_atomic_load(const port_atomic_t *word)
{
	return word->value;
}

static inline void port_atomic_store(port_atomic_t *word, uint32_t value)
{
	word->value = value;
}

static inline bool port_atomic_cas(port_atomic_t *word, uint32_t *expected,
				   uint32_t desired)
{
	if (word->value != *expected) {
		*expected = word->value;
		return false;
	}
	word->value = desired;
	return true;
}

static inline uint32_t port_atomic_fetch_add(port_atomic_t *word,
					     uint32_t delta)
{
	uint32_t old = word->value;

	word->value = old + delta;
	return old;
}

static inline void port_fence(void)
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
