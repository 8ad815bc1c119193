/* SPDX-License-Identifier: MIT */

/* Intel SDM volume 3, chapter 11. */

#include "core/ports/i686/apic.h"

#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"

enum apic_register {
	APIC_ID = 0x20,
	APIC_TASK_PRIORITY = 0x80,
	APIC_EOI = 0xb0,
	APIC_SPURIOUS = 0xf0,
	APIC_COMMAND = 0x300,
	APIC_COMMAND_TO = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_START = 0x380,
	APIC_TIMER_NOW = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
};

#define SPURIOUS_ENABLE (1U << 8)
#define LVT_MASKED (1U << 16)
#define LVT_PERIODIC (1U << 17)
#define DIVIDE_BY_16 0x3

#define COMMAND_NMI 0x400
#define COMMAND_INIT 0x500
#define COMMAND_STARTUP 0x600
#define COMMAND_ASSERT (1U << 14)
#define COMMAND_PENDING (1U << 12)

static volatile uint32_t *registers;
static uint32_t timer_hz;

static uint32_t get(enum apic_register reg)
{
	return registers[reg / sizeof(*registers)];
}

static void set(enum apic_register reg, uint32_t value)
{
	registers[reg / sizeof(*registers)] = value;
}

bool apic_exists(void)
{
	uint32_t eax = 1, ebx, ecx = 0, edx;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return edx >> 9 & 1;
}

bool apic_in_use(void)
{
	return registers != NULL;
}

uint8_t apic_own_id(void)
{
	return (uint8_t)(get(APIC_ID) >> 24);
}

void apic_eoi(void)
{
	set(APIC_EOI, 0);
}

void apic_enable(void)
{
	set(APIC_TASK_PRIORITY, 0);
	set(APIC_LVT_TIMER, LVT_MASKED);
	set(APIC_LVT_LINT0, LVT_MASKED);
	set(APIC_LVT_LINT1, LVT_MASKED);
	set(APIC_LVT_ERROR, LVT_MASKED);
	set(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
	set(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_APIC_SPURIOUS);
}

/* ---- The timer ------------------------------------------------------------- */

#define PIT_HZ 1193182U
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_ONE_SHOT_CHANNEL2 0xb0 /* low byte, high byte, mode 0 */
#define PORT_B 0x61
#define PORT_B_GATE2 0x01
#define PORT_B_SPEAKER 0x02
#define PORT_B_OUT2 0x20

void pit_wait(unsigned int microseconds)
{
	uint32_t count = PIT_HZ / 1000 * microseconds / 1000 + 1;
	uint8_t off = inb(PORT_B) & (uint8_t)~(PORT_B_GATE2 | PORT_B_SPEAKER);

	outb(PORT_B, off | PORT_B_GATE2);
	outb(PIT_COMMAND, PIT_ONE_SHOT_CHANNEL2);
	outb(PIT_CHANNEL2, (uint8_t)count);
	outb(PIT_CHANNEL2, (uint8_t)(count >> 8));
	while (!(inb(PORT_B) & PORT_B_OUT2))
		;
	outb(PORT_B, off);
}

#define MEASURE_MICROSECONDS 2000
#define MEASURE_TIMES 3

/* Whoever takes the CPU away from us makes it longer, never shorter. */
static uint32_t measure(void)
{
	uint32_t least = UINT32_MAX;

	for (int i = 0; i < MEASURE_TIMES; i++) {
		uint32_t passed;

		set(APIC_TIMER_START, UINT32_MAX);
		pit_wait(MEASURE_MICROSECONDS);
		passed = UINT32_MAX - get(APIC_TIMER_NOW);
		if (passed < least)
			least = passed;
	}
	set(APIC_TIMER_START, 0);
	return least * (1000000U / MEASURE_MICROSECONDS);
}

void apic_init(uint32_t phys)
{
	registers = paging_map_device(phys);
	apic_enable();
	timer_hz = measure();
}

void apic_timer(unsigned int hz)
{
	set(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR_APIC_TIMER);
	set(APIC_TIMER_START, timer_hz / hz);
}

/* ---- To other CPUs ---------------------------------------------------------- */

static void command(uint8_t apic_id, uint32_t what)
{
	while (get(APIC_COMMAND) & COMMAND_PENDING)
		cpu_pause();
	set(APIC_COMMAND_TO, (uint32_t)apic_id << 24);
	set(APIC_COMMAND, what);
}

void apic_send(uint8_t apic_id, uint8_t vector)
{
	command(apic_id, COMMAND_ASSERT | vector);
}

void apic_send_nmi(uint8_t apic_id)
{
	command(apic_id, COMMAND_ASSERT | COMMAND_NMI);
}

void apic_send_init(uint8_t apic_id)
{
	command(apic_id, COMMAND_ASSERT | COMMAND_INIT);
}

void apic_send_startup(uint8_t apic_id, uint8_t page)
{
	command(apic_id, COMMAND_ASSERT | COMMAND_STARTUP | page);
}
