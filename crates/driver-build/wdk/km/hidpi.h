/* That of mingw-w64 uses types of <hidusage.h> without including it. */
#pragma once
#include <hidusage.h>
#include_next <hidpi.h>
