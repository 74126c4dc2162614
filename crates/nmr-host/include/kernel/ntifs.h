/* ntifs.h: all that these headers have is in wdm.h. */
#ifndef NMR_KERNEL_NTIFS_H
#define NMR_KERNEL_NTIFS_H

#include "ntddk.h"

#endif /* NMR_KERNEL_NTIFS_H */
