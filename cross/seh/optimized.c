/* The cases as the optimizer makes them, in the profile for releases. */
#include "seh.h"
#include "cases.inc"

VOID Optimized(VOID)
{
    Cases();
}
