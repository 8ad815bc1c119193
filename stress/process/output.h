/* SPDX-License-Identifier: MIT */
#ifndef STRESS_PROCESS_OUTPUT_H
#define STRESS_PROCESS_OUTPUT_H

/*
 * What a command on the build machine writes, so that a disk that is full or a
 * directory that is not there is said when it can be known, and costs no finding.
 */

#include <stdbool.h>
#include <stddef.h>

/*
 * A file that grows too large, and a reader that has gone, are errors of write()
 * from here on, not the end of the process.
 */
void output_outlive_errors(void);

/* Can a file be made and written in @dir? None remains. False sets errno. */
bool output_fits_in(const char *dir);

/*
 * Make or replace the file @path: all of @text is there, and on the disk, or the
 * file is as it was. What is no file (a pipe, a device) is written to. False sets
 * errno.
 */
bool output_save(const char *path, const char *text, size_t len);

/*
 * The status to end with after @status: what was said on stdout and did not get
 * there is a sentence of @who on stderr, and fine no more.
 */
int output_finish(const char *who, int status);

#endif
