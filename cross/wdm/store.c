/* Reads and writes, of 16 bytes that the driver keeps, by the method of the device. */
#include "wdm.h"

static UCHAR Bytes[16];

C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Parameters.Read.Length) == 0x08);
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Parameters.Read.ByteOffset) == 0x18);
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Parameters.Write.ByteOffset) == 0x18);

/* The program's bytes. */
static UCHAR *Buffer(PDEVICE_OBJECT Device, PIRP Irp)
{
    if (Device->Flags & DO_BUFFERED_IO) {
        return Irp->AssociatedIrp.SystemBuffer;
    }
    if (Device->Flags & DO_DIRECT_IO) {
        return MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority);
    }
    return Irp->UserBuffer;
}

NTSTATUS Store(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG length = stack->Parameters.Read.Length;
    LONGLONG offset = stack->Parameters.Read.ByteOffset.QuadPart;
    UCHAR *buffer;
    if (length == 0 || offset < 0 || offset >= (LONGLONG)sizeof(Bytes)) {
        return Complete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    if (length > sizeof(Bytes) - (ULONG)offset) {
        length = sizeof(Bytes) - (ULONG)offset;
    }
    buffer = Buffer(Device, Irp);
    if (buffer == NULL) {
        return Complete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    if (stack->MajorFunction == IRP_MJ_READ) {
        RtlCopyMemory(buffer, Bytes + offset, length);
    } else {
        RtlCopyMemory(Bytes + offset, buffer, length);
    }
    return Complete(Irp, STATUS_SUCCESS, length);
}
