/* SPDX-License-Identifier: MIT */

#include "core/ports/i686/trace.h"

#include "core/ports/i686/console.h"
#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"

#define RING_EVENTS 64U
#define PRINTED_EVENTS 40U

struct event {
	uint64_t when; /* 0: none yet */
	const char *what;
	uint32_t a, b;
};

static struct ring {
	_Atomic uint32_t next;
	struct event event[RING_EVENTS];
} rings[HIGHMEM_MAX_CPUS];

/*
 * Any context. The place is taken with one locked instruction: a task that is
 * moved right after it, or an interrupt, takes another one. An event that is
 * being written when the run dies may be half there.
 */
void i686_note(const char *what, uint32_t a, uint32_t b)
{
	struct ring *ring = &rings[port_cpu_id()];
	uint32_t nr = atomic_fetch_add_explicit(&ring->next, 1,
						memory_order_relaxed);
	struct event *event = &ring->event[nr % RING_EVENTS];

	event->what = what;
	event->a = a;
	event->b = b;
	event->when = read_tsc();
}

/* The newest event before @limit, and whose; NULL: there is none. */
static const struct event *newest_before(uint64_t limit, unsigned int *cpu)
{
	const struct event *newest = NULL;

	for (unsigned int c = 0; c < HIGHMEM_MAX_CPUS; c++)
		for (unsigned int i = 0; i < RING_EVENTS; i++) {
			const struct event *event = &rings[c].event[i];

			if (event->when && event->when < limit &&
			    (!newest || event->when > newest->when)) {
				newest = event;
				*cpu = c;
			}
		}
	return newest;
}

void trace_print(void)
{
	static struct {
		const struct event *event;
		unsigned int cpu;
	} last[PRINTED_EVENTS];
	uint64_t limit = UINT64_MAX;
	unsigned int nr = 0;

	while (nr < PRINTED_EVENTS &&
	       (last[nr].event = newest_before(limit, &last[nr].cpu)))
		limit = last[nr++].event->when;
	console_printf("# last operations, the newest below:\n");
	while (nr-- > 0)
		console_printf("#  CPU %u: %s %x %x\n", last[nr].cpu,
			       last[nr].event->what, last[nr].event->a,
			       last[nr].event->b);
}
