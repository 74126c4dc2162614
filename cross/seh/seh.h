/* What the sources of the driver share. */
#pragma once
#include <ntddk.h>

#ifndef GetExceptionCode
#define GetExceptionCode() _exception_code()
#define GetExceptionInformation() ((EXCEPTION_POINTERS *)_exception_info())
#define AbnormalTermination() _abnormal_termination()
#endif
#ifndef EXCEPTION_EXECUTE_HANDLER
#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)
#endif

/* In a program's part of the addresses, and nothing is there. */
#define NOWHERE ((volatile ULONG *)(ULONG_PTR)0x20000)
/* In the kernel's. */
#define KERNEL ((volatile ULONG *)(ULONG_PTR)0xffff800000001000ULL)

static __inline VOID Say(const char *What, BOOLEAN Right)
{
    DbgPrint("%s: %s\n", What, Right ? "right" : "wrong");
}

/* touch.c: each may fault. */
ULONG Read(volatile ULONG *Address);
VOID Write(volatile ULONG *Address);
/* A length that the compiler does not know. */
SIZE_T Length(SIZE_T Bytes);
ULONG Divide(ULONG A, ULONG B);
/* Reads at the address in RCX, with an instruction that a filter can mend. */
ULONG ReadThroughRcx(volatile ULONG *Address);
/* Changes every register that a function keeps, and faults. */
VOID SpoilRegisters(VOID);
/* Calls a function, and returns TRUE if every register that it has to keep is as it was. */
BOOLEAN KeepsRegisters(VOID (*Function)(VOID));

/* The cases, compiled with the optimizer and without it. */
VOID Optimized(VOID);
VOID Plain(VOID);
