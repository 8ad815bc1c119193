/* SPDX-License-Identifier: MIT */
#ifndef STRESS_PROCESS_WRITE_WHOLE_H
#define STRESS_PROCESS_WRITE_WHOLE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * For last words on the build machine: both are made of open(), write(),
 * close() and unlink(), so they may be called from a signal handler, and go on after an
 * interrupted or a short write. They allocate nothing and leave errno as it
 * comes.
 */

/* True when all @len bytes are written. */
bool write_whole(int fd, const char *text, size_t len);

/*
 * Makes or replaces the regular file @path. False if it would not hold all of
 * @text: then there is none.
 */
bool write_whole_file(const char *path, const char *text, size_t len);

#endif
