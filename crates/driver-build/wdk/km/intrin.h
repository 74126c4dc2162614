/* Drivers do without the intrinsics; the headers of Clang and of mingw-w64 for them clash. */
