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
#include "stress/subjects/subject.h"

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
	bool windows_guessed;	    /* that many at most */
	/* A number for the PTEs of its CPU's windows, when it began. */
	uint32_t frames_below;
	bool frames_known;
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
	const struct highmem_config *config; /* the machine's geometry */
	struct highmem *hm; /* a look inside; NULL: judged from outside */
	struct actor actors[PROGRAM_MAX_ACTORS];
	port_atomic_t claimed; /* somebody writes result->sentence */
	port_stat_t failed;    /* somebody has */
	struct oracle_seen seen;
	/* Sentences that nobody has asked for yet: oracle_report.c. */
	char told[EXEC_MAX_TOLD][EXEC_TOLD_BYTES];
	unsigned int nr_told;
	const char *ending; /* what is wrong if the last task does not end */
	bool stale;	    /* the program reads where its maps were */
	bool suspecting;    /* exec_fail() sets @suspects, and no more */
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
	return &exec->config->mem_map[index];
}

static inline pfn_t exec_pfn(const struct exec *exec, unsigned int index)
{
	return machine_pfn(exec->config, index);
}

static inline unsigned int exec_colour(const struct exec *exec,
				       unsigned int index)
{
	return exec_pfn(exec, index) & (exec->config->nr_colours - 1);
}

/* Pages of mem_map that a program can name. */
static inline unsigned int exec_nr_pages(const struct exec *exec)
{
	unsigned int nr = exec->config->nr_pages;

	return nr < PROGRAM_MAX_PAGES ? nr : PROGRAM_MAX_PAGES;
}

static inline bool subject_promises(uint32_t promises)
{
	return (the_subject.promises & promises) == promises;
}

/* What exec->hm says is of now. */
static inline void exec_look(struct exec *exec)
{
	if (exec->hm)
		exec->hm = the_subject.look();
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

/*
 * @actor has one more map of @page, at @vaddr; one less, and where that was.
 * Where a page has one address only the last one is kept.
 */
void actor_gains(struct actor *actor, unsigned int page, void *vaddr);
void *actor_loses(struct actor *actor, unsigned int page);

/* The map of @page that is @nr under the newest. */
void *actor_address(const struct actor *actor, unsigned int page,
		    unsigned int nr);

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

/* All tasks have ended: nobody holds anything. */
void oracle_at_end(struct exec *exec);

/* The same after the last flush, and nothing is left out. */
void oracle_after_flush(struct exec *exec);

/* Is @vaddr a slot that @page may have? Does its PTE lead to @page? */
bool oracle_is_slot_for(const struct exec *exec, unsigned int page,
			vaddr_t vaddr);
bool oracle_leads_to(const struct exec *exec, vaddr_t vaddr, unsigned int page);

/* ---- oracle_inside.c: exec->hm is not NULL --------------------------------------- */

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
 * The parts of it: of one page, one slot, one colour. Nobody waits while a slot,
 * or the page itself, is to be had: else false.
 */
void oracle_check_page(struct exec *exec, unsigned int index);
void oracle_check_slot(struct exec *exec, unsigned int slot);
void oracle_check_between(struct exec *exec);
bool oracle_check_waiters(struct exec *exec, unsigned int colour);

/* A kmap_try() that nothing disturbed said no. */
void oracle_refused_inside(struct exec *exec, unsigned int page);

/* ---- oracle_outside.c: it is NULL ------------------------------------------------- */

/* The same by what can be seen from outside, and by what the actors hold. */
void oracle_look_outside(struct exec *exec, const struct actor *actor);

/* Nobody sleeps while a slot, or its page, is to be had: else false. */
bool oracle_check_sleepers(struct exec *exec);
void oracle_refused_outside(struct exec *exec, unsigned int page);

/* Tasks that sleep for a page of @colour, one bit for each. */
uint32_t oracle_sleepers(const struct exec *exec, unsigned int colour);

/* In the last task: all slots can be had, and nothing is left in them. */
void oracle_take_all_slots(struct exec *exec);

/* ---- oracle_windows.c ------------------------------------------------------------- */

void oracle_check_windows(struct exec *exec, const struct actor *actor);

/* A handler begins. */
void oracle_handler_begins(struct exec *exec, struct actor *actor);

/* It has undone all it did: no window of its is left. */
void oracle_check_handler_left(struct exec *exec, const struct actor *actor);

/* ---- oracle_report.c ------------------------------------------------------------ */

/*
 * Take the oldest sentence of the subject and the machine that begins with
 * @words. NULL: there is none. Valid until the next one is taken.
 */
const char *oracle_take_report(struct exec *exec, const char *words);

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

/* machine_audit(), as far as the subject promises what it looks for. */
const char *oracle_audit(void);

/*
 * oracle_check_all(), of what has changed since the last look. All of it if
 * that looks wrong, every now and then, and if @everywhere.
 */
void oracle_look(struct exec *exec, const struct actor *actor, bool everywhere);

#endif
