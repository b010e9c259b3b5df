// What the fused ops share: reading tensors, and work over TensorFlow's own threads.
#ifndef DUCHENNE_KERNELS_OPS_OP_KERNEL_H_
#define DUCHENNE_KERNELS_OPS_OP_KERNEL_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../loops/loops.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/util/work_sharder.h"

namespace duchenne {

using tensorflow::OpInputList;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::tstring;
using tensorflow::shape_inference::InferenceContext;

/// The type that passes between matrix products, as TensorFlow names it and as the loops store it.
template <class T>
struct Stored;
template <>
struct Stored<float> {
  using Type = float;
};
template <>
struct Stored<tensorflow::bfloat16> {
  using Type = Bf16;
};

template <class T>
const typename Stored<T>::Type* Read(const Tensor& tensor) {
  return reinterpret_cast<const typename Stored<T>::Type*>(tensor.flat<T>().data());
}
template <class T>
typename Stored<T>::Type* Write(Tensor* tensor) {
  return reinterpret_cast<typename Stored<T>::Type*>(tensor->flat<T>().data());
}
/// An input that may be left out: a tensor without elements stands for none.
inline const float* ReadOptional(const Tensor& tensor) {
  return tensor.NumElements() == 0 ? nullptr : Read<float>(tensor);
}

/// Calls work(begin, end) over parts of 0..count on the intra-op threads. @param cost of one, in cycles, roughly
template <class Work>
void Parallel(OpKernelContext* context, std::int64_t count, std::int64_t cost, const Work& work) {
  const auto* workers = context->device()->tensorflow_cpu_worker_threads();
  tensorflow::Shard(workers->num_threads, workers->workers, count, cost, work);
}

/// Calls work(rows, sums) over parts of the rows and adds up the column sums that each leaves. How the rows are cut does
/// not depend on the number of threads, and so neither do the sums.
///
/// @param sums where each of the sums over all rows goes, `dim` long
template <class Work>
void ParallelWithSums(OpKernelContext* context, std::int64_t rows, std::int64_t dim, std::int64_t cost,
                      const std::vector<float*>& sums, const Work& work) {
  const std::int64_t parts = std::clamp<std::int64_t>(rows / 64, 1, 32);
  const std::int64_t width = static_cast<std::int64_t>(sums.size()) * dim;
  std::vector<float> partial(static_cast<std::size_t>(parts * width), 0.0f);
  Parallel(context, parts, (rows / parts + 1) * cost, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t part = begin; part < end; part++)
      work(RowRange{rows * part / parts, rows * (part + 1) / parts}, partial.data() + part * width);
  });
  for (std::size_t which = 0; which < sums.size(); which++) {
    std::fill_n(sums[which], dim, 0.0f);
    for (std::int64_t part = 0; part < parts; part++) {
      const float* from = partial.data() + part * width + static_cast<std::int64_t>(which) * dim;
      for (std::int64_t j = 0; j < dim; j++) sums[which][j] += from[j];
    }
  }
}

/// Refuses what is not a matrix of rows.
inline bool IsMatrix(OpKernelContext* context, int input) {
  const Tensor& tensor = context->input(input);
  if (tensor.dims() == 2) return true;
  context->CtxFailure(absl::InvalidArgumentError(
      absl::StrCat("Expected input ", input, " to be a matrix, got ", tensor.shape().DebugString())));
  return false;
}

/// Refuses an input of another number of elements. @param orNone also allows an empty one
inline bool HasSize(OpKernelContext* context, int input, std::int64_t size, bool orNone = false) {
  const std::int64_t actual = context->input(input).NumElements();
  if (actual == size || (orNone && actual == 0)) return true;
  context->CtxFailure(
      absl::InvalidArgumentError(absl::StrCat("Expected input ", input, " of ", size, " elements, got ", actual)));
  return false;
}

/// Registers a kernel template for both types that pass between matrix products.
#define DUCHENNE_REGISTER_KERNEL(OP, KERNEL)                                                                          \
  REGISTER_KERNEL_BUILDER(Name(OP).Device(tensorflow::DEVICE_CPU).TypeConstraint<float>("T"), KERNEL<float>);         \
  REGISTER_KERNEL_BUILDER(Name(OP).Device(tensorflow::DEVICE_CPU).TypeConstraint<tensorflow::bfloat16>("T"),          \
                          KERNEL<tensorflow::bfloat16>)

}  // namespace duchenne

#endif  // DUCHENNE_KERNELS_OPS_OP_KERNEL_H_
