#include <atomic>

#include "loops.h"

namespace duchenne {
namespace {

std::vector<const Loops*> Available() {
  std::vector<const Loops*> available = {&kBaselineLoops};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) available.push_back(&kAvx2Loops);
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx512) available.push_back(&kAvx512Loops);
#endif
  return available;
}

std::atomic<const Loops*>& Chosen() {
  static std::atomic<const Loops*> chosen{AvailableLoops().back()};
  return chosen;
}

}  // namespace

const std::vector<const Loops*>& AvailableLoops() {
  static const std::vector<const Loops*> available = Available();
  return available;
}

const Loops& ChosenLoops() { return *Chosen().load(std::memory_order_relaxed); }

bool ChooseLoops(const std::string& instructionSet) {
  for (const Loops* each : AvailableLoops()) {
    if (instructionSet != each->instructionSet) continue;
    Chosen().store(each, std::memory_order_relaxed);
    return true;
  }
  return false;
}

}  // namespace duchenne
