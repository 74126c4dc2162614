/* What drivers do wrong with requests: each has a code. */
#include "wdm.h"

BOOLEAN LeaveBehind;

static DRIVER_CANCEL HoldLock;

static VOID HoldLock(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    (VOID)Complete(Irp, STATUS_CANCELLED, 0);
}

/* Leaves its pages locked. */
static NTSTATUS Locked(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG length = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    PMDL mdl = IoAllocateMdl(Irp->UserBuffer, length, FALSE, FALSE, NULL);
    if (mdl != NULL) {
        MmProbeAndLockPages(mdl, UserMode, IoWriteAccess);
        IoFreeMdl(mdl);
    }
    return Complete(Irp, STATUS_SUCCESS, 0);
}

NTSTATUS Mistake(PDEVICE_OBJECT Device, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    NTSTATUS status;
    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_TWICE:
        status = Complete(Irp, STATUS_SUCCESS, 0);
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return status;
    case IOCTL_FORGET:
    case IOCTL_FORGET_DIRECT:
        IoMarkIrpPending(Irp);
        return STATUS_PENDING;
    case IOCTL_UNMARKED:
        (VOID)Complete(Irp, STATUS_SUCCESS, 0);
        return STATUS_PENDING;
    case IOCTL_LOST:
        return STATUS_SUCCESS;
    case IOCTL_TOUCH:
        (VOID)Complete(Irp, STATUS_SUCCESS, 0);
        return Irp->IoStatus.Status;
    case IOCTL_LEAVE:
        LeaveBehind = TRUE;
        return Complete(Irp, STATUS_SUCCESS, 0);
    case IOCTL_DIFFERENT:
        (VOID)Complete(Irp, STATUS_SUCCESS, 0);
        return STATUS_UNSUCCESSFUL;
    case IOCTL_MORE:
        return Complete(Irp, STATUS_SUCCESS, 100);
    case IOCTL_HOLD_LOCK:
        IoMarkIrpPending(Irp);
        IoSetCancelRoutine(Irp, HoldLock);
        DbgPrint("waiting\n");
        return STATUS_PENDING;
    case IOCTL_CANCELABLE:
        IoSetCancelRoutine(Irp, HoldLock);
        return Complete(Irp, STATUS_SUCCESS, 0);
    case IOCTL_LOCKED:
        return Locked(Irp, Stack);
    case IOCTL_DELETE:
        IoDeleteDevice(Device);
        IoDeleteDevice(Device);
        return Complete(Irp, STATUS_SUCCESS, 0);
    case IOCTL_PROBE:
        ProbeForRead((PVOID)(ULONG_PTR)0xffff800000001000ULL, 16, 1);
        return Complete(Irp, STATUS_SUCCESS, 0);
    case IOCTL_MIDDLE: {
        NTSTATUS (*volatile Middle)(PDEVICE_OBJECT, PIRP) =
            (NTSTATUS(*)(PDEVICE_OBJECT, PIRP))((ULONG_PTR)Mistake + 4);
        return Middle(Device, Irp);
    }
    case IOCTL_ALIGNMENT:
        ProbeForWrite((PVOID)(ULONG_PTR)0x1001, 16, 8);
        return Complete(Irp, STATUS_SUCCESS, 0);
    default:
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}
