#include "tensor-table.h"

#include <algorithm>

#include "failure.h"

namespace duchenne {

namespace {

Failure Unknown(int64_t id) {
  if (id >= kFirstSymbol) {
    return FailedPrecondition("The tensor belongs to a recording: it has no value of its own");
  }
  return Failure("not_found", "There is no tensor " + std::to_string(id) + ": it was disposed or never existed");
}

}  // namespace

int64_t TensorTable::Insert(OwnedHandle handle) {
  const int64_t bytes =
      ElementCount(ShapeOf(handle.get())) *
      static_cast<int64_t>(TF_DataTypeSize(TFE_TensorHandleDataType(handle.get())));
  bytes_ += bytes;
  entries_.emplace(next_, Entry{std::move(handle), bytes});
  return next_++;
}

TFE_TensorHandle *TensorTable::At(int64_t id) const {
  const auto found = entries_.find(id);
  if (found == entries_.end()) throw Unknown(id);
  return found->second.handle.get();
}

void TensorTable::Erase(int64_t id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) throw Unknown(id);
  bytes_ -= found->second.bytes;
  entries_.erase(found);
}

std::vector<int64_t> TensorTable::SharingMemory(const std::vector<int64_t> &ids) const {
  struct Range {
    const char *begin;
    const char *end;
  };
  const auto rangeOf = [](const Entry &entry) {
    // The handle's own buffer, not a copy, as long as that is the CPU's.
    const OwnedTensor tensor = Resolve(entry.handle.get());
    const auto *begin = static_cast<const char *>(TF_TensorData(tensor.get()));
    return Range{begin, begin + TF_TensorByteSize(tensor.get())};
  };
  std::vector<Range> all;
  for (const auto &[id, entry] : entries_) {
    if (entry.bytes > 0) all.push_back(rangeOf(entry));
  }
  std::sort(all.begin(), all.end(), [](const Range &a, const Range &b) { return a.begin < b.begin; });
  // Buffers lie apart, so a range shares memory with others only next to itself in this order, or within one that began before.
  std::vector<const char *> furthest;
  for (const Range &each : all) furthest.push_back(furthest.empty() ? each.end : std::max(furthest.back(), each.end));
  std::vector<int64_t> sharing;
  for (int64_t id : ids) {
    At(id);
    const Entry &entry = entries_.at(id);
    if (entry.bytes == 0) continue;
    const Range own = rangeOf(entry);
    const auto byBegin = [](const Range &range, const char *at) { return range.begin < at; };
    const auto first = std::lower_bound(all.begin(), all.end(), own.begin, byBegin);
    const auto after = std::lower_bound(all.begin(), all.end(), own.end, byBegin);
    const bool before = first != all.begin() && furthest[static_cast<size_t>(first - all.begin()) - 1] > own.begin;
    if (before || after - first > 1) sharing.push_back(id);
  }
  return sharing;
}

Shape ShapeOf(TFE_TensorHandle *handle) {
  Status status;
  const int rank = TFE_TensorHandleNumDims(handle, status);
  status.Check("A tensor's rank");
  Shape shape;
  for (int i = 0; i < rank; i++) {
    shape.push_back(TFE_TensorHandleDim(handle, i, status));
    status.Check("A tensor's shape");
  }
  return shape;
}

OwnedTensor Resolve(TFE_TensorHandle *handle) {
  Status status;
  OwnedTensor tensor(TFE_TensorHandleResolve(handle, status));
  status.Check("Reading a tensor");
  return tensor;
}

}  // namespace duchenne
