#include "op-kernel.h"

namespace duchenne {
namespace {

/// One step of AdamW for all parameters. It works IN PLACE: the outputs are the buffers of weights and moments, which
/// would otherwise stand in memory twice. Because it takes all gradients, nothing that a gradient depends on still reads
/// a weight when it runs; whoever else reads one must be ordered before it, for which `overwrites` (3 N) asks (recording.h).
///
/// factors [G, 3], a row for each group of parameters: rate / (1 - beta1^t), 1 - rate * decay, sqrt(1 - beta2^t);
/// group [N]: the row of each parameter; complement: 1 - beta.
REGISTER_OP("DuchenneAdamW")
    .Input("weights: N * float")
    .Input("first: N * float")
    .Input("second: N * float")
    .Input("gradients: N * float")
    .Input("factors: float")
    .Output("new_weights: N * float")
    .Output("new_first: N * float")
    .Output("new_second: N * float")
    .Attr("N: int >= 1")
    .Attr("overwrites: int")
    // Read by TensorFlow's optimiser: it then makes a copy where it would otherwise leave out what computes nothing (x * 1).
    .Attr("inplace: bool = true")
    .Attr("group: list(int)")
    .Attr("beta1: float")
    .Attr("beta2: float")
    .Attr("complement1: float")
    .Attr("complement2: float")
    .Attr("epsilon: float")
    .SetIsStateful()
    .SetShapeFn([](InferenceContext* c) {
      for (int i = 0; i < c->num_outputs(); i++) c->set_output(i, c->input(i));
      return absl::OkStatus();
    });

class AdamWOp : public OpKernel {
 public:
  explicit AdamWOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("group", &group_));
    OP_REQUIRES_OK(context, context->GetAttr("beta1", &beta1_));
    OP_REQUIRES_OK(context, context->GetAttr("beta2", &beta2_));
    OP_REQUIRES_OK(context, context->GetAttr("complement1", &complement1_));
    OP_REQUIRES_OK(context, context->GetAttr("complement2", &complement2_));
    OP_REQUIRES_OK(context, context->GetAttr("epsilon", &epsilon_));
  }

  void Compute(OpKernelContext* context) override {
    OpInputList lists[4];
    OP_REQUIRES_OK(context, context->input_list("weights", &lists[0]));
    OP_REQUIRES_OK(context, context->input_list("first", &lists[1]));
    OP_REQUIRES_OK(context, context->input_list("second", &lists[2]));
    OP_REQUIRES_OK(context, context->input_list("gradients", &lists[3]));
    const int count = lists[0].size();
    const Tensor& factors = context->input(4 * count);
    OP_REQUIRES(context, static_cast<int>(group_.size()) == count,
                absl::InvalidArgumentError(absl::StrCat("Expected ", count, " groups, got ", group_.size())));
    OP_REQUIRES(context, factors.dims() == 2 && factors.dim_size(1) == 3,
                absl::InvalidArgumentError(
                    absl::StrCat("Expected factors [G, 3], got ", factors.shape().DebugString())));
    std::vector<AdamWElements> parameters;
    /// Where each parameter's elements start when all stand in a row.
    std::vector<std::int64_t> starts = {0};
    for (int i = 0; i < count; i++) {
      for (const auto& list : lists)
        OP_REQUIRES(context, list[i].shape() == lists[0][i].shape(),
                    absl::InvalidArgumentError(absl::StrCat("Parameter ", i, ": expected ",
                                                            lists[0][i].shape().DebugString(), ", got ",
                                                            list[i].shape().DebugString())));
      OP_REQUIRES(context, group_[i] >= 0 && group_[i] < factors.dim_size(0),
                  absl::InvalidArgumentError(absl::StrCat("There is no group ", group_[i])));
      const float* factor = Read<float>(factors) + 3 * group_[i];
      // A Tensor is a handle: this one shares the input's buffer.
      const auto inPlace = [&](int list) {
        Tensor shared = lists[list][i];
        context->set_output(list * count + i, shared);
        return Write<float>(&shared);
      };
      parameters.push_back({inPlace(0), inPlace(1), inPlace(2), Read<float>(lists[3][i]), factor[1], factor[0],
                            factor[2], beta1_, beta2_, complement1_, complement2_, epsilon_});
      starts.push_back(starts.back() + lists[0][i].NumElements());
    }
    const Loops& loops = ChosenLoops();
    Parallel(context, starts.back(), 4, [&](std::int64_t begin, std::int64_t end) {
      const auto after = std::upper_bound(starts.begin(), starts.end(), begin);
      for (std::size_t i = static_cast<std::size_t>(after - starts.begin()) - 1; begin < end; i++) {
        const std::int64_t stop = std::min(end, starts[i + 1]);
        if (begin < stop) loops.adamw(parameters[i], {begin - starts[i], stop - starts[i]});
        begin = std::max(begin, stop);
      }
    });
  }

 private:
  std::vector<int> group_;
  float beta1_;
  float beta2_;
  float complement1_;
  float complement2_;
  float epsilon_;
};

REGISTER_KERNEL_BUILDER(Name("DuchenneAdamW").Device(tensorflow::DEVICE_CPU), AdamWOp);

}  // namespace
}  // namespace duchenne
