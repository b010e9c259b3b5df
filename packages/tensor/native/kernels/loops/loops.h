// The inner loops of the fused kernels, compiled once for each instruction set and chosen when the library is loaded.
// This header and what implements it know nothing of TensorFlow.
#ifndef DUCHENNE_KERNELS_LOOPS_LOOPS_H_
#define DUCHENNE_KERNELS_LOOPS_LOOPS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace duchenne {

/// A bfloat16 as its bits: the upper half of a float.
using Bf16 = std::uint16_t;

/// Rows [begin, end) of a matrix.
struct RowRange {
  std::int64_t begin;
  std::int64_t end;
};

/// LayerNorm of rows of D: y = (x - mean) * rstd * gain + offset. Mean and rstd are kept for the gradient.
template <class T>
struct LayerNormRows {
  const float* x;
  const float* gain;
  const float* offset;
  T* y;
  float* mean;
  float* rstd;
  std::int64_t dim;
  float epsilon;
};

/// Its gradient; `carry` (null: none) is the gradient that reaches x past the LayerNorm and is added to dx. Also writes y
/// again, so that it need not be kept since the forward pass.
template <class T>
struct LayerNormGradRows {
  const T* dy;
  const float* x;
  const float* gain;
  const float* offset;
  const float* mean;
  const float* rstd;
  const float* carry;
  float* dx;
  T* y;
  std::int64_t dim;
};

/// y = softmax(x) of rows of D, and dx = y * (dy - sum(y * dy)). y may stand where x does, and dx where dy does.
struct SoftmaxGradRows {
  const float* x;
  const float* dy;
  float* y;
  float* dx;
  std::int64_t dim;
};

/// y = gelu(u + bias), exact; bias may be null.
template <class T>
struct BiasGeluRows {
  const T* u;
  const float* bias;
  T* y;
  std::int64_t dim;
};

/// du = dy * gelu'(u + bias). Also writes y = gelu(u + bias) again.
template <class T>
struct BiasGeluGradRows {
  const T* dy;
  const T* u;
  const float* bias;
  T* du;
  T* y;
  std::int64_t dim;
};

/// y = x + scale * (branch + bias), with one scale for the `rowsPerScale` rows of a sample (null: 1).
template <class T>
struct ResidualRows {
  const float* x;
  const T* branch;
  const float* bias;
  const float* scale;
  float* y;
  std::int64_t dim;
  std::int64_t rowsPerScale;
};

/// dbranch = scale * dy (null: is not written).
template <class T>
struct ResidualGradRows {
  const float* dy;
  const float* scale;
  T* dbranch;
  std::int64_t dim;
  std::int64_t rowsPerScale;
};

/// Elements of one parameter: w = keep * w - rate * m / (sqrt(v) / correction + epsilon), all in place.
struct AdamWElements {
  float* weight;
  float* first;
  float* second;
  const float* gradient;
  float keep;
  float rate;
  float correction;
  float beta1;
  float beta2;
  /// 1 - beta1 and 1 - beta2, rounded from double: in float, 1 - 0.999 is off by 5e-5.
  float complement1;
  float complement2;
  float epsilon;
};

/// The loops that exist in both precisions of what passes between matrix products.
template <class T>
struct ActivationLoops {
  void (*layerNorm)(const LayerNormRows<T>&, RowRange);
  /// Adds the sums over its rows to dgain and doffset.
  void (*layerNormGrad)(const LayerNormGradRows<T>&, RowRange, float* dgain, float* doffset);
  void (*biasGelu)(const BiasGeluRows<T>&, RowRange);
  /// Adds the sums over its rows to dbias (null: not wanted).
  void (*biasGeluGrad)(const BiasGeluGradRows<T>&, RowRange, float* dbias);
  void (*residual)(const ResidualRows<T>&, RowRange);
  /// Adds the sums over its rows to dbias.
  void (*residualGrad)(const ResidualGradRows<T>&, RowRange, float* dbias);
};

/// The loops of one instruction set.
struct Loops {
  const char* instructionSet;
  ActivationLoops<float> float32;
  ActivationLoops<Bf16> bfloat16;
  void (*softmaxGrad)(const SoftmaxGradRows&, RowRange);
  void (*adamw)(const AdamWElements&, RowRange);

  template <class T>
  const ActivationLoops<T>& activations() const;
};

template <>
inline const ActivationLoops<float>& Loops::activations<float>() const {
  return float32;
}
template <>
inline const ActivationLoops<Bf16>& Loops::activations<Bf16>() const {
  return bfloat16;
}

extern const Loops kBaselineLoops;
extern const Loops kAvx2Loops;
extern const Loops kAvx512Loops;

/// Those of the instruction sets that this processor has, the narrowest first.
const std::vector<const Loops*>& AvailableLoops();

/// Those in use: of the widest set, unless others were chosen.
const Loops& ChosenLoops();

/// From now on, in all threads, those of another set: to compare and to test. @returns whether the processor has it
bool ChooseLoops(const std::string& instructionSet);

}  // namespace duchenne

#endif  // DUCHENNE_KERNELS_LOOPS_LOOPS_H_
