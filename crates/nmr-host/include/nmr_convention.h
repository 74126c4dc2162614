/*
 * nmr_convention.h: which calling convention has which function. Included by the other headers.
 *
 * The registrar calls the callbacks of a module, and the two call each other through dispatch
 * tables, in the Microsoft convention on x86-64, on Linux too. Three ways of compiling agree with it:
 *
 *   the compiler's own convention is Microsoft's     gcc -mabi=ms, or clang --target=x86_64-pc-windows-elf:
 *                                                    nothing has to be written on any function
 *   NMR_HOST_NATIVE_CONVENTION is defined            NTAPI is the system's own convention, the registrar
 *                                                    is told so at each registration, and modules that
 *                                                    meet must all be compiled in this way
 *   neither                                          every callback has to be NTAPI
 *
 * On AArch64 there is one convention, and on Windows the compiler's own is right.
 *
 *   NMR_HOST_API     the convention of the functions of nmr_host.h: the system's
 *   NMR_HOST_NT      the convention of the nine functions of netioddk.h and of the kernel's
 *   NTAPI            the convention of callbacks
 */
#ifndef NMR_HOST_CONVENTION_H
#define NMR_HOST_CONVENTION_H

#include <stddef.h>

/* Windows itself, and not a program for Linux that is compiled with Windows' conventions. */
#if defined(_WIN32) && (defined(_MSC_VER) || defined(__MINGW32__))
#define NMR_HOST_ON_WINDOWS 1
#else
#define NMR_HOST_ON_WINDOWS 0
#endif

#if !NMR_HOST_ON_WINDOWS && defined(__x86_64__)
#define NMR_HOST_TWO_CONVENTIONS 1
#define NMR_HOST_API __attribute__((sysv_abi))
#define NMR_HOST_NT __attribute__((ms_abi))
#elif NMR_HOST_ON_WINDOWS
#define NMR_HOST_TWO_CONVENTIONS 0
#define NMR_HOST_API
#define NMR_HOST_NT __stdcall
#elif defined(__aarch64__)
#define NMR_HOST_TWO_CONVENTIONS 0
#define NMR_HOST_API
#define NMR_HOST_NT
#else
#error "The registrar runs on x86-64 and AArch64."
#endif

#if defined(NMR_HOST_NATIVE_CONVENTION) && NMR_HOST_TWO_CONVENTIONS
#define NMR_HOST_CALLBACK NMR_HOST_API
#else
#define NMR_HOST_CALLBACK NMR_HOST_NT
#endif

#ifndef NTAPI
#define NTAPI NMR_HOST_CALLBACK
#endif

/*
 * What a registration says about its callbacks: 0 for the Microsoft convention, 1 for the system's.
 */
#if defined(NMR_HOST_NATIVE_CONVENTION) && NMR_HOST_TWO_CONVENTIONS
#define NMR_HOST_CALLBACKS 1
#else
#define NMR_HOST_CALLBACKS 0
#endif

/*
 * A compiler whose own convention is Microsoft's calls memcpy and its like in it, also where the source
 * only assigns a structure. The C library's have the other convention, so such a file gets the
 * registrar's. The function below is never called; it is there for what the assembler reads in it.
 */
#if NMR_HOST_TWO_CONVENTIONS && defined(__ELF__) || NMR_HOST_TWO_CONVENTIONS && defined(_WIN32)
#ifdef __cplusplus
#define NMR_HOST_OWN_IS_NT __is_same(void(void), void NMR_HOST_NT(void))
#else
#define NMR_HOST_OWN_IS_NT __builtin_types_compatible_p(void(void), void NMR_HOST_NT(void))
#endif
static __attribute__((used)) void nmr_host_own_memory_functions(void)
{
    __asm__(".if %c0\n"
            ".set memcmp, nmr_host_memcmp\n"
            ".set memcpy, nmr_host_memcpy\n"
            ".set memmove, nmr_host_memmove\n"
            ".set memset, nmr_host_memset\n"
            ".set strlen, nmr_host_strlen\n"
            ".set __chkstk, nmr_host_chkstk\n"
            ".endif"
            :
            : "i"(NMR_HOST_OWN_IS_NT));
}
#endif

#endif /* NMR_HOST_CONVENTION_H */
