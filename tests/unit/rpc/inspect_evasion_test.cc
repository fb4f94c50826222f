// Ways to have the node execute a method that the filter does not see. For each: what the node does with it, and that
// the inspector tells the same call or lets nothing pass.
#include <ringwall/rpc/inspect.h>

#include <string>
#include <vector>

#include "unit/catch.h"
#include "unit/rpc/told.h"

namespace {

using namespace ringwall::rpc;

std::expected<std::vector<reference::Seen>, Code> inspect(const std::string& text) {
  static Inspector inspector({.calls_max = 64, .depth_max = 4096, .unescaped_bytes_max = 4096});
  INFO(text);
  const auto seen = told::inspect(inspector, text);
  const auto expected = reference::read(text, 64, 4096);
  CHECK(seen.has_value() == expected.has_value());
  if (seen && expected) CHECK(*seen == *expected);
  return seen;
}

// The forms of its calls, one letter each: c, n, i; "-" for a bad message.
std::string forms(const std::string& text) {
  const auto seen = inspect(text);
  if (!seen) return "-";
  std::string letters;
  for (const auto& call : *seen) letters += call.form[0];
  return letters;
}

bool is_parse_error(const std::string& text) { return inspect(text) == std::unexpected(Code::parse_error); }

// The method of a single call that may pass.
std::string method(const std::string& text) {
  const auto seen = inspect(text);
  if (!seen || seen->size() != 1) return "(bad)";
  return seen->at(0).form == "call" ? seen->at(0).method : "(" + seen->at(0).form + ")";
}

const std::string plain = R"({"jsonrpc":"2.0","id":1,"method":"author_rotateKeys","params":[]})";

}  // namespace

TEST_CASE("a repeated method, params or jsonrpc: the node refuses the call") {
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"system_health","method":"author_rotateKeys"})") == "(invalid)");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"author_rotateKeys","method":"system_health"})") == "(invalid)");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"system_health","method":null})") == "(invalid)");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"m","params":[],"params":[]})") == "(invalid)");
  CHECK(method(R"({"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"m"})") == "(invalid)");
}

TEST_CASE("a repeated id, or one that is no id: the node neither executes nor answers") {
  const auto repeated = inspect(R"({"jsonrpc":"2.0","id":1,"id":2,"method":"m"})");
  REQUIRE(repeated.has_value());
  CHECK(repeated->at(0) == reference::Seen{"invalid", "m", "null", ""});
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"id":1,"method":"author_rotateKeys"})") == "(invalid)");
  for (const std::string id : {"1.5", "-1", "true", "[1]", "{}", "18446744073709551616"}) {
    CHECK(method(R"({"jsonrpc":"2.0","method":"author_rotateKeys","id":)" + id + "}") == "(invalid)");
  }
  CHECK(method(R"({"jsonrpc":"2.0","method":"author_rotateKeys"})") == "(notification)");
}

TEST_CASE("id null: the node executes") {
  CHECK(method(R"({"jsonrpc":"2.0","id":null,"method":"author_rotateKeys"})") == "author_rotateKeys");
}

TEST_CASE("escapes in the method's value: the node resolves them and executes") {
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"author\u005FrotateKeys"})") == "author_rotateKeys");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"\u0061uthor_rotate\u004beys"})") == "author_rotateKeys");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"author_rotateKeys\u0000"})") ==
        std::string("author_rotateKeys") + '\0');
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"author_rotateKeys\ud800"})") == "(invalid)");
  CHECK(method("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"author\\u005ErotateKeys\"}") == "author^rotateKeys");
}

TEST_CASE("escapes in a member's name: the node resolves them too") {
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"\u006dethod":"author_rotateKeys"})") == "(invalid)");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"system_health","\u006dethod":"author_rotateKeys"})") ==
        "(invalid)");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"m\u0065thod":"author_rotateKeys","method":"system_health"})") ==
        "(invalid)");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"\u0069d":2,"method":"system_health"})") == "(invalid)");
  CHECK(method(R"({"jsonrpc":"2.0","\u0069d":2,"method":"author_rotateKeys"})") == "(invalid)");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"state_subscribeStorage","params":[[1]],"\u0070arams":[]})") ==
        "(invalid)");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"m","unknown\ud800":1})") == "(invalid)");
}

TEST_CASE("a version written with escapes, or none, or another: refused") {
  CHECK(method(R"({"jsonrpc":"\u0032.0","id":1,"method":"author_rotateKeys"})") == "(invalid)");
  CHECK(method(R"({"jsonrpc":"1.0","id":1,"method":"author_rotateKeys"})") == "(invalid)");
  CHECK(method(R"({"jsonrpc":2.0,"id":1,"method":"author_rotateKeys"})") == "(invalid)");
  CHECK(method(R"({"id":1,"method":"author_rotateKeys"})") == "(invalid)");
}

TEST_CASE("positional calls in a batch: the node executes them") {
  CHECK(forms(R"([["2.0",1,"author_rotateKeys",[]]])") == "i");
  CHECK(forms(R"([["2.0","author_rotateKeys",[]]])") == "i");
  CHECK(forms("[" + plain + R"(,["2.0",1,"author_rotateKeys",null]])") == "ci");
  CHECK(forms(R"([["2.0",1,"\u0061uthor_rotateKeys",[]],)" + plain + "]") == "ic");
  CHECK(forms(R"([[)" + plain + "]]") == "i");
}

TEST_CASE("entries of a batch that are no object are answered as invalid") {
  CHECK(forms(R"([1,"author_rotateKeys",null,true,{},[],[[]]])") == "iiiiiii");
}

TEST_CASE("a method within params or an unknown member: the node ignores it") {
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"m","params":{"method":"author_rotateKeys","id":7}})") == "m");
  CHECK(method(R"({"x":)" + plain + R"(,"jsonrpc":"2.0","id":1,"method":"m"})") == "m");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"m","params":["}\",\"method\":\"author_rotateKeys\",{"]})") == "m");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"params":{"method":"author_rotateKeys"}})") == "(invalid)");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"Method":"author_rotateKeys","METHOD":"a","method ":"b"})") == "(invalid)");
}

TEST_CASE("space before a message: the node skips 127 bytes of space, tab, line feed, carriage return, form feed") {
  for (const char space : {' ', '\t', '\n', '\r', '\f'}) {
    CHECK(method(space + plain) == "author_rotateKeys");
    CHECK(method(std::string(127, space) + plain) == "author_rotateKeys");
    CHECK(is_parse_error(std::string(128, space) + plain));
    CHECK(is_parse_error(std::string(129, space) + plain));
  }
  CHECK(forms("\f[" + plain + "]") == "c");
  CHECK(is_parse_error("{\f" + plain.substr(1)));
  CHECK(is_parse_error("[\f" + plain + "]"));
}

TEST_CASE("anything else before a message: the node refuses it") {
  CHECK(is_parse_error("\xEF\xBB\xBF" + plain));
  CHECK(is_parse_error("\v" + plain));
  CHECK(is_parse_error("\xC2\xA0" + plain));
  CHECK(is_parse_error(std::string(1, '\0') + plain));
  CHECK(is_parse_error("x" + plain));
  CHECK(is_parse_error("//\n" + plain));
  CHECK(is_parse_error("\"" + plain));
  CHECK(is_parse_error("1"));
  CHECK(is_parse_error("null"));
  CHECK(is_parse_error(R"("author_rotateKeys")"));
  CHECK(is_parse_error(""));
  CHECK(is_parse_error(" \n"));
}

TEST_CASE("anything after a message: the node refuses it") {
  const std::string health = R"({"jsonrpc":"2.0","id":1,"method":"system_health"})";
  for (const std::string rest : {plain, "\n" + plain, "[" + plain + "]", std::string("]"), std::string("}"),
                                 std::string(","), std::string("/**/"), std::string("//"), std::string(1, '\0'),
                                 std::string("\f"), std::string("\v"), std::string("\xEF\xBB\xBF")}) {
    CHECK(is_parse_error(health + rest));
    CHECK(is_parse_error("[" + health + "]" + rest));
  }
  CHECK(method(health + " \t\r\n") == "system_health");
}

TEST_CASE("what only some parsers take for JSON is refused") {
  for (const std::string params :
       {"[1,]",     "[,1]",        "{\"a\":1,}",    "[01]",       "[+1]",   "[.5]",  "[1.]",
        "[1e]",     "[0x1]",       "[NaN]",         "[Infinity]", "[True]", "[nul]", "['a']",
        "{a:1}",    "[\"\\x41\"]", "[\"\\u12g4\"]", "[\"\t\"]",   "[/**/]", "[1 2]", "{\"a\" 1}",
        "{\"a\":}", "{1:2}",       "[\"\\\n\"]",    "[-]",        "--1"}) {
    CHECK(is_parse_error(R"({"jsonrpc":"2.0","id":1,"method":"m","params":)" + params + "}"));
    CHECK(is_parse_error(R"({"jsonrpc":"2.0","id":1,"method":"m","x":)" + params + "}"));
  }
  CHECK(is_parse_error(R"({"jsonrpc":"2.0","id":1,"method":"m",})"));
  CHECK(is_parse_error("[" + plain + ",]"));
  CHECK(is_parse_error("[" + plain + plain + "]"));
  CHECK(is_parse_error(R"({"jsonrpc":"2.0","id":1,"method":"author_rotateKeys")"));
}

TEST_CASE("what is not UTF-8: the node accepts it in what it ignores, but not in a batch") {
  for (const std::string wrong :
       {"\xFF", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80"}) {
    const std::string call = R"({"jsonrpc":"2.0","id":1,"method":"m","x":")" + wrong + "\"}";
    CHECK(is_parse_error(call));
    CHECK(is_parse_error("[" + call + "]"));
    CHECK(is_parse_error(R"({"jsonrpc":"2.0","id":1,"method":"author_rotateKeys)" + wrong + "\"}"));
    CHECK(is_parse_error(plain + wrong));
  }
}

TEST_CASE("a method that is no string is none") {
  for (const std::string value : {"null", "1", "true", "[\"author_rotateKeys\"]", R"({"author_rotateKeys":null})"}) {
    CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":)" + value + "}") == "(invalid)");
  }
}

TEST_CASE("very deep params pass") {
  const std::string deep = std::string(4096, '[') + std::string(4096, ']');
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"m","params":)" + deep + "}") == "m");
  CHECK(method(R"({"jsonrpc":"2.0","id":1,"method":"m","x":)" + deep + "}") == "m");
  CHECK(forms("[" + deep + "]") == "i");
}
