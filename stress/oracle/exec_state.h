/* SPDX-License-Identifier: MIT */
#ifndef STRESS_ORACLE_EXEC_STATE_H
#define STRESS_ORACLE_EXEC_STATE_H

/*
 * State and perform: what a run knows about itself, shared by exec.c (the
 * tasks), ops.c (each operation) and oracle.c (what must be true).
 *
 * The model is small: which maps each actor holds, and what it wrote last. An
 * actor touches its own part only, so that tasks on real threads need no lock.
 */

#include "stress/oracle/exec.h"

struct local_map {
	void *vaddr;
	uint8_t page;
	bool atomic; /* made by kmap_atomic() */
	bool window; /* takes a window; a lowmem page may not */
};

/* Pages that nobody has used since some moment: oracle_use.c. */
struct unused {
	uint32_t pages;			   /* then; one bit each */
	uint32_t begun[PROGRAM_MAX_PAGES]; /* uses, up to then */
};

struct actor {
	unsigned int index; /* 0 to 3 tasks, 4 and 5 handlers */
	uint32_t id; /* of the task, or of the one that a handler interrupts */
	struct port_task *task;		  /* once it runs */
	uint32_t held[PROGRAM_MAX_PAGES]; /* kmaps it has to undo */
	void *address[PROGRAM_MAX_PAGES]; /* where it is, or was last */
	struct local_map local[KM_MAX_IDX];
	unsigned int nr_local;
	unsigned int windows_below; /* of all that a handler interrupted */
	uint32_t written[PROGRAM_MAX_PAGES]; /* its word in each page */
	uint32_t next_value;
	int waits_for;	     /* page of a kmap under way, or -1 */
	uint64_t history;    /* of its operations' outcomes */
	const struct op *op; /* under way; NULL: none, or undoing all */
	bool active;	     /* a handler that has not returned */
	bool in_op;	     /* in the middle of an operation */
	bool alone;	     /* nobody else was, from its begin to its end */
	bool ended;
	int misuses;	      /* page of a kunmap too many under way, or -1 */
	struct unused unused; /* since its flush began */
	bool flushing;	      /* one is under way */
	uint64_t touched; /* pages whose part above changed: oracle_look.c */
	/* Uses of pages, from a call that maps to the end of its undoing. */
	port_stat_t uses_begun[PROGRAM_MAX_PAGES];
	port_stat_t uses_ending[PROGRAM_MAX_PAGES]; /* which has begun */
	port_stat_t uses_ended[PROGRAM_MAX_PAGES];
	uint32_t performed;
	uint32_t skipped;
};

/* What the last look of the oracle found right: oracle_look.c. */
struct oracle_seen {
	struct pkmap_slot slot[PROGRAM_MAX_SLOTS];
	struct page page[PROGRAM_MAX_PAGES];
	uint32_t free[PROGRAM_MAX_SLOTS / 32];
	uint16_t windows[HIGHMEM_MAX_CPUS]; /* which have a PTE */
	bool pte_unknown; /* the machine lost count of what it wrote */
	unsigned int looks;
};

#define EXEC_MAX_TOLD 8
#define EXEC_TOLD_BYTES 192

struct exec {
	const struct program *program;
	const struct exec_options *options;
	struct exec_result *result;
	struct highmem *hm;
	struct actor actors[PROGRAM_MAX_ACTORS];
	port_atomic_t claimed; /* somebody writes result->sentence */
	port_stat_t failed;    /* somebody has */
	struct oracle_seen seen;
	/* Sentences that nobody has asked for yet: oracle_report.c. */
	char told[EXEC_MAX_TOLD][EXEC_TOLD_BYTES];
	unsigned int nr_told;
	bool stale;	 /* the program reads where its maps were */
	bool suspecting; /* exec_fail() sets @suspects, and no more */
	bool suspects;
	uint64_t between; /* slots that are free, idle, live: none of these */
};

enum op_outcome {
	OP_DONE,
	OP_NOTHING, /* a legal "no": kmap_try without a slot */
	OP_SKIPPED, /* makes no sense here */
	OP_REFUSED, /* a misuse, reported as it must be */
};

/* The first failure of a run wins; the run ends soon after. */
void exec_fail(struct exec *exec, const char *format, ...);

static inline bool exec_failed(const struct exec *exec)
{
	return port_stat_read(&exec->failed) != 0;
}

static inline struct page *exec_page(struct exec *exec, unsigned int index)
{
	return &exec->hm->config.mem_map[index];
}

/* True when memory holds all that was stored. */
static inline bool exec_freeze(const struct exec *exec, bool on)
{
	return !exec->options->freeze || exec->options->freeze(on);
}

static inline struct actor *exec_handler(struct exec *exec, unsigned int irq)
{
	return &exec->actors[PROGRAM_MAX_TASKS + irq];
}

static inline bool is_handler(const struct actor *actor)
{
	return actor->index >= PROGRAM_MAX_TASKS;
}

/* A page in a sentence, "%c%u", has the name that programs give it: l0, p2. */
#define PAGE_NAME(index) page_letter(index), page_number(index)

static inline char page_letter(unsigned int index)
{
	return index < MACHINE_LOWMEM_PAGES ? 'l' : 'p';
}

static inline unsigned int page_number(unsigned int index)
{
	return index < MACHINE_LOWMEM_PAGES ? index
					    : index - MACHINE_LOWMEM_PAGES;
}

/* ---- ops.c -------------------------------------------------------------------- */

/* In a task, or for a handler in its interrupt. */
enum op_outcome op_perform(struct exec *exec, struct actor *actor,
			   const struct op *op);

/* Undo all that @actor holds. */
void actor_undo_all(struct exec *exec, struct actor *actor);

unsigned int actor_windows(const struct actor *actor);

/* Run handler @irq of the program in an interrupt over @below. */
bool exec_raise(struct exec *exec, struct actor *below, unsigned int irq);

/* ---- oracle.c ------------------------------------------------------------------ */

/* Every page gets its tag; written[] is what machine_poke32() put there. */
void oracle_tag_pages(struct exec *exec);

/* The page behind @vaddr, read through it, is @page. In a task or interrupt. */
void oracle_check_content(struct exec *exec, const struct actor *actor,
			  unsigned int page, const void *vaddr);

/* The first and the last word of a page. */
uint32_t oracle_page_tag(unsigned int page);

/* Nobody but @actor is in the middle of an operation, unless asleep there. */
bool oracle_at_rest(const struct exec *exec, const struct actor *actor);

/* Where this actor's word is in each page. */
unsigned int oracle_word_offset(const struct actor *actor);

/*
 * No unexpected sentence; and when operations run one at a time, everything
 * that must hold between two of them. @actor has just performed one.
 */
void oracle_after_op(struct exec *exec, const struct actor *actor);

/* kmap_try() said no: was it right? */
void oracle_check_refusal(struct exec *exec, const struct actor *actor,
			  unsigned int page);

/* In a handler that has undone all it did: no window of its is left. */
void oracle_check_handler_left(struct exec *exec, const struct actor *actor);

/* All tasks have ended: nobody holds anything. */
void oracle_at_end(struct exec *exec);

/* The same after kmap_flush_unused(), and nothing is left out. */
void oracle_after_flush(struct exec *exec);

/*
 * All that must hold at rest. @actor performed an operation, or NULL: all have
 * ended. @audit: what machine_audit() said.
 */
void oracle_check_all(struct exec *exec, const struct actor *actor,
		      const char *audit);

/* Nothing in the queue leads elsewhere; else a failure, and nobody follows it. */
bool oracle_queue_is_sound(struct exec *exec, unsigned int colour);

/* Does the task wait in the queue of a colour? */
bool oracle_is_queued(struct exec *exec, const struct actor *actor);

/*
 * The parts of it: of one page, one slot, one colour, one actor's CPU. Nobody
 * waits while a slot, or the page itself, is to be had: else false.
 */
void oracle_check_page(struct exec *exec, unsigned int index);
void oracle_check_slot(struct exec *exec, unsigned int slot);
void oracle_check_between(struct exec *exec);
bool oracle_check_waiters(struct exec *exec, unsigned int colour);
void oracle_check_windows(struct exec *exec, const struct actor *actor);

/* ---- oracle_report.c ------------------------------------------------------------ */

/*
 * Take the oldest sentence of the core and the machine that begins with @who and
 * @words. NULL: there is none. Valid until the next one is taken.
 */
const char *oracle_take_report(struct exec *exec, const char *who,
			       const char *words);

/* Nobody expects a sentence any more: any that is left is a failure. */
void oracle_no_report(struct exec *exec);

/* ---- oracle_use.c ----------------------------------------------------------------- */

/* @actor is about to ask for a map of @page; it has none left of that call. */
void oracle_use_begins(struct actor *actor, unsigned int page);
void oracle_use_ending(struct actor *actor, unsigned int page);
void oracle_use_ends(struct actor *actor, unsigned int page);

/* Does somebody use @page now? */
bool oracle_is_used(const struct exec *exec, unsigned int page);

/* From now on @unused knows which pages nobody has used since. */
void oracle_unused_begin(const struct exec *exec, struct unused *unused);
uint32_t oracle_unused_so_far(const struct exec *exec,
			      const struct unused *unused);

/*
 * A flush of @actor has returned: of pages that were unused since before its call
 * nothing is left.
 */
void oracle_flush_returned(struct exec *exec, const struct unused *unused,
			   const struct actor *actor);

/* ---- oracle_answer.c -------------------------------------------------------------- */

/* page_address() of @page said @vaddr. */
void oracle_check_address(struct exec *exec, const struct actor *actor,
			  unsigned int page, const void *vaddr);

/*
 * Read where @actor had @page before it unmapped it. At rest that shows what the
 * PTE says there, else any page. False: nothing, a fault.
 */
bool oracle_read_stale(struct exec *exec, const struct actor *actor,
		       unsigned int page, const void *vaddr);

/* ---- oracle_stall.c ------------------------------------------------------------- */

/* Nobody can go on: whose fault is it? Sets verdict and sentence. */
void oracle_judge_stall(struct exec *exec);

/*
 * Somebody goes on and on, though nothing disturbs it any more: @id ran in the
 * end. Sets verdict and sentence.
 */
void oracle_judge_spin(struct exec *exec, uint32_t id);

/* ---- oracle_look.c -------------------------------------------------------------- */

/* The run begins. */
void oracle_look_reset(struct exec *exec);

/*
 * oracle_check_all(), of what has changed since the last look. All of it if
 * that looks wrong, every now and then, and if @everywhere.
 */
void oracle_look(struct exec *exec, const struct actor *actor, bool everywhere);

#endif
