// For any processor the compiler knows: vectors of four floats, in whatever registers there are.
#include "hub_kernels.h"
#define W 4
#define ROWS 4
#define NAME portable
#include "../body/kernels.h"
