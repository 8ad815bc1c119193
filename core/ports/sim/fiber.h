/* SPDX-License-Identifier: MIT */
#ifndef SIM_FIBER_H
#define SIM_FIBER_H

/*
 * Fibers: stacks that one host thread switches between, in about ten
 * instructions (System V, x86-64 and i386). AddressSanitizer and
 * MemorySanitizer are told of every switch.
 */

#include <stddef.h>

struct fiber {
	void *sp; /* where it stopped */
	void *asan_fake_stack;
	const void *stack; /* lowest byte */
	size_t stack_size;
};

/*
 * Make @fiber ready to run @entry(@arg) on @stack when first switched to.
 * @entry must not return. Any earlier fiber on that stack is forgotten.
 */
void fiber_make(struct fiber *fiber, void *stack, size_t stack_size,
		void (*entry)(void *arg), void *arg);

/*
 * Zero the first @bytes that a fiber on @stack will use, whatever an earlier
 * one left there. Before fiber_make(). Every fiber on @stack is to be cleaned:
 * it stops where an earlier one has left 1 KiB of zeroes.
 */
void fiber_clean(void *stack, size_t stack_size, size_t bytes);

/*
 * Stop @from here and go on with @to. @from of the host thread itself needs no
 * fiber_make(). @last: @from will never be switched to again.
 */
void fiber_switch(struct fiber *from, struct fiber *to, int last);

/*
 * Call @function(@arg, sp) with all registers that a callee keeps stored on
 * the stack from sp on, so that [sp, end of stack) is all that this fiber knows.
 */
void fiber_with_registers(void (*function)(int arg, void *sp), int arg);

#endif
