/* SPDX-License-Identifier: MIT */

/*
 * A tick on each CPU: the local APIC's timer; without one, the 8254's
 * channel 0.
 */

#include "core/ports/i686/apic.h"
#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"
#include "core/ports/i686/smp.h"

#define PIT_HZ 1193182U
#define PIT_CHANNEL0 0x40
#define PIT_COMMAND 0x43
#define PIT_RATE_CHANNEL0 0x34 /* low byte, high byte, mode 2 */

/* A CPU that belongs to no machine has nothing to do but look around. */
#define SPARE_HZ 100

static struct {
	port_spinlock_t lock;
	unsigned int hz;
	void (*hook)(void *arg);
	void *arg;
} timer;

/* What each CPU's clock is set to. */
static unsigned int hz_of[HIGHMEM_MAX_CPUS];

static void set_pit(unsigned int hz)
{
	uint32_t divisor = PIT_HZ / hz;

	outb(PIT_COMMAND, PIT_RATE_CHANNEL0);
	outb(PIT_CHANNEL0, (uint8_t)divisor);
	outb(PIT_CHANNEL0, (uint8_t)(divisor >> 8));
}

/* Interrupts are off. */
static void set_clock(unsigned int hz)
{
	if (hz_of[port_cpu_id()] == hz)
		return;
	hz_of[port_cpu_id()] = hz;
	if (apic_in_use())
		apic_timer(hz);
	else
		set_pit(hz);
}

static void answer(void *unused)
{
	(void)unused;
}

void i686_timer(unsigned int hz, void (*hook)(void *arg), void *arg)
{
	port_irq_t flags = port_irq_save();

	raw_lock(&timer.lock);
	timer.hz = hz;
	timer.hook = hook;
	timer.arg = arg;
	raw_unlock(&timer.lock);
	if (port_cpu_id() < sched_nr_cpus())
		set_clock(hz);
	port_irq_restore(flags);
	/* A CPU in the old hook has interrupts off, and answers after it. */
	smp_call(((uint32_t)1 << smp_nr_cpus()) - 1, answer, NULL);
}

void timer_init(void)
{
	if (apic_in_use())
		pic_mask_all();
	i686_timer(I686_TIMER_HZ, NULL, NULL);
}

void timer_start_cpu(void)
{
	set_clock(SPARE_HZ);
}

/* A CPU follows i686_timer(), and the machine's size, from its next tick on. */
void timer_interrupt(const struct trap_frame *frame)
{
	bool spare = port_cpu_id() >= sched_nr_cpus();
	void (*hook)(void *arg);
	void *arg;
	unsigned int hz;

	watchdog_tick(frame, 1000000 / hz_of[port_cpu_id()]);
	raw_lock(&timer.lock);
	hz = timer.hz;
	hook = timer.hook;
	arg = timer.arg;
	raw_unlock(&timer.lock);
	set_clock(spare ? SPARE_HZ : hz);
	if (spare)
		return;
	sched_tick();
	if (hook)
		hook(arg);
}
