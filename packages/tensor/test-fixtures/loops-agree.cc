// Runs the loops of an instruction set against double precision, on sizes that are no multiples of any register: loops-agree
// SET. Ends with 1 at the first value that does not agree. Without an argument it prints the sets that this processor has,
// and which is chosen.
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

/// @param inPlace the results stand where the inputs did
void CheckSoftmaxGrad(const Loops& loops, std::int64_t rows, std::int64_t dim, bool inPlace) {
  const std::vector<float> x = Numbers(rows * dim, 0.3, 20), dy = Numbers(rows * dim, 1.1, 1);
  std::vector<float> first = x, second = dy, y(x.size()), dx(x.size());
  std::vector<float>& probabilities = inPlace ? first : y;
  std::vector<float>& gradient = inPlace ? second : dx;
  loops.softmaxGrad({first.data(), second.data(), probabilities.data(), gradient.data(), dim}, {0, rows});
  for (std::int64_t row = 0; row < rows; row++) {
    const std::size_t start = static_cast<std::size_t>(row * dim);
    const std::size_t end = start + static_cast<std::size_t>(dim);
    double sum = 0, along = 0;
    for (std::size_t i = start; i < end; i++) sum += std::exp(static_cast<double>(x[i]));
    for (std::size_t i = start; i < end; i++) along += std::exp(static_cast<double>(x[i])) / sum * dy[i];
    for (std::size_t i = start; i < end; i++) {
      const double expected = std::exp(static_cast<double>(x[i])) / sum;
      Expect(loops, "softmax again", probabilities[i], expected, 1e-6);
      Expect(loops, "softmax's gradient", gradient[i], expected * (dy[i] - along), 1e-6);
    }
  }
}

/// One score that is not a number makes its whole row so, and no other.
void CheckSoftmaxOfNaN(const Loops& loops) {
  std::vector<float> x = Numbers(2 * 19, 0.3, 1), dy = Numbers(2 * 19, 1.1, 1);
  x[17] = NAN;
  loops.softmaxGrad({x.data(), dy.data(), x.data(), dy.data(), 19}, {0, 2});
  for (std::size_t i = 0; i < x.size(); i++) {
    if (std::isnan(x[i]) == (i < 19) && std::isnan(dy[i]) == (i < 19)) continue;
    std::printf("%s, softmax of what is not a number: element %zu\n", loops.instructionSet, i);
    std::exit(1);
  }
}

template <class T>
void CheckLayerNorm(const Loops& loops, std::int64_t rows, std::int64_t dim, bool carries) {
  const double error = sizeof(T) == 4 ? 2e-6 : 1.0 / 128;
  const float epsilon = 1e-3f;
  const std::vector<float> x = Numbers(rows * dim, 0.3, 3), gain = Numbers(dim, 1.0, 1), offset = Numbers(dim, 2.0, 0.5);
  const std::vector<float> carry = Numbers(rows * dim, 0.9, 1);
  const std::vector<T> dy = Stored<T>(Numbers(rows * dim, 1.1, 1));
  std::vector<T> y(x.size()), again(x.size());
  std::vector<float> mean(static_cast<std::size_t>(rows)), rstd(mean.size()), dx(x.size()), dgain(gain.size()),
      doffset(gain.size());
  const auto& each = loops.activations<T>();
  each.layerNorm({x.data(), gain.data(), offset.data(), y.data(), mean.data(), rstd.data(), dim, epsilon}, {0, rows});
  each.layerNormGrad({dy.data(), x.data(), gain.data(), offset.data(), mean.data(), rstd.data(),
                      carries ? carry.data() : nullptr, dx.data(), again.data(), dim},
                     {0, rows}, dgain.data(), doffset.data());
  std::vector<double> gainSums(gain.size()), offsetSums(gain.size());
  const double count = static_cast<double>(dim);
  for (std::size_t row = 0; row < mean.size(); row++) {
    const std::size_t start = row * gain.size();
    double sum = 0, squares = 0, scaledSum = 0, alongSum = 0;
    for (std::size_t j = 0; j < gain.size(); j++) sum += x[start + j];
    for (std::size_t j = 0; j < gain.size(); j++) squares += std::pow(x[start + j] - sum / count, 2);
    const double scale = 1 / std::sqrt(squares / count + epsilon);
    const auto standard = [&](std::size_t j) { return (x[start + j] - sum / count) * scale; };
    const auto gradient = [&](std::size_t j) { return static_cast<double>(Value(dy[start + j])); };
    for (std::size_t j = 0; j < gain.size(); j++) {
      scaledSum += gradient(j) * gain[j];
      alongSum += gradient(j) * gain[j] * standard(j);
    }
    Expect(loops, "mean", mean[row], sum / count, 1e-6);
    Expect(loops, "1 / standard deviation", rstd[row], scale, 1e-5);
    for (std::size_t j = 0; j < gain.size(); j++) {
      const std::size_t i = start + j;
      const double expected = (gradient(j) * gain[j] - scaledSum / count - standard(j) * alongSum / count) * scale;
      Expect(loops, "layerNorm", Value(y[i]), standard(j) * gain[j] + offset[j], error);
      Expect(loops, "layerNorm again", Value(again[i]), standard(j) * gain[j] + offset[j], error);
      Expect(loops, "layerNorm's gradient", dx[i], expected + (carries ? carry[i] : 0), 3e-5);
      gainSums[j] += gradient(j) * standard(j);
      offsetSums[j] += gradient(j);
    }
  }
  for (std::size_t j = 0; j < gain.size(); j++) {
    Expect(loops, "the gain's gradient", dgain[j], gainSums[j], 1e-5);
    Expect(loops, "the offset's gradient", doffset[j], offsetSums[j], 1e-5);
  }
}

/// @param scaled stochastic depth: one scale for every two rows
template <class T>
void CheckResidual(const Loops& loops, std::int64_t rows, std::int64_t dim, bool scaled) {
  const double error = sizeof(T) == 4 ? 1e-6 : 1.0 / 256;
  const std::vector<float> x = Numbers(rows * dim, 0.3, 1), bias = Numbers(dim, 1.0, 1), dy = Numbers(rows * dim, 0.6, 1);
  const std::vector<float> scales = Numbers((rows + 1) / 2, 0.8, 1.5);
  const std::vector<T> branch = Stored<T>(Numbers(rows * dim, 2.1, 2));
  std::vector<float> y(x.size()), dbias(bias.size());
  std::vector<T> dbranch(x.size());
  const float* scale = scaled ? scales.data() : nullptr;
  const auto& each = loops.activations<T>();
  each.residual({x.data(), branch.data(), bias.data(), scale, y.data(), dim, 2}, {0, rows});
  each.residualGrad({dy.data(), scale, dbranch.data(), dim, 2}, {0, rows}, dbias.data());
  std::vector<double> sums(bias.size());
  for (std::size_t i = 0; i < x.size(); i++) {
    const std::size_t column = i % bias.size();
    const double factor = scaled ? scales[i / bias.size() / 2] : 1;
    Expect(loops, "residual", y[i], x[i] + factor * (static_cast<double>(Value(branch[i])) + bias[column]), 1e-6);
    Expect(loops, "the branch's gradient", Value(dbranch[i]), factor * dy[i], error);
    sums[column] += factor * dy[i];
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

template <class T>
void CheckActivations(const Loops& loops, std::int64_t dim) {
  CheckGelu<T>(loops, 3, dim);
  for (bool option : {false, true}) {
    CheckLayerNorm<T>(loops, 3, dim, option);
    CheckResidual<T>(loops, 5, dim, option);
  }
}

}  // namespace

int main(int count, char** arguments) {
  for (const Loops* loops : duchenne::AvailableLoops()) {
    if (count < 2) {
      std::printf("%s\n", loops->instructionSet);
    } else if (std::strcmp(arguments[1], loops->instructionSet) == 0) {
      for (std::int64_t dim : {1, 3, 7, 8, 15, 16, 17, 37, 64}) {
        CheckActivations<float>(*loops, dim);
        CheckActivations<Bf16>(*loops, dim);
        CheckAdamW(*loops, dim);
        CheckSoftmaxGrad(*loops, 5, dim, false);
        CheckSoftmaxGrad(*loops, 5, dim, true);
      }
      CheckSoftmaxOfNaN(*loops);
      return 0;
    }
  }
  if (count < 2) std::printf("chosen: %s\n", duchenne::ChosenLoops().instructionSet);
  return count < 2 ? 0 : 2;
}
