/*
 * What the modules of these tests share: the interfaces. Each program has two modules of SHAPE; one
 * has a second interface, EVENT. No function says NTAPI, as in sources for MSVC.
 */
#ifndef SHAPES_H
#define SHAPES_H

#include <ntddk.h>
#include <netioddk.h>

static const NPIID SHAPE_NPIID = {
    0x4c1d77a1, 0x1f0b, 0x4f3a, {0x91, 0x0e, 0x52, 0x60, 0x7b, 0x1c, 0x2d, 0x33}};
static const NPIID EVENT_NPIID = {
    0x9be2c014, 0x60d8, 0x4a77, {0x8c, 0x35, 0x19, 0xf2, 0x4d, 0x0a, 0x6e, 0x58}};

#define MODULE_ID(number) {sizeof(NPI_MODULEID), MIT_GUID, {{number, 0x1234, 0x4321, {0}}}}

/* What a client lends to a provider that calls it. */
typedef struct _CLIENT_TABLE {
    ULONG Version;
    ULONG Size;
    NTSTATUS (*Invoke)(PVOID ClientBindingContext, PVOID Argument, ULONG *Result);
} CLIENT_TABLE;

/* What a provider lends to a client that calls it. */
typedef struct _PROVIDER_TABLE {
    ULONG Version;
    ULONG Size;
    NTSTATUS (*Open)(PVOID ProviderBindingContext, ULONG Version, ULONG *Result);
    VOID (*Close)(PVOID ProviderBindingContext);
} PROVIDER_TABLE;

/* NpiSpecificCharacteristics. */
typedef struct _SHAPE_DATA {
    ULONG Version;
    ULONG Size;
    ULONG Value;
} SHAPE_DATA;

#endif
