#include <ringwall/rpc/inspect.h>

#include <random>
#include <string>
#include <vector>

#include "unit/catch.h"
#include "unit/rpc/told.h"

namespace {

using namespace ringwall::rpc;
using reference::Seen;
using Seens = std::vector<Seen>;

constexpr Inspector::Bounds bounds = {.calls_max = 16, .depth_max = 64, .unescaped_bytes_max = 1024};

std::expected<Seens, Code> inspect(const std::string& text) {
  static Inspector inspector(bounds);
  auto seen = told::inspect(inspector, text);
  const auto expected = reference::read(text, bounds.calls_max, bounds.depth_max);
  CHECK(seen.has_value() == expected.has_value());
  if (seen && expected) CHECK(*seen == *expected);
  return seen;
}

// Of a message that is not bad.
Seens calls(const std::string& text) {
  INFO(text);
  const auto seen = inspect(text);
  REQUIRE(seen.has_value());
  return *seen;
}

Seen call(const std::string& text) {
  const Seens seen = calls(text);
  REQUIRE(seen.size() == 1);
  return seen[0];
}

std::string with_params(const std::string& params) {
  return R"({"jsonrpc":"2.0","id":1,"method":"m","params":)" + params + "}";
}

std::string with_id(const std::string& id) { return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"m"})"; }

}  // namespace

TEST_CASE("a call is told with its method, its id and its params") {
  CHECK(call(R"({"jsonrpc":"2.0","id":1,"method":"chain_getBlockHash","params":[0]})") ==
        Seen{"call", "chain_getBlockHash", "1", "[0]"});
  CHECK(call(R"({"id":"a","method":"system_health","jsonrpc":"2.0"})") == Seen{"call", "system_health", "\"a\"", ""});
  CHECK(call("{ \"params\" : { \"a\" : [ ] } ,\r\n\t\"method\" : \"m\" , \"jsonrpc\" : \"2.0\" , \"id\" : 7 } \n") ==
        Seen{"call", "m", "7", "{ \"a\" : [ ] }"});
}

TEST_CASE("members that a node ignores are ignored, whatever is in them") {
  CHECK(call(R"({"jsonrpc":"2.0","x":{"method":"y","id":[1]},"id":1,"Method":"z","method":"m","x":null})").method ==
        "m");
}

TEST_CASE("a call without an id is a notification") {
  CHECK(call(R"({"jsonrpc":"2.0","method":"m","params":[]})") == Seen{"notification", "m", "", "[]"});
}

TEST_CASE("an id is null, a string or a u64") {
  for (const std::string id :
       {"null", "0", "1", "18446744073709551615", R"("")", R"("a")", R"("\ud83d\ude00\n\/")", "\"\xE2\x82\xAC\""}) {
    CHECK(call(with_id(id)) == Seen{"call", "m", id, ""});
  }
  const std::string longest = '"' + std::string(126, 'i') + '"';
  CHECK(call(with_id(longest)).id == longest);
}

TEST_CASE("a call with any other id is invalid, and answered with id null") {
  for (const std::string id :
       {"18446744073709551616", "-1", "-0", "1.0", "1e0", "0.5", "true", "false", "[]", "[1]", "{}", R"({"id":1})",
        R"("\ud83d")", R"("\ude00\ud83d")", "99999999999999999999999999999999999999999"}) {
    CHECK(call(with_id(id)) == Seen{"invalid", "m", "null", ""});
  }
  CHECK(call(with_id('"' + std::string(127, 'i') + '"')) == Seen{"invalid", "m", "null", ""});
}

TEST_CASE("odd but valid params pass byte for byte") {
  const std::string deep = std::string(64, '[') + std::string(64, ']');
  for (const std::string params :
       {"null", "1", "\"text\"", "[1e999,-1E-999,0.0e+1]", "[1234567890123456789012345678901234567890]",
        R"(["\ud800","\udc00\u0000","\/\b\f\n\r\t\"\\"])", "[ ]", "{ }", "[[],{},[{}]]",
        R"({"":{"a":[true,false,null]}})", "[\"\x7F\xC2\x80\xF4\x8F\xBF\xBF\"]", "[-0]"}) {
    CHECK(call(with_params(params)) == Seen{"call", "m", "1", params});
  }
  CHECK(call(with_params(deep)).params == deep);
}

TEST_CASE("params of any size and alignment are read whole") {
  for (std::size_t size = 1; size < 300; ++size) {
    const std::string hex = "[\"0x" + std::string(size, 'a') + "\"]";
    CHECK(call(with_params(hex)).params == hex);
    for (const char byte : {'"', '\x1F', '\0', '\n'}) {
      std::string broken = hex;
      broken[4] = byte;
      CHECK(!inspect(with_params(broken)).has_value());
    }
  }
  const std::string large = "[\"0x" + std::string(1 << 20, 'f') + "\"]";
  CHECK(call(with_params(large)).params == large);
}

TEST_CASE("nesting is bounded, and up to the bound each bracket must match") {
  const std::string deep = std::string(65, '[') + std::string(65, ']');
  CHECK(inspect(with_params(deep)) == std::unexpected(Code::invalid_request));
  CHECK(inspect(with_params("[[}]")) == std::unexpected(Code::parse_error));
  CHECK(inspect(with_params(R"([{"a":[[{"b":1}]})")) == std::unexpected(Code::parse_error));
  Inspector deeper({.calls_max = 1, .depth_max = 1 << 20, .unescaped_bytes_max = 0});
  std::string very_deep;
  for (int i = 0; i < 1 << 19; ++i) very_deep += "[{\"a\":";
  very_deep += "1";
  for (int i = 0; i < 1 << 19; ++i) very_deep += "}]";
  CHECK(told::inspect(deeper, with_params(very_deep))->at(0).params == very_deep);
}

TEST_CASE("a method's escapes are resolved") {
  const auto method = [](const std::string& escaped) {
    return call(R"({"jsonrpc":"2.0","id":1,"method":")" + escaped + "\"}").method;
  };
  CHECK(method(R"(author\u005frotateKeys)") == "author_rotateKeys");
  CHECK(method(R"(\u0061\u0075thor_rotateKeys)") == "author_rotateKeys");
  CHECK(method(R"(\"\\\/\b\f\n\r\t)") == "\"\\/\b\f\n\r\t");
  CHECK(method(R"(\u00e9\u20AC\uD83D\uDE00)") == "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  CHECK(method(R"(\u0000)") == std::string(1, '\0'));
  CHECK(method(std::string(250, 'm') + R"(\u0061\u0061\u0061\u0061\u0061\u0061)").size() == 256);
  CHECK(method("") == "");
}

TEST_CASE("escapes over their bound make a call invalid, and no later one") {
  std::string batch = "[";
  for (int i = 0; i < 6; ++i) {
    batch += R"({"jsonrpc":"2.0","id":1,"method":"\u0061)" + std::string(255, 'b') + "\"},";
  }
  batch += R"({"jsonrpc":"2.0","id":1,"method":"m"}])";
  Inspector inspector(bounds);
  const auto seen = told::inspect(inspector, batch);
  REQUIRE(seen.has_value());
  CHECK(seen->at(3).form == "call");
  CHECK(seen->at(3).method == "a" + std::string(255, 'b'));
  CHECK(seen->at(4) == Seen{"invalid", "", "1", ""});
  CHECK(seen->at(6).form == "call");
  CHECK(call(R"({"jsonrpc":"2.0","id":1,"method":"\u0061)" + std::string(256, 'b') + "\"}").form == "invalid");
}

TEST_CASE("a batch tells its calls in their order") {
  CHECK(calls(R"([{"jsonrpc":"2.0","id":1,"method":"a"} , {"jsonrpc":"2.0","method":"b","params":[]},{"id":"3"}])") ==
        Seens{{"call", "a", "1", ""}, {"notification", "b", "", "[]"}, {"invalid", "", "\"3\"", ""}});
}

TEST_CASE("a batch has a call at least, and as many as the bound says at most") {
  CHECK(inspect("[]") == std::unexpected(Code::invalid_request));
  CHECK(inspect("[ ]") == std::unexpected(Code::invalid_request));
  std::string batch = "[" + with_id("1");
  for (int i = 1; i < 16; ++i) batch += "," + with_id("1");
  CHECK(calls(batch + "]").size() == 16);
  CHECK(inspect(batch + "," + with_id("1") + "]") == std::unexpected(Code::invalid_request));
}

TEST_CASE("a message that is cut or followed by anything is refused, wherever") {
  for (const std::string text : {R"({"jsonrpc":"2.0","id":"\u0061\n","method":"m\u0062","params":[1.5e+3,{"a":null}]})",
                                 R"([{"jsonrpc":"2.0","id":1,"method":"m"},{"x":[true,false,-0.1]}])"}) {
    for (std::size_t size = 0; size < text.size(); ++size) {
      CHECK(inspect(text.substr(0, size)) == std::unexpected(Code::parse_error));
    }
    for (int byte = 0; byte < 256; ++byte) {
      const bool space = byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
      CHECK(inspect(text + static_cast<char>(byte)).has_value() == space);
    }
  }
}

TEST_CASE("what the inspector tells is what the reference tells, whatever byte is changed") {
  const std::string text =
      R"([{"jsonrpc":"2.0","id":"a\u0031","method":"m\n","params":[-1.5e9,"é",{"k":null}]},["x"],{"id":1}])";
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = text;
      changed[at] = static_cast<char>(byte);
      static_cast<void>(inspect(changed));
    }
    static_cast<void>(inspect(text.substr(0, at) + text.substr(at + 1)));
    static_cast<void>(inspect(text.substr(0, at) + text[at] + text.substr(at)));
  }
}

TEST_CASE("an inspector says what it holds") {
  CHECK(Inspector::bytes_held({.calls_max = 1, .depth_max = 64, .unescaped_bytes_max = 100}) ==
        sizeof(Inspector) + sizeof(Call) + 8 + 100);
  CHECK(Inspector::bytes_held({}) < 128 * 1024);
}

TEST_CASE("usual members are read the same in any spelling, in any order, and twice is once too often") {
  const std::vector<std::string> spellings[] = {
      {R"("jsonrpc":"2.0")", R"("jsonrpc" : "2.0")", R"("jsonrpc":"2.0" )", R"("jsonrpc":"2.1")"},
      {R"("id":1)", R"("id" :1)", R"("id": 1)", R"("id":"a")"},
      {R"("method":"m")", R"("method" :"m")", R"("method": "m")", R"("method":1)"},
      {R"("params":[1])", R"("params" :[1])", R"("params": [1])", R"("params":{})"}};
  for (std::size_t code = 0; code < 256; ++code) {
    std::vector<std::string> members;
    for (std::size_t which = 0; which < 4; ++which) members.push_back(spellings[which][code >> (2 * which) & 3]);
    const auto object = [&](std::size_t first) {
      std::string text = "{";
      for (std::size_t at = 0; at < members.size(); ++at) {
        text += (at == 0 ? "" : ",") + members[(first + at) % members.size()];
      }
      return text + "}";
    };
    for (std::size_t first = 0; first < 4; ++first) (void)calls(object(first));
    members.push_back(members[code % 4]);
    CHECK(call(object(0)).form == "invalid");
  }
  CHECK_FALSE(inspect(R"({"jsonrpc":"2.0"1,"id":1,"method":"m"})").has_value());
  CHECK_FALSE(inspect(R"({"jsonrpc":"2.0")").has_value());
  CHECK_FALSE(inspect(R"({"jsonrpc":"2.0","id":)").has_value());
}

TEST_CASE("a byte that ends a string, or may not be in one, is found wherever it stands") {
  constexpr std::size_t bytes = 160;
  for (std::size_t at = 0; at <= bytes; ++at) {
    const auto params = [&](const std::string& special) {
      return with_params("[\"" + std::string(at, 'x') + special + std::string(bytes - at, 'x') + "\"]");
    };
    (void)calls(params("\\\""));
    (void)calls(params("\xC3\xA9"));
    for (const char* wrong : {"\"", "\\", "\x1F", "\n", "\xFF", "\x80"}) {
      INFO("at " << at << ": " << wrong);
      CHECK_FALSE(inspect(params(wrong)).has_value());
    }
  }
}
