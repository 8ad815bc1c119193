/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_CONSOLE_H
#define CORE_PORTS_I686_CONSOLE_H

/* The serial port. Context: any. */

void console_init(void);

/* At most 255 characters, in the format of hm_format(). */
void console_printf(const char *format, ...);

/* The other CPUs are stopped, one perhaps in the middle of a line. */
void console_take_over(void);

/* Returns when the last character has left. */
void console_drain(void);

#endif
