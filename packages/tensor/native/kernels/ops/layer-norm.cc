#include "op-kernel.h"

namespace duchenne {
namespace {

/// x [R, D], gain [D], offset [D] to y [R, D] and, for the gradient, mean [R] and rstd [R].
REGISTER_OP("DuchenneLayerNorm")
    .Input("x: float")
    .Input("gain: float")
    .Input("offset: float")
    .Output("y: T")
    .Output("mean: float")
    .Output("rstd: float")
    .Attr("T: {float, bfloat16}")
    .Attr("epsilon: float")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(0));
      c->set_output(1, c->Vector(c->Dim(c->input(0), 0)));
      c->set_output(2, c->Vector(c->Dim(c->input(0), 0)));
      return absl::OkStatus();
    });

/// The gradient; `carry` [R, D] is added to dx, or is empty. `y` is the value again, so that it need not be kept.
REGISTER_OP("DuchenneLayerNormGrad")
    .Input("dy: T")
    .Input("x: float")
    .Input("gain: float")
    .Input("offset: float")
    .Input("mean: float")
    .Input("rstd: float")
    .Input("carry: float")
    .Output("dx: float")
    .Output("dgain: float")
    .Output("doffset: float")
    .Output("y: T")
    .Attr("T: {float, bfloat16}")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(1));
      c->set_output(1, c->input(2));
      c->set_output(2, c->input(2));
      c->set_output(3, c->input(1));
      return absl::OkStatus();
    });

template <class T>
class LayerNormOp : public OpKernel {
 public:
  explicit LayerNormOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("epsilon", &epsilon_));
  }

  void Compute(OpKernelContext* context) override {
    if (!IsMatrix(context, 0)) return;
    const Tensor& x = context->input(0);
    const std::int64_t rows = x.dim_size(0);
    const std::int64_t dim = x.dim_size(1);
    if (!HasSize(context, 1, dim) || !HasSize(context, 2, dim)) return;
    Tensor *y, *mean, *rstd;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &y));
    OP_REQUIRES_OK(context, context->allocate_output(1, {rows}, &mean));
    OP_REQUIRES_OK(context, context->allocate_output(2, {rows}, &rstd));
    const LayerNormRows<typename Stored<T>::Type> work = {
        Read<float>(x),   Read<float>(context->input(1)), Read<float>(context->input(2)),
        Write<T>(y),      Write<float>(mean),             Write<float>(rstd),
        dim,              epsilon_};
    const auto& loops = ChosenLoops().activations<typename Stored<T>::Type>();
    Parallel(context, rows, dim, [&](std::int64_t begin, std::int64_t end) { loops.layerNorm(work, {begin, end}); });
  }

 private:
  float epsilon_;
};

template <class T>
class LayerNormGradOp : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    if (!IsMatrix(context, 1)) return;
    const Tensor& x = context->input(1);
    const std::int64_t rows = x.dim_size(0);
    const std::int64_t dim = x.dim_size(1);
    if (!HasSize(context, 0, rows * dim) || !HasSize(context, 2, dim) || !HasSize(context, 3, dim) ||
        !HasSize(context, 4, rows) || !HasSize(context, 5, rows) || !HasSize(context, 6, rows * dim, true))
      return;
    Tensor *dx, *dgain, *doffset, *y;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &dx));
    OP_REQUIRES_OK(context, context->allocate_output(1, {dim}, &dgain));
    OP_REQUIRES_OK(context, context->allocate_output(2, {dim}, &doffset));
    OP_REQUIRES_OK(context, context->allocate_output(3, x.shape(), &y));
    const LayerNormGradRows<typename Stored<T>::Type> work = {
        Read<T>(context->input(0)),
        Read<float>(x),
        Read<float>(context->input(2)),
        Read<float>(context->input(3)),
        Read<float>(context->input(4)),
        Read<float>(context->input(5)),
        ReadOptional(context->input(6)),
        Write<float>(dx),
        Write<T>(y),
        dim};
    const auto& loops = ChosenLoops().activations<typename Stored<T>::Type>();
    ParallelWithSums(context, rows, dim, 2 * dim, {Write<float>(dgain), Write<float>(doffset)},
                     [&](RowRange range, float* sums) { loops.layerNormGrad(work, range, sums, sums + dim); });
  }
};

DUCHENNE_REGISTER_KERNEL("DuchenneLayerNorm", LayerNormOp);
DUCHENNE_REGISTER_KERNEL("DuchenneLayerNormGrad", LayerNormGradOp);

}  // namespace
}  // namespace duchenne
