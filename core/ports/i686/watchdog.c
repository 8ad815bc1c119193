/* SPDX-License-Identifier: MIT */

/* Each CPU's tick looks whether the others still have theirs. */

#include <highmem/format.h>

#include "core/ports/i686/internal.h"
#include "core/ports/i686/smp.h"

static struct {
	_Atomic uint32_t seconds; /* 0: off */
	_Atomic uint32_t patted;  /* times i686_watchdog() was called */
} dog;

/* One CPU's view; written by it, but for ticks, which the others read. */
static struct watch {
	_Atomic uint32_t ticks;
	uint32_t patted;
	uint64_t now; /* microseconds of ticks since the pat */
	struct {
		uint32_t ticks;
		uint64_t at; /* when they last changed */
	} seen[HIGHMEM_MAX_CPUS];
} watches[HIGHMEM_MAX_CPUS];

void i686_watchdog(unsigned int seconds)
{
	atomic_store(&dog.seconds, seconds);
	atomic_fetch_add(&dog.patted, 1);
}

static void start_again(struct watch *watch, uint32_t patted)
{
	watch->patted = patted;
	watch->now = 0;
	for (unsigned int cpu = 0; cpu < HIGHMEM_MAX_CPUS; cpu++)
		watch->seen[cpu].at = 0;
}

/* For how long @cpu has had no tick, as far as @watch knows. */
static uint64_t silence_of(struct watch *watch, unsigned int cpu)
{
	uint32_t ticks = atomic_load_explicit(&watches[cpu].ticks,
					      memory_order_relaxed);

	if (ticks != watch->seen[cpu].ticks) {
		watch->seen[cpu].ticks = ticks;
		watch->seen[cpu].at = watch->now;
	}
	return watch->now - watch->seen[cpu].at;
}

void watchdog_tick(const struct trap_frame *frame, uint32_t microseconds)
{
	struct watch *watch = &watches[port_cpu_id()];
	uint32_t patted = atomic_load(&dog.patted);
	uint64_t limit = (uint64_t)atomic_load(&dog.seconds) * 1000000;
	char sentence[96];

	atomic_fetch_add_explicit(&watch->ticks, 1, memory_order_relaxed);
	if (patted != watch->patted)
		start_again(watch, patted);
	watch->now += microseconds;
	if (!limit)
		return;
	for (unsigned int cpu = 0; cpu < smp_nr_cpus(); cpu++) {
		if (silence_of(watch, cpu) < limit / 2)
			continue;
		hm_format(sentence, sizeof(sentence),
			  "CPU %u has interrupts off and does not go on", cpu);
		trap_die(frame, I686_EXIT_STALL, sentence);
	}
	if (watch->now < limit)
		return;
	hm_format(sentence, sizeof(sentence), "still running after %u s",
		  atomic_load(&dog.seconds));
	trap_die(frame, I686_EXIT_STALL, sentence);
}
