// fields.h: the fields of one line, put together one by one. A value of views; no memory of its own but its room.
#pragma once

#include <ringwall/check.h>
#include <ringwall/log/line.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace ringwall::log {

template <std::size_t count_max>
class Fields {
 public:
  void add(std::string_view name, decltype(Field::value) value) {
    RINGWALL_CHECK(count_ < fields_.size());
    fields_[count_++] = {name, value};
  }
  [[nodiscard]] std::span<const Field> span() const { return std::span(fields_).first(count_); }

 private:
  std::array<Field, count_max> fields_;
  std::size_t count_ = 0;
};

}  // namespace ringwall::log
