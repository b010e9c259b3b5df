// Reads protocol buffers' wire format, field by field.
#pragma once

#include <cstdint>
#include <string_view>

namespace duchenne {

struct Field {
  uint32_t number = 0;
  /** Of varints. */
  uint64_t value = 0;
  /** Of strings and messages. */
  std::string_view bytes;
};

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  /** @returns whether there was another field; damaged input ends the message */
  bool Next(Field *field) {
    uint64_t tag = 0;
    if (rest_.empty() || !Varint(&tag)) return false;
    *field = Field{static_cast<uint32_t>(tag >> 3), 0, {}};
    switch (tag & 7) {
      case 0: return Varint(&field->value);
      case 1: return Take(8, &field->bytes);
      case 2: return Varint(&field->value) && Take(field->value, &field->bytes);
      case 5: return Take(4, &field->bytes);
      default: return false;
    }
  }

 private:
  bool Varint(uint64_t *value) {
    *value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      *value |= static_cast<uint64_t>(byte & 127) << shift;
      if (byte < 128) return true;
    }
    return false;
  }

  bool Take(uint64_t length, std::string_view *bytes) {
    if (length > rest_.size()) return false;
    *bytes = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return true;
  }

  std::string_view rest_;
};

}  // namespace duchenne
