#include "op-kernel.h"

namespace duchenne {
namespace {

/// x + scale * (branch + bias) on rows [R, D]; scale [B], one for each R / B rows, or empty.
REGISTER_OP("DuchenneResidual")
    .Input("x: float")
    .Input("branch: T")
    .Input("bias: float")
    .Input("scale: float")
    .Output("y: float")
    .Attr("T: {float, bfloat16}")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(0));
      return absl::OkStatus();
    });

/// The gradient for branch and bias; that for x is dy itself.
REGISTER_OP("DuchenneResidualGrad")
    .Input("dy: float")
    .Input("scale: float")
    .Output("dbranch: T")
    .Output("dbias: float")
    .Attr("T: {float, bfloat16}")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(0));
      c->set_output(1, c->Vector(c->Dim(c->input(0), 1)));
      return absl::OkStatus();
    });

/// Refuses scales that do not divide the rows.
bool ScalesRows(OpKernelContext* context, int input, std::int64_t rows) {
  const std::int64_t scales = context->input(input).NumElements();
  if (scales == 0 || rows % scales == 0) return true;
  context->CtxFailure(absl::InvalidArgumentError(absl::StrCat("Expected scales for ", rows, " rows, got ", scales)));
  return false;
}

std::int64_t RowsPerScale(std::int64_t rows, const Tensor& scale) {
  return scale.NumElements() == 0 ? 1 : rows / scale.NumElements();
}

template <class T>
class ResidualOp : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    if (!IsMatrix(context, 0)) return;
    const Tensor& x = context->input(0);
    const std::int64_t rows = x.dim_size(0);
    const std::int64_t dim = x.dim_size(1);
    if (!HasSize(context, 1, rows * dim) || !HasSize(context, 2, dim) || !ScalesRows(context, 3, rows)) return;
    Tensor* y;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, x.shape(), &y));
    const ResidualRows<typename Stored<T>::Type> work = {
        Read<float>(x),
        Read<T>(context->input(1)),
        Read<float>(context->input(2)),
        ReadOptional(context->input(3)),
        Write<float>(y),
        dim,
        RowsPerScale(rows, context->input(3))};
    const auto& loops = ChosenLoops().activations<typename Stored<T>::Type>();
    Parallel(context, rows, dim, [&](std::int64_t begin, std::int64_t end) { loops.residual(work, {begin, end}); });
  }
};

template <class T>
class ResidualGradOp : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    if (!IsMatrix(context, 0)) return;
    const Tensor& dy = context->input(0);
    const std::int64_t rows = dy.dim_size(0);
    const std::int64_t dim = dy.dim_size(1);
    if (!ScalesRows(context, 1, rows)) return;
    const float* scale = ReadOptional(context->input(1));
    Tensor* dbranch = nullptr;
    Tensor* dbias;
    // Unscaled and in float, the branch's gradient is dy itself.
    if (scale == nullptr && std::is_same_v<T, float>) {
      context->set_output(0, dy);
    } else {
      OP_REQUIRES_OK(context, context->allocate_output(0, dy.shape(), &dbranch));
    }
    OP_REQUIRES_OK(context, context->allocate_output(1, {dim}, &dbias));
    const ResidualGradRows<typename Stored<T>::Type> work = {
        Read<float>(dy), scale, dbranch == nullptr ? nullptr : Write<T>(dbranch), dim,
        RowsPerScale(rows, context->input(1))};
    const auto& loops = ChosenLoops().activations<typename Stored<T>::Type>();
    ParallelWithSums(context, rows, dim, dim, {Write<float>(dbias)},
                     [&](RowRange range, float* sums) { loops.residualGrad(work, range, sums); });
  }
};

DUCHENNE_REGISTER_KERNEL("DuchenneResidual", ResidualOp);
DUCHENNE_REGISTER_KERNEL("DuchenneResidualGrad", ResidualGradOp);

}  // namespace
}  // namespace duchenne
