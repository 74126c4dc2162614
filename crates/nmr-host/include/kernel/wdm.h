/*
 * wdm.h: what network modules use of the kernel besides the NMR, for a process, so that their sources are
 * compiled as they are. It is as much as they use, and no more.
 *
 *   pool                 blocks of the quarantine: early frees, late touches, wrong tags, leaks
 *   locks of all kinds   known to the registrar, for its rules about locks and levels
 *   waits, paged pool    reported in a callback at DISPATCH_LEVEL (V-52)
 *   work items           threads. One of ExQueueWorkItem must have returned at an unload (V-83); one
 *                        of an I/O work item keeps the driver
 *   IRQL                 the simulated one of the registrar
 *
 * A misuse of the kernel itself (a wrong tag, a lock that is not held) ends the process with a line on
 * standard error. nmr_kernel.h has what a test asks.
 */
#ifndef NMR_KERNEL_WDM_H
#define NMR_KERNEL_WDM_H

#include "ntdef.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The function of this name is exported with a prefix, so that a program may have its own. */
#define NMR_KERNEL(name) __asm__("nmr_kernel_" #name)

/* ---- Memory ---------------------------------------------------------------------------------- */

/* In the convention of the compiler, which nmr_convention.h leads to the right functions. */
int memcmp(const void *, const void *, size_t);
void *memcpy(void *, const void *, size_t);
void *memmove(void *, const void *, size_t);
void *memset(void *, int, size_t);
size_t strlen(const char *);

#define RtlZeroMemory(to, size) ((VOID)memset((to), 0, (size)))
#define RtlSecureZeroMemory(to, size) RtlZeroMemory(to, size)
#define RtlFillMemory(to, size, byte) ((VOID)memset((to), (byte), (size)))
#define RtlCopyMemory(to, from, size) ((VOID)memcpy((to), (from), (size)))
#define RtlMoveMemory(to, from, size) ((VOID)memmove((to), (from), (size)))
#define RtlCopyBytes RtlCopyMemory
#define RtlZeroBytes RtlZeroMemory
#define RtlEqualMemory(a, b, size) (memcmp((a), (b), (size)) == 0)
#define IsEqualGUID(a, b) RtlEqualMemory((a), (b), sizeof(GUID))
#define InlineIsEqualGUID IsEqualGUID
#define ZeroMemory RtlZeroMemory
#define CopyMemory RtlCopyMemory

static inline SIZE_T RtlCompareMemory(const VOID *A, const VOID *B, SIZE_T Length)
{
    SIZE_T i = 0;
    while (i < Length && ((const UCHAR *)A)[i] == ((const UCHAR *)B)[i]) {
        i++;
    }
    return i;
}

typedef enum _POOL_TYPE {
    NonPagedPool = 0,
    PagedPool = 1,
    NonPagedPoolNx = 512,
    NonPagedPoolNxCacheAligned = 516,
    NonPagedPoolCacheAligned = 4
} POOL_TYPE;

typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_UNINITIALIZED 0x2ULL
#define POOL_FLAG_CACHE_ALIGNED 0x8ULL
#define POOL_FLAG_NON_PAGED 0x40ULL
#define POOL_FLAG_PAGED 0x100ULL

PVOID NMR_HOST_NT ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
    NMR_KERNEL(ExAllocatePool2);
VOID NMR_HOST_NT ExFreePoolWithTag(PVOID P, ULONG Tag) NMR_KERNEL(ExFreePoolWithTag);

static inline VOID ExFreePool(PVOID P)
{
    ExFreePoolWithTag(P, 0);
}

static inline POOL_FLAGS nmr_kernel_pool_flags(POOL_TYPE Type)
{
    return Type == PagedPool ? POOL_FLAG_PAGED : POOL_FLAG_NON_PAGED;
}

static inline PVOID ExAllocatePoolUninitialized(POOL_TYPE Type, SIZE_T NumberOfBytes, ULONG Tag)
{
    return ExAllocatePool2(nmr_kernel_pool_flags(Type) | POOL_FLAG_UNINITIALIZED, NumberOfBytes, Tag);
}

static inline PVOID ExAllocatePoolZero(POOL_TYPE Type, SIZE_T NumberOfBytes, ULONG Tag)
{
    return ExAllocatePool2(nmr_kernel_pool_flags(Type), NumberOfBytes, Tag);
}

#define ExAllocatePoolWithTag ExAllocatePoolUninitialized

/* ---- Levels ---------------------------------------------------------------------------------- */

#define PASSIVE_LEVEL 0
#define APC_LEVEL 1
#define DISPATCH_LEVEL 2

KIRQL NMR_HOST_NT KeGetCurrentIrql(VOID) NMR_KERNEL(KeGetCurrentIrql);
KIRQL NMR_HOST_NT KfRaiseIrql(KIRQL NewIrql) NMR_KERNEL(KfRaiseIrql);
VOID NMR_HOST_NT KeLowerIrql(KIRQL NewIrql) NMR_KERNEL(KeLowerIrql);

#define KeRaiseIrql(level, old) ((VOID)(*(old) = KfRaiseIrql(level)))

static inline KIRQL KeRaiseIrqlToDpcLevel(VOID)
{
    return KfRaiseIrql(DISPATCH_LEVEL);
}

#define KeEnterCriticalRegion() ((VOID)0)
#define KeLeaveCriticalRegion() ((VOID)0)
#define KeEnterGuardedRegion() ((VOID)0)
#define KeLeaveGuardedRegion() ((VOID)0)

/* ---- Locks ----------------------------------------------------------------------------------- */

typedef ULONG_PTR KSPIN_LOCK, *PKSPIN_LOCK;
typedef ULONG_PTR EX_SPIN_LOCK, *PEX_SPIN_LOCK;
typedef ULONG_PTR EX_PUSH_LOCK, *PEX_PUSH_LOCK;

typedef struct _FAST_MUTEX {
    ULONG_PTR Lock;
    ULONG_PTR OldIrql;
} FAST_MUTEX, *PFAST_MUTEX;

typedef struct _KLOCK_QUEUE_HANDLE {
    PKSPIN_LOCK Lock;
    KIRQL OldIrql;
} KLOCK_QUEUE_HANDLE, *PKLOCK_QUEUE_HANDLE;

#define KeInitializeSpinLock(lock) ((VOID)(*(lock) = 0))
#define ExInitializePushLock(lock) ((VOID)(*(lock) = 0))
#define FltInitializePushLock ExInitializePushLock
#define FltDeletePushLock(lock) ((VOID)(lock))
#define ExInitializeFastMutex(mutex) ((VOID)((mutex)->Lock = 0))

KIRQL NMR_HOST_NT KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK Lock)
    NMR_KERNEL(KeAcquireSpinLockRaiseToDpc);
VOID NMR_HOST_NT KeReleaseSpinLock(PKSPIN_LOCK Lock, KIRQL NewIrql) NMR_KERNEL(KeReleaseSpinLock);
VOID NMR_HOST_NT KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK Lock)
    NMR_KERNEL(KeAcquireSpinLockAtDpcLevel);
VOID NMR_HOST_NT KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK Lock)
    NMR_KERNEL(KeReleaseSpinLockFromDpcLevel);
KIRQL NMR_HOST_NT ExAcquireSpinLockShared(PEX_SPIN_LOCK Lock) NMR_KERNEL(ExAcquireSpinLockShared);
VOID NMR_HOST_NT ExAcquirePushLockExclusive(PEX_PUSH_LOCK Lock)
    NMR_KERNEL(ExAcquirePushLockExclusive);
VOID NMR_HOST_NT ExAcquirePushLockShared(PEX_PUSH_LOCK Lock) NMR_KERNEL(ExAcquirePushLockShared);
VOID NMR_HOST_NT nmr_kernel_release(PEX_PUSH_LOCK Lock) NMR_KERNEL(ExReleasePushLock);
VOID NMR_HOST_NT ExAcquireFastMutex(PFAST_MUTEX Mutex) NMR_KERNEL(ExAcquireFastMutex);
VOID NMR_HOST_NT ExReleaseFastMutex(PFAST_MUTEX Mutex) NMR_KERNEL(ExReleaseFastMutex);

#define KeAcquireSpinLock(lock, old) ((VOID)(*(old) = KeAcquireSpinLockRaiseToDpc(lock)))
#define ExAcquireSpinLockExclusive KeAcquireSpinLockRaiseToDpc
#define ExReleaseSpinLockExclusive KeReleaseSpinLock
#define ExReleaseSpinLockShared KeReleaseSpinLock
#define ExReleasePushLock nmr_kernel_release
#define ExReleasePushLockExclusive nmr_kernel_release
#define ExReleasePushLockShared nmr_kernel_release
#define FltAcquirePushLockExclusive ExAcquirePushLockExclusive
#define FltAcquirePushLockShared ExAcquirePushLockShared
#define FltReleasePushLock nmr_kernel_release

static inline VOID KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK Lock, PKLOCK_QUEUE_HANDLE Handle)
{
    Handle->Lock = Lock;
    Handle->OldIrql = KeAcquireSpinLockRaiseToDpc(Lock);
}

static inline VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE Handle)
{
    KeReleaseSpinLock(Handle->Lock, Handle->OldIrql);
}

/* ---- What threads wait for ------------------------------------------------------------------- */

typedef enum _EVENT_TYPE {
    NotificationEvent,
    SynchronizationEvent
} EVENT_TYPE;

typedef enum _KWAIT_REASON {
    Executive,
    UserRequest = 6
} KWAIT_REASON;

typedef struct _KEVENT {
    LONG Kind;
    LONG Signal;
    ULONG64 Owner;
} KEVENT, *PKEVENT, *PRKEVENT, KMUTEX, *PKMUTEX, *PRKMUTEX;

#define IO_NO_INCREMENT 0

static inline VOID KeInitializeEvent(PKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    Event->Kind = (LONG)Type;
    Event->Signal = State;
    Event->Owner = 0;
}

static inline VOID KeInitializeMutex(PKMUTEX Mutex, ULONG Level)
{
    UNREFERENCED_PARAMETER(Level);
    Mutex->Kind = SynchronizationEvent + 1;
    Mutex->Signal = 0;
    Mutex->Owner = 0;
}

LONG NMR_HOST_NT KeSetEvent(PKEVENT Event, KPRIORITY Increment, BOOLEAN Wait) NMR_KERNEL(KeSetEvent);
LONG NMR_HOST_NT KeResetEvent(PKEVENT Event) NMR_KERNEL(KeResetEvent);
LONG NMR_HOST_NT KeReleaseMutex(PKMUTEX Mutex, BOOLEAN Wait) NMR_KERNEL(KeReleaseMutex);
NTSTATUS NMR_HOST_NT KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason,
                                           KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                                           PLARGE_INTEGER Timeout) NMR_KERNEL(KeWaitForSingleObject);
NTSTATUS NMR_HOST_NT KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                                            PLARGE_INTEGER Interval)
    NMR_KERNEL(KeDelayExecutionThread);
VOID NMR_HOST_NT KeQuerySystemTimePrecise(PLARGE_INTEGER Time) NMR_KERNEL(KeQuerySystemTimePrecise);

#define KeQuerySystemTime KeQuerySystemTimePrecise
#define KeClearEvent(event) ((VOID)KeResetEvent(event))
#define KeReadStateEvent(event) (__atomic_load_n(&(event)->Signal, __ATOMIC_ACQUIRE))
#define KeWaitForMutexObject KeWaitForSingleObject

/* ---- Run-down protection --------------------------------------------------------------------- */

typedef struct _EX_RUNDOWN_REF {
    union {
        ULONG_PTR Count;
        PVOID Ptr;
    };
} EX_RUNDOWN_REF, *PEX_RUNDOWN_REF, EX_RUNDOWN_REF_CACHE_AWARE, *PEX_RUNDOWN_REF_CACHE_AWARE;

BOOLEAN NMR_HOST_NT ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
    NMR_KERNEL(ExAcquireRundownProtectionEx);
VOID NMR_HOST_NT ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
    NMR_KERNEL(ExReleaseRundownProtectionEx);
VOID NMR_HOST_NT ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
    NMR_KERNEL(ExWaitForRundownProtectionRelease);
VOID NMR_HOST_NT ExRundownCompleted(PEX_RUNDOWN_REF RunRef) NMR_KERNEL(ExRundownCompleted);

#define ExInitializeRundownProtection(reference) ((VOID)((reference)->Count = 0))
#define ExReInitializeRundownProtection ExInitializeRundownProtection
#define ExAcquireRundownProtection(reference) ExAcquireRundownProtectionEx((reference), 1)
#define ExReleaseRundownProtection(reference) ExReleaseRundownProtectionEx((reference), 1)
#define ExInitializeRundownProtectionCacheAware(reference, size) \
    ((VOID)(size), ExInitializeRundownProtection(reference))
#define ExReInitializeRundownProtectionCacheAware ExInitializeRundownProtection
#define ExAcquireRundownProtectionCacheAware ExAcquireRundownProtection
#define ExReleaseRundownProtectionCacheAware ExReleaseRundownProtection
#define ExAcquireRundownProtectionCacheAwareEx ExAcquireRundownProtectionEx
#define ExReleaseRundownProtectionCacheAwareEx ExReleaseRundownProtectionEx
#define ExWaitForRundownProtectionReleaseCacheAware ExWaitForRundownProtectionRelease
#define ExRundownCompletedCacheAware ExRundownCompleted

#define NMR_KERNEL_RUNDOWN_TAG 0x6e757252u /* "Rrun" */

static inline PEX_RUNDOWN_REF_CACHE_AWARE ExAllocateCacheAwareRundownProtection(POOL_TYPE PoolType,
                                                                                ULONG PoolTag)
{
    UNREFERENCED_PARAMETER(PoolTag);
    return (PEX_RUNDOWN_REF)ExAllocatePool2(nmr_kernel_pool_flags(PoolType), sizeof(EX_RUNDOWN_REF),
                                            NMR_KERNEL_RUNDOWN_TAG);
}

static inline VOID ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExFreePoolWithTag(RunRefCacheAware, NMR_KERNEL_RUNDOWN_TAG);
}

/* ---- Drivers, devices, work items ------------------------------------------------------------ */

typedef struct _DEVICE_OBJECT *PDEVICE_OBJECT;
typedef struct _DRIVER_OBJECT *PDRIVER_OBJECT;
typedef struct _IO_WORKITEM *PIO_WORKITEM;

typedef NTSTATUS NTAPI DRIVER_INITIALIZE(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath);
typedef DRIVER_INITIALIZE *PDRIVER_INITIALIZE;
typedef VOID NTAPI DRIVER_UNLOAD(PDRIVER_OBJECT DriverObject);
typedef DRIVER_UNLOAD *PDRIVER_UNLOAD;
typedef VOID NTAPI IO_WORKITEM_ROUTINE(PDEVICE_OBJECT DeviceObject, PVOID Context);
typedef IO_WORKITEM_ROUTINE *PIO_WORKITEM_ROUTINE;
typedef VOID NTAPI IO_WORKITEM_ROUTINE_EX(PVOID IoObject, PVOID Context, PIO_WORKITEM IoWorkItem);
typedef IO_WORKITEM_ROUTINE_EX *PIO_WORKITEM_ROUTINE_EX;
typedef VOID NTAPI WORKER_THREAD_ROUTINE(PVOID Parameter);
typedef WORKER_THREAD_ROUTINE *PWORKER_THREAD_ROUTINE;

typedef struct _DRIVER_OBJECT {
    PDEVICE_OBJECT DeviceObject;
    PDRIVER_UNLOAD DriverUnload;
} DRIVER_OBJECT;

typedef struct _DEVICE_OBJECT {
    PDRIVER_OBJECT DriverObject;
    PVOID DeviceExtension;
} DEVICE_OBJECT;

typedef enum _WORK_QUEUE_TYPE {
    CriticalWorkQueue,
    DelayedWorkQueue,
    HyperCriticalWorkQueue,
    NormalWorkQueue
} WORK_QUEUE_TYPE;

typedef struct _WORK_QUEUE_ITEM {
    LIST_ENTRY List;
    PWORKER_THREAD_ROUTINE WorkerRoutine;
    PVOID Parameter;
} WORK_QUEUE_ITEM, *PWORK_QUEUE_ITEM;

/* The object is the device or, as IoInitializeWorkItem allows, the driver. */
PIO_WORKITEM NMR_HOST_NT nmr_kernel_allocate_work_item(PVOID IoObject)
    NMR_KERNEL(IoAllocateWorkItem);
VOID NMR_HOST_NT IoFreeWorkItem(PIO_WORKITEM IoWorkItem) NMR_KERNEL(IoFreeWorkItem);
VOID NMR_HOST_NT nmr_kernel_io_queue(PIO_WORKITEM Item, VOID (*Routine)(VOID), PVOID Context,
                                     LONG Convention);
VOID NMR_HOST_NT nmr_kernel_ex_queue(VOID (*Routine)(VOID), PVOID Parameter, LONG Convention);

#define IoAllocateWorkItem(object) nmr_kernel_allocate_work_item(object)
#define IoQueueWorkItem(item, routine, queue, context)                                       \
    nmr_kernel_io_queue((item), nmr_kernel_io_routine(routine), (context), NMR_HOST_CALLBACKS)
#define IoQueueWorkItemEx(item, routine, queue, context)                                     \
    nmr_kernel_io_queue((item), nmr_kernel_io_routine_ex(routine), (context), NMR_HOST_CALLBACKS)
#define ExInitializeWorkItem(item, routine, parameter) \
    ((VOID)((item)->WorkerRoutine = (routine), (item)->Parameter = (parameter)))
#define ExQueueWorkItem(item, queue)                                                         \
    nmr_kernel_ex_queue((VOID(*)(VOID))(item)->WorkerRoutine, (item)->Parameter, NMR_HOST_CALLBACKS)

static inline VOID (*nmr_kernel_io_routine(PIO_WORKITEM_ROUTINE Routine))(VOID)
{
    return (VOID(*)(VOID))Routine;
}

static inline VOID (*nmr_kernel_io_routine_ex(PIO_WORKITEM_ROUTINE_EX Routine))(VOID)
{
    return (VOID(*)(VOID))Routine;
}

/* ---- The registry ---------------------------------------------------------------------------- */

#define REG_NONE 0
#define REG_SZ 1
#define REG_EXPAND_SZ 2
#define REG_BINARY 3
#define REG_DWORD 4
#define REG_QWORD 11

#define RTL_REGISTRY_ABSOLUTE 0
#define RTL_QUERY_REGISTRY_SUBKEY 0x1
#define RTL_QUERY_REGISTRY_TOPKEY 0x2
#define RTL_QUERY_REGISTRY_REQUIRED 0x4
#define RTL_QUERY_REGISTRY_NOVALUE 0x8
#define RTL_QUERY_REGISTRY_NOEXPAND 0x10
#define RTL_QUERY_REGISTRY_DIRECT 0x20

typedef NTSTATUS NTAPI RTL_QUERY_REGISTRY_ROUTINE(PWSTR ValueName, ULONG ValueType, PVOID ValueData,
                                                  ULONG ValueLength, PVOID Context,
                                                  PVOID EntryContext);
typedef RTL_QUERY_REGISTRY_ROUTINE *PRTL_QUERY_REGISTRY_ROUTINE;

typedef struct _RTL_QUERY_REGISTRY_TABLE {
    PRTL_QUERY_REGISTRY_ROUTINE QueryRoutine;
    ULONG Flags;
    PWSTR Name;
    PVOID EntryContext;
    ULONG DefaultType;
    PVOID DefaultData;
    ULONG DefaultLength;
} RTL_QUERY_REGISTRY_TABLE, *PRTL_QUERY_REGISTRY_TABLE;

NTSTATUS NMR_HOST_NT nmr_kernel_query_registry(ULONG RelativeTo, PCWSTR Path,
                                               PRTL_QUERY_REGISTRY_TABLE QueryTable, PVOID Context,
                                               LONG Convention);

/* Absolute paths, subkeys and routines; anything else is STATUS_NOT_SUPPORTED. */
static inline NTSTATUS RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path,
                                              PRTL_QUERY_REGISTRY_TABLE QueryTable, PVOID Context,
                                              PVOID Environment)
{
    UNREFERENCED_PARAMETER(Environment);
    return nmr_kernel_query_registry(RelativeTo, Path, QueryTable, Context, NMR_HOST_CALLBACKS);
}

/* ---- Interlocked operations ------------------------------------------------------------------ */

#define InterlockedIncrement(target) __atomic_add_fetch((target), 1, __ATOMIC_SEQ_CST)
#define InterlockedDecrement(target) __atomic_sub_fetch((target), 1, __ATOMIC_SEQ_CST)
#define InterlockedAdd(target, value) __atomic_add_fetch((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedExchange(target, value) __atomic_exchange_n((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedExchangeAdd(target, value) \
    __atomic_fetch_add((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedOr(target, value) __atomic_fetch_or((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedAnd(target, value) __atomic_fetch_and((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedCompareExchange(target, value, comparand) \
    __sync_val_compare_and_swap((target), (comparand), (value))
#define InterlockedIncrement64 InterlockedIncrement
#define InterlockedDecrement64 InterlockedDecrement
#define InterlockedAdd64 InterlockedAdd
#define InterlockedExchange64 InterlockedExchange
#define InterlockedCompareExchange64 InterlockedCompareExchange
#define InterlockedExchangePointer InterlockedExchange
#define InterlockedCompareExchangePointer InterlockedCompareExchange
#define ReadAcquire(source) __atomic_load_n((source), __ATOMIC_ACQUIRE)
#define ReadNoFence(source) __atomic_load_n((source), __ATOMIC_RELAXED)
#define ReadPointerAcquire ReadAcquire
#define ReadPointerNoFence ReadNoFence
#define WriteRelease(target, value) __atomic_store_n((target), (value), __ATOMIC_RELEASE)
#define WriteNoFence(target, value) __atomic_store_n((target), (value), __ATOMIC_RELAXED)
#define WritePointerRelease WriteRelease
#define WritePointerNoFence WriteNoFence
#define KeMemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define MemoryBarrier KeMemoryBarrier

/* ---- Output, assertions ---------------------------------------------------------------------- */

#define DPFLTR_IHVNETWORK_ID 79
#define DPFLTR_IHVDRIVER_ID 77
#define DPFLTR_ERROR_LEVEL 0
#define DPFLTR_WARNING_LEVEL 1
#define DPFLTR_TRACE_LEVEL 2
#define DPFLTR_INFO_LEVEL 3

ULONG NMR_HOST_NT DbgPrint(PCSTR Format, ...) NMR_KERNEL(DbgPrint);
ULONG NMR_HOST_NT DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
    NMR_KERNEL(DbgPrintEx);
VOID NMR_HOST_NT RtlAssert(PCSTR FailedAssertion, PCSTR FileName, ULONG LineNumber, PCSTR Message)
    NMR_KERNEL(RtlAssert);
DECLSPEC_NORETURN VOID NMR_HOST_NT KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR P1, ULONG_PTR P2,
                                                ULONG_PTR P3, ULONG_PTR P4) NMR_KERNEL(KeBugCheckEx);

#define KeBugCheck(code) KeBugCheckEx((code), 0, 0, 0, 0)
#define RtlFailFast(code) KeBugCheckEx(0x139, (code), 0, 0, 0)
#define KdPrint(arguments) ((VOID)DbgPrint arguments)
#define KdPrintEx(arguments) ((VOID)DbgPrintEx arguments)

/* As in a checked build. */
#define DBG 1
#define NT_VERIFY(expression) \
    ((expression) ? 1 : (RtlAssert(#expression, __FILE__, __LINE__, NULL), 0))
#define NT_ASSERT(expression) \
    ((VOID)((expression) ? 1 : (RtlAssert(#expression, __FILE__, __LINE__, NULL), 0)))
#define NT_FRE_ASSERT NT_ASSERT
#define NT_ASSERTMSG(message, expression) \
    ((VOID)((expression) ? 1 : (RtlAssert(#expression, __FILE__, __LINE__, (message)), 0)))
#define ASSERT NT_ASSERT
#define ASSERTMSG NT_ASSERTMSG
#define PAGED_CODE() NT_ASSERT(KeGetCurrentIrql() <= APC_LEVEL)
#define PAGED_CODE_LOCKED()
#define NT_ANALYSIS_ASSUME(expression) ((VOID)0)

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* NMR_KERNEL_WDM_H */
