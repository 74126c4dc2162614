/* ntddk.h: all that these headers have is in wdm.h. */
#ifndef NMR_KERNEL_NTDDK_H
#define NMR_KERNEL_NTDDK_H

#include "wdm.h"

#endif /* NMR_KERNEL_NTDDK_H */
