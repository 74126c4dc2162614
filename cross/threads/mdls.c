/* An MDL over non-paged pool, and the clocks. */
#include "threads.h"

#define TAG 'lldM'

static VOID NonPaged(VOID)
{
    UCHAR *block = ExAllocatePoolWithTag(NonPagedPool, 5000, TAG);
    PMDL mdl;
    if (block == NULL) {
        return;
    }
    mdl = IoAllocateMdl(block + 10, 4990, FALSE, FALSE, NULL);
    if (mdl != NULL) {
        MmBuildMdlForNonPagedPool(mdl);
        Say("MDL", MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) == block + 10 &&
                       MmGetMdlByteCount(mdl) == 4990 && MmGetMdlVirtualAddress(mdl) == block + 10);
        IoFreeMdl(mdl);
    }
    ExFreePoolWithTag(block, TAG);
}

static VOID Clocks(VOID)
{
    LARGE_INTEGER frequency;
    LARGE_INTEGER before = KeQueryPerformanceCounter(&frequency);
    LARGE_INTEGER interval;
    LARGE_INTEGER after;
    interval.QuadPart = -10000;
    (VOID)KeDelayExecutionThread(KernelMode, FALSE, &interval);
    after = KeQueryPerformanceCounter(NULL);
    /* A millisecond, in steps of the counter. */
    Say("clocks", after.QuadPart - before.QuadPart >= frequency.QuadPart / 1000);
}

VOID Mdls(VOID)
{
    NonPaged();
    Clocks();
}
