/* A driver without a framework, for the tests of the loader: a device with a symbolic link, and requests of every
   method. */
#include "wdm.h"

/* The offsets that the loader uses are those of the headers. */
C_ASSERT(sizeof(IRP) == 0xd0);
C_ASSERT(FIELD_OFFSET(IRP, MdlAddress) == 0x08);
C_ASSERT(FIELD_OFFSET(IRP, AssociatedIrp.SystemBuffer) == 0x18);
C_ASSERT(FIELD_OFFSET(IRP, IoStatus.Status) == 0x30);
C_ASSERT(FIELD_OFFSET(IRP, IoStatus.Information) == 0x38);
C_ASSERT(FIELD_OFFSET(IRP, RequestorMode) == 0x40);
C_ASSERT(FIELD_OFFSET(IRP, StackCount) == 0x42);
C_ASSERT(FIELD_OFFSET(IRP, CurrentLocation) == 0x43);
C_ASSERT(FIELD_OFFSET(IRP, Cancel) == 0x44);
C_ASSERT(FIELD_OFFSET(IRP, CancelIrql) == 0x45);
C_ASSERT(FIELD_OFFSET(IRP, CancelRoutine) == 0x68);
C_ASSERT(FIELD_OFFSET(IRP, UserBuffer) == 0x70);
C_ASSERT(FIELD_OFFSET(IRP, Tail.Overlay.CurrentStackLocation) == 0xb8);
C_ASSERT(FIELD_OFFSET(IRP, Tail.Overlay.OriginalFileObject) == 0xc0);
C_ASSERT(sizeof(IO_STACK_LOCATION) == 0x48);
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Control) == 0x03);
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Parameters.DeviceIoControl.OutputBufferLength) == 0x08);
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Parameters.DeviceIoControl.InputBufferLength) == 0x10);
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Parameters.DeviceIoControl.IoControlCode) == 0x18);
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Parameters.DeviceIoControl.Type3InputBuffer) == 0x20);
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, DeviceObject) == 0x28);
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, FileObject) == 0x30);
C_ASSERT(sizeof(FILE_OBJECT) == 0xd8);
C_ASSERT(FIELD_OFFSET(FILE_OBJECT, DeviceObject) == 0x08);
C_ASSERT(FIELD_OFFSET(FILE_OBJECT, ReadAccess) == 0x4a);
C_ASSERT(FIELD_OFFSET(FILE_OBJECT, WriteAccess) == 0x4b);
C_ASSERT(sizeof(DEVICE_OBJECT) == 0x150);
C_ASSERT(FIELD_OFFSET(DEVICE_OBJECT, DriverObject) == 0x08);
C_ASSERT(FIELD_OFFSET(DEVICE_OBJECT, NextDevice) == 0x10);
C_ASSERT(FIELD_OFFSET(DEVICE_OBJECT, Flags) == 0x30);
C_ASSERT(FIELD_OFFSET(DEVICE_OBJECT, Characteristics) == 0x34);
C_ASSERT(FIELD_OFFSET(DEVICE_OBJECT, DeviceExtension) == 0x40);
C_ASSERT(FIELD_OFFSET(DEVICE_OBJECT, DeviceType) == 0x48);
C_ASSERT(FIELD_OFFSET(DEVICE_OBJECT, StackSize) == 0x4c);
C_ASSERT(sizeof(MDL) == 0x30);
C_ASSERT(FIELD_OFFSET(MDL, MdlFlags) == 0x0a);
C_ASSERT(FIELD_OFFSET(MDL, MappedSystemVa) == 0x18);
C_ASSERT(FIELD_OFFSET(MDL, StartVa) == 0x20);
C_ASSERT(FIELD_OFFSET(MDL, ByteCount) == 0x28);
C_ASSERT(FIELD_OFFSET(MDL, ByteOffset) == 0x2c);

/* The device extension: how often the device was opened, cleaned up and closed. */
typedef struct {
    LONG Opened;
    LONG Cleaned;
    LONG Closed;
    UCHAR Zero;
} EXTENSION;

static UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(L"\\Device\\NmrWdm");
static UNICODE_STRING LinkName = RTL_CONSTANT_STRING(L"\\DosDevices\\NmrWdm");

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static DRIVER_DISPATCH File;
static DRIVER_DISPATCH Control;

static NTSTATUS File(PDEVICE_OBJECT Device, PIRP Irp)
{
    EXTENSION *extension = Device->DeviceExtension;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    if (stack->DeviceObject != Device || stack->FileObject->DeviceObject != Device) {
        return Complete(Irp, STATUS_INTERNAL_ERROR, 0);
    }
    switch (stack->MajorFunction) {
    case IRP_MJ_CREATE:
        InterlockedIncrement(&extension->Opened);
        break;
    case IRP_MJ_CLEANUP:
        InterlockedIncrement(&extension->Cleaned);
        WaitingCleanup(stack->FileObject);
        QueueCleanup(stack->FileObject);
        break;
    default:
        InterlockedIncrement(&extension->Closed);
        break;
    }
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    switch (stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_BUFFERED:
    case IOCTL_IN_DIRECT:
    case IOCTL_OUT_DIRECT:
    case IOCTL_NEITHER:
    case IOCTL_MDLS:
        return Transfer(Irp, stack);
    case IOCTL_WAIT:
        return WaitingAdd(Irp);
    case IOCTL_WAKE:
        return WaitingWake(Irp, stack);
    case IOCTL_METHOD:
        /* Windows wants it to be set once; no request is in progress here. */
        Device->Flags &= ~(DO_BUFFERED_IO | DO_DIRECT_IO);
        Device->Flags |= *(ULONG *)Irp->AssociatedIrp.SystemBuffer & (DO_BUFFERED_IO | DO_DIRECT_IO);
        return Complete(Irp, STATUS_SUCCESS, 0);
    case IOCTL_QUEUE:
        return QueueAdd(Irp);
    case IOCTL_TAKE:
        return QueueTake(Irp);
    case IOCTL_CONTEXT:
        return QueueContext(Irp);
    case IOCTL_LIMITED:
        return QueueLimited(Irp);
    default:
        return Mistake(Device, Irp, stack);
    }
}

static VOID Unload(PDRIVER_OBJECT Driver)
{
    EXTENSION *extension = Driver->DeviceObject->DeviceExtension;
    DbgPrint("opened %d, cleaned up %d, closed %d\n", extension->Opened, extension->Cleaned,
             extension->Closed);
    if (LeaveBehind) {
        return;
    }
    IoDeleteSymbolicLink(&LinkName);
    IoDeleteDevice(Driver->DeviceObject);
}

/* Two devices that are made and deleted again: the list of the driver, and a name that is taken. */
static VOID TryDevices(PDRIVER_OBJECT Driver, PDEVICE_OBJECT First)
{
    PDEVICE_OBJECT second = NULL;
    PDEVICE_OBJECT none = NULL;
    NTSTATUS made = IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &second);
    NTSTATUS taken = IoCreateDevice(Driver, 0, &DeviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, &none);
    BOOLEAN right = FALSE;
    if (NT_SUCCESS(made)) {
        right = Driver->DeviceObject == second && second->NextDevice == First &&
                First->NextDevice == NULL && second->DeviceExtension == NULL &&
                second->DriverObject == Driver;
        IoDeleteDevice(second);
        right = right && Driver->DeviceObject == First;
        DbgPrint("devices: %s\n", right ? "right" : "wrong");
    }
    if (taken != STATUS_INSUFFICIENT_RESOURCES) {
        DbgPrint("taken name: %s\n", taken == STATUS_OBJECT_NAME_COLLISION ? "right" : "wrong");
    }
}

NTSTATUS DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT device;
    EXTENSION *extension;
    NTSTATUS status;
    UNREFERENCED_PARAMETER(RegistryPath);
    WaitingInitialize();
    status = QueueInitialize();
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = IoCreateDevice(Driver, sizeof(EXTENSION), &DeviceName, FILE_DEVICE_UNKNOWN,
                            FILE_DEVICE_SECURE_OPEN, FALSE, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = IoCreateSymbolicLink(&LinkName, &DeviceName);
    if (!NT_SUCCESS(status)) {
        IoDeleteDevice(device);
        return status;
    }
    extension = device->DeviceExtension;
    DbgPrint("extension: %s\n", extension->Opened == 0 && extension->Zero == 0 ? "right" : "wrong");
    TryDevices(Driver, device);
    DbgPrint("no link: %s\n",
             IoDeleteSymbolicLink(&DeviceName) == STATUS_OBJECT_NAME_NOT_FOUND ? "right" : "wrong");
    Driver->MajorFunction[IRP_MJ_CREATE] = File;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = File;
    Driver->MajorFunction[IRP_MJ_CLOSE] = File;
    Driver->MajorFunction[IRP_MJ_READ] = Store;
    Driver->MajorFunction[IRP_MJ_WRITE] = Store;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
