/* SPDX-License-Identifier: MIT */

/*
 * From the multiboot loader (32-bit protected mode, no paging, EAX: magic,
 * EBX: information) to i686_start() in the upper half.
 *
 * The provisional tables map the first 8 MiB twice, with 4 MiB pages: at
 * their own addresses, for the instructions right after paging is on, and at
 * PAGE_OFFSET, where the kernel is linked. They stay: other CPUs come up on
 * them, too (trampoline.S).
 */

#define PAGE_OFFSET	0xc0000000
#define PHYS(symbol)	((symbol) - PAGE_OFFSET)

#define MB_MAGIC	0x1badb002
#define MB_FLAGS	0x00000002	/* we want the memory map */

/* CPUID.01H:EDX: large pages, and the first instruction a Pentium lacks. */
#define CPUID_PSE	0x00000008
#define CPUID_CMOV	0x00008000

#define SERIAL_PORT	0x3f8
#define EXIT_PORT	0xf4		/* port_i686.c */
#define EXIT_UNFIT	0x13		/* i686.h */

#define CR0_PG		0x80000000
#define CR0_WP		0x00010000
#define CR4_PSE		0x00000010
#define CR4_PAE		0x00000020
#define PDE_4M		0x83		/* present, writable, 4 MiB */

#define BOOT_STACK_TOP	0x9000		/* stacks.h: guard page and 32 KiB */

	.section .multiboot, "a"
	.balign 4
	.long	MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

	.data
	.balign 4096
	.globl	i686_provisional_pgd
i686_provisional_pgd:
	.long	0x00000000 | PDE_4M
	.long	0x00400000 | PDE_4M
	.fill	766, 4, 0
	.long	0x00000000 | PDE_4M
	.long	0x00400000 | PDE_4M
	.fill	254, 4, 0

	.text
	.globl	i686_entry
	.type	i686_entry, @function
i686_entry:
	cli
	cld
	movl	%ebx, %esi		/* the loader's two values */
	movl	%eax, %edi
	movl	$1, %eax
	cpuid
	andl	$(CPUID_PSE | CPUID_CMOV), %edx
	cmpl	$(CPUID_PSE | CPUID_CMOV), %edx
	jne	unfit
	movl	%cr4, %ecx
	orl	$CR4_PSE, %ecx
	movl	%ecx, %cr4
	movl	$PHYS(i686_provisional_pgd), %ecx
	movl	%ecx, %cr3
	movl	%cr0, %ecx
	orl	$(CR0_PG | CR0_WP), %ecx
	movl	%ecx, %cr0
	movl	$upper_half, %ecx
	jmp	*%ecx
upper_half:
	movl	$(i686_stacks + BOOT_STACK_TOP), %esp
	xorl	%ebp, %ebp		/* backtraces end here */
	pushl	%esi
	pushl	%edi
	call	i686_start
	ud2

/* Too old for what the compiler makes, so there is no C to say it in. */
unfit:
	movl	$PHYS(unfit_sentence), %esi
	movw	$SERIAL_PORT, %dx
1:	lodsb
	testb	%al, %al
	jz	2f
	outb	%al, %dx
	jmp	1b
2:	movl	$EXIT_UNFIT, %eax
	outl	%eax, $EXIT_PORT
3:	hlt
	jmp	3b
	.size	i686_entry, . - i686_entry

	.section .rodata
unfit_sentence:
	.asciz	"Bail out! this CPU is no i686: no large pages, or no CMOV\n"
	.text

/*
 * void i686_enable_pae(uint32_t bridge, uint32_t cr3)
 *
 * From two-level tables to PAE: CR4.PAE and CR3 have to change together, so
 * paging is off for a moment, in code at its own address. The provisional
 * tables map that, and so does @bridge, which is @cr3 with the kernel's first
 * GiB at 0, too. Interrupts are off; the stack is not touched in between.
 */
	.globl	i686_enable_pae
	.type	i686_enable_pae, @function
i686_enable_pae:
	movl	4(%esp), %eax
	movl	8(%esp), %edx
	movl	$PHYS(1f), %ecx
	jmp	*%ecx
1:	movl	%cr0, %ecx
	andl	$~CR0_PG, %ecx
	movl	%ecx, %cr0
	movl	%cr4, %ecx
	orl	$CR4_PAE, %ecx
	movl	%ecx, %cr4
	movl	%eax, %cr3
	movl	%cr0, %ecx
	orl	$CR0_PG, %ecx
	movl	%ecx, %cr0
	movl	$2f, %ecx
	jmp	*%ecx
2:	movl	%edx, %cr3
	ret
	.size	i686_enable_pae, . - i686_enable_pae

	.section .note.GNU-stack, "", @progbits
