/*
 * The kernel for modules, used right and, as the first argument says, wrong. Prints what is not so; a misuse
 * ends the process with a line on standard error.
 */
#include <stdio.h>
#include <string.h>

#include <nmr_host.h>
#include <nmr_kernel.h>
#include <ntifs.h>
#include <wsk.h>

static int failures;

#define CHECK(condition)                                  \
    do {                                                  \
        if (!(condition)) {                               \
            printf("%d: not so: %s\n", __LINE__, #condition); \
            failures++;                                   \
        }                                                 \
    } while (0)

static EX_PUSH_LOCK push_lock;
static KSPIN_LOCK spin_lock;
static FAST_MUTEX fast_mutex;
static KMUTEX mutex;
static KEVENT turn;
static LONG sum; /* under any of the locks */
static EX_RUNDOWN_REF rundown;

/* Adds 1 under each lock in turn, 100 times. */
static VOID add(PDEVICE_OBJECT device, PVOID context)
{
    int i;
    UNREFERENCED_PARAMETER(device);
    for (i = 0; i < 100; i++) {
        KIRQL irql;
        switch ((ULONG_PTR)context) {
        case 0:
            KeAcquireSpinLock(&spin_lock, &irql);
            CHECK(KeGetCurrentIrql() == DISPATCH_LEVEL && irql == PASSIVE_LEVEL);
            sum++;
            KeReleaseSpinLock(&spin_lock, irql);
            break;
        case 1:
            ExAcquirePushLockExclusive(&push_lock);
            sum++;
            ExReleasePushLockExclusive(&push_lock);
            break;
        case 2:
            ExAcquireFastMutex(&fast_mutex);
            CHECK(KeGetCurrentIrql() == APC_LEVEL);
            sum++;
            ExReleaseFastMutex(&fast_mutex);
            break;
        default:
            CHECK(KeWaitForMutexObject(&mutex, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
            CHECK(KeWaitForMutexObject(&mutex, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
            sum++;
            KeReleaseMutex(&mutex, FALSE);
            KeReleaseMutex(&mutex, FALSE);
        }
        CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
    }
}

static void locks_exclude(ULONG_PTR which)
{
    PIO_WORKITEM items[4];
    size_t i;
    sum = 0;
    for (i = 0; i < ARRAYSIZE(items); i++) {
        items[i] = IoAllocateWorkItem((PDEVICE_OBJECT)&sum);
        IoQueueWorkItem(items[i], add, DelayedWorkQueue, (PVOID)which);
    }
    nmr_kernel_drain();
    for (i = 0; i < ARRAYSIZE(items); i++) {
        IoFreeWorkItem(items[i]);
    }
    CHECK(sum == 400);
}

static VOID release(PVOID parameter)
{
    KeWaitForSingleObject(parameter, Executive, KernelMode, FALSE, NULL);
    ExReleaseRundownProtection(&rundown);
}

static void rundown_waits(void)
{
    WORK_QUEUE_ITEM item;
    ExInitializeRundownProtection(&rundown);
    CHECK(ExAcquireRundownProtection(&rundown));
    KeInitializeEvent(&turn, SynchronizationEvent, FALSE);
    ExInitializeWorkItem(&item, release, &turn);
    ExQueueWorkItem(&item, DelayedWorkQueue);
    KeSetEvent(&turn, IO_NO_INCREMENT, FALSE);
    ExWaitForRundownProtectionRelease(&rundown);
    CHECK(!ExAcquireRundownProtection(&rundown));
    ExReInitializeRundownProtection(&rundown);
    CHECK(ExAcquireRundownProtection(&rundown));
    ExReleaseRundownProtection(&rundown);
    nmr_kernel_drain();
}

static void events_are_set_and_taken(void)
{
    LARGE_INTEGER none = {.QuadPart = 0}, soon = {.QuadPart = -10};
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    CHECK(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &none) == STATUS_TIMEOUT);
    CHECK(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &soon) == STATUS_TIMEOUT);
    CHECK(KeSetEvent(&event, IO_NO_INCREMENT, FALSE) == 0);
    CHECK(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    CHECK(KeReadStateEvent(&event) == 1 && KeResetEvent(&event) == 1);
    KeInitializeEvent(&event, SynchronizationEvent, TRUE);
    CHECK(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    CHECK(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &none) == STATUS_TIMEOUT);
}

static void pool_is_counted(void)
{
    char *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, 'tseT');
    CHECK(block != NULL && block[0] == 0 && block[99] == 0);
    CHECK(nmr_kernel_pool_blocks() == 1);
    ExFreePoolWithTag(block, 'tseT');
    nmr_kernel_fail_allocation(2);
    block = ExAllocatePoolWithTag(PagedPool, 1, 'tseT');
    CHECK(block != NULL && nmr_kernel_will_fail_allocation());
    CHECK(ExAllocatePoolZero(NonPagedPoolNx, 1, 'tseT') == NULL);
    CHECK(!nmr_kernel_will_fail_allocation());
    ExFreePool(block);
    CHECK(nmr_kernel_pool_blocks() == 0);
}

static void lists_and_texts(void)
{
    struct {
        int number;
        LIST_ENTRY link;
    } one = {1, {0}}, two = {2, {0}};
    DECLARE_CONST_UNICODE_STRING(upper, L"ABC");
    UNICODE_STRING lower = RTL_CONSTANT_STRING(L"abc"), copy;
    WCHAR buffer[8];
    LIST_ENTRY list;
    InitializeListHead(&list);
    InsertTailList(&list, &one.link);
    InsertHeadList(&list, &two.link);
    CHECK(RemoveTailList(&list) == &one.link && !IsListEmpty(&list));
    CHECK(RemoveEntryList(&two.link) && IsListEmpty(&list));
    CHECK(RtlEqualUnicodeString(&upper, &lower, TRUE));
    CHECK(!RtlEqualUnicodeString(&upper, &lower, FALSE));
    RtlInitEmptyUnicodeString(&copy, buffer, sizeof buffer);
    RtlCopyUnicodeString(&copy, &lower);
    CHECK(RtlAppendUnicodeToString(&copy, L"def") == STATUS_SUCCESS && copy.Length == 12);
    CHECK(RtlAppendUnicodeToString(&copy, L"ghi") == STATUS_BUFFER_TOO_SMALL);
    CHECK(NPI_WSK_INTERFACE_ID.Data1 == 0x2227e803);
    DbgPrint("%5d|%-5u|%05x|%s|%.2s|%ws|%wZ|%c|%I64d|%hd|%*d|%%|%p\n", -12, 34, 0xab, "text", "text", L"wide",
             &copy, 'c', -5LL, 0x1fffe, 4, 7, (PVOID)0x1234);
}

static NTSTATUS attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
    UNREFERENCED_PARAMETER(binding);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(provider);
    return STATUS_NOINTERFACE;
}

static NTSTATUS detach(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    return STATUS_SUCCESS;
}

/* A spin lock is a level: the registrar sees a registration under it (V-10). */
static void a_registration_under_a_spin_lock(void)
{
    static const NPIID npi = {0x51d7a2b0, 0x0c3e, 0x4f4b, {1}};
    static const NPI_MODULEID id = {sizeof(NPI_MODULEID), MIT_GUID, {{0x44, 0, 0, {0}}}};
    static const NPI_CLIENT_CHARACTERISTICS characteristics = {
        0, sizeof characteristics, attach, detach, NULL,
        {0, sizeof(NPI_REGISTRATION_INSTANCE), &npi, &id, 0, NULL},
    };
    HANDLE handle;
    uint32_t rule = 0;
    KIRQL irql;
    KeAcquireSpinLock(&spin_lock, &irql);
    CHECK(NmrRegisterClient(&characteristics, &handle, &handle) == STATUS_SUCCESS);
    KeReleaseSpinLock(&spin_lock, irql);
    CHECK(nmr_host_report(0, &rule, NULL, 0) != 0 && rule == 10);
    CHECK(NmrDeregisterClient(handle) == STATUS_PENDING);
    CHECK(NmrWaitForClientDeregisterComplete(handle) == STATUS_SUCCESS);
    CHECK(nmr_host_finish() == 1);
}

static void misuse(const char *what)
{
    char *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 8, 'enOA');
    if (strcmp(what, "tag") == 0) {
        ExFreePoolWithTag(block, 'owTB');
    } else if (strcmp(what, "twice") == 0) {
        ExFreePool(block);
        ExFreePool(block);
    } else if (strcmp(what, "lock") == 0) {
        ExReleasePushLockShared(&push_lock);
    } else if (strcmp(what, "mutex") == 0) {
        KeReleaseMutex(&mutex, FALSE);
    } else if (strcmp(what, "rundown") == 0) {
        ExReleaseRundownProtection(&rundown);
    } else if (strcmp(what, "assert") == 0) {
        NT_ASSERT(block == NULL);
    } else if (strcmp(what, "paged") == 0) {
        KfRaiseIrql(DISPATCH_LEVEL);
        PAGED_CODE();
    } else if (strcmp(what, "bugcheck") == 0) {
        KeBugCheckEx(0xE2, 1, 2, 3, 4);
    } else if (strcmp(what, "leak") == 0) {
        printf("%zu left\n", nmr_kernel_finish());
    }
}

int main(int count, char **arguments)
{
    ULONG_PTR which;
    nmr_host_set_policy("memory=checked");
    KeInitializeMutex(&mutex, 0);
    ExInitializeFastMutex(&fast_mutex);
    if (count > 1) {
        misuse(arguments[1]);
        return 0;
    }
    for (which = 0; which < 4; which++) {
        locks_exclude(which);
    }
    rundown_waits();
    events_are_set_and_taken();
    pool_is_counted();
    lists_and_texts();
    CHECK(nmr_host_report_count() == 0);
    a_registration_under_a_spin_lock();
    CHECK(nmr_kernel_finish() == 0);
    printf("%d failures\n", failures);
    return failures;
}
