// flag_values.h: reads the values of options, one by one.
//
// Every refusal names the option, what was found and what would be right.
#pragma once

#include <ringwall/error.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "load/flags.h"
#include "load/plan.h"

namespace ringwall::load {

[[nodiscard]] Error wrong(std::string_view option, std::string_view found, std::string_view right);

[[nodiscard]] Result<std::optional<Rate>> read_rate(const std::string& text);
[[nodiscard]] Result<double> read_connect_rate(const std::string& text);
[[nodiscard]] Result<std::optional<double>> read_error_share(const std::string& text);
[[nodiscard]] Result<std::string> read_method(const std::string& text);  // as it stands in JSON
[[nodiscard]] Result<std::string> read_params(const std::string& text);
[[nodiscard]] Result<std::shared_ptr<const Mix>> read_mix(const std::string& text);
[[nodiscard]] Result<std::shared_ptr<const Mix>> read_call(const Flags& flags);
[[nodiscard]] Result<std::pair<std::string, std::string>> read_header(const std::string& text);
[[nodiscard]] Result<std::string> read_subprotocol(const std::string& text);
[[nodiscard]] Result<std::string> read_ca(const std::string& path);
[[nodiscard]] Result<int> read_pid(const std::string& text);
// That a long run does not end in a file that cannot be written.
[[nodiscard]] Result<std::string> read_output(std::string_view option, const std::string& path);

// A row of values is read until the first mistake; what comes after it is left alone. A value that was not given keeps
// its default.
class Reader {
 public:
  [[nodiscard]] bool is_good() const { return error_.empty(); }
  [[nodiscard]] const std::string& error() const { return error_; }

  void refuse(std::string sentence) {
    if (is_good()) error_ = std::move(sentence);
  }
  void refuse(Error error) { refuse(std::move(error.message)); }
  void refuse_if(bool condition, std::string_view sentence) {
    if (condition) refuse(std::string(sentence));
  }

  // `read` is called where a text is there.
  template <typename Read, typename Value>
  void take(const Flags::Text& text, Read&& read, Value& value) {
    if (!text || !is_good()) return;
    if (auto result = read(*text)) {
      value = std::move(*result);
    } else {
      refuse(std::move(result.error()));
    }
  }

  // From 1 to `max`.
  template <typename Value>
  void count(std::string_view option, const Flags::Text& text, std::uint64_t max, Value& value) {
    std::uint64_t number = value;
    take(text, [&](const std::string& given) { return read_count(option, given, max); }, number);
    value = static_cast<Value>(number);
  }
  void duration(std::string_view option, const Flags::Text& text, std::uint64_t min_ns, std::uint64_t& value);

  // The place of the text among `names` becomes the value.
  template <typename Value>
  void name(std::string_view option, const Flags::Text& text, std::span<const std::string_view> names, Value& value) {
    std::size_t index = static_cast<std::size_t>(value);
    take(text, [&](const std::string& given) { return read_name(option, given, names); }, index);
    value = static_cast<Value>(index);
  }

 private:
  static Result<std::uint64_t> read_count(std::string_view option, const std::string& text, std::uint64_t max);
  static Result<std::size_t> read_name(std::string_view option, const std::string& text,
                                       std::span<const std::string_view> names);

  std::string error_;
};

}  // namespace ringwall::load
