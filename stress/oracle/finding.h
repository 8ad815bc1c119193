/* SPDX-License-Identifier: MIT */
#ifndef STRESS_ORACLE_FINDING_H
#define STRESS_ORACLE_FINDING_H

#include <stddef.h>

/*
 * Whoever collects crashes tells one bug from another by a line of the log and
 * by the innermost functions of a stack. So each sentence of the oracle, of the
 * core and of the machine belongs to a kind, each kind has a function of its
 * own, finding_NAME(), and what ends a program because of a finding is called
 * from there, by way of one of 400 functions that the whole sentence
 * chooses. Two inputs that find one bug have one sentence, once numbers and
 * names are out of it, and the same two frames. For programs on the build
 * machine.
 */

/*
 * @sentence with "#" for each number or address, "task" for A or J, "page" for
 * l0 or p3. Writes at most @size bytes with the NUL, and cuts what is longer.
 */
void finding_normalise(char *buf, size_t size, const char *sentence);

/* NAME of the finding_NAME() that @sentence belongs to; "another": to none. */
const char *finding_kind(const char *sentence);

/* "assertion failed: " and the normalised sentence, a line, to @fd. */
void finding_print(int fd, const char *sentence);

/* Call @end in the frames of @sentence. Returns if @end does. */
void finding_end(const char *sentence, void (*end)(void));

#endif
