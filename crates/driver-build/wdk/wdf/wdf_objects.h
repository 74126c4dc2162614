/*
 * KMDF 1.31: objects in general, memory, strings, collections, locks and the verifier.
 * Included by <wdf.h>, which says where the declarations come from.
 */
#pragma once

typedef enum _WDF_EXECUTION_LEVEL {
    WdfExecutionLevelInvalid = 0x00,
    WdfExecutionLevelInheritFromParent,
    WdfExecutionLevelPassive,
    WdfExecutionLevelDispatch,
} WDF_EXECUTION_LEVEL;

typedef enum _WDF_SYNCHRONIZATION_SCOPE {
    WdfSynchronizationScopeInvalid = 0x00,
    WdfSynchronizationScopeInheritFromParent,
    WdfSynchronizationScopeDevice,
    WdfSynchronizationScopeQueue,
    WdfSynchronizationScopeNone,
} WDF_SYNCHRONIZATION_SCOPE;

typedef void EVT_WDF_OBJECT_CONTEXT_CLEANUP(WDFOBJECT Object);
typedef EVT_WDF_OBJECT_CONTEXT_CLEANUP *PFN_WDF_OBJECT_CONTEXT_CLEANUP;
typedef void EVT_WDF_OBJECT_CONTEXT_DESTROY(WDFOBJECT Object);
typedef EVT_WDF_OBJECT_CONTEXT_DESTROY *PFN_WDF_OBJECT_CONTEXT_DESTROY;
typedef const struct _WDF_OBJECT_CONTEXT_TYPE_INFO *PCWDF_OBJECT_CONTEXT_TYPE_INFO;

typedef struct _WDF_OBJECT_ATTRIBUTES {
    ULONG Size;
    PFN_WDF_OBJECT_CONTEXT_CLEANUP EvtCleanupCallback;
    PFN_WDF_OBJECT_CONTEXT_DESTROY EvtDestroyCallback;
    WDF_EXECUTION_LEVEL ExecutionLevel;
    WDF_SYNCHRONIZATION_SCOPE SynchronizationScope;
    WDFOBJECT ParentObject;
    size_t ContextSizeOverride;
    PCWDF_OBJECT_CONTEXT_TYPE_INFO ContextTypeInfo;
} WDF_OBJECT_ATTRIBUTES, *PWDF_OBJECT_ATTRIBUTES;

typedef PCWDF_OBJECT_CONTEXT_TYPE_INFO (__cdecl *PFN_GET_UNIQUE_CONTEXT_TYPE)( VOID );

typedef struct _WDF_OBJECT_CONTEXT_TYPE_INFO {
    ULONG Size;
    LPCSTR ContextName;
    size_t ContextSize;
    PCWDF_OBJECT_CONTEXT_TYPE_INFO UniqueType;
    PFN_GET_UNIQUE_CONTEXT_TYPE EvtDriverGetUniqueContextType;
} WDF_OBJECT_CONTEXT_TYPE_INFO, *PWDF_OBJECT_CONTEXT_TYPE_INFO;

typedef struct _WDF_CUSTOM_TYPE_CONTEXT {
    ULONG Size;
    ULONG_PTR Data;
} WDF_CUSTOM_TYPE_CONTEXT, *PWDF_CUSTOM_TYPE_CONTEXT;

typedef PVOID (*PFN_WDFOBJECTGETTYPEDCONTEXTWORKER)(GLOBALS, WDFOBJECT Handle,
    PCWDF_OBJECT_CONTEXT_TYPE_INFO TypeInfo);
typedef NTSTATUS (*PFN_WDFOBJECTALLOCATECONTEXT)(GLOBALS, WDFOBJECT Handle,
    PWDF_OBJECT_ATTRIBUTES ContextAttributes, PVOID *Context);
typedef WDFOBJECT (*PFN_WDFOBJECTCONTEXTGETOBJECT)(GLOBALS, PVOID ContextPointer);
typedef void (*PFN_WDFOBJECTREFERENCEACTUAL)(GLOBALS, WDFOBJECT Handle, PVOID Tag, LONG Line,
    PCCH File);
typedef void (*PFN_WDFOBJECTDEREFERENCEACTUAL)(GLOBALS, WDFOBJECT Handle, PVOID Tag, LONG Line,
    PCCH File);
typedef NTSTATUS (*PFN_WDFOBJECTCREATE)(GLOBALS, PWDF_OBJECT_ATTRIBUTES Attributes,
    WDFOBJECT *Object);
typedef void (*PFN_WDFOBJECTDELETE)(GLOBALS, WDFOBJECT Object);
typedef NTSTATUS (*PFN_WDFOBJECTQUERY)(GLOBALS, WDFOBJECT Object, const GUID *Guid,
    ULONG QueryBufferLength, PVOID QueryBuffer);

typedef enum _WDF_MEMORY_DESCRIPTOR_TYPE {
    WdfMemoryDescriptorTypeInvalid = 0,
    WdfMemoryDescriptorTypeBuffer,
    WdfMemoryDescriptorTypeMdl,
    WdfMemoryDescriptorTypeHandle,
} WDF_MEMORY_DESCRIPTOR_TYPE;

typedef struct _WDFMEMORY_OFFSET {
    size_t BufferOffset;
    size_t BufferLength;
} WDFMEMORY_OFFSET, *PWDFMEMORY_OFFSET;

typedef struct _WDF_MEMORY_DESCRIPTOR {
    WDF_MEMORY_DESCRIPTOR_TYPE Type;
    union {
        struct {
            PVOID Buffer;
            ULONG Length;
        } BufferType;
        struct {
            PMDL Mdl;
            ULONG BufferLength;
        } MdlType;
        struct {
            WDFMEMORY Memory;
            PWDFMEMORY_OFFSET Offsets;
        } HandleType;
    } u;
} WDF_MEMORY_DESCRIPTOR, *PWDF_MEMORY_DESCRIPTOR;

typedef NTSTATUS (*PFN_WDFMEMORYCREATE)(GLOBALS, PWDF_OBJECT_ATTRIBUTES Attributes,
    POOL_TYPE PoolType, ULONG PoolTag, size_t BufferSize, WDFMEMORY *Memory, PVOID *Buffer);
typedef NTSTATUS (*PFN_WDFMEMORYCREATEPREALLOCATED)(GLOBALS, PWDF_OBJECT_ATTRIBUTES Attributes,
    PVOID Buffer, size_t BufferSize, WDFMEMORY *Memory);
typedef PVOID (*PFN_WDFMEMORYGETBUFFER)(GLOBALS, WDFMEMORY Memory, size_t *BufferSize);
typedef NTSTATUS (*PFN_WDFMEMORYASSIGNBUFFER)(GLOBALS, WDFMEMORY Memory, PVOID Buffer,
    size_t BufferSize);
typedef NTSTATUS (*PFN_WDFMEMORYCOPYTOBUFFER)(GLOBALS, WDFMEMORY SourceMemory, size_t SourceOffset,
    PVOID Buffer, size_t NumBytesToCopyTo);
typedef NTSTATUS (*PFN_WDFMEMORYCOPYFROMBUFFER)(GLOBALS, WDFMEMORY DestinationMemory,
    size_t DestinationOffset, PVOID Buffer, size_t NumBytesToCopyFrom);
typedef NTSTATUS (*PFN_WDFLOOKASIDELISTCREATE)(GLOBALS, PWDF_OBJECT_ATTRIBUTES LookasideAttributes,
    size_t BufferSize, POOL_TYPE PoolType, PWDF_OBJECT_ATTRIBUTES MemoryAttributes, ULONG PoolTag,
    WDFLOOKASIDE *Lookaside);
typedef NTSTATUS (*PFN_WDFMEMORYCREATEFROMLOOKASIDE)(GLOBALS, WDFLOOKASIDE Lookaside,
    WDFMEMORY *Memory);
typedef NTSTATUS (*PFN_WDFSTRINGCREATE)(GLOBALS, PCUNICODE_STRING UnicodeString,
    PWDF_OBJECT_ATTRIBUTES StringAttributes, WDFSTRING *String);
typedef void (*PFN_WDFSTRINGGETUNICODESTRING)(GLOBALS, WDFSTRING String,
    PUNICODE_STRING UnicodeString);
typedef NTSTATUS (*PFN_WDFCOLLECTIONCREATE)(GLOBALS, PWDF_OBJECT_ATTRIBUTES CollectionAttributes,
    WDFCOLLECTION *Collection);
typedef ULONG (*PFN_WDFCOLLECTIONGETCOUNT)(GLOBALS, WDFCOLLECTION Collection);
typedef NTSTATUS (*PFN_WDFCOLLECTIONADD)(GLOBALS, WDFCOLLECTION Collection, WDFOBJECT Object);
typedef void (*PFN_WDFCOLLECTIONREMOVE)(GLOBALS, WDFCOLLECTION Collection, WDFOBJECT Item);
typedef void (*PFN_WDFCOLLECTIONREMOVEITEM)(GLOBALS, WDFCOLLECTION Collection, ULONG Index);
typedef WDFOBJECT (*PFN_WDFCOLLECTIONGETITEM)(GLOBALS, WDFCOLLECTION Collection, ULONG Index);
typedef WDFOBJECT (*PFN_WDFCOLLECTIONGETFIRSTITEM)(GLOBALS, WDFCOLLECTION Collection);
typedef WDFOBJECT (*PFN_WDFCOLLECTIONGETLASTITEM)(GLOBALS, WDFCOLLECTION Collection);
typedef void (*PFN_WDFOBJECTACQUIRELOCK)(GLOBALS, WDFOBJECT Object);
typedef void (*PFN_WDFOBJECTRELEASELOCK)(GLOBALS, WDFOBJECT Object);
typedef NTSTATUS (*PFN_WDFWAITLOCKCREATE)(GLOBALS, PWDF_OBJECT_ATTRIBUTES LockAttributes,
    WDFWAITLOCK *Lock);
typedef _Always_() NTSTATUS (*PFN_WDFWAITLOCKACQUIRE)(GLOBALS, WDFWAITLOCK Lock, PLONGLONG Timeout);
typedef void (*PFN_WDFWAITLOCKRELEASE)(GLOBALS, WDFWAITLOCK Lock);
typedef NTSTATUS (*PFN_WDFSPINLOCKCREATE)(GLOBALS, PWDF_OBJECT_ATTRIBUTES SpinLockAttributes,
    WDFSPINLOCK *SpinLock);
typedef void (*PFN_WDFSPINLOCKACQUIRE)(GLOBALS, WDFSPINLOCK SpinLock);
typedef void (*PFN_WDFSPINLOCKRELEASE)(GLOBALS, WDFSPINLOCK SpinLock);
typedef void (*PFN_WDFVERIFIERDBGBREAKPOINT)(GLOBALS);
typedef void (*PFN_WDFVERIFIERKEBUGCHECK)(GLOBALS, ULONG BugCheckCode, ULONG_PTR BugCheckParameter1,
    ULONG_PTR BugCheckParameter2, ULONG_PTR BugCheckParameter3, ULONG_PTR BugCheckParameter4);
typedef PVOID (*PFN_WDFGETTRIAGEINFO)(GLOBALS);
