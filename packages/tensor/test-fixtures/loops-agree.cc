// Runs the loops of every instruction set that this processor has against double precision, on sizes that are no multiples of
// any register. Prints the name of each set that agrees; ends with 1 at the first value that does not.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../native/kernels/loops/loops.h"

namespace {

using duchenne::Bf16;
using duchenne::Loops;
using duchenne::RowRange;

std::vector<float> Numbers(std::int64_t count, double phase, double size) {
  std::vector<float> numbers(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < numbers.size(); i++)
    numbers[i] = static_cast<float>(size * std::sin(1.7 * static_cast<double>(i) + phase));
  return numbers;
}

float Value(float x) { return x; }
float Value(Bf16 x) {
  const std::uint32_t bits = static_cast<std::uint32_t>(x) << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

template <class T>
std::vector<T> Stored(const std::vector<float>& numbers);
template <>
std::vector<float> Stored<float>(const std::vector<float>& numbers) {
  return numbers;
}
template <>
std::vector<Bf16> Stored<Bf16>(const std::vector<float>& numbers) {
  std::vector<Bf16> halves;
  for (float number : numbers) {
    std::uint32_t bits;
    std::memcpy(&bits, &number, 4);
    halves.push_back(static_cast<Bf16>(bits >> 16));
  }
  return halves;
}

/// @param error relative, above 1 in size; absolute below
void Expect(const Loops& loops, const char* what, double actual, double expected, double error) {
  if (std::fabs(actual - expected) <= error * std::fmax(1.0, std::fabs(expected))) return;
  std::printf("%s, %s: expected %.9g, got %.9g\n", loops.instructionSet, what, expected, actual);
  std::exit(1);
}

template <class T>
void CheckGelu(const Loops& loops, std::int64_t rows, std::int64_t dim) {
  const double error = sizeof(T) == 4 ? 1e-6 : 1.0 / 256;
  const std::vector<T> u = Stored<T>(Numbers(rows * dim, 0.3, 4));
  const std::vector<T> dy = Stored<T>(Numbers(rows * dim, 1.1, 1));
  const std::vector<float> bias = Numbers(dim, 2.0, 0.5);
  std::vector<T> y(u.size()), again(u.size()), du(u.size());
  std::vector<float> dbias(bias.size());
  const auto& each = loops.activations<T>();
  each.biasGelu({u.data(), bias.data(), y.data(), dim}, {0, rows});
  each.biasGeluGrad({dy.data(), u.data(), bias.data(), du.data(), again.data(), dim}, {0, rows}, dbias.data());
  std::vector<double> sums(bias.size());
  for (std::size_t i = 0; i < u.size(); i++) {
    const std::size_t column = i % bias.size();
    const double x = static_cast<double>(Value(u[i])) + bias[column];
    const double phi = 0.5 * std::erfc(-x / std::sqrt(2.0));
    const double slope = phi + x * std::exp(-x * x / 2) / std::sqrt(2 * M_PI);
    Expect(loops, "gelu", Value(y[i]), x * phi, error);
    Expect(loops, "gelu again", Value(again[i]), x * phi, error);
    Expect(loops, "gelu's gradient", Value(du[i]), Value(dy[i]) * slope, error);
    sums[column] += Value(dy[i]) * slope;
  }
  for (std::size_t j = 0; j < sums.size(); j++) Expect(loops, "the bias's gradient", dbias[j], sums[j], 1e-5);
}

void CheckAdamW(const Loops& loops, std::int64_t count) {
  std::vector<float> weight = Numbers(count, 0.1, 1), first = Numbers(count, 0.7, 0.1);
  std::vector<float> second = Numbers(count, 1.3, 0.1), gradient = Numbers(count, 2.9, 1);
  for (float& each : second) each *= each;
  const std::vector<float> w = weight, m = first, v = second;
  loops.adamw({weight.data(), first.data(), second.data(), gradient.data(), 0.99f, 0.02f, 0.5f, 0.9f, 0.999f, 0.1f,
               0.001f, 1e-8f},
              {0, count});
  for (std::size_t i = 0; i < w.size(); i++) {
    const double g = gradient[i];
    const double moment = 0.9 * m[i] + 0.1 * g;
    const double square = 0.999 * v[i] + 0.001 * g * g;
    Expect(loops, "first moment", first[i], moment, 1e-6);
    Expect(loops, "second moment", second[i], square, 1e-6);
    Expect(loops, "weight", weight[i], 0.99 * w[i] - 0.02 * moment / (std::sqrt(square) / 0.5 + 1e-8), 1e-6);
  }
}

void Check(const Loops& loops) {
  for (std::int64_t dim : {1, 3, 7, 8, 15, 16, 17, 37, 64}) {
    CheckGelu<float>(loops, 3, dim);
    CheckGelu<Bf16>(loops, 3, dim);
    CheckAdamW(loops, dim);
  }
  std::printf("%s\n", loops.instructionSet);
}

}  // namespace

int main() {
  Check(duchenne::kBaselineLoops);
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) Check(duchenne::kAvx2Loops);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    Check(duchenne::kAvx512Loops);
#endif
  std::printf("chosen: %s\n", duchenne::ChosenLoops().instructionSet);
  return 0;
}
