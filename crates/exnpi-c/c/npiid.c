#include "exnpi.h"

const NPIID EXNPI_NPIID = EXNPI_NPIID_INIT;
