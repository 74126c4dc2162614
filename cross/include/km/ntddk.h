/*
 * What wdk-sys asks of the WDK's <ntddk.h>, and no more: the types that the driver model is made
 * of, and the functions of the kernel that our images call. Written for this project from the
 * published layouts; cross/layout checks every structure when a driver is compiled.
 *
 * 64-bit only: x64 and ARM64 have the same layouts.
 */
#pragma once

typedef void VOID, *PVOID;
typedef char CHAR, CCHAR;
typedef unsigned char UCHAR, BOOLEAN;
typedef short CSHORT, SHORT;
typedef unsigned short USHORT, WCHAR;
typedef int LONG;
typedef unsigned int ULONG;
typedef long long LONGLONG;
typedef unsigned long long ULONGLONG, ULONG64, ULONG_PTR, SIZE_T;
/* bindgen makes usize of this name, and of SIZE_T u64, as it does of the WDK's. */
typedef unsigned long long size_t;

typedef char *PCHAR;
typedef const char *PCSTR;
typedef WCHAR *PWCH;
typedef WCHAR *PWSTR;
typedef ULONG *PULONG;

typedef LONG NTSTATUS;
typedef UCHAR KIRQL;
typedef ULONG64 POOL_FLAGS;

#define APC_LEVEL 1
#define DISPATCH_LEVEL 2

typedef struct _GUID {
    ULONG Data1;
    USHORT Data2;
    USHORT Data3;
    UCHAR Data4[8];
} GUID;

typedef struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    PWCH Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _DEVICE_OBJECT DEVICE_OBJECT, *PDEVICE_OBJECT;
typedef struct _DRIVER_OBJECT DRIVER_OBJECT, *PDRIVER_OBJECT;
typedef struct _IRP IRP, *PIRP;

typedef NTSTATUS DRIVER_INITIALIZE(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath);
typedef void DRIVER_UNLOAD(PDRIVER_OBJECT DriverObject);
typedef NTSTATUS DRIVER_DISPATCH(PDEVICE_OBJECT DeviceObject, PIRP Irp);
typedef void DRIVER_STARTIO(PDEVICE_OBJECT DeviceObject, PIRP Irp);
typedef DRIVER_INITIALIZE *PDRIVER_INITIALIZE;
typedef DRIVER_UNLOAD *PDRIVER_UNLOAD;
typedef DRIVER_DISPATCH *PDRIVER_DISPATCH;
typedef DRIVER_STARTIO *PDRIVER_STARTIO;

#define IRP_MJ_MAXIMUM_FUNCTION 0x1b

struct _DRIVER_OBJECT {
    CSHORT Type;
    CSHORT Size;
    PDEVICE_OBJECT DeviceObject;
    ULONG Flags;
    PVOID DriverStart;
    ULONG DriverSize;
    PVOID DriverSection;
    PVOID DriverExtension;
    UNICODE_STRING DriverName;
    PUNICODE_STRING HardwareDatabase;
    PVOID FastIoDispatch;
    PDRIVER_INITIALIZE DriverInit;
    PDRIVER_STARTIO DriverStartIo;
    PDRIVER_UNLOAD DriverUnload;
    PDRIVER_DISPATCH MajorFunction[IRP_MJ_MAXIMUM_FUNCTION + 1];
};

PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);
void ExFreePool(PVOID P);
void ExFreePoolWithTag(PVOID P, ULONG Tag);
ULONG DbgPrint(PCSTR Format, ...);
