/* SPDX-License-Identifier: MIT */

/* COM1, an 8250 without its FIFO, written by polling. */

#include "core/ports/i686/console.h"

#include <highmem/format.h>

#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"

#define COM1 0x3f8

enum {
	UART_DATA = COM1,
	UART_IRQ_ENABLE = COM1 + 1,
	UART_FIFO = COM1 + 2,
	UART_LINE_CONTROL = COM1 + 3,
	UART_MODEM_CONTROL = COM1 + 4,
	UART_LINE_STATUS = COM1 + 5,
};

#define LINE_8N1 0x03
#define LINE_DIVISOR 0x80
#define STATUS_CAN_SEND 0x20
#define STATUS_ALL_SENT 0x40

void console_init(void)
{
	outb(UART_IRQ_ENABLE, 0);
	outb(UART_LINE_CONTROL, LINE_DIVISOR);
	outb(UART_DATA, 1); /* 115200 baud */
	outb(UART_IRQ_ENABLE, 0);
	outb(UART_LINE_CONTROL, LINE_8N1);
	outb(UART_FIFO, 0);
	outb(UART_MODEM_CONTROL, 0x03);
}

/*
 * One line at a time; nobody waits for a CPU that has been stopped. A flag, and
 * no lock of the port's: those report through here.
 */
static atomic_flag busy;
static bool alone;

static void put(char c)
{
	while (!(inb(UART_LINE_STATUS) & STATUS_CAN_SEND))
		;
	outb(UART_DATA, (uint8_t)c);
}

void console_drain(void)
{
	while (!(inb(UART_LINE_STATUS) & STATUS_ALL_SENT))
		;
}

void console_printf(const char *format, ...)
{
	char line[400];
	va_list args;
	port_irq_t flags;

	va_start(args, format);
	hm_vformat(line, sizeof(line), format, args);
	va_end(args);
	flags = port_irq_save();
	while (!alone && atomic_flag_test_and_set(&busy))
		cpu_pause();
	for (const char *s = line; *s; s++)
		put(*s);
	if (!alone)
		atomic_flag_clear(&busy);
	port_irq_restore(flags);
}

void console_take_over(void)
{
	alone = true;
}
