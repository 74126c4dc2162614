/* Requests that wait until they are woken or canceled. */
#include "wdm.h"

static LIST_ENTRY Waiting;
static KSPIN_LOCK Lock;

static DRIVER_CANCEL Cancel;

VOID WaitingInitialize(VOID)
{
    InitializeListHead(&Waiting);
    KeInitializeSpinLock(&Lock);
}

static VOID Cancel(PDEVICE_OBJECT Device, PIRP Irp)
{
    KIRQL level;
    UNREFERENCED_PARAMETER(Device);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    KeAcquireSpinLock(&Lock, &level);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&Lock, level);
    (VOID)Complete(Irp, STATUS_CANCELLED, 0);
}

NTSTATUS WaitingAdd(PIRP Irp)
{
    KIRQL level;
    KeAcquireSpinLock(&Lock, &level);
    IoSetCancelRoutine(Irp, Cancel);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
        KeReleaseSpinLock(&Lock, level);
        return Complete(Irp, STATUS_CANCELLED, 0);
    }
    IoMarkIrpPending(Irp);
    InsertTailList(&Waiting, &Irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&Lock, level);
    DbgPrint("waiting\n");
    return STATUS_PENDING;
}

/* Takes a request that is not being canceled: that of a file, or any. */
static PIRP Take(PFILE_OBJECT File)
{
    KIRQL level;
    PLIST_ENTRY entry;
    PIRP found = NULL;
    KeAcquireSpinLock(&Lock, &level);
    for (entry = Waiting.Flink; entry != &Waiting && found == NULL; entry = entry->Flink) {
        PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
        BOOLEAN wanted =
            File == NULL || IoGetCurrentIrpStackLocation(irp)->FileObject == File;
        if (wanted && IoSetCancelRoutine(irp, NULL) != NULL) {
            found = irp;
        }
    }
    if (found != NULL) {
        RemoveEntryList(&found->Tail.Overlay.ListEntry);
    }
    KeReleaseSpinLock(&Lock, level);
    return found;
}

NTSTATUS WaitingWake(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    PIRP woken = Take(NULL);
    UNREFERENCED_PARAMETER(Stack);
    if (woken == NULL) {
        return Complete(Irp, STATUS_NO_MORE_ENTRIES, 0);
    }
    (VOID)Complete(woken, STATUS_SUCCESS, 0);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

VOID WaitingCleanup(PFILE_OBJECT File)
{
    PIRP irp;
    KIRQL level;
    IoAcquireCancelSpinLock(&level);
    if (level != PASSIVE_LEVEL || KeGetCurrentIrql() != DISPATCH_LEVEL) {
        DbgPrint("wrong: the cancel spin lock\n");
    }
    IoReleaseCancelSpinLock(level);
    while ((irp = Take(File)) != NULL) {
        (VOID)Complete(irp, STATUS_CANCELLED, 0);
    }
}
