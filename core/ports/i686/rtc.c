/* SPDX-License-Identifier: MIT */

/*
 * The PC's calendar, which goes on when the host is too busy to deliver every
 * tick of the timer.
 */

#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"

#define RTC_INDEX 0x70
#define RTC_DATA 0x71

enum {
	RTC_SECONDS = 0,
	RTC_STATUS_A = 0x0a
};

#define RTC_UPDATING 0x80

static uint8_t read_register(uint8_t index)
{
	outb(RTC_INDEX, index);
	return inb(RTC_DATA);
}

uint32_t i686_wall_seconds(void)
{
	static uint32_t sum, last;
	port_irq_t flags = port_irq_save();
	uint32_t bcd, now, seconds;

	if (!(read_register(RTC_STATUS_A) & RTC_UPDATING)) {
		bcd = read_register(RTC_SECONDS);
		now = (bcd >> 4) * 10 + (bcd & 15);
		sum += (now + 60 - last) % 60;
		last = now;
	}
	seconds = sum;
	port_irq_restore(flags);
	return seconds;
}
