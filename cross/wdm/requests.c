/* Requests that are answered at once, by each method. */
#include "wdm.h"

NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID Reverse(UCHAR *To, const UCHAR *From, ULONG Length)
{
    ULONG place;
    for (place = 0; place < Length; place++) {
        To[place] = From[Length - 1 - place];
    }
}

static VOID ReverseInPlace(UCHAR *Bytes, ULONG Length)
{
    ULONG place;
    for (place = 0; place < Length / 2; place++) {
        UCHAR byte = Bytes[place];
        Bytes[place] = Bytes[Length - 1 - place];
        Bytes[Length - 1 - place] = byte;
    }
}

/* The second buffer of the program, through its MDL. */
static UCHAR *Mapped(PIRP Irp)
{
    return MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority);
}

/* The buffers are the program's: the input is probed, the output locked. */
static NTSTATUS Neither(PIRP Irp, PIO_STACK_LOCATION Stack, ULONG Length)
{
    NTSTATUS status = STATUS_SUCCESS;
    UCHAR *to;
    PMDL mdl = IoAllocateMdl(Irp->UserBuffer, Length, FALSE, FALSE, NULL);
    if (mdl == NULL) {
        return Complete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    __try {
        ProbeForRead(Stack->Parameters.DeviceIoControl.Type3InputBuffer, Length, 1);
        ProbeForWrite(Irp->UserBuffer, Length, 1);
        MmProbeAndLockPages(mdl, UserMode, IoWriteAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    if (!NT_SUCCESS(status)) {
        IoFreeMdl(mdl);
        return Complete(Irp, status, 0);
    }
    to = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    if (to == NULL) {
        status = STATUS_INSUFFICIENT_RESOURCES;
    } else {
        Reverse(to, Stack->Parameters.DeviceIoControl.Type3InputBuffer, Length);
        MmUnmapLockedPages(to, mdl);
        if (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) {
            status = STATUS_INTERNAL_ERROR;
        }
    }
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
    return Complete(Irp, status, NT_SUCCESS(status) ? Length : 0);
}

/* The MDLs of a request are freed when it is completed. */
static NTSTATUS Mdls(PIRP Irp, PIO_STACK_LOCATION Stack, ULONG Length)
{
    PVOID input = Stack->Parameters.DeviceIoControl.Type3InputBuffer;
    PMDL first = IoAllocateMdl(input, Length, FALSE, FALSE, Irp);
    PMDL second = IoAllocateMdl(Irp->UserBuffer, Length, TRUE, FALSE, Irp);
    PMDL third = IoAllocateMdl(Irp->UserBuffer, Length, TRUE, FALSE, Irp);
    BOOLEAN right = Irp->MdlAddress == first && first != NULL && first->Next == second &&
                    second != NULL && second->Next == third;
    return Complete(Irp, right ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES, 0);
}

NTSTATUS Transfer(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG input = Stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG output = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    UCHAR *mapped;
    if (input == 0 || output < input) {
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    }
    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_BUFFERED:
        ReverseInPlace(Irp->AssociatedIrp.SystemBuffer, input);
        return Complete(Irp, STATUS_SUCCESS, input);
    case IOCTL_MDLS:
        return Mdls(Irp, Stack, input);
    case IOCTL_NEITHER:
        return Neither(Irp, Stack, input);
    case IOCTL_IN_DIRECT:
        mapped = Mapped(Irp);
        if (mapped == NULL) {
            return Complete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
        }
        /* The program's second buffer is an input, too. */
        DbgPrint("in direct: %.*s of %u, write %u\n", (int)input, mapped,
                 MmGetMdlByteCount(Irp->MdlAddress),
                 (Irp->MdlAddress->MdlFlags & MDL_WRITE_OPERATION) != 0);
        return Complete(Irp, STATUS_SUCCESS, 0);
    default:
        mapped = Mapped(Irp);
        if (mapped == NULL) {
            return Complete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
        }
        Reverse(mapped, Irp->AssociatedIrp.SystemBuffer, input);
        return Complete(Irp, STATUS_SUCCESS, input);
    }
}
