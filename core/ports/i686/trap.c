/* SPDX-License-Identifier: MIT */

/* Descriptor tables, the interrupt controller, and what a trap does. */

#include <highmem/format.h>

#include "core/ports/i686/console.h"
#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"
#include "core/testing/machine.h"

/* ---- Descriptor tables ---------------------------------------------------- */

enum selector {
	SEL_CODE = 0x08,
	SEL_DATA = 0x10,
	SEL_TSS = 0x18,
	SEL_FAULT_TSS = 0x20,
	NR_SEGMENTS = 5,
};

#define GATE_INTERRUPT 0x8e /* clears IF and TF */
#define GATE_TASK 0x85
#define SEGMENT_TSS 0x89

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

static uint64_t gdt[NR_SEGMENTS] = {
	[SEL_CODE / 8] = 0x00cf9a000000ffff, /* 4 GiB, ring 0 */
	[SEL_DATA / 8] = 0x00cf92000000ffff,
};
static uint64_t idt[I686_NR_VECTORS];

/* The CPU saves the state of the faulting code in the first one. */
static struct tss tss, fault_tss;
static unsigned char fault_stack[4096];

extern char i686_vectors[]; /* entry.S, 16 bytes each */

static uint64_t tss_descriptor(const struct tss *segment)
{
	uint64_t base = (vaddr_t)segment;

	return (sizeof(*segment) - 1) | (base & 0xffffff) << 16 |
	       (uint64_t)SEGMENT_TSS << 40 | (base >> 24) << 56;
}

static uint64_t gate(uint16_t selector, uint32_t target, uint8_t type)
{
	return (target & 0xffff) | (uint64_t)selector << 16 |
	       (uint64_t)type << 40 | (uint64_t)(target >> 16) << 48;
}

/* Never returns, so it does not matter that this is a task of its own. */
static _Noreturn void double_fault(void)
{
	struct trap_frame frame = {
		.edi = tss.edi,
		.esi = tss.esi,
		.ebp = tss.ebp,
		.ebx = tss.ebx,
		.edx = tss.edx,
		.ecx = tss.ecx,
		.eax = tss.eax,
		.esp_at_pusha = tss.esp,
		.vector = VECTOR_DOUBLE_FAULT,
		.eip = tss.eip,
		.cs = tss.cs,
		.eflags = tss.eflags,
	};

	/* The first push below the stack is the end of it, for CR2 or ESP. */
	trap_die(&frame, I686_EXIT_FAIL,
		 paging_is_guard(read_cr2()) || paging_is_guard(tss.esp - 4)
			 ? "stack overflow"
			 : "double fault");
}

static void load_tables(void)
{
	struct table_register gdtr = { sizeof(gdt) - 1, (uint32_t)gdt };
	struct table_register idtr = { sizeof(idt) - 1, (uint32_t)idt };

	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	__asm__ volatile("ljmp %0, $1f\n1:\n\t"
			 "movl %1, %%ds; movl %1, %%es; movl %1, %%fs\n\t"
			 "movl %1, %%gs; movl %1, %%ss"
			 :
			 : "i"(SEL_CODE), "r"((uint32_t)SEL_DATA)
			 : "memory");
	__asm__ volatile("lidt %0" : : "m"(idtr));
	__asm__ volatile("ltr %w0" : : "r"((uint32_t)SEL_TSS));
}

static void tables_init(void)
{
	fault_tss = (struct tss){
		.cr3 = read_cr3(),
		.eip = (uint32_t)double_fault,
		.eflags = 2,
		.esp = (uint32_t)fault_stack + sizeof(fault_stack) - 16,
		.cs = SEL_CODE,
		.ss = SEL_DATA,
		.ds = SEL_DATA,
		.es = SEL_DATA,
		.fs = SEL_DATA,
		.gs = SEL_DATA,
		.iomap = sizeof(struct tss) << 16,
	};
	gdt[SEL_TSS / 8] = tss_descriptor(&tss);
	gdt[SEL_FAULT_TSS / 8] = tss_descriptor(&fault_tss);
	for (uint32_t i = 0; i < I686_NR_VECTORS; i++)
		idt[i] = gate(SEL_CODE, (uint32_t)i686_vectors + 16 * i,
			      GATE_INTERRUPT);
	idt[VECTOR_DOUBLE_FAULT] = gate(SEL_FAULT_TSS, 0, GATE_TASK);
	load_tables();
}

/* The task gate loads CR3 from here, so it has to follow paging_init(). */
void trap_set_cr3(uint32_t cr3)
{
	fault_tss.cr3 = cr3;
}

/* ---- Interrupt controller -------------------------------------------------- */

enum {
	PIC_MASTER = 0x20,
	PIC_SLAVE = 0xa0,
	PIC_EOI = 0x20,
};

/* Vectors 32 to 47, all masked but the clock's. */
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

void trap_init(void)
{
	tables_init();
	pic_init();
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

static const char *activity;

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

void trap_die(const struct trap_frame *frame, enum i686_exit code,
	      const char *sentence)
{
	console_printf("# eip %x eflags %x cr2 %x cr3 %x error %x\n",
		       frame->eip, frame->eflags, read_cr2(), read_cr3(),
		       frame->error);
	console_printf("# eax %x ebx %x ecx %x edx %x\n", frame->eax,
		       frame->ebx, frame->ecx, frame->edx);
	console_printf("# esi %x edi %x ebp %x\n", frame->esi, frame->edi,
		       frame->ebp);
	console_printf("# task %u, in %u interrupts, while running %s\n",
		       port_task_id(port_task_current()),
		       i686_this_cpu()->irq_depth,
		       activity ? activity : "nothing");
	print_backtrace(frame);
	console_printf("Bail out! %s\n", sentence);
	i686_exit(code);
}

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

	if (frame->eip != (uint32_t)i686_probe_load_insn &&
	    frame->eip != (uint32_t)i686_probe_store_insn)
		return false;
	frame->eip = (uint32_t)i686_probe_failed;
	return true;
}

/* ---- Dispatch ---------------------------------------------------------------- */

static void interrupt(const struct trap_frame *frame)
{
	struct i686_cpu *cpu = i686_this_cpu();

	cpu->irq_depth++;
	if (frame->vector == VECTOR_TIMER) {
		outb(PIC_MASTER, PIC_EOI);
		timer_interrupt(frame);
	} else {
		/* machine_interrupt() passes them in registers. */
		((void (*)(void *))frame->eax)((void *)frame->edx);
	}
	cpu->irq_depth--;
}

/* Interrupts are off: every gate clears IF. */
void i686_trap(struct trap_frame *frame)
{
	switch (frame->vector) {
	case VECTOR_TIMER:
	case VECTOR_SOFT:
		interrupt(frame);
		break;
	case VECTOR_SPURIOUS:
		return;
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
	if (i686_this_cpu()->need_resched && (frame->eflags & I686_EFLAGS_IF))
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
