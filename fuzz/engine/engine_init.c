/* SPDX-License-Identifier: MIT */
/*
 * Common to both engines. A fuzz target must not define this function itself:
 * the linker then refuses it, rather than let the check be lost.
 */
#include "fuzz/engine/arguments.h"
#include "stress/process/instrumented.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	require_instrumented();
	engine_read_arguments(*argc, *argv);
	return 0;
}
