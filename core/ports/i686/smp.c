/* SPDX-License-Identifier: MIT */

#include "core/ports/i686/smp.h"

#include "core/ports/i686/acpi.h"
#include "core/ports/i686/apic.h"
#include "core/ports/i686/console.h"
#include "core/ports/i686/cpu.h"
#include "core/ports/i686/stacks.h"
#include "core/ports/i686/string.h"

/* A start-up interrupt names a page below 1 MiB; from here on it is no RAM. */
#define END_OF_LOW_RAM 0xa0000U

/* The page where another CPU begins; BOOTMEM_NONE: there is none to be had. */
static pfn_t trampoline = BOOTMEM_NONE;

struct i686_cpu i686_cpus[HIGHMEM_MAX_CPUS];

/* By CPU id; the boot CPU is 0. */
static uint8_t apic_id[HIGHMEM_MAX_CPUS];
static unsigned int nr_found = 1;
static _Atomic uint32_t nr_cpus = 1;

/* For the CPU that is on its way up: trampoline.S reads the stack. */
uint32_t *smp_stack;
static unsigned int starting;

void smp_cpu_start(void);
extern char i686_trampoline[], i686_trampoline_end[];

unsigned int smp_nr_cpus(void)
{
	return atomic_load_explicit(&nr_cpus, memory_order_acquire);
}

/* ---- Finding them ----------------------------------------------------------- */

void smp_take_trampoline(struct bootmem *bootmem)
{
	trampoline = bootmem_alloc_below(bootmem, END_OF_LOW_RAM);
}

/* What a table names as an address may be anything. */
static bool read_physical(uint64_t phys, void *to, uint32_t len)
{
	unsigned int bits = paging_has_pae() ? PFN_BITS_PAE : PFN_BITS_NONPAE;
	port_irq_t flags = port_irq_save();
	uint8_t *bytes = to;
	bool there = true;

	for (uint32_t i = 0; i < len && there; i++, phys++) {
		const uint8_t *frame;

		there = phys >> PAGE_SHIFT >> bits == 0;
		if (!there)
			break;
		frame = (const uint8_t *)paging_frame(
			(pfn_t)(phys >> PAGE_SHIFT));
		bytes[i] = frame[phys % PAGE_SIZE];
	}
	port_irq_restore(flags);
	return there;
}

static void print_others(const struct acpi_cpus *cpus)
{
	if (cpus->nr > nr_found)
		console_printf("# %u CPUs here, of which %u are used\n",
			       cpus->nr, nr_found);
	if (cpus->nr_twice)
		console_printf("# ACPI lists %u CPUs that it has already\n",
			       cpus->nr_twice);
	if (cpus->nr_far)
		console_printf("# %u CPUs have APIC ids over 254 and are not "
			       "used\n",
			       cpus->nr_far);
}

/* The boot CPU need not come first in the table, but it is CPU 0. */
static void number_cpus(const struct acpi_cpus *cpus)
{
	apic_id[0] = apic_own_id();
	for (unsigned int i = 0; i < cpus->nr && i < ACPI_MAX_CPUS; i++)
		if (cpus->apic_id[i] != apic_id[0] &&
		    nr_found < HIGHMEM_MAX_CPUS)
			apic_id[nr_found++] = cpus->apic_id[i];
	print_others(cpus);
	if (nr_found > 1 && trampoline == BOOTMEM_NONE) {
		console_printf("# one CPU: others start in a page below 640 "
			       "KiB, and no RAM is free there\n");
		nr_found = 1;
	}
}

void smp_find(void)
{
	struct acpi_cpus cpus;
	const char *why = apic_exists() ? acpi_find_cpus(&cpus, read_physical)
					: "the CPU has no local APIC";

	if (why) {
		console_printf("# one CPU: %s\n", why);
		return;
	}
	apic_init(cpus.local_apic);
	number_cpus(&cpus);
}

/* ---- Starting them ----------------------------------------------------------- */

#define INIT_MICROSECONDS 10000
#define STARTUP_MICROSECONDS 200
#define PATIENCE_MICROSECONDS 1000000

/* On the CPU itself, with the provisional page tables and its own stack. */
void smp_cpu_start(void)
{
	trap_init(starting);
	paging_activate();
	apic_enable();
	timer_start_cpu();
	atomic_store_explicit(&nr_cpus, starting + 1, memory_order_release);
	sched_idle();
}

static bool is_up(unsigned int cpu, unsigned int patience)
{
	for (unsigned int waited = 0; waited < patience;
	     waited += STARTUP_MICROSECONDS) {
		if (smp_nr_cpus() > cpu)
			return true;
		pit_wait(STARTUP_MICROSECONDS);
	}
	return smp_nr_cpus() > cpu;
}

static bool start_cpu(unsigned int cpu)
{
	struct i686_stack *stack = &i686_stacks[MACHINE_MAX_TASKS + cpu];

	starting = cpu;
	smp_stack = stack->words + I686_STACK_BYTES / sizeof(*smp_stack);
	apic_send_startup(apic_id[cpu], (uint8_t)trampoline);
	if (is_up(cpu, STARTUP_MICROSECONDS))
		return true;
	/* Old CPUs want it twice; one that is up ignores it. */
	apic_send_startup(apic_id[cpu], (uint8_t)trampoline);
	return is_up(cpu, PATIENCE_MICROSECONDS);
}

void smp_start(void)
{
	if (nr_found > 1)
		memcpy((void *)(I686_PAGE_OFFSET + (trampoline << PAGE_SHIFT)),
		       i686_trampoline,
		       (size_t)(i686_trampoline_end - i686_trampoline));
	for (unsigned int cpu = 1; cpu < nr_found; cpu++)
		apic_send_init(apic_id[cpu]);
	if (nr_found > 1)
		pit_wait(INIT_MICROSECONDS);
	for (unsigned int cpu = 1; cpu < nr_found; cpu++) {
		if (start_cpu(cpu))
			continue;
		console_printf("# CPU %u, APIC id %u, does not start: going on "
			       "with %u\n",
			       cpu, apic_id[cpu], cpu);
		break;
	}
	facts_set_cpus(smp_nr_cpus());
}

/* ---- Calls --------------------------------------------------------------------- */

static struct {
	port_spinlock_t lock;
	void (*function)(void *arg);
	void *arg;
	_Atomic uint32_t pending; /* CPUs that have not done it yet */
} call;

static uint32_t bit(unsigned int cpu)
{
	return (uint32_t)1 << cpu;
}

static void send(uint32_t cpus, uint8_t vector)
{
	port_irq_t flags = port_irq_save();

	for (unsigned int cpu = 0; cpu < smp_nr_cpus(); cpu++)
		if (cpus & bit(cpu)) {
			apic_send(apic_id[cpu], vector);
			i686_cpu_count(ipis);
		}
	port_irq_restore(flags);
}

void smp_kick(unsigned int cpu)
{
	send(bit(cpu), VECTOR_KICK);
}

/*
 * With interrupts off: an interrupt between the call and the bit would do it
 * again, and the bit might be the next call's by then.
 */
void smp_serve(void)
{
	port_irq_t flags = port_irq_save();
	uint32_t me = bit(port_cpu_id());

	if (atomic_load_explicit(&call.pending, memory_order_acquire) & me) {
		call.function(call.arg);
		atomic_fetch_and_explicit(&call.pending, ~me,
					  memory_order_release);
	}
	port_irq_restore(flags);
}

/* Who has the lock may be waiting for this CPU: serve it meanwhile. */
static void lock_calls(void)
{
	while (!i686_spin_try(&call.lock)) {
		if (atomic_load(&call.lock.owner) == port_cpu_id() + 1)
			i686_panic("a call to other CPUs inside of another");
		smp_serve();
		cpu_pause();
	}
}

static void call_others(uint32_t cpus, void (*function)(void *arg), void *arg)
{
	call.function = function;
	call.arg = arg;
	atomic_store(&call.pending, cpus);
	send(cpus, VECTOR_CALL);
}

static void call_here(void (*function)(void *arg), void *arg)
{
	port_irq_t flags = port_irq_save();

	function(arg);
	port_irq_restore(flags);
}

void smp_call(uint32_t cpus, void (*function)(void *arg), void *arg)
{
	uint32_t others;

	port_preempt_disable();
	others = cpus & ~bit(port_cpu_id());
	if (others) {
		lock_calls();
		call_others(others, function, arg);
	}
	if (cpus & bit(port_cpu_id()))
		call_here(function, arg);
	if (others) {
		while (atomic_load_explicit(&call.pending, memory_order_acquire))
			cpu_pause();
		atomic_store_explicit(&call.lock.owner, 0,
				      memory_order_release);
	}
	port_preempt_enable();
}

/* ---- The end -------------------------------------------------------------------- */

static struct trap_frame stopped_at[HIGHMEM_MAX_CPUS];
static _Atomic uint32_t stopping, stopped; /* CPUs */

void smp_stop_others(void)
{
	uint32_t others = (bit(smp_nr_cpus()) - 1) & ~bit(port_cpu_id());

	if (!others)
		return;
	atomic_store(&stopping, others);
	for (unsigned int cpu = 0; cpu < smp_nr_cpus(); cpu++)
		if (others & bit(cpu))
			apic_send_nmi(apic_id[cpu]);
	for (unsigned int ms = 0; ms < 1000; ms++) {
		if (atomic_load(&stopped) == others)
			return;
		pit_wait(1000);
	}
}

void smp_stop_here(const struct trap_frame *frame)
{
	unsigned int cpu = port_cpu_id();

	if (!(atomic_load(&stopping) & bit(cpu)))
		return;
	stopped_at[cpu] = *frame;
	atomic_fetch_or(&stopped, bit(cpu));
	cpu_halt();
}

const struct trap_frame *smp_stopped_at(unsigned int cpu)
{
	return atomic_load(&stopped) & bit(cpu) ? &stopped_at[cpu] : NULL;
}
