/* SPDX-License-Identifier: MIT */

/* The end of a run, as QEMU's exit device passes it on. */

#include <highmem/format.h>

#include "core/ports/i686/console.h"
#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"

#define DEBUG_EXIT_PORT 0xf4

void i686_exit(enum i686_exit code)
{
	console_drain();
	outl(DEBUG_EXIT_PORT, code);
	/* There was no such device. */
	cpu_halt();
}

void i686_refuse(const char *format, ...)
{
	char sentence[384];
	va_list args;

	va_start(args, format);
	hm_vformat(sentence, sizeof(sentence), format, args);
	va_end(args);
	console_printf("Bail out! %s\n", sentence);
	i686_exit(I686_EXIT_UNFIT);
}
