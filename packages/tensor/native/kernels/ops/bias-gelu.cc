#include "op-kernel.h"

namespace duchenne {
namespace {

/// gelu(u + bias), u [R, H]; bias [H] or empty.
REGISTER_OP("DuchenneBiasGelu")
    .Input("u: T")
    .Input("bias: float")
    .Output("y: T")
    .Attr("T: {float, bfloat16}")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(0));
      return absl::OkStatus();
    });

/// Its gradient; dbias is empty when the bias is. `y` is the value again, so that it need not be kept.
REGISTER_OP("DuchenneBiasGeluGrad")
    .Input("dy: T")
    .Input("u: T")
    .Input("bias: float")
    .Output("du: T")
    .Output("dbias: float")
    .Output("y: T")
    .Attr("T: {float, bfloat16}")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(1));
      c->set_output(1, c->input(2));
      c->set_output(2, c->input(1));
      return absl::OkStatus();
    });

/// About what exp, a division and two polynomials cost a lane.
constexpr std::int64_t kCost = 4;

template <class T>
class BiasGeluOp : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    if (!IsMatrix(context, 0)) return;
    const Tensor& u = context->input(0);
    const std::int64_t dim = u.dim_size(1);
    if (!HasSize(context, 1, dim, true)) return;
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, u.shape(), &y));
    const BiasGeluRows<typename Stored<T>::Type> work = {Read<T>(u), ReadOptional(context->input(1)), Write<T>(y),
                                                         dim};
    const auto& loops = ChosenLoops().activations<typename Stored<T>::Type>();
    Parallel(context, u.dim_size(0), kCost * dim,
             [&](std::int64_t begin, std::int64_t end) { loops.biasGelu(work, {begin, end}); });
  }
};

template <class T>
class BiasGeluGradOp : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    if (!IsMatrix(context, 1)) return;
    const Tensor& u = context->input(1);
    const Tensor& bias = context->input(2);
    const std::int64_t rows = u.dim_size(0);
    const std::int64_t dim = u.dim_size(1);
    if (!HasSize(context, 0, rows * dim) || !HasSize(context, 2, dim, true)) return;
    Tensor *du, *dbias, *y;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, u.shape(), &du));
    OP_REQUIRES_OK(context, context->allocate_output(1, bias.shape(), &dbias));
    OP_REQUIRES_OK(context, context->allocate_output(2, u.shape(), &y));
    const BiasGeluGradRows<typename Stored<T>::Type> work = {Read<T>(context->input(0)), Read<T>(u),
                                                             ReadOptional(bias), Write<T>(du),
                                                             Write<T>(y), dim};
    const auto& loops = ChosenLoops().activations<typename Stored<T>::Type>();
    if (work.bias == nullptr) {
      Parallel(context, rows, kCost * dim,
               [&](std::int64_t begin, std::int64_t end) { loops.biasGeluGrad(work, {begin, end}, nullptr); });
    } else {
      ParallelWithSums(context, rows, dim, kCost * dim, {Write<float>(dbias)},
                       [&](RowRange range, float* sums) { loops.biasGeluGrad(work, range, sums); });
    }
  }
};

DUCHENNE_REGISTER_KERNEL("DuchenneBiasGelu", BiasGeluOp);
DUCHENNE_REGISTER_KERNEL("DuchenneBiasGeluGrad", BiasGeluGradOp);

}  // namespace
}  // namespace duchenne
