/* SPDX-License-Identifier: MIT */
#ifndef STRESS_PROGRAM_PROGRAM_H
#define STRESS_PROGRAM_PROGRAM_H

/*
 * An op program: which machine, which tasks and interrupt handlers, which
 * operations in which order. Its text form (.hmt):
 *
 *	# two tasks, two slots
 *	machine cpus=2 slots=2 pages=4 colours=1 depth=4 pae=no force=no
 *	task A cpu=0: kmap p0; kmap p1
 *	task B cpu=1: kmap p2
 *	irq I cpu=0: local p3; check; unlocal
 *	A: kunmap p1; raise I; kunmap p0
 *	B: kunmap p2
 *
 * Operations run in the order of the text as far as nobody has to wait; a
 * task that waits is overtaken and goes on when it can. On real threads only
 * the order within a task holds. `task` and `irq` declare and may go on with
 * operations; `A:` appends. Pages are p0, p1, ... in highmem and l0, l1 in
 * lowmem. A handler runs on its own CPU only: a task elsewhere that raises it
 * does nothing. What a line leaves out: colours=1 depth=4 pae=no force=no cpu=0,
 * and no to what else a machine may have (machine.h).
 *
 * Choices say where a run under control (ports/sim/control.h) leaves the
 * default: "at step N, task B runs on", and so on:
 *
 *	choices v2: 12=B 15=irq:I 20=B:timeout 23=A:spurious 30=hold 34=drain:1
 *
 * A text whose choices are of another version than PROGRAM_CHOICES_VERSION, or
 * of none, is refused.
 *
 * Step 0 is the boot, and an allocation that fails in it the only choice there.
 *
 * Where such a run turns calm is part of it, if it fails in its calm phase:
 *
 *	calm after 120
 *
 * The byte form, for the fuzzer, is two bytes for each operation or choice
 * after a header of PROGRAM_HEADER_BYTES; every byte string decodes to a
 * program. The header names the version, too, 0 if there are no choices. Bytes
 * with another number there have no choices, whatever they look like:
 * program_decode() leaves them out, program_load() says so. There is no place
 * for the calm line.
 * Freestanding: no libc, no allocation.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/port/machine.h"
#include "core/version.h"

#define PROGRAM_MAX_TASKS 4 /* A, B, C, D */
#define PROGRAM_MAX_IRQS 2  /* I, J */
#define PROGRAM_MAX_OPS 256 /* of all tasks and handlers together */
#define PROGRAM_MAX_SLOTS 64
#define PROGRAM_MAX_HIGHMEM 14
#define PROGRAM_MAX_PAGES (MACHINE_LOWMEM_PAGES + PROGRAM_MAX_HIGHMEM)
#define PROGRAM_MAX_ACTORS (PROGRAM_MAX_TASKS + PROGRAM_MAX_IRQS)
#define PROGRAM_HEADER_BYTES 8
#define PROGRAM_MAX_CHOICES 256

#define PROGRAM_MAX_BYTES \
	(PROGRAM_HEADER_BYTES + \
	 2 * (PROGRAM_MAX_OPS + PROGRAM_MAX_CHOICES + CHOICE_MAX_STEP / 255))

enum op_kind {
	OP_KMAP,     /* kmap pN */
	OP_KUNMAP,   /* kunmap pN: this task's; a misuse if nobody maps it */
	OP_TRY,	     /* try pN: kmap_try */
	OP_TIMEOUT,  /* timeout pN: kmap_timeout, a few ticks from now */
	OP_GET,	     /* get pN: kmap_high_get, undone by kunmap */
	OP_LOCAL,    /* local pN: kmap_local_page */
	OP_ATOMIC,   /* atomic pN: kmap_atomic */
	OP_UNLOCAL,  /* unlocal: undo the newest of these two */
	OP_MISORDER, /* misorder: undo the oldest first, a misuse */
	OP_WRITE,    /* write pN: through one map of the task, read by all */
	OP_CHECK,    /* check: read back through every map of the task */
	OP_FLUSH,    /* flush: kmap_flush_unused */
	OP_RAISE,    /* raise I: an interrupt here and now */
	OP_YIELD,    /* yield: nothing, but a place to switch */
	OP_KILLABLE, /* killable pN: kmap_killable */
	OP_CANCEL,   /* cancel B: task B shall give up what it waits for */
	OP_STRAY,    /* stray pN: kunmap_local, kunmap_atomic of an address of
			the page that no local map gave: two misuses */
	OP_RELEASE,  /* release pN: kunmap what another actor holds */
	OP_ADDRESS,  /* address pN: page_address, with a map or without */
	OP_STALE,    /* stale pN: read where the last kunmap of it was */
	OP_NR_KINDS
};

struct op {
	uint8_t kind;  /* enum op_kind */
	uint8_t actor; /* task number, or PROGRAM_MAX_TASKS + handler number */
	uint8_t arg;   /* index in mem_map, or number of a handler or task */
};

enum op_arg {
	OP_ARG_NONE,
	OP_ARG_PAGE,
	OP_ARG_IRQ,
	OP_ARG_TASK,
};

/* What the operation takes, and its name in the text. */
enum op_arg op_arg(enum op_kind kind);
const char *op_name(enum op_kind kind);

/* 'A' to 'D' for tasks, 'I' and 'J' for handlers. */
char actor_letter(unsigned int actor);

enum choice_kind {
	CHOICE_RUN,	 /* N=B: task arg runs on */
	CHOICE_TIMEOUT,	 /* N=B:timeout: woken by its deadline */
	CHOICE_SPURIOUS, /* N=B:spurious: woken for no reason */
	CHOICE_IRQ,	 /* N=irq:I: handler arg */
	CHOICE_HOLD,	 /* N=hold: the store stays in the store buffer */
	CHOICE_DRAIN,	 /* N=drain:C: CPU arg's oldest store reaches memory */
	CHOICE_CANCEL,	 /* N=B:cancel: a signal for task arg */
	CHOICE_MIGRATE,	 /* N=migrate:C: whoever goes on does so on CPU arg */
	CHOICE_DELAY,	 /* N=delay: a CPU answers this shootdown later */
	CHOICE_ACK,	 /* N=ack:C: CPU arg answers its shootdowns */
	CHOICE_DROP,	 /* N=drop:C: CPU arg's TLB forgets all */
	CHOICE_ALLOC, /* 0=alloc:M: allocation M of the boot fails; arg M - 1 */
	CHOICE_ALLOC_ON, /* 0=alloc:M:on: that one and all after it */
	CHOICE_OFFLINE,	 /* N=offline:C: CPU arg goes offline */
	CHOICE_ONLINE,	 /* N=online:C: CPU arg comes online, its TLB empty */
	CHOICE_NR_KINDS
};

struct choice {
	uint32_t step; /* the point's number in the run, from 1; 0: the boot */
	uint8_t kind;  /* enum choice_kind */
	uint8_t arg;
};

#define CHOICE_MAX_STEP 99999

/* The allocations of a boot: a frame for each of its page tables. */
static inline unsigned int program_nr_allocs(const struct machine_config *m)
{
	return m->pae ? 5 : 4;
}

/* Is it one of step 0? The others are of later steps. */
static inline bool choice_of_boot(enum choice_kind kind)
{
	return kind == CHOICE_ALLOC || kind == CHOICE_ALLOC_ON;
}

/* Is its argument a CPU? */
bool choice_names_cpu(enum choice_kind kind);

struct program {
	struct machine_config machine;
	unsigned int nr_tasks;
	unsigned int nr_irqs;
	uint8_t task_cpu[PROGRAM_MAX_TASKS];
	uint8_t irq_cpu[PROGRAM_MAX_IRQS];
	unsigned int nr_ops;
	struct op ops[PROGRAM_MAX_OPS];
	unsigned int nr_choices;
	struct choice choices[PROGRAM_MAX_CHOICES]; /* by step */
	/* The last step before the calm phase; 0: as for any program. */
	uint32_t calm_after;
};

/* Where and why a text does not parse. */
struct program_error {
	unsigned int line;  /* from 1 */
	char expected[128]; /* "expected a page p0 to p3, found 'p9'" */
};

/* Text -> program. @text need not end with NUL. False fills @error. */
bool program_parse(struct program *program, const char *text, size_t len,
		   struct program_error *error);

/*
 * Program -> text, canonical: program_parse() of it gives the same program.
 * Returns the length without the NUL, which is written if it fits; a result
 * >= size means that @buf was too small.
 */
size_t program_print(const struct program *program, char *buf, size_t size);

/* One operation as text, "kmap p3", for traces. Same return as above. */
size_t op_print(const struct op *op, char *buf, size_t size);

/* One choice as text, "12=irq:I". Same return as above. */
size_t choice_print(const struct choice *choice, char *buf, size_t size);

/* When a point asks about choices of this kind: lower is earlier. */
unsigned int choice_order(enum choice_kind kind);

/*
 * Does @program have the task, handler or CPU that @choice names, and is it one
 * for its step?
 */
bool choice_fits(const struct program *program, const struct choice *choice);

/* Two bytes -> an operation that @program can have. */
void op_decode(const struct program *program, struct op *op,
	       const uint8_t *bytes);

/*
 * Any bytes -> a program; never fails, ignores a half operation at the end.
 * False: there were choices of another version, and they have been left out.
 */
bool program_decode(struct program *program, const uint8_t *bytes, size_t len);

/*
 * Program -> bytes that decode to it, but for its calm line. Returns their
 * number, 0 if they do not fit: choices more than 255 steps apart take extra
 * bytes.
 */
size_t program_encode(const struct program *program, uint8_t *bytes,
		      size_t size);

/*
 * What a fuzz target takes for text, all else being bytes: no control characters,
 * and the word `machine` somewhere in it; or a byte order mark at its begin.
 * Who has a file from a person does not ask, but calls program_parse().
 */
bool program_is_text(const void *data, size_t len);

/*
 * An input of a fuzz target, be it text or bytes. False: bad text, or bytes with
 * choices of another version. True may come with something to say, too, in
 * @error->expected, which is empty otherwise: bytes that name no version have
 * what looks like choices, and it was left out; or they look like text.
 */
bool program_load(struct program *program, const void *data, size_t len,
		  struct program_error *error);

/*
 * Can the machine and the subject that we are linked with run @program? NULL, or
 * one sentence why not, valid until the next call. And one of the machine alone.
 */
const char *program_can(const struct program *program);
const char *program_machine_can(const struct machine_config *machine);

/* Operations that the subject has: one bit for each enum op_kind. */
uint32_t program_kinds(void);

/*
 * Leave out what the subject lacks, so that program_can() has nothing to say:
 * for programs that nobody has written. What the machine cannot, stays.
 */
void program_fit(struct program *program);
void program_fit_machine(struct machine_config *machine);

/*
 * A random program for @machine: @nr_tasks tasks of @ops_per_task operations,
 * the same for the same *@seed, which moves on.
 */
void program_generate(struct program *program,
		      const struct machine_config *machine,
		      unsigned int nr_tasks, unsigned int ops_per_task,
		      uint64_t *seed);

/*
 * One on a small machine, which the sim can build: two or three tasks, two to
 * six operations for each. Small ones have all the bugs and run faster.
 */
void program_generate_small(struct program *program, uint64_t *seed);

/*
 * One of @ops operations, of all tasks together, in which the tasks get in each
 * other's way: they share pages, wait for slots, and something happens then. On
 * a machine with as few slots as there can be.
 */
void program_draft(struct program *program, unsigned int nr_tasks,
		   unsigned int ops, uint64_t *seed);

#endif
