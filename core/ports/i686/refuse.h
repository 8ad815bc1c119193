/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_REFUSE_H
#define CORE_PORTS_I686_REFUSE_H

/*
 * "Bail out!" with a sentence and nothing else: this PC, or what the command
 * line asks for, is nothing that can run. I686_EXIT_UNFIT.
 */
_Noreturn void i686_refuse(const char *format, ...);

#endif
