/* SPDX-License-Identifier: MIT */

/* Descriptor tables, the interrupt controller, and what a trap does. */

#include <highmem/format.h>

#include "core/port/machine.h"
#include "core/ports/i686/apic.h"
#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"
#include "core/ports/i686/smp.h"

/* ---- Descriptor tables ---------------------------------------------------- */

enum selector {
	SEL_CODE = 0x08,
	SEL_DATA = 0x10,
	SEL_TSS = 0x18,
	SEL_FAULT_TSS = 0x20,
	SEL_CPU = 0x28, /* struct i686_cpu, in %fs */
	NR_SEGMENTS = 6,
};

#define GATE_INTERRUPT 0x8e /* clears IF and TF */
#define GATE_TASK 0x85
#define SEGMENT_TSS 0x89
#define SEGMENT_DATA 0x92

/* A task state segment; only the double fault switches to one. */
struct tss {
	uint32_t link;
	uint32_t stack[6];
	uint32_t cr3, eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs;
	uint32_t ldt;
	uint32_t iomap;
};

struct table_register {
	uint16_t limit;
	uint32_t base;
} __attribute__((packed));

static uint64_t idt[I686_NR_VECTORS];

/* What each CPU has for itself. */
static struct tables {
	uint64_t gdt[NR_SEGMENTS];
	/* The CPU saves the state of the faulting code in the first one. */
	struct tss tss, fault_tss;
	unsigned char fault_stack[4096];
} all_tables[HIGHMEM_MAX_CPUS];

extern char i686_vectors[]; /* entry.S, 16 bytes each */

static uint64_t descriptor(const void *segment, size_t size, uint8_t type)
{
	uint64_t base = (vaddr_t)segment;

	return (size - 1) | (base & 0xffffff) << 16 | (uint64_t)type << 40 |
	       (base >> 24) << 56;
}

static uint64_t gate(uint16_t selector, uint32_t target, uint8_t type)
{
	return (target & 0xffff) | (uint64_t)selector << 16 |
	       (uint64_t)type << 40 | (uint64_t)(target >> 16) << 48;
}

/* Never returns, so it does not matter that this is a task of its own. */
static _Noreturn void double_fault(void)
{
	const struct tss *tss = &all_tables[port_cpu_id()].tss;
	struct trap_frame frame = {
		.edi = tss->edi,
		.esi = tss->esi,
		.ebp = tss->ebp,
		.ebx = tss->ebx,
		.edx = tss->edx,
		.ecx = tss->ecx,
		.eax = tss->eax,
		.esp_at_pusha = tss->esp,
		.vector = VECTOR_DOUBLE_FAULT,
		.eip = tss->eip,
		.cs = tss->cs,
		.eflags = tss->eflags,
	};

	/* The first push below the stack is the end of it, for CR2 or ESP. */
	trap_die(&frame, I686_EXIT_FAIL,
		 paging_is_guard(read_cr2()) || paging_is_guard(tss->esp - 4)
			 ? "stack overflow"
			 : "double fault");
}

static void load_tables(struct tables *tables)
{
	struct table_register gdtr = { sizeof(tables->gdt) - 1,
				       (uint32_t)tables->gdt };
	struct table_register idtr = { sizeof(idt) - 1, (uint32_t)idt };

	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	__asm__ volatile("ljmp %0, $1f\n1:\n\t"
			 "movl %1, %%ds; movl %1, %%es; movl %1, %%gs\n\t"
			 "movl %1, %%ss; movl %2, %%fs"
			 :
			 : "i"(SEL_CODE), "r"((uint32_t)SEL_DATA),
			   "r"((uint32_t)SEL_CPU)
			 : "memory");
	__asm__ volatile("lidt %0" : : "m"(idtr));
	__asm__ volatile("ltr %w0" : : "r"((uint32_t)SEL_TSS));
}

static void fill_tables(struct tables *tables, struct i686_cpu *cpu)
{
	tables->fault_tss = (struct tss){
		.cr3 = read_cr3(),
		.eip = (uint32_t)double_fault,
		.eflags = 2,
		.esp = (uint32_t)tables->fault_stack +
		       sizeof(tables->fault_stack) - 16,
		.cs = SEL_CODE,
		.ss = SEL_DATA,
		.ds = SEL_DATA,
		.es = SEL_DATA,
		.fs = SEL_CPU,
		.gs = SEL_DATA,
		.iomap = sizeof(struct tss) << 16,
	};
	tables->gdt[SEL_CODE / 8] = 0x00cf9a000000ffff; /* 4 GiB, ring 0 */
	tables->gdt[SEL_DATA / 8] = 0x00cf92000000ffff;
	tables->gdt[SEL_TSS / 8] = descriptor(&tables->tss, sizeof(tables->tss),
					      SEGMENT_TSS);
	tables->gdt[SEL_FAULT_TSS / 8] = descriptor(
		&tables->fault_tss, sizeof(tables->fault_tss), SEGMENT_TSS);
	tables->gdt[SEL_CPU / 8] = descriptor(cpu, sizeof(*cpu), SEGMENT_DATA) |
				   (uint64_t)1 << 54; /* 32 bits */
}

static void fill_idt(void)
{
	for (uint32_t i = 0; i < I686_NR_VECTORS; i++)
		idt[i] = gate(SEL_CODE, (uint32_t)i686_vectors + 16 * i,
			      GATE_INTERRUPT);
	idt[VECTOR_DOUBLE_FAULT] = gate(SEL_FAULT_TSS, 0, GATE_TASK);
}

/* The task gate loads CR3 from here, so it has to follow paging_activate(). */
void trap_set_cr3(uint32_t cr3)
{
	all_tables[port_cpu_id()].fault_tss.cr3 = cr3;
}

/* ---- Interrupt controller -------------------------------------------------- */

enum {
	PIC_MASTER = 0x20,
	PIC_SLAVE = 0xa0,
	PIC_EOI = 0x20,
};

/*
 * Vectors 32 to 47, all masked but the clock's, and that one, too, where the
 * local APIC has a better clock.
 */
static void pic_init(void)
{
	outb(PIC_MASTER, 0x11);
	outb(PIC_SLAVE, 0x11);
	outb(PIC_MASTER + 1, VECTOR_TIMER);
	outb(PIC_SLAVE + 1, VECTOR_TIMER + 8);
	outb(PIC_MASTER + 1, 1 << 2);
	outb(PIC_SLAVE + 1, 2);
	outb(PIC_MASTER + 1, 0x01);
	outb(PIC_SLAVE + 1, 0x01);
	outb(PIC_MASTER + 1, 0xfe);
	outb(PIC_SLAVE + 1, 0xff);
}

void pic_mask_all(void)
{
	outb(PIC_MASTER + 1, 0xff);
}

void trap_init(unsigned int cpu)
{
	i686_cpus[cpu].self = &i686_cpus[cpu];
	i686_cpus[cpu].id = cpu;
	if (cpu == 0) {
		fill_idt();
		pic_init();
	}
	fill_tables(&all_tables[cpu], &i686_cpus[cpu]);
	load_tables(&all_tables[cpu]);
}

/* ---- Traps ------------------------------------------------------------------ */

static const char *const exception_names[] = {
	"division error",
	"debug trap",
	"non-maskable interrupt",
	"breakpoint",
	"overflow",
	"bound range exceeded",
	"invalid opcode",
	"no FPU",
	"double fault",
	"FPU segment overrun",
	"invalid TSS",
	"segment not present",
	"stack segment fault",
	"general protection fault",
	"page fault",
};

static _Noreturn void die_of_exception(const struct trap_frame *frame)
{
	uint32_t nr = sizeof(exception_names) / sizeof(exception_names[0]);
	char sentence[96];

	if (frame->vector == VECTOR_PAGE_FAULT)
		hm_format(sentence, sizeof(sentence),
			  "page fault: %s at %x, which %s",
			  frame->error & 2 ? "write" : "read", read_cr2(),
			  frame->error & 1 ? "is read-only" : "is not mapped");
	else if (frame->vector < nr)
		hm_format(sentence, sizeof(sentence), "%s at %x",
			  exception_names[frame->vector], frame->eip);
	else
		hm_format(sentence, sizeof(sentence),
			  "unexpected interrupt, vector %u", frame->vector);
	trap_die(frame, I686_EXIT_FAIL, sentence);
}

/* Is it one of the accesses in entry.S that may fault? Then let it fail. */
static bool fix_up_probe(struct trap_frame *frame)
{
	extern char i686_probe_load_insn[], i686_probe_store_insn[];
	extern char i686_probe_failed[];
	extern char i686_probe_called[], i686_probe_call_failed[];
	const uint32_t *stack = (const uint32_t *)(frame + 1);

	if (frame->eip == read_cr2() && *stack == (uint32_t)i686_probe_called) {
		frame->eip = (uint32_t)i686_probe_call_failed;
		return true;
	}
	if (frame->eip != (uint32_t)i686_probe_load_insn &&
	    frame->eip != (uint32_t)i686_probe_store_insn)
		return false;
	frame->eip = (uint32_t)i686_probe_failed;
	return true;
}

/* ---- Dispatch ---------------------------------------------------------------- */

static void acknowledge(uint32_t vector)
{
	if (vector == VECTOR_TIMER)
		outb(PIC_MASTER, PIC_EOI);
	else if (vector != VECTOR_SOFT)
		apic_eoi();
}

static void interrupt(const struct trap_frame *frame)
{
	struct i686_cpu *cpu = i686_this_cpu();

	cpu->irq_depth++;
	acknowledge(frame->vector);
	if (frame->vector == VECTOR_SOFT)
		/* machine_interrupt() passes them in registers. */
		((void (*)(void *))frame->eax)((void *)frame->edx);
	else if (frame->vector == VECTOR_CALL)
		smp_serve();
	else
		timer_interrupt(frame);
	cpu->irq_depth--;
}

/* Interrupts are off: every gate clears IF. */
void i686_trap(struct trap_frame *frame)
{
	switch (frame->vector) {
	case VECTOR_TIMER:
	case VECTOR_APIC_TIMER:
	case VECTOR_CALL:
	case VECTOR_SOFT:
		interrupt(frame);
		break;
	case VECTOR_KICK: /* whoever waited in hlt looks again */
		acknowledge(frame->vector);
		break;
	case VECTOR_SPURIOUS:
	case VECTOR_APIC_SPURIOUS:
		return;
	case VECTOR_NMI:
		smp_stop_here(frame);
		die_of_exception(frame);
	case VECTOR_DEBUG:
		if (!step_trap(frame))
			die_of_exception(frame);
		break;
	case VECTOR_PAGE_FAULT:
		if (!fix_up_probe(frame))
			die_of_exception(frame);
		return;
	default:
		die_of_exception(frame);
	}
	if (i686_cpu_need_resched() && (frame->eflags & I686_EFLAGS_IF))
		sched_preempt();
}

bool machine_interrupt(void (*handler)(void *arg), void *arg)
{
	if (!(i686_eflags() & I686_EFLAGS_IF))
		return false;
	__asm__ volatile("int %0"
			 :
			 : "i"(VECTOR_SOFT), "a"(handler), "d"(arg)
			 : "memory", "cc");
	return true;
}
