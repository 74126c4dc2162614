/*
 * What the modules of examples/c-module use of <ntddk.h>, for Windows on x64, in the place of the
 * WDK's header. With it they become an image, from the same sources as the program for Linux.
 */
#ifndef CROSS_C_NTDDK_H
#define CROSS_C_NTDDK_H

#define _NTDEF_ /* netioddk.h takes the types from here */
#include "../include/km/ntddk.h"

typedef PVOID HANDLE, *PHANDLE;
typedef struct _LUID {
    ULONG LowPart;
    LONG HighPart;
} LUID;

#define STATUS_QUOTA_EXCEEDED ((NTSTATUS)0xC0000044)
#define POOL_FLAG_NON_PAGED 0x40ULL

typedef ULONG_PTR KSPIN_LOCK;
KIRQL KeAcquireSpinLockRaiseToDpc(KSPIN_LOCK *SpinLock);
void KeReleaseSpinLock(KSPIN_LOCK *SpinLock, KIRQL NewIrql);
#define KeInitializeSpinLock(SpinLock) ((void)(*(SpinLock) = 0))
#define KeAcquireSpinLock(SpinLock, OldIrql) (*(OldIrql) = KeAcquireSpinLockRaiseToDpc(SpinLock))

#endif
