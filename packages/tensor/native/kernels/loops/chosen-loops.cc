#include "loops.h"

namespace duchenne {
namespace {

const Loops& Widest() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx512) return kAvx512Loops;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kAvx2Loops;
#endif
  return kBaselineLoops;
}

}  // namespace

const Loops& ChosenLoops() {
  static const Loops& chosen = Widest();
  return chosen;
}

}  // namespace duchenne
