/* SPDX-License-Identifier: MIT */

#include "stress/kernel/break.h"

#include "core/port/machine.h"
#include "core/ports/i686/i686.h"
#include "stress/kernel/world.h"

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

/* One task on the last CPU, while the others have nothing to do. */
static const char *on_last_cpu(void (*entry)(void *arg))
{
	unsigned int nr = i686_nr_cpus();

	world_boot_on(nr, 2);
	machine_spawn(nr - 1, entry, NULL);
	return world_run();
}

static void lock_up(void *unused)
{
	(void)unused;
	i686_note("interrupts off, for good", 0, 0);
	port_irq_save();
	for (;;)
		__asm__ volatile("");
}

/* Interrupts off on one CPU: the watchdog of another sees it. */
static const char *break_lockup(void)
{
	i686_watchdog(2);
	return on_last_cpu(lock_up);
}

static void write_nowhere(void *unused)
{
	(void)unused;
	break_fault();
}

/* A page fault on a CPU that did not boot the machine. */
static const char *break_elsewhere(void)
{
	return on_last_cpu(write_nowhere);
}

/* A lock that its own CPU waits for. */
static const char *break_twice(void)
{
	static port_spinlock_t lock;

	port_spin_lock(&lock);
	port_spin_lock(&lock);
	return NULL;
}

static void wait_for_itself(void *unused)
{
	(void)unused;
	for (unsigned int nr = 0; nr < 3; nr++)
		kmap(world_hm(), world_page(nr));
}

/* A task that holds both slots waits for a third. */
static const char *break_asleep(void)
{
	world_boot(2);
	machine_spawn(0, wait_for_itself, NULL);
	port_bug("it was reported, and nobody asked");
	return world_run();
}

static const struct conformance_case kinds[] = {
	{ "fail", break_fail },		  { "bug", break_bug },
	{ "fault", break_fault },	  { "text", break_text },
	{ "overflow", break_overflow },	  { "hang", break_hang },
	{ "stall", break_stall },	  { "cut", break_cut },
	{ "reset", break_reset },	  { "lockup", break_lockup },
	{ "elsewhere", break_elsewhere }, { "twice", break_twice },
	{ "asleep", break_asleep },
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
