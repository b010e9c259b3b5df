#if defined(__x86_64__)
#pragma GCC target("avx2,fma")
#define DUCHENNE_LANES 8
#define DUCHENNE_TABLE kAvx2Loops
#define DUCHENNE_INSTRUCTION_SET "avx2"
#include "table.h"
#endif
