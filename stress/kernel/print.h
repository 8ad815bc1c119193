/* SPDX-License-Identifier: MIT */
#ifndef STRESS_KERNEL_PRINT_H
#define STRESS_KERNEL_PRINT_H

#include "stress/program/program.h"

/* As .hmt, each line behind "# hmt: ". */
void print_program(const struct program *program);

#endif
