/* SPDX-License-Identifier: MIT */
#ifndef STRESS_EXPLORE_TRACE_TRACE_H
#define STRESS_EXPLORE_TRACE_TRACE_H

/*
 * A run as one tells it: all that happened, in order, and what each thing
 * changed. trace/record.c and trace/cells.c look into the simulated machine;
 * whatever prints or explains reads the record only.
 */

#include <stdio.h>

#include "stress/explore/explore.h"

/* ---- Cells: the state worth watching, one number each -------------------------- */

enum cell_kind {
	CELL_COUNT, /* page a's count: 0 not mapped, 1 idle, n + 1 users */
	CELL_OWNER, /* slot a's page: 0, or 1 + index in mem_map */
	CELL_FREE,  /* slot a's bit in the free map */
	CELL_PTE,   /* place a's PTE: 0, 1 + index of the page, or CELL_ALIEN */
	CELL_TLB,   /* the same in the TLB of CPU b */
	CELL_SLOT,  /* page a's slot: 0, or 1 + slot; in the count's word */
	CELL_QUEUE, /* queue a's nr */
	CELL_LOCK,  /* lock a: 0, or 1 + the actor that took it */
	CELL_DEPTH, /* task a's local maps */
	CELL_TASK,  /* task a's enum sim_task_state */
	CELL_STORES, /* how many stores CPU a holds back */
};

#define CELL_ALIEN UINT32_MAX

/*
 * A place is where a page can be mapped: first the slots, then local_depth
 * windows for each CPU. Lock 0 is pkmap.lock, lock 1 + c that of queue c.
 */
struct cell {
	uint8_t kind; /* enum cell_kind */
	uint8_t b;
	uint16_t a;
};

struct change {
	unsigned int cell;
	uint32_t before;
	uint32_t after;
};

/* ---- Entries: what happened ----------------------------------------------------- */

/* The text of what an actor does after its last operation: it unmaps all. */
#define TRACE_AT_END "(end)"

enum entry_kind {
	ENTRY_BEGIN,  /* an operation; text: which */
	ENTRY_END,    /* text: which; outcome */
	ENTRY_ENTER,  /* an interrupt; actor: the handler */
	ENTRY_LEAVE,  /* its return */
	ENTRY_SWITCH, /* away from task other; text: why it stopped */
	ENTRY_WAKE,   /* task other, by nobody's hand; text: by what */
	ENTRY_DRAIN,  /* held-back stores of a CPU reach memory */
	ENTRY_CHANCE, /* a choice that no other entry tells of */
	ENTRY_ACCESS,
	ENTRY_CALM, /* the liveness phase begins: no more choices, in turns */
	ENTRY_LAST_FLUSH, /* the oracle's, when all have ended */
	ENTRY_STALL,	  /* nobody can go on; text: why this task cannot */
	ENTRY_VERDICT,	  /* the last one */
};

struct entry {
	uint8_t kind;	/* enum entry_kind */
	uint8_t access; /* enum sim_access */
	uint8_t actor;	/* 0 to 3 tasks, 4 and 5 handlers */
	uint8_t task;	/* the actor, or the task that it interrupted */
	uint8_t cpu;
	uint8_t other;	/* a second task: switched away from, woken, ... */
	uint8_t chance; /* ENTRY_CHANCE: enum choice_kind; other: its arg */
	bool held;	/* the store waits in the CPU's store buffer */
	int cell;	/* the word or the PTE in question, or -1 */
	uint32_t step;
	uint32_t first_change;
	uint32_t nr_changes;
	uint64_t before; /* as the cell says it, if there is one */
	uint64_t after;
	const void *caller;
	const char *outcome;
	char text[32];
};

struct record {
	struct program program;
	struct controlled_result result;
	const char *why; /* it failed, for trace_print_json() and _html() */
	unsigned int nr_places;
	unsigned int nr_cells;
	struct cell *cells;
	uint32_t *values; /* of the cells, at the end */
	uint32_t nr_entries;
	struct entry *entries;
	uint32_t nr_changes;
	struct change *changes;
};

/* Replay @program. Ends the process if memory runs out. */
struct record *record_run(const struct program *program);
void record_free(struct record *record);

/* An index of record->entries, or NONE. */
#define NONE UINT32_MAX

/* The last entry before @limit that took or brought @cpu, or NONE. */
uint32_t last_hotplug(const struct record *record, unsigned int cpu,
		      uint32_t limit);

/* Offline before entry @limit? */
bool is_offline(const struct record *record, unsigned int cpu, uint32_t limit);

/* calloc() and doubling realloc() that end the process without memory. */
void *trace_room(size_t nr, size_t size);
void *trace_grow(void *old, uint32_t *nr, size_t size);

/* ---- Names ---------------------------------------------------------------------- */

#define NAME_SIZE 48

/* printf() to the end of a string in @size bytes, as much as fits. */
__attribute__((format(printf, 3, 4))) void text_append(char *buf, size_t size,
						       const char *format, ...);

/* 1 + slot's or window's number -> "slot0", "window1@cpu0". */
void place_name(const struct record *record, unsigned int place, char *buf);

/* 'A' -> 0, 'I' -> 4. */
unsigned int actor_named(char letter);

/* Index in mem_map -> "l1", "p0". */
void page_name(unsigned int index, char *buf);

/* 'p', 0 -> index in mem_map. */
unsigned int page_index(unsigned int letter, unsigned int number);

/* "p0.count", "cpu1 tlb slot0". */
void cell_name(const struct record *record, unsigned int which, char *buf);

/* A value of that cell in words: "p2", "none", "asleep". */
void cell_value(const struct record *record, unsigned int which, uint32_t value,
		char *buf);

/* The cell of that kind, or -1. */
int cell_find(const struct record *record, enum cell_kind kind, unsigned int a,
	      unsigned int b);

/* What a cell of that kind shows of its word: its part of a page's, or all. */
uint32_t cell_of_word(enum cell_kind kind, uint32_t word);

/*
 * What the entry says, for people: "p0.count 2->1", "wakes B". @size of
 * 96 is enough.
 */
void entry_words(const struct record *record, const struct entry *entry,
		 char *buf, size_t size);

/*
 * "cpu%u goes offline": what an ENTRY_CHANCE says of a kind of choice; NULL:
 * other entries tell of it.
 */
const char *chance_words(enum choice_kind kind);

/* ---- Where in the source ---------------------------------------------------------- */

#define SOURCE_SIZE 64

/*
 * Look up the callers of all accesses at once. NULL, or one sentence on why
 * sources_at() will only know raw offsets.
 */
const char *sources_load(const struct record *record);

/* "slot_install pkmap.c:112"; "" for what has no caller. */
const char *source_at(const void *caller);

/* ---- Printers ----------------------------------------------------------------------- */

void trace_print_table(FILE *out, const struct record *record);
void trace_print_full(FILE *out, const struct record *record);
void trace_print_json(FILE *out, const struct record *record);
void trace_print_html(FILE *out, const struct record *record);

/* timeline.html, line by line; NULL at the end. */
extern const char *const timeline_page[];

#endif
