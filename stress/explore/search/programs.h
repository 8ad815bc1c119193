/* SPDX-License-Identifier: MIT */
#ifndef STRESS_EXPLORE_SEARCH_PROGRAMS_H
#define STRESS_EXPLORE_SEARCH_PROGRAMS_H

/*
 * All programs of a size over an alphabet of operations, each once.
 *
 * A task's sequence is legal when it undoes only what it has done; other
 * programs equal shorter ones. Of programs that are the same but for the names
 * of pages and tasks only the first in order is kept: tasks sit on CPUs of their
 * own, and pages of one colour differ in nothing but their number. With
 * interrupts there is one handler, on A's CPU, so that A keeps its name; its
 * sequence has get, local and what undoes them.
 *
 * Colours keep their names. The core goes through them in order, and a bug that
 * takes the queue of one colour for that of another shows in one of them alone:
 * whoever takes them for the same does not see it.
 */

#include "stress/program/program.h"

struct space {
	unsigned int tasks;
	unsigned int ops; /* of each task, at most */
	unsigned int slots;
	unsigned int colours;
	unsigned int pages; /* p0 has colour 0, p1 the next, and so on round */
	uint32_t alphabet;  /* one bit for each enum op_kind */
	unsigned int handler_ops; /* of the handler, at most; 0: there is none */
	bool pae;
};

/* "kmap,kunmap,get" -> bits. False: not an operation that can be used here. */
bool space_parse_alphabet(const char *text, uint32_t *alphabet);

/* The other way round. */
void space_print_alphabet(uint32_t alphabet, char *buf, size_t size);

/* NULL, or one sentence why the programs cannot be listed. */
const char *space_open(const struct space *wanted);

/* How many local maps a task of it may nest: no fewer than it can. */
unsigned int space_depth(const struct space *space);

/* How many there are, and number @index of them, from 0. */
uint64_t space_size(void);
void space_program(uint64_t index, struct program *program);

#endif
