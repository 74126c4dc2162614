/*
 * ntdef.h: the types of the kernel, its lists and its texts, for modules in a process. Names and layouts
 * are those of Windows.
 *
 * The compiler's wchar_t has to have 16 bits: clang --target=x86_64-pc-windows-elf, or
 * gcc -fshort-wchar.
 */
#ifndef NMR_KERNEL_NTDEF_H
#define NMR_KERNEL_NTDEF_H

#include "sal.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "../netioddk.h"
#include "ntstatus.h"

#if !defined(__x86_64__) || NMR_HOST_ON_WINDOWS
#error "These headers are for programs on x86-64 Linux."
#endif
#if __SIZEOF_WCHAR_T__ != 2
#error "Compile with -fshort-wchar: texts of the kernel are UTF-16."
#endif

/* ---- What MSVC writes ------------------------------------------------------------------------ */

#ifndef __clang__
#define __declspec(...)
#endif
#ifndef __forceinline
#define __forceinline static inline __attribute__((always_inline))
#endif
#define FORCEINLINE __forceinline
#define CFORCEINLINE __forceinline
#ifndef __inline
#define __inline inline
#endif
#define DECLSPEC_ALIGN(bytes) __attribute__((aligned(bytes)))
#define DECLSPEC_NORETURN __attribute__((noreturn))
#define DECLSPEC_NOINLINE __attribute__((noinline))
#define DECLSPEC_SELECTANY __attribute__((weak))
#define DECLSPEC_CACHEALIGN DECLSPEC_ALIGN(64)
#define NTSYSAPI
#define NTKERNELAPI
#define NTHALAPI
#define NTSYSCALLAPI
#define FASTCALL NTAPI
#define CALLBACK NTAPI
#define __cdecl NTAPI
#ifdef __cplusplus
#define EXTERN_C extern "C"
#define EXTERN_C_START extern "C" {
#define EXTERN_C_END }
#else
#define EXTERN_C extern
#define EXTERN_C_START
#define EXTERN_C_END
#endif
#ifndef CONST
#define CONST const
#endif
#define IN
#define OUT
#define OPTIONAL
#define RESTRICTED_POINTER
#define UNALIGNED

/* ---- Types ----------------------------------------------------------------------------------- */

typedef char CHAR, CCHAR, *PCHAR, *PSTR;
typedef const char *PCSTR, *PCSZ;
typedef signed char SCHAR;
typedef uint8_t BYTE, UINT8, *PUINT8, *PUCHAR, *PBOOLEAN;
typedef int8_t INT8;
typedef int16_t SHORT, INT16, *PSHORT;
typedef uint16_t UINT16, *PUSHORT;
typedef int32_t INT, INT32, LONG32, *PLONG;
typedef uint32_t UINT, UINT32, ULONG32, DWORD, *PULONG, *PUINT32, *PUINT;
typedef int64_t LONGLONG, LONG64, INT64, *PLONGLONG, *PLONG64;
typedef uint64_t ULONGLONG, ULONG64, UINT64, DWORD64, *PULONGLONG, *PULONG64, *PUINT64;
typedef intptr_t LONG_PTR, INT_PTR, SSIZE_T, *PLONG_PTR;
typedef uintptr_t ULONG_PTR, UINT_PTR, SIZE_T, *PULONG_PTR, *PSIZE_T;
typedef LONG *PNTSTATUS;
typedef __WCHAR_TYPE__ WCHAR, *PWCHAR, *PWCH, *PWSTR;
typedef const WCHAR *PCWSTR, *PCWCH;
typedef const void *PCVOID;
typedef LONG HRESULT;
typedef int BOOL;
typedef GUID *PGUID;
typedef const GUID *PCGUID;
typedef UCHAR KIRQL, *PKIRQL;
typedef CCHAR KPROCESSOR_MODE;
typedef LONG KPRIORITY;
typedef ULONG ACCESS_MASK;
typedef ULONG_PTR KAFFINITY;

enum { KernelMode, UserMode };

typedef union _LARGE_INTEGER {
    struct {
        ULONG LowPart;
        LONG HighPart;
    };
    struct {
        ULONG LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
    struct {
        ULONG LowPart;
        ULONG HighPart;
    };
    ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

#define MINCHAR 0x80
#define MAXCHAR 0x7f
#define MAXUSHORT 0xffff
#define MAXULONG 0xffffffffu
#define MAXLONG 0x7fffffff
#define ULONG_MAX_VALUE MAXULONG
#ifndef NULL
#define NULL ((void *)0)
#endif

#define ARGUMENT_PRESENT(argument) ((argument) != NULL)
#define ARRAYSIZE(array) (sizeof(array) / sizeof((array)[0]))
#define RTL_NUMBER_OF(array) ARRAYSIZE(array)
#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#define UFIELD_OFFSET(type, field) ((ULONG)offsetof(type, field))
#define RTL_SIZEOF_THROUGH_FIELD(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))
#define RTL_FIELD_SIZE(type, field) sizeof(((type *)0)->field)
#define CONTAINING_RECORD(address, type, field) \
    ((type *)((char *)(uintptr_t)(address) - offsetof(type, field)))
#define RTL_CONTAINS_FIELD(structure, size, field) \
    ((char *)(&(structure)->field) + sizeof((structure)->field) <= (char *)(structure) + (size))
#define Add2Ptr(pointer, bytes) ((PVOID)((PUCHAR)(pointer) + (bytes)))
#ifndef min
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#endif
#ifdef __cplusplus
#define C_ASSERT(condition) static_assert(condition, #condition)
#else
#define C_ASSERT(condition) _Static_assert(condition, #condition)
#define static_assert _Static_assert
#endif
#define DBG_UNREFERENCED_PARAMETER(parameter) UNREFERENCED_PARAMETER(parameter)
#define UNREFERENCED_LOCAL_VARIABLE(variable) UNREFERENCED_PARAMETER(variable)
/* Defined in every file, and one in the program, with <initguid.h> or without. */
#define DEFINE_GUID(name, a, b, c, d0, d1, d2, d3, d4, d5, d6, d7) \
    EXTERN_C const GUID DECLSPEC_SELECTANY name;                   \
    const GUID name = {a, b, c, {d0, d1, d2, d3, d4, d5, d6, d7}}

/* ---- Lists ----------------------------------------------------------------------------------- */

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink;
    struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
    struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY, SLIST_ENTRY, *PSLIST_ENTRY;

static inline VOID InitializeListHead(PLIST_ENTRY ListHead)
{
    ListHead->Flink = ListHead->Blink = ListHead;
}

static inline BOOLEAN IsListEmpty(const LIST_ENTRY *ListHead)
{
    return (BOOLEAN)(ListHead->Flink == ListHead);
}

static inline BOOLEAN RemoveEntryList(PLIST_ENTRY Entry)
{
    PLIST_ENTRY next = Entry->Flink, previous = Entry->Blink;
    if (next->Blink != Entry || previous->Flink != Entry) {
        __builtin_trap(); /* the list is corrupt */
    }
    previous->Flink = next;
    next->Blink = previous;
    return (BOOLEAN)(next == previous);
}

static inline PLIST_ENTRY RemoveHeadList(PLIST_ENTRY ListHead)
{
    PLIST_ENTRY entry = ListHead->Flink;
    RemoveEntryList(entry);
    return entry;
}

static inline PLIST_ENTRY RemoveTailList(PLIST_ENTRY ListHead)
{
    PLIST_ENTRY entry = ListHead->Blink;
    RemoveEntryList(entry);
    return entry;
}

static inline VOID nmr_kernel_insert(PLIST_ENTRY Entry, PLIST_ENTRY Before, PLIST_ENTRY After)
{
    Entry->Flink = After;
    Entry->Blink = Before;
    Before->Flink = Entry;
    After->Blink = Entry;
}

static inline VOID InsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
    nmr_kernel_insert(Entry, ListHead, ListHead->Flink);
}

static inline VOID InsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
    nmr_kernel_insert(Entry, ListHead->Blink, ListHead);
}

/* ---- Texts ----------------------------------------------------------------------------------- */

typedef struct _UNICODE_STRING {
    USHORT Length; /* in bytes */
    USHORT MaximumLength;
    PWCH Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _STRING {
    USHORT Length;
    USHORT MaximumLength;
    PCHAR Buffer;
} STRING, ANSI_STRING, *PSTRING, *PANSI_STRING;
typedef const ANSI_STRING *PCANSI_STRING;

#define UNICODE_NULL ((WCHAR)0)
#define RTL_CONSTANT_STRING(text) {sizeof(text) - sizeof((text)[0]), sizeof(text), (PVOID)(text)}
#define DECLARE_CONST_UNICODE_STRING(name, text)                    \
    static const WCHAR name##_buffer[] = text;                      \
    static const UNICODE_STRING name = {sizeof(text) - sizeof(WCHAR), sizeof(text), \
                                        (PWCH)name##_buffer}
#define DECLARE_UNICODE_STRING_SIZE(name, units) \
    WCHAR name##_buffer[units];                  \
    UNICODE_STRING name = {0, (units) * sizeof(WCHAR), name##_buffer}

static inline VOID RtlInitUnicodeString(PUNICODE_STRING Destination, PCWSTR Source)
{
    USHORT units = 0;
    while (Source != NULL && Source[units] != 0) {
        units++;
    }
    Destination->Buffer = (PWCH)(uintptr_t)Source;
    Destination->Length = (USHORT)(units * sizeof(WCHAR));
    Destination->MaximumLength = (USHORT)(Source == NULL ? 0 : (units + 1) * sizeof(WCHAR));
}

static inline VOID RtlInitEmptyUnicodeString(PUNICODE_STRING Destination, PWCH Buffer, USHORT Size)
{
    Destination->Length = 0;
    Destination->MaximumLength = Size;
    Destination->Buffer = Buffer;
}

static inline VOID RtlCopyUnicodeString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    USHORT i, length = Source == NULL ? 0 : min(Source->Length, Destination->MaximumLength);
    for (i = 0; i < length / sizeof(WCHAR); i++) {
        Destination->Buffer[i] = Source->Buffer[i];
    }
    Destination->Length = length;
    if (length + sizeof(WCHAR) <= Destination->MaximumLength) {
        Destination->Buffer[i] = 0;
    }
}

static inline NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
    UNICODE_STRING tail, rest;
    RtlInitUnicodeString(&tail, Source);
    if ((ULONG)Destination->Length + tail.Length > Destination->MaximumLength) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    rest.Buffer = Destination->Buffer + Destination->Length / sizeof(WCHAR);
    rest.MaximumLength = (USHORT)(Destination->MaximumLength - Destination->Length);
    RtlCopyUnicodeString(&rest, &tail);
    Destination->Length = (USHORT)(Destination->Length + tail.Length);
    return STATUS_SUCCESS;
}

static inline WCHAR RtlUpcaseUnicodeChar(WCHAR Unit)
{
    return Unit >= 'a' && Unit <= 'z' ? (WCHAR)(Unit - 'a' + 'A') : Unit;
}

/* Letters outside of ASCII differ in case here. */
static inline LONG RtlCompareUnicodeString(PCUNICODE_STRING A, PCUNICODE_STRING B,
                                           BOOLEAN CaseInSensitive)
{
    USHORT i;
    for (i = 0; i < min(A->Length, B->Length) / sizeof(WCHAR); i++) {
        WCHAR a = CaseInSensitive ? RtlUpcaseUnicodeChar(A->Buffer[i]) : A->Buffer[i];
        WCHAR b = CaseInSensitive ? RtlUpcaseUnicodeChar(B->Buffer[i]) : B->Buffer[i];
        if (a != b) {
            return (LONG)a - (LONG)b;
        }
    }
    return (LONG)A->Length - (LONG)B->Length;
}

static inline BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING A, PCUNICODE_STRING B,
                                            BOOLEAN CaseInSensitive)
{
    return (BOOLEAN)(A->Length == B->Length && RtlCompareUnicodeString(A, B, CaseInSensitive) == 0);
}

#endif /* NMR_KERNEL_NTDEF_H */
