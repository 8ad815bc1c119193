/* SPDX-License-Identifier: MIT */

#include "stress/kernel/break.h"

#include "core/ports/i686/i686.h"
#include "core/testing/machine.h"

/* A case that fails. */
static const char *break_fail(void)
{
	return "it was asked to fail";
}

/* A report that nobody takes. */
static const char *break_bug(void)
{
	port_bug("a report that nobody expects");
	return NULL;
}

/* A write where nothing is mapped. */
static const char *break_fault(void)
{
	*(volatile uint32_t *)(vaddr_t)0x123 = 1;
	return NULL;
}

/* A write to the kernel's own code. */
static const char *break_text(void)
{
	*(volatile uint32_t *)(vaddr_t)break_fail = 1;
	return NULL;
}

static unsigned int use_stack(volatile unsigned int *above)
{
	volatile unsigned int here[64];

	here[0] = *above + 1;
	return here[0] ? use_stack(here) + here[0] : 0;
}

static const char *break_overflow(void)
{
	volatile unsigned int bottom = 0;

	use_stack(&bottom);
	return NULL;
}

/* Nothing but the host can see this one. */
static const char *break_hang(void)
{
	port_irq_save();
	for (;;)
		__asm__ volatile("");
}

/* A loop with interrupts on: the watchdog sees it. */
static const char *break_stall(void)
{
	i686_watchdog(1);
	for (;;)
		__asm__ volatile("");
}

/* The end of the log is missing, though QEMU's status says: passed. */
static const char *break_cut(void)
{
	i686_exit(I686_EXIT_PASS);
}

/* No descriptor table: the next trap resets the PC. */
static const char *break_reset(void)
{
	static const struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) empty;

	__asm__ volatile("lidt %0; int3" : : "m"(empty));
	return NULL;
}

static const struct conformance_case kinds[] = {
	{ "fail", break_fail },		{ "bug", break_bug },
	{ "fault", break_fault },	{ "text", break_text },
	{ "overflow", break_overflow }, { "hang", break_hang },
	{ "stall", break_stall },	{ "cut", break_cut },
	{ "reset", break_reset },
};

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

const struct conformance_case *break_case(const char *kind)
{
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (same(kinds[i].name, kind))
			return &kinds[i];
	return NULL;
}
