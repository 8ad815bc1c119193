/* SPDX-License-Identifier: MIT */

/* The rest of the contract: facts, flushes, reports; and the way out. */

#include <highmem/format.h>

#include "core/ports/i686/console.h"
#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"
#include "core/testing/machine.h"

#define DEBUG_EXIT_PORT 0xf4

const struct port_facts *port_facts(void)
{
	static const struct port_facts facts = {
		.name = "i686",
		.pae = false,
		.cpu_mask = 1,
		.tlb_flush_ceiling = 32,
	};

	return &facts;
}

/* The owner would have to run on this CPU, and cannot. */
void i686_spin_contended(port_spinlock_t *lock)
{
	i686_panic("spin lock %x taken twice on one CPU: deadlock",
		   (uint32_t)lock);
}

/* ---- TLB -------------------------------------------------------------------- */

static struct machine_tlb_stats flushed;
static struct i686_counts counts;

struct i686_counts tlb_counts(void)
{
	return counts;
}

struct machine_tlb_stats tlb_stats(void)
{
	return flushed;
}

void tlb_stats_reset(void)
{
	flushed = (struct machine_tlb_stats){ 0 };
}

void port_tlb_flush_local_page(vaddr_t vaddr)
{
	i686_invlpg(vaddr);
	/* Not a plain ++: an interrupt flushes, too. */
	__asm__ volatile("incl %0" : "+m"(flushed.local_pages) : : "cc");
	__asm__ volatile("incl %0" : "+m"(counts.invlpgs) : : "cc");
}

/* With more CPUs the caller would wait here for their answers. */
static void check_shootdown_context(void)
{
	if (i686_this_cpu()->irq_depth || !(i686_eflags() & I686_EFLAGS_IF))
		port_bug("shootdown in an interrupt or with interrupts off");
}

void port_tlb_shootdown_pages(const vaddr_t *pages, unsigned int nr)
{
	check_shootdown_context();
	for (unsigned int i = 0; i < nr; i++)
		i686_invlpg(pages[i]);
	flushed.shootdowns++;
	flushed.shootdown_pages += nr;
	__asm__ volatile("addl %1, %0" : "+m"(counts.invlpgs) : "r"(nr) : "cc");
}

void port_tlb_shootdown_all(void)
{
	check_shootdown_context();
	write_cr3(read_cr3());
	flushed.shootdowns++;
	flushed.full++;
	counts.full_flushes++;
}

/* ---- Reports ---------------------------------------------------------------- */

#define MAX_BUGS 16
#define BUG_BYTES 192

/* Oldest first, from @first on; what comes when it is full is lost. */
static struct {
	char sentence[MAX_BUGS][BUG_BYTES];
	unsigned int first;
	unsigned int nr;
	char taken[BUG_BYTES];
} bugs;

void port_bug(const char *sentence)
{
	port_irq_t flags = port_irq_save();

	if (bugs.nr < MAX_BUGS) {
		unsigned int i = (bugs.first + bugs.nr) % MAX_BUGS;

		hm_format(bugs.sentence[i], BUG_BYTES, "%s", sentence);
		bugs.nr++;
	}
	port_irq_restore(flags);
}

const char *machine_take_bug(void)
{
	port_irq_t flags = port_irq_save();
	bool any = bugs.nr != 0;

	if (any) {
		hm_format(bugs.taken, BUG_BYTES, "%s",
			  bugs.sentence[bugs.first]);
		bugs.first = (bugs.first + 1) % MAX_BUGS;
		bugs.nr--;
	}
	port_irq_restore(flags);
	return any ? bugs.taken : NULL;
}

static unsigned int unexpected_bugs;

void drop_bugs(void)
{
	const char *bug;

	while ((bug = machine_take_bug())) {
		console_printf("# unexpected: %s\n", bug);
		unexpected_bugs++;
	}
}

unsigned int i686_unexpected_bugs(void)
{
	unsigned int nr;

	drop_bugs();
	nr = unexpected_bugs;
	unexpected_bugs = 0;
	return nr;
}

/* ---- The end ------------------------------------------------------------------ */

void i686_exit(enum i686_exit code)
{
	console_drain();
	outl(DEBUG_EXIT_PORT, code);
	/* There was no such device. */
	for (;;)
		__asm__ volatile("cli; hlt");
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
