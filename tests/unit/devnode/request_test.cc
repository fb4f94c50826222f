#include "devnode/request.h"

#include "unit/catch.h"

using namespace ringwall::devnode;

namespace {

using Kind = Request::Kind;

struct Reading {
  explicit Reading(std::string text_in) : text(std::move(text_in)) {
    request = read_request(parser.parse(text).value(), text);
  }

  std::string text;
  simdjson::dom::parser parser;
  Request request;
};

Kind kind_of(std::string text) { return Reading(std::move(text)).request.kind; }

}  // namespace

TEST_CASE("a call has its id as it was written, its method and its parameters") {
  const Reading reading(R"({"jsonrpc":"2.0", "id" : "\u0061", "method":"m", "params":[1, "x"]})");
  CHECK(reading.request.kind == Kind::call);
  CHECK(reading.request.id == R"("\u0061")");
  CHECK(reading.request.method == "m");
  CHECK(reading.request.params.raw() == R"([1, "x"])");
  CHECK(std::uint64_t(*reading.request.params.at(0)) == 1);
  CHECK(!reading.request.params.at(2));
}

TEST_CASE("a key or a method written with escapes is the same key or method") {
  const Reading reading(R"({"jsonrpc":"2.0","id":1,"\u006dethod":"\u006d"})");
  CHECK(reading.request.kind == Kind::call);
  CHECK(reading.request.method == "m");
}

TEST_CASE("ids that a node takes make a call, all others a notification") {
  for (const char* id : {"0", "1", "18446744073709551615", "null", "\"\"", "\"a\""}) {
    INFO(id);
    CHECK(kind_of(std::string(R"({"jsonrpc":"2.0","method":"m","id":)") + id + "}") == Kind::call);
  }
  for (const char* id : {"1.0", "1e2", "-1", "-0", "true", "[]", "{}", R"(1,"id":1)"}) {
    INFO(id);
    CHECK(kind_of(std::string(R"({"jsonrpc":"2.0","method":"m","id":)") + id + "}") == Kind::notification);
  }
  CHECK(kind_of(R"({"jsonrpc":"2.0","method":"m"})") == Kind::notification);
}

TEST_CASE("without a version, a method, or with one of them twice a request is invalid, and keeps its id") {
  for (const char* members :
       {R"("method":"m")", R"("jsonrpc":"1.0","method":"m")", R"("jsonrpc":2.0,"method":"m")", R"("jsonrpc":"2.0")",
        R"("jsonrpc":"2.0","method":1)", R"("jsonrpc":"2.0","jsonrpc":"2.0","method":"m")",
        R"("jsonrpc":"2.0","method":"m","m\u0065thod":"m")",
        R"("jsonrpc":"2.0","method":"m","params":[],"params":[])"}) {
    INFO(members);
    const Reading reading(std::string(R"({"id":7,)") + members + "}");
    CHECK(reading.request.kind == Kind::invalid);
    CHECK(reading.request.id == "7");
  }
}

TEST_CASE("parameters that are null are none, and members of another name are ignored") {
  const Reading reading(R"({"jsonrpc":"2.0","id":1,"method":"m","params":null,"more":{"method":"n"}})");
  CHECK(reading.request.kind == Kind::call);
  CHECK(reading.request.method == "m");
  CHECK(reading.request.params.raw() == "[]");
  CHECK(!reading.request.params.value());
}

TEST_CASE("a list of four is a call by position, a list of three a notification, any other invalid") {
  const Reading call(R"(["2.0",1,"m",[5]])");
  CHECK(call.request.kind == Kind::call);
  CHECK(call.request.id == "1");
  CHECK(call.request.method == "m");
  CHECK(call.request.params.raw() == "[5]");
  CHECK(kind_of(R"(["2.0","m",[]])") == Kind::notification);
  CHECK(kind_of(R"(["2.0",1,"m"])") == Kind::invalid);
  CHECK(kind_of(R"(["2.0",1,"m",[],0])") == Kind::invalid);
  CHECK(kind_of("5") == Kind::invalid);
}
