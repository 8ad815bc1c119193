/* SPDX-License-Identifier: MIT */

/* The rest of the contract: facts, locks, reports. */

#include <highmem/format.h>

#include "core/port/machine.h"
#include "core/ports/i686/console.h"
#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"
#include "core/ports/i686/smp.h"

static struct port_facts facts = {
	.name = "i686",
	.pae = false,
	.cpu_mask = 1,
	.tlb_flush_ceiling = 32,
};

const struct port_facts *port_facts(void)
{
	facts.pae = paging_has_pae();
	return &facts;
}

void facts_set_cpus(unsigned int nr)
{
	facts.cpu_mask = ((uint32_t)1 << nr) - 1;
}

/* ---- Locks ------------------------------------------------------------------ */

/*
 * With interrupts on they come in here, and other CPUs get their answers.
 * The owner of a lock that this CPU has would have to run here, and cannot.
 */
void i686_spin_contended(port_spinlock_t *lock)
{
	do {
		while (port_spin_is_locked(lock)) {
			if (atomic_load_explicit(&lock->owner,
						 memory_order_relaxed) ==
			    port_cpu_id() + 1)
				i686_panic("spin lock %x taken twice on one "
					   "CPU: deadlock",
					   (uint32_t)lock);
			cpu_pause();
		}
	} while (!i686_spin_try(lock));
}

void raw_lock(port_spinlock_t *lock)
{
	if (!i686_spin_try(lock))
		i686_spin_contended(lock);
}

void raw_unlock(port_spinlock_t *lock)
{
	atomic_store_explicit(&lock->owner, 0, memory_order_release);
}

/* ---- Reports ---------------------------------------------------------------- */

#define MAX_BUGS 16
#define BUG_BYTES 192

/* Oldest first, from @first on; what comes when it is full is lost. */
static struct {
	port_spinlock_t lock;
	char sentence[MAX_BUGS][BUG_BYTES];
	unsigned int first;
	unsigned int nr;
	char taken[BUG_BYTES];
} bugs;

void port_bug(const char *sentence)
{
	port_irq_t flags = port_irq_save();

	i686_note("bug", (uint32_t)__builtin_return_address(0), 0);
	raw_lock(&bugs.lock);
	if (bugs.nr < MAX_BUGS) {
		unsigned int i = (bugs.first + bugs.nr) % MAX_BUGS;

		hm_format(bugs.sentence[i], BUG_BYTES, "%s", sentence);
		bugs.nr++;
	}
	raw_unlock(&bugs.lock);
	port_irq_restore(flags);
}

void port_panic(const char *sentence)
{
	i686_panic("%s", sentence);
}

const char *machine_take_bug(void)
{
	port_irq_t flags = port_irq_save();
	bool any;

	raw_lock(&bugs.lock);
	any = bugs.nr != 0;
	if (any) {
		hm_format(bugs.taken, BUG_BYTES, "%s",
			  bugs.sentence[bugs.first]);
		bugs.first = (bugs.first + 1) % MAX_BUGS;
		bugs.nr--;
	}
	raw_unlock(&bugs.lock);
	port_irq_restore(flags);
	return any ? bugs.taken : NULL;
}

void print_bugs(void)
{
	for (unsigned int i = 0; i < bugs.nr; i++)
		console_printf("# reported: %s\n",
			       bugs.sentence[(bugs.first + i) % MAX_BUGS]);
}

static unsigned int unexpected_bugs;

void drop_bugs(void)
{
	const char *bug;

	while ((bug = machine_take_bug())) {
		console_printf("# unexpected: %s\n", bug);
		unexpected_bugs++;
	}
}

unsigned int i686_unexpected_bugs(void)
{
	unsigned int nr;

	drop_bugs();
	nr = unexpected_bugs;
	unexpected_bugs = 0;
	return nr;
}

/* ---- Numbers ------------------------------------------------------------------ */

unsigned int i686_nr_cpus(void)
{
	return smp_nr_cpus();
}

/* Each word is written by its own CPU alone: what is read was true a moment. */
struct i686_counts i686_counts(void)
{
	struct i686_counts sum = { 0 };

	for (unsigned int cpu = 0; cpu < smp_nr_cpus(); cpu++) {
		const volatile struct i686_cpu *c = &i686_cpus[cpu];

		sum.invlpgs += c->invlpgs;
		sum.full_flushes += c->full_flushes;
		sum.ipis += c->ipis;
		sum.switches += c->switches;
		sum.migrations += c->migrations;
	}
	return sum;
}
