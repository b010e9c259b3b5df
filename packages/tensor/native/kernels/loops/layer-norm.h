// LayerNorm (Ba et al. 2016) of rows; statistics in two passes, in float.
namespace duchenne {
namespace {

template <class T>
void LayerNorm(const LayerNormRows<T>& rows, RowRange range) {
  const std::int64_t dim = rows.dim;
  for (std::int64_t row = range.begin; row < range.end; row++) {
    const float* x = rows.x + row * dim;
    T* y = rows.y + row * dim;
    Floats sum{};
    for (std::int64_t j = 0; j < dim; j += kLanes) sum += Load(x + j, dim - j);
    const float mean = Sum(sum) / static_cast<float>(dim);
    Floats squares{};
    for (std::int64_t j = 0; j < dim; j += kLanes) {
      const Floats centred = Load(x + j, dim - j) - mean;
      squares += Select(FirstLanes(dim - j), centred * centred, Floats{});
    }
    const float rstd = 1.0f / __builtin_sqrtf(Sum(squares) / static_cast<float>(dim) + rows.epsilon);
    rows.mean[row] = mean;
    rows.rstd[row] = rstd;
    for (std::int64_t j = 0; j < dim; j += kLanes) {
      const std::int64_t left = dim - j;
      const Floats standard = (Load(x + j, left) - mean) * rstd;
      Store(y + j, standard * Load(rows.gain + j, left) + Load(rows.offset + j, left), left);
    }
  }
}

template <class T>
void LayerNormGrad(const LayerNormGradRows<T>& rows, RowRange range, float* dgain, float* doffset) {
  const std::int64_t dim = rows.dim;
  for (std::int64_t row = range.begin; row < range.end; row++) {
    const float* x = rows.x + row * dim;
    const T* dy = rows.dy + row * dim;
    float* dx = rows.dx + row * dim;
    const float mean = rows.mean[row];
    const float rstd = rows.rstd[row];
    Floats scaledSum{};
    Floats alongSum{};
    for (std::int64_t j = 0; j < dim; j += kLanes) {
      const std::int64_t left = dim - j;
      const Floats gradient = Load(dy + j, left);
      const Floats standard = (Load(x + j, left) - mean) * rstd;
      const Floats scaled = gradient * Load(rows.gain + j, left);
      scaledSum += scaled;
      alongSum += scaled * standard;
      Store(dgain + j, Load(dgain + j, left) + gradient * standard, left);
      Store(doffset + j, Load(doffset + j, left) + gradient, left);
    }
    const float scaledMean = Sum(scaledSum) / static_cast<float>(dim);
    const float alongMean = Sum(alongSum) / static_cast<float>(dim);
    const float* carry = rows.carry == nullptr ? nullptr : rows.carry + row * dim;
    for (std::int64_t j = 0; j < dim; j += kLanes) {
      const std::int64_t left = dim - j;
      const Floats standard = (Load(x + j, left) - mean) * rstd;
      const Floats scaled = Load(dy + j, left) * Load(rows.gain + j, left);
      Floats result = (scaled - scaledMean - standard * alongMean) * rstd;
      if (carry != nullptr) result += Load(carry + j, left);
      Store(dx + j, result, left);
      Store(rows.y + row * dim + j, standard * Load(rows.gain + j, left) + Load(rows.offset + j, left), left);
    }
  }
}

}  // namespace
}  // namespace duchenne
