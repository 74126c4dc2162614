/* Functions that fault, and those that look at registers. */
#include "seh.h"

DECLSPEC_NOINLINE ULONG Read(volatile ULONG *Address)
{
    return *Address;
}

DECLSPEC_NOINLINE VOID Write(volatile ULONG *Address)
{
    *Address = 1;
}

DECLSPEC_NOINLINE SIZE_T Length(SIZE_T Bytes)
{
    volatile SIZE_T length = Bytes;
    return length;
}

DECLSPEC_NOINLINE ULONG Divide(ULONG A, ULONG B)
{
    volatile ULONG divisor = B;
    return A / divisor;
}

__attribute__((naked)) ULONG ReadThroughRcx(volatile ULONG *Address)
{
    __asm__("movl (%rcx), %eax\n\tret");
}

/* The frame is described by hand, with a saved register of each kind. */
__asm__(".globl SpoilRegisters\n"
        ".def SpoilRegisters; .scl 2; .type 32; .endef\n"
        ".seh_proc SpoilRegisters\n"
        "SpoilRegisters:\n"
        "pushq %rbx\n.seh_pushreg %rbx\n"
        "pushq %rdi\n.seh_pushreg %rdi\n"
        "pushq %rbp\n.seh_pushreg %rbp\n"
        "subq $0x120, %rsp\n.seh_stackalloc 0x120\n"
        "leaq 0x80(%rsp), %rbp\n.seh_setframe %rbp, 0x80\n"
        "movaps %xmm6, 0x20(%rsp)\n.seh_savexmm %xmm6, 0x20\n"
        "movaps %xmm15, 0x30(%rsp)\n.seh_savexmm %xmm15, 0x30\n"
        "movq %rsi, 0x100(%rsp)\n.seh_savereg %rsi, 0x100\n"
        "movq %r12, 0x108(%rsp)\n.seh_savereg %r12, 0x108\n"
        ".seh_endprologue\n"
        "subq $64, %rsp\n"
        "movq $-1, %rbx\nmovq $-1, %rdi\nmovq $-1, %rsi\nmovq $-1, %r12\n"
        "pcmpeqd %xmm6, %xmm6\npcmpeqd %xmm15, %xmm15\n"
        "movl $0x20000, %eax\n"
        "movl (%rax), %eax\n"
        "leaq 0xa0(%rbp), %rsp\n"
        "popq %rbp\npopq %rdi\npopq %rbx\nret\n"
        ".seh_endproc\n");

/* Its caller's registers are those that the dispatch has to bring back. */
__asm__(".globl KeepsRegisters\n"
        ".def KeepsRegisters; .scl 2; .type 32; .endef\n"
        ".seh_proc KeepsRegisters\n"
        "KeepsRegisters:\n"
        "pushq %rbx\n.seh_pushreg %rbx\n"
        "pushq %rsi\n.seh_pushreg %rsi\n"
        "pushq %rdi\n.seh_pushreg %rdi\n"
        "pushq %r12\n.seh_pushreg %r12\n"
        "pushq %rbp\n.seh_pushreg %rbp\n"
        "subq $0x40, %rsp\n.seh_stackalloc 0x40\n"
        "movaps %xmm6, 0x20(%rsp)\n.seh_savexmm %xmm6, 0x20\n"
        "movaps %xmm15, 0x30(%rsp)\n.seh_savexmm %xmm15, 0x30\n"
        ".seh_endprologue\n"
        "movl $1, %ebx\nmovl $2, %esi\nmovl $3, %edi\nmovl $4, %r12d\nmovl $5, %ebp\n"
        "movq %rbx, %xmm6\nmovq %rsi, %xmm15\n"
        "call *%rcx\n"
        "xorl %eax, %eax\n"
        "cmpq $1, %rbx\njne 1f\ncmpq $2, %rsi\njne 1f\ncmpq $3, %rdi\njne 1f\n"
        "cmpq $4, %r12\njne 1f\ncmpq $5, %rbp\njne 1f\n"
        "movq %xmm6, %rcx\ncmpq $1, %rcx\njne 1f\n"
        "movq %xmm15, %rcx\ncmpq $2, %rcx\njne 1f\n"
        "incl %eax\n"
        "1:\n"
        "movaps 0x20(%rsp), %xmm6\nmovaps 0x30(%rsp), %xmm15\n"
        "addq $0x40, %rsp\n"
        "popq %rbp\npopq %r12\npopq %rdi\npopq %rsi\npopq %rbx\nret\n"
        ".seh_endproc\n");
