/*
 * WdfDriverEntry.lib for a Linux machine: the entry point of a KMDF driver's image. It binds the
 * image to the framework, calls DriverEntry, and undoes the binding after the driver's unload.
 *
 * Our own, after the framework's public sources. It leaves out what no driver here has: class
 * extensions, context types that are resolved at load time, a minimum version below the target,
 * and the miniport kind of unload.
 */
#include "wdf.h"

typedef struct _WDF_BIND_INFO {
    ULONG Size;
    const WCHAR *Component;
    ULONG Major;
    ULONG Minor;
    ULONG Build;
    ULONG FuncCount;
    const WDFFUNC **FuncTable;
    PVOID Module;
} WDF_BIND_INFO;

#define AT(type, field, offset) \
    _Static_assert(__builtin_offsetof(type, field) == (offset), #type "." #field)
_Static_assert(sizeof(WDF_BIND_INFO) == 0x30, "WDF_BIND_INFO");
AT(WDF_BIND_INFO, Component, 0x08);
AT(WDF_BIND_INFO, Major, 0x10);
AT(WDF_BIND_INFO, FuncCount, 0x1c);
AT(WDF_BIND_INFO, FuncTable, 0x20);
AT(WDF_BIND_INFO, Module, 0x28);
AT(WDF_DRIVER_GLOBALS, DisplaceDriverUnload, 0x30);
AT(DRIVER_OBJECT, DriverUnload, 0x68);

__declspec(dllimport) NTSTATUS WdfVersionBind(PDRIVER_OBJECT DriverObject,
                                              PUNICODE_STRING RegistryPath, WDF_BIND_INFO *Info,
                                              PWDF_DRIVER_GLOBALS *Globals);
__declspec(dllimport) void WdfVersionUnbind(PUNICODE_STRING RegistryPath, WDF_BIND_INFO *Info,
                                            PWDF_DRIVER_GLOBALS Globals);
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath);

const WDFFUNC *WdfFunctions_01031;
PWDF_DRIVER_GLOBALS WdfDriverGlobals;
ULONG WdfFunctionCount = WdfFunctionTableNumEntries;

/* The path is needed again to unbind, when the caller's string is long gone. */
#define PATH_LENGTH 260
static WCHAR path_buffer[PATH_LENGTH];
static UNICODE_STRING path = {0, sizeof path_buffer, path_buffer};

static WDF_BIND_INFO bind_info = {
    .Size = sizeof(WDF_BIND_INFO),
    .Component = L"KmdfLibrary",
    .Major = KMDF_VERSION_MAJOR,
    .Minor = KMDF_VERSION_MINOR,
    .FuncCount = WdfFunctionTableNumEntries,
    .FuncTable = &WdfFunctions_01031,
};

static PDRIVER_UNLOAD displaced_unload;

static void keep_path(PUNICODE_STRING from) {
    USHORT length = from->Length < path.MaximumLength ? from->Length : path.MaximumLength;
    for (USHORT i = 0; i < length / sizeof(WCHAR); i++) {
        path_buffer[i] = from->Buffer[i];
    }
    path.Length = length;
}

static void unload(PDRIVER_OBJECT driver) {
    if (displaced_unload) {
        displaced_unload(driver);
    }
    WdfVersionUnbind(&path, &bind_info, WdfDriverGlobals);
}

NTSTATUS FxDriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
    if (!driver) {
        return DriverEntry(driver, registry_path);
    }
    keep_path(registry_path);
    NTSTATUS status = WdfVersionBind(driver, &path, &bind_info, &WdfDriverGlobals);
    if (status < 0) {
        return status;
    }
    status = DriverEntry(driver, registry_path);
    if (status < 0) {
        WdfVersionUnbind(&path, &bind_info, WdfDriverGlobals);
    } else if (WdfDriverGlobals->DisplaceDriverUnload) {
        displaced_unload = driver->DriverUnload;
        driver->DriverUnload = unload;
    }
    return status;
}
