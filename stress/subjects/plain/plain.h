/* SPDX-License-Identifier: MIT */
#ifndef STRESS_SUBJECTS_PLAIN_PLAIN_H
#define STRESS_SUBJECTS_PLAIN_PLAIN_H

/*
 * Any C file under the simulated machine, as it is.
 *
 * The file is compiled with clang's -fsanitize=thread, and linked without that
 * sanitizer's runtime: the calls that the compiler puts before each load and
 * store of memory that others can see come here instead (points.c), and those
 * in place of atomic operations (atomics.c). Each is a point of the simulated
 * machine, at which it may switch, interrupt or delay; a plain store waits in the
 * store buffer of its CPU like any other. What a task does to its own stack is no
 * point.
 *
 * The file's variables are in two sections, PLAIN_SECTIONS. They are as new at
 * each boot, and part of the machine's state; both cost as much as what was
 * written, not as much as there is (state.c).
 *
 * Between a call before an access and the next thing that happens, the access has
 * taken place. So whatever the file calls of its kernel, and whatever called the
 * file when that returns, begins with plain_settle().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the compiler is to put a file's variables: before the first of them. */
#define PLAIN_SECTIONS \
	_Pragma("clang section bss = \"subject_bss\" data = \"subject_data\"")

/* The last access has taken place. Any context, also when there was none. */
void plain_settle(void);

/*
 * From now on memory is as this CPU sees it, with the stores that wait in its
 * buffer; until plain_settle(). For code that reads and tells nobody.
 */
void plain_show_own_stores(void);

/*
 * What is from @from up to @to is read and written, and decides nothing on the
 * machine at hand: no points. One such range at a time.
 */
void plain_no_points(const void *from, const void *to);

/* ---- state.c: the file's variables ------------------------------------------------ */

/*
 * All as new. At the first call @init makes it so, and what it leaves behind is
 * what "new" means from then on. Ends the program with a sentence when something
 * was written that nobody was told of, so that one run would hear of another.
 */
void plain_boot(void (*init)(void));

/*
 * @size bytes at @addr are about to be written by something that the compiler
 * does not know of: a lock, a function of the kernel below.
 */
void plain_touch(const void *addr, size_t size);

/* Mix in what differs from a new machine's. */
uint64_t plain_hash(uint64_t hash);

/* Is it in one of the file's variables? */
bool plain_is_variable(const void *addr);

/* ---- words.c: names ------------------------------------------------------------------ */

/*
 * "pkmap_count[3]", "head.next": which variable of the file's is at @addr. NULL:
 * none. Valid until the next call.
 */
const char *plain_word(const void *addr);

/* ---- points.c, for atomics.c ------------------------------------------------------- */

/* Is an access there to be seen by the machine? Else it just happens. */
bool plain_is_point(const void *addr);

/* @caller is about to load, or store. */
void plain_load(const void *addr, unsigned int size, const void *caller);
void plain_store(void *addr, unsigned int size, const void *caller);

#endif
