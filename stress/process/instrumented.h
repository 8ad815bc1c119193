/* SPDX-License-Identifier: MIT */
#ifndef STRESS_PROCESS_INSTRUMENTED_H
#define STRESS_PROCESS_INSTRUMENTED_H

/*
 * Call first in every program that a sanitizer or libFuzzer is to watch. If
 * the build was told to instrument (-DREQUIRE_ASAN, _UBSAN, _TSAN or
 * _LIBFUZZER, set by a --config or a variant) and this program or the core
 * inside it is not, says so in one sentence and exits with 1: a fuzzer that
 * sees nothing finds nothing, and would look healthy.
 *
 * Linking it also sets the sanitizers' options (exit code 77 on a finding,
 * stop at the first, symbols), since a test built by a transition gets no
 * environment. pre: no machine is up.
 */
void require_instrumented(void);

#endif
