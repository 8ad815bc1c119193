/* SPDX-License-Identifier: MIT */
/*
 * Common to both engines. A fuzz target must not define this function itself:
 * the linker then refuses it, rather than let the check be lost.
 */
#include "core/testing/instrumented.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	require_instrumented();
	return 0;
}
