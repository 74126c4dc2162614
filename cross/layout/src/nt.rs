//! The layouts of the kernel's structures that drivers of Windows 10 and 11 share with it, asserted when a
//! driver is compiled on Linux. The offsets are those of Microsoft's metadata of the WDK. That leaves out
//! what depends on the processor; there they are the published ones of x64: the alignment of
//! `DEVICE_OBJECT`, the packing of `CM_PARTIAL_RESOURCE_DESCRIPTOR`, and one field each of `ERESOURCE` and `KTIMER`.

use wdk_sys::*;

layout!(DEVICE_OBJECT: size 0x150 {
    Type @ 0, Size @ 0x02, ReferenceCount @ 0x04, DriverObject @ 0x08, NextDevice @ 0x10,
    AttachedDevice @ 0x18, CurrentIrp @ 0x20, Timer @ 0x28, Flags @ 0x30, Characteristics @ 0x34,
    Vpb @ 0x38, DeviceExtension @ 0x40, DeviceType @ 0x48, StackSize @ 0x4c, Queue @ 0x50,
    AlignmentRequirement @ 0x98, DeviceQueue @ 0xa0, Dpc @ 0xc8, ActiveThreadCount @ 0x108,
    SecurityDescriptor @ 0x110, DeviceLock @ 0x118, SectorSize @ 0x130,
    DeviceObjectExtension @ 0x138,
});
layout!(DISPATCHER_HEADER: size 0x18 {
    SignalState @ 0x04, WaitListHead @ 0x08,
});
layout!(DRIVER_EXTENSION: size 0x28 {
    DriverObject @ 0, AddDevice @ 0x08, Count @ 0x10, ServiceKeyName @ 0x18,
});
layout!(ERESOURCE: size 0x68 {
    SystemResourcesList @ 0, OwnerTable @ 0x10, ActiveCount @ 0x18, SharedWaiters @ 0x20,
    ExclusiveWaiters @ 0x28, OwnerEntry @ 0x30, ActiveEntries @ 0x40, ContentionCount @ 0x44,
    NumberOfSharedWaiters @ 0x48, NumberOfExclusiveWaiters @ 0x4c, SpinLock @ 0x60,
});
layout!(FAST_MUTEX: size 0x38 {
    Count @ 0, Owner @ 0x08, Contention @ 0x10, Event @ 0x18, OldIrql @ 0x30,
});
layout!(FILE_OBJECT: size 0xd8 {
    Type @ 0, Size @ 0x02, DeviceObject @ 0x08, Vpb @ 0x10, FsContext @ 0x18, FsContext2 @ 0x20,
    SectionObjectPointer @ 0x28, PrivateCacheMap @ 0x30, FinalStatus @ 0x38,
    RelatedFileObject @ 0x40, LockOperation @ 0x48, DeletePending @ 0x49, ReadAccess @ 0x4a,
    WriteAccess @ 0x4b, DeleteAccess @ 0x4c, SharedRead @ 0x4d, SharedWrite @ 0x4e,
    SharedDelete @ 0x4f, Flags @ 0x50, FileName @ 0x58, CurrentByteOffset @ 0x68, Waiters @ 0x70,
    Busy @ 0x74, LastLock @ 0x78, Lock @ 0x80, Event @ 0x98, CompletionContext @ 0xb0,
    IrpListLock @ 0xb8, IrpList @ 0xc0, FileObjectExtension @ 0xd0,
});
layout!(IO_STACK_LOCATION: size 0x48 {
    MajorFunction @ 0, MinorFunction @ 0x01, Flags @ 0x02, Control @ 0x03, Parameters @ 0x08,
    DeviceObject @ 0x28, FileObject @ 0x30, CompletionRoutine @ 0x38, Context @ 0x40,
});
layout!(IRP: size 0xd0 {
    Type @ 0, Size @ 0x02, MdlAddress @ 0x08, Flags @ 0x10, AssociatedIrp @ 0x18,
    ThreadListEntry @ 0x20, IoStatus @ 0x30, RequestorMode @ 0x40, PendingReturned @ 0x41,
    StackCount @ 0x42, CurrentLocation @ 0x43, Cancel @ 0x44, CancelIrql @ 0x45,
    ApcEnvironment @ 0x46, AllocationFlags @ 0x47, UserEvent @ 0x50, Overlay @ 0x58,
    CancelRoutine @ 0x68, UserBuffer @ 0x70, Tail @ 0x78,
});
layout!(KDEVICE_QUEUE: size 0x28 {
    Type @ 0, Size @ 0x02, DeviceListHead @ 0x08, Lock @ 0x18,
});
layout!(KDPC: size 0x40 {
    DpcListEntry @ 0x08, DeferredRoutine @ 0x18, DeferredContext @ 0x20,
    SystemArgument1 @ 0x28, SystemArgument2 @ 0x30, DpcData @ 0x38,
});
layout!(KEVENT: size 0x18 {
    Header @ 0,
});
layout!(KMUTANT: size 0x38 {
    Header @ 0, MutantListEntry @ 0x18, OwnerThread @ 0x28,
});
// What is inside has changed; drivers only reserve it.
layout!(KWAIT_BLOCK: size 0x30 {});
layout!(MDL: size 0x30 {
    Next @ 0, Size @ 0x08, MdlFlags @ 0x0a, Process @ 0x10, MappedSystemVa @ 0x18, StartVa @ 0x20,
    ByteCount @ 0x28, ByteOffset @ 0x2c,
});
layout!(OBJECT_ATTRIBUTES: size 0x30 {
    Length @ 0, RootDirectory @ 0x08, ObjectName @ 0x10, Attributes @ 0x18,
    SecurityDescriptor @ 0x20, SecurityQualityOfService @ 0x28,
});
layout!(VPB: size 0x60 {
    Type @ 0, Size @ 0x02, Flags @ 0x04, VolumeLabelLength @ 0x06, DeviceObject @ 0x08,
    RealDevice @ 0x10, SerialNumber @ 0x18, ReferenceCount @ 0x1c, VolumeLabel @ 0x20,
});
layout!(WORK_QUEUE_ITEM: size 0x20 {
    List @ 0, WorkerRoutine @ 0x10, Parameter @ 0x18,
});
layout!(FILE_BASIC_INFORMATION: size 0x28 {
    CreationTime @ 0, LastAccessTime @ 0x08, LastWriteTime @ 0x10, ChangeTime @ 0x18,
    FileAttributes @ 0x20,
});
layout!(FILE_STANDARD_INFORMATION: size 0x18 {
    AllocationSize @ 0, EndOfFile @ 0x08, NumberOfLinks @ 0x10, DeletePending @ 0x14,
    Directory @ 0x15,
});
layout!(CM_PARTIAL_RESOURCE_DESCRIPTOR: size 0x14 {
    Type @ 0, ShareDisposition @ 0x01, Flags @ 0x02,
});
layout!(DEVICE_CAPABILITIES: size 0x40 {
    Size @ 0, Version @ 0x02, Address @ 0x08, UINumber @ 0x0c, SystemWake @ 0x2c,
    DeviceWake @ 0x30, D2Latency @ 0x38, D3Latency @ 0x3c,
});
layout!(DMA_ADAPTER: size 0x10 {
    Version @ 0, Size @ 0x02, DmaOperations @ 0x08,
});
layout!(EXT_DELETE_PARAMETERS: size 0x18 {
    Version @ 0, DeleteCallback @ 0x08, DeleteContext @ 0x10,
});
layout!(EX_RUNDOWN_REF: size 0x8 {
});
layout!(INTERFACE: size 0x20 {
    Size @ 0, Version @ 0x02, Context @ 0x08, InterfaceReference @ 0x10,
    InterfaceDereference @ 0x18,
});
layout!(IO_CSQ: size 0x40 {
    Type @ 0, CsqInsertIrp @ 0x08, CsqRemoveIrp @ 0x10, CsqPeekNextIrp @ 0x18,
    CsqAcquireLock @ 0x20, CsqReleaseLock @ 0x28, CsqCompleteCanceledIrp @ 0x30,
    ReservePointer @ 0x38,
});
layout!(IO_REMOVE_LOCK: size 0x20 {
    Common @ 0,
});
layout!(KAPC: size 0x58 {
    Type @ 0, Size @ 0x02, Thread @ 0x08, ApcListEntry @ 0x10, NormalContext @ 0x38,
    SystemArgument1 @ 0x40, SystemArgument2 @ 0x48, ApcStateIndex @ 0x50, ApcMode @ 0x51,
    Inserted @ 0x52,
});
layout!(KBUGCHECK_CALLBACK_RECORD: size 0x40 {
    Entry @ 0, CallbackRoutine @ 0x10, Buffer @ 0x18, Length @ 0x20, Component @ 0x28,
    Checksum @ 0x30, State @ 0x38,
});
layout!(KDEVICE_QUEUE_ENTRY: size 0x18 {
    DeviceListEntry @ 0, SortKey @ 0x10, Inserted @ 0x14,
});
layout!(KEY_VALUE_PARTIAL_INFORMATION: size 0x10 {
    TitleIndex @ 0, Type @ 0x04, DataLength @ 0x08, Data @ 0x0c,
});
layout!(KLOCK_QUEUE_HANDLE: size 0x18 {
    LockQueue @ 0, OldIrql @ 0x10,
});
layout!(KSEMAPHORE: size 0x20 {
    Header @ 0, Limit @ 0x18,
});
layout!(KTIMER: size 0x40 {
    Header @ 0, DueTime @ 0x18, TimerListEntry @ 0x20, Dpc @ 0x30, Period @ 0x3c,
});
layout!(MM_COPY_ADDRESS: size 0x8 {
});
layout!(RTL_BITMAP: size 0x10 {
    SizeOfBitMap @ 0, Buffer @ 0x08,
});
layout!(RTL_QUERY_REGISTRY_TABLE: size 0x38 {
    QueryRoutine @ 0, Flags @ 0x08, Name @ 0x10, EntryContext @ 0x18, DefaultType @ 0x20,
    DefaultData @ 0x28, DefaultLength @ 0x30,
});
layout!(SCATTER_GATHER_LIST: size 0x28 {
    NumberOfElements @ 0, Elements @ 0x10,
});
layout!(WAIT_CONTEXT_BLOCK: size 0x48 {
    DeviceRoutine @ 0x18, DeviceContext @ 0x20, NumberOfMapRegisters @ 0x28, DeviceObject @ 0x30,
    CurrentIrp @ 0x38, BufferChainingDpc @ 0x40,
});
layout!(LIST_ENTRY: size 0x10 {
    Flink @ 0, Blink @ 0x08,
});
layout!(SINGLE_LIST_ENTRY: size 0x8 {
    Next @ 0,
});
layout!(IO_STATUS_BLOCK: size 0x10 {
    Information @ 0x08,
});
