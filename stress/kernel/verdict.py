# SPDX-License-Identifier: MIT
"""What came of one boot: an exit code, and one sentence unless all is well."""

# Of a kernel that ran, and ran no case.
ALL_SKIPPED = "every case was skipped: nothing was tested"

OK, USAGE, SKIPPED, HUNG, FAILED = 0, 1, 4, 70, 77

# isa-debug-exit: QEMU's status is 2 * value + 1 (core/ports/i686/i686.h).
STATUS_PASS, STATUS_FAIL, STATUS_STALL, STATUS_UNFIT = 33, 35, 37, 39


def judge_death(boot):
    """The kernel did not come to its own end."""
    ktap, where = boot.ktap, f"after {boot.ktap.count()} cases"
    if boot.status is None:
        return HUNG, f"the kernel hung {where}: it was stopped"
    if boot.status == STATUS_STALL:
        return HUNG, f"the kernel stalled {where}: {ktap.bail_out}"
    if boot.status == STATUS_UNFIT:
        return USAGE, f"the kernel refused to run: {ktap.bail_out}"
    if ktap.bail_out:
        return FAILED, f"the kernel died {where}: {ktap.bail_out}"
    if boot.status == 0:
        return FAILED, f"the kernel reset the PC {where} (triple fault?)"
    if boot.status not in (STATUS_PASS, STATUS_FAIL):
        said = boot.complaint.strip().split("\n")[0] or "it gave no reason"
        return USAGE, f"QEMU ended with status {boot.status}: {said}"
    return None


def judge(boot):
    """(code, sentence or None)"""
    ktap, death = boot.ktap, judge_death(boot)
    if death:
        return death
    wrong = ktap.inconsistency()
    if wrong:
        return FAILED, wrong
    if (boot.status == STATUS_PASS) == bool(ktap.failed):
        return FAILED, (f"QEMU's exit status {boot.status} contradicts "
                        f"{len(ktap.failed)} failed cases")
    if ktap.skip_all:
        return SKIPPED, ktap.skip_all
    if ktap.plan == 0:
        return USAGE, "no case has that text in its name"
    if ktap.failed:
        return FAILED, "failed: " + ", ".join(ktap.failed)
    if not ktap.passed:
        return SKIPPED, ALL_SKIPPED
    return OK, None
