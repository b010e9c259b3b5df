#include "op-kernel.h"

namespace duchenne {
namespace {

/// The instruction sets that this processor has loops for, and the one in use; `choose` (empty: none) changes it before, for
/// all threads of the process.
REGISTER_OP("DuchenneInstructionSet")
    .Output("available: string")
    .Output("chosen: string")
    .Attr("choose: string = ''")
    .SetIsStateful()
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->UnknownShapeOfRank(1));
      c->set_output(1, c->Scalar());
      return absl::OkStatus();
    });

class InstructionSetOp : public OpKernel {
 public:
  explicit InstructionSetOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("choose", &choose_));
  }

  void Compute(OpKernelContext* context) override {
    OP_REQUIRES(context, choose_.empty() || ChooseLoops(choose_),
                absl::InvalidArgumentError(absl::StrCat("Expected an instruction set of this processor, got ", choose_)));
    const std::vector<const Loops*>& sets = AvailableLoops();
    Tensor *available, *chosen;
    OP_REQUIRES_OK(context, context->allocate_output(0, {static_cast<std::int64_t>(sets.size())}, &available));
    OP_REQUIRES_OK(context, context->allocate_output(1, {}, &chosen));
    for (std::size_t i = 0; i < sets.size(); i++)
      available->vec<tstring>()(static_cast<std::int64_t>(i)) = sets[i]->instructionSet;
    chosen->scalar<tstring>()() = ChosenLoops().instructionSet;
  }

 private:
  std::string choose_;
};

REGISTER_KERNEL_BUILDER(Name("DuchenneInstructionSet").Device(tensorflow::DEVICE_CPU), InstructionSetOp);

}  // namespace
}  // namespace duchenne
