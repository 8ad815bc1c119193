/* SPDX-License-Identifier: MIT */
#ifndef STRESS_SUBJECTS_SUBJECT_H
#define STRESS_SUBJECTS_SUBJECT_H

/*
 * The subject: the highmem code that the harness tests, and all that the harness
 * knows of it. Our core is one subject (ours.c), another kernel's file can be
 * another. A program is linked with exactly one; docs/subjects.md tells how to
 * write one, and example/ is one of ten lines. Freestanding: no libc.
 *
 * Nothing is taken for granted that the subject does not say it has: an operation
 * that is NULL, a limit that is exceeded, makes a program one that cannot run, and
 * no generator makes such a program. A promise that is not given is not held
 * against the subject; what was not demanded is said with every verdict.
 */

#include <highmem/highmem.h>

#include "core/port/guest.h"

/*
 * Any may be NULL: the subject lacks it. Contexts and meaning as for the core's
 * function of that name (kmap.h, kmap_local.h, page.h): a task or an interrupt
 * calls them. Pages are those of the geometry that guest->boot() was given;
 * lowmem pages come, too, and their address is in the direct map.
 */
struct subject_ops {
	void *(*kmap)(struct page *page);
	void *(*kmap_try)(struct page *page);
	void *(*kmap_timeout)(struct page *page, uint64_t deadline);
	void *(*kmap_killable)(struct page *page);
	void *(*get)(struct page *page); /* kmap_high_get() */
	/* @vaddr: what the map that is undone gave. */
	void (*kunmap)(struct page *page, const void *vaddr);
	void (*flush_unused)(void);
	void *(*local)(struct page *page); /* kmap_local_page() */
	void (*unlocal)(const void *vaddr);
	void *(*atomic)(struct page *page); /* kmap_atomic() */
	void (*unatomic)(const void *vaddr);
	/* The oracle asks these, too, at any time when no operation is cut in two. */
	void *(*page_address)(struct page *page);
	struct page *(*kmap_to_page)(const void *vaddr);
};

/* What a machine may have, or must not lack, for the subject to run on it. */
enum subject_machine {
	SUBJECT_PAE = 1 << 0,	      /* PTEs of 64 bits */
	SUBJECT_NO_PAE = 1 << 1,      /* PTEs of 32 bits */
	SUBJECT_HOLES = 1 << 2,	      /* mem_map in ranges */
	SUBJECT_SPARSE_CPUS = 1 << 3, /* CPU ids with holes */
	SUBJECT_FORCE_MAP = 1 << 4,   /* windows for lowmem pages, too */
	SUBJECT_ANY_MACHINE = (1 << 5) - 1,
};

struct subject_limits {
	uint32_t machines; /* enum subject_machine */
	unsigned int cpus, slots, colours, local_depth; /* at most; 0: any */
};

/* With each, what the oracle then demands. */
enum subject_promise {
	/* kunmap in any context: programs call it in interrupts, too. */
	SUBJECT_KUNMAP_ANYWHERE = 1 << 0,
	/* All maps of a page have one address, and page_address() says it. */
	SUBJECT_ONE_ADDRESS = 1 << 1,
	/*
	 * Who waits for a slot, when its page is mapped meanwhile, shares that
	 * map: nobody sleeps while its page is mapped. Needs ONE_ADDRESS. With
	 * these two the answers must be those of the sequential model (refine.h).
	 */
	SUBJECT_WAITERS_SHARE = 1 << 2,
	/* A newcomer does not get a slot before who waits (overtake.h). */
	SUBJECT_FIFO = 1 << 3,
	/*
	 * At rest no TLB differs from the page table: machine_audit(). Without
	 * it an entry may be stale until its slot is used again, and every CPU
	 * is only held to what it reads through a map that is held.
	 */
	SUBJECT_NO_STALE_TLB = 1 << 4,
	/*
	 * The n-th local map of a task, with those that an interrupt adds, is in
	 * window n of its CPU. Without it, in any window of that CPU.
	 */
	SUBJECT_LOCALS_NEST = 1 << 5,
	/*
	 * A map that looks for a slot takes away idle pages of its own colour
	 * only. Without it, of any, and of the others address and get may say no.
	 */
	SUBJECT_MISS_KEEPS_COLOURS = 1 << 6,
};

/* Misuses that programs do on purpose, where the subject says what it answers. */
enum subject_misuse {
	SUBJECT_SURPLUS_KUNMAP, /* of a page that nobody maps */
	SUBJECT_SLEEPS,		/* kmap in atomic context */
	SUBJECT_FLUSH_SLEEPS,	/* flush_unused in atomic context */
	SUBJECT_WINDOWS_FULL,	/* a local map beyond the last window */
	SUBJECT_MISORDER,     /* unlocal, unatomic of what is not the newest */
	SUBJECT_STRAY,	      /* unlocal of an address that local never gave */
	SUBJECT_STRAY_ATOMIC, /* the same of unatomic */
	SUBJECT_NR_MISUSES
};

struct subject {
	const char *name; /* as in --subject=NAME */
	const char *what; /* one line, for `hmt subjects` */
	const struct guest *guest;
	struct subject_ops ops;
	struct subject_limits limits;
	uint32_t promises; /* enum subject_promise */
	/*
	 * How its port_bug() begins when it reports the misuse, and changes
	 * nothing. NULL: no promise, and no program does it.
	 */
	const char *reports[SUBJECT_NR_MISUSES];
	/*
	 * Its state in the words of the core, so that the whole oracle works, or
	 * NULL: then it is judged by what can be seen from outside. The config
	 * is that of the boot. Takes no lock, as guest->hash().
	 */
	struct highmem *(*look)(void);
	/*
	 * How many windows the current task, and the interrupts above it, have
	 * claimed by now; asked at any point. Or NULL.
	 */
	unsigned int (*windows)(void);
	/* What its source calls @word, for traces; NULL: it is none of its. */
	const char *(*word)(const void *word);
};

/* The one that this program is linked with. */
extern const struct subject the_subject;

/* NULL, or one sentence on what contradicts what in it. */
const char *subject_wrong(const struct subject *subject);

/*
 * Number @nr, from 0, of the operations that it has or, with @had false, lacks;
 * of its promises; and of the checks that are not made of it, judged from
 * outside or not. NULL: there are no more.
 */
const char *subject_op(const struct subject *subject, bool had,
		       unsigned int nr);
const char *subject_promise(const struct subject *subject, unsigned int nr);
const char *subject_not_demanded(const struct subject *subject,
				 bool from_outside, unsigned int nr);

/*
 * The flags with which explore and hmt test the_subject in this way, each with a
 * blank after it; "" for ours as it is. For a line that replays a finding.
 */
const char *subject_flags(bool from_outside);

#endif
