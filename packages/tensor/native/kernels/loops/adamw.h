// AdamW (Loshchilov and Hutter 2019) in PyTorch's form, one pass over weight, both moments and gradient.
namespace duchenne {
namespace {

/// The extensions have no square root; the compiler makes this loop one instruction (with -fno-math-errno).
inline Floats Sqrt(Floats x) {
  float each[kLanes];
  Store(each, x);
  for (std::int64_t i = 0; i < kLanes; i++) each[i] = __builtin_sqrtf(each[i]);
  return Load(each);
}

void AdamW(const AdamWElements& each, RowRange range) {
  const float inverseCorrection = 1.0f / each.correction;
  for (std::int64_t i = range.begin; i < range.end; i += kLanes) {
    const std::int64_t left = range.end - i;
    const Floats gradient = Load(each.gradient + i, left);
    const Floats first = Load(each.first + i, left) * each.beta1 + gradient * each.complement1;
    const Floats second = Load(each.second + i, left) * each.beta2 + gradient * gradient * each.complement2;
    const Floats change = first / (Sqrt(second) * inverseCorrection + each.epsilon);
    Store(each.weight + i, Load(each.weight + i, left) * each.keep - change * each.rate, left);
    Store(each.first + i, first, left);
    Store(each.second + i, second, left);
  }
}

}  // namespace
}  // namespace duchenne
