/* SPDX-License-Identifier: MIT */
#include "core/ports/sim/fiber.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#if __has_feature(memory_sanitizer)
#define FIBER_MSAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#endif

#ifdef FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#ifdef FIBER_MSAN
#include <sanitizer/msan_interface.h>
#endif

/* Saves the registers that a callee must keep, swaps stacks, restores. */
void fiber_swap(void **save_sp, void *load_sp);
void fiber_start(void);

/* What fiber_swap() takes from the stack of a fiber that has not run yet. */
#if defined(__x86_64__)
struct first_frame {
	void *r15;
	void *r14;
	void *arg;		  /* r13 */
	void (*entry)(void *arg); /* r12 */
	void *rbx;
	void *rbp;
	void (*start)(void);
	void *no_caller[2]; /* 16 bytes: keeps the stack aligned */
};

__asm__(".text\n"
	".globl fiber_swap\n"
	".type fiber_swap, @function\n"
	"fiber_swap:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size fiber_swap, . - fiber_swap\n"
	/* A new fiber's first return lands here: r12 entry, r13 argument. */
	".globl fiber_start\n"
	".type fiber_start, @function\n"
	"fiber_start:\n"
	"	movq %r13, %rdi\n"
	"	movq %r12, %rsi\n"
	"	xorl %ebp, %ebp\n"
	"	call fiber_enter\n"
	"	ud2\n"
	".size fiber_start, . - fiber_start\n"
	/* rdi function, esi argument. Odd pushes keep the stack aligned. */
	".globl fiber_with_registers\n"
	".type fiber_with_registers, @function\n"
	"fiber_with_registers:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	subq $8, %rsp\n"
	"	movq %rdi, %rax\n"
	"	movl %esi, %edi\n"
	"	leaq 8(%rsp), %rsi\n"
	"	call *%rax\n"
	"	addq $8, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size fiber_with_registers, . - fiber_with_registers\n");
#elif defined(__i386__)
struct first_frame {
	void *arg;		  /* edi */
	void (*entry)(void *arg); /* esi */
	void *ebx;
	void *ebp;
	void (*start)(void);
	void *no_caller[4]; /* 16 bytes: keeps the stack aligned */
};

__asm__(".text\n"
	".globl fiber_swap\n"
	".type fiber_swap, @function\n"
	"fiber_swap:\n"
	"	movl 4(%esp), %eax\n"
	"	movl 8(%esp), %edx\n"
	"	pushl %ebp\n"
	"	pushl %ebx\n"
	"	pushl %esi\n"
	"	pushl %edi\n"
	"	movl %esp, (%eax)\n"
	"	movl %edx, %esp\n"
	"	popl %edi\n"
	"	popl %esi\n"
	"	popl %ebx\n"
	"	popl %ebp\n"
	"	ret\n"
	".size fiber_swap, . - fiber_swap\n"
	/* A new fiber's first return lands here: esi entry, edi argument. */
	".globl fiber_start\n"
	".type fiber_start, @function\n"
	"fiber_start:\n"
	"	subl $8, %esp\n"
	"	pushl %esi\n"
	"	pushl %edi\n"
	"	xorl %ebp, %ebp\n"
	"	call fiber_enter\n"
	"	ud2\n"
	".size fiber_start, . - fiber_start\n"
	/* 12 bytes below the four registers: two arguments, and alignment. */
	".globl fiber_with_registers\n"
	".type fiber_with_registers, @function\n"
	"fiber_with_registers:\n"
	"	movl 4(%esp), %eax\n"
	"	movl 8(%esp), %ecx\n"
	"	pushl %ebp\n"
	"	pushl %ebx\n"
	"	pushl %esi\n"
	"	pushl %edi\n"
	"	movl %esp, %edx\n"
	"	subl $4, %esp\n"
	"	pushl %edx\n"
	"	pushl %ecx\n"
	"	call *%eax\n"
	"	addl $12, %esp\n"
	"	popl %edi\n"
	"	popl %esi\n"
	"	popl %ebx\n"
	"	popl %ebp\n"
	"	ret\n"
	".size fiber_with_registers, . - fiber_with_registers\n");
#else
#error "the simulated machine's fibers are written for x86-64 and i386 hosts"
#endif

/* The fiber that is being left, for the one that arrives. */
static struct fiber *leaving;

static void arrive(struct fiber *self)
{
#ifdef FIBER_ASAN
	__sanitizer_finish_switch_fiber(self->asan_fake_stack, &leaving->stack,
					&leaving->stack_size);
#else
	(void)self;
#endif
#ifdef FIBER_MSAN
	__msan_finish_switch_fiber(&leaving->stack, &leaving->stack_size);
#endif
}

void fiber_enter(void *arg, void (*entry)(void *arg));

void fiber_enter(void *arg, void (*entry)(void *arg))
{
	struct fiber fresh = { .asan_fake_stack = NULL };

#ifdef FIBER_MSAN
	/* The caller is assembler, which says nothing of its arguments. */
	__msan_unpoison(&arg, sizeof(arg));
	__msan_unpoison(&entry, sizeof(entry));
#endif
	arrive(&fresh);
	entry(arg);
	__builtin_trap();
}

/* What an earlier fiber left is neither out of bounds nor uninitialised. */
static void forget(void *stack, size_t stack_size)
{
#if defined(FIBER_ASAN)
	__asan_unpoison_memory_region(stack, stack_size);
#elif defined(FIBER_MSAN)
	__msan_unpoison(stack, stack_size);
#else
	(void)stack;
	(void)stack_size;
#endif
}

/* No frame leaves as much as that of a stack untouched. */
#define CLEAN_PIECE 1024

static bool is_clean(const char *piece)
{
	uint64_t any = 0;
	uint64_t word;

	for (unsigned int i = 0; i < CLEAN_PIECE; i += sizeof(word)) {
		__builtin_memcpy(&word, piece + i, sizeof(word));
		any |= word;
	}
	return any == 0;
}

/* A stack begins as zeroes and is used from its top: clean what was used. */
void fiber_clean(void *stack, size_t stack_size, size_t bytes)
{
	char *piece = (char *)stack + stack_size - CLEAN_PIECE;
	const char *last = (char *)stack + stack_size - bytes;

	forget(stack, stack_size);
	for (; piece >= last && !is_clean(piece); piece -= CLEAN_PIECE)
		memset(piece, 0, CLEAN_PIECE);
}

void fiber_make(struct fiber *fiber, void *stack, size_t stack_size,
		void (*entry)(void *arg), void *arg)
{
	uintptr_t top = ((uintptr_t)stack + stack_size) & ~(uintptr_t)15;
	struct first_frame *frame = (struct first_frame *)top - 1;

	forget(stack, stack_size);
	*frame = (struct first_frame){
		.arg = arg,
		.entry = entry,
		.start = fiber_start,
	};
	fiber->sp = frame;
	fiber->asan_fake_stack = NULL;
	fiber->stack = stack;
	fiber->stack_size = stack_size;
}

void fiber_switch(struct fiber *from, struct fiber *to, int last)
{
	leaving = from;
#ifdef FIBER_ASAN
	__sanitizer_start_switch_fiber(last ? NULL : &from->asan_fake_stack,
				       to->stack, to->stack_size);
#else
	(void)last;
#endif
#ifdef FIBER_MSAN
	__msan_start_switch_fiber(to->stack, to->stack_size);
#endif
	fiber_swap(&from->sp, to->sp);
	arrive(from);
}
