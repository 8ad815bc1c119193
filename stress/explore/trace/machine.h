/* SPDX-License-Identifier: MIT */
#ifndef STRESS_EXPLORE_TRACE_MACHINE_H
#define STRESS_EXPLORE_TRACE_MACHINE_H

/* What trace/record.c asks trace/cells.c about the machine as it stands. */

#include "stress/explore/trace/trace.h"

void cells_make(struct record *record);

/*
 * The cell's value after @event, which may be NULL. CELL_LOCK tells only
 * whether it is taken, not by whom.
 */
uint32_t cell_now(const struct record *record, unsigned int which,
		  const struct sim_event *event);

/* What the cells say from now on is of now. */
void cells_look(void);

/* The core's word behind the cell, or NULL. */
const void *cell_word(const struct cell *cell);

/* Is the change of this cell what @event did, and nobody else? */
bool cell_explained(const struct record *record, unsigned int which,
		    const struct sim_event *event);

/* The place that a kernel address lies in, or -1. */
int place_of(const struct record *record, const void *vaddr);

/* A PTE as CELL_PTE has it. */
uint32_t cell_of_pte(uint64_t pte);

/* Which task's stack is this on? -1: none. */
int stack_owner(const void *address);

/* ---- trace/access.c ------------------------------------------------------------ */

/* A word of the oracle, not of the core: it has something to say. */
bool is_the_oracles(const struct record *record, const struct sim_event *event);

/* What @event was about: the entry's cell, text and other task. */
void access_name(const struct record *record, struct entry *entry,
		 const struct sim_event *event);

/* ---- trace/look.c: what has changed since the last look --------------------------- */

/* Why a cell changed. */
enum cause {
	BY_ACCESS, /* the access we are told of */
	BY_DRAIN,  /* a store that was held back */
	BY_WAKER,  /* a deadline, or nothing */
	BY_OTHERS, /* plain writes and steps that are not told one by one */
};

void look_begin(struct record *record);
void look_end(void);

/* Look at all cells. @event, if any, is what @actor has just done. */
void look(const struct sim_event *event, unsigned int actor);

/*
 * Put what the last look found and has this cause down to @entry, which must be
 * the newest. The second takes the first of them only, and there must be one;
 * it returns which cell that was.
 */
void look_take(struct entry *entry, enum cause cause);
unsigned int look_take_one(struct entry *entry, enum cause cause);

/* Is there any that nobody took? */
bool look_any(enum cause cause);

/* As if what the last look found and nobody took had not happened. */
void look_forget(void);

/* Put down a change that cannot be looked up any more. */
void look_set(struct entry *entry, unsigned int cell, uint32_t value);

#endif
