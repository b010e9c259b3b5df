#include "op-kernel.h"

namespace duchenne {
namespace {

/// From scores x [..., D] and the gradient dy of their softmax y over D: y again, and the gradient for x. Both are written where
/// x and dy stand when nobody else reads them.
REGISTER_OP("DuchenneSoftmaxGrad")
    .Input("x: float")
    .Input("dy: float")
    .Output("y: float")
    .Output("dx: float")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(0));
      c->set_output(1, c->input(0));
      return absl::OkStatus();
    });

/// x itself, once `after` is there. TensorFlow neither runs what reads it any earlier nor takes that for what was computed from
/// x before: so a gradient can compute again what would stand in memory until then.
REGISTER_OP("DuchenneAfter")
    .Input("x: float")
    .Input("after: float")
    .Output("y: float")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(0));
      return absl::OkStatus();
    });

class SoftmaxGradOp : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    if (x.dims() < 1) {
      context->CtxFailure(absl::InvalidArgumentError("Expected rows, got a number"));
      return;
    }
    if (!HasSize(context, 1, x.NumElements())) return;
    const std::int64_t dim = x.dim_size(x.dims() - 1);
    const std::int64_t rows = dim == 0 ? 0 : x.NumElements() / dim;
    Tensor *y, *dx;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, x.shape(), &y));
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({1}, 1, x.shape(), &dx));
    const SoftmaxGradRows work = {Read<float>(x), Read<float>(context->input(1)), Write<float>(y), Write<float>(dx), dim};
    const auto& loops = ChosenLoops();
    Parallel(context, rows, 8 * dim, [&](std::int64_t begin, std::int64_t end) { loops.softmaxGrad(work, {begin, end}); });
  }
};

class AfterOp : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override { context->set_output(0, context->input(0)); }
};

REGISTER_KERNEL_BUILDER(Name("DuchenneSoftmaxGrad").Device(tensorflow::DEVICE_CPU), SoftmaxGradOp);
REGISTER_KERNEL_BUILDER(Name("DuchenneAfter").Device(tensorflow::DEVICE_CPU), AfterOp);

}  // namespace
}  // namespace duchenne
