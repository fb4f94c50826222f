// messages.h: clients' messages from a seed: calls put together with every oddity that JSON allows, then damaged.
//
// The same seed gives the same messages everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace differential {

class Messages {
 public:
  explicit Messages(std::uint64_t seed) : state_(seed) {}

  std::string next();

 private:
  std::uint64_t random();
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random() % bound); }
  bool one_in(std::size_t times) { return below(times) == 0; }
  std::string_view pick(std::initializer_list<std::string_view> texts) { return texts.begin()[below(texts.size())]; }

  std::string space();
  std::string escaped(std::string_view text);
  std::string string(std::string_view text);
  std::string name(std::string_view plain);
  std::string method();
  std::string id();
  std::string value(int depth);
  std::string call();
  std::string positional_call();
  std::string entry();
  std::string message();
  void damage(std::string& text);

  std::uint64_t state_;
};

}  // namespace differential
