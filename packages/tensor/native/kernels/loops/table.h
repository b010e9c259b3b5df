// All loops of one instruction set as a table. A translation unit defines DUCHENNE_LANES, DUCHENNE_TABLE and
// DUCHENNE_INSTRUCTION_SET, sets the compiler's target and includes this.
#include "lanes.h"
// Use it.
#include "adamw.h"
#include "gelu.h"
#include "layer-norm.h"
#include "residual.h"
#include "softmax-grad.h"

namespace duchenne {

extern const Loops DUCHENNE_TABLE;
const Loops DUCHENNE_TABLE = {
    DUCHENNE_INSTRUCTION_SET,
    {LayerNorm<float>, LayerNormGrad<float>, BiasGelu<float>, BiasGeluGrad<float>, Residual<float>, ResidualGrad<float>},
    {LayerNorm<Bf16>, LayerNormGrad<Bf16>, BiasGelu<Bf16>, BiasGeluGrad<Bf16>, Residual<Bf16>, ResidualGrad<Bf16>},
    SoftmaxGrad,
    AdamW,
};

}  // namespace duchenne
