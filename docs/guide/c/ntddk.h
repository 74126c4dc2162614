/*
 * The few things of the WDK's ntddk.h that the drivers of the guide need, for a program on the embedded
 * registrar. A driver is compiled with the WDK's own header instead; nothing else in it changes.
 */
#ifndef GUIDE_NTDDK_H
#define GUIDE_NTDDK_H

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "netioddk.h"
#include "nmr_host.h"

typedef UCHAR KIRQL;
#define DISPATCH_LEVEL 2

/* ---- Pool -------------------------------------------------------------------------------------- */

#define POOL_FLAG_NON_PAGED 0x40

/*
 * Filled with zeros, as ExAllocatePool2 does it. The registrar's allocator knows who frees a block and
 * touches it afterwards.
 */
static inline PVOID ExAllocatePool2(uint64_t Flags, size_t NumberOfBytes, ULONG Tag)
{
    PVOID Pool = nmr_host_allocate(NumberOfBytes);

    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(Tag);
    return Pool == NULL ? NULL : memset(Pool, 0, NumberOfBytes);
}

static inline VOID ExFreePoolWithTag(PVOID Pool, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    nmr_host_free(Pool);
}

/* ---- Spin locks: they raise the IRQL, which the registrar checks ------------------------------- */

typedef atomic_flag KSPIN_LOCK;

static inline VOID KeInitializeSpinLock(KSPIN_LOCK *SpinLock)
{
    atomic_flag_clear(SpinLock);
}

static inline VOID KeAcquireSpinLock(KSPIN_LOCK *SpinLock, KIRQL *OldIrql)
{
    *OldIrql = nmr_host_irql();
    nmr_host_set_irql(DISPATCH_LEVEL);
    while (atomic_flag_test_and_set(SpinLock)) {
        sched_yield(); /* unlike in the kernel, the holder may have lost its processor */
    }
}

static inline VOID KeReleaseSpinLock(KSPIN_LOCK *SpinLock, KIRQL NewIrql)
{
    atomic_flag_clear(SpinLock);
    nmr_host_set_irql(NewIrql);
}

/* ---- Drivers ----------------------------------------------------------------------------------- */

typedef struct _UNICODE_STRING UNICODE_STRING, *PUNICODE_STRING;
typedef struct _DRIVER_OBJECT *PDRIVER_OBJECT;
typedef VOID DRIVER_UNLOAD(PDRIVER_OBJECT DriverObject);
typedef NTSTATUS DRIVER_INITIALIZE(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath);

typedef struct _DRIVER_OBJECT {
    DRIVER_UNLOAD *DriverUnload;
} DRIVER_OBJECT;

#endif
