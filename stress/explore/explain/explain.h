/* SPDX-License-Identifier: MIT */
#ifndef STRESS_EXPLORE_EXPLAIN_EXPLAIN_H
#define STRESS_EXPLORE_EXPLAIN_EXPLAIN_H

/*
 * Explanations. Each knows one kind of failure; it reads the record and writes
 * one sentence, or returns false when it sees nothing of its kind. explain.c
 * asks them in turn.
 */

#include "stress/explore/trace/trace.h"

#define SENTENCE_SIZE 512

/* One sentence on why the run failed; valid until the next call. */
const char *explain_record(const struct record *record);

/* ---- explain/find.c: questions to a record -------------------------------------- */

/*
 * Compares the beginning of @text with @pattern, in which '#' stands for a
 * number, '?' for a character and '*' for letters and digits. What the first
 * two stood for goes to @values. Returns how many of them there were before
 * text and pattern parted, if they did.
 */
unsigned int match(const char *text, const char *pattern, unsigned int *values);

/* The cell's value at the end. The cell must exist. */
uint32_t final_value(const struct record *record, enum cell_kind kind,
		     unsigned int a, unsigned int b);

/* The cell's value after entry @at. */
uint32_t value_at(const struct record *record, unsigned int cell, uint32_t at);

/* The last entry before @limit that changed the cell. */
uint32_t last_change(const struct record *record, int cell, uint32_t limit);

/* The last entry before @limit with that access by @actor. */
uint32_t last_access(const struct record *record, unsigned int actor,
		     enum sim_access access, uint32_t limit);

/* Where the operation that entry @at belongs to begins. */
uint32_t begin_of(const struct record *record, uint32_t at);

/* "A's kmap p0", "A at its end": what @actor is in, or was in, at entry @at. */
const char *actor_doing(const struct record *record, unsigned int actor,
			uint32_t at, char *buf);

/* The same for whoever did entry @at; "the switch from A to B" if nobody. */
const char *doer_name(const struct record *record, uint32_t at, char *buf);

uint32_t step_of(const struct record *record, uint32_t at);

/* Asleep when the run was over? */
bool is_asleep(const struct record *record, unsigned int task);

/* Index in mem_map of what the task's last operation names; -1: none. */
int page_of_op(const struct record *record, unsigned int actor);

/* ---- One for each kind of failure -------------------------------------------------- */

typedef bool explanation(const struct record *record, char *buf);

explanation explain_lost_wakeup;
explanation explain_lost_grant;
explanation explain_deadlock;
explanation explain_spin;
explanation explain_sleep;
explanation explain_lock_left;
explanation explain_too_long;
explanation explain_misuse;

explanation explain_dirty_window;
explanation explain_stale;
explanation explain_two_slots;
explanation explain_stolen_slot;
explanation explain_count;

#endif
