/* SPDX-License-Identifier: MIT */

/* The 8254's channel 0: port_now(), preemption, and the watchdog. */

#include <highmem/format.h>

#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"

#define PIT_HZ 1193182
#define PIT_CHANNEL0 0x40
#define PIT_COMMAND 0x43
#define PIT_RATE_CHANNEL0 0x34 /* low byte, high byte, mode 2 */

static struct {
	uint64_t ticks;
	bool is_virtual; /* they pass by timer_pass() only */
	uint64_t microseconds;
	uint64_t bark_at;	  /* in microseconds */
	unsigned int tick_length; /* in microseconds */
	void (*hook)(void *arg);
	void *arg;
} timer;

static unsigned int bark_seconds;

void i686_timer(unsigned int hz, void (*hook)(void *arg), void *arg)
{
	port_irq_t flags = port_irq_save();
	uint32_t divisor = PIT_HZ / hz;

	timer.hook = hook;
	timer.arg = arg;
	timer.tick_length = 1000000 / hz;
	outb(PIT_COMMAND, PIT_RATE_CHANNEL0);
	outb(PIT_CHANNEL0, (uint8_t)divisor);
	outb(PIT_CHANNEL0, (uint8_t)(divisor >> 8));
	port_irq_restore(flags);
}

void i686_watchdog(unsigned int seconds)
{
	port_irq_t flags = port_irq_save();

	bark_seconds = seconds;
	timer.bark_at = timer.microseconds + (uint64_t)seconds * 1000000;
	port_irq_restore(flags);
}

void timer_init(void)
{
	i686_timer(I686_TIMER_HZ, NULL, NULL);
}

void timer_interrupt(const struct trap_frame *frame)
{
	char sentence[64];

	if (!timer.is_virtual)
		timer.ticks++;
	timer.microseconds += timer.tick_length;
	if (bark_seconds && timer.microseconds >= timer.bark_at) {
		hm_format(sentence, sizeof(sentence),
			  "no end in sight after %u s", bark_seconds);
		trap_die(frame, I686_EXIT_STALL, sentence);
	}
	sched_tick(timer.ticks);
	if (timer.hook)
		timer.hook(timer.arg);
}

void i686_set_virtual_time(bool on)
{
	timer.is_virtual = on;
}

bool timer_is_virtual(void)
{
	return timer.is_virtual;
}

void timer_pass(uint64_t now)
{
	timer.ticks = now;
	sched_tick(now);
}

uint64_t port_now(void)
{
	port_irq_t flags = port_irq_save();
	uint64_t now = timer.ticks;

	port_irq_restore(flags);
	return now;
}
