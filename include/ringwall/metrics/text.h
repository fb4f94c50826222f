// text.h: metrics as Prometheus reads them.
//
// A family begins once and its samples follow it, with as many label values as the catalogue has labels. A label's
// value may be any bytes: what is not UTF-8 becomes a question mark. One writer, one thread. Source: the text-based
// exposition format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
#pragma once

#include <ringwall/metrics/catalogue.h>
#include <ringwall/metrics/histogram.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace ringwall::metrics {

inline constexpr std::string_view text_content_type = "text/plain; version=0.0.4; charset=utf-8";

class TextWriter {
 public:
  void family(Metric metric);

  // Of the family that was begun last.
  void sample(std::initializer_list<std::string_view> labels, std::uint64_t value);
  void sample(std::initializer_list<std::string_view> labels, double value);
  void sample(std::initializer_list<std::string_view> labels, const Histogram& histogram);

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void begin_sample(std::string_view suffix, std::initializer_list<std::string_view> labels,
                    std::string_view bound = {});

  const Row* row_ = nullptr;
  std::string text_;
};

}  // namespace ringwall::metrics
