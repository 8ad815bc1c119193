/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "core/ports/sim/sim.h"
#include "stress/explore/trace/machine.h"
#include "stress/subjects/subject.h"

/* Of the program that we are; the linker knows. */
extern const char __executable_start[];
extern const char _end[];

static int find_word(const struct record *record, const void *word)
{
	for (unsigned int c = 0; word && c < record->nr_cells; c++)
		if (cell_word(&record->cells[c]) == word)
			return (int)c;
	return -1;
}

static void name_place(const struct record *record, struct entry *entry,
		       const struct sim_event *e)
{
	int place = place_of(record, e->word);
	unsigned int offset = (unsigned int)((uintptr_t)e->word & ~PAGE_MASK);
	char name[NAME_SIZE] = "lowmem";

	if (place >= 0)
		place_name(record, (unsigned int)place, name);
	if (e->access == SIM_MEM_LOAD || e->access == SIM_MEM_STORE)
		snprintf(entry->text, sizeof(entry->text), "%.20s+%u", name,
			 offset);
	else if (e->access == SIM_SHOOTDOWN && !e->word)
		snprintf(entry->text, sizeof(entry->text), "of everything");
	else if (e->access == SIM_SHOOTDOWN && e->before > 1)
		snprintf(entry->text, sizeof(entry->text), "%.20s and %u more",
			 name, (unsigned int)e->before - 1);
	else
		snprintf(entry->text, sizeof(entry->text), "%.20s", name);
}

static void name_pte(const struct record *record, struct entry *entry,
		     const struct sim_event *e)
{
	int place = place_of(record, e->word);

	if (place < 0)
		return;
	entry->cell = cell_find(record, CELL_PTE, (unsigned int)place, 0);
	entry->before = cell_of_pte(e->before);
	entry->after = cell_of_pte(e->after);
}

/* What the subject's source calls @word; NULL: it is none of its. */
static const char *subject_word(const void *word)
{
	return the_subject.word ? the_subject.word(word) : NULL;
}

/* Whose signal is @word? -1: it is none. */
static int task_of_signal(const void *word)
{
	for (unsigned int t = 0; t < sim.nr_tasks; t++)
		if (word == &sim.tasks[t].signal)
			return (int)t;
	return -1;
}

/* Of a page's word the count tells most, unless only the slot is another. */
static void name_part(const struct record *record, struct entry *entry)
{
	const struct cell *cell = &record->cells[entry->cell];
	enum cell_kind kind = (enum cell_kind)cell->kind;
	uint32_t before = (uint32_t)entry->before;
	uint32_t after = (uint32_t)entry->after;

	if (kind == CELL_COUNT && before != after &&
	    pkmap_word_count(before) == pkmap_word_count(after)) {
		kind = CELL_SLOT;
		entry->cell = cell_find(record, kind, cell->a, 0);
	}
	entry->before = cell_of_word(kind, before);
	entry->after = cell_of_word(kind, after);
}

/* Words in no cell: signals, and those on waiters' stacks. */
static void name_word(const struct record *record, struct entry *entry,
		      const struct sim_event *e)
{
	int owner;

	entry->cell = find_word(record, e->word);
	if (entry->cell >= 0)
		name_part(record, entry);
	if (entry->cell >= 0 || !e->word)
		return;
	if (subject_word(e->word)) {
		snprintf(entry->text, sizeof(entry->text), "%.31s",
			 subject_word(e->word));
		return;
	}
	owner = task_of_signal(e->word);
	if (owner >= 0) {
		snprintf(entry->text, sizeof(entry->text), "%c.signal",
			 actor_letter((unsigned int)owner));
		return;
	}
	owner = stack_owner(e->word);
	if (owner >= 0)
		snprintf(entry->text, sizeof(entry->text), "%c's granted",
			 actor_letter((unsigned int)owner));
	else
		snprintf(entry->text, sizeof(entry->text),
			 "a waiter's granted");
}

static bool is_word_access(enum sim_access access)
{
	return access == SIM_LOAD || access == SIM_STORE || access == SIM_CAS ||
	       access == SIM_ADD || access == SIM_EXCHANGE;
}

/* The core's words are in struct highmem, in mem_map, and on stacks; others' are named. */
bool is_the_oracles(const struct record *record, const struct sim_event *event)
{
	const char *word = event->word;

	return is_word_access(event->access) && !subject_word(word) &&
	       find_word(record, word) < 0 && stack_owner(word) < 0 &&
	       task_of_signal(word) < 0 && word >= __executable_start &&
	       word < _end;
}

void access_name(const struct record *record, struct entry *entry,
		 const struct sim_event *e)
{
	char name[NAME_SIZE];

	switch (e->access) {
	case SIM_PTE_SET:
	case SIM_PTE_CLEAR:
		name_pte(record, entry, e);
		break;
	case SIM_FLUSH_LOCAL:
	case SIM_SHOOTDOWN:
	case SIM_MEM_LOAD:
	case SIM_MEM_STORE:
		name_place(record, entry, e);
		break;
	case SIM_UNPARK:
		entry->other = (uint8_t)((const struct port_task *)e->word -
					 sim.tasks);
		break;
	default:
		name_word(record, entry, e);
		break;
	}
	if (entry->cell >= 0) {
		cell_name(record, (unsigned int)entry->cell, name);
		snprintf(entry->text, sizeof(entry->text), "%.31s", name);
	}
}
