/*
 * What these modules use of the kernel, for an ordinary process. In the place of the WDK's header,
 * which they find in a build for Windows. The types of the NMR's own header come with netioddk.h.
 *
 * A module that uses more of the kernel needs more here: a few lines for each service.
 */
#ifndef HOST_NTDDK_H
#define HOST_NTDDK_H

#include <nmr_host.h>

typedef UCHAR KIRQL;

#define STATUS_QUOTA_EXCEEDED ((NTSTATUS)0xC0000044)

/* Pool: filled with zeros, and in the quarantine, which knows who frees and touches a block. */
#define POOL_FLAG_NON_PAGED 0x40ULL
PVOID ExAllocatePool2(uint64_t Flags, size_t NumberOfBytes, ULONG Tag);
VOID ExFreePoolWithTag(PVOID P, ULONG Tag);

/* Spin locks: they raise the simulated IRQL, and the registrar is told of them. */
typedef struct {
    int Taken;
} KSPIN_LOCK;
VOID KeInitializeSpinLock(KSPIN_LOCK *SpinLock);
VOID KeAcquireSpinLock(KSPIN_LOCK *SpinLock, KIRQL *OldIrql);
VOID KeReleaseSpinLock(KSPIN_LOCK *SpinLock, KIRQL NewIrql);

/* The driver, as far as its entry point uses it. */
typedef struct _DRIVER_OBJECT DRIVER_OBJECT, *PDRIVER_OBJECT;
typedef struct _UNICODE_STRING *PUNICODE_STRING;
typedef NTSTATUS DRIVER_INITIALIZE(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath);
typedef VOID DRIVER_UNLOAD(PDRIVER_OBJECT DriverObject);
struct _DRIVER_OBJECT {
    DRIVER_UNLOAD *DriverUnload;
};

/* There is no debugger. */
ULONG DbgPrint(const char *Format, ...);

/* For the test. Makes the n-th allocation from now fail: 1 is the next one, and 0 takes it back. */
void host_fail_allocation(unsigned n);

/* How many allocations until the one that is to fail: 0 if there is none, or it was. */
unsigned host_failing_allocation(void);

/* How many blocks of pool were not freed. */
unsigned host_pool_blocks(void);

#endif
