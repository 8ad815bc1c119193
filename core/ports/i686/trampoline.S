/* SPDX-License-Identifier: MIT */

/*
 * Where another CPU begins: in real mode, at the page below 1 MiB that its
 * start-up interrupt names. smp.c copies what is between the two labels there,
 * to whatever page it has got, and CS tells which one that is. The way up is
 * boot.S's: the provisional tables, then the upper half.
 */

#define PAGE_OFFSET	0xc0000000
#define PHYS(symbol)	((symbol) - PAGE_OFFSET)
#define OFFSET(label)	((label) - i686_trampoline)

#define CR0_PE		0x00000001
#define CR0_CACHE_OFF	0x60000000	/* what a reset sets: CD and NW */
#define CR0_PG		0x80000000
#define CR0_WP		0x00010000
#define CR4_PSE		0x00000010

	.section .rodata
	.globl	i686_trampoline, i686_trampoline_end
	.balign 16
	.code16
i686_trampoline:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	xorl	%ebx, %ebx
	movw	%cs, %bx
	shll	$4, %ebx		/* where this is */
	leal	OFFSET(gdt)(%ebx), %eax
	movl	%eax, OFFSET(gdt_register) + 2
	leal	OFFSET(protected)(%ebx), %eax
	movl	%eax, OFFSET(jump)
	lgdtl	OFFSET(gdt_register)
	movl	%cr0, %eax
	andl	$~CR0_CACHE_OFF, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	*OFFSET(jump)

	.code32
protected:
	movw	$0x10, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
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

	.balign 8
gdt:
	.quad	0
	.quad	0x00cf9a000000ffff	/* code, 4 GiB, ring 0 */
	.quad	0x00cf92000000ffff	/* data */
gdt_register:
	.word	gdt_register - gdt - 1
	.long	0			/* gdt's address */
jump:
	.long	0			/* protected's address */
	.word	0x08
i686_trampoline_end:

	.text
upper_half:
	movl	smp_stack, %esp
	xorl	%ebp, %ebp		/* backtraces end here */
	pushl	%ebp
	call	smp_cpu_start
	ud2

	.section .note.GNU-stack, "", @progbits
