/* SPDX-License-Identifier: MIT */
#ifndef STRESS_PROGRAM_PROGRAM_FILE_H
#define STRESS_PROGRAM_PROGRAM_FILE_H

/* Programs that somebody gives to a command on the build machine. */

#include "stress/program/program.h"

/*
 * Read the program in the file @path, or on standard input if that is "-". With
 * @bytes it is what a fuzz target would make of the file; without, it is text, or
 * nothing. False: one sentence on stderr, which @who begins, says what is wrong.
 */
bool program_read(struct program *program, const char *path, bool bytes,
		  const char *who);

/* Is it the standard input? Then a file cannot be named again. */
bool program_file_is_stdin(const char *path);

/*
 * "printf '%s\n' 'machine ...' 'task A ...' | ", for a replay line of a program
 * that is in no file: what follows reads it from standard input. Returns false if
 * it does not fit. May be called from a signal handler.
 */
bool program_as_pipe(const struct program *program, char *buf, size_t size);

#endif
