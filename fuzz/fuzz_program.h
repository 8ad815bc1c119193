/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_FUZZ_PROGRAM_H
#define FUZZ_FUZZ_PROGRAM_H

/*
 * A fuzz input is an op program, as bytes or as .hmt text. Runs it on the
 * simulated machine under the oracle and aborts with one sentence if it finds
 * a bug. @kinds: one bit for each enum op_kind that the target is about; an
 * input with any other operation is not taken into the corpus. Returns what
 * LLVMFuzzerTestOneInput() returns.
 */

#include <stddef.h>
#include <stdint.h>

#include "stress/oracle/exec.h"

#define FUZZ_ALL_KINDS UINT32_MAX

/* For those who doubt the quick look: HIGHMEM_LOOK=all, or =twice for both. */
enum exec_look fuzz_look(void);

/*
 * An input as a program that can run here. False: it is none, and whoever named
 * it, or wrote it as text, is told why.
 */
bool fuzz_load(struct program *program, const uint8_t *data, size_t size);

int fuzz_program(const uint8_t *data, size_t size, uint32_t kinds);

/* What libFuzzer and the replay engine call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
