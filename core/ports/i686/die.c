/* SPDX-License-Identifier: MIT */

/* What is printed when the run dies. */

#include <highmem/format.h>

#include "core/ports/i686/console.h"
#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"
#include "core/ports/i686/smp.h"
#include "core/ports/i686/state.h"
#include "core/ports/i686/trace.h"

static const char *activity;

/* 0, or 1 + the CPU that is at it; the others wait to be stopped. */
static _Atomic uint32_t dying;

void i686_set_activity(const char *name)
{
	activity = name;
}

static void print_backtrace(const struct trap_frame *frame)
{
	const uint32_t *link = (const uint32_t *)frame->ebp;
	uint32_t next, return_address;

	console_printf("# backtrace:\n#   %x\n", frame->eip);
	for (int depth = 0; depth < 16; depth++) {
		if (!i686_probe_load(link, &next) ||
		    !i686_probe_load(link + 1, &return_address) ||
		    !return_address)
			return;
		console_printf("#   %x\n", return_address);
		if (next <= (uint32_t)link)
			return;
		link = (const uint32_t *)next;
	}
}

static void print_registers(const struct trap_frame *frame)
{
	console_printf("# eip %x eflags %x error %x\n", frame->eip,
		       frame->eflags, frame->error);
	console_printf("# eax %x ebx %x ecx %x edx %x\n", frame->eax,
		       frame->ebx, frame->ecx, frame->edx);
	console_printf("# esi %x edi %x ebp %x\n", frame->esi, frame->edi,
		       frame->ebp);
}

static void print_other(unsigned int cpu)
{
	const struct trap_frame *frame = smp_stopped_at(cpu);

	state_print_cpu(cpu);
	if (frame && !port_task_id(i686_cpus[cpu].current) &&
	    i686_cpus[cpu].irq_depth == 0) {
		console_printf("# it is idle, at %x\n", frame->eip);
	} else if (frame) {
		print_registers(frame);
		print_backtrace(frame);
	} else {
		console_printf("# it does not answer\n");
	}
}

/* The first CPU reports; one that comes here again is lost for good. */
static void claim_the_end(const char *sentence)
{
	uint32_t nobody = 0, me = port_cpu_id() + 1;

	if (atomic_compare_exchange_strong(&dying, &nobody, me))
		return;
	if (nobody != me)
		for (;;) /* until the NMI comes */
			cpu_pause();
	console_printf("Bail out! %s (while a report was printed)\n", sentence);
	i686_exit(I686_EXIT_FAIL);
}

void trap_die(const struct trap_frame *frame, enum i686_exit code,
	      const char *sentence)
{
	irq_off();
	claim_the_end(sentence);
	smp_stop_others();
	console_take_over();
	console_printf("# while running %s\n", activity ? activity : "nothing");
	trace_print();
	for (unsigned int cpu = 0; cpu < smp_nr_cpus(); cpu++)
		if (cpu != port_cpu_id())
			print_other(cpu);
	state_print_cpu(port_cpu_id());
	console_printf("# cr2 %x cr3 %x\n", read_cr2(), read_cr3());
	print_registers(frame);
	print_backtrace(frame);
	state_print_tasks();
	if (smp_nr_cpus() == 1)
		console_printf("Bail out! %s\n", sentence);
	else
		console_printf("Bail out! %s (CPU %u)\n", sentence,
			       port_cpu_id());
	i686_exit(code);
}

void i686_panic(const char *format, ...)
{
	struct trap_frame frame = {
		.eip = (uint32_t)__builtin_return_address(0),
		.ebp = *(uint32_t *)__builtin_frame_address(0),
		.eflags = i686_eflags(),
	};
	char sentence[160];
	va_list args;

	irq_off();
	va_start(args, format);
	hm_vformat(sentence, sizeof(sentence), format, args);
	va_end(args);
	trap_die(&frame, I686_EXIT_FAIL, sentence);
}
