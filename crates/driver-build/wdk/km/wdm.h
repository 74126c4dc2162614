/*
 * Stands in front of the <wdm.h> of mingw-w64, which every header for drivers includes first: what
 * that needs of the compiler, and behind it the supplement.
 */
#pragma once

/* Its macros have the right form for a compiler that calls itself GNU C only. */
#ifndef __GNUC__
#define __GNUC__ 4
#define __GNUC_MINOR__ 2
#define __GNUC_PATCHLEVEL__ 1
#endif
/* Clang's headers for intrinsics clash with it. */
#define __INTRIN_H_
#define _INC_INTRIN

/* Windows 10, version 2004: the first with ExAllocatePool2. */
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#ifndef WINVER
#define WINVER _WIN32_WINNT
#endif
#ifndef NTDDI_VERSION
#define NTDDI_VERSION 0x0A000008
#endif

/*
 * It knows no ARM64. For ARM it asks <armddk.h>, which is ours, and it packs structures as on every
 * processor of 64 bits if it is told of one that it knows.
 */
#ifdef _ARM64_
#define _M_ARM 7
#define _IA64_
#endif

/* It leaves out that these are aligned, which makes a device object 8 bytes longer. */
struct __declspec(align(16)) _DEVICE_OBJECT;
struct __declspec(align(16)) _IRP;

/* It has these as inline functions for x64; Windows exports them. */
#ifndef _ARM64_
#define KeGetCurrentIrql inline_KeGetCurrentIrql
#define KeGetCurrentThread inline_KeGetCurrentThread
#define KeLowerIrql inline_KeLowerIrql
#define KfRaiseIrql inline_KfRaiseIrql
#endif
#include_next <wdm.h>
#undef KeGetCurrentIrql
#undef KeGetCurrentThread
#undef KeLowerIrql
#undef KfRaiseIrql

#include "supplement.h"
