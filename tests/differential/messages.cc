#include "differential/messages.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace differential {

// SplitMix64.
std::uint64_t Messages::random() {
  std::uint64_t mixed = state_ += 0x9E37'79B9'7F4A'7C15;
  mixed = (mixed ^ mixed >> 30) * 0xBF58'476D'1CE4'E5B9;
  mixed = (mixed ^ mixed >> 27) * 0x94D0'49BB'1331'11EB;
  return mixed ^ mixed >> 31;
}

std::string Messages::space() {
  std::string text;
  while (one_in(8)) text += pick({" ", "\t", "\n", "\r", "  "});
  return text;
}

std::string Messages::escaped(std::string_view text) {
  std::string out;
  const bool all = one_in(2);
  for (const char byte : text) {
    if (static_cast<unsigned char>(byte) < 0x80 && (all || one_in(6))) {
      char hex[8];
      std::snprintf(hex, sizeof hex, one_in(2) ? "\\u%04x" : "\\u%04X", static_cast<unsigned>(byte));
      out += hex;
    } else {
      out += byte;
    }
  }
  return out;
}

std::string Messages::string(std::string_view text) {
  std::string inside = one_in(8) ? escaped(text) : std::string(text);
  if (one_in(24)) {
    inside.insert(below(inside.size() + 1),
                  pick({"\\ud800", "\\udc00", "\\ud83d\\ude00", "\\u0000", "\\/", "\\\"", "\\\\", "\\n", "\xC3\xA9",
                        "\xF0\x9F\x98\x80", "\xFF", "\xED\xA0\x80", "\\x", "\\u12"}));
  }
  return '"' + inside + '"';
}

std::string Messages::name(std::string_view plain) {
  if (one_in(48)) return string(pick({"Method", "ID", "jsonrpc ", "method\\u0000", "x", "", "param", "result"}));
  return one_in(24) ? '"' + escaped(plain) + '"' : '"' + std::string(plain) + '"';
}

std::string Messages::method() {
  if (one_in(32)) return value(1);
  return string(pick({"author_rotateKeys", "system_health", "state_subscribeStorage", "m", ""}));
}

std::string Messages::id() {
  if (one_in(24)) return value(1);
  if (!one_in(6)) return std::string(pick({"1", "0", "null", "\"a\"", "18446744073709551615", "\"\\u0061\""}));
  return std::string(
      pick({"18446744073709551616", "-1", "-0", "1.0", "1e0", "1E400", "true", "[]", "{}", "\"\\ud800\"", "01"}));
}

std::string Messages::value(int depth) {
  if (depth > 0 && one_in(3)) {
    const bool object = one_in(2);
    std::string text = object ? "{" : "[";
    for (std::size_t i = below(4); i > 0; --i) {
      if (object) text += name(pick({"method", "id", "a"})) + space() + ":" + space();
      text += value(depth - 1) + space();
      if (i > 1) text += ',';
    }
    return text + (object ? "}" : "]");
  }
  if (one_in(3)) return string(pick({"author_rotateKeys", "0x00", "", "2.0", "},\\\"method\\\":\\\"m"}));
  if (one_in(64)) return std::string(200, '[') + std::string(200, ']');
  if (one_in(64)) return std::string(pick({"NaN", "1.", "+1", "tru", "''", "01", "-", ".5", "1e", "[1,]"}));
  return std::string(pick({"null", "true", "false", "0", "-0", "1.5", "1e999", "-1E-999",
                           "1234567890123456789012345678901234567890", "[]", "{}", "[\"0x00\"]", "[[]]"}));
}

std::string Messages::call() {
  std::vector<std::pair<std::string_view, std::string>> members = {
      {"jsonrpc", one_in(24) ? value(0) : string("2.0")}, {"id", id()}, {"method", method()}};
  if (!one_in(3)) members.emplace_back("params", value(3));
  while (one_in(6)) members.emplace_back("x", value(3));
  if (one_in(12)) members.erase(members.begin() + static_cast<std::ptrdiff_t>(below(members.size())));
  if (one_in(8)) {
    const std::string_view again = pick({"jsonrpc", "id", "method", "params"});
    members.emplace_back(again, again == "method" ? method() : again == "id" ? id() : string("2.0"));
  }
  for (std::size_t i = members.size(); i > 1; --i) {
    if (one_in(2)) std::swap(members[i - 1], members[below(i)]);
  }
  std::string text = "{" + space();
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0) text += space() + "," + space();
    text += name(members[i].first) + space() + ":" + space() + members[i].second;
  }
  return text + space() + "}";
}

std::string Messages::positional_call() {
  std::string text = "[" + string("2.0") + "," + id() + "," + method();
  if (!one_in(4)) text += "," + value(2);
  if (one_in(6)) text += "," + value(1);
  return text + "]";
}

std::string Messages::entry() {
  if (one_in(8)) return positional_call();
  return one_in(16) ? value(2) : call();
}

std::string Messages::message() {
  std::string text;
  if (one_in(8)) text += std::string(below(140), pick({" ", "\n", "\f", "\t", "\r"})[0]);
  if (one_in(32)) text += pick({"\xEF\xBB\xBF", "\v", "\f", std::string_view("\0", 1), "/**/", "\xC2\xA0"});
  if (one_in(2)) {
    text += entry();
  } else {
    text += "[" + space();
    for (std::size_t i = below(6); i > 0; --i) text += entry() + space() + (i > 1 ? "," + space() : "");
    text += "]";
  }
  text += space();
  if (one_in(16))
    text += one_in(2) ? call() : std::string(pick({"\f", "]", "}", ",", "1", "//", std::string_view("\0", 1)}));
  return text;
}

void Messages::damage(std::string& text) {
  const std::size_t at = below(text.size() + 1);
  const std::size_t length = below(std::min<std::size_t>(text.size() - at, 16) + 1);
  switch (below(6)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(random());
      break;
    case 1:
      text.erase(at, length);
      break;
    case 2:
      text.insert(at, text.substr(at, length));
      break;
    case 3:
      text.insert(below(text.size() + 1), text.substr(at, length));
      break;
    case 4:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
      break;
    default:
      text.insert(at, pick({"{",
                            "}",
                            "[",
                            "]",
                            ",",
                            ":",
                            "\"",
                            "\\",
                            "\\u006d",
                            "\"method\":\"author_rotateKeys\",",
                            "\"id\":2,",
                            "\"jsonrpc\":\"2.0\",",
                            " ",
                            "\f",
                            "\n",
                            std::string_view("\0", 1),
                            "\xFF",
                            "0",
                            "e",
                            ".",
                            "-",
                            "null",
                            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"author_rotateKeys\"}"}));
  }
}

std::string Messages::next() {
  std::string text = message();
  while (one_in(4)) damage(text);
  return text;
}

}  // namespace differential
