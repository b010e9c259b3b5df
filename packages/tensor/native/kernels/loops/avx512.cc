#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,prefer-vector-width=512")
#define DUCHENNE_LANES 16
#define DUCHENNE_TABLE kAvx512Loops
#define DUCHENNE_INSTRUCTION_SET "avx512"
#include "table.h"
#endif
