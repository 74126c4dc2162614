/* Everything that is asked for is in ntddk.h. */
#pragma once
#include "ntddk.h"
