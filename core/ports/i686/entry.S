/* SPDX-License-Identifier: MIT */

/* Ways in from a trap, across to another task, and past a page fault. */

/*
 * Every vector pushes an error code (the CPU does for some) and its number,
 * and meets the others at trap_common with the stack of struct trap_frame.
 */
	.text
	.balign 16
	.globl	i686_vectors
i686_vectors:
	.set	nr, 0
	.rept	64
	.balign 16
	.if	!(nr == 8 || (nr >= 10 && nr <= 14) || nr == 17)
	pushl	$0
	.endif
	pushl	$nr
	jmp	trap_common
	.set	nr, nr + 1
	.endr

trap_common:
	pushal
	cld
	movl	%esp, %eax
	pushl	%eax
	call	i686_trap
	addl	$4, %esp
	popal
	addl	$8, %esp
	iretl

/*
 * void i686_switch(uint32_t *save_esp, uint32_t load_esp)
 *
 * The flags are the task's, too: a task that is stepped waits while others
 * run without stops.
 */
	.globl	i686_switch
	.type	i686_switch, @function
i686_switch:
	movl	4(%esp), %eax
	movl	8(%esp), %edx
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	pushfl
	movl	%esp, (%eax)
	movl	%edx, %esp
	popfl
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	ret
	.size	i686_switch, . - i686_switch

/*
 * void i686_call_with_flags(void (*body)(void *arg), void *arg,
 *			     uint32_t flags, uint32_t flags_after)
 *
 * In assembly, so that step.c knows what is the body's and what is not.
 */
	.globl	i686_call_with_flags, i686_call_with_flags_end
	.type	i686_call_with_flags, @function
i686_call_with_flags:
	pushl	%ebp
	movl	%esp, %ebp
	pushl	12(%ebp)
	pushl	16(%ebp)
	popfl
	call	*8(%ebp)
	pushl	20(%ebp)
	popfl
	leave
	ret
i686_call_with_flags_end:
	.size	i686_call_with_flags, . - i686_call_with_flags

/*
 * bool i686_probe_load(const void *vaddr, uint32_t *value)
 * bool i686_probe_store(void *vaddr, uint32_t value)
 *
 * bool i686_probe_call(const void *vaddr)
 *
 * One access. A page fault at one of the two labels goes on at
 * i686_probe_failed, which returns false; one at the called address, which
 * then has been pushed upon this function's stack, at i686_probe_call_failed.
 */
	.globl	i686_probe_load, i686_probe_load_insn
	.type	i686_probe_load, @function
i686_probe_load:
	movl	4(%esp), %ecx
	movl	8(%esp), %edx
i686_probe_load_insn:
	movl	(%ecx), %eax
	movl	%eax, (%edx)
	movl	$1, %eax
	ret
	.size	i686_probe_load, . - i686_probe_load

	.globl	i686_probe_store, i686_probe_store_insn
	.type	i686_probe_store, @function
i686_probe_store:
	movl	4(%esp), %ecx
	movl	8(%esp), %edx
i686_probe_store_insn:
	movl	%edx, (%ecx)
	movl	$1, %eax
	ret
	.size	i686_probe_store, . - i686_probe_store

	.globl	i686_probe_call, i686_probe_called, i686_probe_call_failed
	.type	i686_probe_call, @function
i686_probe_call:
	movl	4(%esp), %ecx
	call	*%ecx
i686_probe_called:
	movl	$1, %eax
	ret
i686_probe_call_failed:
	addl	$4, %esp
	xorl	%eax, %eax
	ret
	.size	i686_probe_call, . - i686_probe_call

	.globl	i686_probe_failed
i686_probe_failed:
	xorl	%eax, %eax
	ret

	.section .note.GNU-stack, "", @progbits
