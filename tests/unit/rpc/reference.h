// reference.h: reads a client's message as the rules say, slowly and plainly: a tree of values, and then what it says.
//
// Shares nothing with the code under test. Recursive, so not for input that is thousands of levels deep.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reference {

struct Value {
  char kind = 0;  // one of { [ " # (a number) ? (true, false, null)
  std::string raw;
  bool has_escapes = false;
  std::optional<std::string> text;  // of a string; none if a surrogate stands alone
  std::vector<Value> keys;          // of an object
  std::vector<Value> values;        // of an object, one a key
  std::vector<Value> elements;      // of a list
  std::size_t depth = 0;            // brackets within, its own included
};

struct NotJson : std::runtime_error {
  NotJson() : std::runtime_error("not JSON") {}
};

class Tree {
 public:
  static std::optional<Value> of(const std::string& text) {
    try {
      Tree tree(text);
      Value value = tree.value();
      tree.space();
      if (tree.at_ != text.size()) return std::nullopt;
      return value;
    } catch (const NotJson&) {
      return std::nullopt;
    }
  }

 private:
  explicit Tree(const std::string& text) : text_(text) {}

  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool is_at(const std::string& what) const { return text_.compare(at_, what.size(), what) == 0; }

  void expect(const std::string& what) {
    if (!is_at(what)) throw NotJson();
    at_ += what.size();
  }

  void space() {
    while (at_ < text_.size() && std::string(" \t\r\n").find(text_[at_]) != std::string::npos) ++at_;
  }

  Value value() {
    space();
    const std::size_t start = at_;
    Value value;
    if (is_at("{")) {
      object(value);
    } else if (is_at("[")) {
      list(value);
    } else if (is_at("\"")) {
      string(value);
    } else if (is_at("true") || is_at("null")) {
      value.kind = '?', at_ += 4;
    } else if (is_at("false")) {
      value.kind = '?', at_ += 5;
    } else {
      number(value);
    }
    value.raw = text_.substr(start, at_ - start);
    return value;
  }

  void object(Value& value) {
    value.kind = '{';
    expect("{");
    space();
    while (!is_at("}")) {
      if (!value.keys.empty()) expect(","), space();
      Value key;
      string(key);
      space();
      expect(":");
      Value member = this->value();
      value.depth = std::max(value.depth, member.depth);
      value.keys.push_back(std::move(key));
      value.values.push_back(std::move(member));
      space();
    }
    expect("}");
    ++value.depth;
  }

  void list(Value& value) {
    value.kind = '[';
    expect("[");
    space();
    while (!is_at("]")) {
      if (!value.elements.empty()) expect(",");
      value.elements.push_back(this->value());
      value.depth = std::max(value.depth, value.elements.back().depth);
      space();
    }
    expect("]");
    ++value.depth;
  }

  void number(Value& value) {
    value.kind = '#';
    if (is_at("-")) ++at_;
    if (is_at("0")) {
      ++at_;
    } else {
      digits();
    }
    if (is_at(".")) ++at_, digits();
    if (is_at("e") || is_at("E")) {
      ++at_;
      if (is_at("+") || is_at("-")) ++at_;
      digits();
    }
  }

  void digits() {
    if (next() < '0' || next() > '9') throw NotJson();
    while (next() >= '0' && next() <= '9') ++at_;
  }

  void string(Value& value) {
    value.kind = '"';
    const std::size_t start = at_;
    expect("\"");
    std::vector<std::uint32_t> units;  // bytes, and above 0xFF00'0000 what was escaped
    while (!is_at("\"")) {
      if (at_ >= text_.size() || static_cast<unsigned char>(text_[at_]) < 0x20) throw NotJson();
      if (text_[at_] == '\\') {
        value.has_escapes = true;
        units.push_back(escaped | escape());
      } else {
        units.push_back(static_cast<unsigned char>(text_[at_++]));
      }
    }
    expect("\"");
    value.raw = text_.substr(start, at_ - start);
    value.text = to_text(units);
  }

  std::uint32_t escape() {
    ++at_;
    const std::string from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
    const std::size_t which = at_ < text_.size() ? from.find(text_[at_]) : std::string::npos;
    ++at_;
    if (which != std::string::npos) return static_cast<unsigned char>(to[which]);
    if (at_ - 1 >= text_.size() || text_[at_ - 1] != 'u') throw NotJson();
    const std::string hex = text_.substr(at_, 4);
    if (hex.size() < 4 || hex.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) throw NotJson();
    at_ += 4;
    return static_cast<std::uint32_t>(std::stoul(hex, nullptr, 16));
  }

  static std::optional<std::string> to_text(const std::vector<std::uint32_t>& units) {
    std::string text;
    for (std::size_t i = 0; i < units.size(); ++i) {
      if (units[i] < escaped) {
        text += static_cast<char>(units[i]);
        continue;
      }
      std::uint32_t point = units[i] - escaped;
      if (point / 0x400 == 0x37) return std::nullopt;
      if (point / 0x400 == 0x36) {
        const std::uint32_t low = i + 1 < units.size() && units[i + 1] >= escaped ? units[i + 1] - escaped : 0;
        if (low / 0x400 != 0x37) return std::nullopt;
        point = 0x10000 + point % 0x400 * 0x400 + low % 0x400;
        ++i;
      }
      text += utf8(point);
    }
    return text;
  }

  static std::string utf8(std::uint32_t point) {
    const auto byte = [](std::uint32_t value) { return std::string(1, static_cast<char>(value)); };
    const auto rest = [&](std::uint32_t divisor) { return byte(0x80 + point / divisor % 64); };
    if (point < 0x80) return byte(point);
    if (point < 0x800) return byte(0xC0 + point / 64) + rest(1);
    if (point < 0x10000) return byte(0xE0 + point / 4096) + rest(64) + rest(1);
    return byte(0xF0 + point / 262144) + rest(4096) + rest(64) + rest(1);
  }

  static constexpr std::uint32_t escaped = 0xFF00'0000;
  const std::string& text_;
  std::size_t at_ = 0;
};

inline bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead / 32 == 6 ? 2 : lead / 16 == 14 ? 3 : lead / 8 == 30 ? 4 : 0;
    if (size == 0 || i + size > text.size()) return false;
    std::uint32_t point = size == 1 ? lead : lead % (size == 2 ? 32U : size == 3 ? 16U : 8U);
    for (std::size_t k = 1; k < size; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if (next / 64 != 2) return false;
      point = point * 64 + next % 64;
    }
    const std::array<std::uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[size] || point > 0x10FFFF || point / 0x800 == 0x1B) return false;
    i += size;
  }
  return true;
}

// What is told of one call.
struct Seen {
  std::string form;  // call, notification, invalid
  std::string method, id, params;

  bool operator==(const Seen&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Seen& seen) {
    return out << seen.form << ' ' << seen.method << " id " << seen.id << " params " << seen.params;
  }
};

// Nothing: a bad message.
using Outcome = std::optional<std::vector<Seen>>;

inline bool is_id(const Value& value) {
  if (value.raw.size() > 128) return false;
  if (value.kind == '"') return value.text.has_value();
  if (value.kind != '#') return value.raw == "null";
  if (value.raw.find_first_not_of("0123456789") != std::string::npos) return false;
  const std::string largest = "18446744073709551615";
  return value.raw.size() < largest.size() || (value.raw.size() == largest.size() && value.raw <= largest);
}

inline Seen read_call(const Value& value) {
  Seen seen = {"invalid", "", "", ""};
  int jsonrpc = 0, method = 0, id = 0, params = 0;
  bool valid = value.kind == '{';
  for (std::size_t i = 0; i < value.keys.size(); ++i) {
    const Value& key = value.keys[i];
    const Value& member = value.values[i];
    valid = valid && !key.has_escapes;
    if (key.raw == "\"jsonrpc\"") ++jsonrpc, valid = valid && member.raw == "\"2.0\"";
    if (key.raw == "\"params\"") ++params, seen.params = member.raw;
    if (key.raw == "\"id\"") {
      ++id;
      valid = valid && is_id(member);
      seen.id = id == 1 && is_id(member) ? member.raw : "null";
    }
    if (key.raw == "\"method\"") {
      ++method;
      const bool fits = member.text && (!member.has_escapes || member.text->size() <= 256);
      valid = valid && fits;
      seen.method = fits ? *member.text : "";
    }
  }
  valid = valid && jsonrpc == 1 && method == 1 && id <= 1 && params <= 1;
  if (valid) seen.form = id == 1 ? "call" : "notification";
  if (!valid && id == 0) seen.id = "null";
  return seen;
}

inline Outcome read(const std::string& text, std::size_t calls_max, std::size_t depth_max) {
  const std::size_t start = text.find_first_not_of(" \t\r\n\f");
  if (start == std::string::npos || start > 127 || (text[start] != '{' && text[start] != '[')) return std::nullopt;
  const std::string message = text.substr(start);
  if (!is_utf8(message)) return std::nullopt;
  const auto value = Tree::of(message);
  if (!value) return std::nullopt;

  std::vector<Value> entries = {*value};
  if (value->kind == '[') entries = value->elements;
  if (entries.empty() || entries.size() > calls_max) return std::nullopt;
  std::vector<Seen> seen;
  for (const Value& entry : entries) {
    // A call's own bracket does not count, since its members are read one by one.
    if (entry.depth > depth_max + (entry.kind == '{' ? 1 : 0)) return std::nullopt;
    seen.push_back(read_call(entry));
  }
  return seen;
}

}  // namespace reference
