/* The kernel's services that ntddk.h declares. */
#include <ntddk.h>

#include <sched.h>
#include <string.h>

#define DISPATCH_LEVEL 2

static unsigned failing; /* these two by __atomic functions only */
static unsigned blocks;

/* Counts down to the allocation that is to fail, and tells whether it is this one. */
static bool fails(void)
{
    unsigned left = host_failing_allocation();
    while (left != 0) {
        if (__atomic_compare_exchange_n(&failing, &left, left - 1, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
            return left == 1;
        }
    }
    return false;
}

PVOID ExAllocatePool2(uint64_t Flags, size_t NumberOfBytes, ULONG Tag)
{
    PVOID block = fails() ? NULL : nmr_host_allocate(NumberOfBytes);
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(Tag);
    if (block != NULL) {
        memset(block, 0, NumberOfBytes);
        __atomic_add_fetch(&blocks, 1, __ATOMIC_SEQ_CST);
    }
    return block;
}

VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    __atomic_sub_fetch(&blocks, 1, __ATOMIC_SEQ_CST);
    nmr_host_free(P);
}

VOID KeInitializeSpinLock(KSPIN_LOCK *SpinLock)
{
    SpinLock->Taken = 0;
}

VOID KeAcquireSpinLock(KSPIN_LOCK *SpinLock, KIRQL *OldIrql)
{
    *OldIrql = nmr_host_irql();
    nmr_host_set_irql(DISPATCH_LEVEL);
    nmr_host_lock_acquiring(SpinLock);
    while (__atomic_exchange_n(&SpinLock->Taken, 1, __ATOMIC_ACQUIRE) != 0) {
        sched_yield();
    }
    nmr_host_lock_acquired(SpinLock);
}

VOID KeReleaseSpinLock(KSPIN_LOCK *SpinLock, KIRQL NewIrql)
{
    nmr_host_lock_released(SpinLock);
    __atomic_store_n(&SpinLock->Taken, 0, __ATOMIC_RELEASE);
    nmr_host_set_irql(NewIrql);
}

ULONG DbgPrint(const char *Format, ...)
{
    UNREFERENCED_PARAMETER(Format);
    return 0;
}

void host_fail_allocation(unsigned n)
{
    __atomic_store_n(&failing, n, __ATOMIC_SEQ_CST);
}

unsigned host_failing_allocation(void)
{
    return __atomic_load_n(&failing, __ATOMIC_SEQ_CST);
}

unsigned host_pool_blocks(void)
{
    return __atomic_load_n(&blocks, __ATOMIC_SEQ_CST);
}
