/* The cases without the optimizer. */
#include "seh.h"
#pragma clang optimize off
#include "cases.inc"

VOID Plain(VOID)
{
    Cases();
}
