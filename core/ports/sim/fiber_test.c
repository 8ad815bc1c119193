/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/ports/sim/fiber.h"

#define STACK_SIZE (64 * 1024)

static uint8_t stacks[2][STACK_SIZE] __attribute__((aligned(16)));
static struct fiber host;
static struct fiber fibers[2];
static char events[64];

static void note(char c)
{
	events[strlen(events)] = c;
}

static void start(unsigned int nr, void (*entry)(void *arg), void *arg)
{
	fiber_make(&fibers[nr], stacks[nr], STACK_SIZE, entry, arg);
}

static void say_argument(void *arg)
{
	note(*(char *)arg);
	fiber_switch(&fibers[0], &host, 1);
}

Test(fiber, runs_its_entry_with_its_argument)
{
	char c = 'x';

	start(0, say_argument, &c);
	cr_expect_str_eq(events, "", "not before it is switched to");
	fiber_switch(&host, &fibers[0], 0);
	cr_expect_str_eq(events, "x");
}

static void ping(void *arg)
{
	(void)arg;
	for (int c = 'a'; c < 'd'; c++) {
		note((char)c);
		fiber_switch(&fibers[0], &fibers[1], 0);
	}
	fiber_switch(&fibers[0], &host, 1);
}

static void pong(void *arg)
{
	(void)arg;
	for (char c = '1';; c++) {
		note(c);
		fiber_switch(&fibers[1], &fibers[0], 0);
	}
}

Test(fiber, each_goes_on_where_it_stopped)
{
	start(0, ping, NULL);
	start(1, pong, NULL);
	fiber_switch(&host, &fibers[0], 0);
	cr_expect_str_eq(events, "a1b2c3");
}

Test(fiber, a_stack_can_be_used_again)
{
	char c[] = "abc";

	for (unsigned int i = 0; i < 3; i++) {
		start(0, say_argument, &c[i]);
		fiber_switch(&host, &fibers[0], 0);
	}
	cr_expect_str_eq(events, "abc");
}

/* A fiber that never ends may be forgotten in the middle, too. */
Test(fiber, a_stack_can_be_taken_away)
{
	char c = 'z';

	start(0, ping, NULL);
	start(1, pong, NULL);
	fiber_switch(&host, &fibers[0], 0);
	memset(events, 0, sizeof(events));
	start(1, say_argument, &c);
	fibers[0] = fibers[1];
	fiber_switch(&host, &fibers[0], 0);
	cr_expect_str_eq(events, "z");
}

static uintptr_t address_in_fiber;

/* What the ABI promises at a call: movaps faults on a stack that is not so. */
static void look_at_stack(void *arg)
{
	_Alignas(16) volatile uint8_t aligned[16];

	(void)arg;
	aligned[0] = 1;
	address_in_fiber = (uintptr_t)&aligned[0];
	fiber_switch(&fibers[0], &host, 1);
}

Test(fiber, its_stack_is_its_own_and_aligned)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);

	start(0, look_at_stack, NULL);
	fiber_switch(&host, &fibers[0], 0);
	cr_expect_eq(address_in_fiber % 16, 0);
#if !__has_feature(address_sanitizer) /* it has stacks of its own */
	cr_expect_geq(address_in_fiber, (uintptr_t)stacks[0]);
	cr_expect_lt(address_in_fiber, (uintptr_t)stacks[0] + STACK_SIZE);
#endif
	cr_expect_eq((uintptr_t)__builtin_frame_address(0), frame);
}

/* Fills the registers that a callee must keep, and so must a switch. */
static void spoil_registers(void *arg)
{
	(void)arg;
	for (;;) {
#if defined(__i386__)
		__asm__ volatile("movl $-1, %%ebx\n\t"
				 "movl $-1, %%esi\n\t"
				 "movl $-1, %%edi\n\t" ::
					 : "ebx", "esi", "edi");
#else
		__asm__ volatile("movq $-1, %%rbx\n\t"
				 "movq $-1, %%r12\n\t"
				 "movq $-1, %%r13\n\t"
				 "movq $-1, %%r14\n\t"
				 "movq $-1, %%r15\n\t" ::
					 : "rbx", "r12", "r13", "r14", "r15");
#endif
		fiber_switch(&fibers[0], &host, 0);
	}
}

/* More values live across the switch than fit anywhere but in registers. */
Test(fiber, registers_survive_a_switch)
{
	volatile uint64_t source = 3;
	uint64_t a = source, b = a * 5, c = b * 7, d = c * 11, e = d * 13;

	start(0, spoil_registers, NULL);
	for (unsigned int i = 0; i < 3; i++) {
		fiber_switch(&host, &fibers[0], 0);
		cr_expect_eq(a + b + c + d + e, 3 + 15 + 105 + 1155 + 15015);
	}
}
