// The tensors that JavaScript holds, by the numbers it knows them by.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "elements.h"
#include "owned.h"

namespace duchenne {

/** Numbers from here on stand for values of a recording, which have no tensor. */
constexpr int64_t kFirstSymbol = int64_t{1} << 52;

class TensorTable {
 public:
  /** Takes the tensor and gives it a number, never used before. */
  int64_t Insert(OwnedHandle handle);
  /** @throws Failure not_found when it was freed or never was */
  TFE_TensorHandle *At(int64_t id) const;
  void Erase(int64_t id);

  /** Those of the tensors whose memory another one uses too: a view of it, a result that is it. Of the CPU's memory. */
  std::vector<int64_t> SharingMemory(const std::vector<int64_t> &ids) const;

  size_t size() const { return entries_.size(); }
  /** Bytes of the elements of all numeric tensors; those that share memory count twice. */
  int64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    OwnedHandle handle;
    int64_t bytes;
  };
  std::unordered_map<int64_t, Entry> entries_;
  int64_t next_ = 0;
  int64_t bytes_ = 0;
};

Shape ShapeOf(TFE_TensorHandle *handle);

/** The tensor behind a handle, in the memory of the CPU. */
OwnedTensor Resolve(TFE_TensorHandle *handle);

}  // namespace duchenne
