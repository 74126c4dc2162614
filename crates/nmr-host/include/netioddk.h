/*
 * netioddk.h: the types and functions of the Network Module Registrar (NMR), for C and C++ modules
 * that run on the embedded registrar. Link with libnmr_host; nmr_host.h shows what it found.
 *
 * Names, values and layouts are those of the Windows header of this name, so that the NMR part of a
 * driver compiles against either. Every size and offset is asserted at the end.
 *
 * Every callback is NTAPI: the Microsoft convention on x86-64, on Linux too, and the C convention on
 * AArch64. Sources that do not say so, as MSVC does not ask for it, are compiled with `gcc -mabi=ms`
 * or with `clang --target=x86_64-pc-windows-elf`; nmr_convention.h has the third way. A dispatch
 * table's functions are like callbacks.
 */
#ifndef NMR_HOST_NETIODDK_H
#define NMR_HOST_NETIODDK_H

#include <stddef.h>
#include <stdint.h>

#include "nmr_convention.h"

/* ---- Base types ------------------------------------------------------------------------------
 *
 * A program that has its own defines NMR_HOST_NO_BASE_TYPES, and includes them first. They are left
 * out too after one of Windows' own headers.
 */

#if NMR_HOST_ON_WINDOWS && !defined(NMR_HOST_NO_BASE_TYPES) && !defined(_NTDEF_) && !defined(_WINNT_)
#define WIN32_NO_STATUS /* they would be unsigned there */
#include <windows.h>
#undef WIN32_NO_STATUS
typedef LONG NTSTATUS;
#endif

#if !defined(NMR_HOST_NO_BASE_TYPES) && !defined(_NTDEF_) && !defined(_WINNT_)

#ifndef VOID
#define VOID void
#endif
typedef void *PVOID;
typedef PVOID HANDLE;
typedef HANDLE *PHANDLE;
typedef uint8_t UCHAR;
typedef uint8_t BOOLEAN;
typedef uint16_t USHORT;
typedef int32_t LONG;
typedef uint32_t ULONG;
typedef int32_t NTSTATUS;

#ifndef GUID_DEFINED
#define GUID_DEFINED
typedef struct _GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID;
#endif

typedef struct _LUID {
    ULONG LowPart;
    LONG HighPart;
} LUID;

#endif /* base types */

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

#ifndef UNREFERENCED_PARAMETER
#define UNREFERENCED_PARAMETER(parameter) ((void)(parameter))
#endif

/* The annotations that drivers write on NMR callbacks. They mean nothing to gcc and clang. */
#if !NMR_HOST_ON_WINDOWS && !defined(_In_)
#define _In_
#define _In_opt_
#define _Out_
#define _Outptr_
#define _Use_decl_annotations_
#define _IRQL_requires_(level)
#define _IRQL_requires_max_(level)
#define _IRQL_requires_same_
#define _Function_class_(name)
#endif

/* ---- Status codes ---------------------------------------------------------------------------- */

#ifndef NT_SUCCESS
/* True for STATUS_PENDING too, so no test of whether something has been attached or has ended. */
#define NT_SUCCESS(status) ((NTSTATUS)(status) >= 0)
#endif

#ifndef STATUS_SUCCESS
#define STATUS_SUCCESS ((NTSTATUS)0x00000000)
#endif
/* Started and not finished: what deregistration always answers. */
#ifndef STATUS_PENDING
#define STATUS_PENDING ((NTSTATUS)0x00000103)
#endif
/* Out of memory, in other registrars. */
#ifndef STATUS_NO_MEMORY
#define STATUS_NO_MEMORY ((NTSTATUS)0xC0000017)
#endif
#ifndef STATUS_INVALID_PARAMETER
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#endif
#ifndef STATUS_ACCESS_DENIED
#define STATUS_ACCESS_DENIED ((NTSTATUS)0xC0000022)
#endif
#ifndef STATUS_INSUFFICIENT_RESOURCES
#define STATUS_INSUFFICIENT_RESOURCES ((NTSTATUS)0xC000009A)
#endif
#ifndef STATUS_DEVICE_NOT_READY
#define STATUS_DEVICE_NOT_READY ((NTSTATUS)0xC00000A3)
#endif
#ifndef STATUS_NOT_SUPPORTED
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)
#endif
/* A second attach of one binding. */
#ifndef STATUS_INVALID_DEVICE_STATE
#define STATUS_INVALID_DEVICE_STATE ((NTSTATUS)0xC0000184)
#endif
/* A module declines the offer. */
#ifndef STATUS_NOINTERFACE
#define STATUS_NOINTERFACE ((NTSTATUS)0xC00002B9)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Identifiers ----------------------------------------------------------------------------- */

/* A network programming interface. The only thing that the NMR compares. */
typedef GUID NPIID;
typedef const NPIID *PNPIID;

/* Which member of NPI_MODULEID is meant. Zero is none. */
typedef enum _NPI_MODULEID_TYPE {
    MIT_GUID = 1,
    MIT_IF_LUID = 2
} NPI_MODULEID_TYPE;

/* A network module. */
typedef struct _NPI_MODULEID {
    USHORT Length; /* sizeof(NPI_MODULEID) */
    NPI_MODULEID_TYPE Type;
    union {
        GUID Guid;   /* MIT_GUID */
        LUID IfLuid; /* MIT_IF_LUID */
    };
} NPI_MODULEID;
typedef const NPI_MODULEID *PNPI_MODULEID;

/* Whether two identifiers are of one known type and have one value. Length plays no part. */
static inline BOOLEAN NmrIsEqualNpiModuleId(PNPI_MODULEID a, PNPI_MODULEID b)
{
    int i;
    if (a->Type != b->Type) {
        return FALSE;
    }
    if (a->Type == MIT_IF_LUID) {
        return (BOOLEAN)(a->IfLuid.LowPart == b->IfLuid.LowPart &&
                         a->IfLuid.HighPart == b->IfLuid.HighPart);
    }
    if (a->Type != MIT_GUID || a->Guid.Data1 != b->Guid.Data1 || a->Guid.Data2 != b->Guid.Data2 ||
        a->Guid.Data3 != b->Guid.Data3) {
        return FALSE;
    }
    for (i = 0; i < 8; i++) {
        if (a->Guid.Data4[i] != b->Guid.Data4[i]) {
            return FALSE;
        }
    }
    return TRUE;
}

/* ---- What a module registers ----------------------------------------------------------------- */

/* A context and the table of functions that take it. The NMR itself does not use it. */
typedef struct _NPI {
    HANDLE Handle;
    const VOID *Dispatch;
} NPI;

/*
 * What a module shows to its peers. Everything here stays valid, resident and unchanged until the
 * registration's wait has returned STATUS_SUCCESS.
 */
typedef struct _NPI_REGISTRATION_INSTANCE {
    USHORT Version; /* 0 */
    USHORT Size;    /* sizeof(NPI_REGISTRATION_INSTANCE) */
    PNPIID NpiId;
    PNPI_MODULEID ModuleId; /* peers read it without looking for NULL */
    ULONG Number;           /* the implementation of the interface, 0 if there is one */
    const VOID *NpiSpecificCharacteristics; /* what the interface defines, or NULL */
} NPI_REGISTRATION_INSTANCE;
typedef const NPI_REGISTRATION_INSTANCE *PNPI_REGISTRATION_INSTANCE;

/*
 * Client: decide about a provider. Either return STATUS_NOINTERFACE, or call
 * NmrClientAttachProvider and return exactly its status. PASSIVE_LEVEL.
 */
typedef NTSTATUS NTAPI NPI_CLIENT_ATTACH_PROVIDER_FN(
    HANDLE NmrBindingHandle,
    PVOID ClientContext,
    PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance);
typedef NPI_CLIENT_ATTACH_PROVIDER_FN *PNPI_CLIENT_ATTACH_PROVIDER_FN;

/*
 * Client: start no more calls into the provider. Returns STATUS_SUCCESS if none is in progress,
 * else STATUS_PENDING; then NmrClientDetachProviderComplete follows, once. Must not block:
 * DISPATCH_LEVEL at most.
 */
typedef NTSTATUS NTAPI NPI_CLIENT_DETACH_PROVIDER_FN(PVOID ClientBindingContext);
typedef NPI_CLIENT_DETACH_PROVIDER_FN *PNPI_CLIENT_DETACH_PROVIDER_FN;

/* Client: the last use of its binding context, after both modules have detached. */
typedef VOID NTAPI NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN(PVOID ClientBindingContext);
typedef NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN *PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN;

/*
 * Provider: decide about a client. Returns STATUS_SUCCESS and writes both outputs, or
 * STATUS_NOINTERFACE, or an error. Runs inside the client's NmrClientAttachProvider.
 */
typedef NTSTATUS NTAPI NPI_PROVIDER_ATTACH_CLIENT_FN(
    HANDLE NmrBindingHandle,
    PVOID ProviderContext,
    PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
    PVOID ClientBindingContext,
    const VOID *ClientDispatch,
    PVOID *ProviderBindingContext,
    const VOID **ProviderDispatch);
typedef NPI_PROVIDER_ATTACH_CLIENT_FN *PNPI_PROVIDER_ATTACH_CLIENT_FN;

/* Provider: as NPI_CLIENT_DETACH_PROVIDER_FN, with NmrProviderDetachClientComplete. */
typedef NTSTATUS NTAPI NPI_PROVIDER_DETACH_CLIENT_FN(PVOID ProviderBindingContext);
typedef NPI_PROVIDER_DETACH_CLIENT_FN *PNPI_PROVIDER_DETACH_CLIENT_FN;

/* Provider: as NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN. */
typedef VOID NTAPI NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN(PVOID ProviderBindingContext);
typedef NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN *PNPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN;

typedef struct _NPI_CLIENT_CHARACTERISTICS {
    USHORT Version; /* 0 */
    USHORT Length;  /* sizeof(NPI_CLIENT_CHARACTERISTICS) */
    PNPI_CLIENT_ATTACH_PROVIDER_FN ClientAttachProvider;
    PNPI_CLIENT_DETACH_PROVIDER_FN ClientDetachProvider;
    PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN ClientCleanupBindingContext; /* or NULL */
    NPI_REGISTRATION_INSTANCE ClientRegistrationInstance;
} NPI_CLIENT_CHARACTERISTICS;
typedef const NPI_CLIENT_CHARACTERISTICS *PNPI_CLIENT_CHARACTERISTICS;

typedef struct _NPI_PROVIDER_CHARACTERISTICS {
    USHORT Version; /* 0 */
    USHORT Length;  /* sizeof(NPI_PROVIDER_CHARACTERISTICS) */
    PNPI_PROVIDER_ATTACH_CLIENT_FN ProviderAttachClient;
    PNPI_PROVIDER_DETACH_CLIENT_FN ProviderDetachClient;
    PNPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN ProviderCleanupBindingContext; /* or NULL */
    NPI_REGISTRATION_INSTANCE ProviderRegistrationInstance;
} NPI_PROVIDER_CHARACTERISTICS;
typedef const NPI_PROVIDER_CHARACTERISTICS *PNPI_PROVIDER_CHARACTERISTICS;

/* ---- The nine functions ----------------------------------------------------------------------
 *
 * HANDLE stands for four kinds of handle here: a client's or a provider's registration, and the
 * client's or the provider's end of a binding. The two ends of one binding have different handles.
 * The registrar reports a handle of the wrong kind, a stale one and NULL, and refuses them.
 */

/*
 * A registration says which convention its callbacks have, by the entry point that it calls. For NTAPI
 * the entry point looks at their code too, and refuses a callback of the other convention (V-17).
 */
#if !NMR_HOST_TWO_CONVENTIONS
#define NMR_HOST_REGISTERS(function)
#elif NMR_HOST_CALLBACKS
#define NMR_HOST_REGISTERS(function) __asm__(NMR_HOST_SYMBOL "nmr_host_native_" #function)
#else
#define NMR_HOST_REGISTERS(function) __asm__(NMR_HOST_SYMBOL "nmr_host_checked_" #function)
#endif
#ifdef __APPLE__
#define NMR_HOST_SYMBOL "_"
#else
#define NMR_HOST_SYMBOL ""
#endif

/* Registers a client. It may be offered providers before this returns. PASSIVE_LEVEL. */
NTSTATUS NMR_HOST_NT NmrRegisterClient(
    PNPI_CLIENT_CHARACTERISTICS ClientCharacteristics,
    PVOID ClientContext,
    PHANDLE NmrClientHandle) NMR_HOST_REGISTERS(NmrRegisterClient);

/* Starts to deregister. Returns STATUS_PENDING; anything else is an error. */
NTSTATUS NMR_HOST_NT NmrDeregisterClient(HANDLE NmrClientHandle);

/* Waits until no binding is left, and closes the handle. Below DISPATCH_LEVEL. */
NTSTATUS NMR_HOST_NT NmrWaitForClientDeregisterComplete(HANDLE NmrClientHandle);

/*
 * Attaches the client to the provider that it is being offered. Unless the result is STATUS_SUCCESS
 * the outputs mean nothing, and the client frees its own context. The provider may call the client
 * before this returns.
 */
NTSTATUS NMR_HOST_NT NmrClientAttachProvider(
    HANDLE NmrBindingHandle,
    PVOID ClientBindingContext,
    const VOID *ClientDispatch,
    PVOID *ProviderBindingContext,
    const VOID **ProviderDispatch);

/* Ends a pending detach. Both cleanup callbacks may run before this returns. */
VOID NMR_HOST_NT NmrClientDetachProviderComplete(HANDLE NmrBindingHandle);

/* As the four of the client. */
NTSTATUS NMR_HOST_NT NmrRegisterProvider(
    PNPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics,
    PVOID ProviderContext,
    PHANDLE NmrProviderHandle) NMR_HOST_REGISTERS(NmrRegisterProvider);
NTSTATUS NMR_HOST_NT NmrDeregisterProvider(HANDLE NmrProviderHandle);
NTSTATUS NMR_HOST_NT NmrWaitForProviderDeregisterComplete(HANDLE NmrProviderHandle);
VOID NMR_HOST_NT NmrProviderDetachClientComplete(HANDLE NmrBindingHandle);

#ifdef __cplusplus
} /* extern "C" */
#endif

/* ---- Layout ---------------------------------------------------------------------------------- */

#ifdef __cplusplus
#define NMR_HOST_ASSERT(condition) static_assert(condition, #condition)
#define NMR_HOST_ALIGNOF(type) alignof(type)
#else
#define NMR_HOST_ASSERT(condition) _Static_assert(condition, #condition)
#define NMR_HOST_ALIGNOF(type) _Alignof(type)
#endif
#define NMR_HOST_LAYOUT(type, size, align)  \
    NMR_HOST_ASSERT(sizeof(type) == (size)); \
    NMR_HOST_ASSERT(NMR_HOST_ALIGNOF(type) == (align))
#define NMR_HOST_OFFSET(type, member, offset) \
    NMR_HOST_ASSERT(offsetof(type, member) == (offset))

NMR_HOST_LAYOUT(HANDLE, 8, 8);
NMR_HOST_LAYOUT(NTSTATUS, 4, 4);
NMR_HOST_LAYOUT(ULONG, 4, 4);
NMR_HOST_LAYOUT(USHORT, 2, 2);
NMR_HOST_LAYOUT(BOOLEAN, 1, 1);
NMR_HOST_LAYOUT(NPI_MODULEID_TYPE, 4, 4);
NMR_HOST_LAYOUT(PNPI_CLIENT_ATTACH_PROVIDER_FN, 8, 8);

NMR_HOST_LAYOUT(GUID, 16, 4);
NMR_HOST_OFFSET(GUID, Data1, 0);
NMR_HOST_OFFSET(GUID, Data2, 4);
NMR_HOST_OFFSET(GUID, Data3, 6);
NMR_HOST_OFFSET(GUID, Data4, 8);

NMR_HOST_LAYOUT(LUID, 8, 4);
NMR_HOST_OFFSET(LUID, LowPart, 0);
NMR_HOST_OFFSET(LUID, HighPart, 4);

NMR_HOST_LAYOUT(NPI_MODULEID, 24, 4);
NMR_HOST_OFFSET(NPI_MODULEID, Length, 0);
NMR_HOST_OFFSET(NPI_MODULEID, Type, 4);
NMR_HOST_OFFSET(NPI_MODULEID, Guid, 8);
NMR_HOST_OFFSET(NPI_MODULEID, IfLuid, 8);

NMR_HOST_LAYOUT(NPI, 16, 8);
NMR_HOST_OFFSET(NPI, Handle, 0);
NMR_HOST_OFFSET(NPI, Dispatch, 8);

NMR_HOST_LAYOUT(NPI_REGISTRATION_INSTANCE, 40, 8);
NMR_HOST_OFFSET(NPI_REGISTRATION_INSTANCE, Version, 0);
NMR_HOST_OFFSET(NPI_REGISTRATION_INSTANCE, Size, 2);
NMR_HOST_OFFSET(NPI_REGISTRATION_INSTANCE, NpiId, 8);
NMR_HOST_OFFSET(NPI_REGISTRATION_INSTANCE, ModuleId, 16);
NMR_HOST_OFFSET(NPI_REGISTRATION_INSTANCE, Number, 24);
NMR_HOST_OFFSET(NPI_REGISTRATION_INSTANCE, NpiSpecificCharacteristics, 32);

NMR_HOST_LAYOUT(NPI_CLIENT_CHARACTERISTICS, 72, 8);
NMR_HOST_OFFSET(NPI_CLIENT_CHARACTERISTICS, Version, 0);
NMR_HOST_OFFSET(NPI_CLIENT_CHARACTERISTICS, Length, 2);
NMR_HOST_OFFSET(NPI_CLIENT_CHARACTERISTICS, ClientAttachProvider, 8);
NMR_HOST_OFFSET(NPI_CLIENT_CHARACTERISTICS, ClientDetachProvider, 16);
NMR_HOST_OFFSET(NPI_CLIENT_CHARACTERISTICS, ClientCleanupBindingContext, 24);
NMR_HOST_OFFSET(NPI_CLIENT_CHARACTERISTICS, ClientRegistrationInstance, 32);

NMR_HOST_LAYOUT(NPI_PROVIDER_CHARACTERISTICS, 72, 8);
NMR_HOST_OFFSET(NPI_PROVIDER_CHARACTERISTICS, Version, 0);
NMR_HOST_OFFSET(NPI_PROVIDER_CHARACTERISTICS, Length, 2);
NMR_HOST_OFFSET(NPI_PROVIDER_CHARACTERISTICS, ProviderAttachClient, 8);
NMR_HOST_OFFSET(NPI_PROVIDER_CHARACTERISTICS, ProviderDetachClient, 16);
NMR_HOST_OFFSET(NPI_PROVIDER_CHARACTERISTICS, ProviderCleanupBindingContext, 24);
NMR_HOST_OFFSET(NPI_PROVIDER_CHARACTERISTICS, ProviderRegistrationInstance, 32);

/* The members of the embedded instance, from the beginning of the whole. */
NMR_HOST_OFFSET(NPI_CLIENT_CHARACTERISTICS, ClientRegistrationInstance.Size, 34);
NMR_HOST_OFFSET(NPI_CLIENT_CHARACTERISTICS, ClientRegistrationInstance.NpiId, 40);
NMR_HOST_OFFSET(NPI_CLIENT_CHARACTERISTICS, ClientRegistrationInstance.ModuleId, 48);
NMR_HOST_OFFSET(NPI_CLIENT_CHARACTERISTICS, ClientRegistrationInstance.Number, 56);
NMR_HOST_OFFSET(NPI_CLIENT_CHARACTERISTICS,
                ClientRegistrationInstance.NpiSpecificCharacteristics, 64);

#undef NMR_HOST_OFFSET
#undef NMR_HOST_LAYOUT
#undef NMR_HOST_ALIGNOF
#undef NMR_HOST_ASSERT

#endif /* NMR_HOST_NETIODDK_H */
