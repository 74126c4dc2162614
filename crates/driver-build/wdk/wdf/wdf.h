/*
 * KMDF 1.31 for drivers on a Linux machine: the types, prototypes and places of the framework's
 * functions, without the inline functions that C drivers call. wdk-sys makes its bindings from it.
 *
 * The declarations are those of Microsoft's headers of KMDF, which are under the MIT license (see
 * LICENSE beside this file), without comments and annotations. The objects for USB have a place in the
 * table and no prototypes. cross/layout asserts the layouts when a driver is compiled.
 */
#pragma once
#include "ntddk.h"

typedef UCHAR BYTE;

typedef enum _WDF_TRI_STATE {
    WdfFalse = FALSE,
    WdfTrue = TRUE,
    WdfUseDefault = 2,
} WDF_TRI_STATE, *PWDF_TRI_STATE;

typedef PVOID WDFCONTEXT;
typedef HANDLE WDFOBJECT, *PWDFOBJECT;
typedef struct WDFDRIVER__ *WDFDRIVER;
typedef struct WDFDEVICE__ *WDFDEVICE;
typedef struct WDFWMIPROVIDER__ *WDFWMIPROVIDER;
typedef struct WDFWMIINSTANCE__ *WDFWMIINSTANCE;
typedef struct WDFQUEUE__ *WDFQUEUE;
typedef struct WDFREQUEST__ *WDFREQUEST;
typedef struct WDFFILEOBJECT__ *WDFFILEOBJECT;
typedef struct WDFDPC__ *WDFDPC;
typedef struct WDFTIMER__ *WDFTIMER;
typedef struct WDFWORKITEM__ *WDFWORKITEM;
typedef struct WDFINTERRUPT__ *WDFINTERRUPT;
typedef struct WDFWAITLOCK__ *WDFWAITLOCK;
typedef struct WDFSPINLOCK__ *WDFSPINLOCK;
typedef struct WDFMEMORY__ *WDFMEMORY;
typedef struct WDFLOOKASIDE__ *WDFLOOKASIDE;
typedef struct WDFIOTARGET__ *WDFIOTARGET;
typedef struct WDFUSBDEVICE__ *WDFUSBDEVICE;
typedef struct WDFUSBINTERFACE__ *WDFUSBINTERFACE;
typedef struct WDFUSBPIPE__ *WDFUSBPIPE;
typedef struct WDFDMAENABLER__ *WDFDMAENABLER;
typedef struct WDFDMATRANSACTION__ *WDFDMATRANSACTION;
typedef struct WDFCOMMONBUFFER__ *WDFCOMMONBUFFER;
typedef struct WDFKEY__ *WDFKEY;
typedef struct WDFSTRING__ *WDFSTRING;
typedef struct WDFCOLLECTION__ *WDFCOLLECTION;
typedef struct WDFCHILDLIST__ *WDFCHILDLIST;
typedef struct WDFIORESREQLIST__ *WDFIORESREQLIST;
typedef struct WDFIORESLIST__ *WDFIORESLIST;
typedef struct WDFCMRESLIST__ *WDFCMRESLIST;
typedef struct WDFCOMPANIONTARGET__ *WDFCOMPANIONTARGET;
typedef struct WDFDEVICE_INIT WDFDEVICE_INIT, *PWDFDEVICE_INIT;
typedef struct WDFCXDEVICE_INIT WDFCXDEVICE_INIT, *PWDFCXDEVICE_INIT;
typedef struct _WDF_OBJECT_ATTRIBUTES *PWDF_OBJECT_ATTRIBUTES;

/* The first argument of every function of the table. */
typedef struct _WDF_DRIVER_GLOBALS {
    WDFDRIVER Driver;
    ULONG DriverFlags;
    ULONG DriverTag;
    CHAR DriverName[32];
    BOOLEAN DisplaceDriverUnload;
} WDF_DRIVER_GLOBALS, *PWDF_DRIVER_GLOBALS;
#define GLOBALS PWDF_DRIVER_GLOBALS DriverGlobals

#include "wdf_indices.h"
#include "wdf_objects.h"
#include "wdf_driver.h"
#include "wdf_states.h"
#include "wdf_device.h"
#include "wdf_bus.h"
#include "wdf_async.h"
#include "wdf_hardware.h"
#include "wdf_io.h"
#include "wdf_registry.h"
#undef GLOBALS

typedef void (*WDFFUNC)(void);

/* Filled in by the framework when the driver binds to it: entry/entry.c. */
extern const WDFFUNC *WdfFunctions_01031;
extern PWDF_DRIVER_GLOBALS WdfDriverGlobals;
extern ULONG WdfFunctionCount;
