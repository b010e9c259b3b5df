// The end of a pre-norm branch: the projection's bias, stochastic depth and the residual sum in one pass.
namespace duchenne {
namespace {

template <class T>
void Residual(const ResidualRows<T>& rows, RowRange range) {
  const std::int64_t dim = rows.dim;
  for (std::int64_t row = range.begin; row < range.end; row++) {
    const float scale = rows.scale == nullptr ? 1.0f : rows.scale[row / rows.rowsPerScale];
    const std::int64_t start = row * dim;
    for (std::int64_t j = 0; j < dim; j += kLanes) {
      const std::int64_t left = dim - j;
      const Floats branch = Load(rows.branch + start + j, left) + Load(rows.bias + j, left);
      Store(rows.y + start + j, Load(rows.x + start + j, left) + branch * scale, left);
    }
  }
}

template <class T>
void ResidualGrad(const ResidualGradRows<T>& rows, RowRange range, float* dbias) {
  const std::int64_t dim = rows.dim;
  for (std::int64_t row = range.begin; row < range.end; row++) {
    const float scale = rows.scale == nullptr ? 1.0f : rows.scale[row / rows.rowsPerScale];
    const std::int64_t start = row * dim;
    for (std::int64_t j = 0; j < dim; j += kLanes) {
      const std::int64_t left = dim - j;
      const Floats gradient = Load(rows.dy + start + j, left) * scale;
      Store(dbias + j, Load(dbias + j, left) + gradient, left);
      if (rows.dbranch != nullptr) Store(rows.dbranch + start + j, gradient, left);
    }
  }
}

}  // namespace
}  // namespace duchenne
