// The gradient of a softmax over rows, with the softmax itself: what it answered need not be kept since the forward pass.
namespace duchenne {
namespace {

inline void SoftmaxGrad(const SoftmaxGradRows& rows, RowRange range) {
  const std::int64_t dim = rows.dim;
  for (std::int64_t row = range.begin; row < range.end; row++) {
    const float* x = rows.x + row * dim;
    const float* dy = rows.dy + row * dim;
    float* y = rows.y + row * dim;
    float* dx = rows.dx + row * dim;
    Floats largest = Splat(-__builtin_inff());
    for (std::int64_t j = 0; j < dim; j += kLanes) {
      largest = Max(largest, Select(FirstLanes(dim - j), Load(x + j, dim - j), largest));
    }
    const float max = Largest(largest);
    Floats sum{};
    for (std::int64_t j = 0; j < dim; j += kLanes) {
      const std::int64_t left = dim - j;
      const Floats below = Load(x + j, left) - max;
      // What is not a number stays so: the exponential would make a small number of it.
      const Floats power = Select(below == below, ExpOfNegative(below), below);
      sum += Select(FirstLanes(left), power, Floats{});
      Store(y + j, power, left);
    }
    const float total = Sum(sum);
    Floats along{};
    for (std::int64_t j = 0; j < dim; j += kLanes) {
      const std::int64_t left = dim - j;
      const Floats probability = Load(y + j, left) / total;
      along += probability * Load(dy + j, left);
      Store(y + j, probability, left);
    }
    const float mean = Sum(along);
    for (std::int64_t j = 0; j < dim; j += kLanes) {
      const std::int64_t left = dim - j;
      Store(dx + j, Load(y + j, left) * (Load(dy + j, left) - mean), left);
    }
  }
}

}  // namespace
}  // namespace duchenne
